"""An objective's requests in steps of five minutes: fine enough to see a fault begin and end."""

from __future__ import annotations

import pandas as pd

from shokubai.core.windows import HOUR, Window
from shokubai.display.frames import SLI_STEPS
from shokubai.workspace.team_week import TeamWeek

STEP = pd.Timedelta(minutes=5)
_AROUND = 1 * HOUR


def detail_window(week: TeamWeek, slo_name: str) -> Window | None:
    """The hours worth a closer look: all that is shown where the data is short, else those of the worst episode.

    The worst is the one that spent most of the budget. None when there was no episode.
    """
    if week.is_short:
        return week.shown
    episodes = week.episodes[slo_name]
    if episodes.empty:
        return None
    worst = episodes.iloc[int(episodes["budget_spent_ratio"].to_numpy().argmax())]
    start = (worst["started_at"] - _AROUND).floor("h").to_pydatetime()
    end = (worst["ended_at"] + _AROUND).ceil("h").to_pydatetime()
    return Window(start, min(end, week.at)) if start < week.at else None


def sli_steps(week: TeamWeek, slo_name: str, window: Window) -> pd.DataFrame:
    """SLI_STEPS: one row per five minutes of ``window``, also of those without requests."""
    minutes = week.sli_minutes[slo_name]
    steps = pd.date_range(window.start, window.end, freq=STEP, inclusive="left", unit="us", name="started_at")
    mine = minutes[(minutes["minute"] >= steps[0]) & (minutes["minute"] < pd.Timestamp(window.end))]
    counts = mine.groupby(mine["minute"].dt.floor(STEP))[["valid_count", "good_count"]].sum()
    frame = counts.reindex(steps, fill_value=0).rename_axis("started_at").reset_index()
    frame["bad_count"] = frame["valid_count"] - frame["good_count"]
    frame["bad_ratio"] = frame["bad_count"] / frame["valid_count"].where(frame["valid_count"] > 0)
    return SLI_STEPS.conform(frame)
