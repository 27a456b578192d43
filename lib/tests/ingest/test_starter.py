"""Parameters written after an import: enough for a report, never over what is there."""

import pytest

from shokubai.config import check, load
from shokubai.ingest import read_mapping, write_starter
from shokubai.ingest.starter import label, starter_threshold

PLAIN = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/7"'


@pytest.mark.parametrize(
    ("p99", "threshold"),
    [
        (6.12, 6.5),
        (6.5, 6.5),
        (0.231, 0.25),
        (0.996, 1.0),
        (1.0, 1.0),
        (0.0004, 0.001),
        (0.0, 0.001),
        (0.001, 0.001),
        (0.0011, 0.0015),
        (12.3, 15.0),
        (0.3, 0.3),
    ],
)
def test_a_threshold_is_the_p99_rounded_up(p99, threshold):
    assert starter_threshold(p99) == threshold


def test_labels():
    assert label("Online Boutique / front_end") == "online-boutique-front-end"
    assert len(label("x" * 100)) == 63
    assert label("請求") == ""


def test_a_new_folder_gets_all_that_a_report_needs(write, importing, tmp_path):
    summary = importing(write(PLAIN + " 0.231"), service="Web Shop")
    directory = tmp_path / "parameters"
    starter = write_starter(summary, directory=directory, organization='Ann\'s & Co: "1"', zone="Asia/Tokyo")
    parameters, problems = check(directory)
    assert problems == []
    assert parameters is not None
    assert parameters.organization.name.en == 'Ann\'s & Co: "1"'
    assert parameters.organization.zone.key == "Asia/Tokyo"
    assert parameters.teams["web-shop"].services == ("Web Shop",)
    assert parameters.teams["web-shop"].warehouse == "shop"
    assert parameters.warehouse("shop").tables["requests"].path == "{outputs}/imports/shop/requests/*/*.parquet"
    assert parameters.run("weekly").team_notebooks == ("weekly_team_report",)
    assert {name: (slo.objective, slo.indicator.threshold_seconds) for name, slo in parameters.slos.items()} == {
        "web-shop-availability": (0.999, None),
        "web-shop-latency": (0.99, 0.25),
    }
    assert starter.is_new_organization and starter.teams == ("web-shop",)


def test_no_objective_for_what_the_data_does_not_have(write, importing, tmp_path):
    without_latency = importing(write(PLAIN))
    write_starter(without_latency, directory=tmp_path / "p1")
    assert list(load(tmp_path / "p1").slos) == ["shop-availability"]
    spans = write("timestamp,duration_seconds", "2022-01-01 00:00:00,0.2", name="spans.csv")
    without_status = importing(spans, name="spans", service="spans")
    write_starter(without_status, directory=tmp_path / "p2")
    assert list(load(tmp_path / "p2").slos) == ["spans-latency"]
    neither = importing(write("timestamp", "2022-01-01 00:00:00", name="t.csv"), name="bare", service="bare")
    starter = write_starter(neither, directory=tmp_path / "p3")
    assert load(tmp_path / "p3").slos == {}
    assert starter.notes == ("bare has neither statuses nor durations, so it has no objective",)


def test_nothing_that_is_there_is_overwritten(write, importing, tmp_path):
    summary = importing(write(PLAIN))
    directory = tmp_path / "parameters"
    write_starter(summary, directory=directory, zone="Asia/Tokyo")
    changed = directory / "slos" / "shop.yaml"
    changed.write_text(changed.read_text().replace("target: 0.999", "target: 0.95"))
    before = {file: file.read_bytes() for file in directory.rglob("*.yaml")}
    again = write_starter(summary, directory=directory, zone="UTC")
    assert again.written == ()
    assert {file: file.read_bytes() for file in directory.rglob("*.yaml")} == before
    assert load(directory).slos["shop-availability"].objective == 0.95


