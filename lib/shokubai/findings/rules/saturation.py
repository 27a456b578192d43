"""Which resources will hit their limit, and when?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from shokubai.core.windows import DAY
from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.findings.rules.queue_age import is_queue_age
from shokubai.findings.statistics import Z_95, Trend, mann_kendall, theil_sen

_METRIC = ["service_name", "metric_name"]
_MAD_TO_SIGMA = 1.4826  # the median absolute deviation of a normal distribution
_TEN_YEARS = 3650.0  # in days
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

    def hits_after(self, slope: float) -> float:
        """Days from the series' end until a line through the present level reaches the limit."""
        return self._until_limit(float(self.days.iloc[-_LEVEL_DAYS:].median()), self.level, slope)

    def hits_after_from_the_middle(self, slope: float) -> float:
        """The same for a line through the middle of the series: slopes that differ fan out from there."""
        return self._until_limit(float(self.days.median()), float(self.shares.median()), slope)

    def since_it_rose(self, fewest: int) -> tuple[Usage, int]:
        """The part to which the newest trend belongs, at least ``fewest`` days, and how many parts were tried.

        It begins where a series that is level first and then a line fits best (least squares): a leak that began two
        weeks ago is not half as steep because two quiet weeks came before it.
        """
        days, shares = self.days.to_numpy(), self.shares.to_numpy()
        starts = range(len(days) - fewest + 1)
        squares = [_squares_left(np.maximum(days - days[start], 0.0), shares) for start in starts]
        start = int(np.argmin(squares))
        newest_days, newest_shares = (part.iloc[start:].reset_index(drop=True) for part in (self.days, self.shares))
        return replace(self, days=newest_days, shares=newest_shares), len(starts)

    def _until_limit(self, day: float, share: float, slope: float) -> float:
        # A day's median stands for its noon, half a day before it ends.
        age = float(self.days.iloc[-1]) - day + 0.5
        return max(0.0, (1 - share) / slope - age) if slope > 0 else math.inf


def _squares_left(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """The sum of squares that a line through the points leaves."""
    spread = x - x.mean()
    slope = (spread * y).sum() / (spread**2).sum()
    return float(((y - y.mean() - slope * spread) ** 2).sum())


def usages(evidence: Evidence) -> Iterable[Usage]:
    """Every metric of the team's services that states a limit; ages of queues have a rule of their own.

    Metrics without a sample in the last two days of the week have stopped: what they were heading for is over.
    """
    hours = evidence.metric_hours[evidence.metric_hours["limit_value"] > 0]
    hours = hours.assign(
        share=hours["mean_value"] / hours["limit_value"],
        day=hours["hour"].dt.tz_convert(evidence.zone).dt.tz_localize(None).dt.normalize(),
    ).dropna(subset=["share"])
    for (service, metric), rows in hours.groupby(_METRIC, sort=True):
        if is_queue_age(str(metric)):
            continue
        daily = rows.groupby("day", sort=True)["share"].median()
        if daily.index[-1] < pd.Timestamp(evidence.week.days()[-2]):
            continue
        days = pd.Series((daily.index - daily.index[0]) / DAY)
        last = rows.sort_values("hour").iloc[-1]
        shares = daily.reset_index(drop=True)
        yield Usage(str(service), str(metric), str(last["unit"]), float(last["limit_value"]), days, shares)


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per metric with a limit and enough days.

    will_hit: usage rises steadily since its newest trend began (Kendall's tau, its p-value times the number of
    beginnings that were tried, Sen's interval above zero) and reaches the limit within the horizon; the finding's end
    is the expected day. high: the last days are near the limit, rising or
    not; a plain fact.
    """
    thresholds = evidence.thresholds("saturation")
    for usage in usages(evidence):
        is_high = usage.level >= thresholds["high_ratio"]
        high = _finding(evidence, usage, "high", None) if is_high else None
        if len(usage.shares) < thresholds["minimum_days"]:
            if high:
                yield Observation(high)
            continue
        newest, tried = usage.since_it_rose(int(thresholds["minimum_days"]))
        tau, p_value = mann_kendall(newest.shares)
        p_value = min(1.0, p_value * tried)
        trend = theil_sen(newest.days, newest.shares)
        rises = tau >= thresholds["minimum_tau_ratio"] and trend.interval.low > 0
        if rises and (is_high or newest.hits_after(trend.slope) <= thresholds["horizon_days"]):
            yield Observation(_finding(evidence, newest, "will_hit", trend), p_value)
        else:
            yield Observation(None, p_value)
            if high:
                yield Observation(high)


def _finding(evidence: Evidence, usage: Usage, case: str, trend: Trend | None) -> Finding:
    days = _days_left(usage, trend) if trend else None
    return Finding(
        "saturation",
        case,
        usage.service,
        "warning" if days and days[0] <= 7 else "notice",
        subject=usage.metric,
        ended_at=evidence.window.end + days[0] * DAY if days else None,
        numbers={
            "affected_count": 0.0,
            "level_ratio": usage.level,
            "limit_value": usage.limit,
            "rise_per_week_ratio": trend.slope * 7 if trend else None,
            "days_count": float(len(usage.shares)),
            "hits_in_seconds": days[0] * 86_400 if days else None,
            "earliest_in_seconds": days[1] * 86_400 if days else None,
            "latest_in_seconds": days[2] * 86_400 if days and days[2] < _TEN_YEARS else None,
        },
    )


def _days_left(usage: Usage, trend: Trend) -> tuple[float, float, float]:
    """(expected, earliest, latest) days until the limit, by the slope's interval and the scatter of the days."""
    expected = usage.hits_after(trend.slope)
    earliest = usage.hits_after_from_the_middle(trend.interval.high)
    latest = usage.hits_after_from_the_middle(trend.interval.low)
    residuals = usage.shares - trend.intercept - trend.slope * usage.days
    scatter = Z_95 * _MAD_TO_SIGMA * float((residuals - residuals.median()).abs().median()) / trend.slope
    return expected, max(0.0, min(expected, earliest) - scatter), max(expected, latest) + scatter


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when the metric is still reported and no longer near its limit; silent when it is not reported."""
    usage = next((u for u in usages(evidence) if (u.service, u.metric) == (past.service, past.subject)), None)
    if usage is None:
        return None
    return replace(_finding(evidence, usage, "resolved", None), severity="good", state="resolved")


RULE = Rule("saturation", ("will_hit", "high", "resolved"), observe, follow_up, Measure("rise_per_week_ratio"))
