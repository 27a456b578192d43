"""The reports on the demo organisation say what is true of it, and nothing alarming besides."""

import re
import shutil
from datetime import date, datetime, timedelta
from os import link

import duckdb
import pandas as pd
import pytest

from shokubai import demo, workspace
from shokubai.core.scrub import scrub_route
from shokubai.core.windows import Week, Window
from shokubai.page import WeeklyTeamReport
from shokubai.page.facts import weekly_facts

TEAMS = (
    "approval",
    "archive",
    "billing",
    "identity",
    "intake",
    "issuing",
    "matching",
    "messaging",
    "operations",
    "partner",
    "recognition",
    "search",
)
WEEKS = ("2026-W43", "2026-W44")
PERCENTILES = ("p50_seconds", "p95_seconds", "p99_seconds")
NUMBERS = ("request_count", "error_count", *PERCENTILES)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

every_report = pytest.mark.parametrize(("team", "week"), [(t, w) for w in WEEKS for t in TEAMS])


def instant(text):
    return datetime.fromisoformat(text)


def test_all_teams_are_looked_at(truth, parameters):
    assert set(TEAMS) == set(parameters.teams) == set(truth["weeks"]["2026-W44"])
    assert len(TEAMS) == 12


# --- counts and percentiles ------------------------------------------------------------------------------------


@every_report
def test_objectives_are_counted_exactly(truth, demo_facts, team, week):
    stated = {slo["name"]: slo for slo in demo_facts(team, week)["slos"]}
    counted = truth["weeks"][week][team]["slos"]
    assert stated.keys() == counted.keys() != set()
    for name, slo in counted.items():
        window = stated[name]["window"]
        assert (instant(window["start"]), instant(window["end"])) == (
            instant(slo["window"]["start"]),
            instant(slo["window"]["end"]),
        ), name
        assert stated[name]["unit"] == slo["unit"], name
        assert stated[name]["valid_count"] == slo["valid_count"], name
        # A sum of ratios depends on the order of summing in its last digits; counts do not.
        tolerance = 1e-12 if stated[name]["budgeting_method"] == "RatioTimeslices" else 0
        assert stated[name]["good_count"] == pytest.approx(slo["good_count"], rel=tolerance, abs=0), name


@every_report
def test_the_parts_of_a_budget_sum_to_exactly_what_was_spent(demo_facts, team, week):
    facts = demo_facts(team, week)
    for slo in [*facts["slos"], *facts["closed_slos"]]:
        parts = slo["budget"]["parts"]
        assert sum(part["spent_count"] for part in parts) == slo["budget"]["spent_count"] == slo["bad_count"]
        assert sum(part["spent_count"] for part in reversed(parts)) == slo["budget"]["spent_count"]
        assert bool(parts) == (slo["bad_count"] > 0), slo["name"]
        assert {part["kind"] for part in parts[:-1]} <= {"slow" if slo["indicator"] == "latency" else "error"}
        if slo["unit"] == "requests":
            assert sum(part["bad_request_count"] for part in parts) == slo["bad_count"]
        largest = [part["spent_count"] for part in parts if part["kind"] != "rest"]
        assert largest == sorted(largest, reverse=True)


def test_a_budget_taken_apart_is_what_the_log_says(demo_workspace, demo_outputs):
    """The failures of invoice issuing, counted in the log by route, status and the deployment before them."""
    week = demo_workspace.team_week("issuing", "2026-W44")
    (status,) = (s for s in week.statuses if s.slo.name == "invoice-detail-availability")
    counted = duckdb.sql(
        "SELECT http_request_method, http_route, http_response_status_code, epoch_us(d.deployed_at), count(*) "
        "FROM (SELECT *, date_trunc('minute', timestamp) AS minute FROM read_parquet($log)) AS requests "
        "ASOF LEFT JOIN (FROM read_parquet($deployments) WHERE service_name = 'invoice-api') AS d "
        "ON d.deployed_at <= minute "
        "WHERE requests.service_name = 'invoice-api' AND http_route = '/v1/invoices/{invoice_id}' "
        "AND http_request_method = 'GET' AND http_response_status_code BETWEEN 500 AND 599 "
        "AND timestamp >= $start AND timestamp < $end GROUP BY ALL",
        params={
            "log": str(demo_outputs / "demo/requests/*/*.parquet"),
            "deployments": str(demo_outputs / "demo/deployments.parquet"),
            "start": status.window.start,
            "end": status.window.end,
        },
    ).fetchall()
    parts = week.budget_parts[status.slo.name]
    columns = ["http_request_method", "http_route", "http_response_status_code", "deployed_at", "spent_count"]
    known = parts[columns].assign(deployed_at=parts["deployed_at"].astype("int64"))
    stated = list(known.itertuples(index=False, name=None))
    assert set(parts["deployment_window"]) == {"after"}
    assert sorted(stated) == sorted(counted)
    assert len(counted) > 3


