"""``shokubai run``: make the reports of a run."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click
from rich.progress import TaskID

from shokubai import config
from shokubai.cli.terminal import (
    console,
    jobs_option,
    notebooks_option,
    outputs_option,
    parameters_option,
    progress,
    status,
    timeout_option,
)
from shokubai.core.errors import ShokubaiError, UsageError
from shokubai.core.windows import Week
from shokubai.runner import Job, Plan, Progress, Summary, choose_shard, estimate_run, make_plan, make_reports
from shokubai.runner.journal import Record
from shokubai.sources.bigquery_cost import in_units
from shokubai.sources.cost import money
from shokubai.tables import BuildEstimate

SECONDS_BETWEEN_LINES = 10.0  # of progress in a log
WORDS = {"made": "made", "no_data": "no data", "failed": "FAILED"}


@click.command
@click.argument("name", metavar="RUN")
@click.option(
    "--week", "week_text", metavar="WEEK", help="ISO week such as 2026-W44. Default: the last complete one."
)
@click.option("--team", "teams", metavar="TEAM", multiple=True, help="Only this team; may be given several times.")
@click.option(
    "--shard",
    metavar="K/N",
    help="Only part K of the run's teams divided into N, the organisation's pages not; */N takes K from a Kubernetes "
    "indexed Job. Default: the task of a Cloud Run job, else all. `shokubai join` puts the parts together.",
)
@click.option("--warehouse", metavar="NAME", help="Read this file in parameters/warehouses instead of the run's.")
@click.option("--dry-run", is_flag=True, help="Only say what would be read and what it would cost.")
@jobs_option
@click.option("--force", is_flag=True, help="Make reports again that are up to date.")
@timeout_option
@notebooks_option
@parameters_option
@outputs_option
def command(
    name: str,
    week_text: str | None,
    teams: Sequence[str],
    shard: str | None,
    warehouse: str | None,
    dry_run: bool,
    jobs: int | None,
    force: bool,
    timeout: float,
    notebooks_dir: Path | None,
    parameters_dir: Path,
    outputs_dir: Path,
) -> None:
    """Make the reports of RUN, a file in parameters/runs, for one week.

    Reports whose notebook, parameters and data have not changed are not made again. Reports made at once share the
    processors and 60 % of the memory; SHOKUBAI_THREADS and SHOKUBAI_MEMORY (such as 2GB) in the environment set what
    each may take. Exit status: 0 all are there,
    1 some could not be made (each has a page that says why), 2 nothing was made because something given or the data
    cannot be used,
    3 the same reports are being made by another process.
    """
    part = choose_shard(shard, os.environ)
    plan = make_plan(
        config.load(parameters_dir),
        name,
        now=datetime.now(UTC),
        outputs=outputs_dir,
        notebooks=notebooks_dir or own_notebooks(),
        week=Week.parse(week_text) if week_text else None,
        teams=teams,
        warehouse=warehouse,
        shard=part,
    )
    if part and not plan.jobs:
        status.print(f"shard {part} has no team: the run has {len(plan.teams)}")
    if dry_run:
        with nothing_made():
            _estimate(plan)
        return
    with nothing_made(), terminable(), Terminal() as shown:
        summary = make_reports(
            plan, jobs=jobs or os.cpu_count() or 1, timeout_seconds=timeout, force=force, progress=shown
        )
    tell(summary, outputs_dir)
    if summary.failures:
        sys.exit(1)


def _estimate(plan: Plan) -> None:
    """Say what a run would read, and refuse what the run itself would refuse."""
    refused: list[ShokubaiError] = []
    for estimate in estimate_run(plan):
        console.print(f"{estimate.warehouse}: {_scan(estimate)}")
        for line in (_count(estimate), _fetch(estimate), _total(estimate)):
            if line:
                console.print(f"{estimate.warehouse}: {line}")
        refused += [estimate.refused] if estimate.refused else []
    console.print(f"{len(plan.jobs)} report(s) of {plan.week}. Nothing was run.")
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


def tell(summary: Summary, outputs: Path) -> None:
    for record in summary.failures:
        error = record.error or {}
        cell = f"cell {error['cell']}: " if error.get("cell") else ""
        console.print(f"failed: {record.team or 'organization'}/{record.notebook}: {cell}{error.get('message', '')}")
    for name, cost in summary.costs.items():
        console.print(
            f"{name}: {cost.statement_count} statements read {in_units(cost.bytes_processed)}, of the log "
            f"{in_units(cost.log_bytes)}; billed {in_units(cost.bytes_billed)}, {money(cost.price, cost.currency)}"
        )
    counts = [f"{summary.count('made')} made", f"{summary.count('no_data')} no data"]
    console.print(" · ".join([*counts, f"{summary.count('failed')} failed", f"{len(summary.up_to_date)} up to date"]))
    console.print(str(outputs / "index.html"))


class Terminal(Progress):
    """A bar for the run and one line per report under way; on no terminal, one line per report made."""

    def __init__(self) -> None:
        self.bars = progress()
        self.reading: TaskID | None = None
        self.told_at = time.monotonic()  # where no bar is shown
        self.total: TaskID | None = None
        self.lines: dict[str, TaskID] = {}

    def __enter__(self) -> Terminal:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def building(self, warehouse: str, done: int, total: int, what: str) -> None:
        if self.reading is None:
            self.reading = self.bars.add_task(warehouse, total=None)
        if not status.is_terminal and time.monotonic() - self.told_at >= SECONDS_BETWEEN_LINES:
            self.told_at = time.monotonic()
            status.print(f"{warehouse}: {done} of {total} days, {what}")
        self.bars.update(self.reading, completed=done, total=total, description=f"{warehouse}: {what}")

    def planned(self, jobs: Sequence[Job]) -> None:
        if self.reading is not None:
            self.bars.remove_task(self.reading)
        self.total = self.bars.add_task("reports", total=len(jobs))

    def started(self, job: Job) -> None:
        self.lines[job.name] = self.bars.add_task(f"  {job.name}", total=None)

    def up_to_date(self, job: Job) -> None:
        self._advance()

    def finished(self, job: Job, record: Record) -> None:
        self._remove(job)
        self._say(f"{job.name}: {WORDS[record.status]} ({record.seconds:.1f} s)")
        self._advance()

    def retrying(self, job: Job, why: str) -> None:
        self._remove(job)
        self._say(f"{job.name}: ended by {why}; tried again at the end")

    def noted(self, text: str) -> None:
        self._say(text)

    def _remove(self, job: Job) -> None:
        if job.name in self.lines:
            self.bars.remove_task(self.lines.pop(job.name))

    def _advance(self) -> None:
        if self.total is not None:
            self.bars.advance(self.total)

    def _say(self, text: str) -> None:
        (self.bars.console if status.is_terminal else status).print(text)
