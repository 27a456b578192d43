"""Bursts of failing calls."""

import pytest

from shokubai.findings.rules.retry_storm import RULE

OFFICE = ([5] * 9 + [60] * 9 + [5] * 6) * 7  # requests per hour of a week
STORM = 24 * 3 + 11  # Thursday 11:00


def findings(build, requests, errors, comparable=OFFICE):
    evidence = build.evidence(
        route_hours=build.route_hours(build.start, requests, errors),
        comparable_route_hours=build.route_hours(build.before, comparable)
        if comparable
        else build.evidence().route_hours,
    )
    return [o.finding for o in RULE.observe(evidence)]


def week(burst, errors, *, hours=1, first=STORM):
    requests, failed = list(OFFICE), [0] * len(OFFICE)
    for n in range(first, first + hours):
        requests[n], failed[n] = burst, errors
    return requests, failed


def test_ten_times_the_usual_requests_that_fail_are_a_storm(build):
    [found] = findings(build, *week(600, 500))
    assert (found.case, found.severity, found.route) == ("storm", "warning", build.route)
    assert (found.started_at, found.ended_at) == (build.at("10-29 11:00"), build.at("10-29 12:00"))
    assert found.numbers["requests_count"] == 600
    assert found.numbers["error_ratio"] == pytest.approx(500 / 600)
    assert found.numbers["expected_count"] == 60
    assert found.numbers["burst_factor"] == 10


def test_consecutive_hours_are_one_storm_and_the_worst_of_several_is_told(build):
    requests, errors = week(600, 500, hours=3)
    requests[10], errors[10] = 700, 600
    [found] = findings(build, requests, errors)
    assert (found.started_at, found.ended_at) == (build.at("10-29 11:00"), build.at("10-29 14:00"))
    assert found.numbers["stretch_count"] == 2


@pytest.mark.parametrize(
    ("burst", "errors"),
    [
        (600, 60),  # a burst that succeeds
        (290, 250),  # failing, but less than five times the usual
        (60, 60),  # an outage without retries
    ],
)
def test_no_storm(build, burst, errors):
    assert findings(build, *week(burst, errors)) == []


def test_the_quiet_night_is_no_yardstick(build):
    # 110 requests at 03:00, where five are usual, are less than five times a busy hour.
    assert findings(build, *week(110, 100, first=24 * 3 + 3), comparable=([5] * 9 + [60] * 15) * 7) == []


def test_few_requests_are_no_storm(build):
    assert (
        findings(build, [1] * STORM + [80] + [1] * (167 - STORM), [0] * STORM + [80] + [0] * (167 - STORM), [1] * 168)
        == []
    )


def test_a_month_end_without_failures_is_no_storm(build):
    assert findings(build, [r * 3 for r in OFFICE], [0] * 168) == []


def test_without_a_comparable_week_the_week_itself_is_the_yardstick(build):
    [found] = findings(build, *week(600, 500), comparable=None)
    assert found.started_at == build.at("10-29 11:00")
