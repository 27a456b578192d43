from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shokubai.core.windows import DAY, HOUR, MINUTE, Window
from shokubai.slo import burn_history, count_events
from shokubai.slo.burn import burn_rates_at, current_burn_rates
from shokubai.slo.model import BURN_HISTORY

START = datetime(2026, 10, 26, tzinfo=UTC)


def test_a_burn_rate_is_the_error_ratio_of_the_lookback_in_budgets(make_series) -> None:
    # Ten requests a minute; one fails in minute 2, ten in minute 4.
    valid, good = [10] * 6, [10, 10, 9, 10, 0, 10]
    events = count_events(make_series(valid, good))
    rates = burn_rates_at(events, [1, 2, 3, 4, 5, 6], lookback=2 * MINUTE, objective=0.99)
    # Of 10, 20, 20, … requests in the lookback 0, 0, 1, 1, 10, 10 failed; the budget is 1 %.
    assert rates.tolist() == pytest.approx([0, 0, 5, 5, 50, 50], abs=1e-12)


def test_no_traffic_has_no_burn_rate(make_series) -> None:
    events = count_events(make_series([0, 0, 10, 0, 0], [0, 0, 9, 0, 0]))
    rates = burn_rates_at(events, [2, 3, 4, 5], lookback=2 * MINUTE, objective=0.9)
    assert np.isnan(rates).tolist() == [True, False, False, True]
    assert rates[1:3].tolist() == pytest.approx([1, 1], abs=1e-12)


def test_the_history_has_a_row_per_lookback_and_step(make_slo, make_series) -> None:
    # Four hours of one request a minute, all failing from 02:00 to 02:30.
    good = [1] * 120 + [0] * 30 + [1] * 90
    series = make_series([1] * 240, good)
    history = burn_history(
        make_slo(0.99),
        series,
        window=Window(START + HOUR, START + 4 * HOUR),
        lookbacks=[HOUR, 2 * HOUR],
        step=30 * MINUTE,
    )
    BURN_HISTORY.conform(history)
    assert history["lookback_seconds"].tolist() == [3600] * 6 + [7200] * 6
    assert history["at"].tolist() == [START + HOUR + n * 30 * MINUTE for n in (1, 2, 3, 4, 5, 6)] * 2
    # At 01:30, 02:00, … 04:00 the last hour holds 0, 0, 30, 30, 0, 0 failures of 60, the last two 0 0 30 30 30 30
    # of 120, but of 90 at 01:30.
    assert history["burn_rate"].tolist() == pytest.approx([0, 0, 50, 50, 0, 0, 0, 0, 25, 25, 25, 25], abs=1e-12)


def test_the_history_of_four_weeks_has_the_policys_lookbacks(make_slo, make_series) -> None:
    series = make_series([1] * 1440, [1] * 1440)
    assert burn_history(make_slo(), series)["lookback_seconds"].unique().tolist() == [3600, 21600, 86400, 259200]
    # At 7 days 2 % in 1 h is 3.36, 5 % in 6 h is 1.4; 10 % in a day would be 0.7, slower than the budget's own pace.
    assert burn_history(make_slo(duration="7d"), series)["lookback_seconds"].unique().tolist() == [3600, 21600]
    assert burn_history(make_slo(duration="1d"), series).empty


def test_a_history_that_the_series_does_not_hold_is_refused(make_slo, make_series) -> None:
    with pytest.raises(ValueError, match="the series covers"):
        burn_history(make_slo(), make_series([1] * 60, [1] * 60), window=Window(START, START + 2 * HOUR))


def test_slices_burn_by_their_share(make_slo, make_series) -> None:
    slo = make_slo(0.9, budgeting="Timeslices", slice_window="5m", slice_target=1.0)
    # Twelve slices of five minutes; the last three hold a failure each.
    series = make_series([1] * 60, ([1] * 45) + ([0] + [1] * 4) * 3)
    history = burn_history(slo, series, lookbacks=[HOUR, 30 * MINUTE], step=HOUR)
    assert history["burn_rate"].tolist() == pytest.approx([3 / 12 / 0.1, 3 / 6 / 0.1], abs=1e-12)


