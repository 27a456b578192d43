import math

import numpy as np
import pytest
from scipy import stats

from shokubai.sli import wilson


def jeffreys(good: int, valid: int) -> tuple[float, float]:
    low, high = stats.beta.ppf([0.025, 0.975], good + 0.5, valid - good + 0.5)
    return (0.0 if good == 0 else low), (1.0 if good == valid else high)


def clopper_pearson(good: int, valid: int) -> tuple[float, float]:
    low = stats.beta.ppf(0.025, good, valid - good + 1) if good else 0.0
    high = stats.beta.ppf(0.975, good + 1, valid - good) if good < valid else 1.0
    return low, high


# Newcombe, "Two-sided confidence intervals for the single proportion", Stat. Med. 17 (1998) 857–872, table I:
# events, total, then low and high of Wilson's, Clopper and Pearson's and Jeffreys' intervals.
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676), (0.2545, 0.3656)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617), (0.0604, 0.1576)),
    (0, 20, (0.0, 0.1611), (0.0, 0.1684), (0.0, 0.1166)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776), (0.0037, 0.1501)),
]


@pytest.mark.parametrize(("good", "valid", "expected", "exact", "bayes"), NEWCOMBE)
def test_wilson_gives_newcombes_published_intervals(
    good: int, valid: int, expected: tuple[float, float], exact: tuple[float, float], bayes: tuple[float, float]
) -> None:
    assert wilson(good, valid) == pytest.approx(expected, abs=5e-5)
    # The table's other methods, so that the row as a whole is read right; Wilson's lies inside the exact one.
    assert clopper_pearson(good, valid) == pytest.approx(exact, abs=5e-5)
    assert jeffreys(good, valid) == pytest.approx(bayes, abs=5e-5)
    assert exact[0] <= wilson(good, valid)[0]
    assert wilson(good, valid)[1] < exact[1]


@pytest.mark.parametrize(
    ("good", "valid", "expected", "bayes"),
    [
        (9, 10, (0.595850, 0.982124), (0.618685, 0.988988)),
        (100, 100, (0.963007, 1.0), (0.975255, 1.0)),
        (239, 240, (0.976780, 0.999264), (0.980693, 0.999550)),
        (999, 1000, (0.994357, 0.999823), (0.995336, 0.999892)),
        (9990, 10000, (0.998160, 0.999457), (0.998227, 0.999486)),
        (7199, 7200, (0.999214, 0.999975), (0.999351, 0.999985)),
        (3557865, 3663253, (0.971059, 0.971402), (0.971059, 0.971402)),
    ],
)
def test_wilson_at_the_size_of_indicators(
    good: int, valid: int, expected: tuple[float, float], bayes: tuple[float, float]
) -> None:
    assert wilson(good, valid) == pytest.approx(expected, abs=5e-7)
    assert jeffreys(good, valid) == pytest.approx(bayes, abs=5e-7)


def test_the_bounds_are_exact_at_the_ends() -> None:
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0
    assert wilson(10**9, 10**9)[1] == 1.0


def test_nothing_valid_has_no_interval() -> None:
    assert all(math.isnan(bound) for bound in wilson(0, 0))


def test_arrays_give_arrays() -> None:
    low, high = wilson(np.array([81, 0, 0]), np.array([263, 20, 0]))
    assert low.tolist() == pytest.approx([wilson(81, 263)[0], 0.0, math.nan], nan_ok=True)
    assert high.tolist() == pytest.approx([wilson(81, 263)[1], wilson(0, 20)[1], math.nan], nan_ok=True)


def test_the_confidence_is_a_ratio() -> None:
    # z = 1.644854 for 90 %: p = 1/2, n = 100 gives 1/2 ± z sqrt(1/400 + z²/40000) / (1 + z²/100).
    z = 1.6448536
    reach = z * math.sqrt(1 / 400 + z * z / 40_000) / (1 + z * z / 100)
    assert wilson(50, 100, 0.9) == pytest.approx((0.5 - reach, 0.5 + reach), abs=1e-7)
    with pytest.raises(ValueError, match=r"0\.95 for 95 %"):
        wilson(50, 100, 95)
