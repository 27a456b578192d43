"""Resources that will hit their limit."""

from datetime import timedelta

import numpy as np
import pytest

from shokubai.findings.rules.saturation import RULE
from shokubai.findings.statistics import mann_kendall

MEMORY = "process.memory.usage"
GIB = 1024**3


def observe(build, values, *, limit=1.0, name=MEMORY, days=28):
    hours = build.metric_hours(build.end - timedelta(days=days), values, name=name, limit=limit)
    return list(RULE.observe(build.evidence(metric_hours=hours)))


def findings(*args, **more):
    return [o.finding for o in observe(*args, **more) if o.finding]


def rising(start, per_day, *, days=28, noise=0.0, seed=1):
    rng = np.random.default_rng(seed)
    return (start + per_day * np.arange(days * 24) / 24 + rng.normal(0, noise, days * 24)).tolist()


def test_a_leak_is_told_with_the_day_it_hits_the_limit(build):
    [found] = findings(build, rising(0.40, 0.02, noise=0.01))
    assert (found.case, found.severity, found.subject) == ("will_hit", "warning", MEMORY)
    # 0.40 + 0.02 · 28 = 0.96 at the end, so 0.04 / 0.02 = 2 days are left.
    assert found.numbers["hits_in_seconds"] == pytest.approx(2 * 86_400, abs=0.5 * 86_400)
    assert found.numbers["earliest_in_seconds"] <= 2 * 86_400 <= found.numbers["latest_in_seconds"]
    assert found.ended_at == build.end + timedelta(seconds=found.numbers["hits_in_seconds"])
    assert (
        found.numbers["earliest_in_seconds"] <= found.numbers["hits_in_seconds"] <= found.numbers["latest_in_seconds"]
    )
    assert found.numbers["rise_per_week_ratio"] == pytest.approx(0.14, abs=0.01)


def test_a_leak_after_quiet_weeks_is_as_steep_as_it_is(build):
    # Level for ten days, then 0.40 + 0.015 · 18 = 0.67: 0.33 / 0.015 = 22 days are left. One line through all 28 days
    # would say a month and more.
    values = [0.40] * 10 * 24 + rising(0.40, 0.015, days=18, noise=0.005)
    [found] = findings(build, values)
    assert found.case == "will_hit"
    assert found.numbers["hits_in_seconds"] == pytest.approx(22 * 86_400, abs=1.5 * 86_400)
    assert found.numbers["days_count"] == pytest.approx(18, abs=2)


def test_every_beginning_that_was_tried_makes_a_trend_less_surprising(build):
    # 28 days, of which 14 are needed: 15 beginnings, though the line was level or rising by the book.
    [observed] = observe(build, [0.40] * 10 * 24 + rising(0.40, 0.015, days=18))
    rising_days = int(observed.finding.numbers["days_count"])
    assert observed.p_value == pytest.approx(15 * mann_kendall(range(rising_days))[1])
    # Of 14 days there is only one part.
    [observed] = observe(build, rising(0.40, 0.03, days=14), days=14)
    assert observed.p_value == pytest.approx(mann_kendall(range(14))[1])


def test_the_same_leak_in_other_units_gives_the_same_finding(build):
    values = rising(0.40, 0.02, noise=0.01)
    [in_ratio] = findings(build, values)
    [in_bytes] = findings(build, [v * 2 * GIB for v in values], limit=2 * GIB)
    assert in_bytes.numbers["hits_in_seconds"] == pytest.approx(in_ratio.numbers["hits_in_seconds"])


def test_gaps_do_not_change_the_date_much(build):
    values = rising(0.40, 0.02, noise=0.01)
    for hour in range(200, 290):
        values[hour] = float("nan")
    [found] = findings(build, values)
    assert found.numbers["hits_in_seconds"] == pytest.approx(2 * 86_400, abs=0.5 * 86_400)


def test_a_slow_rise_that_hits_far_ahead_is_not_told(build):
    assert findings(build, rising(0.30, 0.004, noise=0.005)) == []  # 0.41 now, five months left


def test_a_weekly_rhythm_without_growth_is_not_told(build):
    day = [0.5] * 5 + [0.2] * 2
    values = [day[n // 24 % 7] + 0.2 * (9 <= n % 24 <= 17) for n in range(28 * 24)]
    assert findings(build, values) == []


def test_a_month_end_at_the_end_is_no_trend(build):
    rng = np.random.default_rng(4)
    values = rng.normal(0.4, 0.02, 28 * 24)
    values[-5 * 24 : -2 * 24] += 0.3
    assert findings(build, values.tolist()) == []


def test_a_resource_near_its_limit_is_a_notice_without_a_date(build):
    [found] = findings(build, [0.9] * 28 * 24)
    assert (found.case, found.severity, found.ended_at) == ("high", "notice", None)
    assert found.numbers["level_ratio"] == pytest.approx(0.9)


def test_a_trend_needs_two_weeks_a_high_level_does_not(build):
    assert observe(build, rising(0.40, 0.03, days=13), days=13) == []
    assert [f.case for f in findings(build, [0.95] * 5 * 24, days=5)] == ["high"]


def test_metrics_without_a_limit_and_ages_of_queues_are_left_out(build):
    assert observe(build, rising(0.40, 0.02), limit=None) == []
    assert observe(build, rising(0.40, 0.02), name="queue.oldest_message.age") == []


def test_steady_metrics_with_noise_rarely_give_a_finding(build):
    found = sum(len(findings(build, rising(0.6, 0.0, noise=0.05, seed=seed))) for seed in range(60))
    assert found <= 3


@pytest.mark.parametrize(("days_without", "count"), [(1, 1), (2, 0), (10, 0)])
def test_a_metric_that_stopped_is_heading_nowhere(build, days_without, count):
    # One day without samples leaves Saturday's; two leave Friday's.
    values = rising(0.40, 0.02)[: (28 - days_without) * 24]
    assert len(findings(build, values)) == count


def test_follow_up(build):
    [past] = findings(build, rising(0.40, 0.02))
    calm = build.metric_hours(build.end - timedelta(days=28), [0.4] * 28 * 24, name=MEMORY, limit=1.0)
    healed = RULE.follow_up(build.evidence(metric_hours=calm), past)
    assert (healed.case, healed.state, healed.severity, healed.id) == ("resolved", "resolved", "good", past.id)
    assert RULE.follow_up(build.evidence(), past) is None
