"""What a run says on the terminal: a bar while it goes on, then what became of its reports."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from rich.progress import TaskID

from shokubai.cli.log import STDERR, Log
from shokubai.cli.terminal import console, counted, progress, status
from shokubai.runner import Job, Plan, Progress, Summary, Together, WeekOutcome
from shokubai.runner.journal import Record
from shokubai.sources.bigquery_cost import in_units
from shokubai.sources.cost import money

SECONDS_BETWEEN_LINES = 10.0  # of progress in a log
WORDS = {"made": "made", "no_data": "no data", "failed": "FAILED"}
NAMED = 12  # reports of a list; the week's page has all


@contextmanager
def watching(log: str | None) -> Iterator[Progress]:
    """What a run is to tell: the terminal, a log file beside it, or in its place a log on stderr."""
    if log == STDERR:
        yield Log(STDERR)
        return
    written = [Log(log)] if log else []
    with Terminal() as shown:
        yield Together(shown, *written)


def tell_end(outcomes: Sequence[WeekOutcome], outputs: Path, *, several: bool = False) -> None:
    """Say what became of a run's reports; of ``several`` weeks, which were told of one by one, only the sum."""
    summaries = [outcome.summary for outcome in outcomes if outcome.summary]
    if not several:
        for summary in summaries:
            _tell_details(summary, "")
    counts = _counts(summaries)
    if several:
        missing = len(outcomes) - len(summaries)
        counts = f"{counted(len(outcomes), 'week')}: {counts}" + (f" · {missing} not made" if missing else "")
    console.print(counts)
    console.print(str(outputs / "index.html"))


def tell_week(outcome: WeekOutcome) -> None:
    """Say what became of one of several weeks."""
    if outcome.summary is None:
        console.print(f"{outcome.week}: not made: {outcome.error}")
        return
    _tell_details(outcome.summary, f"{outcome.week}: ")
    console.print(f"{outcome.week}: {_counts([outcome.summary])}")


def some(names: Sequence[str]) -> str:
    """A list of names that fits a terminal."""
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _counts(summaries: Sequence[Summary]) -> str:
    def count(status: str) -> int:
        return sum(record.status == status for summary in summaries for record in summary.records)

    done = f"{count('made')} made · {count('no_data')} no data · {count('failed')} failed"
    return f"{done} · {sum(len(summary.up_to_date) for summary in summaries)} up to date"


def _tell_details(summary: Summary, start: str) -> None:
    """Failures, those of one cause together, and what reading has cost."""
    causes = [(_cause(record), f"{record.team or 'organization'}/{record.notebook}") for record in summary.failures]
    for cause, group in groupby(sorted(causes, key=lambda c: c[0]), key=lambda c: c[0]):
        names = [name for _, name in group]
        said = f"{names[0]}: {cause}" if len(names) == 1 else f"{len(names)} × {cause}: {some(names)}"
        console.print(f"{start}failed: {said}")
    for name, cost in summary.costs.items():
        console.print(
            f"{start}{name}: {cost.statement_count} statements read {in_units(cost.bytes_processed)}, of the log "
            f"{in_units(cost.log_bytes)}; billed {in_units(cost.bytes_billed)}, {money(cost.price, cost.currency)}"
        )


def _cause(record: Record) -> str:
    error = record.error or {}
    return (f"cell {error['cell']}: " if error.get("cell") else "") + str(error.get("message", ""))


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

    def begun(self, plan: Plan) -> None:
        for task in (self.reading, self.total, *self.lines.values()):
            if task is not None:
                self.bars.remove_task(task)
        self.reading = self.total = None
        self.lines.clear()

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
            self.reading = None
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
        self._say(f"{job.name}: {why}; it is tried again at the end")

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
