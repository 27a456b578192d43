"""Which resources will hit their limit, and when?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd

from shokubai.core.windows import DAY
from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding
from shokubai.findings.observation import Observation, Rule
from shokubai.findings.rules.queue_age import is_queue_age
from shokubai.findings.statistics import Trend, mann_kendall, theil_sen

_METRIC = ["service_name", "metric_name"]
_LEVEL_DAYS = 3  # the level now is the median of so many last days


@dataclass(frozen=True)
class Usage:
    """One metric with a limit: the median hour of each local day, as a share of the limit.

    ``days`` are whole days counted from the first; days without samples are missing, not zero.
    """

    service: str
    metric: str
    unit: str
    limit: float
    days: pd.Series
    shares: pd.Series

    @property
    def level(self) -> float:
        return float(self.shares.iloc[-_LEVEL_DAYS:].median())


def usages(evidence: Evidence) -> Iterable[Usage]:
    """Every metric of the team's services that states a limit; ages of queues have a rule of their own."""
    hours = evidence.metric_hours[evidence.metric_hours["limit_value"] > 0]
    hours = hours.assign(
        share=hours["mean_value"] / hours["limit_value"],
        day=hours["hour"].dt.tz_convert(evidence.zone).dt.tz_localize(None).dt.normalize(),
    ).dropna(subset=["share"])
    for (service, metric), rows in hours.groupby(_METRIC, sort=True):
        if is_queue_age(str(metric)):
            continue
        daily = rows.groupby("day", sort=True)["share"].median()
        days = pd.Series((daily.index - daily.index[0]) / DAY)
        last = rows.sort_values("hour").iloc[-1]
        shares = daily.reset_index(drop=True)
        yield Usage(str(service), str(metric), str(last["unit"]), float(last["limit_value"]), days, shares)


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per metric with a limit and enough days.

    will_hit: usage rises steadily (Kendall's tau, its p-value, Sen's interval above zero) and reaches the limit
    within the horizon. high: the last days are near the limit, rising or not; a plain fact.
    """
    thresholds = evidence.thresholds("saturation")
    for usage in usages(evidence):
        is_high = usage.level >= thresholds["high_ratio"]
        high = _finding(evidence, usage, "high", None) if is_high else None
        if len(usage.shares) < thresholds["minimum_days"]:
            if high:
                yield Observation(high)
            continue
        tau, p_value = mann_kendall(usage.shares)
        trend = theil_sen(usage.days, usage.shares)
        rises = tau >= thresholds["minimum_tau_ratio"] and trend.interval.low > 0
        days_left = max(0.0, 1 - usage.level) / trend.slope if rises else math.inf
        if rises and (is_high or days_left <= thresholds["horizon_days"]):
            yield Observation(_finding(evidence, usage, "will_hit", trend), p_value)
        else:
            yield Observation(None, p_value)
            if high:
                yield Observation(high)


def _finding(evidence: Evidence, usage: Usage, case: str, trend: Trend | None) -> Finding:
    hits_at, earliest, latest = (_hits(evidence, usage, s) for s in _slopes(trend))
    soon = hits_at is not None and hits_at <= evidence.window.end + 7 * DAY
    return Finding(
        "saturation",
        case,
        usage.service,
        "warning" if soon else "notice",
        subject=usage.metric,
        ended_at=hits_at,
        numbers={
            "affected_count": 0.0,
            "level_ratio": usage.level,
            "limit_value": usage.limit,
            "rise_per_week_ratio": trend.slope * 7 if trend else None,
            "days_count": float(len(usage.shares)),
            "hits_in_seconds": _seconds_left(evidence, hits_at),
            "earliest_in_seconds": _seconds_left(evidence, earliest),
            "latest_in_seconds": _seconds_left(evidence, latest),
        },
    )


def _slopes(trend: Trend | None) -> tuple[float | None, float | None, float | None]:
    return (trend.slope, trend.interval.high, trend.interval.low) if trend else (None, None, None)


def _hits(evidence: Evidence, usage: Usage, slope: float | None) -> datetime | None:
    """When a line from the present level with this daily slope reaches the limit; None beyond ten years."""
    if slope is None or slope <= 0:
        return None
    days = max(0.0, 1 - usage.level) / slope
    return evidence.window.end + timedelta(days=days) if days < 3650 else None


def _seconds_left(evidence: Evidence, at: datetime | None) -> float | None:
    return None if at is None else (at - evidence.window.end).total_seconds()


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when the metric is still reported and no longer near its limit; silent when it is not reported."""
    usage = next((u for u in usages(evidence) if (u.service, u.metric) == (past.service, past.subject)), None)
    if usage is None:
        return None
    return replace(_finding(evidence, usage, "resolved", None), severity="good", state="resolved")


RULE = Rule("saturation", ("will_hit", "high", "resolved"), observe, follow_up)
