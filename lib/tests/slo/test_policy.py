"""Every number of "Alerting on SLOs" (SRE Workbook ch. 5); the period is 30 days and the SLO 99.9 % unless said."""

from datetime import timedelta
from math import floor

import pytest

from shokubai.slo import (
    WORKBOOK_POLICY,
    allowed_minutes,
    allowed_requests,
    budget_consumed,
    burn_rate,
    burn_threshold,
    detection_time,
    error_ratio_of,
    maximum_burn_rate,
    reset_time,
    time_to_exhaustion,
)

MONTH, FOUR_WEEKS = timedelta(days=30), timedelta(days=28)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TEN_MINUTES = 10 * MINUTE


def test_table_5_1_a_ten_minute_window() -> None:
    # An alert at burn 1 spends 10 min of 30 d, and can come back every ten minutes.
    assert 100 * budget_consumed(1, lookback=TEN_MINUTES, period=MONTH) == pytest.approx(0.0231, abs=5e-5)
    assert detection_time(1.0, objective=0.999, lookback=TEN_MINUTES, threshold=1) == timedelta(seconds=0.6)
    assert DAY / TEN_MINUTES == 144


def test_table_5_2_a_36_hour_window() -> None:
    assert budget_consumed(1, lookback=36 * HOUR, period=MONTH) == 0.05
    assert burn_threshold(0.05, lookback=36 * HOUR, period=MONTH) == 1.0
    assert detection_time(1.0, objective=0.999, lookback=36 * HOUR, threshold=1) == timedelta(seconds=129.6)


def test_table_5_3_an_hour_of_total_outage_spends_more_than_the_budget() -> None:
    spent = budget_consumed(burn_rate(1.0, objective=0.999), lookback=HOUR, period=MONTH)
    assert 100 * spent == pytest.approx(138.9, abs=0.05)


@pytest.mark.parametrize(
    ("rate", "error_ratio", "exhausted"),
    [
        (1, 0.001, 30 * DAY),
        (2, 0.002, 15 * DAY),
        (10, 0.01, 3 * DAY),
        (1000, 1.0, timedelta(minutes=43.2)),
    ],
)
def test_table_5_4_burn_rates(rate: float, error_ratio: float, exhausted: timedelta) -> None:
    assert error_ratio_of(rate, objective=0.999) == error_ratio
    assert burn_rate(error_ratio, objective=0.999) == rate
    assert time_to_exhaustion(rate, period=MONTH) == exhausted


def test_table_5_5_an_alert_at_36_in_an_hour() -> None:
    assert burn_threshold(0.05, lookback=HOUR, period=MONTH) == 36.0
    assert detection_time(1.0, objective=0.999, lookback=HOUR, threshold=36) == timedelta(seconds=129.6)
    reset = reset_time(1.0, objective=0.999, lookback=HOUR, threshold=36)
    assert reset == timedelta(minutes=57.84)
    # Burning at 35 never alerts and spends everything in 20.5 hours.
    at_35 = error_ratio_of(35, objective=0.999)
    assert detection_time(at_35, objective=0.999, lookback=HOUR, threshold=36) is None
    assert reset_time(at_35, objective=0.999, lookback=HOUR, threshold=36) is None
    exhausted = time_to_exhaustion(35, period=MONTH)
    assert exhausted is not None
    assert exhausted / HOUR == pytest.approx(20.571, abs=5e-4)


def test_an_error_ratio_exactly_at_the_threshold_is_detected_when_the_window_is_full() -> None:
    for threshold in (1, 3, 6, 13.44, 14.4, 36):
        at = error_ratio_of(threshold, objective=0.999)
        assert detection_time(at, objective=0.999, lookback=HOUR, threshold=threshold) == HOUR
    assert 1 - 0.9856 < 0.0144  # in floats
    assert detection_time(1 - 0.9856, objective=0.999, lookback=HOUR, threshold=14.4) == HOUR
    assert detection_time(0.0, objective=0.999, lookback=HOUR, threshold=14.4) is None


