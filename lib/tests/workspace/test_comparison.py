"""This week beside what it is compared with, on logs whose every hour is known."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from shokubai.core import sketch
from shokubai.workspace import comparison

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")

ORGANIZATION = """\
name: {{en: Aoba, ja: あおば}}
vision: {{en: Catalyst}}
mission: {{en: Mechanisms}}
time_zone: {zone}
language: en
calendar: {{country: {country}}}
"""


def source(spec):
    return f"{{metricSource: {{type: shokubai, spec: {{{spec}}}}}}}"


def objective(name, *, target, routes, kind="availability", window="{duration: 28d, isRolling: true}"):
    """An OpenSLO document."""
    if kind == "availability":
        good, total = source("requests: successful"), source(f"requests: all, routes: {list(routes)}")
        metric = f"ratioMetric: {{counter: true, good: {good}, total: {total}}}"
        rule = f"{{target: {target}}}"
    else:
        metric = f"thresholdMetric: {source(f'column: duration_seconds, routes: {list(routes)}')}"
        rule = f"{{target: {target}, op: lte, value: 1.0}}"
    return f"""\
---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  indicator: {{metadata: {{name: {name}}}, spec: {{{metric}}}}}
  timeWindow: [{window}]
  budgetingMethod: Occurrences
  objectives: [{rule}]
"""


def office_hours(first, last):
    """A request in every minute from 09:00 to 17:00 UTC of each day."""
    minutes = pd.date_range(f"{first}T00:00Z", f"{last}T23:59Z", freq="min", unit="us")
    return minutes[(minutes.hour >= 9) & (minutes.hour < 17)]


def by_hour(frame):
    """One service's frame by hour, in UTC, as ``29T13``."""
    return frame.set_index(frame["hour"].dt.strftime("%dT%H"))


@pytest.fixture
def gap(make_workspace, shop, steady_log):
    """Week 44 with a gap on Wednesday from 10:00 to 12:20 UTC, and one in the week before on Thursday at 9."""
    instants = office_hours("2026-09-21", "2026-11-01")
    for start, end in (("2026-10-28T10:00Z", "2026-10-28T12:20Z"), ("2026-10-22T09:00Z", "2026-10-22T10:00Z")):
        instants = instants[(instants < start) | (instants >= end)]
    sk = make_workspace(shop, requests=steady_log(instants))
    return sk.team_week("sales", "2026-W44")


def test_a_gap_is_unknown_and_a_quiet_hour_is_zero(gap):
    hours = by_hour(comparison.hourly_traffic(gap))
    assert len(hours) == 7 * 24
    assert hours.loc["28T09", "request_count"] == 60
    assert hours.loc["28T03", "request_count"] == 0  # nobody comes at night
    assert hours.loc[["28T10", "28T11"], "request_count"].isna().all()
    # Of 12:00 to 13:00 less than half is missing: what was seen is shown.
    assert hours.loc["28T12", "request_count"] == 40
    assert hours["error_count"].isna().equals(hours["request_count"].isna())
    assert hours["request_count"].isna().sum() == 2


def test_the_comparable_week_lies_on_the_same_hours(gap):
    assert str(gap.comparable_week) == "2026-W43"
    hours = by_hour(comparison.hourly_traffic(gap))
    assert hours.loc["28T10", "comparable_request_count"] == 60
    assert hours.loc["28T03", "comparable_request_count"] == 0
    assert hours.loc["29T09", "request_count"] == 60
    assert pd.isna(hours.loc["29T09", "comparable_request_count"])  # the gap of the week before
    assert hours["comparable_request_count"].isna().sum() == 1


