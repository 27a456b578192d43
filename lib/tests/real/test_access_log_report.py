"""elastic/examples' Apache log, from the file to the page."""

import json

import pytest

pytestmark = [pytest.mark.real_data, pytest.mark.notebooks]

# As its publishers count them.
STATUSES = {200: 9126, 404: 213, 304: 445, 301: 164, 206: 45, 500: 3, 403: 2, 416: 2}


@pytest.fixture(scope="module")
def log(real_data):
    return real_data / "access_logs" / "apache_logs.log"


@pytest.fixture(scope="module")
def project(make_project, log):
    project = make_project()
    printed = project.run("import", "access-log", str(log), "--service", "web")
    assert "10,000 lines read: 10,000 parsed (1 of them repaired), 0 rejected" in printed
    return project


@pytest.fixture(scope="module")
def first_week(project):
    return project.report("web", "2015-W20")


@pytest.fixture(scope="module")
def report(project, first_week):
    return project.report("web", "2015-W21")


def test_every_response_is_in_one_of_the_two_weeks(first_week, report):
    found = {}
    for row in first_week.facts["statuses"] + report.facts["statuses"]:
        assert row["service_name"] == "web"
        status = row["http_response_status_code"]
        found[status] = found.get(status, 0) + row["request_count"]
    assert found == STATUSES
    for words in ("Responses of the week by status", "500 Internal Server Error", "404 Not Found"):
        assert words in report.page


def test_three_of_ten_thousand_failed(report):
    (slo,) = report.facts["slos"]
    assert (slo["indicator"], slo["valid_count"], slo["bad_count"]) == ("availability", 10_000, 3)
    assert slo["sli_ratio"] == 0.9997
    assert "99.97%" in report.page
    # The log of the week's 8,368 requests, each of them counted, also in the hour in which the log ends.
    assert report.facts["services"][0]["request_count"] == 8368
    assert "web: 3 of 8,368 requests failed" in report.page


def test_why_there_is_no_verdict_is_said_in_plain_words(report):
    (slo,) = report.facts["slos"]
    assert (slo["verdict"], slo["reason"]) == ("not_enough_data", "incomplete")
    first_screen, heading, _ = report.page.partition(">Error budget</h2>")
    assert heading
    for words in (
        "Data of web is complete only through Wed 20 May 21:06.",
        "Too much of the window is missing from the data to judge.",
        "of the 28 days are missing from the data.",
        "The log of web ends on Wed 20 May 21:06",
    ):
        assert words in first_screen
    # No peak of a burn rate is claimed for days after the log's end.
    assert all(burn["peak_at"] < "2015-05-20T21:07" for burn in slo["burn_rates"])


def test_there_is_no_latency_and_nothing_to_compare_with(report):
    assert "The log of web has no latency." in report.page
    assert all(route["p95_seconds"] is None for route in report.facts["routes"])
    assert report.facts["comparable_week"] is None
    assert "Busiest routes of the week" in report.page
    assert not [figure for figure in report.figures if "p95" in json.dumps(figure)]


def test_no_client_of_the_log_is_in_anything_that_was_made(project, log, report):
    clients = {line.split(" ", 1)[0] for line in log.read_text(encoding="utf-8").splitlines()}
    assert len(clients) == 1753
    outputs = project.folder / "outputs"
    made = [
        path
        for path in outputs.rglob("*")
        if path.suffix in {".html", ".ipynb", ".json"} and "requests" not in path.relative_to(outputs).parts
    ]
    assert {path.name for path in made} >= {
        "index.html",
        "weekly_team_report.html",
        "weekly_team_report.ipynb",
        "weekly_team_report.facts.json",
    }
    for path in made:
        text = path.read_text(encoding="utf-8")
        assert not {client for client in clients if client in text}


def test_a_japanese_team_reads_the_same(project, report):
    project.edit("teams/web.yaml", "language: en", "language: ja")
    japanese = project.report("web", "2015-W21")
    assert 'lang="ja"' in japanese.html
    for words in (
        "web のログにはレイテンシーがありません。",
        "web のデータは 5月20日(水) 21:06 までしか揃っていません。",
        "期間のうちデータのない部分が大きく、判定できません。",
        "28日のうち4日",
        "今週の応答のステータス",
    ):
        assert words in japanese.page
    assert japanese.facts["slos"] == report.facts["slos"]
