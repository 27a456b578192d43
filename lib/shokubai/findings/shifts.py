"""How far a level moved, when it began to, and which values stand apart: shifts, cumulative sums, outliers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from shokubai.findings.statistics import Interval
from shokubai.findings.student import t_p_value

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """By how much one sample lies above another, in their unit, with an interval."""

    estimate: float
    interval: Interval


def hodges_lehmann(sample: npt.ArrayLike, control: npt.ArrayLike, *, confidence: float = 0.98) -> Shift:
    """The median of all differences sample − control, with the interval of the Mann–Whitney test.

    The interval holds the shifts that the test would not reject, by its normal approximation with corrections for
    ties and continuity. NaN are left out; raises ValueError when nothing is left of one.

    Source: spinnaker/kayenta (mannwhitney), after R's wilcox.test. Where those approach a bound numerically, here it
    is the difference itself at which the test turns.
    """
    xs, ys = _known(sample), _known(control)
    if not len(xs) or not len(ys):
        raise ValueError("a shift needs at least one value on each side")
    differences = np.sort((xs[:, None] - ys).ravel())
    steps = np.unique(differences)
    # The test's statistic for a shift just beyond each difference: how many are greater, from its middle.
    beyond = len(differences) - np.searchsorted(differences, steps, side="right") - len(differences) / 2
    z = (beyond - 0.5 * np.sign(beyond)) / _rank_deviation(xs, ys)
    bound = NormalDist().inv_cdf((1 + confidence) / 2)
    low, high = (steps[int(np.argmax(z < limit))] for limit in (bound, -bound))
    # In tiny samples no shift is rejected.
    high = high if z[-1] < -bound else steps[-1]
    return Shift(float(np.median(differences)), Interval(float(low), float(high)))


def _rank_deviation(xs: Floats, ys: Floats) -> float:
    """The standard deviation of the rank sum where no value of one sample equals one of the other."""
    n, m = len(xs), len(ys)
    ties = np.concatenate([np.unique(values, return_counts=True)[1] for values in (xs, ys)]).astype(np.float64)
    tied = float((ties**3 - ties).sum()) / ((n + m) * (n + m - 1))
    return math.sqrt(n * m / 12 * (n + m + 1 - tied))


def cusum(values: npt.ArrayLike, *, target: float, slack: float) -> tuple[Floats, Floats]:
    """The tabular cumulative sums above and below a target: what exceeds it by more than ``slack``, added up.

    Each starts at zero and never falls below. Where one climbs for good, the level left the target right after its
    last zero; ``slack`` is half of the shift that it should see. A NaN adds nothing.

    Source: NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.3.1.
    """
    away = np.asarray(values, dtype=np.float64) - target
    return _sums(away - slack), _sums(-away - slack)


def _sums(excess: Floats) -> Floats:
    walk = np.nancumsum(excess)
    lowest: Floats = np.minimum.accumulate(np.minimum(walk, 0.0))
    return walk - lowest


def outliers(values: npt.ArrayLike, *, most: int = 10, significance: float = 0.05) -> tuple[int, ...]:
    """The indexes of values too far from the mean of the others for a normal distribution, the farthest first.

    Generalized ESD: the farthest is taken out up to ``most`` times; all up to the last that was too far are
    outliers. NaN are none.

    Source: Rosner, "Percentage points for a generalized ESD many-outlier procedure", Technometrics 25 (1983)
    165–172. His critical values are those at which Student's t has the p-value significance / n.
    """
    series = np.array(values, dtype=np.float64)
    taken: list[int] = []
    count = 0
    for left in range(int((~np.isnan(series)).sum()), 2, -1):
        deviation = float(np.nanstd(series, ddof=1))
        if len(taken) == most or deviation == 0:
            break
        distances = np.abs(series - np.nanmean(series))
        farthest = int(np.nanargmax(distances))
        score = float(distances[farthest]) / deviation
        # Greatest possible when all others are equal.
        room = (left - 1) ** 2 - left * score**2
        t = math.sqrt(left * (left - 2) * score**2 / room) if room > 0 else math.inf
        taken.append(farthest)
        if t_p_value(t, left - 2) < significance / left:
            count = len(taken)
        series[farthest] = np.nan
    return tuple(taken[:count])


def _known(values: npt.ArrayLike) -> Floats:
    known = np.asarray(values, dtype=np.float64)
    return known[~np.isnan(known)]
