import math

import numpy as np
import pytest

from shokubai.sli import wilson
from shokubai.slo.verdict import Judgement, judge_interval, mean_ratio_interval, ratio_interval


@pytest.mark.parametrize(
    ("good", "valid", "objective", "verdict", "reason"),
    [
        # Wilson's 95 % bounds: 239/240 .9768–.9993, 9990/10000 .99816–.99946.
        (239, 240, 0.999, "not_enough_data", "interval_holds_objective"),
        (239, 240, 0.97, "met", "interval_above_objective"),
        (239, 240, 0.9995, "missed", "interval_below_objective"),
        (9990, 10000, 0.998, "met", "interval_above_objective"),
        (9990, 10000, 0.999, "not_enough_data", "interval_holds_objective"),
        (9990, 10000, 0.9995, "missed", "interval_below_objective"),
        # Nothing failed, but a hundred requests cannot show 99.9 %.
        (100, 100, 0.999, "not_enough_data", "interval_holds_objective"),
        (0, 0, 0.999, "not_enough_data", "no_traffic"),
    ],
)
def test_the_verdict_is_of_the_interval(good: int, valid: int, objective: float, verdict: str, reason: str) -> None:
    judgement = judge_interval(ratio_interval(good, valid), objective=objective)
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


def test_bounds_that_touch_the_objective() -> None:
    low, high = wilson(239, 240)
    assert judge_interval((low, high), objective=low).verdict == "met"
    assert judge_interval((low, high), objective=high).verdict == "not_enough_data"
    assert judge_interval((low, high), objective=math.nextafter(high, 1)).verdict == "missed"


def test_missing_telemetry_leaves_no_verdict_but_the_interval() -> None:
    interval = wilson(0, 10_000)
    assert judge_interval(interval, objective=0.999, completeness_ratio=0.9).verdict == "missed"
    assert judge_interval(interval, objective=0.999, completeness_ratio=0.8999) == Judgement(
        "not_enough_data", "incomplete", *interval
    )
    # Without any request, missing telemetry is the better explanation.
    assert judge_interval(None, objective=0.999, completeness_ratio=0.5).reason == "incomplete"
    assert judge_interval(interval, objective=0.999, completeness_ratio=0.5, minimum_completeness=0.5).verdict == (
        "missed"
    )


def test_the_interval_of_slice_ratios_is_mean_and_standard_error() -> None:
    # 50 slices of 1 and 50 of 0.9: mean .95, s = .05 sqrt(100/99), standard error .05 / sqrt(99).
    interval = mean_ratio_interval([1.0] * 50 + [0.9] * 50)
    reach = 1.959963984540054 * 0.05 / math.sqrt(99)
    assert interval == pytest.approx((0.95 - reach, 0.95 + reach), abs=1e-12)


def test_few_or_equal_slices_have_wilsons_interval() -> None:
    assert mean_ratio_interval([1.0] * 100) == wilson(100, 100)
    assert mean_ratio_interval([0.5, 1.0]) == wilson(1.5, 2)
    assert mean_ratio_interval([1.0]) == wilson(1, 1)
    assert mean_ratio_interval([]) is None


def test_the_interval_of_slice_ratios_stays_between_0_and_1() -> None:
    low, high = mean_ratio_interval(np.array([1.0] * 99 + [0.0])) or (math.nan, math.nan)
    assert 0.97 < low < 0.99
    assert high == 1.0
