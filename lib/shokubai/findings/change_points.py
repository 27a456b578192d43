"""Where a series changes its level for good: E-divisive splits, judged by Student's t or by shuffling.

Both judges share the statistic: how much farther apart the points of two neighbouring stretches are than the points
within each (energy distance). Points that are missing (NaN) are left out; indexes are those of the whole series. No
decision depends on the unit of the values.

Source: Matteson & James, "A nonparametric approach for multiple change point analysis of multivariate data", JASA 109
(2014) 334–345.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from shokubai.findings.student import t_p_value

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChangePoint:
    """``index`` is the first point of the new level; ``p_value`` is of "nothing changed there"."""

    index: int
    p_value: float


def change_points(
    series: npt.ArrayLike, *, window: int = 50, maximum_p_value: float = 0.001, minimum_change_ratio: float = 0.0
) -> tuple[ChangePoint, ...]:
    """The change points of a series, in order, by Student's t-test.

    Windows of so many points, half overlapping, are split as long as the halves differ at ten times the p-value
    (twice from 0.05 on); then the weakest splits are taken back one by one, until between neighbours the means
    differ at ``maximum_p_value`` and by ``minimum_change_ratio`` of one of them.

    Source: Fleming et al., "Hunter: using change point detection to hunt for performance regressions", ICPE 2023;
    in this form Apache Otava, whose deviations have n as their divisor.
    """
    values, indexes = _known(series)
    first_pass = maximum_p_value
    if maximum_p_value < 0.5:
        first_pass *= 10 if maximum_p_value < 0.05 else 2
    candidates: set[int] = set()
    start = 0
    while start < len(values):
        found = _split_by_t(values[start : start + window], first_pass)
        candidates |= {start + split for split in found}
        start += max([window // 2, *found])
    kept = _take_back(values, sorted(candidates), maximum_p_value, minimum_change_ratio)
    return tuple(ChangePoint(int(indexes[split.at]), split.p_value) for split in kept)


def e_divisive(
    series: npt.ArrayLike, *, maximum_p_value: float = 0.01, permutations: int = 100, seed: int = 1234
) -> tuple[ChangePoint, ...]:
    """The change points of a series, the strongest first, by shuffling.

    The series is split where the statistic is greatest, as long as hardly any shuffle of the points between the
    splits so far gives as great a one; the p-value is the share of those that do. The same seed gives the same
    points.

    Source: mongodb/signal-processing-algorithms, including how it draws.
    """
    values, indexes = _known(series)
    # The only generator of numpy's whose stream is promised never to change.
    random = np.random.RandomState(seed)
    found: list[ChangePoint] = []
    splits: list[int] = []
    while len(values) and (point := _strongest(values, splits, maximum_p_value, permutations, random)):
        splits = sorted([*splits, point.index])
        found.append(ChangePoint(int(indexes[point.index]), point.p_value))
    return tuple(found)


def _known(series: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.int64]]:
    values = np.asarray(series, dtype=np.float64)
    indexes = np.flatnonzero(~np.isnan(values))
    return values[indexes], indexes


# --- the statistic --------------------------------------------------------------------------------------------


def _statistic(left: Floats, right: Floats, between: Floats, n: Floats, m: Floats, *, unbiased: bool) -> Floats:
    """The energy distance of n and m points, from the sums of all distances within each and between them.

    ``unbiased`` leaves the distances of points from themselves, which are zero, out of the means.
    """
    less = 1 if unbiased else 0
    within_left = left / np.maximum(n * (n - less), 1)
    within_right = right / np.maximum(m * (m - less), 1)
    strength: Floats = n * m / (n + m) * (2 * between / (n * m) - within_left - within_right)
    return strength


def _best_split(values: Floats) -> tuple[int, float]:
    """The split whose left side differs most from some stretch that begins there, and the statistic."""
    size = len(values)
    sums = np.zeros((size + 1, size + 1))
    sums[1:, 1:] = np.abs(values[:, None] - values).cumsum(axis=0).cumsum(axis=1)
    squares = sums.diagonal()
    left, both, across = squares[1:-1, None], squares[None, 2:], sums[1:-1, 2:]
    n = np.arange(1.0, size)[:, None]
    ends = np.arange(2.0, size + 1)[None, :]
    later = n < ends
    m = np.where(later, ends - n, 1.0)
    strength = _statistic(left, both + left - 2 * across, across - left, n, m, unbiased=True)
    strength = np.where(later, strength, -np.inf)
    split, end = np.unravel_index(int(strength.argmax()), strength.shape)
    return int(split) + 1, float(strength[split, end])


def _best_cut(values: Floats) -> tuple[int, float]:
    """The place whose two sides differ most, and the statistic; 0 when none differ."""
    size = len(values)
    distances = np.abs(values[:, None] - values)
    all_ = distances.sum(axis=1)
    to_earlier = np.tril(distances).sum(axis=1)
    left = 2 * to_earlier.cumsum()[:-1]
    between = all_.cumsum()[:-1] - left
    n = np.arange(1.0, size)
    strength = _statistic(left, all_.sum() - left - 2 * between, between, n, size - n, unbiased=False)
    if not len(strength) or strength.max() <= 0:
        return 0, 0.0
    cut = int(strength.argmax())
    return cut + 1, float(strength[cut])


# --- Student's t ----------------------------------------------------------------------------------------------


def _split_by_t(values: Floats, maximum_p_value: float) -> list[int]:
    """Splits in order, found strongest first, until one is not significant."""
    splits: list[int] = []
    while True:
        strongest: tuple[int, float] | None = None
        for start, end in _stretches(splits, len(values)):
            if end - start > 1:
                split, strength = _best_split(values[start:end])
                if strongest is None or strength > strongest[1]:
                    strongest = start + split, strength
        if strongest is None:
            return splits
        tried = sorted([*splits, strongest[0]])
        left, right = next((left, right) for at, left, right in _sides(values, tried) if at == strongest[0])
        if _t_test(left, right) > maximum_p_value:
            return splits
        splits = tried


@dataclass(frozen=True)
class _Split:
    at: int
    p_value: float
    change_ratio: float


def _judged(at: int, left: Floats, right: Floats) -> _Split:
    return _Split(at, _t_test(left, right), _change_ratio(float(left.mean()), float(right.mean())))


def _take_back(
    values: Floats, splits: Sequence[int], maximum_p_value: float, minimum_change_ratio: float
) -> list[_Split]:
    kept = [_judged(*sides) for sides in _sides(values, splits)]
    while kept:
        weakest = max(range(len(kept)), key=lambda n: kept[n].p_value)
        if kept[weakest].p_value < maximum_p_value:
            weakest = min(range(len(kept)), key=lambda n: kept[n].change_ratio)
            if kept[weakest].change_ratio > minimum_change_ratio:
                break
        del kept[weakest]
        # Only those after it are judged again, as in Otava; the one before keeps what was said of it.
        again = slice(weakest, weakest + 2)
        kept[again] = [_judged(*sides) for sides in list(_sides(values, [split.at for split in kept]))[again]]
    return kept


def _stretches(splits: Sequence[int], size: int) -> Iterable[tuple[int, int]]:
    return pairwise([0, *splits, size])


def _sides(values: Floats, splits: Sequence[int]) -> Iterable[tuple[int, Floats, Floats]]:
    """Each split with the points before and after it, up to its neighbours."""
    around = [0, *splits, len(values)]
    for before, split, after in zip(around, around[1:], around[2:], strict=False):
        yield split, values[before:split], values[split:after]


def _t_test(left: Floats, right: Floats) -> float:
    """The p-value of "both sides have one mean"; 1 when nothing varies and nothing differs."""
    n, m = len(left), len(right)
    if n + m <= 2:
        return 1.0
    difference = float(left.mean() - right.mean())
    variance = ((n - 1) * float(left.var()) + (m - 1) * float(right.var())) / (n + m - 2)
    if variance == 0:
        return 1.0 if difference == 0 else 0.0
    return t_p_value(difference / math.sqrt(variance * (1 / n + 1 / m)), n + m - 2)


def _change_ratio(before: float, after: float) -> float:
    """The larger of the relative changes there and back; from zero there is none."""
    there = abs(after / before - 1) if before else 0.0
    back = abs(before / after - 1) if after else 0.0
    return max(there, back)


# --- shuffling ------------------------------------------------------------------------------------------------


def _strongest(
    values: Floats, splits: Sequence[int], maximum_p_value: float, permutations: int, random: np.random.RandomState
) -> ChangePoint | None:
    """The strongest cut between the splits so far, None when too many shuffles have as strong a one."""
    stretches = list(_stretches(splits, len(values)))
    cuts = [(start, *_best_cut(values[start:end])) for start, end in stretches]
    start, cut, strength = max(cuts, key=lambda found: found[2])
    if cut == 0:
        return None
    as_strong = 0
    for _ in range(permutations):
        orders = [_shuffled(end - start, random) for start, end in stretches]
        as_strong += any(
            _best_cut(values[start:end][order])[1] >= strength
            for (start, end), order in zip(stretches, orders, strict=True)
        )
        if as_strong / (permutations + 1) > maximum_p_value:
            return None
    return ChangePoint(start + cut, as_strong / (permutations + 1))


def _shuffled(size: int, random: np.random.RandomState) -> npt.NDArray[np.int64]:
    order = np.arange(size)
    random.shuffle(order)
    return order
