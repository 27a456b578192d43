"""The façade on a handful of requests, worked by hand."""

from datetime import date

import pandas as pd
import pytest

import shokubai
from shokubai.core import sketch
from shokubai.core.errors import DataError, UsageError

# Tokyo is nine hours ahead: 2026-10-27 there is 15:00Z of the 26th to 15:00Z of the 27th.
ROWS = (
    ("2026-10-26T14:59:59Z", "shop", "GET", "/items", 200, 9.0),  # still the 26th
    ("2026-10-26T15:00:00Z", "shop", "GET", "/items", 200, 0.1),
    ("2026-10-26T15:30:00Z", "shop", "GET", "/items", 503, 0.2),
    ("2026-10-27T01:00:00Z", "shop", "GET", "/items", 200, 0.3),
    ("2026-10-27T01:59:59Z", "shop", "POST", "/orders", 404, 0.4),
    ("2026-10-27T02:00:00Z", "mail", "POST", "/send", 200, None),
    ("2026-10-27T15:00:00Z", "shop", "GET", "/items", 200, 7.0),  # already the 28th
)

TEAMS = {
    "teams/sales.yaml": """\
name: {en: Sales}
language: en
owns:
  - service: shop
    routes: ["/items"]
""",
    "teams/post.yaml": """\
name: {en: Post}
language: en
owns: [{service: mail}, {service: shop, routes: [/orders]}]
""",
}

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: items-availability}
spec:
  service: shop
  indicator:
    metadata: {name: items-availability}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: shokubai, spec: {requests: successful}}}
        total: {metricSource: {type: shokubai, spec: {requests: all, routes: ["/items"]}}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
"""


@pytest.fixture
def sk(make_workspace, request_log):
    return make_workspace(TEAMS, requests=request_log(*ROWS))


def near(*seconds):
    """What a histogram gives for exact durations: within one percent."""
    return pytest.approx(list(seconds), rel=sketch.RELATIVE_ERROR, nan_ok=True)


def test_requests_by_route(sk):
    frame = sk.requests("2026-10-27")
    assert frame.columns.to_list() == [
        "service_name",
        "http_request_method",
        "http_route",
        "request_count",
        "error_count",
        "error_ratio",
        "p50_seconds",
        "p90_seconds",
        "p95_seconds",
        "p99_seconds",
    ]
    assert frame.iloc[:, :6].to_numpy().tolist() == [
        ["mail", "POST", "/send", 1, 0, 0.0],
        ["shop", "GET", "/items", 3, 1, 1 / 3],
        ["shop", "POST", "/orders", 1, 0, 0.0],
    ]
    # The log of mail has no durations. Of three values the median is the second, and rank 0.99 (3 - 1) is it too.
    assert frame["p50_seconds"].to_list() == near(float("nan"), 0.2, 0.4)
    assert frame["p99_seconds"].to_list() == near(float("nan"), 0.2, 0.4)


def test_requests_by_service_and_by_hour(sk):
    frame = sk.requests("2026-10-27", by="service")
    assert frame[["service_name", "request_count", "error_count"]].to_numpy().tolist() == [
        ["mail", 1, 0],
        ["shop", 4, 1],
    ]
    frame = sk.requests("2026-10-27", by="hour")
    assert frame["hour"].dt.strftime("%dT%H %Z").to_list() == ["26T15 UTC", "27T01 UTC", "27T02 UTC"]
    assert frame["request_count"].to_list() == [2, 2, 1]
    assert frame["p50_seconds"].to_list() == near(0.1, 0.3, float("nan"))


def test_days_are_local(sk):
    frame = sk.requests(("2026-10-26", "2026-10-29"), by="day", service="shop")
    assert frame["day"].to_list() == [date(2026, 10, 26), date(2026, 10, 27), date(2026, 10, 28)]
    assert frame["request_count"].to_list() == [1, 4, 1]


def test_several_keys_at_once(sk):
    frame = sk.requests("2026-10-27", by=["route", "service", "hour"], service="shop")
    assert frame.columns.to_list()[:4] == ["service_name", "http_request_method", "http_route", "hour"]
    assert frame["request_count"].to_list() == [2, 1, 1]


def test_a_team_sees_the_routes_it_owns(sk):
    assert sk.requests("2026-10-27", team="sales")["http_route"].to_list() == ["/items"]
    assert sk.requests("2026-10-27", team="post")["http_route"].to_list() == ["/send", "/orders"]
    assert sk.requests("2026-10-27", team="post", service="shop")["http_route"].to_list() == ["/orders"]


def test_a_window_without_requests_gives_no_rows(sk):
    frame = sk.requests("2026-10-20", by=["route", "day"])
    assert len(frame) == 0
    assert "p95_seconds" in frame


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda sk: sk.requests("2026-10-27", by="routes"), "by='routes' is not one of .*did you mean 'route'"),
        (lambda sk: sk.requests("2026-10-27", by=[]), "by is empty"),
        (lambda sk: sk.requests("2026-10-27", service="shpo"), "no service is called 'shpo'.*did you mean 'shop'"),
        (lambda sk: sk.requests("2026-10-27", team="sale"), "no team is called 'sale'.*did you mean 'sales'"),
        (lambda sk: sk.requests("tuesday"), "'tuesday' is not a window"),
        (lambda sk: sk.slo_status("2026-44"), "week '2026-44' is not an ISO week"),
    ],
)
def test_mistakes_are_named(sk, call, message):
    with pytest.raises(UsageError, match=message):
        call(sk)


def test_compare_puts_the_largest_slow_down_first(make_workspace, request_log):
    rows = [(f"2026-10-26T0{n}:00:00Z", "shop", "GET", route, 200, 0.1) for n in range(4) for route in ("/a", "/b")]
    rows += [(f"2026-10-27T0{n}:00:00Z", "shop", "GET", "/a", 200, 0.1) for n in range(4)]
    rows += [(f"2026-10-27T0{n}:30:00Z", "shop", "GET", "/b", 500 if n else 200, 0.3) for n in range(4)]
    rows += [("2026-10-27T00:00:00Z", "shop", "GET", "/new", 200, 5.0)]
    sk = make_workspace(TEAMS, requests=request_log(*rows))
    frame = sk.compare(
        ("2026-10-26 09:00", "2026-10-27 09:00"), ("2026-10-27 09:00", "2026-10-28"), minimum_requests=4
    )
    assert frame["http_route"].to_list() == ["/b", "/a"]  # /new has nothing to be compared with
    assert frame["p95_ratio"].to_list() == pytest.approx([3.0, 1.0], rel=0.02)
    assert frame["error_ratio_change"].to_list() == [0.75, 0.0]
    assert frame["request_count_before"].to_list() == frame["request_count_after"].to_list() == [4, 4]
    with_five = sk.compare("2026-10-26", "2026-10-27", minimum_requests=5)
    assert len(with_five) == 0


def test_percentiles_merge_histograms_and_do_not_average(make_workspace, request_log):
    # Hour 0: nine fast requests; hour 1: one slow. The median of all ten is fast; the mean of medians is not.
    rows = [(f"2026-10-27T00:0{n}:00Z", "shop", "GET", "/items", 200, 0.1) for n in range(9)]
    rows += [("2026-10-27T01:00:00Z", "shop", "GET", "/items", 200, 2.0)]
    sk = make_workspace(TEAMS, requests=request_log(*rows))
    for by, median, highest in (("hour", [0.1, 2.0], [0.1, 2.0]), ("day", [0.1], [0.1]), ("service", [0.1], [0.1])):
        frame = sk.percentiles("2026-10-27", by=by)
        assert "error_count" not in frame
        assert frame["p50_seconds"].to_list() == near(*median)
        assert frame["p90_seconds"].to_list() == near(*highest)  # rank 0.9 (10 - 1) = 8.1: the ninth of ten
    longer = sk.percentiles("2026-10-27", by="service")
    assert longer["p99_seconds"].to_list() == near(0.1)  # rank 8.91: still the ninth


def test_slo_status(make_workspace, request_log):
    sk = make_workspace({**TEAMS, "slos/items.yaml": SLO}, requests=request_log(*ROWS))
    frame = sk.slo_status("2026-W44")
    # All owners of the service answer for it. Of five requests to /items in the week one failed.
    assert frame["team"].to_list() == ["post", "sales"]
    row = frame.iloc[1]
    assert (row["slo"], row["objective"], row["window"]) == ("items-availability", 0.9, "7d rolling")
    assert (row["valid_count"], row["good_count"], row["sli_ratio"]) == (5, 4, 0.8)
    assert row["verdict"] == "not_enough_data"  # five requests tell nothing
    assert row["budget_allowed_count"] == pytest.approx(0.5)
    assert row["budget_left_ratio"] == pytest.approx(-1.0)  # one spent of a half
    assert sk.slo_status("2026-W44", team="sales")["team"].to_list() == ["sales"]


def test_slo_status_without_objectives_has_its_columns(sk):
    frame = sk.slo_status("2026-W44")
    assert len(frame) == 0
    assert frame.columns.to_list()[:5] == ["team", "service_name", "slo", "objective", "window"]


def test_slo_status_sees_what_arrived_since(make_workspace, request_log, tmp_path):
    sk = make_workspace({**TEAMS, "slos/items.yaml": SLO}, requests=request_log(*ROWS))
    assert sk.slo_status("2026-W44", team="sales")["valid_count"].to_list() == [5]
    more = request_log(*ROWS, ("2026-10-30T00:00:00Z", "shop", "GET", "/items", 200, 0.1))
    more.to_parquet(tmp_path / "outputs" / "requests.parquet")
    assert sk.slo_status("2026-W44", team="sales")["valid_count"].to_list() == [6]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-10-20T00:00:00Z", "2026-11-01T14:59:00Z", "2026-W44"),  # to the last minute of Sunday
        ("2026-10-20T00:00:00Z", "2026-11-01T10:00:00Z", "2026-W44"),  # a service that is quiet on Sunday evening
        ("2026-10-20T00:00:00Z", "2026-10-30T00:00:00Z", "2026-W43"),
        ("2026-10-27T00:00:00Z", "2026-10-28T00:00:00Z", "2026-W44"),  # the only week there is
    ],
)
def test_the_latest_week(make_workspace, request_log, first, last, expected):
    log = request_log((first, "shop", "GET", "/", 200, 0.1), (last, "shop", "GET", "/", 200, 0.1))
    assert str(make_workspace(TEAMS, requests=log).latest_week) == expected


def test_an_empty_log_has_no_latest_week(make_workspace, request_log):
    with pytest.raises(DataError, match="warehouse main: no requests at all"):
        _ = make_workspace(TEAMS, requests=request_log()).latest_week


def scans(sk):
    return sk.tables.queries()["name"].to_list().count("request_groups")


def test_days_are_scanned_once(sk, request_log, tmp_path):
    assert scans(sk) == 0
    first = sk.requests("2026-10-27")
    assert scans(sk) == 1
    assert sk.requests("2026-10-27").equals(first)
    sk.window("2026-10-27")
    sk.percentiles("2026-10-27", by="day")
    sk.compare("2026-10-27", "2026-10-27")
    assert scans(sk) == 1
    # Another session finds them too; a day not asked for before is scanned, one whose log changed is again.
    again = shokubai.open(sk.parameters.directory)
    assert again.requests("2026-10-27").equals(first)
    assert scans(again) == 0
    more = request_log(*ROWS, ("2026-10-27T05:00:00Z", "shop", "GET", "/items", 200, 0.1))
    more.to_parquet(tmp_path / "outputs" / "requests.parquet")
    assert again.requests("2026-10-27", service="shop")["request_count"].to_list() == [4, 1]
    assert scans(again) == 1


def companions():
    at = pd.Timestamp("2026-10-27T01:00:00Z")
    empty = pd.Series([pd.NaT], dtype="datetime64[us, UTC]")
    return {
        "deployments": pd.DataFrame(
            {
                "deployed_at": [at, at + pd.Timedelta(days=1)],
                "service_name": ["shop", "mail"],
                "service_version": ["2", "7"],
                "deployment_id": ["shop-2", "mail-7"],
                "description": ["Carts", "Queues"],
            }
        ),
        "incidents": pd.DataFrame(
            {
                "incident_id": ["INC-1"],
                "service_name": ["shop"],
                "title": ["Carts are slow"],
                "severity": ["minor"],
                "started_at": [at - pd.Timedelta(days=1)],
                "detected_at": [at],
                "mitigated_at": [at],
                "resolved_at": empty,
            }
        ),
        "alerts": pd.DataFrame(
            {
                "fired_at": [at],
                "resolved_at": empty,
                "service_name": ["shop"],
                "alert_name": ["burn"],
                "severity": ["page"],
            }
        ),
        "metrics": pd.DataFrame(
            {
                "timestamp": [at, at + pd.Timedelta(minutes=30)],
                "service_name": ["shop", "shop"],
                "metric_name": ["process.cpu.utilization"] * 2,
                "unit": ["1", "1"],
                "value": [0.2, 0.6],
                "limit_value": [1.0, 1.0],
            }
        ),
    }


def test_what_goes_with_the_requests(make_workspace, request_log):
    sk = make_workspace(TEAMS, requests=request_log(*ROWS), **companions())
    assert sk.deployments("2026-W44")["deployment_id"].to_list() == ["shop-2", "mail-7"]
    assert sk.deployments("2026-10-27")["deployment_id"].to_list() == ["shop-2"]
    assert sk.deployments("2026-W44", service="mail")["service_version"].to_list() == ["7"]
    assert sk.deployments("2026-W44", team="sales")["service_name"].to_list() == ["shop"]
    assert sk.incidents("2026-10-26")["incident_id"].to_list() == ["INC-1"]  # begins on that day in Tokyo
    assert sk.incidents("2026-10-25")["incident_id"].to_list() == []
    assert sk.alerts("2026-10-27", team="sales")["alert_name"].to_list() == ["burn"]
    assert sk.alerts("2026-10-27", service="mail")["alert_name"].to_list() == []
    metrics = sk.metrics("2026-10-27")
    assert metrics[["sample_count", "mean_value", "max_value", "limit_value"]].to_numpy().tolist() == [
        [2, pytest.approx(0.4), 0.6, 1.0]
    ]


def test_sql_reads_the_contracts_tables_with_named_parameters(sk):
    frame = sk.sql("SELECT count(*) AS n FROM requests WHERE http_response_status_code >= $least", least=400)
    assert frame["n"].to_list() == [2]
    sk.window("2026-10-27")
    # Two UTC days touch the local one; the small tables hold whole UTC days, so one request more on either side.
    assert sk.sql("SELECT sum(request_count)::BIGINT AS n FROM minute_counts")["n"].to_list() == [7]
    assert sk.sql("SELECT count(*) AS n FROM deployments")["n"].to_list() == [0]


def test_a_team_with_a_warehouse_of_its_own(make_workspace, request_log, tmp_path):
    elsewhere = request_log(("2026-10-27T01:00:00Z", "shop", "GET", "/items", 200, 0.1))
    elsewhere.to_parquet(tmp_path / "own.parquet")
    sk = make_workspace(
        {
            **TEAMS,
            "teams/sales.yaml": TEAMS["teams/sales.yaml"] + "warehouse: own\n",
            "warehouses/own.yaml": "engine: duckdb\ntables:\n  requests: {path: own.parquet}\n",
            "slos/items.yaml": SLO,
        },
        requests=request_log(*ROWS),
    )
    assert sk.requests("2026-10-27", team="sales")["request_count"].to_list() == [1]
    assert sk.requests("2026-10-27", team="post")["request_count"].to_list() == [1, 1]
    assert sk.requests("2026-10-27", service="shop")["request_count"].to_list() == [3, 1]
    assert sk.slo_status("2026-W44").set_index("team")["valid_count"].to_dict() == {"post": 5, "sales": 1}
    # A warehouse that is chosen by hand is for all.
    chosen = shokubai.open(tmp_path / "parameters", warehouse="main")
    assert chosen.requests("2026-10-27", team="sales")["request_count"].to_list() == [3]
    assert chosen.team_week("sales", "2026-W44").tables.name == "main"


@pytest.mark.parametrize(("by", "moment"), [("hour", "hour"), ("day", "day"), (["route", "hour"], "hour")])
def test_compare_refuses_hours_and_days_which_no_two_windows_share(sk, by, moment):
    with pytest.raises(UsageError, match=rf"no {moment} lies in both windows; compare by 'service' or 'route'"):
        sk.compare("2026-10-26", "2026-10-27", by=by)


RUN = "team_notebooks: [weekly_team_report]\nwarehouse: {}\n"


def test_the_warehouse_is_that_of_the_run(make_workspace, request_log):
    other = 'engine: duckdb\ntables: {requests: {path: "{outputs}/other.parquet"}}\n'
    texts = {
        "warehouses/other.yaml": other,
        "runs/another.yaml": RUN.format("other"),
        "teams/post.yaml": TEAMS["teams/post.yaml"] + "warehouse: other\n",
    }
    opened = make_workspace({**TEAMS, **texts}, requests=request_log(*ROWS))
    assert opened.tables.name == "main"  # of weekly, although another comes before it
    request_log(*ROWS).to_parquet(opened.outputs / "other.parquet")
    directory = opened.parameters.directory
    assert shokubai.open(directory, run="another").tables.name == "other"
    assert shokubai.open(directory, run="weekly").team_week("post", "2026-W44").tables.name == "other"
    assert shokubai.open(directory, warehouse="main").team_week("post", "2026-W44").tables.name == "main"
    with pytest.raises(UsageError, match="did you mean 'weekly'"):
        shokubai.open(directory, run="weekley")
    (directory / "runs" / "weekly.yaml").unlink()
    assert shokubai.open(directory).tables.name == "other"
