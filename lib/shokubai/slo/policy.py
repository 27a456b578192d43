"""Multiwindow, multi-burn-rate alerting arithmetic. All of it: SRE Workbook ch. 5, "Alerting on SLOs".

Notation there: burn rate = error ratio / (1 − objective); a threshold is the burn rate that spends a fraction of
the whole budget within one lookback, hence fraction × period / lookback. Thresholds are derived from the SLO's own
period: the often-quoted 14.4, 6, 3 and 1 hold at 30 days only (28 days: 13.44, 5.6, 2.8 and 0.933).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Literal

from shokubai.core.windows import DAY, HOUR, MINUTE
from shokubai.slo.budget import TIE, budget_fraction_of


@dataclass(frozen=True)
class BurnCondition:
    """Act when the budget burns above the threshold over both lookbacks; the short one ends the alarm in time."""

    budget_fraction: float
    lookback: timedelta
    short_lookback: timedelta
    severity: Literal["page", "ticket"]

    def threshold(self, period: timedelta) -> float:
        """The burn rate that spends ``budget_fraction`` of a budget for ``period`` within ``lookback``."""
        return burn_threshold(self.budget_fraction, lookback=self.lookback, period=period)


_SLOWEST = 0.9


@dataclass(frozen=True)
class BudgetPolicy:
    """The burn conditions an organisation acts on, the most urgent first."""

    conditions: tuple[BurnCondition, ...]

    def for_period(self, period: timedelta) -> tuple[BurnCondition, ...]:
        """Those that mean "too fast" in the period.

        The lookback fits in it, and the threshold is not far below 1: burning slower than 1 never exhausts the
        budget. The Workbook's slowest pair is 1 at 30 days and 0.933 at 28; at 7 days it would be 0.233, and a
        service that spends a quarter of its budget would be ticketed for ever.
        """
        return tuple(c for c in self.conditions if c.lookback <= period and c.threshold(period) >= _SLOWEST)


# Table 5-8, and the fourth pair (10 % in a day) of the listing for method 6.
WORKBOOK_POLICY = BudgetPolicy(
    (
        BurnCondition(0.02, HOUR, 5 * MINUTE, "page"),
        BurnCondition(0.05, 6 * HOUR, 30 * MINUTE, "page"),
        BurnCondition(0.10, DAY, 2 * HOUR, "ticket"),
        BurnCondition(0.10, 3 * DAY, 6 * HOUR, "ticket"),
    )
)


def burn_rate(error_ratio: float, *, objective: float) -> float:
    """In multiples of the pace that spends the budget exactly in its period: error ratio / (1 − objective)."""
    return float(Fraction(repr(float(error_ratio))) / budget_fraction_of(objective))


def error_ratio_of(rate: float, *, objective: float) -> float:
    """The error ratio at which the budget burns at ``rate``."""
    return float(Fraction(repr(float(rate))) * budget_fraction_of(objective))


def burn_threshold(budget_fraction: float, *, lookback: timedelta, period: timedelta) -> float:
    """The burn rate that spends ``budget_fraction`` of the period's budget within ``lookback``.

    >>> burn_threshold(0.02, lookback=HOUR, period=30 * DAY)
    14.4
    """
    return float(Fraction(repr(float(budget_fraction))) * _ratio(period, lookback))


def budget_consumed(rate: float, *, lookback: timedelta, period: timedelta) -> float:
    """The fraction of the period's budget that burning at ``rate`` for ``lookback`` spends."""
    return float(Fraction(repr(float(rate))) * _ratio(lookback, period))


def maximum_burn_rate(objective: float) -> float:
    """The burn rate of a total outage, 1 / (1 − objective); a threshold above it can never be crossed."""
    return float(1 / budget_fraction_of(objective))


def detection_time(
    error_ratio: float, *, objective: float, lookback: timedelta, threshold: float
) -> timedelta | None:
    """How long errors last, from a clean start, until the lookback's burn rate reaches the threshold.

    None when it never does: with an error ratio below threshold × (1 − objective).
    """
    limit = error_ratio_of(threshold, objective=objective)
    if error_ratio <= 0 or error_ratio < limit * (1 - TIE):
        return None
    return lookback * (limit / error_ratio)


def reset_time(error_ratio: float, *, objective: float, lookback: timedelta, threshold: float) -> timedelta | None:
    """How long an alert on one lookback goes on after errors that stop when it fires; None when it never fires."""
    detected = detection_time(error_ratio, objective=objective, lookback=lookback, threshold=threshold)
    return None if detected is None else lookback - detected


def time_to_exhaustion(rate: float, *, period: timedelta) -> timedelta | None:
    """How long an untouched budget lasts at ``rate``; None when nothing burns."""
    return period / rate if rate > 0 else None


def _ratio(of: timedelta, to: timedelta) -> Fraction:
    return Fraction(of // timedelta.resolution, to // timedelta.resolution)
