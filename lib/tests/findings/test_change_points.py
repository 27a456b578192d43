"""Change points: published series with their published points, and series in which nothing changes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shokubai.findings.change_points import change_points, e_divisive

PUBLISHED = Path(__file__).parent / "published"


def published(name):
    return pd.read_csv(PUBLISHED / f"{name}.csv", comment="#")["value"]


def places(points):
    return [point.index for point in points]


def by_t(series, **thresholds):
    return places(change_points(series, **thresholds))


def by_shuffling(series, **thresholds):
    return places(e_divisive(series, **thresholds))


# --- Apache Otava (Hunter) ------------------------------------------------------------------------------------

# tests/tigerbeetle_test.py of apache/otava at 1ceb1537, all with windows of 30.
TIGERBEETLE = [
    (0.01, 0.05, [15, 71]),
    (0.05, 0.05, [15, 71]),
    (0.1, 0.05, [10, 11, 15, 71, 363]),
    (0.2, 0.05, [10, 11, 15, 71]),
    (0.01, 0.0, [15, 26, 61, 71, 95, 117, 131, 142, 148, 165, 169, 192, 212, 260]),
    (0.001, 0.0, [15, 61, 71, 95, 117, 131, 142, 148, 192, 212, 260]),
    (0.0001, 0.0, [71, 95, 117, 131, 142, 148, 192, 212]),
    (0.00001, 0.0, [71, 95, 131, 192, 212]),
]


@pytest.mark.parametrize(("p_value", "change", "expected"), TIGERBEETLE)
def test_tigerbeetle(p_value, change, expected):
    series = published("otava_tigerbeetle")
    assert len(series) == 365
    assert by_t(series, window=30, maximum_p_value=p_value, minimum_change_ratio=change) == expected


# tests/analysis_test.py and tests/change_point_divisive_test.py of the same.
HALVED = [1.02, 0.95, 0.99, 1.00, 1.12, 1.00, 1.01, 0.98, 1.01, 0.96]
HALVED += [0.50, 0.51, 0.48, 0.48, 0.55, 0.50, 0.49, 0.51, 0.50, 0.49]
THREE_LEVELS = [0.3, 2.4, 1.5, -0.9, -0.5, 99.7, 98.3, 99.1, 149.0, 149.7, 149.5, 149.1, 148.8, 150.0]


def test_short_series_of_otava():
    assert by_t(HALVED, window=10, maximum_p_value=0.0001) == [10]
    assert by_t(THREE_LEVELS, maximum_p_value=0.01) == [5, 8]


def test_a_change_by_hand():
    # Means 1 and 3, deviations (with n) of 0 and 0.5: the variance is 7 · 0.25 / 14 = 0.125, the standard error
    # sqrt(0.125 · 2 / 8) = 0.1768, t = 2 / 0.1768 = 11.31 with 14 degrees of freedom.
    (point,) = change_points([1.0] * 8 + [2.5, 3.5] * 4)
    assert point.index == 8
    assert point.p_value == pytest.approx(2.0e-8, rel=0.05)


# --- MongoDB --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "points", "seed"), [("small", 9, 1234), ("medium", 14, 1234), ("large", 34, 100)]
)
def test_profiles_of_mongodb(profile, points, seed):
    assert len(by_shuffling(published(f"mongodb_profile_{profile}"), seed=seed)) == points


def test_series_of_mongodb():
    # tests/test_detection.py and test_e_divisive.py of mongodb/signal-processing-algorithms at aec099a9.
    assert by_shuffling([0] * 1000 + [1] * 1000, maximum_p_value=0.05) == [1000]
    assert by_shuffling([1] * 11) == []
    assert by_shuffling([50] * 14 + [74] + [100] * 15) == [15]
    assert by_shuffling([50] * 14 + [76] + [100] * 15) == [14]
    spikes = [50.0] * 15 + [100.0] * 15 + [50.0] * 15
    spikes[2] = spikes[32] = 100.0
    assert by_shuffling(spikes, seed=1000) == [33, 15]
    two = [50.0] * 15 + [100.0] * 15 + [150.0] * 15
    two[2] = 100.0
    assert sorted(by_shuffling(two)) == [15, 30]


# --- where nothing changes, and what must not matter ----------------------------------------------------------

both = pytest.mark.parametrize("find", [by_t, by_shuffling])


def two_levels(seed, *, size=60, step=3.0):
    rng = np.random.default_rng(seed)
    return rng.normal(10, 1, size) + step * (np.arange(size) >= size // 2)


@both
@pytest.mark.parametrize("series", [[], [5.0], [5.0, 7.0], [3.0] * 100, [0.0] * 100, [float("nan")] * 40])
def test_constant_and_tiny_series(find, series):
    assert find(series) == []


@both
def test_the_unit_does_not_matter(find):
    for seed in range(10):
        seconds = two_levels(seed)
        assert find(seconds * 1000) == find(seconds) == find(seconds / 86_400) != []


@both
def test_gaps_move_no_point(find):
    series = two_levels(3)
    with_gaps = np.insert(series, [5, 5, 5, 40, 40], np.nan)
    (place,) = find(series)
    assert place == 30
    assert find(with_gaps) == [33]


def test_shuffled_series_have_hardly_any():
    # Of 100 series without any order one in a hundred may have a point by shuffling. The t-test looks for the
    # best place first, and at several windows, so that its p-values are too small; hence one in a thousand.
    rng = np.random.default_rng(11)
    shuffled = [rng.permutation(two_levels(seed)) for seed in range(100)]
    assert sum(by_shuffling(series) != [] for series in shuffled) <= 4
    assert sum(by_t(series) != [] for series in shuffled) <= 10
    assert all(by_t(two_levels(seed)) != [] for seed in range(20))


def test_the_same_seed_gives_the_same_points():
    series = two_levels(5, step=1.0)
    state = np.random.get_state()[1].copy()
    assert e_divisive(series) == e_divisive(series)
    assert (np.random.get_state()[1] == state).all()
