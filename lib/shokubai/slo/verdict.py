"""Met, missed, or not enough data to tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shokubai.sli.intervals import normal_quantile, wilson
from shokubai.slo.model import Reason, Verdict

# Fewer slices than this are no basis for a normal approximation.
_MINIMUM_SLICES = 30


@dataclass(frozen=True)
class Judgement:
    """A verdict, why, and the interval (0–1) it rests on; the bounds are None when nothing was valid."""

    verdict: Verdict
    reason: Reason
    low: float | None
    high: float | None


def judge_interval(
    interval: tuple[float, float] | None,
    *,
    objective: float,
    completeness_ratio: float = 1.0,
    minimum_completeness: float = 0.9,
) -> Judgement:
    """Compare an interval with the objective.

    Its lower bound at or above the objective: met. Its upper bound below: missed. Else the data cannot tell.
    Neither can it when more telemetry is missing than ``minimum_completeness`` lets pass, or when there was no
    traffic (``interval`` None): zero traffic is not 100 %.
    """
    low, high = interval if interval is not None else (None, None)
    if completeness_ratio < minimum_completeness:
        return Judgement("not_enough_data", "incomplete", low, high)
    if low is None or high is None:
        return Judgement("not_enough_data", "no_traffic", None, None)
    if low >= objective:
        return Judgement("met", "interval_above_objective", low, high)
    if high < objective:
        return Judgement("missed", "interval_below_objective", low, high)
    return Judgement("not_enough_data", "interval_holds_objective", low, high)


def ratio_interval(good: float, valid: float, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """Wilson's interval of a share of requests or slices; None when nothing is valid."""
    return wilson(good, valid, confidence) if valid else None


def mean_ratio_interval(ratios: npt.ArrayLike, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """The interval of the mean of slice ratios, for RatioTimeslices; None without slices.

    Mean ± z s / √n, cut to 0–1. With fewer than 30 slices, or slices that are all alike, Wilson's interval of
    Σ ratios / n stands in: it is never too narrow, because a ratio varies less than a yes or no of the same mean.
    """
    values = np.asarray(ratios, dtype=np.float64)
    n = len(values)
    if not n:
        return None
    spread = float(values.std(ddof=1)) if n > 1 else 0.0
    if n < _MINIMUM_SLICES or not spread:
        return wilson(float(values.sum()), float(n), confidence)
    mean, reach = float(values.mean()), normal_quantile(confidence) * spread / n**0.5
    return max(0.0, mean - reach), min(1.0, mean + reach)
