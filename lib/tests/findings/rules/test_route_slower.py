"""Routes that became slower than both baselines."""

from dataclasses import replace

import numpy as np
import pytest

from shokubai.config.model import Rules
from shokubai.findings.rules.route_slower import RULE

# 1,000 requests: 95 % take 100 ms, 5 % take 200 ms. The p95 (rank 949.05) is 200 ms.
USUAL = {0.1: 949, 0.2: 51}
SLOW = {0.1: 700, 0.2: 50, 0.6: 250}


def findings(evidence):
    return [o.finding for o in RULE.observe(evidence) if o.finding]


def compared(build, week, comparable=USUAL, last_month=USUAL, **more):
    return build.evidence(
        route_latency=build.route_latency(week),
        comparable_route_latency=build.route_latency(comparable) if comparable else build.evidence().route_latency,
        last_month_route_latency=build.route_latency(last_month) if last_month else build.evidence().route_latency,
        **more,
    )


def test_slower_than_both_baselines_is_found_with_its_numbers(build):
    [found] = findings(compared(build, SLOW))
    assert (found.rule, found.case, found.severity) == ("route_slower", "slower", "warning")
    assert (found.service, found.method, found.route) == (build.service, "GET", build.route)
    assert found.numbers["p95_seconds"] == pytest.approx(0.6, rel=0.01)
    assert found.numbers["comparable_p95_seconds"] == pytest.approx(0.2, rel=0.01)
    assert found.numbers["last_month_p95_seconds"] == pytest.approx(0.2, rel=0.01)
    # None of the baseline's requests lies beyond its p95 bucket, 250 of the week's do.
    assert found.numbers["slower_count"] == 250
    assert found.numbers["slower_low_ratio"] < 0.25 < found.numbers["slower_high_ratio"]


@pytest.mark.parametrize(
    ("comparable", "last_month"),
    [(USUAL, SLOW), (SLOW, USUAL), (SLOW, None), (None, SLOW), (SLOW, SLOW)],
)
def test_as_slow_as_one_baseline_is_no_finding(build, comparable, last_month):
    assert findings(compared(build, SLOW, comparable, last_month)) == []


@pytest.mark.parametrize(("comparable", "last_month"), [(USUAL, None), (None, USUAL)])
def test_one_baseline_is_enough_when_the_other_is_not_in_the_data(build, comparable, last_month):
    [found] = findings(compared(build, SLOW, comparable, last_month))
    known = "comparable_p95_seconds" if comparable else "last_month_p95_seconds"
    unknown = "last_month_p95_seconds" if comparable else "comparable_p95_seconds"
    assert found.numbers[known] == found.numbers["reference_p95_seconds"]
    assert found.numbers[unknown] is None


def test_without_a_baseline_nothing_is_compared(build):
    assert list(RULE.observe(compared(build, SLOW, None, None))) == []


def test_the_same_week_gives_nothing_but_was_compared(build):
    [observation] = RULE.observe(compared(build, USUAL))
    assert observation.finding is None
    assert observation.p_value == 1.0


def test_faster_is_no_finding(build):
    assert findings(compared(build, USUAL, SLOW, SLOW)) == []


def test_little_traffic_gives_nothing(build):
    few = {seconds: count // 10 for seconds, count in SLOW.items()}
    assert list(RULE.observe(compared(build, few))) == []
    assert findings(compared(build, SLOW, few, few)) == []


def test_a_change_too_small_to_feel_gives_nothing(build):
    # 5 ms -> 10 ms is a factor of two, but only 5 ms.
    assert findings(compared(build, {0.010: 1000}, {0.005: 1000}, {0.005: 1000})) == []
    # 200 ms -> 230 ms is 30 ms, but a factor of 1.15.
    assert findings(compared(build, {0.230: 1000}, {0.200: 1000}, {0.200: 1000})) == []


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_decisions_do_not_depend_on_the_unit_apart_from_the_minimum_in_seconds(build, scale):
    rules = Rules({"route_slower": {"minimum_change_seconds": 0.0}})

    def scaled(seconds):
        return {value * scale: count for value, count in seconds.items()}

    def change(week):
        evidence = compared(build, scaled(week), scaled(USUAL), scaled(USUAL))
        return findings(replace(evidence, rules=rules))

    assert len(change(SLOW)) == 1
    assert change({0.1: 949, 0.225: 51}) == []
    assert len(change({0.1: 700, 0.25: 300})) == 1


def test_onset_and_candidate(build):
    usual, slow = {0.1: 19, 0.2: 1}, {0.1: 10, 0.6: 10}
    hours = [usual] * 38 + [slow] * (168 - 38)  # from Tuesday 14:00 on
    found = findings(
        compared(
            build,
            SLOW,
            latency_hours=build.latency_hours(build.start, hours),
            deployments=build.deployments(build.at("10-26 13:00"), build.at("10-27 14:02"), build.at("10-29 14:00")),
        )
    )[0]
    assert found.started_at == build.at("10-27 14:00")
    assert found.ended_at is None
    assert found.candidate is not None and found.candidate.at == build.at("10-27 14:02")


def test_a_route_that_is_slow_all_week_has_no_onset_and_no_candidate(build):
    hours = [{0.1: 10, 0.6: 10}] * 168
    deployments = build.deployments(build.start)
    found = findings(
        compared(build, SLOW, latency_hours=build.latency_hours(build.start, hours), deployments=deployments)
    )[0]
    assert (found.started_at, found.ended_at, found.candidate) == (None, None, None)


def test_a_rollback_ends_the_stretch(build):
    hours = [{0.1: 20}] * 30 + [{0.6: 20}] * 12 + [{0.1: 20}] * (168 - 42)
    found = findings(compared(build, SLOW, latency_hours=build.latency_hours(build.start, hours)))[0]
    assert (found.started_at, found.ended_at) == (build.at("10-27 06:00"), build.at("10-27 18:00"))


def test_follow_up_does_not_celebrate_a_slow_week_that_became_the_baseline(build):
    [past] = findings(compared(build, SLOW))
    still = RULE.follow_up(compared(build, SLOW, SLOW, USUAL), past)
    assert (still.case, still.state, still.severity) == ("still_slower", "continuing", "warning")
    assert still.id == past.id
    healed = RULE.follow_up(compared(build, USUAL, SLOW, USUAL), past)
    assert (healed.case, healed.state, healed.severity) == ("resolved", "resolved", "good")
    assert healed.numbers["p95_seconds"] == pytest.approx(0.2, rel=0.01)


def test_follow_up_is_silent_when_the_route_was_hardly_used(build):
    [past] = findings(compared(build, SLOW))
    assert RULE.follow_up(compared(build, {0.1: 20}), past) is None
    assert RULE.follow_up(build.evidence(), past) is None


def test_weeks_drawn_from_one_distribution_rarely_give_a_finding(build):
    """A/A: lognormal latency of a route with 300 to 3,000 requests a week; no week differs from the others."""
    rng = np.random.default_rng(11)
    found = 0
    for _ in range(200):
        requests, sigma = int(rng.integers(300, 3000)), rng.uniform(0.4, 1.0)

        def sample(requests=requests, sigma=sigma):
            durations, counts = np.unique(np.round(rng.lognormal(-2, sigma, requests), 4), return_counts=True)
            return dict(zip(durations.tolist(), counts.tolist(), strict=True))

        found += len(findings(compared(build, sample(), sample(), sample())))
    assert found <= 10
