from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from shokubai.core.errors import DataError
from shokubai.core.windows import Window
from shokubai.sli import MinuteSeries, fill_minutes
from shokubai.tables.contracts import SLI_MINUTES

START = datetime(2026, 10, 26, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(minutes=5))


def rows(*counts: tuple[int, int, int]) -> pd.DataFrame:
    """SLI_MINUTES of (minute counted from START, valid, good)."""
    return pd.DataFrame(
        {
            "minute": pd.DatetimeIndex([START + timedelta(minutes=m) for m, _, _ in counts]),
            "valid_count": [v for _, v, _ in counts],
            "good_count": [g for _, _, g in counts],
        }
    )


def test_each_minute_has_an_entry_and_rows_outside_are_left_out() -> None:
    series = fill_minutes(rows((3, 7, 6), (0, 2, 2), (-1, 100, 0), (5, 100, 0), (3, 1, 1)), WINDOW)
    assert series.valid.tolist() == [2, 0, 0, 8, 0]
    assert series.good.tolist() == [2, 0, 0, 7, 0]
    assert (series.valid.dtype, series.good.dtype) == (np.int64, np.int64)
    assert series.window == WINDOW


def test_no_rows_are_zeros() -> None:
    assert fill_minutes(SLI_MINUTES.empty(), WINDOW).valid.tolist() == [0] * 5


def test_minutes_of_other_zones_and_resolutions_are_the_same_minutes() -> None:
    frame = rows((1, 4, 3))
    frame["minute"] = frame["minute"].dt.tz_convert("Asia/Tokyo").astype("datetime64[ns, Asia/Tokyo]")
    local = Window(WINDOW.start.astimezone(ZoneInfo("Asia/Tokyo")), WINDOW.end)
    assert fill_minutes(frame, local).valid.tolist() == [0, 4, 0, 0, 0]


@pytest.mark.parametrize("row", [(0, 4, 5), (0, 4, -1), (0, -2, -3)])
def test_counts_that_cannot_be_are_refused(row: tuple[int, int, int]) -> None:
    with pytest.raises(DataError, match=rf"1 row.*good_count {row[2]} and valid_count {row[1]}; allowed"):
        fill_minutes(rows((1, 1, 1), row), WINDOW)


def test_a_row_without_a_minute_is_refused() -> None:
    frame = rows((0, 1, 1), (1, 1, 1))
    frame.loc[1, "minute"] = pd.NaT
    with pytest.raises(DataError, match="minute NaT"):
        fill_minutes(frame, WINDOW)


def test_a_window_lies_on_whole_minutes() -> None:
    with pytest.raises(ValueError, match="whole minute"):
        fill_minutes(rows(), Window(START + timedelta(seconds=30), START + timedelta(minutes=5)))
    with pytest.raises(ValueError, match="whole minute"):
        fill_minutes(rows(), Window(START, START + timedelta(seconds=90)))


def test_a_part_of_a_series() -> None:
    series = fill_minutes(rows((0, 1, 1), (1, 2, 1), (2, 3, 0)), WINDOW)
    part = series.part(Window(START + timedelta(minutes=1), START + timedelta(minutes=3)))
    assert (part.start, part.valid.tolist(), part.good.tolist()) == (START + timedelta(minutes=1), [2, 3], [1, 0])
    with pytest.raises(ValueError, match="the series covers"):
        series.part(Window(START, START + timedelta(minutes=6)))


def test_a_series_holds_as_many_good_as_valid_minutes() -> None:
    with pytest.raises(ValueError, match="same minutes"):
        MinuteSeries(START, np.ones(3, dtype=np.int64), np.ones(2, dtype=np.int64))