@pytest.mark.parametrize(
    ("fraction", "hours", "threshold_30_days", "threshold_28_days", "detected_seconds"),
    [
        # Tables 5-6 and 5-8, and the pair of a day (3 × 0.001 with 24h and 2h) in the listing of method 6.
        (0.02, 1, 14.4, 13.44, 51.84),
        (0.05, 6, 6.0, 5.6, 129.6),
        (0.10, 24, 3.0, 2.8, 259.2),
        (0.10, 72, 1.0, 0.9333333333333333, 259.2),
    ],
)
def test_thresholds_are_derived_from_the_period(
    fraction: float, hours: int, threshold_30_days: float, threshold_28_days: float, detected_seconds: float
) -> None:
    lookback = hours * HOUR
    assert burn_threshold(fraction, lookback=lookback, period=MONTH) == threshold_30_days
    assert burn_threshold(fraction, lookback=lookback, period=FOUR_WEEKS) == threshold_28_days
    assert budget_consumed(threshold_30_days, lookback=lookback, period=MONTH) == pytest.approx(fraction, abs=1e-15)
    detected = detection_time(1.0, objective=0.999, lookback=lookback, threshold=threshold_30_days)
    assert detected == timedelta(seconds=detected_seconds)


def test_table_5_8_is_the_policy() -> None:
    conditions = WORKBOOK_POLICY.conditions
    assert [(c.severity, c.lookback, c.short_lookback, c.budget_fraction) for c in conditions] == [
        ("page", HOUR, 5 * MINUTE, 0.02),
        ("page", 6 * HOUR, 30 * MINUTE, 0.05),
        ("ticket", DAY, 2 * HOUR, 0.10),
        ("ticket", 3 * DAY, 6 * HOUR, 0.10),
    ]
    # "1/12 the duration of the long window".
    assert all(c.lookback == 12 * c.short_lookback for c in conditions)
    assert [c.threshold(MONTH) for c in conditions] == [14.4, 6.0, 3.0, 1.0]
    assert [c.threshold(FOUR_WEEKS) for c in conditions] == [13.44, 5.6, 2.8, 0.9333333333333333]


def test_lookbacks_longer_than_the_period_make_no_sense() -> None:
    assert [c.lookback for c in WORKBOOK_POLICY.for_period(7 * DAY)] == [HOUR, 6 * HOUR]
    assert WORKBOOK_POLICY.for_period(DAY) == ()


def test_method_6_fifteen_percent_errors_are_detected_after_five_minutes() -> None:
    detected = detection_time(0.15, objective=0.999, lookback=HOUR, threshold=14.4)
    assert detected == timedelta(minutes=5.76)


def test_low_traffic() -> None:
    # Ten requests an hour and one failure. The text says 1,000x: 10 % / 0.1 % is 100x.
    assert burn_rate(0.1, objective=0.999) == 100.0
    assert 100 * budget_consumed(100, lookback=HOUR, period=MONTH) == pytest.approx(13.889, abs=5e-4)
    requests = 10 * (MONTH // HOUR)
    assert floor(requests * 0.001) == allowed_requests(requests, 0.999) == 7


def test_extreme_availability() -> None:
    spent = budget_consumed(burn_rate(1.0, objective=0.9), lookback=HOUR, period=MONTH)
    assert 100 * spent == pytest.approx(1.389, abs=5e-4)
    assert time_to_exhaustion(burn_rate(1.0, objective=0.99999), period=MONTH) == timedelta(seconds=25.92)
    assert time_to_exhaustion(burn_rate(0.01, objective=0.99999), period=MONTH) == timedelta(minutes=43.2)
    assert allowed_minutes(MONTH, 0.99999) * 60 == pytest.approx(25.92, abs=1e-12)


def test_a_threshold_above_the_burn_of_a_total_outage_is_never_crossed() -> None:
    assert maximum_burn_rate(0.9) == 10.0
    assert maximum_burn_rate(0.999) == 1000.0
    assert detection_time(1.0, objective=0.9, lookback=HOUR, threshold=14.4) is None


def test_a_budget_that_does_not_burn_lasts() -> None:
    assert time_to_exhaustion(0, period=MONTH) is None
