"""How much of a week is in the data: a log of one afternoon is not drawn over seven days."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from shokubai.core.windows import DAY, HOUR, MINUTE, Window

SHORT = 2 * DAY


def seen_window(week: Window, minutes: pd.Series) -> Window | None:
    """From the week's first minute with requests to the end of its last; None when it has none."""
    inside = minutes[(minutes >= pd.Timestamp(week.start)) & (minutes < pd.Timestamp(week.end))]
    if inside.empty:
        return None
    return Window(inside.min().to_pydatetime(), inside.max().to_pydatetime() + MINUTE)


def shown_window(
    week: Window,
    seen: Window | None,
    *,
    log_begins_at: datetime | None,
    data_complete_through: datetime | None,
) -> Window:
    """What charts of a week show: the whole hours around its requests where the data is short, else the week.

    The data is short when the requests of the week, which lie in ``seen``, lie within less than two days and the
    log begins in the week or ends before it does. A service that nobody used for the rest of the week is shown
    with the whole of it: that time is known to be empty.
    """
    begins_here = log_begins_at is not None and log_begins_at >= week.start
    ends_here = data_complete_through is not None and data_complete_through < week.end
    if seen is None or seen.duration >= SHORT or not (begins_here or ends_here):
        return week
    end = seen.end.replace(minute=0)
    return Window(seen.start.replace(minute=0), end if end == seen.end else end + HOUR)
