"""How much of a week is in the data: a log of one afternoon is not drawn over seven days."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from shokubai.core.windows import DAY, MINUTE, Window

SHORT = 2 * DAY


def shown_window(
    week: Window,
    minutes: pd.Series,
    *,
    log_begins_at: datetime | None,
    data_complete_through: datetime | None,
) -> Window:
    """What charts of a week show: the whole hours around its requests where the data is short, else the week.

    The data is short when the requests of the week lie within less than two days and the log begins in the week
    or ends before it does. ``minutes`` are minutes with requests. A service that nobody used for the rest of the
    week is shown with the whole of it: that time is known to be empty.
    """
    inside = minutes[(minutes >= pd.Timestamp(week.start)) & (minutes < pd.Timestamp(week.end))]
    begins_here = log_begins_at is not None and log_begins_at >= week.start
    ends_here = data_complete_through is not None and data_complete_through < week.end
    if inside.empty or not (begins_here or ends_here):
        return week
    first, last = inside.min(), inside.max() + MINUTE
    if last - first >= SHORT:
        return week
    return Window(first.floor("h").to_pydatetime(), last.ceil("h").to_pydatetime())
