"""Days with unusual traffic: the calendar, or something else."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from shokubai.core.windows import Week
from shokubai.findings.rules.traffic import RULE

TOKYO = ZoneInfo("Asia/Tokyo")
# Requests per day, Monday to Sunday. 2026-W44 ends October: Wednesday to Friday are its last three business days.
ORDINARY = [2400, 2400, 2400, 2400, 2400, 480, 480]
MONTH_END = [2400, 2400, 4080, 4080, 4800, 480, 480]
LAST_MONTH_DAYS = ["09-24", "09-25", "09-28", "09-29", "09-30"]


def findings(evidence):
    return [o.finding for o in RULE.observe(evidence) if o.finding]


def weekly(build, days, start):
    return build.route_hours(start, [count // 24 for count in days for _ in range(24)])


def last_month(build, days):
    return pd.concat(
        [
            build.route_hours(build.at(f"{day} 00:00"), [count // 24] * 24)
            for day, count in zip(LAST_MONTH_DAYS, days, strict=True)
        ]
    )


def compared(build, week, *, comparable=ORDINARY, past=None, **more):
    frames = {
        "route_hours": weekly(build, week, build.start),
        "comparable_route_hours": weekly(build, comparable, build.before),
    }
    if past is not None:
        frames["last_month_route_hours"] = last_month(build, past)
    return build.evidence(**(frames | more))


def test_a_month_end_like_last_months_is_only_a_notice(build):
    [found] = findings(compared(build, MONTH_END, past=MONTH_END[:5]))
    assert (found.rule, found.case, found.severity) == ("traffic", "month_turn", "notice")
    assert (found.started_at, found.ended_at) == (build.at("10-28 00:00"), build.at("10-31 00:00"))
    assert found.numbers["change_factor"] == pytest.approx((4080 + 4080 + 4800) / (3 * 2400))
    assert found.numbers["last_month_requests_count"] == 4080 + 4080 + 4800


def test_a_peak_that_last_month_did_not_have_is_unusual(build):
    week = [2400, 9600, 2400, 2400, 2400, 480, 480]
    [found] = findings(compared(build, week, past=[2400] * 5))
    assert found.case == "unusual"
    assert found.started_at == build.at("10-27 00:00")
    assert found.numbers["peak_factor"] == 4.0
    assert found.numbers["peak_low_factor"] < 4 < found.numbers["peak_high_factor"]


def test_a_month_end_far_beyond_last_months_is_unusual(build):
    week = [2400, 2400, 2400, 2400, 12000, 480, 480]
    assert [f.case for f in findings(compared(build, week, past=MONTH_END[:5]))] == ["unusual"]


def test_a_fall_in_traffic_is_unusual_too(build):
    week = [2400, 960, 2400, 2400, 2400, 480, 480]
    [found] = findings(compared(build, week, past=[2400] * 5))
    assert found.case == "unusual"
    assert found.numbers["change_factor"] == pytest.approx(0.4)


def test_with_one_baseline_alone_nothing_is_said(build):
    assert findings(compared(build, MONTH_END)) == []
    assert findings(compared(build, [2400, 9600, 2400, 2400, 2400, 480, 480])) == []


def test_ordinary_weeks_and_small_traffic_give_nothing(build):
    assert findings(compared(build, ORDINARY, past=ORDINARY[:5])) == []
    small, smaller = [120] * 7, [48] * 7
    assert list(RULE.observe(compared(build, small, comparable=smaller))) == []


def test_a_day_with_a_silence_is_left_to_the_data_gap(build):
    week = [2400, 960, 2400, 2400, 2400, 480, 480]
    gap = build.silences((build.at("10-27 10:00"), build.at("10-27 18:00"), 1000.0, "telemetry_gap"))
    assert findings(compared(build, week, past=[2400] * 5, silences=gap)) == []


def test_without_a_comparable_week_nothing_is_compared(build):
    assert list(RULE.observe(build.evidence(route_hours=weekly(build, MONTH_END, build.start)))) == []


def test_a_week_after_holidays_is_compared_with_last_month_where_the_days_differ_in_kind(build):
    """2026-W40 follows Silver Week: its Monday to Wednesday are business days, those of 2026-W39 holidays."""
    week, before = Week(2026, 40), Week(2026, 39)
    frames = {
        "route_hours": weekly(build, [2400] * 5 + [480] * 2, week.window(TOKYO).start),
        "comparable_route_hours": weekly(build, [240] * 3 + [2400] * 2 + [480] * 2, before.window(TOKYO).start),
    }
    evidence = replace(build.evidence(**frames), week=week)
    assert evidence.comparable_week == before
    assert findings(evidence) == []
    calm = {"last_month_route_hours": build.route_hours(build.at("08-27 00:00"), [100] * 24)}
    assert findings(replace(evidence, **calm)) == []
    # Monday 28 September, third last business day, is matched with Thursday 27 August.
    quiet = {"last_month_route_hours": build.route_hours(build.at("08-27 00:00"), [20] * 24)}
    [found] = findings(replace(evidence, **quiet))
    assert (found.case, found.numbers["peak_factor"]) == ("unusual", 5)


def test_a_team_that_works_on_the_organisations_holiday_is_not_unusual(build):
    """Monday 12 October 2026 is a holiday in Japan; people elsewhere work as on other Mondays."""
    week, before = Week(2026, 42), Week(2026, 41)
    days = [2400] * 5 + [480] * 2
    evidence = build.evidence(
        route_hours=weekly(build, days, week.window(TOKYO).start),
        comparable_route_hours=weekly(build, days, before.window(TOKYO).start),
        last_month_route_hours=build.route_hours(build.at("09-13 00:00"), [20] * 48),
    )
    assert findings(replace(evidence, week=week)) == []


def test_a_public_holiday_is_never_too_quiet(build):
    """Wednesday 23 September 2026 is a holiday in Japan, quieter than the Saturday of last month."""
    week, before = Week(2026, 39), Week(2026, 38)
    days = [2400] * 2 + [240] + [2400] * 2 + [480] * 2
    evidence = build.evidence(
        route_hours=weekly(build, days, week.window(TOKYO).start),
        comparable_route_hours=weekly(build, [2400] * 5 + [480] * 2, before.window(TOKYO).start),
        last_month_route_hours=weekly(build, [480] * 7, build.at("08-24 00:00")),
    )
    assert findings(replace(evidence, week=week)) == []
    busy = weekly(build, [480, 480, 9600, 2400, 2400, 480, 480], week.window(TOKYO).start)
    [found] = findings(replace(evidence, week=week, route_hours=busy))
    assert found.numbers["peak_factor"] == 4


def test_sampled_weeks_give_nothing(build):
    rng = np.random.default_rng(2)
    for _ in range(50):
        week, comparable, past = (rng.poisson(ORDINARY).tolist() for _ in range(3))
        assert findings(compared(build, week, comparable=comparable, past=past[:5])) == []
