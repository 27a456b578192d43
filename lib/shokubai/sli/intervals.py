"""How sure a ratio is: the Wilson score interval."""

from __future__ import annotations

from statistics import NormalDist
from typing import overload

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def normal_quantile(confidence: float) -> float:
    """How many standard deviations a two-sided interval reaches: 1.959964 for 0.95.

    Raises ValueError unless 0 < confidence < 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is a ratio between 0 and 1 (0.95 for 95 %), got {confidence}")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


@overload
def wilson(good: float, valid: float, confidence: float = ...) -> tuple[float, float]: ...
@overload
def wilson(good: npt.ArrayLike, valid: npt.ArrayLike, confidence: float = ...) -> tuple[FloatArray, FloatArray]: ...
def wilson(
    good: npt.ArrayLike, valid: npt.ArrayLike, confidence: float = 0.95
) -> tuple[float, float] | tuple[FloatArray, FloatArray]:
    """(low, high): where the true ratio lies, given ``good`` of ``valid`` independent events.

    Takes numbers or arrays and gives the same. Both bounds are NaN where nothing is valid. Failures come in
    bursts, so that the interval is rather too narrow than too wide. Source: Wilson, JASA 22 (1927) 209–212;
    method 3 of Newcombe, Stat. Med. 17 (1998) 857–872.

    >>> [round(bound, 4) for bound in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    z = normal_quantile(confidence)
    x, n = np.broadcast_arrays(np.asarray(good, dtype=np.float64), np.asarray(valid, dtype=np.float64))
    known = n > 0
    some = np.where(known, n, 1.0)
    p = x / some
    centre = p + z * z / (2 * some)
    reach = z * np.sqrt(p * (1 - p) / some + z * z / (4 * some * some))
    scale = 1 + z * z / some
    # At the ends the bounds are exact; the formula gives them but for rounding.
    low = np.where(x <= 0, 0.0, (centre - reach) / scale)
    high = np.where(x >= n, 1.0, (centre + reach) / scale)
    low, high = np.where(known, low, np.nan), np.where(known, high, np.nan)
    if low.ndim == 0:
        return float(low), float(high)
    return low, high
