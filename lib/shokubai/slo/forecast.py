"""When will the budget be spent if the last days' pace goes on?"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from shokubai.core.windows import DAY, HOUR, MINUTE, Window
from shokubai.sli.minutes import minute_offset
from shokubai.slo.budget import TIE, budget_fraction_of, error_budget, projected_valid
from shokubai.slo.budgeting import BudgetEvents
from shokubai.slo.model import Forecast

PACE_LOOKBACK = 3 * DAY


def forecast(
    events: BudgetEvents, *, objective: float, window: Window, whole_window: Window, is_rolling: bool
) -> Forecast:
    """The forecast at the end of ``window``, the judged part of ``whole_window``.

    The pace is the share of bad events over the last three days (or the whole window if that is shorter). Traffic
    is taken to stay at the window's mean per hour since its first event, so that a quiet weekend in the pace does
    not shrink the budget.

    Rolling: hour by hour the oldest hour of the window goes and an hour at that traffic and pace comes; the
    budget is spent in the first hour in which bad ≥ (1 − objective) × valid, and lasts when that does not happen
    within one window's length. Calendar: the period's budget is (1 − objective) × valid so far × period / elapsed;
    it is spent when bad so far + pace × traffic × hours reaches that, and lasts when the period ends before.
    exhausted: nothing is left now, for a calendar period of the budget that it will have. unknown: no traffic in
    the window, or none in the pace's days.
    """
    start, now = minute_offset(window.start, events.start), minute_offset(window.end, events.start)
    lookback = min(PACE_LOOKBACK, whole_window.duration)
    valid, bad = _total(events, start, now)
    recent_valid, recent_bad = _total(events, now - lookback // MINUTE, now)
    pace = recent_bad / recent_valid if recent_valid else None
    rate = None if pace is None else pace / float(budget_fraction_of(objective))
    likely_valid = projected_valid(valid, window=window, whole_window=whole_window)
    left = error_budget(bad, valid=likely_valid, objective=objective).left_ratio
    if left is None:
        return Forecast("unknown", None, rate, lookback)
    if left <= 0:
        return Forecast("exhausted", None, rate, lookback)
    if pace is None:
        return Forecast("unknown", None, None, lookback)
    traffic = valid / _hours_with_traffic(events, window)
    if is_rolling:
        exhausted_at = _roll(events, window=window, objective=objective, traffic=traffic, pace=pace)
    else:
        allowed = float(budget_fraction_of(objective)) * likely_valid
        exhausted_at = _draw_on(window.end, allowed=allowed, spent=bad, per_hour=pace * traffic)
        if exhausted_at is not None and exhausted_at > whole_window.end:
            exhausted_at = None
    return Forecast("lasts" if exhausted_at is None else "exhausts", exhausted_at, rate, lookback)


def _roll(events: BudgetEvents, *, window: Window, objective: float, traffic: float, pace: float) -> datetime | None:
    start, now = minute_offset(window.start, events.start), minute_offset(window.end, events.start)
    hours = np.arange(1, -(-window.duration // HOUR) + 1)
    old_valid, old_bad = events.between(start + 60 * hours, np.full(len(hours), now))
    valid = old_valid + traffic * hours
    bad = old_bad + pace * traffic * hours
    allowed = valid * float(budget_fraction_of(objective))
    spent = np.flatnonzero((bad > 0) & (bad >= allowed * (1 - TIE)))
    return window.end + int(hours[spent[0]]) * HOUR if len(spent) else None


def _draw_on(now: datetime, *, allowed: float, spent: float, per_hour: float) -> datetime | None:
    if per_hour <= 0:
        return None
    hours = max(0.0, allowed - spent) / per_hour
    # Beyond a century it lasts, and datetime could not hold it.
    return now + timedelta(hours=hours) if hours < 100 * 366 * 24 else None


def _total(events: BudgetEvents, start: int, end: int) -> tuple[int, float]:
    valid, bad = events.between(start, end)
    return int(valid), float(bad)


def _hours_with_traffic(events: BudgetEvents, window: Window) -> float:
    """Hours of the window since its first event; there is one."""
    valid, _ = events.within(window)
    slices = len(valid) - int(np.flatnonzero(valid)[0])
    return slices * events.slice_minutes / 60
