"""What an SLO counts: requests (Occurrences), or slices of time (Timeslices, RatioTimeslices), as OpenSLO has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from shokubai.config.model import Budgeting, Slo
from shokubai.core.windows import MINUTE, Window
from shokubai.sli.minutes import IntArray, MinuteSeries, minute_offset
from shokubai.slo.budget import TIE, FloatArray

Unit = Literal["requests", "slices"]


@dataclass(frozen=True, eq=False)
class BudgetEvents:
    """Events that count against the budget, slice by slice from ``start`` on; a slice is a minute for requests.

    ``valid`` and ``bad`` are requests, or 1 for a slice with traffic and its share of badness (0 or 1 for
    Timeslices, 1 − good/valid for RatioTimeslices). A slice without traffic is neither good nor bad: 0 and 0.
    The last slice may be cut short by the series' end and counts as one.
    """

    start: datetime
    minutes: int
    slice_minutes: int
    unit: Unit
    valid: IntArray
    bad: FloatArray

    @cached_property
    def _cumulative(self) -> tuple[IntArray, FloatArray]:
        return (
            np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.valid)]),
            np.concatenate([np.zeros(1), np.cumsum(self.bad)]),
        )

    def between(self, starts: npt.ArrayLike, ends: npt.ArrayLike) -> tuple[IntArray, FloatArray]:
        """(valid, bad) in each span of minutes counted from ``start``: its whole slices.

        Spans that reach beyond the series have what is inside of it.
        """
        first = -(-np.maximum(np.asarray(starts, dtype=np.int64), 0) // self.slice_minutes)
        until = np.asarray(ends, dtype=np.int64)
        last = np.where(until >= self.minutes, len(self.valid), until // self.slice_minutes)
        last = np.maximum(first, last)
        first, last = np.minimum(first, len(self.valid)), np.minimum(last, len(self.valid))
        valid, bad = self._cumulative
        return valid[last] - valid[first], bad[last] - bad[first]

    def within(self, window: Window) -> tuple[IntArray, FloatArray]:
        """``valid`` and ``bad`` of the slices wholly in ``window``, slice by slice."""
        first = -(-max(0, minute_offset(window.start, self.start)) // self.slice_minutes)
        until = minute_offset(window.end, self.start)
        last = len(self.valid) if until >= self.minutes else until // self.slice_minutes
        return self.valid[first:last], self.bad[first:last]


def count_events(
    series: MinuteSeries,
    *,
    budgeting: Budgeting = "Occurrences",
    slice_minutes: int = 1,
    slice_target: float | None = None,
) -> BudgetEvents:
    """The events of a budgeting method; slices begin at the series' start.

    Occurrences: requests. Timeslices: a slice is bad when good/valid < ``slice_target``. RatioTimeslices: each
    slice counts its own ratio, so that a quiet minute weighs as much as a busy one. Raises ValueError for
    Timeslices without a target. Source: OpenSLO v1, budgetingMethod.
    """
    if budgeting == "Occurrences":
        bad = (series.valid - series.good).astype(np.float64)
        return BudgetEvents(series.start, series.minutes, 1, "requests", series.valid, bad)
    starts = np.arange(0, series.minutes, slice_minutes)
    valid = np.add.reduceat(series.valid, starts)
    good = np.add.reduceat(series.good, starts)
    with_traffic = valid > 0
    if budgeting == "Timeslices":
        if slice_target is None:
            raise ValueError("Timeslices needs a target for its slices (OpenSLO: timeSliceTarget)")
        bad = (with_traffic & (good < slice_target * valid * (1 - TIE))).astype(np.float64)
    else:
        bad = np.zeros(len(valid))
        np.divide(valid - good, valid, out=bad, where=with_traffic)
    return BudgetEvents(series.start, series.minutes, slice_minutes, "slices", with_traffic.astype(np.int64), bad)


def events_of(slo: Slo, series: MinuteSeries, *, anchor: datetime) -> BudgetEvents:
    """The events of an SLO in a series, with slices that begin at ``anchor`` and whole slices before and after it.

    Up to one slice's minutes at the beginning of the series are left out so that the slices fit the anchor.
    Raises ValueError when the series ends before the first of them.
    """
    slice_minutes = slice_minutes_of(slo)
    if slo.budgeting != "Occurrences" and (surplus := minute_offset(anchor, series.start) % slice_minutes):
        series = series.part(Window(series.start + surplus * MINUTE, series.window.end))
    return count_events(
        series, budgeting=slo.budgeting, slice_minutes=slice_minutes, slice_target=slo.time_slice_target
    )


def slice_minutes_of(slo: Slo) -> int:
    """How long an SLO's slices are, in minutes; a minute where it counts requests."""
    return slo.time_slice_window.timedelta // MINUTE if slo.time_slice_window else 1
