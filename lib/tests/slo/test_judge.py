from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from shokubai.core.errors import DataError
from shokubai.core.windows import DAY, HOUR, MINUTE, Window
from shokubai.sli import SILENCES, wilson
from shokubai.slo import judge

AT = datetime(2026, 11, 1, 15, tzinfo=UTC)
FOUR_WEEKS = 28 * 1440


def one_outage(bad: int, *, minutes: int = FOUR_WEEKS, before: timedelta = 10 * DAY) -> np.ndarray:
    counts = np.zeros(minutes, dtype=np.int64)
    counts[minutes - before // MINUTE] = bad
    return counts


def test_four_weeks_at_99_9_percent(make_slo, make_rows) -> None:
    # Ten requests a minute: 403,200, of which 403.2 may fail. 300 failed ten days ago.
    rows = make_rows(AT, FOUR_WEEKS, valid=10, bad=0)
    rows.loc[FOUR_WEEKS - 10 * 1440, ["valid_count", "good_count"]] = [300, 0]
    slo = make_slo()
    status = judge(slo, rows, at=AT)
    assert status.slo is slo
    assert status.window == status.whole_window == Window(AT - 28 * DAY, AT)
    assert (status.unit, status.valid_count, status.good_count, status.bad_count) == (
        "requests",
        403_490,
        403_190.0,
        300.0,
    )
    assert status.sli_ratio == 403_190 / 403_490
    assert (status.interval_low, status.interval_high) == wilson(403_190, 403_490)
    assert (status.verdict, status.reason) == ("met", "interval_above_objective")
    assert (status.budget_allowed_count, status.budget_spent_count) == (403.49, 300.0)
    assert status.budget_left_count == pytest.approx(103.49, abs=1e-9)
    assert status.budget_left_ratio == pytest.approx(1 - 300 / 403.49, abs=1e-15)
    assert status.budget_allowed_minutes == 40.32
    assert status.budget_left_minutes == pytest.approx(40.32 * (1 - 300 / 403.49), abs=1e-12)
    assert (status.empty_slice_count, status.completeness_ratio) == (0, 1.0)
    assert [b.rate for b in status.burn_rates] == [0.0] * 4
    assert status.forecast.outcome == "lasts"


def test_one_failure_of_a_thousand_spends_a_budget_of_one_tenth_percent_exactly(make_slo, make_rows) -> None:
    rows = make_rows(AT, 1000, valid=1, bad=one_outage(1, minutes=1000, before=10 * MINUTE))
    status = judge(make_slo(), rows, at=AT)
    assert (status.budget_allowed_count, status.budget_left_count, status.budget_left_ratio) == (1.0, 0.0, 0.0)
    # Spent exactly is not missed: the interval says what a thousand requests can say.
    assert (status.verdict, status.reason) == ("not_enough_data", "interval_holds_objective")


def test_an_overspent_budget_is_negative(make_slo, make_rows) -> None:
    rows = make_rows(
        AT, FOUR_WEEKS, valid=1, bad=np.r_[np.ones(100, dtype=np.int64), np.zeros(40_220, dtype=np.int64)]
    )
    status = judge(make_slo(), rows, at=AT)
    assert (status.verdict, status.reason) == ("missed", "interval_below_objective")
    assert status.budget_left_ratio == pytest.approx(1 - 100 / 40.32, abs=1e-12)
    assert status.budget_left_minutes == pytest.approx(40.32 - 100, abs=1e-9)
    assert status.forecast.outcome == "exhausted"


def test_no_traffic_is_not_100_percent(make_slo, make_rows) -> None:
    status = judge(make_slo(), make_rows(AT, 60).iloc[:0], at=AT)
    assert (status.verdict, status.reason) == ("not_enough_data", "no_traffic")
    assert (status.sli_ratio, status.interval_low, status.interval_high) == (None, None, None)
    assert (status.budget_left_ratio, status.budget_left_minutes, status.budget_allowed_count) == (None, None, 0.0)
    assert {b.rate for b in status.burn_rates} == {None}
    assert status.budget_allowed_minutes == 40.32


def test_what_lies_before_the_window_is_not_judged_but_burned(make_slo, make_rows) -> None:
    # A window of two days; three days ago, everything failed for an hour.
    bad = np.zeros(4 * 1440, dtype=np.int64)
    bad[1440 : 1440 + 60] = 1
    status = judge(make_slo(0.99, duration="2d"), make_rows(AT, 4 * 1440, valid=1, bad=bad), at=AT)
    assert (status.valid_count, status.bad_count) == (2880, 0)
    # Of a budget for two days only 2 % in an hour is as fast as its own pace: 0.96.
    assert [b.lookback for b in status.burn_rates] == [HOUR]
    assert status.burn_rates[0].peak_rate == pytest.approx(100)
    assert status.burn_rates[0].peak_at == AT - 3 * DAY + HOUR
    assert status.burn_rates[0].rate == 0.0


def test_a_log_that_begins_inside_the_window_says_since_when(make_slo, make_rows) -> None:
    since = [
        judge(make_slo(), make_rows(AT, minutes, valid=1), at=AT).data_since
        for minutes in (4 * 1440, 27 * 1440 - 1, 27 * 1440, FOUR_WEEKS)
    ]
    # Less than a day after the window's start is what a quiet night or the time of day leaves.
    assert since == [AT - 4 * DAY, AT - 27 * DAY + MINUTE, None, None]


def test_a_gap_at_the_windows_start_does_not_make_a_service_young(make_slo, make_rows) -> None:
    # A request five weeks ago, then nothing until four days ago.
    rows = pd.concat([make_rows(AT - 35 * DAY, 1, valid=1), make_rows(AT, 4 * 1440, valid=1)])
    assert judge(make_slo(), rows, at=AT).data_since is None
    assert judge(make_slo(), make_rows(AT, 60), at=AT).data_since is None


def test_rows_after_the_instant_are_not_seen(make_slo, make_rows) -> None:
    rows = make_rows(AT + DAY, FOUR_WEEKS + 1440, valid=1)
    assert judge(make_slo(), rows, at=AT).valid_count == FOUR_WEEKS


def silence(start: datetime, end: datetime, kind: str, service: str = "auth") -> pd.DataFrame:
    return SILENCES.conform(
        pd.DataFrame(
            {
                "service_name": [service],
                "started_at": [start],
                "ended_at": [end],
                "expected_count": [100.0],
                "kind": [kind],
            }
        )
    )


def test_too_much_missing_telemetry_leaves_no_verdict(make_slo, make_rows) -> None:
    rows = make_rows(AT - 3 * DAY, 25 * 1440, valid=10)
    three_days = silence(AT - 3 * DAY, AT, "late")
    status = judge(make_slo(), rows, at=AT, silences=three_days)
    assert status.completeness_ratio == 25 / 28
    assert (status.verdict, status.reason) == ("not_enough_data", "incomplete")
    assert status.sli_ratio == 1.0
    assert judge(make_slo(), rows, at=AT, silences=three_days, minimum_completeness=0.8).verdict == "met"
    for other in (silence(AT - 3 * DAY, AT, "zero_traffic"), silence(AT - 3 * DAY, AT, "late", "billing")):
        assert judge(make_slo(), rows, at=AT, silences=other).verdict == "met"


# The wall-clock time at which a business year of an organisation in Tokyo began.
ANCHOR = datetime(2026, 4, 1)  # noqa: DTZ001


def test_a_calendar_month_is_judged_so_far(make_slo, make_rows) -> None:
    # Judged at the end of Sunday, October 11, in Tokyo; the month began on Thursday, October 1, 00:00 there.
    at = datetime(2026, 10, 11, 15, tzinfo=UTC)
    rows = make_rows(at, 20 * 1440, valid=1, bad=one_outage(1, minutes=20 * 1440, before=2 * DAY))
    status = judge(make_slo(duration="1M", calendar=(ANCHOR, "Asia/Tokyo")), rows, at=at)
    start = datetime(2026, 9, 30, 15, tzinfo=UTC)
    assert status.window == Window(start, at)
    assert status.whole_window == Window(start, datetime(2026, 10, 31, 15, tzinfo=UTC))
    assert status.valid_count == 11 * 1440
    assert status.budget_allowed_count == 15.84
    assert status.budget_allowed_minutes == 44.64  # of the whole month
    # Thresholds are those of the month's real 31 days: 2 % × 744 h / 1 h.
    assert status.burn_rates[0].threshold == 14.88


def test_a_calendar_month_is_whole_at_its_end(make_slo, make_rows) -> None:
    at = datetime(2026, 10, 31, 15, tzinfo=UTC)
    status = judge(make_slo(duration="1M", calendar=(ANCHOR, "Asia/Tokyo")), make_rows(at, 40 * 1440, valid=1), at=at)
    assert status.window == status.whole_window
    assert status.window.end == at
    assert status.valid_count == 31 * 1440
    assert status.forecast.outcome == "lasts"


def test_timeslices_judge_slices(make_slo, make_rows) -> None:
    # A day of 288 slices of five minutes: 12 bad ones, 36 without traffic.
    valid, bad = np.full(1440, 4), np.zeros(1440, dtype=np.int64)
    bad[0:60:5] = 1
    valid[1200:1380] = 0
    slo = make_slo(0.95, duration="1d", budgeting="Timeslices", slice_target=0.96, slice_window="5m")
    status = judge(slo, make_rows(AT, 1440, valid=valid, bad=bad), at=AT)
    # 1 of 20 is .95 < .96.
    assert (status.unit, status.valid_count, status.bad_count, status.empty_slice_count) == ("slices", 252, 12.0, 36)
    assert status.sli_ratio == 240 / 252
    assert (status.interval_low, status.interval_high) == wilson(240, 252)
    assert status.budget_left_ratio == pytest.approx(1 - 12 / 12.6, abs=1e-15)
    assert status.budget_allowed_minutes == 72.0


def test_ratio_timeslices_average_quiet_and_busy_minutes(make_slo, make_rows) -> None:
    # An hour: 59 minutes of a thousand good requests, one minute of one request that failed.
    valid, bad = np.full(60, 1000), np.zeros(60, dtype=np.int64)
    valid[10], bad[10] = 1, 1
    slo = make_slo(0.9, duration="1h", budgeting="RatioTimeslices", slice_window="1m")
    status = judge(slo, make_rows(AT, 60, valid=valid, bad=bad), at=AT)
    assert (status.valid_count, status.good_count, status.bad_count) == (60, 59.0, 1.0)
    spread = (59 / 60 * 1 / 60 * 60 / 59) ** 0.5
    assert status.interval_low == pytest.approx(59 / 60 - 1.959963984540054 * spread / 60**0.5, abs=1e-12)
    assert status.interval_high == 1.0
    assert status.verdict == "met"


def test_slices_are_aligned_to_the_windows_start(make_slo, make_rows) -> None:
    # Windows of 1 h from 14:00, slices of 7 minutes: 8 whole ones and the last four minutes, in which one failed.
    # What comes before the window is for the burn rates only and does not move the slices.
    bad = np.zeros(300, dtype=np.int64)
    bad[-1], bad[-60] = 1, 1
    slo = make_slo(0.9, duration="1h", budgeting="Timeslices", slice_target=1.0, slice_window="7m")
    status = judge(slo, make_rows(AT, 300, valid=1, bad=bad), at=AT)
    assert (status.valid_count, status.bad_count, status.empty_slice_count) == (9, 2.0, 0)


def test_contradictions_and_odd_instants_are_refused(make_slo, make_rows) -> None:
    rows = make_rows(AT, 10, valid=1)
    with pytest.raises(ValueError, match="whole minute"):
        judge(make_slo(), rows, at=AT + timedelta(seconds=1))
    with pytest.raises(DataError, match="good_count"):
        judge(make_slo(), rows.assign(good_count=2), at=AT)