def test_a_month_that_ended_inside_the_week_has_its_own_verdict(demo_facts, demo_outputs, parameters):
    (closed,) = demo_facts("matching", "2026-W44")["closed_slos"]
    assert (closed["window"]["start"], closed["window"]["end"]) == ("2026-09-30T15:00:00Z", "2026-10-31T15:00:00Z")
    log = str(demo_outputs / "demo/requests/*/*.parquet")
    service = parameters.slos[closed["name"]].service
    october = duckdb.sql(
        "SELECT count(*) FILTER (http_response_status_code BETWEEN 100 AND 599), "
        "count(*) FILTER (http_response_status_code BETWEEN 100 AND 499) FROM read_parquet($log) "
        "WHERE service_name = $service AND timestamp >= TIMESTAMPTZ '2026-10-01 00:00:00+09' "
        "AND timestamp < TIMESTAMPTZ '2026-11-01 00:00:00+09'",
        params={"log": log, "service": service},
    ).fetchall()
    assert [(closed["valid_count"], closed["good_count"])] == october
    assert demo_facts("matching", "2026-W43")["closed_slos"] == []


def test_every_kind_of_objective_is_among_them(truth, demo_facts):
    slos = [slo for team in TEAMS for slo in demo_facts(team, "2026-W44")["slos"]]
    assert {slo["budgeting_method"] for slo in slos} == {"Occurrences", "Timeslices", "RatioTimeslices"}
    assert {slo["indicator"] for slo in slos} == {"availability", "latency"}
    assert {"7d", "28d", "1M"} <= {slo["window"]["duration"] for slo in slos}
    assert {slo["window"]["is_rolling"] for slo in slos} == {True, False}


def by_name(routes):
    """The truth's routes under the names that reports know them by."""
    named = {}
    for route in routes:
        named.setdefault((route["service"], route["method"], scrub_route(route["route"])), []).append(route)
    return named


def same_numbers(stated, counted, about):
    assert stated["request_count"] == sum(r["requests"] for r in counted), about
    assert stated["error_count"] == sum(r["errors"] for r in counted), about
    if len(counted) == 1:  # percentiles of raw paths that became one route cannot be told from those of each
        for name in PERCENTILES:
            assert stated[name] == pytest.approx(counted[0][name], rel=0.01), (about, name)


@every_report
def test_routes_are_counted_exactly_and_percentiles_within_one_percent(truth, demo_facts, team, week):
    counted = by_name(truth["weeks"][week][team]["routes"])
    stated = {
        (r["service_name"], r["http_request_method"], r["http_route"]): r for r in demo_facts(team, week)["routes"]
    }
    assert {name for name, route in stated.items() if route["request_count"]} == counted.keys()
    for name, routes in counted.items():
        same_numbers(stated[name], routes, name)


@pytest.mark.parametrize("team", TEAMS)
def test_the_comparable_week_is_counted_exactly(truth, demo_facts, team):
    facts = demo_facts(team, "2026-W44")
    assert facts["comparable_week"] == "2026-W43"
    counted = by_name(truth["weeks"]["2026-W44"][team]["previous_routes"])
    stated = {(r["service_name"], r["http_request_method"], r["http_route"]): r for r in facts["routes"]}
    assert {name for name, route in stated.items() if route["comparable"]["request_count"]} == counted.keys()
    for name, routes in counted.items():
        same_numbers(stated[name]["comparable"], routes, name)


