"""The statistics behind the rules: differences of proportions, robust trends, many tests at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shokubai.sli import wilson

Z_95 = 1.959963984540054  # the standard normal's 97.5 % quantile


@dataclass(frozen=True)
class Interval:
    low: float
    high: float


def newcombe(events: float, total: float, *, baseline_events: float, baseline_total: float) -> Interval:
    """The 95 % interval of the difference events/total − baseline_events/baseline_total.

    Both totals are positive; counts need not be whole. Source: Newcombe, "Interval estimation for the difference
    between independent proportions", Stat. Med. 17 (1998) 873–890, method 10 (from two Wilson intervals).
    """
    p, q = events / total, baseline_events / baseline_total
    p_low, p_high = wilson(events, total)
    q_low, q_high = wilson(baseline_events, baseline_total)
    return Interval(
        (p - q) - math.hypot(p - p_low, q_high - q),
        (p - q) + math.hypot(p_high - p, q - q_low),
    )


def proportion_p_value(events: float, total: float, *, baseline_events: float, baseline_total: float) -> float:
    """How often chance alone makes two equal proportions differ at least this much (pooled z, two-sided)."""
    pooled = (events + baseline_events) / (total + baseline_total)
    variance = pooled * (1 - pooled) * (1 / total + 1 / baseline_total)
    if variance <= 0:
        return 1.0
    return _two_sided((events / total - baseline_events / baseline_total) / math.sqrt(variance))


def rate_ratio(count: float, baseline: float) -> tuple[float, Interval, float]:
    """count / baseline of two Poisson counts, its 95 % interval, and the p-value of "they are equal".

    By the logarithm's normal approximation, with half an event added to each count so that none is zero.
    """
    log_ratio = math.log((count + 0.5) / (baseline + 0.5))
    error = math.sqrt(1 / (count + 0.5) + 1 / (baseline + 0.5))
    interval = Interval(math.exp(log_ratio - Z_95 * error), math.exp(log_ratio + Z_95 * error))
    return (count / baseline if baseline else math.inf), interval, _two_sided(log_ratio / error)


def dispersion(events: npt.ArrayLike, totals: npt.ArrayLike) -> float:
    """How much more events vary between blocks (hours) than independent ones would; at least 1.

    Pearson's chi-square over its degrees of freedom, as for quasi-binomial models. Failures come in bursts;
    dividing counts by this keeps intervals from being too narrow. Fewer than two blocks, or no events: 1.
    """
    x, n = np.asarray(events, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    x, n = x[n > 0], n[n > 0]
    ratio = x.sum() / n.sum() if len(n) else 0.0
    if len(n) < 2 or not 0 < ratio < 1:
        return 1.0
    chi_square = ((x - n * ratio) ** 2 / (n * ratio * (1 - ratio))).sum()
    return max(1.0, float(chi_square) / (len(n) - 1))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: rejecting those ≤ q keeps the expected share of false ones among the rejected ≤ q.

    Source: Benjamini & Hochberg, JRSS B 57 (1995) 289–300; adjusted p = min over j ≥ i of m p(j) / j, at most 1.

    >>> [round(p, 4) for p in benjamini_hochberg([0.04, 0.01, 0.02])]
    [0.04, 0.03, 0.03]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not len(p):
        return []
    order = np.argsort(p, kind="stable")
    stepped = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    out = np.empty_like(adjusted)
    out[order] = adjusted
    return [float(value) for value in out]


@dataclass(frozen=True)
class Trend:
    """A line through a series: the median slope of all pairs of points, with its 95 % interval."""

    slope: float
    interval: Interval
    intercept: float


def theil_sen(x: npt.ArrayLike, y: npt.ArrayLike) -> Trend:
    """The Theil–Sen line; the intercept is median(y) − slope · median(x). Points with NaN are left out.

    The interval is Sen's, from the normal approximation of Kendall's S with ties (Sen, JASA 63 (1968) 1379–1389).
    Raises ValueError with fewer than two distinct x.
    """
    xs, ys = _without_gaps(x, y)
    i, j = np.triu_indices(len(xs), k=1)
    apart = xs[i] != xs[j]
    if not apart.any():
        raise ValueError("a trend needs at least two distinct x")
    slopes = np.sort((ys[j] - ys[i])[apart] / (xs[j] - xs[i])[apart])
    slope = float(np.median(slopes))
    spread = Z_95 * math.sqrt(_kendall_variance(ys))
    count = len(slopes)
    # A tiny series has an interval wider than all its slopes; then all of them are it.
    low = max(0, round((count - spread) / 2) - 1)
    high = min(count - 1, round((count + spread) / 2))
    interval = Interval(float(slopes[low]), float(slopes[high]))
    return Trend(slope, interval, float(np.median(ys)) - slope * float(np.median(xs)))


def mann_kendall(y: npt.ArrayLike) -> tuple[float, float]:
    """(tau, p-value) of "the series goes one way": tau is S over the number of pairs, −1 to 1.

    NaN are left out. Source: Mann, Econometrica 13 (1945) 245–259; variance corrected for ties, continuity
    correction of one.
    """
    values = np.asarray(y, dtype=np.float64)
    values = values[~np.isnan(values)]
    pairs = len(values) * (len(values) - 1) / 2
    if not pairs:
        return 0.0, 1.0
    i, j = np.triu_indices(len(values), k=1)
    s = float(np.sign(values[j] - values[i]).sum())
    variance = _kendall_variance(values)
    if variance <= 0 or s == 0:
        return s / pairs, 1.0
    return s / pairs, _two_sided((s - math.copysign(1, s)) / math.sqrt(variance))


def _kendall_variance(values: npt.NDArray[np.float64]) -> float:
    n = len(values)
    _, ties = np.unique(values, return_counts=True)
    return (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18


def _without_gaps(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    kept = ~(np.isnan(xs) | np.isnan(ys))
    return xs[kept], ys[kept]


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