def test_past_hours_with_few_requests_are_no_measure_of_latency(make_workspace, shop, steady_log):
    instants = office_hours("2026-10-18", "2026-11-01")
    for start, end in (("2026-10-22T09:29Z", "2026-10-22T10:00Z"), ("2026-10-22T10:30Z", "2026-10-22T11:00Z")):
        instants = instants[(instants < start) | (instants >= end)]
    week = make_workspace(shop, requests=steady_log(instants)).team_week("sales", "2026-W44")
    hours = by_hour(comparison.hourly_latency(week))
    assert hours.loc["29T09", "duration_count"] == 60
    assert np.isnan(hours.loc["29T09", "comparable_p95_seconds"])  # of 29 requests
    assert hours.loc["29T10", "comparable_p95_seconds"] == pytest.approx(0.1, rel=sketch.RELATIVE_ERROR)  # of 30


def test_hours_of_a_gap(gap):
    hours = by_hour(comparison.hourly_completeness(gap))
    # Without metrics nobody knows why it was silent.
    assert hours.loc["28T08":"28T13", "state"].to_list() == [
        "quiet",
        "data",
        "unexplained",
        "unexplained",
        "data",
        "data",
    ]
    assert hours["state"].value_counts().to_dict() == {"quiet": 7 * 16, "data": 7 * 8 - 2, "unexplained": 2}
    assert hours.loc["28T12", "request_count"] == 40


def test_hours_before_the_log_begins_are_unknown(make_workspace, shop, steady_log):
    sk = make_workspace(shop, requests=steady_log(office_hours("2026-10-28", "2026-11-01")))
    week = sk.team_week("sales", "2026-W44")
    assert week.comparable is None
    assert week.last_month_days == ()
    traffic, states = by_hour(comparison.hourly_traffic(week)), by_hour(comparison.hourly_completeness(week))
    # The week begins on the 25th at 15:00 UTC, the log on the 28th at 9.
    assert traffic.loc[:"28T08", "request_count"].isna().all()
    assert len(traffic.loc[:"28T08"]) == 66
    assert set(states.loc[:"28T08", "state"]) == {"before_log"}
    assert traffic.loc["28T09", "request_count"] == 60
    assert traffic.loc["28T18", "request_count"] == 0
    assert states.loc["28T18", "state"] == "quiet"
    for past in ("comparable", "last_month"):
        assert traffic[f"{past}_request_count"].isna().all()
    latency = by_hour(comparison.hourly_latency(week))
    assert latency["comparable_p95_seconds"].isna().all()
    assert latency.loc["28T09", "p95_seconds"] == pytest.approx(0.1, rel=sketch.RELATIVE_ERROR)
    assert np.isnan(latency.loc["28T18", "p95_seconds"])
    changes = comparison.route_changes(week)
    assert changes["request_count"].to_list() == [4 * 480 + 360]  # the week ends on Sunday at 15:00 UTC
    assert changes["comparable_request_count"].isna().all()


def shifted(zone, *pairs):
    hours, moved_by = zip(*pairs, strict=True)
    frame = pd.DataFrame(
        {
            "hour": pd.DatetimeIndex(list(hours)).as_unit("us"),
            "moved_by": pd.to_timedelta(list(moved_by), unit="D").as_unit("us"),
        }
    )
    return [f"{hour:%m-%dT%H}" for hour in comparison.moved(frame, zone)["hour"]]


def test_hours_are_moved_by_the_wall_clock():
    # 09:00 in New York is 13:00Z until 2026-11-01 and 14:00Z after it.
    assert shifted(NEW_YORK, ("2026-10-26T13:00Z", 7)) == ["11-02T14"]
    assert shifted(NEW_YORK, ("2026-11-02T14:00Z", 7)) == ["11-09T14"]
    assert shifted(TOKYO, ("2026-10-26T13:00Z", 7), ("2026-10-26T13:00Z", 28)) == ["11-02T13", "11-23T13"]


