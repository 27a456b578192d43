"""Error statuses that a route did not give before."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from shokubai.findings import find, finding_facts
from shokubai.findings.rules.new_error import RULE
from shokubai.tables.contracts import ROUTE_COUNTS, SLI_ROUTES


def answers(build, statuses, route=None):
    """Requests by status of one route."""
    keys = {"service_name": build.service, "http_request_method": "GET", "http_route": route or build.route}
    rows = [
        keys | {"http_response_status_code": status, "request_count": n, "duration_count": n}
        for status, n in statuses.items()
    ]
    return ROUTE_COUNTS.conform(pd.DataFrame(rows))


def compared(build, week, comparable=None, last_month=None, **more):
    frames = {
        "route_counts": answers(build, week),
        "comparable_route_counts": answers(build, comparable or {200: 20_000, 500: 10}),
        "last_month_route_counts": answers(build, last_month or {200: 20_000, 500: 10}),
    }
    return build.evidence(**(frames | more))


def findings(evidence):
    return [o.finding for o in RULE.observe(evidence) if o.finding]


def test_a_status_that_was_never_given_is_new(build):
    [found] = findings(compared(build, {200: 19_950, 500: 10, 507: 40}))
    assert (found.case, found.severity, found.route, found.subject) == ("new", "warning", build.route, "507")
    assert found.numbers["seen_count"] == 40
    assert found.numbers["seen_ratio"] == pytest.approx(0.002)
    assert found.numbers["reference_seen_count"] == 0
    assert found.numbers["reference_requests_count"] == 20_010
    assert found.id == f"{build.service}|GET {build.route} 507|new_error"


def test_a_refusal_of_callers_is_a_notice(build):
    [found] = findings(compared(build, {200: 19_000, 429: 1000}))
    assert (found.severity, found.subject) == ("notice", "429")


@pytest.mark.parametrize(
    ("week", "before"),
    [
        ({200: 19_980, 507: 19}, {200: 20_000}),  # too few
        ({200: 100_000, 507: 40}, {200: 100_000}),  # 0.04 % of the route's requests
        ({200: 19_950, 507: 40}, {200: 20_000, 507: 5}),  # 8 times as many
        ({200: 150, 507: 40}, {200: 20_000}),  # a route that is hardly called
        ({200: 19_950, 507: 40}, {200: 100}),  # a route that was hardly called
        ({200: 19_950, 308: 40}, {200: 20_000}),  # no error
    ],
)
def test_what_is_not_new(build, week, before):
    assert findings(compared(build, week, before, before)) == []


def test_a_status_that_one_of_the_baselines_knows_is_not_new(build):
    week, known = {200: 19_950, 507: 40}, {200: 20_000, 507: 30}
    assert findings(compared(build, week, known)) == []
    assert findings(compared(build, week, None, known)) == []
    assert len(findings(compared(build, week, last_month_route_counts=ROUTE_COUNTS.empty()))) == 1


def test_all_that_was_looked_at_is_handed_over(build):
    """500 is known and was compared: the same share gives p = 1."""
    observations = list(RULE.observe(compared(build, {200: 20_000, 500: 10, 507: 40})))
    assert [o.finding is None for o in observations] == [True, False]
    assert observations[0].p_value == pytest.approx(1.0, abs=0.02)
    assert observations[1].p_value < 1e-6


def hours(build, errors):
    return {"route_hours": build.route_hours(build.start, [119] * 168, errors)}


def test_failures_have_an_onset_and_a_candidate(build):
    errors, known = [0] * 100 + [1] * 40 + [0] * 28, {200: 20_000, 500: 40}
    evidence = compared(
        build,
        {200: 19_950, 507: 40},
        known,
        known,
        **hours(build, errors),
        deployments=build.deployments(build.start + timedelta(hours=99)),
    )
    [found] = findings(evidence)
    assert (found.started_at, found.ended_at) == (
        build.start + timedelta(hours=100),
        build.start + timedelta(hours=140),
    )
    assert found.candidate is not None and found.candidate.identifier == "v1"


def test_what_an_outage_explains_is_not_said_twice(build):
    outage = (build.at("10-28 10:05"), build.at("10-28 10:30"), 1000, 40, 0.4)
    explained = {"statuses": (build.status(),), "episodes": {"availability": build.episodes(outage)}}
    assert findings(compared(build, {200: 19_950, 507: 40}, **explained)) == []
    # Refusals are no failures: the outage says nothing of them.
    assert len(findings(compared(build, {200: 19_950, 429: 40}, **explained))) == 1


def test_what_the_error_ratio_tells_is_not_said_twice(build):
    """40 failures more among 20 000 are told by route_failing, whatever their status."""
    evidence = compared(build, {200: 19_950, 500: 0, 507: 40}, **hours(build, [0] * 128 + [1] * 40))
    assert [f.rule for f in find(evidence)] == ["route_failing"]
    replaced = compared(
        build,
        {200: 19_950, 507: 40},
        {200: 20_000, 500: 40},
        {200: 20_000, 500: 40},
        **hours(build, [0] * 128 + [1] * 40),
    )
    assert [f.rule for f in find(replaced)] == ["new_error"]


def test_the_gain_is_what_the_objective_would_not_have_counted(build):
    """19 990 requests, 40 of them failed anew; the budget is 1000 requests."""
    keys = {"service_name": build.service, "http_request_method": "GET", "http_route": build.route}
    counted = SLI_ROUTES.conform(pd.DataFrame([keys | {"valid_count": 19_990, "good_count": 19_950}]))
    known = {200: 20_000, 500: 40}
    evidence = compared(
        build,
        {200: 19_950, 507: 40},
        known,
        known,
        statuses=(build.status(),),
        slo_routes={"availability": counted},
    )
    [found] = find(evidence)
    assert found.numbers["gain_count"] == pytest.approx(40)
    assert found.numbers["gain_budget_ratio"] == pytest.approx(0.04)


def test_it_lives_on_while_the_status_is_given(build):
    week = {200: 19_950, 429: 40}
    first = [finding_facts(f) | {"first_week": "2026-W43"} for f in find(compared(build, week))]
    [still] = find(compared(build, week, week), previous=first)
    assert (still.case, still.state, still.weeks, still.severity) == ("still_there", "continuing", 2, "notice")
    assert still.numbers["reference_seen_ratio"] == 0
    [healed] = find(compared(build, {200: 20_000, 429: 3}, week), previous=first)
    assert (healed.case, healed.state, healed.severity) == ("resolved", "resolved", "good")
    assert find(compared(build, {200: 50}, week), previous=first) == ()


def test_weeks_drawn_from_one_distribution_give_nothing(build):
    """A/A: rare statuses of 0.001 % to 1 % in all three weeks."""
    rng = np.random.default_rng(11)
    found = 0
    for _ in range(100):
        requests, ratio = int(10 ** rng.uniform(2.5, 5)), 10 ** rng.uniform(-5, -2)
        weeks = rng.binomial(requests, ratio, 3).tolist()
        found += len(findings(compared(build, *({200: requests - n, 503: n} for n in weeks))))
    assert found == 0
