"""One SLO judged at one instant."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from shokubai.config.model import Slo
from shokubai.core.windows import DAY, MINUTE, Window
from shokubai.sli.completeness import completeness_ratio
from shokubai.sli.minutes import fill_minutes, minute_offset
from shokubai.sli.model import MISSING_KINDS
from shokubai.slo.budget import allowed_minutes, error_budget
from shokubai.slo.budgeting import events_of
from shokubai.slo.burn import PEAK_SPAN, current_burn_rates
from shokubai.slo.forecast import forecast
from shokubai.slo.model import SloStatus
from shokubai.slo.policy import WORKBOOK_POLICY, BudgetPolicy
from shokubai.slo.verdict import judge_interval, mean_ratio_interval, ratio_interval


def judge(
    slo: Slo,
    sli_minutes: pd.DataFrame,
    *,
    at: datetime,
    silences: pd.DataFrame | None = None,
    minimum_completeness: float = 0.9,
    policy: BudgetPolicy = WORKBOOK_POLICY,
) -> SloStatus:
    """Is the objective met at ``at``, how sure is that, and what is left of the budget?

    ``sli_minutes`` are SLI_MINUTES over the SLO's window (a calendar period: so far); rows from up to ten days
    before it make the burn rates' peaks exact and are not judged, and older ones tell a young service from a gap
    at the window's start (``data_since``). ``silences`` (SILENCES) lower the completeness;
    None means that nothing is known to be missing. Raises ValueError when ``at`` or the window's start is not on
    a whole minute, DataError when the rows contradict themselves.
    """
    whole = slo.window.whole(at)
    window = Window(whole.start, at)
    longest = max((c.lookback for c in policy.conditions), default=MINUTE)
    reach = Window(min(window.start, at - PEAK_SPAN - longest), at)
    events = events_of(slo, fill_minutes(sli_minutes, reach), anchor=window.start)

    slices, bad_by_slice = events.within(window)
    totals = events.between(minute_offset(window.start, events.start), minute_offset(window.end, events.start))
    valid, bad = int(totals[0]), float(totals[1])
    good = valid - bad
    budget = error_budget(bad, valid=valid, objective=slo.objective)
    if slo.budgeting == "RatioTimeslices":
        interval = mean_ratio_interval(1.0 - bad_by_slice[slices > 0])
    else:
        interval = ratio_interval(good, valid)
    known, until = 1.0, at
    if silences is not None:
        known = completeness_ratio(silences, window=window, service=slo.service)
        until = known_until(silences, service=slo.service, at=at)
    judgement = judge_interval(
        interval, objective=slo.objective, completeness_ratio=known, minimum_completeness=minimum_completeness
    )
    minutes = allowed_minutes(whole.duration, slo.objective)
    return SloStatus(
        slo=slo,
        window=window,
        whole_window=whole,
        unit=events.unit,
        valid_count=valid,
        good_count=good,
        bad_count=bad,
        empty_slice_count=int(np.count_nonzero(slices == 0)) if events.unit == "slices" else 0,
        sli_ratio=good / valid if valid else None,
        interval_low=judgement.low,
        interval_high=judgement.high,
        verdict=judgement.verdict,
        reason=judgement.reason,
        completeness_ratio=known,
        budget_allowed_count=budget.allowed,
        budget_spent_count=budget.spent,
        budget_left_count=budget.left,
        budget_left_ratio=budget.left_ratio,
        budget_allowed_minutes=minutes,
        budget_left_minutes=None if budget.left_ratio is None else budget.left_ratio * minutes,
        burn_rates=current_burn_rates(
            events,
            objective=slo.objective,
            period=whole.duration,
            at=at,
            known_until=until,
            policy=policy,
        ),
        forecast=forecast(
            events,
            objective=slo.objective,
            window=window,
            whole_window=whole,
            is_rolling=slo.window.is_rolling,
        ),
        data_since=_data_since(sli_minutes, window),
    )


def _data_since(sli_minutes: pd.DataFrame, window: Window) -> datetime | None:
    seen = sli_minutes.loc[sli_minutes["valid_count"] > 0, "minute"]
    first = seen.min() if len(seen) else pd.NaT
    if pd.isna(first) or not window.start + DAY < first < window.end:
        return None
    since: datetime = first.to_pydatetime(warn=False)
    return since


def known_until(silences: pd.DataFrame, *, service: str, at: datetime) -> datetime:
    """Where a service's missing telemetry that reaches to ``at`` begins; ``at`` when there is none.

    ``silences`` are SILENCES.
    """
    mine = silences[(silences["service_name"] == service) & silences["kind"].isin(MISSING_KINDS)]
    reaching = mine[mine["ended_at"] >= pd.Timestamp(at)]
    return at if reaching.empty else min(at, reaching["started_at"].min().to_pydatetime())
