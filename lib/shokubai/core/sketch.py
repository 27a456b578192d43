"""DDSketch keys and quantiles: mergeable latency histograms with 1 % relative error.

Source: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
guarantees", VLDB 12(12), 2019. A value v falls into the bucket ceil(log_gamma v); a bucket k is reported as
2 gamma^k / (gamma + 1), at most ``RELATIVE_ERROR`` away from every value in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RELATIVE_ERROR = 0.01
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)

# Below a nanosecond a request took no measurable time; such requests share one bucket, reported as zero.
SMALLEST_SECONDS = 1e-9
ZERO_KEY = -10_000


def key(value: float) -> int:
    """The bucket of ``value``.

    >>> key(250.0), key(1000.0), key(1.0), key(0.0)
    (277, 346, 0, -10000)
    """
    if value < SMALLEST_SECONDS:
        return ZERO_KEY
    return int(np.ceil(np.log(value) / np.log(GAMMA)))


def value(keys: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """What buckets are reported as, in the unit that went in.

    >>> [round(float(v), 4) for v in value([277, 346, 0, ZERO_KEY])]
    [252.1778, 1002.428, 0.99, 0.0]
    """
    array = np.asarray(keys, dtype=np.float64)
    return np.where(array == ZERO_KEY, 0.0, 2 * GAMMA ** np.maximum(array, -5_000) / (GAMMA + 1))


def quantiles(keys: npt.ArrayLike, counts: npt.ArrayLike, qs: Sequence[float]) -> list[float]:
    """Quantiles of a histogram given as bucket keys and counts, each key any number of times.

    Returns NaN for every quantile of an empty histogram. The rank of quantile q among n values is q (n - 1),
    as in DDSketch.
    """
    one_group = np.zeros(len(np.asarray(keys)), dtype=np.int64)
    return [float(v) for v in quantiles_by_group(one_group, keys, counts, qs, groups=1)[0]]


def quantiles_by_group(
    group: npt.ArrayLike, keys: npt.ArrayLike, counts: npt.ArrayLike, qs: Sequence[float], *, groups: int
) -> npt.NDArray[np.float64]:
    """Quantiles of several histograms at once: ``group`` says, from 0, to which of them a key and its count belong.

    One row per group and one column per quantile; see ``quantiles``.
    """
    group_array = np.asarray(group, dtype=np.int64)
    key_array = np.asarray(keys, dtype=np.int64)
    order = np.lexsort((key_array, group_array))
    group_array, key_array = group_array[order], key_array[order]
    cumulative = np.cumsum(np.asarray(counts, dtype=np.int64)[order])
    ends = np.searchsorted(group_array, np.arange(groups), side="right")
    up_to = np.concatenate(([0], cumulative))  # the count of the first n rows
    before = up_to[np.searchsorted(group_array, np.arange(groups), side="left")]
    totals = up_to[ends] - before
    found = np.full((groups, len(qs)), np.nan)
    filled = totals > 0
    for column, q in enumerate(qs):
        # Counts are whole numbers: more than rank requests lie below is as many as its whole part plus one.
        ranks = before[filled] + np.floor(q * (totals[filled] - 1)).astype(np.int64)
        found[filled, column] = value(key_array[np.searchsorted(cumulative, ranks, side="right")])
    return found
