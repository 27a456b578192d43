"""The stretches in which an SLO's budget burned so fast that somebody should have been paged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from shokubai.config.model import Slo
from shokubai.core.windows import MINUTE, Window
from shokubai.sli.minutes import MinuteSeries, minute_offset
from shokubai.slo.budget import TIE, budget_share, projected_valid
from shokubai.slo.budgeting import BudgetEvents, events_of
from shokubai.slo.burn import minimum_bad_count
from shokubai.slo.model import EPISODES
from shokubai.slo.policy import WORKBOOK_POLICY, BurnCondition, error_ratio_of

BoolArray = npt.NDArray[np.bool_]
MERGE_WITHIN = 15 * MINUTE
PAGES = tuple(condition for condition in WORKBOOK_POLICY.conditions if condition.severity == "page")
# A burn rate supposes that traffic is even. One failure among three requests before dawn burns fast and costs little.
MINIMUM_BUDGET_RATIO = 0.01


def find_episodes(
    slo: Slo,
    series: MinuteSeries,
    *,
    at: datetime | None = None,
    conditions: Sequence[BurnCondition] = PAGES,
    merge_within: timedelta = MERGE_WITHIN,
    minimum_budget_ratio: float = MINIMUM_BUDGET_RATIO,
) -> pd.DataFrame:
    """When users failed fast enough to page somebody, and what it cost: EPISODES, by time.

    An episode is a stretch in which the burn rate over the short lookback of the first of ``conditions`` (default:
    2 % of the budget in an hour, or 5 % in six hours) stays above its threshold, and at some minute of which any
    of them holds, over its long and its short lookback. It begins with the first and ends after the last slice
    that by itself burns above the threshold; episodes less than ``merge_within`` apart are one. Those that spent
    less than ``minimum_budget_ratio`` of the budget, or had less than a handful of bad requests, are left out. Its
    counts are requests; its share of the budget is in the unit of the SLO, of the budget of the SLO's window that
    ends ``at`` (default: the series' end).
    With a calendar window it is of the budget of the period in which the episode ended, as far as the series holds
    that; the budget of a period that is not over is what ``projected_valid`` makes of the traffic so far.

    An objective so low that even a total outage stays below the threshold (1 / (1 − objective)) has no episodes.
    """
    end = at or series.window.end
    whole = slo.window.whole(end)
    events = events_of(slo, series, anchor=whole.start)
    valid_of: dict[Window, float] = {}
    limits = [error_ratio_of(c.threshold(whole.duration), objective=slo.objective) for c in conditions]
    burning = _burning(events, list(zip(conditions, limits, strict=True)))
    rows = []
    for first, last in _merged(burning, merge_within // MINUTE // events.slice_minutes):
        begin = events.start + first * events.slice_minutes * MINUTE
        until = min(events.start + last * events.slice_minutes * MINUTE, series.window.end)
        part = series.part(Window(begin, until))
        period = whole if slo.window.is_rolling else slo.window.whole(until)
        if period not in valid_of:
            valid_of[period] = _valid_in(events, period, end)
        bad = float(events.bad[first:last].sum())
        spent = budget_share(bad, valid=valid_of[period], objective=slo.objective)
        if bad < minimum_bad_count(events) or spent is None or spent < minimum_budget_ratio * (1 - TIE):
            continue
        rows.append((begin, until, int(part.valid.sum()), int((part.valid - part.good).sum()), spent))
    return EPISODES.conform(pd.DataFrame(rows, columns=list(EPISODES.columns))) if rows else EPISODES.empty()


def _valid_in(events: BudgetEvents, period: Window, end: datetime) -> float:
    """The events that make a period's budget; of one that goes on beyond ``end`` those that are likely."""
    judged = Window(period.start, min(period.end, end))
    valid, _ = events.between(minute_offset(judged.start, events.start), minute_offset(judged.end, events.start))
    return projected_valid(int(valid), window=judged, whole_window=period)


def _burning(events: BudgetEvents, limits: Sequence[tuple[BurnCondition, float]]) -> Iterator[tuple[int, int]]:
    """(first, end) of each stretch of slices, trimmed to the slices that burn by themselves.

    ``limits`` are the conditions, each with the error ratio of its threshold.
    """
    condition, limit = limits[0]
    short = _slices(events, condition.short_lookback)
    by_itself = _exceeds(events, 1, limit)
    stretch = _exceeds(events, short, limit)
    alarm = np.zeros(len(stretch), dtype=np.bool_)
    for other, other_limit in limits:
        alarm |= _exceeds(events, _slices(events, other.short_lookback), other_limit) & _exceeds(
            events, _slices(events, other.lookback), other_limit
        )
    edges = np.diff(np.concatenate([[False], stretch, [False]]).astype(np.int8))
    for first, last in zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True):
        if not alarm[first:last].any():
            continue
        # The short lookback of the stretch's first slice holds what set it off.
        begin = max(0, first - short + 1)
        hot = np.flatnonzero(by_itself[begin:last])
        yield begin + int(hot[0]), begin + int(hot[-1]) + 1


def _slices(events: BudgetEvents, span: timedelta) -> int:
    """How many whole slices hold a lookback, at least one."""
    return max(1, -(-(span // MINUTE) // events.slice_minutes))


def _exceeds(events: BudgetEvents, slices: int, limit: float) -> BoolArray:
    """Whether the error ratio of the last ``slices`` slices exceeds ``limit``, at the end of each slice."""
    ends = (np.arange(len(events.valid)) + 1) * events.slice_minutes
    valid, bad = events.between(ends - slices * events.slice_minutes, ends)
    exceeds: BoolArray = bad > limit * valid * (1 + TIE)
    return exceeds


def _merged(stretches: Iterator[tuple[int, int]], within: int) -> Iterator[tuple[int, int]]:
    """Stretches less than ``within`` slices apart as one."""
    open_first: int | None = None
    open_last = 0
    for first, last in stretches:
        if open_first is not None and first - open_last < max(1, within):
            open_last = max(open_last, last)
            continue
        if open_first is not None:
            yield open_first, open_last
        open_first, open_last = first, last
    if open_first is not None:
        yield open_first, open_last
