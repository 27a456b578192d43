"""``shokubai run``: make the reports of a run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from shokubai import config
from shokubai.cli.manner import manner_options
from shokubai.cli.terminal import (
    console,
    log_option,
    notebooks_option,
    outputs_option,
    parameters_option,
    status,
)
from shokubai.cli.watching import some, tell_end, tell_week, watching
from shokubai.core.errors import ShokubaiError, UsageError
from shokubai.core.windows import Week
from shokubai.runner import (
    Manner,
    Plan,
    Summary,
    WeekOutcome,
    choose_shard,
    choose_weeks,
    estimate_run,
    make_plan,
    make_reports,
    make_weeks,
    preview_run,
    worst_status,
)
from shokubai.sources.bigquery_cost import in_units
from shokubai.tables import BuildEstimate


@click.command
@click.argument("name", metavar="RUN")
@click.option(
    "--week", "week_text", metavar="WEEK", help="ISO week such as 2026-W44. Default: the last complete one."
)
@click.option(
    "--since",
    metavar="WEEK|last",
    help="Make every week from this one to --week, oldest first. `last`: from the one after the newest made.",
)
@click.option("--team", "teams", metavar="TEAM", multiple=True, help="Only this team; may be given several times.")
@click.option(
    "--shard",
    metavar="K/N",
    help="Only part K of the run's teams divided into N, the organisation's pages not; */N takes K from a Kubernetes "
    "indexed Job. Default: the task of a Cloud Run job, else all. `shokubai join` puts the parts together.",
)
@click.option("--warehouse", metavar="NAME", help="Read this file in parameters/warehouses instead of the run's.")
@click.option("--dry-run", is_flag=True, help="Only say what would be read, what it would cost, and what be made.")
@manner_options
@click.option(
    "--resume/--force",
    default=True,
    show_default=True,
    help="Make only what is missing, failed or has changed, or everything again.",
)
@log_option
@notebooks_option
@parameters_option
@outputs_option
def command(
    name: str,
    week_text: str | None,
    since: str | None,
    teams: Sequence[str],
    shard: str | None,
    warehouse: str | None,
    dry_run: bool,
    manner: Manner,
    resume: bool,
    log: str | None,
    notebooks_dir: Path | None,
    parameters_dir: Path,
    outputs_dir: Path,
) -> None:
    """Make the reports of RUN, a file in parameters/runs, for one week or several.

    Reports whose notebook, parameters and data have not changed are not made again. Reports made at once share the
    processors and 60 % of the memory; SHOKUBAI_THREADS and SHOKUBAI_MEMORY (such as 2GB) in the environment set what
    each may take. A report whose process was killed from outside is tried once more at the end.

    Exit status: 0 all are there, 1 some could not be made (each has a page that says why), 2 nothing was made
    because something given or the data cannot be used, 3 the same reports are being made by another process, 4 the
    disk is full (what was published stays). Of several weeks, the worst: 4, 2, 1, 3, 0 in that order.
    """
    part = choose_shard(shard, os.environ)
    parameters = config.load(parameters_dir)
    now = datetime.now(UTC)

    def plan_of(week: Week | None) -> Plan:
        return make_plan(
            parameters,
            name,
            now=now,
            outputs=outputs_dir,
            notebooks=notebooks_dir or own_notebooks(),
            week=week,
            teams=teams,
            warehouse=warehouse,
            shard=part,
        )

    plan = plan_of(Week.parse(week_text) if week_text else None)
    if part and not plan.jobs:
        status.print(f"shard {part} has no team: the run has {len(plan.teams)}")
    with nothing_made():
        weeks = choose_weeks(since, plan) if since else (plan.week,)
        if dry_run:
            for week in weeks:
                _estimate(plan_of(week), force=not resume)
            return

    with terminable(), watching(log) as progress:

        def make(week: Week) -> Summary:
            # Planned only now: a week is compared with the one before it.
            return make_reports(
                plan_of(week),
                manner=manner,
                force=not resume,
                progress=progress,
            )

        if since is None:
            with nothing_made():
                outcomes = [WeekOutcome(plan.week, make(plan.week))]
        else:
            outcomes = []
            for outcome in make_weeks(weeks, make):
                outcomes.append(outcome)
                tell_week(outcome)
    tell_end(outcomes, outputs_dir, several=since is not None)
    if exit_status := worst_status([outcome.exit_status for outcome in outcomes]):
        sys.exit(exit_status)


def _estimate(plan: Plan, *, force: bool) -> None:
    """Say what a run would read and make, and refuse what the run itself would refuse."""
    refused: list[ShokubaiError] = []
    data: dict[str, str | None] = {}
    for known in estimate_run(plan):
        estimate = known.build
        data[estimate.warehouse] = known.data
        console.print(f"{estimate.warehouse}: {_scan(estimate)}")
        for line in (_count(estimate), _fetch(estimate), _total(estimate)):
            if line:
                console.print(f"{estimate.warehouse}: {line}")
        if known.data is None and not estimate.days:
            console.print(
                f"{estimate.warehouse}: what has changed is known only to a run; its reports count as changed"
            )
        refused += [estimate.refused] if estimate.refused else []
    preview = preview_run(plan, data, force=force)
    for words, jobs in (("would be made", preview.to_make), ("up to date", preview.up_to_date)):
        if jobs:
            console.print(f"{words}: {some([job.name for job in jobs])}")
    counts = f"{len(preview.to_make)} to make, {len(preview.up_to_date)} up to date"
    console.print(f"{len(plan.jobs)} report(s) of {plan.week}: {counts}. Nothing was run.")
    if refused:
        raise refused[0]


def _scan(estimate: BuildEstimate) -> str:
    if not estimate.days:
        return "no day of the log to scan, the small tables are up to date"
    size = in_units(estimate.scan_bytes) + (f", {estimate.scan_price}" if estimate.scan_price else "")
    days = f"{estimate.days[0]} to {estimate.days[-1]}" if len(estimate.days) > 1 else f"{estimate.days[0]}"
    return f"{len(estimate.days)} day(s) of the log to scan, {days}: {size}"


def _count(estimate: BuildEstimate) -> str:
    if estimate.count_bytes is None:
        return ""
    size = f"{in_units(estimate.count_bytes)}, {estimate.count_price}"
    return (
        f"to find the days of the log, which is not partitioned by its timestamp: {size}; days that changed are extra"
    )


def _fetch(estimate: BuildEstimate) -> str:
    if estimate.fetch_bytes is None:
        return ""
    size = f"{in_units(estimate.fetch_bytes)}, {estimate.fetch_price}"
    return f"to fetch once for all reports: {size}"


def _total(estimate: BuildEstimate) -> str:
    if not estimate.caps:
        return ""
    billed = f"{estimate.statement_count} statements, {in_units(estimate.billed_bytes)} billed, {estimate.price}"
    more = ", and the fetch of the days to scan" if estimate.days else ""
    return f"together {billed}{more}; allowed: {estimate.caps}"


def own_notebooks() -> Path:
    """The notebooks here, or for an organisation whose parameters lie elsewhere, those of a checkout."""
    here, shipped = Path("notebooks"), Path(__file__).resolve().parents[3] / "notebooks"
    return shipped if shipped.is_dir() and not here.is_dir() else here


@contextmanager
def nothing_made() -> Iterator[None]:
    """What ends a run before its first report has the exit status of that, whatever was wrong."""
    try:
        yield
    except ShokubaiError as error:
        error.exit_status = max(error.exit_status, UsageError.exit_status)
        raise


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM unwinds the run, which ends its processes; what was published stays, the next run makes the rest."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
