from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest

from shokubai.slo import allowed_minutes, allowed_requests, budget_share, error_budget
from shokubai.slo.budget import budget_fraction_of, budget_left_ratios

YEAR, QUARTER, MONTH, WEEK, DAY, HOUR = (
    timedelta(days=365),
    timedelta(days=90),
    timedelta(days=30),
    timedelta(days=7),
    timedelta(days=1),
    timedelta(hours=1),
)


@pytest.mark.parametrize(
    ("total", "objective", "allowed"),
    [
        # SRE Workbook ch. 2, "Implementing SLOs": the game service's four weeks and table 2-4.
        (3_663_253, 0.97, 109_897),
        (3_663_253, 0.90, 366_325),
        (3_663_253, 0.99, 36_632),
        # Appendix A, example SLO document: API requests, and the prober's 200 tests per second for 28 days.
        (1_000_000, 0.97, 30_000),
        (200 * 86_400 * 28, 0.9999999, 48),
        # Appendix B, example error budget policy.
        (1_000_000, 0.999, 1_000),
        # Ch. 5, "Low-traffic services": ten requests an hour for 30 days; 7.2.
        (10 * 24 * 30, 0.999, 7),
        (0, 0.999, 0),
    ],
)
def test_allowed_requests_are_the_floor_of_the_exact_budget(total: int, objective: float, allowed: int) -> None:
    assert allowed_requests(total, objective) == allowed


def test_the_game_services_availability_is_97_123_percent() -> None:
    assert round(100 * 3_557_865 / 3_663_253, 3) == 97.123
    budget = error_budget(3_663_253 - 3_557_865, valid=3_663_253, objective=0.97)
    assert (budget.allowed, budget.spent) == (109_897.59, 105_388)
    assert budget.left_ratio == pytest.approx(1 - 105_388 / 109_897.59, abs=1e-15)


@pytest.mark.parametrize(("errors", "percent", "book"), [(14_066, 12.80, 13), (72_000, 65.52, 65)])
def test_an_incidents_share_of_the_budget(errors: int, percent: float, book: int) -> None:
    # Ch. 2, "Decision making using SLOs and error budgets"; the book cuts the decimals.
    share = budget_share(errors, valid=3_663_253, objective=0.97)
    assert share is not None
    assert 100 * share == pytest.approx(percent, abs=0.01)
    assert abs(100 * share - book) < 1


def test_a_budget_of_nothing_has_no_share() -> None:
    assert budget_share(0, valid=0, objective=0.999) is None


@pytest.mark.parametrize("objective", [0.9, 0.95, 0.97, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 0.9999999])
def test_a_budget_spent_exactly_has_nothing_left(objective: float) -> None:
    fraction = budget_fraction_of(objective)
    for bad in (1, 3, 7, 999, 30_001):
        valid = bad * fraction.denominator // fraction.numerator
        if valid * fraction != bad:
            continue
        budget = error_budget(bad, valid=valid, objective=objective)
        assert (budget.allowed, budget.left, budget.left_ratio) == (bad, 0.0, 0.0)
        assert budget_left_ratios([bad], valid=[valid], objective=objective).tolist() == [0.0]
        # One request more or less is seen, however large the counts.
        assert error_budget(bad + 1, valid=valid, objective=objective).left_ratio == pytest.approx(-1 / bad)
        assert error_budget(bad - 1, valid=valid, objective=objective).left_ratio == pytest.approx(1 / bad)


def test_one_minus_the_objective_is_what_the_decimals_say() -> None:
    assert 1 - 0.999 != 0.001  # which is why
    assert budget_fraction_of(0.999) == Fraction(1, 1000)
    assert float(budget_fraction_of(0.999)) == 0.001
    assert error_budget(1, valid=1000, objective=0.999).allowed == 1.0
    assert budget_fraction_of(np.float64(0.999)) == Fraction(1, 1000)


