"""The page of teams whose data lacks something: it says so, and shows what there is."""

import json
from importlib.resources import files

import jsonschema
import pandas as pd
import pytest

from shokubai.page import WeeklyTeamReport

TEAM = {"teams/sales.yaml": "name: {en: Sales, ja: 販売}\nlanguage: en\nowns: [{service: shop}]\n"}
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-availability}
spec:
  service: shop
  indicator:
    metadata: {name: shop-availability}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: shokubai, spec: {requests: successful}}}
        total: {metricSource: {type: shokubai, spec: {requests: all}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-latency}
spec:
  service: shop
  indicator:
    metadata: {name: shop-latency}
    spec:
      thresholdMetric: {metricSource: {type: shokubai, spec: {column: duration_seconds}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{op: lte, value: 1.0, target: 0.99}]
"""


def log(first, end, *, seconds=0.1, status=200, service="shop"):
    """A request every ten minutes."""
    instants = pd.date_range(first, end, freq="10min", unit="us", inclusive="left")
    return pd.DataFrame(
        {
            "timestamp": instants,
            "service_name": pd.Series([service] * len(instants), dtype="str"),
            "http_request_method": pd.Series(["GET"] * len(instants), dtype="str"),
            "http_route": pd.Series(["/items"] * len(instants), dtype="str"),
            "http_response_status_code": pd.array([status] * len(instants), dtype="Int64"),
            "duration_seconds": pd.Series([seconds] * len(instants), dtype="float64"),
        }
    )


@pytest.fixture(scope="module")
def is_valid():
    schema = json.loads(files("shokubai.page").joinpath("facts.schema.json").read_text(encoding="utf-8"))
    return lambda facts: jsonschema.validate(facts, schema) is None


@pytest.fixture
def report_of(make_workspace):
    def make(parameters, frame, **companions):
        sk = make_workspace({**TEAM, **parameters}, requests=frame, **companions)
        return WeeklyTeamReport(sk.team_week("sales", "2026-W44"))

    return make


def test_no_data(report_of, as_html, is_valid):
    page = report_of({"slos/shop.yaml": SLO}, log("2026-10-26T00:00Z", "2026-10-27T00:00Z", service="other"))
    assert "There is no data for this week." in as_html(page)
    for section in (page.verdict, page.budget, page.burn, page.traffic, page.errors, page.latency, page.routes):
        assert section().exhibits == ()
    facts = page.record().facts
    assert is_valid(facts)
    assert facts["status"] == "no_data"
    assert facts["data_complete_through"] is None
    assert facts["slos"] == facts["routes"] == facts["findings"] == facts["services"] == []


def test_an_empty_log(report_of, as_html, is_valid):
    page = report_of({"slos/shop.yaml": SLO}, log("2026-10-26T00:00Z", "2026-10-26T00:00Z"))
    assert "There is no data for this week." in as_html(page)
    assert is_valid(page.record().facts)


def test_a_log_without_latency(report_of, as_html, is_valid):
    page = report_of({"slos/shop.yaml": SLO}, log("2026-09-28T00:00Z", "2026-11-01T15:00Z", seconds=None))
    html = as_html(page)
    assert "The log of shop has no latency." in html
    facts = page.record().facts
    assert is_valid(facts)
    slos = {slo["name"]: slo for slo in facts["slos"]}
    assert slos["shop-availability"]["verdict"] == "met"
    latency = slos["shop-latency"]
    assert (latency["verdict"], latency["reason"]) == ("not_enough_data", "no_traffic")
    assert latency["sli_ratio"] is None
    (route,) = facts["routes"]
    assert (route["request_count"], route["p50_seconds"]) == (7 * 24 * 6, None)


def test_a_log_with_latency_does_not_say_so(report_of, as_html):
    html = as_html(report_of({}, log("2026-09-28T00:00Z", "2026-11-01T15:00Z")))
    assert "has no latency" not in html


def test_a_log_without_statuses(report_of, as_html, is_valid):
    page = report_of({"slos/shop.yaml": SLO}, log("2026-09-28T00:00Z", "2026-11-01T15:00Z", status=None))
    assert "The log of shop has no status." in as_html(page)
    facts = page.record().facts
    assert is_valid(facts)
    assert facts["routes"][0]["error_count"] is None
    (status,) = facts["statuses"]
    assert (status["http_response_status_code"], status["request_count"]) == (None, 7 * 24 * 6)
    availability = next(slo for slo in facts["slos"] if slo["name"] == "shop-availability")
    assert (availability["valid_count"], availability["verdict"]) == (0, "not_enough_data")


def test_a_team_without_objectives(report_of, as_html, is_valid):
    page = report_of({}, log("2026-09-28T00:00Z", "2026-11-01T15:00Z"))
    html = as_html(page)
    assert "No objectives are defined for Sales." in html
    facts = page.record().facts
    assert is_valid(facts)
    assert facts["slos"] == facts["episodes"] == []
    assert facts["routes"][0]["request_count"] == 7 * 24 * 6


def test_a_week_that_the_log_holds_in_part(report_of, as_html, is_valid):
    page = report_of({"slos/shop.yaml": SLO}, log("2026-10-29T00:00Z", "2026-11-01T15:00Z"))
    html = as_html(page)
    assert "before the log begins" in html
    facts = page.record().facts
    assert is_valid(facts)
    assert facts["comparable_week"] is None
    assert facts["last_month_days"] == []
    (route,) = facts["routes"]
    assert route["comparable"] is route["last_month"] is None
    assert facts["findings"] == []


def test_a_report_in_japanese(make_workspace, as_html):
    team = {"teams/sales.yaml": TEAM["teams/sales.yaml"].replace("language: en", "language: ja")}
    sk = make_workspace({**team, "slos/shop.yaml": SLO}, requests=log("2026-09-28T00:00Z", "2026-11-01T15:00Z"))
    page = WeeklyTeamReport(sk.team_week("sales", "2026-W44"))
    read, found, _ = as_html(page).partition('id="facts"')
    assert found
    assert "販売" in read
    assert page.record().facts["headline"]["ja"] in read
    assert page.record().facts["headline"]["en"] not in read
