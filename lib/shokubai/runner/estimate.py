"""What a run would read and what that would cost, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from shokubai import tables
from shokubai.runner.plan import Plan
from shokubai.tables import BuildEstimate


def estimate_run(plan: Plan) -> Iterator[BuildEstimate]:
    """For each warehouse of a plan, what bringing its days up to date and making the reports would read.

    Raises what a warehouse raises that cannot be read.
    """
    for name in plan.warehouses:
        opened = tables.open_tables(plan.parameters, name, outputs=plan.outputs, labels=plan.labels)
        yield opened.estimate(plan.window, recent=plan.recent)
