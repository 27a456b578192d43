"""Good and valid counts as one number per minute, with zeros where nothing was seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from shokubai.core.errors import DataError
from shokubai.core.windows import MINUTE, Window
from shokubai.tables.contracts import SLI_MINUTES

IntArray = npt.NDArray[np.int64]
_MICROSECONDS = 60_000_000


@dataclass(frozen=True, eq=False)
class MinuteSeries:
    """Valid and good requests of one SLO for each minute from ``start`` on."""

    start: datetime
    valid: IntArray
    good: IntArray

    def __post_init__(self) -> None:
        require_whole_minute(self.start)
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        if self.valid.shape != self.good.shape or self.valid.ndim != 1 or not len(self.valid):
            raise ValueError(f"valid and good hold the same minutes, got {self.valid.shape} and {self.good.shape}")

    @property
    def minutes(self) -> int:
        return len(self.valid)

    @property
    def window(self) -> Window:
        return Window(self.start, self.start + self.minutes * MINUTE)

    def part(self, window: Window) -> MinuteSeries:
        """The minutes of ``window``. Raises ValueError when it is not wholly inside."""
        if window.start < self.start or window.end > self.window.end:
            raise ValueError(f"the series covers {self.window}, not all of {window}")
        first = minute_offset(window.start, self.start)
        last = minute_offset(window.end, self.start)
        return MinuteSeries(window.start, self.valid[first:last], self.good[first:last])


def fill_minutes(sli_minutes: pd.DataFrame, window: Window) -> MinuteSeries:
    """One entry per minute of ``window`` from SLI_MINUTES rows, zero where there is no row.

    Rows may come in any order; rows of the same minute are added up; rows outside the window are ignored.
    Raises DataError where a count is negative, more are good than valid or the minute is missing; ValueError
    when the window does not lie on whole minutes.
    """
    require_whole_minute(window.start)
    require_whole_minute(window.end)
    frame = SLI_MINUTES.conform(sli_minutes)
    wrong = frame[frame["minute"].isna() | (frame["good_count"] < 0) | (frame["good_count"] > frame["valid_count"])]
    if len(wrong):
        first = wrong.iloc[0]
        raise DataError(
            f"sli_minutes: {len(wrong)} row(s) cannot be; the first, minute {first['minute']}, has "
            f"good_count {first['good_count']} and valid_count {first['valid_count']}; "
            "allowed: a minute, and 0 <= good_count <= valid_count; check what the SLO's query counts"
        )
    at = minute_offsets(frame["minute"], window.start)
    inside = (at >= 0) & (at < window.minutes)
    valid = np.zeros(window.minutes, dtype=np.int64)
    good = np.zeros(window.minutes, dtype=np.int64)
    np.add.at(valid, at[inside], frame["valid_count"].to_numpy()[inside])
    np.add.at(good, at[inside], frame["good_count"].to_numpy()[inside])
    return MinuteSeries(window.start, valid, good)


def minute_offsets(instants: pd.Series | pd.DatetimeIndex, start: datetime) -> IntArray:
    """Whole minutes from ``start`` to each instant, rounded down."""
    microseconds = pd.DatetimeIndex(instants).as_unit("us").asi8
    offsets: IntArray = (microseconds - round(start.timestamp()) * 1_000_000) // _MICROSECONDS
    return offsets


def minute_offset(instant: datetime, start: datetime) -> int:
    """Whole minutes from ``start`` to ``instant``."""
    return (instant - start) // MINUTE


def require_whole_minute(instant: datetime) -> None:
    """Raises ValueError when an instant has no time zone or is not on a whole minute."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    if instant.second or instant.microsecond:
        raise ValueError(f"{instant} is not on a whole minute; minute counts cannot be cut inside a minute")
