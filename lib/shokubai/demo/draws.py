"""Random numbers that depend on nothing but a seed and what they are for: no state, no order, no threads.

The mixer is SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]


def _mix(keys: Keys) -> Keys:
    with np.errstate(over="ignore"):
        keys = keys + np.uint64(0x9E3779B97F4A7C15)
        keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return keys ^ (keys >> np.uint64(31))


def keys(seed: int, *parts: str | int | npt.NDArray[np.int64]) -> Keys:
    """64-bit keys for a seed and what they are for; arrays among the parts broadcast."""
    key = _mix(np.array([seed % 2**64], dtype=np.uint64))
    for part in parts:
        number = zlib.crc32(part.encode()) if isinstance(part, str) else part
        key = _mix(key ^ np.asarray(number, dtype=np.int64).astype(np.uint64))
    return key


def uniform(seed: int, *parts: str | int | npt.NDArray[np.int64]) -> Floats:
    """Numbers in [0, 1)."""
    return (keys(seed, *parts) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, *parts: str | int | npt.NDArray[np.int64]) -> Floats:
    """Standard normal numbers (Box–Muller)."""
    first, second = uniform(seed, *parts, 1), uniform(seed, *parts, 2)
    return np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)


def poisson(means: Floats, seed: int, *parts: str | int | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Poisson counts: by inversion up to a mean of 30, above by the normal approximation."""
    level = np.broadcast_to(uniform(seed, *parts), means.shape)
    counts = np.zeros(means.shape, dtype=np.int64)
    large = means > 30.0
    approximate = np.rint(means + np.sqrt(means) * np.broadcast_to(normal(seed, *parts), means.shape))
    counts[large] = np.maximum(approximate[large], 0.0)
    # Those not yet decided: the count is the smallest k whose cumulative probability exceeds the level.
    open_cells = np.flatnonzero(~large)
    mean, drawn = means.flat[open_cells], level.flat[open_cells]
    probability = np.exp(-mean)
    cumulative = probability.copy()
    for k in range(1, 120):
        above = drawn >= cumulative
        open_cells, mean, drawn = open_cells[above], mean[above], drawn[above]
        if not len(open_cells):
            break
        counts.flat[open_cells] = k
        probability = probability[above] * mean / k
        cumulative = cumulative[above] + probability
    return counts
