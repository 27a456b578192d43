"""Metrics that keep another level: found with the hour, and nothing else taken for one."""

from datetime import timedelta

import numpy as np
import pytest

from shokubai.findings.rules.level_shift import RULE

CPU = "process.cpu.utilization"
DAYS = 28
WEEK = 21 * 24  # the hour in which the week begins


def rhythm(seed=1, *, level=0.4, noise=0.02):
    """Four weeks of hours: busy on weekdays from nine to six."""
    rng = np.random.default_rng(seed)
    hour = np.arange(DAYS * 24)
    is_busy = (hour // 24 % 7 < 5) & (hour % 24 >= 9) & (hour % 24 < 18)
    return level * (0.6 + 0.8 * is_busy) + rng.normal(0, noise, DAYS * 24)


def observe(build, values, *, limit=1.0, name=CPU, **more):
    hours = build.metric_hours(build.end - timedelta(days=DAYS), list(values), name=name, limit=limit)
    return list(RULE.observe(build.evidence(metric_hours=hours, **more)))


def findings(*args, **more):
    return [o.finding for o in observe(*args, **more) if o.finding]


def stepped(at, by, **more):
    values = rhythm(**more)
    values[at:] += by
    return values


def test_a_step_is_told_with_its_hour_its_size_and_the_deployment_before(build):
    deployed = build.at("10-27 13:20")
    [observation] = observe(build, stepped(WEEK + 38, 0.3), deployments=build.deployments(deployed))
    found = observation.finding
    assert observation.p_value < 0.01
    assert (found.case, found.severity, found.subject) == ("rose", "notice", CPU)
    assert found.started_at == build.at("10-27 14:00")
    # The usual hour is 0.6 · 0.4 = 0.24, the median of a week with 45 busy hours of 168.
    assert found.numbers["before_ratio"] == pytest.approx(0.24, abs=0.01)
    assert found.numbers["level_ratio"] == pytest.approx(0.54, abs=0.01)
    assert found.numbers["change_factor"] == pytest.approx(0.54 / 0.24, rel=0.03)
    assert found.numbers["low_factor"] < found.numbers["change_factor"] < found.numbers["high_factor"]
    assert found.candidate.at == deployed


def test_a_fall_is_told_too(build):
    [found] = findings(build, stepped(WEEK + 33, -0.25, level=0.6))
    assert (found.case, found.started_at) == ("fell", build.at("10-27 09:00"))
    assert found.numbers["change_factor"] == pytest.approx(0.11 / 0.36, rel=0.05)


def test_any_hour_of_the_week_is_found_within_one(build):
    for n, at in enumerate(range(WEEK - 40, WEEK + 45, 7)):
        [found] = findings(build, stepped(at, 0.2, seed=n))
        began = build.start + timedelta(hours=at - WEEK)
        assert abs(found.started_at - began) <= timedelta(hours=1), at


def test_the_unit_does_not_matter(build):
    values = stepped(WEEK + 38, 0.3)
    [in_ratio] = findings(build, values)
    [in_bytes] = findings(build, values * 2e9, limit=2e9)
    assert in_bytes.started_at == in_ratio.started_at
    assert in_bytes.numbers["change_factor"] == pytest.approx(in_ratio.numbers["change_factor"])


def test_a_metric_without_a_limit_is_told_without_a_share(build):
    [found] = findings(build, stepped(WEEK + 38, 0.3), limit=None)
    assert (found.numbers["level_ratio"], found.numbers["before_ratio"]) == (None, None)


def test_gaps_move_nothing(build):
    values = stepped(WEEK + 38, 0.3)
    values[WEEK - 100 : WEEK - 60] = np.nan
    values[WEEK + 80 : WEEK + 90] = np.nan
    [found] = findings(build, values)
    assert found.started_at == build.at("10-27 14:00")


def test_an_old_incident_does_not_hide_a_step(build):
    values = stepped(WEEK + 38, 0.3)
    values[100:118] = 0.99
    assert len(findings(build, values)) == 1


QUIET = {
    "a constant": np.full(DAYS * 24, 0.4),
    "zero": np.zeros(DAYS * 24),
    "a rhythm": rhythm(),
    "a slope": rhythm() + np.linspace(0, 0.4, DAYS * 24),
    "a slope that begins": rhythm() + np.maximum(0, np.linspace(-0.4, 0.4, DAYS * 24)),
    "too little of the level": stepped(WEEK + 38, 0.04),
    "too little of the limit": stepped(WEEK + 38, 0.04, level=0.05, noise=0.002),
    "an earlier week's": stepped(WEEK - 60, 0.3),
    "too late to have settled": stepped(WEEK + 6 * 24, 0.3),
    "a busy day": rhythm() + 0.3 * ((np.arange(DAYS * 24) // 24) == 22),
    "a level known before": rhythm() + 0.3 * ((np.arange(DAYS * 24) < 10 * 24) | (np.arange(DAYS * 24) > WEEK + 38)),
    "a saw of deployments": 0.4 + 0.03 * ((np.arange(DAYS * 24) / 24) % 5),
}


@pytest.mark.parametrize("values", QUIET.values(), ids=QUIET.keys())
def test_not_told(build, values):
    assert findings(build, values) == []


def test_the_turn_of_the_month_is_no_level(build):
    # Wednesday to Friday of the week are the last business days of October, the Monday after it is November's first.
    values = rhythm()
    values[WEEK + 2 * 24 : WEEK + 5 * 24] *= 2
    assert findings(build, values) == []
    values[WEEK + 5 * 24 :] *= 2
    [found] = findings(build, values)
    # It may have begun before Saturday, when it is seen first.
    assert (found.case, found.started_at, found.candidate) == ("rose", None, None)


@pytest.mark.parametrize(("days", "count"), [(6, 0), (7, 1)])
def test_a_step_needs_a_week_before(build, days, count):
    values = stepped(WEEK + 38, 0.3)
    values[: WEEK - days * 24] = np.nan
    assert len(observe(build, values)) == count
    assert len(findings(build, values)) == count


def test_a_metric_of_this_week_alone_is_not_looked_at(build):
    values = stepped(WEEK + 38, 0.3)
    values[:WEEK] = np.nan
    assert observe(build, values) == []


def test_shuffled_and_steady_metrics_hardly_ever_give_one(build):
    rng = np.random.default_rng(8)
    shuffled = sum(len(findings(build, rng.permutation(stepped(WEEK, 0.3, seed=n)))) for n in range(30))
    steady = sum(len(findings(build, rhythm(seed=n, noise=0.1))) for n in range(30))
    assert (shuffled, steady) == (0, 0)


def test_every_metric_is_looked_at_once(build):
    quiet = build.metric_hours(build.end - timedelta(days=DAYS), list(rhythm()), name="a", limit=None)
    [observation] = RULE.observe(build.evidence(metric_hours=quiet))
    assert (observation.finding, observation.p_value) == (None, 1.0)
