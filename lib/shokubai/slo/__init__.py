"""From good and valid counts to budgets, burn rates, verdicts with their reasons, and series over time."""

from shokubai.slo.budget import allowed_minutes, allowed_requests, budget_share, error_budget
from shokubai.slo.budgeting import BudgetEvents, count_events
from shokubai.slo.burn import burn_history
from shokubai.slo.episodes import find_episodes
from shokubai.slo.history import budget_history
from shokubai.slo.judge import judge, known_until
from shokubai.slo.parts import (
    Stretch,
    apportion,
    budget_parts,
    by_route,
    deployment_stretches,
    is_notable,
    name_parts,
    slice_length,
)
from shokubai.slo.periods import PERIOD, objective_periods
from shokubai.slo.policy import (
    WORKBOOK_POLICY,
    BudgetPolicy,
    BurnCondition,
    budget_consumed,
    burn_rate,
    burn_threshold,
    detection_time,
    error_ratio_of,
    maximum_burn_rate,
    reset_time,
    time_to_exhaustion,
)

__all__ = [
    "PERIOD",
    "WORKBOOK_POLICY",
    "BudgetEvents",
    "BudgetPolicy",
    "BurnCondition",
    "Stretch",
    "allowed_minutes",
    "allowed_requests",
    "apportion",
    "budget_consumed",
    "budget_history",
    "budget_parts",
    "budget_share",
    "burn_history",
    "burn_rate",
    "burn_threshold",
    "by_route",
    "count_events",
    "deployment_stretches",
    "detection_time",
    "error_budget",
    "error_ratio_of",
    "find_episodes",
    "is_notable",
    "judge",
    "known_until",
    "maximum_burn_rate",
    "name_parts",
    "objective_periods",
    "reset_time",
    "slice_length",
    "time_to_exhaustion",
]
