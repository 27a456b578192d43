"""Budgets that are spent, or on their way to be."""

from datetime import timedelta

import pytest

from shokubai.core.windows import Window
from shokubai.findings.rules.budget import RULE
from shokubai.slo.model import Forecast

WEEK = timedelta(days=7)
PACE = timedelta(days=3)


def findings(build, **values):
    evidence = build.evidence(statuses=(build.status(**values),))
    return [o.finding for o in RULE.observe(evidence) if o.finding]


def test_a_spent_budget_of_a_missed_objective_is_critical(build):
    [found] = findings(build, budget_left_ratio=-0.3, bad_count=1300.0, verdict="missed")
    assert (found.case, found.severity, found.subject) == ("exhausted", "critical", "availability")
    assert found.numbers["budget_spent_ratio"] == pytest.approx(1.3)


def test_a_budget_that_few_requests_spent_is_not_certain(build):
    [found] = findings(build, budget_left_ratio=-1.0, bad_count=12.0, valid_count=6000, verdict="not_enough_data")
    assert (found.case, found.severity) == ("exhausted_unsure", "warning")


def test_a_budget_of_a_window_that_is_missing_in_part_is_spent_by_what_is_there(build):
    [found] = findings(
        build, budget_left_ratio=-13.4, bad_count=2756.0, verdict="not_enough_data", reason="incomplete"
    )
    assert (found.case, found.severity) == ("exhausted_incomplete", "warning")


def test_a_budget_that_is_exactly_spent_is_spent(build):
    assert findings(build, budget_left_ratio=0.0, bad_count=1000.0, verdict="missed")[0].case == "exhausted"


def test_a_forecast_within_two_weeks_is_told_with_its_date(build):
    at = build.end + timedelta(days=3, hours=14)
    [found] = findings(build, budget_left_ratio=0.2, bad_count=800.0, forecast=Forecast("exhausts", at, 2.5, PACE))
    assert (found.case, found.severity, found.ended_at) == ("exhausts", "warning", at)
    assert found.numbers["pace_burn_factor"] == 2.5


@pytest.mark.parametrize(
    ("left", "rate", "cases"),
    [(0.4, 1.3, ["slow_burn"]), (0.6, 1.3, []), (0.4, 0.9, []), (0.4, None, [])],
)
def test_a_slow_burn_needs_less_than_half_of_the_budget_and_a_pace_above_one(build, left, rate, cases):
    far = Forecast("exhausts", build.end + timedelta(days=20), rate, PACE)
    found = findings(build, budget_left_ratio=left, bad_count=600.0, forecast=far)
    assert [f.case for f in found] == cases


def test_healthy_empty_and_tiny_budgets_give_nothing(build):
    assert findings(build) == []
    assert findings(build, budget_left_ratio=None, bad_count=0.0, valid_count=0) == []
    assert findings(build, budget_left_ratio=-2.0, bad_count=3.0, verdict="not_enough_data") == []


def test_a_few_bad_slices_spend_a_budget_of_slices(build):
    # Nine bad hours of 672 at 99 %: 6.72 were allowed.
    [found] = findings(build, unit="slices", bad_count=9.0, budget_left_ratio=-0.339, verdict="missed")
    assert (found.case, found.severity) == ("exhausted", "critical")


def a_month_of_which_two_days_are_over(build, **values):
    window = Window(build.end - timedelta(days=2), build.end)
    whole = Window(window.start, window.start + timedelta(days=30))
    return findings(build, window=window, whole_window=whole, verdict="missed", budget_allowed_count=20.0, **values)


def test_a_budget_that_is_small_only_because_the_month_has_begun_is_not_spent(build):
    # 43 of the 20 that two days allow, of the 300 that the month will.
    calm = Forecast("lasts", None, 0.5, PACE)
    assert (
        a_month_of_which_two_days_are_over(build, bad_count=43.0, budget_left_ratio=1 - 43 / 20, forecast=calm) == []
    )


def test_a_months_forecast_speaks_of_the_whole_months_budget(build):
    soon = Forecast("exhausts", build.end + timedelta(days=10), 2.0, PACE)
    [found] = a_month_of_which_two_days_are_over(build, bad_count=43.0, budget_left_ratio=1 - 43 / 20, forecast=soon)
    assert found.case == "exhausts"
    assert found.numbers["budget_allowed_count"] == pytest.approx(300)
    assert found.numbers["budget_left_ratio"] == pytest.approx(257 / 300)


def test_a_months_whole_budget_can_be_spent_in_two_days(build):
    [found] = a_month_of_which_two_days_are_over(build, bad_count=330.0, budget_left_ratio=1 - 330 / 20)
    assert (found.case, found.severity) == ("exhausted", "critical")
    assert found.numbers["budget_spent_ratio"] == pytest.approx(1.1)


def test_follow_up_is_good_news_only_with_traffic(build):
    [past] = findings(build, budget_left_ratio=-0.3, bad_count=1300.0, verdict="missed")
    healed = RULE.follow_up(build.evidence(statuses=(build.status(),)), past)
    assert (healed.case, healed.state, healed.severity, healed.id) == ("resolved", "resolved", "good", past.id)
    low = build.status(budget_left_ratio=0.1, bad_count=900.0)
    eased = RULE.follow_up(build.evidence(statuses=(low,)), past)
    assert (eased.case, eased.state, eased.severity) == ("eased", "continuing", "notice")
    silent = build.status(budget_left_ratio=None, valid_count=0)
    assert RULE.follow_up(build.evidence(statuses=(silent,)), past) is None
    assert RULE.follow_up(build.evidence(), past) is None