# The business days of the week of Oct 26 and those of September and October that stand at the same place in their
# month: Oct 26-30 are the fifth to the last but none, and Sep 24, 25, 28, 29, 30 are (22 and 23 are holidays).
LAST_MONTH = {
    "2026-10-26": "2026-09-24",
    "2026-10-27": "2026-09-25",
    "2026-10-28": "2026-09-28",
    "2026-10-29": "2026-09-29",
    "2026-10-30": "2026-09-30",
    "2026-10-31": "2026-10-03",
    "2026-11-01": "2026-10-04",
}


def test_last_month_is_counted_exactly(demo_outputs, demo_facts):
    facts = demo_facts("search", "2026-W44")
    assert {pair["day"]: pair["compared_with"] for pair in facts["last_month_days"]} == LAST_MONTH
    path = demo_outputs / "demo" / "requests" / "*" / "*.parquet"
    rows = duckdb.sql(
        f"""
        SELECT http_request_method, http_route, count(*),
            count(*) FILTER (http_response_status_code BETWEEN 500 AND 599),
            list_sort(list(duration_seconds) FILTER (duration_seconds IS NOT NULL))
                [1 + floor(0.95 * (count(duration_seconds) - 1))::BIGINT]
        FROM read_parquet('{path}', hive_partitioning = false)
        WHERE service_name = 'search-api'
            AND strftime(timezone('Asia/Tokyo', timestamp), '%Y-%m-%d') IN {tuple(LAST_MONTH.values())}
        GROUP BY ALL
        """
    ).fetchall()
    stated = {(r["http_request_method"], r["http_route"]): r["last_month"] for r in facts["routes"]}
    assert stated.keys() == {(method, route) for method, route, *_ in rows} != set()
    for method, route, requests, errors, p95 in rows:
        about = stated[method, route]
        assert (about["request_count"], about["error_count"]) == (requests, errors)
        assert about["p95_seconds"] == pytest.approx(p95, rel=0.01)


@pytest.mark.parametrize("team", TEAMS)
def test_services_count_shared_routes_too(truth, demo_facts, team):
    of_all = [route for other in truth["weeks"]["2026-W44"].values() for route in other["routes"]]
    for service in demo_facts(team, "2026-W44")["services"]:
        mine = [route for route in of_all if route["service"] == service["service_name"]]
        assert service["request_count"] == sum(route["requests"] for route in mine) > 0
        assert service["error_count"] == sum(route["errors"] for route in mine)
        assert service["duration_count"] == sum(route["duration_count"] for route in mine)


# --- planted events --------------------------------------------------------------------------------------------


@pytest.fixture
def event(truth):
    def named(name):
        (found,) = (e for e in truth["events"] if e["name"] == name)
        return found

    return named


def findings_of(facts, rule):
    return [finding for finding in facts["findings"] if finding["rule"] == rule]


def the_finding(facts, rule, **values):
    matching = [f for f in findings_of(facts, rule) if all(f[name] == value for name, value in values.items())]
    assert len(matching) == 1, [f["id"] for f in facts["findings"]]
    return matching[0]


def the_silence(facts):
    (silence,) = facts["silences"]
    return silence, Window(instant(silence["started_at"]), instant(silence["ended_at"]))


def spans(event):
    return instant(event["start"]), instant(event["end"])


OUTAGES = [
    ("intake-outage", "intake", "2026-W42", "upload-availability"),
    ("intake-outage", "recognition", "2026-W42", "recognition-availability"),
    ("auth-outage", "identity", "2026-W44", "auth-availability"),
]


@pytest.mark.parametrize(("name", "team", "week", "slo"), OUTAGES)
def test_an_outage_is_told_to_the_minute_with_the_deployment_before_it(event, demo_facts, name, team, week, slo):
    planted = event(name)
    start, end = spans(planted)
    assert planted["weeks"] == [week]
    told = the_finding(demo_facts(team, week), "outage")
    assert told["severity"] == "critical"
    assert told["subject"].startswith(f"{slo}@")
    assert abs(instant(told["started_at"]) - start) <= 2 * MINUTE
    assert abs(instant(told["ended_at"]) - end) <= 2 * MINUTE
    assert f"{planted['service']}-{told['candidate']['identifier']}" == planted["deployment_id"]
    assert told["numbers"]["bad_ratio"] > 0.5


def test_every_outage_is_looked_for_in_every_team_it_belongs_to(truth):
    planted = {(e["name"], team) for e in truth["events"] if e["kind"] == "outage" for team in e["teams"]}
    assert planted == {(name, team) for name, team, _, _ in OUTAGES}


