"""Which requests of the log are looked at for a finding."""

from datetime import timedelta

import pandas as pd
import pytest

from shokubai.core.windows import HOUR, Window
from shokubai.findings import Finding, samples_of, shown_traces

OTHER = "/v1/receipts"


def hour(build, n):
    return Window(build.start + n * HOUR, build.start + (n + 1) * HOUR)


def about(build, rule, case="x", **changes):
    values = {"method": "GET", "route": build.route, "severity": "warning"} | changes
    return Finding(rule, case, build.service, **values)


def failing(build):
    """Failures on the route: one an hour, five in hour 20 and nine in hour 60; on the other route ten in hour 61."""
    errors = [1] * 168
    errors[20], errors[60] = 5, 9
    others = [0] * 168
    others[61] = 10
    frames = [
        build.route_hours(build.start, [1000] * 168, errors),
        build.route_hours(build.start, [500] * 168, others, route=OTHER),
    ]
    return build.evidence(route_hours=pd.concat(frames, ignore_index=True), statuses=(build.status(),))


def test_the_hour_with_most_failures_of_the_route(build):
    wanted = samples_of(failing(build), about(build, "route_failing"))
    assert (wanted.window, wanted.route, wanted.statuses) == (hour(build, 60), build.route, (500, 599))
    assert wanted.over_seconds > 1e6


def test_only_the_time_of_the_finding_counts(build):
    finding = about(
        build,
        "route_failing",
        started_at=build.start + timedelta(hours=19, minutes=30),
        ended_at=build.start + timedelta(hours=40),
    )
    assert samples_of(failing(build), finding).window == hour(build, 20)


def test_an_outage_shows_the_route_that_failed_most(build):
    outage = about(
        build,
        "outage",
        method="",
        route="",
        subject="availability@2026-10-28T04:05Z",
        started_at=build.start + timedelta(hours=60, minutes=5),
        ended_at=build.start + timedelta(hours=62),
    )
    wanted = samples_of(failing(build), outage)
    assert (wanted.window, wanted.method, wanted.route) == (hour(build, 61), "GET", OTHER)


def test_a_new_status_is_the_one_that_is_looked_for(build):
    assert samples_of(failing(build), about(build, "new_error", subject="507")).statuses == (507, 507)
    # Refusals are not counted by the hour: any busy one will do.
    wanted = samples_of(failing(build), about(build, "new_error", subject="429"))
    assert (wanted.statuses, wanted.window) == ((429, 429), hour(build, 0))


@pytest.mark.parametrize(
    ("rule", "number"), [("route_slower", "reference_p95_seconds"), ("new_slow_route", "threshold_seconds")]
)
def test_of_a_slow_route_the_slow_requests(build, rule, number):
    hours = [{0.1: 900, 0.8: 100}] * 10 + [{0.1: 300, 0.8: 130}] + [{0.1: 900, 0.8: 90}] * 10
    evidence = build.evidence(latency_hours=build.latency_hours(build.start, hours))
    wanted = samples_of(evidence, about(build, rule, numbers={number: 0.5}))
    assert (wanted.window, wanted.over_seconds) == (hour(build, 10), 0.5)
    assert wanted.statuses[1] < wanted.statuses[0]
    assert samples_of(evidence, about(build, rule, numbers={number: 0.9})) is None


@pytest.mark.parametrize("rule", ["budget", "data_gap", "saturation", "traffic"])
def test_what_no_single_request_shows(build, rule):
    assert samples_of(failing(build), about(build, rule)) is None


def test_good_news_and_routes_without_failures_need_none(build):
    assert samples_of(failing(build), about(build, "route_failing", severity="good")) is None
    assert samples_of(failing(build), about(build, "route_failing", route="/v1/nothing")) is None


def test_only_what_has_the_form_of_a_trace_id_is_shown():
    given = [
        "hanako@example.com",
        "203.0.113.24",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "<script>alert(1)</script>",
        "Root=1-67891233-abcdef012345678912345678",
        "projects/shop/traces/4BF92F3577B34DA6A3CE929D0E0E4736",
        "a3ce929d0e0e4736",
    ]
    assert shown_traces(given) == (given[2], given[4], given[5])


def test_the_statement_says_what_was_asked(build):
    text = samples_of(failing(build), about(build, "route_failing")).statement()
    assert text.startswith("-- @start = 2026-10-28 03:00:00+00\n-- @end = 2026-10-28 04:00:00+00\n")
    assert "-- @route = '/v1/invoices'\n" in text
    assert "\nSELECT\n  minute,\n" in text
