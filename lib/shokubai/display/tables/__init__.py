"""Tables, one subject per file. Each gives a ``Table`` of formatted cells."""

from shokubai.display.tables.budget_parts import budget_parts
from shokubai.display.tables.changes import changes
from shokubai.display.tables.metrics import metrics
from shokubai.display.tables.provenance import LABELS as PROVENANCE_LABELS
from shokubai.display.tables.provenance import provenance, queries
from shokubai.display.tables.routes import busiest_routes, routes_by_budget, routes_by_change
from shokubai.display.tables.silences import silences
from shokubai.display.tables.slos import burn_rates, episodes, verdicts
from shokubai.display.tables.sre_requests import sre_requests
from shokubai.display.tables.statuses import statuses
from shokubai.display.tables.teams import teams

__all__ = [
    "PROVENANCE_LABELS",
    "budget_parts",
    "burn_rates",
    "busiest_routes",
    "changes",
    "episodes",
    "metrics",
    "provenance",
    "queries",
    "routes_by_budget",
    "routes_by_change",
    "silences",
    "sre_requests",
    "statuses",
    "teams",
    "verdicts",
]
