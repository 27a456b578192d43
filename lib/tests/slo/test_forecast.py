"""Forecasts of services with sixty requests an hour, one a minute."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shokubai.core.windows import DAY, HOUR
from shokubai.slo import judge

AT = datetime(2026, 11, 1, 15, tzinfo=UTC)


def failures(minutes: int, *, every_hours: int, days: int = 3) -> np.ndarray:
    """One failure at the beginning of each ``every_hours`` hours of the last ``days`` days."""
    bad = np.zeros(minutes, dtype=np.int64)
    bad[minutes - days * 1440 :: every_hours * 60] = 1
    return bad


def test_a_rolling_budget_is_spent_in_the_hour_in_which_the_pace_reaches_it(make_slo, make_rows) -> None:
    # Ten days at 99 %: 144 of 14,400 may fail. 72 did, one an hour for three days; the hours that roll off for the
    # next seven days hold no failure. So 144 are reached after 72 hours, exactly.
    rows = make_rows(AT, 14_400, valid=1, bad=failures(14_400, every_hours=1))
    forecast = judge(make_slo(0.99, duration="10d"), rows, at=AT).forecast
    assert forecast.outcome == "exhausts"
    assert forecast.exhausted_at == AT + 72 * HOUR
    assert forecast.pace_burn_rate == pytest.approx(1 / 60 / 0.01, abs=1e-12)
    assert forecast.lookback == 3 * DAY


def test_a_rolling_budget_lasts_when_failures_roll_off_as_fast_as_they_come(make_slo, make_rows) -> None:
    # One failure in two hours: 36 now, 120 after seven days, and from then on each new one replaces an old one.
    rows = make_rows(AT, 14_400, valid=1, bad=failures(14_400, every_hours=2))
    forecast = judge(make_slo(0.99, duration="10d"), rows, at=AT).forecast
    assert (forecast.outcome, forecast.exhausted_at) == ("lasts", None)
    assert forecast.pace_burn_rate == pytest.approx(1 / 120 / 0.01, abs=1e-12)


def test_a_budget_that_is_spent_exactly_is_exhausted(make_slo, make_rows) -> None:
    rows = make_rows(AT, 14_400, valid=1, bad=failures(14_400, every_hours=1, days=6))
    status = judge(make_slo(0.99, duration="10d"), rows, at=AT)
    assert status.budget_left_ratio == 0.0
    assert (status.forecast.outcome, status.forecast.exhausted_at) == ("exhausted", None)


def test_a_quiet_weekend_does_not_shrink_the_budget(make_slo, make_rows) -> None:
    # Four weeks that end on a Sunday: 60 requests an hour, 6 at weekends, 29,952 in all, of which 299.52 may fail.
    # 270 did on Wednesday. The pace's days (Friday to Sunday) had no failure and 40 % of the usual traffic; were
    # that to go on, the budget would sink below 270 by itself.
    minutes = 28 * 1440
    day_of_week = (np.arange(minutes) // 1440) % 7
    valid = np.where(day_of_week < 5, 1, np.arange(minutes) % 10 == 0)
    bad = np.zeros(minutes, dtype=np.int64)
    bad[23 * 1440 : 23 * 1440 + 270] = 1
    status = judge(make_slo(0.99), make_rows(AT, minutes, valid=valid, bad=bad), at=AT)
    assert (status.valid_count, status.bad_count) == (29_952, 270)
    assert status.forecast.outcome == "lasts"
    assert status.forecast.pace_burn_rate == 0.0


def test_a_young_service_has_its_own_traffic(make_slo, make_rows) -> None:
    # Four days old: 57.6 of 5,760 may fail, 36 did, half a one an hour for three days. In a window of ten days the
    # empty days roll off first, and traffic and budget grow: the ratio tends to the pace of 1/120 < 1/100.
    rows = make_rows(AT, 4 * 1440, valid=1, bad=failures(4 * 1440, every_hours=2))
    assert judge(make_slo(0.99, duration="10d"), rows, at=AT).forecast.outcome == "lasts"


def test_without_traffic_nothing_is_known(make_slo, make_rows) -> None:
    slo = make_slo(0.99, duration="10d")
    assert judge(slo, make_rows(AT, 60), at=AT).forecast.outcome == "unknown"
    # Traffic in the window, but none in the days that would show the pace.
    earlier = judge(slo, make_rows(AT - 4 * DAY, 1440, valid=1), at=AT).forecast
    assert (earlier.outcome, earlier.pace_burn_rate) == ("unknown", None)


def october(make_slo):
    anchor = datetime(2026, 1, 1)  # noqa: DTZ001 - OpenSLO's startTime is a wall-clock time
    return make_slo(0.99, duration="1M", calendar=(anchor, "Asia/Tokyo"))


TENTH_DAY = datetime(2026, 10, 10, 15, tzinfo=UTC)  # October 11, 00:00 in Tokyo: ten of 31 days are over


def test_a_calendar_budget_is_that_of_the_whole_period(make_slo, make_rows) -> None:
    # 14,400 so far, 44,640 by the month's end: 446.4 may fail. 72 did; one more each hour makes 374.4 hours.
    rows = make_rows(TENTH_DAY, 14_400, valid=1, bad=failures(14_400, every_hours=1))
    forecast = judge(october(make_slo), rows, at=TENTH_DAY).forecast
    assert forecast.outcome == "exhausts"
    assert forecast.exhausted_at is not None
    assert abs(forecast.exhausted_at - (TENTH_DAY + timedelta(hours=374.4))) < timedelta(seconds=1)


def test_a_calendar_budget_lasts_to_the_periods_end(make_slo, make_rows) -> None:
    # Half as many: (446.4 - 36) / 0.5 = 820.8 hours, beyond the 504 that are left.
    rows = make_rows(TENTH_DAY, 14_400, valid=1, bad=failures(14_400, every_hours=2))
    assert judge(october(make_slo), rows, at=TENTH_DAY).forecast.outcome == "lasts"
    nothing_fails = make_rows(TENTH_DAY, 14_400, valid=1)
    assert judge(october(make_slo), nothing_fails, at=TENTH_DAY).forecast.outcome == "lasts"


def test_a_blip_on_a_months_second_day_does_not_spend_the_months_budget(make_slo, make_rows) -> None:
    # October 3, 00:00: 2,880 of an expected 44,640 requests have come. 43 failed at once on the first day, more than
    # the 28.8 that the requests so far allow, but a tenth of the 446.4 of the whole month. At the pace of
    # these two days, 43 of 2,880, the other 403.4 take 403.4 / (60 × 43/2,880) = 450.3 hours, within the month.
    at = datetime(2026, 10, 2, 15, tzinfo=UTC)
    bad = np.zeros(2880, dtype=np.int64)
    bad[600:643] = 1
    status = judge(october(make_slo), make_rows(at, 2880, valid=1, bad=bad), at=at)
    assert status.budget_left_ratio == pytest.approx(1 - 43 / 28.8, abs=1e-12)
    assert status.projected_left_ratio == pytest.approx(1 - 43 / 446.4, abs=1e-12)
    assert status.forecast.outcome == "exhausts"
    assert status.forecast.exhausted_at is not None
    expected = timedelta(hours=(446.4 - 43) / (60 * 43 / 2880))
    assert abs(status.forecast.exhausted_at - (at + expected)) < timedelta(seconds=1)


def test_a_month_whose_whole_budget_is_gone_is_exhausted(make_slo, make_rows) -> None:
    # 446 of 446.4 is not all of it, 447 is.
    at = datetime(2026, 10, 2, 15, tzinfo=UTC)
    outcomes = []
    for failed in (446, 447):
        bad = np.zeros(2880, dtype=np.int64)
        bad[:failed] = 1
        status = judge(october(make_slo), make_rows(at, 2880, valid=1, bad=bad), at=at)
        outcomes.append(status.forecast.outcome)
    assert outcomes == ["exhausts", "exhausted"]


def test_at_a_months_end_nothing_is_projected(make_slo, make_rows) -> None:
    at = datetime(2026, 10, 31, 15, tzinfo=UTC)
    status = judge(october(make_slo), make_rows(at, 44_640, valid=1, bad=failures(44_640, every_hours=1)), at=at)
    assert status.projected_left_ratio == status.budget_left_ratio == pytest.approx(1 - 72 / 446.4, abs=1e-12)
