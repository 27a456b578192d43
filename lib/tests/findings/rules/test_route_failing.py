"""Routes that fail more than in both baselines."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from shokubai.findings.rules.route_failing import RULE


def findings(evidence):
    return [o.finding for o in RULE.observe(evidence) if o.finding]


def compared(build, errors, comparable=10, last_month=10, *, hourly=1000, **more):
    """A week of 168 equal hours, with errors per hour as a list or spread evenly, beside two baselines."""
    spread = errors if isinstance(errors, list) else [errors // 168] * 168
    frames = {
        "route_hours": build.route_hours(build.start, [hourly] * 168, spread),
        "comparable_route_counts": build.route_counts(168_000, comparable),
        "last_month_route_counts": build.route_counts(168_000, last_month),
    }
    return build.evidence(**(frames | more))


def test_more_failures_than_in_both_baselines_are_found(build):
    [found] = findings(compared(build, 168 * 3))
    assert (found.rule, found.case, found.severity, found.route) == (
        "route_failing",
        "failing_more",
        "warning",
        build.route,
    )
    assert found.numbers["errors_count"] == 504
    assert found.numbers["error_ratio"] == pytest.approx(0.003)
    assert found.numbers["extra_errors_count"] == 494
    assert found.numbers["difference_low_ratio"] < 0.003 - 10 / 168_000 < found.numbers["difference_high_ratio"]


@pytest.mark.parametrize(("comparable", "last_month"), [(504, 10), (10, 504), (504, 504)])
def test_as_many_as_in_one_baseline_is_no_finding(build, comparable, last_month):
    assert findings(compared(build, 168 * 3, comparable, last_month)) == []


def test_no_change_gives_nothing(build):
    [observation] = RULE.observe(compared(build, 0, 0, 0))
    assert (observation.finding, observation.p_value) == (None, 1.0)


def test_little_traffic_gives_nothing(build):
    evidence = compared(build, [1] * 168, hourly=1, comparable_route_counts=build.route_counts(168, 0))
    assert list(RULE.observe(evidence)) == []


def test_a_few_more_failures_give_nothing(build):
    assert findings(compared(build, [1] * 15 + [0] * 153, 0, 0)) == []


def test_bursts_in_the_baseline_ask_for_a_greater_difference(build):
    week = [0] * 160 + [60] * 8
    even = compared(
        build, week, 200, 200, comparable_route_hours=build.route_hours(build.before, [1000] * 168, [1] * 168)
    )
    bursts = compared(
        build,
        week,
        200,
        200,
        comparable_route_hours=build.route_hours(build.before, [1000] * 168, [0] * 164 + [50] * 4),
    )
    assert len(findings(even)) == 1
    assert findings(bursts) == []


def test_a_failure_by_chance_is_not_the_onset_after_a_week_without_any(build):
    # Two requests failed in hours 50 and 51, as a few did last month; from hour 60 on one in 100 does.
    errors = [0] * 50 + [1, 1] + [0] * 8 + [1] * 108
    rare = compared(build, errors, 0, 10, hourly=100, last_month_route_counts=build.route_counts(16_800, 6))
    [found] = findings(replace(rare, comparable_route_counts=build.route_counts(16_800, 0)))
    assert found.started_at == build.start + timedelta(hours=60)


def test_what_an_outage_explains_is_not_said_twice(build):
    outage = (build.at("10-28 10:05"), build.at("10-28 10:30"), 1000, 500, 0.4)
    errors = [0] * 58 + [500] + [0] * 109
    explained = {"statuses": (build.status(),), "episodes": {"availability": build.episodes(outage)}}
    assert len(findings(compared(build, errors))) == 1
    assert findings(compared(build, errors, **explained)) == []
    # The rest of the week still counts.
    [found] = findings(compared(build, [3] * 58 + [500] + [3] * 109, **explained))
    assert found.numbers["errors_count"] == 501


def test_an_outage_of_a_latency_objective_explains_no_failures(build):
    outage = (build.at("10-28 10:05"), build.at("10-28 10:30"), 1000, 500, 0.4)
    errors = [0] * 58 + [500] + [0] * 109
    latency = {"statuses": (build.status(kind="latency"),), "episodes": {"availability": build.episodes(outage)}}
    assert len(findings(compared(build, errors, **latency))) == 1


def test_what_a_retry_storm_explains_is_not_said_twice(build):
    frames = {
        "route_hours": build.route_hours(
            build.start, [1000] * 80 + [9000] + [1000] * 87, [0] * 80 + [8000] + [0] * 87
        ),
        "comparable_route_hours": build.route_hours(build.before, [1000] * 168),
    }
    assert findings(compared(build, 0, **frames)) == []


def test_onset_and_candidate(build):
    errors = [0] * 60 + [8] * 108
    evidence = compared(build, errors, deployments=build.deployments(build.start + timedelta(hours=59)))
    [found] = findings(evidence)
    assert found.started_at == build.start + timedelta(hours=60)
    assert found.ended_at is None
    assert found.candidate is not None and found.candidate.identifier == "v1"


def test_follow_up_compares_with_the_time_before_the_finding(build):
    [past] = findings(compared(build, 168 * 3))
    still = RULE.follow_up(compared(build, [3] * 168), past)
    assert (still.case, still.state) == ("still_failing", "continuing")
    healed = RULE.follow_up(compared(build, [1] * 12 + [0] * 156), past)
    assert (healed.case, healed.state, healed.severity) == ("resolved", "resolved", "good")
    assert RULE.follow_up(build.evidence(route_hours=build.route_hours(build.start, [50])), past) is None
    assert RULE.follow_up(build.evidence(), past) is None


def test_a_route_that_was_fixed_is_not_still_failing_because_of_an_outage(build):
    [past] = findings(compared(build, 168 * 3))
    errors = [0] * 58 + [500] + [0] * 109
    outage = (build.at("10-28 10:05"), build.at("10-28 10:30"), 1000, 500, 0.4)
    explained = {"statuses": (build.status(),), "episodes": {"availability": build.episodes(outage)}}
    assert RULE.follow_up(compared(build, errors, **explained), past).case == "resolved"
    # Nobody else tells of the same failures without the outage.
    assert RULE.follow_up(compared(build, errors), past).case == "still_failing"
    storm = {
        "route_hours": build.route_hours(
            build.start, [1000] * 80 + [9000] + [1000] * 87, [0] * 80 + [8000] + [0] * 87
        ),
        "comparable_route_hours": build.route_hours(build.before, [1000] * 168),
    }
    assert RULE.follow_up(compared(build, 0, **storm), past).case == "resolved"


def test_weeks_drawn_from_one_distribution_rarely_give_a_finding(build):
    """A/A: the same error ratio in all three weeks, 0.01 % to 2 %."""
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(200):
        ratio = 10 ** rng.uniform(-4, -1.7)
        week = rng.binomial(300, ratio, 168).tolist()
        baselines = rng.binomial(300 * 168, ratio, 2).tolist()
        frames = {
            "comparable_route_counts": build.route_counts(300 * 168, baselines[0]),
            "last_month_route_counts": build.route_counts(300 * 168, baselines[1]),
            "comparable_route_hours": build.route_hours(
                build.before, [300] * 168, rng.binomial(300, ratio, 168).tolist()
            ),
        }
        found += len(findings(compared(build, week, hourly=300, **frames)))
    assert found <= 10
