"""How the budget went: the SLO judged again at each hour."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from shokubai.config.model import Slo
from shokubai.core.windows import HOUR, Window
from shokubai.sli.minutes import MinuteSeries, minute_offset
from shokubai.slo.budget import budget_left_ratios
from shokubai.slo.budgeting import events_of
from shokubai.slo.model import BUDGET_HISTORY


def budget_history(slo: Slo, series: MinuteSeries, *, window: Window, step: timedelta = HOUR) -> pd.DataFrame:
    """SLI and budget left over time: BUDGET_HISTORY, one row each ``step`` up to the end of ``window``.

    Each row judges the rolling window that ends there, or the calendar period so far, so that ``series`` begins
    one SLO window earlier. Raises ValueError when it does not hold all that. Slices lie as in the last row's
    window; in rows whose window cuts a slice, that slice is left out.
    """
    ends = [window.start + n * step for n in range(1, window.duration // step + 1)]
    starts = _window_starts(slo, ends)
    if not ends:
        return BUDGET_HISTORY.empty()
    series.part(Window(starts[0], window.end))
    events = events_of(slo, series, anchor=slo.window.whole(window.end).start)
    valid, bad = events.between(
        [minute_offset(start, events.start) for start in starts], [minute_offset(end, events.start) for end in ends]
    )
    ratios = np.full(valid.shape, np.nan)
    np.divide(valid - bad, valid, out=ratios, where=valid > 0)
    return BUDGET_HISTORY.conform(
        pd.DataFrame(
            {
                "at": pd.DatetimeIndex(ends),
                "sli_ratio": ratios,
                "budget_left_ratio": budget_left_ratios(bad, valid=valid, objective=slo.objective),
            }
        )
    )


def _window_starts(slo: Slo, ends: list[datetime]) -> list[datetime]:
    starts: list[datetime] = []
    period: Window | None = None
    for end in ends:
        if slo.window.is_rolling or period is None or end > period.end:
            period = slo.window.whole(end)
        starts.append(period.start)
    return starts
