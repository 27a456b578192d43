"""Error budgets: how much may fail, how much did, what is left.

Objectives are written by people in decimals, so all arithmetic starts from the decimal: 1 − 0.999 is 1/1000 here,
not 0.0010000000000000009, and a budget that is spent exactly is spent exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from math import floor

import numpy as np
import numpy.typing as npt

from shokubai.core.windows import Window

FloatArray = npt.NDArray[np.float64]

# What floats of counts and ratios may be apart and still be equal: a few rounding errors, and far less than one
# request in any number of requests we count.
TIE = 1e-12


@dataclass(frozen=True)
class ErrorBudget:
    """Budget in the unit that the objective counts, unrounded.

    ``left_ratio`` is 1 untouched, 0 spent, negative overspent, and None when nothing was valid.
    """

    allowed: float
    spent: float
    left: float
    left_ratio: float | None


def budget_fraction_of(objective: float) -> Fraction:
    """1 − objective, exactly as the objective's decimals say. Raises ValueError unless 0 < objective < 1.

    >>> budget_fraction_of(0.999)
    Fraction(1, 1000)
    """
    if not 0 < objective < 1:
        raise ValueError(f"an objective is a ratio above 0 and below 1 (0.999 for 99.9 %), got {objective}")
    return 1 - Fraction(repr(float(objective)))


def error_budget(bad: float, *, valid: float, objective: float) -> ErrorBudget:
    """The budget of ``valid`` events of which ``bad`` failed.

    >>> error_budget(1, valid=1000, objective=0.999)
    ErrorBudget(allowed=1.0, spent=1.0, left=0.0, left_ratio=0.0)
    """
    allowed = budget_fraction_of(objective) * _exact(valid)
    left = allowed - _exact(bad)
    ratio = float(left / allowed) if allowed else None
    if ratio is not None and abs(ratio) < TIE:
        left, ratio = Fraction(0), 0.0
    return ErrorBudget(float(allowed), float(bad), float(left), ratio)


def budget_left_ratios(bad: npt.ArrayLike, *, valid: npt.ArrayLike, objective: float) -> FloatArray:
    """``error_budget(...).left_ratio`` of arrays; NaN where nothing was valid."""
    b, v = np.asarray(bad, dtype=np.float64), np.asarray(valid, dtype=np.float64)
    allowed = v * float(budget_fraction_of(objective))
    ratios = np.full(allowed.shape, np.nan)
    np.divide(allowed - b, allowed, out=ratios, where=allowed > 0)
    return np.where(np.abs(ratios) < TIE, 0.0, ratios)


def projected_valid(valid: float, *, window: Window, whole_window: Window) -> float:
    """How many valid events the whole of a calendar period is likely to have: valid so far × period / elapsed.

    A rolling window is over when it is judged and keeps its own. The budget of a period that has just begun is
    small only because little of its traffic has come; (1 − objective) × this is what the period will have.
    """
    if window.duration >= whole_window.duration:
        return valid
    return valid * (whole_window.duration / window.duration)


def allowed_requests(total: int, objective: float) -> int:
    """How many of ``total`` requests may fail, in whole requests: floor(total × (1 − objective)).

    For display; verdicts compare unrounded numbers. Source: SRE Workbook ch. 2, table 2-4.

    >>> allowed_requests(3_663_253, 0.97)
    109897
    """
    return floor(int(total) * budget_fraction_of(objective))


def allowed_minutes(period: timedelta, objective: float) -> float:
    """How long a service may be down in ``period``, in minutes. Source: SRE book, appendix A.

    >>> allowed_minutes(timedelta(days=28), 0.999)
    40.32
    """
    microseconds = (period // timedelta.resolution) * budget_fraction_of(objective)
    return float(microseconds / 60_000_000)


def budget_share(bad: float, *, valid: float, objective: float) -> float | None:
    """The part of the budget that ``bad`` failures spent, such as those of one incident; None without traffic.

    ``valid`` counts the whole SLO window. Source: SRE Workbook ch. 2, "Decision making using SLOs".
    """
    allowed = budget_fraction_of(objective) * _exact(valid)
    return float(_exact(bad) / allowed) if allowed else None


def _exact(count: float) -> Fraction:
    """A count as a fraction; whole numbers of any kind stay whole."""
    return Fraction(int(count)) if count == int(count) else Fraction(float(count))