def test_the_outage_of_this_week_overspends_its_objective(demo_facts):
    (slo,) = (s for s in demo_facts("identity", "2026-W44")["slos"] if s["name"] == "auth-availability")
    assert slo["verdict"] == "missed"
    assert slo["budget"]["left_ratio"] < 0


def test_a_latency_regression_is_found_on_its_route_alone(event, demo_facts):
    planted = event("search-regression")
    start, _ = spans(planted)
    facts = demo_facts("search", "2026-W44")
    (told,) = findings_of(facts, "route_slower")
    assert (told["service"], told["method"], told["route"]) == ("search-api", planted["method"], planted["route"])
    assert abs(instant(told["started_at"]) - start) <= HOUR
    assert f"search-api-{told['candidate']['identifier']}" == planted["deployment_id"]
    assert 1.5 < told["numbers"]["change_factor"] < 2.5  # planted: twice, from Tuesday afternoon on
    (slo,) = (s for s in facts["slos"] if s["name"] == "search-latency")
    assert slo["verdict"] == "missed"


def test_a_memory_leak_is_told_with_the_day_it_ends(event, demo_facts):
    planted = event("archive-leak")
    start, end = spans(planted)
    told = the_finding(demo_facts("archive", "2026-W44"), "saturation", case="will_hit")
    assert told["subject"] == "process.memory.usage"
    # From 40 % to 95 % of the limit in the planted time: 5 % are left to rise at that pace.
    expected = end + (end - start) * (0.05 / 0.55)
    assert abs(instant(told["ended_at"]) - expected) <= timedelta(days=1)


def test_a_retry_storm_is_told_on_its_route(event, demo_facts):
    planted = event("approval-storm")
    start, end = spans(planted)
    facts = demo_facts("approval", "2026-W44")
    told = the_finding(facts, "retry_storm")
    assert (told["method"], told["route"]) == (planted["method"], planted["route"])
    assert instant(told["started_at"]) <= start < end <= instant(told["ended_at"])
    assert instant(told["ended_at"]) - instant(told["started_at"]) <= HOUR
    assert not findings_of(facts, "route_failing")  # the storm says it already


@pytest.mark.parametrize(
    ("team", "rule", "shows"),
    [
        ("approval", "retry_storm", "http_response_status_code = 503"),
        ("search", "route_slower", "duration_seconds > 0.4"),  # its median was 0.22 s before
    ],
)
def test_the_traces_of_a_finding_are_of_requests_that_show_it(demo_facts, demo_outputs, team, rule, shows):
    (told,) = findings_of(demo_facts(team, "2026-W44"), rule)
    assert len(told["trace_ids"]) == 3
    assert f"-- @route = {told['route']!r}\n" in told["query"]
    [(count,)] = duckdb.sql(
        f"SELECT count(*) FROM read_parquet($log) WHERE trace_id IN $traces AND http_route = $route AND {shows}",
        params={
            "log": str(demo_outputs / "demo/requests/*/*.parquet"),
            "traces": told["trace_ids"],
            "route": told["route"],
        },
    ).fetchall()
    assert count == 3


def test_what_a_fix_would_have_saved_is_what_the_objective_lost(demo_facts):
    """The slow burn is the only trouble of its route: nearly all of its failures are above the reference."""
    facts = demo_facts("issuing", "2026-W44")
    for told in findings_of(facts, "route_failing"):
        (gain,) = (g for g in told["gains"] if g["slo"] == "invoice-detail-availability")
        (slo,) = (s for s in facts["slos"] if s["name"] == "invoice-detail-availability")
        assert 0.5 * slo["bad_count"] < gain["bad_count"] <= slo["bad_count"]
        assert gain["budget_ratio"] == pytest.approx(gain["bad_count"] / slo["budget"]["allowed_count"])
    (slower,) = findings_of(demo_facts("search", "2026-W44"), "route_slower")
    assert slower["numbers"]["gain_budget_ratio"] == slower["gains"][0]["budget_ratio"] > 1


