"""How fast the budget burns, at each instant and for each lookback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from shokubai.config.model import Slo
from shokubai.core.windows import DAY, MINUTE, Window
from shokubai.sli.minutes import IntArray, MinuteSeries, minute_offset
from shokubai.slo.budget import TIE, FloatArray, budget_fraction_of
from shokubai.slo.budgeting import BudgetEvents, events_of
from shokubai.slo.model import BURN_HISTORY, BurnRate
from shokubai.slo.policy import WORKBOOK_POLICY, BudgetPolicy

PEAK_SPAN = 7 * DAY


def burn_rates_at(events: BudgetEvents, ends: npt.ArrayLike, *, lookback: timedelta, objective: float) -> FloatArray:
    """Burn rates over the ``lookback`` before each end, in minutes from the events' start; NaN without traffic.

    A lookback that reaches before the events' start has what is there. Of slices only whole ones count.
    """
    until: IntArray = np.asarray(ends, dtype=np.int64)
    valid, bad = events.between(until - lookback // MINUTE, until)
    allowed = valid * float(budget_fraction_of(objective))
    rates = np.full(allowed.shape, np.nan)
    np.divide(bad, allowed, out=rates, where=allowed > 0)
    return rates


def burn_history(
    slo: Slo,
    series: MinuteSeries,
    *,
    window: Window | None = None,
    lookbacks: Sequence[timedelta] | None = None,
    step: timedelta = 10 * MINUTE,
    known_until: datetime | None = None,
) -> pd.DataFrame:
    """Burn rates over time: BURN_HISTORY, by lookback and instant, one row each ``step`` up to the window's end.

    ``series`` should begin a lookback before ``window`` (default: all of it). ``lookbacks`` default to those of
    the burn conditions that fit in the SLO's window. After ``known_until`` there is no burn rate. Raises
    ValueError when the series does not hold the window.
    """
    shown = window or series.window
    series.part(shown)
    whole = slo.window.whole(shown.end)
    events = events_of(slo, series, anchor=whole.start)
    if lookbacks is None:
        lookbacks = [c.lookback for c in WORKBOOK_POLICY.for_period(whole.duration)]
    ends = np.arange(1, shown.duration // step + 1) * (step // MINUTE) + minute_offset(shown.start, events.start)
    at = pd.DatetimeIndex([events.start]).as_unit("us").repeat(len(ends)) + pd.to_timedelta(ends, unit="min")
    frames = [
        pd.DataFrame(
            {
                "at": at,
                "lookback_seconds": int(lookback.total_seconds()),
                "burn_rate": burn_rates_at(events, ends, lookback=lookback, objective=slo.objective),
            }
        )
        for lookback in lookbacks
    ]
    if not frames:
        return BURN_HISTORY.empty()
    history = pd.concat(frames, ignore_index=True)
    if known_until is not None:
        history["burn_rate"] = history["burn_rate"].mask(history["at"] > pd.Timestamp(known_until))
    return BURN_HISTORY.conform(history)


def current_burn_rates(
    events: BudgetEvents,
    *,
    objective: float,
    period: timedelta,
    at: datetime,
    known_until: datetime | None = None,
    policy: BudgetPolicy = WORKBOOK_POLICY,
) -> tuple[BurnRate, ...]:
    """The burn rate of each condition at ``at``, and its highest value in the week before.

    After ``known_until`` (default: ``at``) requests are missing and there is no peak: the fewer requests are left
    in a lookback that goes on without them, the more each failure weighs.
    """
    now = minute_offset(at, events.start)
    ends = np.arange(max(1, now - PEAK_SPAN // MINUTE + 1), now + 1)
    found = []
    for condition in policy.for_period(period):
        rates = burn_rates_at(events, ends, lookback=condition.lookback, objective=objective)
        short_rates = burn_rates_at(events, ends, lookback=condition.short_lookback, objective=objective)
        threshold = condition.threshold(period)
        now_rate = float(rates[-1]) if len(rates) and not np.isnan(rates[-1]) else None
        if known_until is not None:
            rates[ends > minute_offset(known_until, events.start)] = np.nan
        known = ~np.isnan(rates)
        _, bad = events.between(ends - condition.lookback // MINUTE, ends)
        limit = threshold * (1 + TIE)
        crossed = np.flatnonzero((rates > limit) & (short_rates > limit) & (bad >= minimum_bad_count(events)))
        peak = int(np.nanargmax(rates)) if known.any() else None
        found.append(
            BurnRate(
                lookback=condition.lookback,
                short_lookback=condition.short_lookback,
                budget_fraction=condition.budget_fraction,
                severity=condition.severity,
                threshold=threshold,
                rate=now_rate,
                peak_rate=None if peak is None else float(rates[peak]),
                peak_at=None if peak is None else events.start + int(ends[peak]) * MINUTE,
                peak_bad_count=None if peak is None else float(bad[peak]),
                crossed_at=events.start + int(ends[crossed[0]]) * MINUTE if len(crossed) else None,
            )
        )
    return tuple(found)


def minimum_bad_count(events: BudgetEvents) -> int:
    """How many bad events make a burn rate worth acting on: one failed request in a quiet hour is none."""
    return 1 if events.unit == "slices" else 5
