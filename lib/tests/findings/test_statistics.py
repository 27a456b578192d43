"""Published and hand-worked numbers for the statistics, and scipy where it has the same method."""

import math

import numpy as np
import pytest
import scipy.stats

from shokubai.findings.statistics import (
    benjamini_hochberg,
    dispersion,
    mann_kendall,
    newcombe,
    proportion_p_value,
    rate_ratio,
    theil_sen,
)

# Newcombe, Stat. Med. 17 (1998) 873-890, table II, method 10 (score intervals, no continuity correction).
NEWCOMBE_TABLE_II = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0),
    (10, 10, 0, 10, 0.6075, 1.0),
]


@pytest.mark.parametrize(("x", "n", "y", "m", "low", "high"), NEWCOMBE_TABLE_II)
def test_newcombe_gives_the_published_intervals(x, n, y, m, low, high):
    interval = newcombe(x, n, baseline_events=y, baseline_total=m)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


# Benjamini & Hochberg, JRSS B 57 (1995) 289-300, section 4.1 (15 comparisons): BH rejects four, Bonferroni three.
BH_1995 = [
    (0.0001, 0.0015),
    (0.0004, 0.003),
    (0.0019, 0.0095),
    (0.0095, 0.035625),
    (0.0201, 0.0603),
    (0.0278, 0.063857),
    (0.0298, 0.063857),
    (0.0344, 0.0645),
    (0.0459, 0.0765),
    (0.324, 0.486),
    (0.4262, 0.581182),
    (0.5719, 0.714875),
    (0.6528, 0.753231),
    (0.759, 0.813214),
    (1.0, 1.0),
]


def test_benjamini_hochberg_gives_the_published_example_in_any_order():
    p_values = [p for p, _ in BH_1995]
    adjusted = benjamini_hochberg(p_values)
    assert adjusted == pytest.approx([a for _, a in BH_1995], abs=5e-7)
    assert sum(a <= 0.05 for a in adjusted) == 4
    order = [7, 0, 14, 3, 9, 1, 12, 5, 2, 11, 4, 13, 6, 10, 8]
    assert benjamini_hochberg([p_values[i] for i in order]) == [adjusted[i] for i in order]
    assert benjamini_hochberg([]) == []


def test_the_p_value_of_two_proportions_is_the_chi_square_test_without_correction():
    for x, n, y, m in ((56, 70, 48, 80), (15, 1000, 30, 1200), (0, 50, 4, 60)):
        table = [[x, n - x], [y, m - y]]
        expected = scipy.stats.chi2_contingency(table, correction=False).pvalue
        assert proportion_p_value(x, n, baseline_events=y, baseline_total=m) == pytest.approx(expected, rel=1e-9)
    assert proportion_p_value(0, 10, baseline_events=0, baseline_total=10) == 1.0


def test_a_rate_ratio_by_hand():
    factor, interval, p_value = rate_ratio(200, 100)
    # log(200.5 / 100.5) = 0.690644; standard error sqrt(1/200.5 + 1/100.5) = 0.122220
    assert factor == 2.0
    assert interval.low == pytest.approx(math.exp(0.690644 - 1.959964 * 0.122220), rel=1e-4)
    assert interval.high == pytest.approx(math.exp(0.690644 + 1.959964 * 0.122220), rel=1e-4)
    assert p_value == pytest.approx(1.59e-8, rel=0.02)
    assert rate_ratio(7, 0)[0] == math.inf


def test_dispersion_is_one_for_even_blocks_and_large_for_bursts():
    assert dispersion([5, 5, 5, 5], [1000] * 4) == 1.0
    # ratio 0.005: chi-square = (15^2 + 3 * 5^2) / (1000 * 0.005 * 0.995) = 60.3, over 3 degrees of freedom
    assert dispersion([20, 0, 0, 0], [1000] * 4) == pytest.approx(300 / 4.975 / 3)
    assert dispersion([3], [10]) == 1.0
    assert dispersion([0, 0], [10, 10]) == 1.0


def test_theil_sen_by_hand():
    # Slopes of (0,0) (1,2) (2,3) (3,30): 2, 1.5, 10, 1, 14, 27; the median is 6. The outlier does not set it.
    trend = theil_sen([0, 1, 2, 3], [0, 2, 3, 30])
    assert trend.slope == 6.0
    assert trend.intercept == 2.5 - 6.0 * 1.5


def test_theil_sen_agrees_with_scipy_and_leaves_gaps_out():
    rng = np.random.default_rng(7)
    x = np.arange(28.0)
    y = 0.4 + 0.01 * x + rng.normal(0, 0.02, 28)
    y[[3, 11]] = np.nan
    known = ~np.isnan(y)
    expected = scipy.stats.theilslopes(y[known], x[known], alpha=0.95)
    trend = theil_sen(x, y)
    assert trend.slope == pytest.approx(expected.slope)
    assert trend.intercept == pytest.approx(expected.intercept)
    assert (trend.interval.low, trend.interval.high) == pytest.approx((expected.low_slope, expected.high_slope))


def test_theil_sen_is_equivariant_to_scale_and_refuses_a_single_x():
    x, y = [0, 1, 2, 4, 5], [1.0, 1.5, 1.7, 3.0, 2.9]
    assert theil_sen(x, [1000 * v for v in y]).slope == pytest.approx(1000 * theil_sen(x, y).slope)
    with pytest.raises(ValueError, match="two distinct"):
        theil_sen([1, 1], [2, 3])


def test_mann_kendall_by_hand():
    # 1 2 3 4 5: all ten pairs rise, S = 10, variance 5·4·15/18 = 16.667, z = 9 / 4.0825 = 2.2045
    tau, p_value = mann_kendall([1, 2, 3, 4, 5])
    assert tau == 1.0
    assert p_value == pytest.approx(2 * scipy.stats.norm.sf(2.2045), rel=1e-3)
    assert mann_kendall([5, math.nan, 4, 3]) == (-1.0, pytest.approx(2 * scipy.stats.norm.sf(2 / math.sqrt(66 / 18))))


def test_mann_kendall_corrects_the_variance_for_ties():
    # 1 1 2: S = 2, variance (3·2·11 − 2·1·9) / 18 = 48/18, z = 1 / 1.633 = 0.6124
    tau, p_value = mann_kendall([1, 1, 2])
    assert tau == pytest.approx(2 / 3)
    assert p_value == pytest.approx(2 * scipy.stats.norm.sf(0.6124), rel=1e-3)


@pytest.mark.parametrize("series", [[], [3.0], [2.0, 2.0, 2.0, 2.0], [math.nan] * 5])
def test_a_constant_or_empty_series_has_no_trend(series):
    tau, p_value = mann_kendall(series)
    assert (tau, p_value) == (0.0, 1.0)