def test_a_queue_that_lags_is_told(event, demo_facts):
    start, end = spans(event("outbox-lag"))
    told = the_finding(demo_facts("messaging", "2026-W44"), "queue_age")
    assert told["subject"] == "queue.oldest_message.age"
    assert start <= instant(told["started_at"]) < instant(told["ended_at"]) <= end + HOUR
    assert told["numbers"]["peak_seconds"] == pytest.approx(1500, rel=0.05)
    assert told["numbers"]["limit_seconds"] == 300


def test_late_data_is_late_and_not_a_zero(event, demo_facts):
    start, end = spans(event("partner-late"))
    facts = demo_facts("partner", "2026-W44")
    silence, span = the_silence(facts)
    assert silence["kind"] == "late"
    assert start <= span.start <= start + 15 * MINUTE
    assert span.end == end
    assert instant(facts["data_complete_through"]) == span.start
    assert the_finding(facts, "data_gap")["case"] == "late"
    assert facts["services"][0]["completeness_ratio"] == pytest.approx(1 - 7 / (7 * 24), abs=0.002)


def test_a_telemetry_gap_is_no_outage(event, demo_facts):
    start, end = spans(event("intake-gap"))
    for team in ("intake", "recognition"):
        facts = demo_facts(team, "2026-W44")
        silence, span = the_silence(facts)
        assert silence["kind"] == "telemetry_gap"
        assert abs(span.start - start) <= 15 * MINUTE
        assert abs(span.end - end) <= 15 * MINUTE
        assert the_finding(facts, "data_gap")["case"] == "telemetry_gap"
        assert not findings_of(facts, "outage")
        assert instant(facts["data_complete_through"]) == instant(facts["window"]["end"])


def test_a_weekend_without_users_is_no_gap(event, demo_facts):
    start, end = spans(event("console-weekend"))
    facts = demo_facts("operations", "2026-W44")
    silence, span = the_silence(facts)
    assert silence["kind"] == "zero_traffic"
    common = span.intersection(Window(start, end))
    assert common is not None
    assert common.duration >= 0.95 * (end - start)
    assert facts["services"][0]["completeness_ratio"] == 1.0
    assert instant(facts["data_complete_through"]) == instant(facts["window"]["end"])
    assert {f["severity"] for f in facts["findings"]} == {"notice"}


def test_a_slow_burn_misses_its_objective_and_names_its_route(event, demo_facts):
    planted = event("detail-slow-burn")
    facts = demo_facts("issuing", "2026-W44")
    (slo,) = (s for s in facts["slos"] if s["name"] == "invoice-detail-availability")
    assert slo["verdict"] == "missed"
    assert the_finding(facts, "budget", subject="invoice-detail-availability")["case"] == "exhausted"
    worst = max(facts["routes"], key=lambda r: r["budget_spent_ratio"] or 0)
    assert (worst["http_request_method"], worst["http_route"]) == (planted["method"], planted["route"])


def test_the_month_end_is_only_the_calendar(event, demo_facts):
    start, end = spans(event("october-month-end"))
    facts = demo_facts("matching", "2026-W44")
    (told,) = facts["findings"]
    assert (told["rule"], told["case"], told["severity"]) == ("traffic", "month_turn", "notice")
    assert (instant(told["started_at"]), instant(told["ended_at"])) == (start, end)
    assert told["numbers"]["change_factor"] >= 1.5
    assert {slo["verdict"] for slo in facts["slos"]} <= {"met", "not_enough_data"}


@pytest.mark.parametrize("team", TEAMS)
def test_nobodys_month_end_is_a_regression(truth, demo_facts, team):
    """All of Tokyo's services see the peak; slower and failing routes are only those that were planted."""
    facts = demo_facts(team, "2026-W44")
    worse = {(f["rule"], f["method"], f["route"]) for f in facts["findings"] if f["rule"].startswith("route_")}
    expected = {
        "search": {("route_slower", "GET", "/v1/search")},
        "issuing": {("route_failing", "GET", "/v1/invoices/{invoice_id}")},
    }
    assert worse <= expected.get(team, set())


# Which findings an event explains: itself, and what follows from it.
EXPLAINS = {
    "outage": {"outage", "budget", "route_failing"},
    "latency_regression": {"route_slower", "budget", "outage"},
    "memory_leak": {"saturation"},
    "late_data": {"data_gap"},
    "telemetry_gap": {"data_gap"},
    "retry_storm": {"retry_storm", "outage", "budget"},
    "queue_lag": {"queue_age"},
    "slow_burn": {"budget", "route_failing", "outage"},
}
BUDGET_DAYS = timedelta(days=28)


