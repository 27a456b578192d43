import numpy as np
import pytest

from shokubai.demo import draws


def test_mixer_is_splitmix64():
    # The first three outputs of SplitMix64 from state 1234567, as in the Java and C reference implementations.
    state = np.array([1234567], dtype=np.uint64)
    outputs = []
    for _ in range(3):
        outputs.append(int(draws._mix(state)[0]))
        with np.errstate(over="ignore"):
            state = state + np.uint64(0x9E3779B97F4A7C15)
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_draw_depends_on_each_of_its_parts():
    base = draws.uniform(1, "a", 2)[0]
    assert draws.uniform(1, "a", 2)[0] == base
    assert len({base, draws.uniform(2, "a", 2)[0], draws.uniform(1, "b", 2)[0], draws.uniform(1, "a", 3)[0]}) == 4


def test_a_draw_does_not_depend_on_its_neighbours():
    together = draws.normal(5, "a", np.arange(10, dtype=np.int64))
    assert draws.normal(5, "a", 7)[0] == together[7]


@pytest.mark.parametrize("mean", [0.05, 4.0, 29.0, 31.0, 400.0])
def test_poisson_has_the_mean_and_variance_of_one(mean):
    counts = draws.poisson(np.full(200_000, mean), 1, "x", np.arange(200_000, dtype=np.int64))
    # Five standard errors of the mean, and of the variance of a Poisson variable.
    assert abs(counts.mean() - mean) < 5 * np.sqrt(mean / 200_000)
    assert abs(counts.var() - mean) < 5 * np.sqrt((mean + 2 * mean**2) / 200_000)


def test_poisson_of_nothing_is_nothing():
    assert draws.poisson(np.zeros(1000), 1, "x", np.arange(1000, dtype=np.int64)).sum() == 0
