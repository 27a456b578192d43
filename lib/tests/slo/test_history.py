from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shokubai.core.windows import DAY, HOUR, Window
from shokubai.sli import fill_minutes
from shokubai.slo import budget_history, judge
from shokubai.slo.model import BUDGET_HISTORY

AT = datetime(2026, 11, 1, 15, tzinfo=UTC)
ANCHOR = datetime(2026, 4, 1)  # noqa: DTZ001 - a wall-clock time


def test_a_failure_enters_the_window_and_leaves_it(make_slo, make_rows) -> None:
    # A window of four hours at 95 %: 12 of 240 may fail. Six failed in the minute after 10:00.
    rows = make_rows(AT, 12 * 60, valid=1)
    ten = AT - 5 * HOUR
    minute = (ten - (AT - 12 * HOUR)) // timedelta(minutes=1)
    rows.loc[minute, ["valid_count", "good_count"]] = [6, 0]
    series = fill_minutes(rows, Window(AT - 12 * HOUR, AT))
    history = budget_history(make_slo(0.95, duration="4h"), series, window=Window(AT - 7 * HOUR, AT))
    BUDGET_HISTORY.conform(history)
    assert history["at"].tolist() == [AT - n * HOUR for n in (6, 5, 4, 3, 2, 1, 0)]
    with_failures = 1 - 6 / (245 * 0.05)
    assert history["budget_left_ratio"].tolist() == pytest.approx(
        [1, 1, with_failures, with_failures, with_failures, with_failures, 1], abs=1e-12
    )
    assert history["sli_ratio"].tolist() == pytest.approx([1, 1, *[239 / 245] * 4, 1], abs=1e-12)


def test_hours_without_traffic_have_no_ratio(make_slo, make_rows) -> None:
    rows = make_rows(AT - 3 * HOUR, 60, valid=1)
    series = fill_minutes(rows, Window(AT - 6 * HOUR, AT))
    history = budget_history(make_slo(duration="1h"), series, window=Window(AT - 4 * HOUR, AT))
    assert np.isnan(history["sli_ratio"]).tolist() == [False, True, True, True]
    assert np.isnan(history["budget_left_ratio"]).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    "options",
    [
        {"duration": "7d"},
        {"duration": "7d", "budgeting": "Timeslices", "slice_target": 0.9, "slice_window": "5m"},
        {"duration": "7d", "budgeting": "RatioTimeslices", "slice_window": "1m"},
        {"duration": "7d", "budgeting": "RatioTimeslices", "slice_window": "1h"},
        {"duration": "1M", "calendar": (ANCHOR, "Asia/Tokyo")},
        {"duration": "1w", "calendar": (ANCHOR, "America/New_York"), "budgeting": "Timeslices",
         "slice_target": 0.9, "slice_window": "1m"},
    ],
)  # fmt: skip
def test_each_row_is_what_judging_at_that_instant_gives(make_slo, make_rows, options) -> None:
    generator = np.random.default_rng(3)
    minutes = 45 * 1440
    valid = generator.poisson(3, minutes) * (generator.random(minutes) < 0.5)
    rows = make_rows(AT, minutes, valid=valid, bad=generator.binomial(valid, 0.02))
    slo = make_slo(0.97, **options)
    series = fill_minutes(rows, Window(AT - 45 * DAY, AT))
    history = budget_history(slo, series, window=Window(AT - 10 * DAY, AT)).set_index("at")
    assert len(history) == 240
    for at in (AT, AT - HOUR, AT - 30 * HOUR, AT - 7 * DAY, AT - 239 * HOUR):
        status = judge(slo, rows, at=at)
        assert history.loc[at, "sli_ratio"] == pytest.approx(status.sli_ratio, abs=1e-12)
        assert history.loc[at, "budget_left_ratio"] == pytest.approx(status.budget_left_ratio, abs=1e-9)


def test_a_calendar_budget_begins_anew(make_slo, make_rows) -> None:
    # October's last hour and November's first in Tokyo; every October request failed.
    midnight = datetime(2026, 10, 31, 15, tzinfo=UTC)
    rows = make_rows(midnight + 2 * HOUR, 240, valid=1, bad=np.r_[np.ones(120, dtype=int), np.zeros(120, dtype=int)])
    start = datetime(2026, 9, 30, 15, tzinfo=UTC)
    series = fill_minutes(rows, Window(start, midnight + 2 * HOUR))
    slo = make_slo(0.9, duration="1M", calendar=(ANCHOR, "Asia/Tokyo"))
    history = budget_history(slo, series, window=Window(midnight - HOUR, midnight + 2 * HOUR))
    # At midnight sharp the old month is judged, whole.
    assert history["sli_ratio"].tolist() == [0.0, 1.0, 1.0]
    assert history["budget_left_ratio"].tolist() == pytest.approx([-9.0, 1.0, 1.0], abs=1e-12)


def test_a_series_that_begins_too_late_is_refused(make_slo, make_rows) -> None:
    series = fill_minutes(make_rows(AT, 60, valid=1), Window(AT - 28 * DAY, AT))
    with pytest.raises(ValueError, match="the series covers"):
        budget_history(make_slo(), series, window=Window(AT - DAY, AT))
