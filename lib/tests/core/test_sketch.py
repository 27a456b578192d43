import math

import numpy as np
import pytest

from shokubai.core.sketch import GAMMA, RELATIVE_ERROR, ZERO_KEY, key, quantiles, quantiles_by_group, value


def sketch(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.unique([key(float(v)) for v in values], return_counts=True)


@pytest.mark.parametrize(
    ("number", "bucket", "reported"), [(250.0, 277, 252.1778), (1000.0, 346, 1002.428), (1.0, 0, 0.99)]
)
def test_ddsketch_with_one_percent_error(number: float, bucket: int, reported: float) -> None:
    # Masson, Rim, Lee 2019: gamma = 1.01 / 0.99, key = ceil(log_gamma v), estimate 2 gamma^k / (gamma + 1).
    assert key(number) == bucket
    assert float(value(bucket)) == pytest.approx(reported, rel=1e-6)


def test_the_error_of_250_is_less_than_one_percent() -> None:
    assert abs(float(value(key(250.0))) - 250) / 250 == pytest.approx(0.00871, abs=1e-5)


def test_every_value_is_reported_within_the_relative_error() -> None:
    values = np.geomspace(1e-6, 1e4, 5_000)
    reported = value([key(float(v)) for v in values])
    assert np.max(np.abs(reported - values) / values) <= RELATIVE_ERROR * (1 + 1e-9)


def test_a_bucket_holds_its_upper_bound() -> None:
    assert key(GAMMA**3 * 0.999) == 3
    assert key(GAMMA**3 * 1.001) == 4


def test_times_too_short_to_measure_share_the_zero_bucket() -> None:
    assert key(0.0) == key(1e-10) == ZERO_KEY
    assert float(value(ZERO_KEY)) == 0.0
    assert key(1e-9) > ZERO_KEY


def test_quantiles_have_rank_q_times_n_minus_one() -> None:
    # Four values 1, 1, 250, 1000: ranks of 0, 1/3, 0.5, 2/3, 1 are 0, 1, 1.5, 2, 3.
    got = quantiles([0, 277, 346], [2, 1, 1], [0.0, 1 / 3, 0.5, 2 / 3, 1.0])
    assert got == pytest.approx([0.99, 0.99, 0.99, 252.1778, 1002.428], rel=1e-6)


def test_merging_histograms_is_putting_their_rows_together() -> None:
    generator = np.random.default_rng(7)
    first, second = generator.lognormal(-2, 1, 4_000), generator.lognormal(-1, 0.5, 6_000)
    merged = [np.concatenate(pair) for pair in zip(sketch(first), sketch(second), strict=True)]
    both = np.sort(np.concatenate([first, second]))
    for q, got in zip((0.5, 0.9, 0.95, 0.99), quantiles(*merged, (0.5, 0.9, 0.95, 0.99)), strict=True):
        exact = both[math.floor(q * (len(both) - 1))]
        assert abs(got - exact) / exact <= RELATIVE_ERROR * (1 + 1e-9)


def test_an_empty_histogram_has_no_quantiles() -> None:
    assert all(math.isnan(q) for q in quantiles([], [], (0.5, 0.99)))
    assert all(math.isnan(q) for q in quantiles([3], [0], (0.5,)))


def test_quantiles_of_many_groups_are_those_of_each() -> None:
    rng = np.random.default_rng(7)
    qs = [0.0, 0.5, 0.9, 0.99, 1.0]
    for _ in range(100):
        size, groups = int(rng.integers(0, 60)), 5
        group = rng.integers(0, groups, size)
        keys = rng.integers(-5, 9, size)
        counts = rng.integers(0, 7, size)
        together = quantiles_by_group(group, keys, counts, qs, groups=groups)
        for number in range(groups):
            mine = group == number
            values = np.repeat(keys[mine], counts[mine])
            expected = np.full(len(qs), np.nan)
            if len(values):  # the value at rank q (n - 1), rounded down, among all values in order
                expected = value([np.sort(values)[int(q * (len(values) - 1))] for q in qs])
            np.testing.assert_array_equal(together[number], expected)
