"""Student's t against the printed table and scipy."""

import math

import pytest
import scipy.stats

from shokubai.findings.student import t_p_value


@pytest.mark.parametrize(
    ("t", "degrees"),
    # The 97.5 % column of any printed table.
    [(12.706, 1), (4.303, 2), (2.571, 5), (2.228, 10), (2.042, 30), (1.980, 120)],
)
def test_the_printed_table(t, degrees):
    assert t_p_value(t, degrees) == pytest.approx(0.05, abs=5e-5)
    assert t_p_value(-t, degrees) == t_p_value(t, degrees)


def test_one_and_two_degrees_by_hand():
    # Cauchy: half of it lies beyond ±1. Two degrees: p = 1 - t / sqrt(2 + t²).
    assert t_p_value(1, 1) == pytest.approx(0.5)
    assert t_p_value(3, 2) == pytest.approx(1 - 3 / math.sqrt(11))


def test_scipy_says_the_same():
    for degrees in (1, 1.5, 3, 17, 363, 5000):
        for t in (0.01, 0.7, 1.96, 6.0, 40.0):
            expected = 2 * scipy.stats.t.sf(t, degrees)
            assert t_p_value(t, degrees) == pytest.approx(expected, rel=1e-9), (t, degrees)


def test_the_ends():
    assert t_p_value(0, 7) == 1.0
    assert t_p_value(math.inf, 7) == 0.0
    assert 0 <= t_p_value(1e200, 7) < 1e-100
