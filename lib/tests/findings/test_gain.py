"""What mending a route would have saved of an error budget."""

import json
from datetime import timedelta

import pandas as pd
import pytest

from shokubai.core.windows import Window
from shokubai.findings import find, finding_facts, finding_from_facts
from shokubai.tables.contracts import SLI_ROUTES


def slo_routes(build, valid, bad):
    """What the SLO itself has counted on the route."""
    keys = {"service_name": build.service, "http_request_method": "GET", "http_route": build.route}
    return SLI_ROUTES.conform(pd.DataFrame([keys | {"valid_count": valid, "good_count": valid - bad}]))


def failing(build, *, status=None, counted=504, errors=None, **more):
    """168 hours of 1000 requests and 3 errors each, where 1 in 1000 is usual; the budget is 1000 requests."""
    frames = {
        "statuses": (status or build.status(),),
        "slo_routes": {"availability": slo_routes(build, 168_000, counted)},
        "route_hours": build.route_hours(build.start, [1000] * 168, errors or [3] * 168),
        "comparable_route_counts": build.route_counts(168_000, 168),
        "last_month_route_counts": build.route_counts(168_000, 168),
    }
    return build.evidence(**(frames | more))


def the_finding(evidence, rule):
    [found] = [f for f in find(evidence) if f.rule == rule]
    return found


def test_failures_above_the_reference_and_their_share_of_the_budget(build):
    """504 failures where 168 000 × 0.001 = 168 are usual: 336 more, of 1000 that the budget allows."""
    found = the_finding(failing(build), "route_failing")
    [gain] = found.gains
    assert (gain.slo, gain.slo_name) == ("availability", "SLO availability")
    assert gain.bad_count == pytest.approx(336)
    assert gain.budget_ratio == pytest.approx(0.336)
    assert found.numbers["gain_count"] == gain.bad_count
    assert found.numbers["gain_budget_ratio"] == gain.budget_ratio
    assert finding_from_facts(json.loads(json.dumps(finding_facts(found)))) == found


def test_only_the_part_of_the_week_in_the_window_counts(build):
    """A month that began two days before the week's end: 48 hours × 2 more, of the budget of its 30 days."""
    month = Window(build.end - timedelta(days=2), build.end + timedelta(days=28))
    status = build.status(
        window=Window(month.start, build.end), whole_window=month, valid_count=48_000, budget_allowed_count=48.0
    )
    found = the_finding(failing(build, status=status, counted=144), "route_failing")
    assert found.gains[0].bad_count == pytest.approx(48 * 3 - 48)
    assert found.gains[0].budget_ratio == pytest.approx(96 / (48 * 15))


def test_what_an_outage_explains_is_not_gained_twice(build):
    """Ten o'clock on Wednesday, hour 58, is the outage's; 167 hours × 2 more remain."""
    outage = (build.at("10-28 10:05"), build.at("10-28 10:30"), 1000, 500, 0.4)
    errors = [3] * 58 + [500] + [3] * 109
    evidence = failing(build, counted=1001, errors=errors, episodes={"availability": build.episodes(outage)})
    assert the_finding(evidence, "route_failing").gains[0].bad_count == pytest.approx(167 * 2)


def test_no_more_is_gained_than_the_objective_found_bad(build):
    assert the_finding(failing(build, counted=200), "route_failing").gains[0].bad_count == 200


def test_an_objective_that_does_not_count_it_gains_nothing(build):
    latency = build.status(kind="latency", name="availability")
    slices = build.status(unit="slices")
    found = [the_finding(failing(build, status=status), "route_failing") for status in (latency, slices)]
    assert [(f.gains, f.numbers.get("gain_count")) for f in found] == [((), None)] * 2
    assert the_finding(failing(build, slo_routes={}), "route_failing").gains == ()


def slow(build, week, before=None, **more):
    before = before or {0.1: 16_000, 0.4: 798, 0.8: 2}
    frames = {
        "statuses": (build.status(kind="latency", name="latency"),),
        "slo_routes": {"latency": slo_routes(build, 16_800, 2000)},
        "route_latency": build.route_latency(week),
        "latency_hours": build.latency_hours(build.start, [week]),
        "comparable_route_latency": build.route_latency(before),
    }
    return build.evidence(**(frames | more))


def test_requests_above_the_threshold_that_were_not_there_before(build):
    """The threshold is 0.5 s: 1680 of 16 800 are above it, 2 were before."""
    found = the_finding(slow(build, {0.1: 15_120, 0.8: 1680}), "route_slower")
    [gain] = found.gains
    assert gain.bad_count == pytest.approx(1678)
    assert gain.budget_ratio == pytest.approx(1.678)


def test_slower_yet_within_the_threshold_gains_nothing(build):
    found = the_finding(slow(build, {0.1: 12_000, 0.45: 4800}, {0.1: 16_700, 0.2: 100}), "route_slower")
    assert found.gains == ()


def test_a_route_that_stays_slow_is_compared_with_the_time_before_it_was(build):
    week = {0.1: 15_120, 0.8: 1680}
    first = find(slow(build, week))
    again = find(slow(build, week, week), previous=[finding_facts(f) | {"first_week": "2026-W43"} for f in first])
    [still] = [finding for finding in again if finding.rule == "route_slower"]
    assert (still.case, still.state) == ("still_slower", "continuing")
    assert still.gains[0].bad_count == pytest.approx(1678)


def test_what_is_resolved_gains_nothing_more(build):
    usual = {0.1: 16_000, 0.4: 798, 0.8: 2}
    first = find(slow(build, {0.1: 15_120, 0.8: 1680}))
    again = find(slow(build, usual), previous=[finding_facts(f) | {"first_week": "2026-W43"} for f in first])
    [healed] = [finding for finding in again if finding.rule == "route_slower"]
    assert (healed.state, healed.gains) == ("resolved", ())
