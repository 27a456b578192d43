"""How an objective fared in the weeks behind it: the history from which another one can be proposed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from shokubai.core.windows import Window
from shokubai.sli.minutes import MinuteSeries
from shokubai.slo.model import OBJECTIVE_PERIODS

PERIOD = timedelta(weeks=4)


def objective_periods(series: MinuteSeries, *, at: datetime, count: int = 2) -> pd.DataFrame:
    """Valid and bad requests in each of the last four weeks' periods: OBJECTIVE_PERIODS, oldest first.

    The last one ends at ``at``; the SLO's own window does not matter. Raises ValueError when ``series`` does not
    hold all of them.
    """
    ends = [at - n * PERIOD for n in reversed(range(count))]
    parts = [series.part(Window(end - PERIOD, end)) for end in ends]
    return OBJECTIVE_PERIODS.conform(
        pd.DataFrame(
            {
                "ended_at": pd.DatetimeIndex(ends),
                "valid_count": [int(part.valid.sum()) for part in parts],
                "bad_count": [int((part.valid - part.good).sum()) for part in parts],
            }
        )
    )