def test_current_burn_rates_and_their_peak_in_the_week_before(make_series) -> None:
    # Eight days of ten requests a minute at 99.9 %. Total outages of six minutes: eight hours before the end of
    # the first day (not in the last week), and on the fifth day at noon. One failure in the last hour.
    minutes = 8 * 1440
    good = np.full(minutes, 10)
    first, second = 960, 4 * 1440 + 720
    good[first : first + 6] = 0
    good[second : second + 6] = 0
    good[-30] = 9
    at = START + 8 * DAY
    hour, six_hours, day, three_days = current_burn_rates(
        count_events(make_series([10] * minutes, good)), objective=0.999, period=28 * DAY, at=at
    )
    assert hour.rate == pytest.approx(1 / 600 / 0.001, abs=1e-9)
    assert (hour.peak_rate, hour.peak_at) == (pytest.approx(60 / 600 / 0.001), START + (second + 6) * MINUTE)
    assert six_hours.rate == pytest.approx(1 / 3600 / 0.001, abs=1e-9)
    assert day.peak_rate == pytest.approx(60 / 14_400 / 0.001, abs=1e-9)
    # The last week's first instant looks back on the first day and its outage, all of the series so far; later ones
    # hold more traffic, and never both outages, which lie more than three days apart.
    assert three_days.peak_rate == pytest.approx(60 / (1441 * 10) / 0.001, abs=1e-9)
    assert three_days.peak_at == START + 1441 * MINUTE
    assert [b.threshold for b in (hour, six_hours, day, three_days)] == [13.44, 5.6, 2.8, 0.9333333333333333]


def test_without_traffic_there_is_neither_rate_nor_peak(make_series) -> None:
    events = count_events(make_series([0] * 120, [0] * 120))
    rates = current_burn_rates(events, objective=0.999, period=28 * DAY, at=START + 2 * HOUR)
    assert {(b.rate, b.peak_rate, b.peak_at) for b in rates} == {(None, None, None)}


def test_a_quiet_last_hour_has_no_rate_but_a_peak(make_series) -> None:
    events = count_events(make_series([1] * 60 + [0] * 60, [0] + [1] * 59 + [0] * 60))
    hour, six_hours, *_ = current_burn_rates(events, objective=0.9, period=28 * DAY, at=START + timedelta(hours=2))
    assert hour.rate is None
    assert hour.peak_rate == pytest.approx(10)
    assert hour.peak_at == START + MINUTE
    assert six_hours.rate == pytest.approx(1 / 6)


def test_where_requests_are_missing_nothing_is_a_peak(make_slo, make_series) -> None:
    # A request a minute for three hours, of which the last ten fail; then nothing is in the data any more.
    series = make_series([1] * 180 + [0] * 360, [1] * 170 + [0] * 370)
    known_until = START + 3 * HOUR
    options = {"objective": 0.9, "period": 28 * DAY, "at": START + 9 * HOUR}
    _, six_hours, *_ = current_burn_rates(count_events(series), **options)
    assert (six_hours.peak_rate, six_hours.peak_at) == (pytest.approx(10.0), START + 8 * HOUR + 50 * MINUTE)
    _, six_hours, *_ = current_burn_rates(count_events(series), **options, known_until=known_until)
    assert (six_hours.peak_rate, six_hours.peak_at) == (pytest.approx(10 / 18), known_until)
    history = burn_history(make_slo(0.9), series, lookbacks=[6 * HOUR], step=HOUR, known_until=known_until)
    assert history["burn_rate"].isna().tolist() == [False] * 3 + [True] * 6


def test_a_condition_is_crossed_when_both_lookbacks_burn_and_enough_has_failed(make_series) -> None:
    # Two days of 10 requests a minute at 99.9 %. From minute 1500 on everything fails for 10 minutes. Over 28 days
    # the page threshold is 13.44 in the hour, an error ratio of 0.01344: 8.064 of 600 requests. Minute 1500 alone has
    # 10 failures, so the hour and the 5 minutes (10 of 50) both exceed it at the end of that minute.
    good = [10] * 2880
    good[1500:1510] = [0] * 10
    at = START + 2 * DAY
    page = current_burn_rates(count_events(make_series([10] * 2880, good)), objective=0.999, period=28 * DAY, at=at)[
        0
    ]
    assert page.crossed_at == START + 1501 * MINUTE
    assert page.peak_bad_count == 100
    # One failure among two requests of a quiet hour burns at 500, and means nothing.
    valid, good = [0] * 2880, [0] * 2880
    valid[600], good[600] = 2, 1
    quiet = current_burn_rates(count_events(make_series(valid, good)), objective=0.999, period=28 * DAY, at=at)[0]
    assert quiet.peak_rate == pytest.approx(500)
    assert (quiet.crossed_at, quiet.peak_bad_count) == (None, 1)