def test_hours_that_clocks_repeat_or_leave_out():
    # On 2026-11-01 in New York 01:00 comes at 05:00Z and again at 06:00Z: the first has a counterpart.
    assert shifted(NEW_YORK, ("2026-10-25T05:00Z", 7), ("2026-10-25T06:00Z", 7)) == ["11-01T05", "11-01T07"]
    assert shifted(NEW_YORK, ("2026-11-01T05:00Z", 7), ("2026-11-01T06:00Z", 7)) == ["11-08T06"]
    # On 2026-03-08 there is no 02:00.
    assert shifted(NEW_YORK, ("2026-03-01T06:00Z", 7), ("2026-03-01T07:00Z", 7)) == ["03-08T06"]


def test_a_week_in_which_clocks_go_back_has_an_hour_without_a_counterpart(make_workspace, shop, steady_log):
    every_minute = pd.date_range("2026-09-20T00:00Z", "2026-11-03T00:00Z", freq="min", unit="us", inclusive="left")
    organization = ORGANIZATION.format(zone="America/New_York", country="US")
    sk = make_workspace({**shop, "organization.yaml": organization}, requests=steady_log(every_minute))
    week = sk.team_week("sales", "2026-W44")
    hours = by_hour(comparison.hourly_traffic(week))
    assert len(hours) == 7 * 24 + 1
    assert (hours["request_count"] == 60).all()
    for past in ("comparable", "last_month"):
        counterpart = hours[f"{past}_request_count"]
        assert counterpart.index[counterpart.isna()].to_list() == ["01T06"]
        assert (counterpart.dropna() == 60).all()


def test_last_month_is_the_same_business_day(make_workspace, shop, steady_log):
    # One request at 09:00 in Tokyo on each day, but as many as the day's number in September and October.
    days = pd.date_range("2026-09-01T00:00Z", "2026-11-01T00:00Z", freq="D", unit="us")
    instants = pd.DatetimeIndex([day + pd.Timedelta(seconds=n) for day in days for n in range(day.day)])
    week = make_workspace(shop, requests=steady_log(instants)).team_week("sales", "2026-W44")
    hours = by_hour(comparison.hourly_traffic(week))
    at_nine = hours.loc[[f"{day:02}T00" for day in (26, 27, 28, 29, 30, 31, 1)]]
    assert at_nine["request_count"].to_list() == [26, 27, 28, 29, 30, 31, 1]
    # Fifth to last business day of October and of September (22 and 23 are holidays), and so on; days off lie
    # four weeks back.
    assert at_nine["last_month_request_count"].to_list() == [24, 25, 28, 29, 30, 3, 4]
    assert at_nine["comparable_request_count"].to_list() == [19, 20, 21, 22, 23, 24, 25]


# --- routes ----------------------------------------------------------------------------------------------------

NOW, BEFORE = "2026-10-28T01:00:00Z", "2026-10-21T01:00:00Z"


def many(at, method, route, *answers):
    """Requests one second apart: (how many, status, seconds)."""
    start = pd.Timestamp(at)
    flat = [(status, seconds) for count, status, seconds in answers for _ in range(count)]
    return [
        (f"{start + pd.Timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ}", "shop", method, route, status, seconds)
        for n, (status, seconds) in enumerate(flat)
    ]


@pytest.fixture
def routes(make_workspace, shop, request_log):
    log = request_log(
        *many("2026-08-31T01:00:00Z", "GET", "/old", (1, 200, 0.1)),  # so that the comparable week is covered
        *many(BEFORE, "GET", "/a", (40, 200, 0.1)),
        *many(BEFORE, "GET", "/gone", (3, 500, 0.1)),
        *many(NOW, "GET", "/a", (90, 200, 0.2), (5, 503, 0.2)),
        *many(NOW, "POST", "/a", (3, 200, 0.2), (2, 500, 0.2)),
        *many(NOW, "GET", "/slow", (6, 200, 0.5), (4, 200, 3.0)),
        ("2026-11-02T00:00:00Z", "shop", "GET", "/after", 500, 9.0),
    )
    slos = objective("all", target=0.9, routes=["*"]) + objective(
        "slow", kind="latency", target=0.5, routes=["/slow"]
    )
    return make_workspace({**shop, "slos/shop.yaml": slos}, requests=log).team_week("sales", "2026-W44")


