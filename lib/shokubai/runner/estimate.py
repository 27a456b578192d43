"""What a run would read and what that would cost, and which reports it would make, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shokubai import tables
from shokubai.runner import fingerprint
from shokubai.runner.freshness import fingerprint_of, is_up_to_date
from shokubai.runner.journal import Journal
from shokubai.runner.plan import Job, Plan
from shokubai.tables import BuildEstimate


@dataclass(frozen=True)
class WarehouseEstimate:
    """What is known of a warehouse beforehand. ``data`` is the fingerprint of what reports read, None: not known."""

    build: BuildEstimate
    data: str | None


@dataclass(frozen=True)
class Preview:
    """What a run would do with each of its reports, as far as can be told before the log is read."""

    to_make: tuple[Job, ...]
    up_to_date: tuple[Job, ...]


def estimate_run(plan: Plan) -> Iterator[WarehouseEstimate]:
    """For each warehouse of a plan, what bringing its days up to date and making the reports would read.

    Raises what a warehouse raises that cannot be read.
    """
    for name in plan.warehouses:
        opened = tables.open_tables(plan.parameters, name, outputs=plan.outputs, labels=plan.labels)
        build = opened.estimate(plan.window, recent=plan.recent)
        data = None if build.days else opened.fingerprint_as_built(plan.window, recent=plan.recent)
        yield WarehouseEstimate(build, data)


def preview_run(plan: Plan, data: Mapping[str, str | None], *, force: bool) -> Preview:
    """Which reports a run would make. ``data`` is by warehouse the fingerprint of what reports read, if known.

    Where it is not known, reports are taken to change; so is what reads one that would be made: pages of the
    organisation with any team's report, and a team's notebook with those of the team whose facts it reads.
    """
    journal = Journal(plan.folder)
    parameters = fingerprint.of_parameters(plan.parameters.directory)
    to_make: list[Job] = []
    up_to_date: list[Job] = []
    for job in plan.jobs:
        state = data[job.warehouse]
        reads_new = any(made.team == job.team and made.notebook in job.reads for made in to_make)
        if force or state is None or reads_new or (job.team is None and to_make):
            to_make.append(job)
            continue
        made_from = fingerprint_of(job, plan, journal, parameters=parameters, data=state)
        (up_to_date if is_up_to_date(job, plan, journal, made_from) else to_make).append(job)
    return Preview(tuple(to_make), tuple(up_to_date))
