"""Shifts, cumulative sums and outliers: published numbers, cases by hand, and what must not matter."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from shokubai.findings.shifts import cusum, hodges_lehmann, outliers

PUBLISHED = Path(__file__).parent / "published"

# --- Mann–Whitney with Hodges–Lehmann -------------------------------------------------------------------------


def kayenta(name):
    table = pd.read_csv(PUBLISHED / f"{name}.csv", comment="#")
    is_control = table["group"] == "control"
    return table["value"][~is_control], table["value"][is_control]


def test_sixteen_differences_by_hand():
    # 6 7 8 9 · 16 17 18 19 · 26 27 28 29 · 36 37 38 39: the median is (19 + 26) / 2. Beyond 6 lie 15 of 16, seven
    # more than half: z = (7 - 0.5) / sqrt(16 · 9 / 12) = 1.876, less than 1.96.
    shift = hodges_lehmann([10, 20, 30, 40], [1, 2, 3, 4], confidence=0.95)
    assert shift.estimate == 22.5
    assert (shift.interval.low, shift.interval.high) == (6, 39)


@pytest.mark.parametrize(
    ("name", "confidence", "low", "high", "estimate"),
    [
        ("kayenta_90x90", 0.95, -0.500002521696696, -3.486287505871302e-5, -0.49994),
        ("kayenta_180x180", 0.98, -0.4999173250549087, -6.912685789769486e-6, -3.45044082729315e-5),
    ],
)
def test_kayenta_and_r_give_the_same_within_their_precision(name, confidence, low, high, estimate):
    shift = hodges_lehmann(*kayenta(name), confidence=confidence)
    assert shift.interval.low == pytest.approx(low, abs=1e-4)
    assert shift.interval.high == pytest.approx(high, abs=1e-4)
    assert shift.estimate == pytest.approx(estimate, abs=1e-4)


def test_the_interval_holds_the_shifts_that_the_test_does_not_reject():
    rng = np.random.default_rng(2)
    sample, control = rng.exponential(1, 25) + 0.7, rng.exponential(1, 40)
    interval = hodges_lehmann(sample, control, confidence=0.95).interval

    def p_value(shift):
        return scipy.stats.mannwhitneyu(sample - shift, control, method="asymptotic").pvalue

    assert p_value(interval.low + 1e-9) > 0.05 > p_value(interval.low - 1e-9)
    assert p_value(interval.high - 1e-9) > 0.05 > p_value(interval.high + 1e-9)


def test_the_interval_covers_the_true_shift_as_often_as_it_says():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        interval = hodges_lehmann(rng.normal(2, 1, 20), rng.normal(0, 1, 30), confidence=0.9).interval
        covered += interval.low <= 2 <= interval.high
    assert 0.86 <= covered / 300 <= 0.95


def test_a_shift_keeps_the_unit_of_its_values():
    seconds, before = np.array([0.31, 0.42, 0.55, 0.38]), np.array([0.2, 0.21, 0.19, 0.25, 0.22])
    plain, scaled = hodges_lehmann(seconds, before), hodges_lehmann(1000 * seconds, 1000 * before)
    assert scaled.estimate == pytest.approx(1000 * plain.estimate)
    assert scaled.interval.low == pytest.approx(1000 * plain.interval.low)


def test_equal_values_have_no_shift_and_gaps_are_left_out():
    shift = hodges_lehmann([3.0] * 8, [3.0] * 9)
    assert (shift.estimate, shift.interval.low, shift.interval.high) == (0, 0, 0)
    assert hodges_lehmann([5, np.nan, 6, 7], [1, 2, np.nan]) == hodges_lehmann([5, 6, 7], [1, 2])
    with pytest.raises(ValueError, match="at least one value on each side"):
        hodges_lehmann([np.nan], [1, 2])


def test_tiny_samples_have_an_interval_of_all_their_differences():
    interval = hodges_lehmann([4, 5], [1, 3]).interval
    assert (interval.low, interval.high) == (1, 4)


# --- CUSUM ----------------------------------------------------------------------------------------------------

# NIST/SEMATECH e-Handbook 6.3.2.3.1: x, the upper and the lower sum, for k = 0.3175 and a target of 325.
NIST = [
    (324.925, 0.0, 0.0),
    (324.675, 0.0, 0.0075),
    (324.725, 0.0, 0.0),
    (324.350, 0.0, 0.3325),
    (325.350, 0.0325, 0.0),
    (325.225, 0.0, 0.0),
    (324.125, 0.0, 0.5575),
    (324.525, 0.0, 0.7150),
    (325.225, 0.0, 0.1725),
    (324.600, 0.0, 0.2550),
    (324.625, 0.0, 0.3125),
    (325.150, 0.0, 0.0),
    (328.325, 3.0075, 0.0),
    (327.250, 4.9400, 0.0),
    (327.825, 7.4475, 0.0),
    (328.500, 10.6300, 0.0),
    (326.675, 11.9875, 0.0),
    (327.775, 14.4450, 0.0),
    (326.875, 16.0025, 0.0),
    (328.350, 19.0350, 0.0),
]


def test_the_sums_of_the_handbook():
    values, upper, lower = np.array(NIST).T
    above, below = cusum(values, target=325, slack=0.3175)
    assert above == pytest.approx(upper, abs=1e-9)
    assert below == pytest.approx(lower, abs=1e-9)
    # With h = 4.1959 the first signal is at the 14th; the climb began after the 12th.
    assert int(np.argmax(above > 4.1959)) + 1 == 14
    assert int(np.flatnonzero(above == 0)[-1]) + 1 == 12


def test_sums_of_a_mirrored_series_change_sides_and_gaps_add_nothing():
    values = np.array(NIST)[:, 0]
    above, below = cusum(values, target=325, slack=0.3175)
    mirrored = cusum(650 - values, target=325, slack=0.3175)
    assert mirrored[0] == pytest.approx(below)
    assert mirrored[1] == pytest.approx(above)
    with_gap, _ = cusum(np.insert(values, 14, np.nan), target=325, slack=0.3175)
    assert np.delete(with_gap, 14) == pytest.approx(above)
    assert with_gap[14] == with_gap[13]
    assert cusum([7.0] * 50, target=7, slack=0)[0].max() == 0


# --- outliers -------------------------------------------------------------------------------------------------

# NIST/SEMATECH e-Handbook 1.3.5.17.3, Rosner's 54 values: three outliers at the 5 % level.
ROSNER = """-0.25 0.68 0.94 1.15 1.20 1.26 1.26 1.34 1.38 1.43 1.49 1.49 1.55 1.56 1.58 1.65 1.69 1.70 1.76 1.77 1.81
1.91 1.94 1.96 1.99 2.06 2.09 2.10 2.14 2.15 2.23 2.24 2.26 2.35 2.37 2.40 2.47 2.54 2.62 2.64 2.90 2.92 2.92 2.93
3.21 3.26 3.30 3.59 3.68 4.30 4.64 5.34 5.42 6.01"""


def test_rosners_values():
    values = [float(value) for value in ROSNER.split()]
    assert [values[n] for n in outliers(values)] == [6.01, 5.42, 5.34]


def test_outliers_of_mongodb():
    # tests/test_gesd.py of mongodb/signal-processing-algorithms at aec099a9.
    series = pd.read_csv(PUBLISHED / "mongodb_real_series.csv", comment="#")["value"]
    assert outliers(series) == (90, 4)
    assert outliers([-1.0] * 203 + [-2.0] + [-1.0] * 75) == (203,)
    assert outliers([1.0] * 20) == ()


def test_outliers_depend_on_neither_unit_nor_gaps_and_are_rare_by_chance():
    rng = np.random.default_rng(4)
    values = rng.normal(0.2, 0.02, 80)
    values[[7, 50]] = [0.6, 0.5]
    assert outliers(values) == outliers(1000 * values) == (7, 50)
    assert outliers(np.insert(values, [0, 20], np.nan)) == (8, 52)
    assert sum(outliers(rng.normal(0, 1, 60)) != () for _ in range(200)) <= 20
    assert outliers([]) == outliers([1.0, 9.0]) == ()
