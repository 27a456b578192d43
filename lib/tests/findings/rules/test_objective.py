"""Objectives that ask for too little or too much. One of 0.999 allows 1000 of a million requests to fail."""

from dataclasses import replace

import pandas as pd
import pytest

from shokubai.findings import find, finding_facts
from shokubai.findings.rules.objective import RULE
from shokubai.slo.model import OBJECTIVE_PERIODS


def periods(build, *counts):
    """(valid, bad) of each four weeks, oldest first."""
    rows = [
        {"ended_at": build.end - pd.Timedelta(weeks=4 * n), "valid_count": valid, "bad_count": bad}
        for n, (valid, bad) in zip(reversed(range(len(counts))), counts, strict=True)
    ]
    return OBJECTIVE_PERIODS.conform(pd.DataFrame(rows))


def history(build, *counts, status=None, **more):
    status = status or build.status()
    return build.evidence(statuses=(status,), objective_periods={status.slo.name: periods(build, *counts)}, **more)


def findings(evidence):
    return [o.finding for o in RULE.observe(evidence) if o.finding]


def test_a_budget_that_is_hardly_touched_is_too_loose(build):
    """30 and 20 of 1 000 000: 0.9999 allows 100 of them, and 0.99995 only 50."""
    [found] = findings(history(build, (1_000_000, 30), (1_000_000, 20)))
    assert (found.case, found.severity, found.subject) == ("too_loose", "notice", "availability")
    assert found.numbers["spent_high_ratio"] == pytest.approx(0.03)
    assert found.numbers["proposed_ratio"] == 0.9999
    assert found.numbers["proposed_spent_low_ratio"] == pytest.approx(0.2)
    assert found.numbers["proposed_spent_high_ratio"] == pytest.approx(0.3)
    assert found.numbers["proposed_left_ratio"] == 0.5


def test_no_failure_at_all_proposes_what_can_still_be_judged(build):
    """Of 200 000 requests 0.9999 allows 20 to fail, 0.99995 only 10, and 0.99999 two."""
    [found] = findings(history(build, (200_000, 0), (200_000, 0)))
    assert found.numbers["proposed_ratio"] == 0.99995


@pytest.mark.parametrize(
    "counts",
    [
        ((1_000_000, 51), (1_000_000, 10)),  # 5.1 % in one of them
        ((1_000_000, 40), (1_000_000, 10)),  # 4 %, which may be 5.4 %
        ((1_000_000, 900), (1_000_000, 10)),
        ((76_000, 0), (1_000_000, 0)),  # none of 76 that were allowed: it may be 3.8
        ((0, 0), (1_000_000, 0)),  # the service is younger
        ((1_000_000, 999), (1_000_000, 1500)),  # kept in one of them
        ((1_000_000, 1060), (1_000_000, 1500)),  # 106 %, which may be 99.8 %
    ],
)
def test_nothing_to_tell(build, counts):
    assert findings(history(build, *counts)) == []


def test_a_budget_that_is_always_overspent_is_too_tight(build):
    """1500 and 1900 of 1 000 000: of 0.998's 2000 that is 75 % and 95 %."""
    [found] = findings(history(build, (1_000_000, 1500), (1_000_000, 1900)))
    assert (found.case, found.severity) == ("too_tight", "notice")
    assert (found.numbers["spent_low_ratio"], found.numbers["spent_high_ratio"]) == pytest.approx((1.5, 1.9))
    assert found.numbers["proposed_ratio"] == 0.998
    assert found.numbers["proposed_spent_low_ratio"] == pytest.approx(0.75)
    assert found.numbers["proposed_spent_high_ratio"] == pytest.approx(0.95)
    assert found.numbers["affected_count"] == 3400


def test_where_people_declared_an_incident_missing_it_had_a_consequence(build):
    incident = build.incidents(build.at("10-20 10:00"), build.at("10-20 10:05"), build.at("10-20 11:00"))
    counts = ((1_000_000, 1500), (1_000_000, 1900))
    assert findings(history(build, *counts, incidents=incident)) == []
    elsewhere = incident.assign(service_name="auth")
    assert len(findings(history(build, *counts, incidents=elsewhere))) == 1


def test_no_objective_fits_a_service_that_mostly_fails(build):
    assert findings(history(build, (1_000_000, 150_000), (1_000_000, 150_000))) == []


def test_an_objective_that_counts_slices_is_left_alone(build):
    assert findings(history(build, (1_000_000, 0), (1_000_000, 0), status=build.status(unit="slices"))) == []


@pytest.mark.parametrize(("seconds", "expected"), [(0.14, 1), (0.16, 0)])
def test_a_latency_objective_is_loose_only_where_users_wait_far_less(build, seconds, expected):
    """The threshold is 0.5 s, and 99.9 % of the requests took at most this long in the slowest week."""
    status = build.status(kind="latency", name="latency")
    slowest = build.route_latency({0.05: 900, seconds: 100})
    evidence = history(
        build,
        (1_000_000, 10),
        (1_000_000, 10),
        status=status,
        route_latency=build.route_latency({0.05: 1000}),
        comparable_route_latency=slowest,
    )
    found = findings(evidence)
    assert len(found) == expected
    if found:
        assert found[0].numbers["reached_seconds"] == pytest.approx(seconds, rel=0.01)


def test_only_the_routes_of_the_objective_are_looked_at(build):
    status = build.status(kind="latency", name="latency")
    indicator = replace(status.slo.indicator, routes=("/fast",))
    status = replace(status, slo=replace(status.slo, indicator=indicator))
    frames = [build.route_latency({0.05: 1000}, route="/fast"), build.route_latency({0.4: 1000}, route="/slow")]
    evidence = history(
        build, (1_000_000, 10), (1_000_000, 10), status=status, route_latency=pd.concat(frames, ignore_index=True)
    )
    [found] = findings(evidence)
    assert found.numbers["reached_seconds"] == pytest.approx(0.05, rel=0.01)


def test_it_lasts_until_the_objective_is_another(build):
    counts = ((1_000_000, 1500), (1_000_000, 1900))
    found = [finding_facts(f) for f in find(history(build, *counts)) if f.rule == "objective"]
    first = [facts | {"first_week": "2026-W43"} for facts in found]
    [still] = [f for f in find(history(build, *counts), previous=first) if f.rule == "objective"]
    assert (still.case, still.state, still.weeks) == ("too_tight", "continuing", 2)
    status = build.status()
    changed = replace(status, slo=replace(status.slo, objective=0.998))
    [done] = find(history(build, *counts, status=changed), previous=first)
    assert (done.case, done.state, done.severity) == ("resolved", "resolved", "good")
    assert (done.numbers["objective_ratio"], done.numbers["past_objective_ratio"]) == (0.998, 0.999)
    assert find(history(build, (1_000_000, 500), (1_000_000, 1900)), previous=first) == ()