def test_an_organization_that_is_there_gets_only_what_the_new_service_needs(write, importing, tmp_path):
    directory = tmp_path / "parameters"
    write_starter(importing(write(PLAIN)), directory=directory)
    (directory / "teams" / "shop.yaml").rename(directory / "teams" / "retail.yaml")
    other = importing(write(PLAIN, name="b.log"), name="pay", service="pay")
    starter = write_starter(other, directory=directory)
    assert sorted(str(file.relative_to(directory)) for file in starter.written) == [
        "slos/pay.yaml",
        "teams/pay.yaml",
        "warehouses/pay.yaml",
    ]
    assert check(directory)[1] == []
    # A service that a team owns already keeps its owner, who is told how to read the import.
    again = write_starter(importing(write(PLAIN, name="c.log"), name="shop-two", service="shop"), directory=directory)
    assert [str(file.relative_to(directory)) for file in again.written] == ["warehouses/shop-two.yaml"]
    assert again.teams == ("retail",)
    assert "write `warehouse: shop-two` into their files" in again.notes[0]


def test_several_services_in_one_table_get_a_team_each(write, importing, tmp_path):
    file = write(
        "timestamp,svc,http_response_status_code",
        "2022-01-01 00:00:00,cart,200",
        "2022-01-01 00:00:00,pay,500",
        name="log.csv",
    )
    summary = importing(file, service=None, mapping=read_mapping(columns=["service_name=svc"]))
    write_starter(summary, directory=tmp_path / "p")
    parameters = load(tmp_path / "p")
    assert sorted(parameters.teams) == ["cart", "pay"]
    assert sorted(parameters.slos) == ["cart-availability", "pay-availability"]


HOSTILE = (
    "請求",
    "検索サービス",
    "a.b",
    "a-b",
    "a b",
    "A-B",
    "organization",
    "x" * 67,
    "x" * 68,
    "-",
    "null",
    "2026-10-26",
    "cart: &x \\ 'y' # z",
    "tab\tand\x7f\u2028",
    "<script>",
    "🛒",
)


def services_table(write, services, name="log.csv", seconds="0"):
    def cell(text):
        return '"' + text.replace('"', '""') + '"'

    lines = [f"2022-01-01 00:00:00,{cell(service)},200,{seconds}" for service in services]
    return write("timestamp,service_name,http_response_status_code,duration_seconds", *lines, name=name)


def test_services_of_any_name_get_files_of_their_own_that_are_right(write, importing, tmp_path):
    summary = importing(services_table(write, HOSTILE), service=None)
    assert {service.service for service in summary.services} == set(HOSTILE)
    directory = tmp_path / "parameters"
    starter = write_starter(summary, directory=directory)
    parameters, problems = check(directory)
    assert problems == []
    assert starter.kept == ()
    owners = {service: team.name for team in parameters.teams.values() for service in team.services}
    assert owners.keys() == set(HOSTILE)
    assert len(set(owners.values())) == len(HOSTILE)
    assert owners["a-b"] == "a-b"  # its own name, whatever else would be called so
    assert owners["請求"].startswith("service-")
    for service, team in owners.items():
        slos = [slo for slo in parameters.slos.values() if slo.service == service]
        assert sorted(slo.name for slo in slos) == [f"{team}-availability", f"{team}-latency"]
        assert {slo.source.file.name for slo in slos} == {f"{team}.yaml"}
        assert max(len(slo.display_name) for slo in slos) <= 63
        assert slos[1].indicator.threshold_seconds == 0.001
    assert write_starter(summary, directory=directory).written == ()


def test_a_service_called_as_an_earlier_one_gets_files_of_its_own(write, importing, tmp_path):
    directory = tmp_path / "parameters"
    write_starter(importing(services_table(write, ["a.b"]), service=None), directory=directory)
    later = importing(services_table(write, ["a-b"], name="later.csv"), name="later", service=None)
    starter = write_starter(later, directory=directory)
    parameters, problems = check(directory)
    assert problems == []
    assert len(starter.written) == 3
    assert sorted(team.services for team in parameters.teams.values()) == [("a-b",), ("a.b",)]
    assert sorted({slo.service for slo in parameters.slos.values()}) == ["a-b", "a.b"]