def explains(event, team, finding, end):
    start, until = spans(event)
    if team not in event["teams"] or event["service"] != finding["service"]:
        return False
    if finding["rule"] not in EXPLAINS.get(event["kind"], ()) or start >= end or until <= end - BUDGET_DAYS:
        return False
    if finding["route"] and (finding["method"], finding["route"]) != (event["method"], event["route"]):
        return False
    if finding["rule"] in ("outage", "retry_storm", "queue_age", "data_gap"):
        began = instant(finding["started_at"])
        return start - HOUR <= began <= until
    return True


@every_report
def test_nothing_alarms_that_was_not_planted(truth, demo_facts, team, week):
    facts = demo_facts(team, week)
    end = instant(facts["window"]["end"])
    for finding in facts["findings"]:
        if finding["severity"] in ("critical", "warning"):
            assert any(explains(event, team, finding, end) for event in truth["events"]), finding["id"]


# --- personal data and markup ----------------------------------------------------------------------------------

EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|2001:db8:[0-9a-f:]+")


@pytest.fixture(scope="module")
def personal(demo_outputs):
    """The e-mail and IP addresses in the raw data of the archive service."""
    folder = demo_outputs / "demo"
    texts = duckdb.sql(
        f"""
        SELECT DISTINCT http_route FROM read_parquet('{folder}/requests/*/*.parquet', hive_partitioning = false)
        WHERE service_name = 'archive'
        UNION SELECT title FROM '{folder}/incidents.parquet' WHERE service_name = 'archive'
        UNION SELECT description FROM '{folder}/deployments.parquet' WHERE service_name = 'archive'
        """
    ).fetchall()
    found = {match for (text,) in texts for pattern in (EMAIL, ADDRESS) for match in pattern.findall(text)}
    assert sum("@" in text for text in found) >= 3
    assert sum("@" not in text for text in found) >= 2
    return found


def test_untrusted_text_is_scrubbed_and_escaped(demo_workspace, personal, as_html):
    html = as_html(WeeklyTeamReport(demo_workspace.team_week("archive", "2026-W44")))
    assert [text for text in personal if text in html] == []
    assert "[email]" in html and "[ip]" in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_facts_hold_no_personal_data(truth, demo_facts, personal):
    for week in WEEKS:
        text = str(demo_facts("archive", week))
        assert [found for found in personal if found in text] == []


# --- late rows that arrive -------------------------------------------------------------------------------------


def test_late_rows_are_counted_when_they_arrive(demo_outputs, parameters, tmp_path, demo_facts):
    folder = tmp_path / "demo"
    shutil.copytree(demo_outputs / "demo", folder, copy_function=link)
    week = Week(2026, 44)
    before = workspace.open(parameters.directory, tmp_path)
    needed = before.team_week("partner", week).needed
    assert date(2026, 11, 1) in before.tables.covered_days()
    late = list((folder / "late" / "requests").glob("*/*.parquet"))
    assert [path.parent.name for path in late] == ["day=2026-11-01"]
    shutil.copy(late[0], folder / "requests" / "day=2026-11-01" / "part-1.parquet")

    opened = workspace.open(parameters.directory, tmp_path)
    assert opened.tables.build(needed).days_scanned == (date(2026, 11, 1),)
    facts = weekly_facts(opened.team_week("partner", week))
    counted = demo.count_weeks(folder, parameters, weeks=[week])["2026-W44"]["partner"]
    for slo in facts["slos"]:
        expected = counted["slos"][slo["name"]]
        assert (slo["valid_count"], slo["good_count"]) == (expected["valid_count"], expected["good_count"])
    stated = {r["http_route"]: r for r in facts["routes"] if r["request_count"]}
    assert stated.keys() == {route["route"] for route in counted["routes"]}

    arrived = pd.read_parquet(late[0])
    old = demo_facts("partner", "2026-W44")
    (now,), (then,) = facts["services"], old["services"]
    assert now["request_count"] == then["request_count"] + len(arrived) > then["request_count"]
    assert facts["silences"] == []
    assert instant(facts["data_complete_through"]) == instant(facts["window"]["end"])
    assert not findings_of(facts, "data_gap")
