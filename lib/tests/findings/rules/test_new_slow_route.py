"""Routes that are new and slower than the objective asks for."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from shokubai.config.model import Indicator
from shokubai.findings import find, finding_facts
from shokubai.findings.rules.new_slow_route import RULE
from shokubai.tables.contracts import SLI_ROUTES

NEW, OLD = "/v2/invoices", "/v1/invoices"
SLOW = {0.1: 900, 0.8: 100}


def latency(build, name="latency", *, threshold=0.5, routes=()):
    made = build.status(kind="latency", name=name)
    indicator = Indicator("latency", routes=routes, threshold_seconds=threshold)
    return replace(made, slo=replace(made.slo, indicator=indicator))


def week(build, durations=SLOW, *, before=0, **more):
    """A new route beside an old one that is as slow; 0.5 s is the objective."""
    known = [build.route_counts(5000, 0, route=OLD)]
    if before:
        known.append(build.route_counts(before, 0, route=NEW))
    frames = {
        "statuses": (latency(build),),
        "route_latency": pd.concat([build.route_latency(durations, route=r) for r in (NEW, OLD)]),
        "latency_hours": pd.concat(
            [
                build.latency_hours(build.start, [durations], route=OLD),
                build.latency_hours(build.start + timedelta(hours=34), [durations], route=NEW),
            ]
        ),
        "comparable_route_counts": pd.concat(known),
        "last_month_route_counts": build.route_counts(5000, 0, route=OLD),
    }
    return build.evidence(**(frames | more))


def findings(evidence):
    return [o.finding for o in RULE.observe(evidence) if o.finding]


def test_a_new_route_above_the_threshold_is_told(build):
    evidence = week(build, deployments=build.deployments(build.start + timedelta(hours=33)))
    [found] = findings(evidence)
    assert (found.case, found.severity, found.route, found.subject_name) == ("slow", "warning", NEW, "SLO latency")
    assert found.numbers["p95_seconds"] == pytest.approx(0.8, rel=0.01)
    assert found.numbers["threshold_seconds"] == 0.5
    assert (found.numbers["slow_count"], found.numbers["requests_count"]) == (100, 1000)
    # Wilson's interval of 100 in 1000.
    assert found.numbers["slow_low_ratio"] == pytest.approx(0.0829, abs=1e-4)
    assert found.numbers["slow_high_ratio"] == pytest.approx(0.1201, abs=1e-4)
    assert found.started_at == build.start + timedelta(hours=34)
    assert found.candidate is not None and found.candidate.identifier == "v1"


@pytest.mark.parametrize(
    ("durations", "changes"),
    [
        ({0.1: 1000}, {}),  # fast
        ({0.1: 940, 0.8: 60}, {}),  # 6 %, which may be 5 %
        ({0.1: 90, 0.8: 90}, {}),  # too few requests
        (SLOW, {"before": 10}),  # not new
    ],
)
def test_nothing_to_tell(build, durations, changes):
    assert findings(week(build, durations, **changes)) == []


def test_a_trial_of_a_few_calls_is_no_past(build):
    assert len(findings(week(build, before=9))) == 1


def test_without_an_objective_or_a_past_of_the_service_nothing_is_said(build):
    assert findings(week(build, statuses=())) == []
    assert findings(week(build, statuses=(build.status(),))) == []
    nothing = {"comparable_route_counts": build.evidence().route_counts}
    assert len(findings(week(build, **nothing))) == 1
    assert findings(week(build, **nothing, last_month_route_counts=build.evidence().route_counts)) == []


def test_the_objective_that_holds_the_route_decides_else_the_most_patient_one(build):
    strict, patient = latency(build, "strict", threshold=0.2), latency(build, "patient", threshold=1.0)
    assert findings(week(build, statuses=(strict, patient))) == []
    holding = latency(build, "holding", threshold=0.3, routes=("/v2/*",))
    other = latency(build, "other", threshold=5.0, routes=("/v1/*",))
    [found] = findings(week(build, statuses=(holding, other)))
    assert (found.subject_name, found.numbers["threshold_seconds"]) == ("SLO holding", 0.3)
    assert findings(week(build, statuses=(other,))) == []


def test_the_gain_is_what_is_slow_beyond_what_the_objective_allows(build):
    """Of 1000 requests 0.1 % may be slow: 99 of the 100 are too many, of a budget of 1000."""
    keys = {"service_name": build.service, "http_request_method": "GET", "http_route": NEW}
    counted = SLI_ROUTES.conform(pd.DataFrame([keys | {"valid_count": 1000, "good_count": 900}]))
    [found] = [f for f in find(week(build, slo_routes={"latency": counted})) if f.rule == "new_slow_route"]
    assert found.numbers["gain_count"] == pytest.approx(99)
    assert found.numbers["gain_budget_ratio"] == pytest.approx(0.099)


def test_it_is_followed_until_it_keeps_the_objective(build):
    first = [finding_facts(f) | {"first_week": "2026-W43"} for f in find(week(build))]
    [still] = find(week(build, before=1000), previous=first)
    assert (still.case, still.state, still.weeks) == ("still_slow", "continuing", 2)
    [healed] = find(week(build, {0.1: 1000}, before=1000), previous=first)
    assert (healed.case, healed.state, healed.severity) == ("resolved", "resolved", "good")
    assert find(week(build, {0.1: 50}, before=1000), previous=first) == ()