def test_routes_of_this_week_and_of_the_comparable_one(routes):
    frame = comparison.route_changes(routes)
    assert (frame["http_request_method"] + " " + frame["http_route"]).to_list() == [
        "GET /a",
        "GET /gone",
        "GET /slow",
        "POST /a",
    ]
    assert frame["request_count"].to_list() == [95, 0, 10, 5]
    assert frame["error_count"].to_list() == [5, 0, 0, 2]
    assert frame["comparable_request_count"].to_list() == [40, 3, 0, 0]
    assert frame["comparable_error_count"].to_list() == [0, 3, 0, 0]
    median = [0.2, np.nan, 0.5, 0.2]
    assert frame["p50_seconds"].to_list() == pytest.approx(median, rel=sketch.RELATIVE_ERROR, nan_ok=True)
    # Rank 0.95 (10 - 1) = 8.55 of six times 0.5 and four times 3.
    assert frame["p95_seconds"].to_list() == pytest.approx([0.2, np.nan, 3.0, 0.2], rel=0.01, nan_ok=True)
    assert frame["comparable_p50_seconds"].to_list() == pytest.approx(
        [0.1, 0.1, np.nan, np.nan], rel=0.01, nan_ok=True
    )


def test_budget_spent_by_route(routes):
    # Availability over 28 days: 95 + 5 + 10 this week and 43 before are 153 requests, of which 15.3 may fail.
    # Latency: of 10 requests to /slow 5 may be slow and 4 were.
    spent = comparison.route_changes(routes).set_index(["http_request_method", "http_route"])
    columns = ["slo_name", "budget_spent_count", "budget_spent_ratio"]
    assert spent.loc[("GET", "/a"), columns].to_list() == ["all", 5.0, pytest.approx(5 / 15.3)]
    assert spent.loc[("POST", "/a"), columns].to_list() == ["all", 2.0, pytest.approx(2 / 15.3)]
    assert spent.loc[("GET", "/slow"), columns].to_list() == ["slow", 4.0, pytest.approx(4 / 5)]
    gone = spent.loc[("GET", "/gone"), columns]
    assert gone["slo_name"] == ""
    assert gone["budget_spent_count"] == 0.0
    assert np.isnan(gone["budget_spent_ratio"])


def test_after_a_months_turn_the_days_before_spent_another_budget(make_workspace, shop, request_log):
    monthly = "{duration: 1M, isRolling: false, calendar: {startTime: '2026-01-01 00:00:00', timeZone: Asia/Tokyo}}"
    log = request_log(
        *many("2026-10-28T01:00:00Z", "GET", "/a", (50, 500, 0.1)),
        *many("2026-11-01T01:00:00Z", "GET", "/a", (19, 200, 0.1), (1, 500, 0.1)),
    )
    slos = objective("monthly", target=0.9, routes=["*"], window=monthly)
    week = make_workspace({**shop, "slos/shop.yaml": slos}, requests=log).team_week("sales", "2026-W44")
    (status,) = week.statuses
    assert (status.valid_count, status.budget_allowed_count) == (20, pytest.approx(2.0))
    (row,) = comparison.route_changes(week).to_dict("records")
    assert (row["request_count"], row["error_count"]) == (70, 51)
    assert (row["budget_spent_count"], row["budget_spent_ratio"]) == (1.0, pytest.approx(0.5))


def test_routes_without_requests_or_objectives(make_workspace, shop, request_log):
    week = make_workspace(shop, requests=request_log()).team_week("sales", "2026-W44")
    assert len(comparison.route_changes(week)) == 0
    assert comparison.hourly_traffic(week)["request_count"].isna().all()
    assert set(comparison.hourly_completeness(week)["state"]) == {"before_log"}
    assert comparison.hourly_latency(week)["duration_count"].sum() == 0