def test_counts_of_any_kind_are_taken_whole() -> None:
    assert allowed_requests(np.int64(3_663_253), 0.97) == 109_897
    assert error_budget(np.float64(1.0), valid=np.int64(1000), objective=0.999).left_ratio == 0.0
    # Slices of RatioTimeslices are not whole: 0.3 + 0.6 of 9 slices at 90 %.
    assert error_budget(0.3 + 0.6, valid=9, objective=0.9).left_ratio == 0.0


def test_no_traffic_leaves_neither_everything_nor_nothing() -> None:
    budget = error_budget(0, valid=0, objective=0.999)
    assert (budget.allowed, budget.left, budget.left_ratio) == (0.0, 0.0, None)
    assert np.isnan(budget_left_ratios([0], valid=[0], objective=0.999)).tolist() == [True]


@pytest.mark.parametrize("objective", [0.0, 1.0, -0.1, 99.9, float("nan")])
def test_an_objective_leaves_a_budget(objective: float) -> None:
    with pytest.raises(ValueError, match="an objective is a ratio above 0 and below 1"):
        budget_fraction_of(objective)


# SRE book, appendix A, "Availability table": level, then the allowed unavailability as printed, in minutes.
AVAILABILITY = [
    (0.9, ("36.5 d", "9 d", "3 d", "16.8 h", "2.4 h", "6 min")),
    (0.95, ("18.25 d", "4.5 d", "1.5 d", "8.4 h", "1.2 h", "3 min")),
    (0.99, ("3.65 d", "21.6 h", "7.2 h", "1.68 h", "14.4 min", "36 s")),
    (0.995, ("1.83 d", "10.8 h", "3.6 h", "50.4 min", "7.20 min", "18 s")),
    (0.999, ("8.76 h", "2.16 h", "43.2 min", "10.1 min", "1.44 min", "3.6 s")),
    (0.9995, ("4.38 h", "1.08 h", "21.6 min", "5.04 min", "43.2 s", "1.8 s")),
    (0.9999, ("52.6 min", "12.96 min", "4.32 min", "60.5 s", "8.64 s", "0.36 s")),
    (0.99999, ("5.26 min", "1.30 min", "25.9 s", "6.05 s", "0.87 s", "0.04 s")),
]
MINUTES = {"d": 1440.0, "h": 60.0, "min": 1.0, "s": 1 / 60}


@pytest.mark.parametrize(
    ("objective", "period", "printed"),
    [
        (objective, period, text)
        for objective, row in AVAILABILITY
        for period, text in zip((YEAR, QUARTER, MONTH, WEEK, DAY, HOUR), row, strict=True)
    ],
)
def test_the_availability_table(objective: float, period: timedelta, printed: str) -> None:
    number, unit = printed.split()
    in_unit = allowed_minutes(period, objective) / MINUTES[unit]
    # Less than one in the last printed digit: the book rounds 0.864 s up to 0.87 s.
    assert abs(in_unit - float(number)) < 10 ** -len(number.partition(".")[2])


@pytest.mark.parametrize(
    ("objective", "minutes"),
    [
        (0.99, 403.2),
        (0.995, 201.6),
        (0.999, 40.32),
        (0.9995, 20.16),
        (0.9999, 4.032),
        (0.99999, 0.4032),  # 24.19 s
    ],
)
def test_four_weeks_of_40320_minutes(objective: float, minutes: float) -> None:
    assert allowed_minutes(timedelta(days=28), objective) == minutes


def test_openslos_own_examples() -> None:
    # OpenSLO, examples: a week at 99.95 % allows 5 min 2.4 s.
    assert allowed_minutes(WEEK, 0.9995) == pytest.approx(5 + 2.4 / 60, abs=1e-12)
    # Two weeks of one-minute slices at 95 %: 20,160 slices, 1,008 of which may be bad.
    assert allowed_requests(20_160, 0.95) == 1_008
