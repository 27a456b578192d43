"""Several weeks of a run, one after the other: which, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shokubai import tables
from shokubai.core.errors import ShokubaiError, UsageError
from shokubai.core.windows import Week
from shokubai.runner.disk import DiskFullError
from shokubai.runner.manifest import MANIFEST, read_manifest
from shokubai.runner.plan import Plan, week_of
from shokubai.runner.progress import Summary

LAST = "last"
MOST = 53  # weeks at once
SEVERITY = (2, 1, 3, 0)  # exit statuses, the worst first


@dataclass(frozen=True)
class WeekOutcome:
    """A week's summary, or why it was not made as a whole."""

    week: Week
    summary: Summary | None
    error: ShokubaiError | None = None

    @property
    def exit_status(self) -> int:
        if self.summary is None:
            return 3 if self.error and self.error.exit_status == 3 else 2
        return 1 if self.summary.failures else 0


def choose_weeks(since: str, plan: Plan) -> tuple[Week, ...]:
    """The weeks from ``since`` to the plan's, oldest first.

    ``last`` is the first week after the oldest made of which not all reports were made or failed, as by a run of some
    teams or one that was stopped; the plan's own when there is none. Raises UsageError when ``since`` is later than
    the plan's week, when there are too many weeks, or when the first of them ends before the log begins.
    """
    first = _first_unfinished(plan) if since == LAST else Week.parse(since)
    if first > plan.week:
        raise UsageError(f"--since {since}: comes after {plan.week}, the week to end with")
    count = (plan.week.monday - first.monday).days // 7 + 1
    if count > MOST:
        raise UsageError(
            f"--since {since}: that is {count} weeks up to {plan.week}, allowed are {MOST} at once; "
            f"begin with {plan.week.plus(1 - MOST)} or later, or end earlier with --week"
        )
    if count > 1:
        _refuse_before_log(since, first, plan)
    return tuple(first.plus(number) for number in range(count))


def make_weeks(weeks: Sequence[Week], make: Callable[[Week], Summary]) -> Iterator[WeekOutcome]:
    """Make one week after the other, each told of as it ends. A week that cannot be made does not stop the next.

    Raises DiskFullError: the next would find no room either.
    """
    for week in weeks:
        try:
            yield WeekOutcome(week, make(week))
        except DiskFullError:
            raise
        except ShokubaiError as error:
            yield WeekOutcome(week, None, error)


def worst_status(statuses: Sequence[int]) -> int:
    """The worst of the weeks' exit statuses: 2, then 1, then 3, then 0.

    >>> worst_status([0, 3, 1, 0])
    1
    """
    return min(statuses, key=SEVERITY.index)


def _first_unfinished(plan: Plan) -> Week:
    """The first week without a whole manifest between the oldest that has one and the plan's, or the plan's own."""
    found = (week_of(file.parent) for file in plan.folder.parent.glob(f"*/{MANIFEST}"))
    made = [week for week in found if week and week < plan.week]
    week = min(made, default=plan.week)
    while week < plan.week and _is_whole(plan.folder.with_name(str(week))):
        week = week.plus(1)
    return week


def _is_whole(folder: Path) -> bool:
    manifest = read_manifest(folder)
    return manifest is not None and bool(manifest.get("is_whole", True))  # as all were before they said so


def _refuse_before_log(since: str, first: Week, plan: Plan) -> None:
    begins = []
    for name in plan.warehouses:
        opened = tables.open_tables(plan.parameters, name, outputs=plan.outputs, labels=plan.labels)
        begins.append(opened.log_begins_at())
    known = [instant for instant in begins if instant]
    if len(known) < len(begins) or not known:
        return
    begin = Week.of(min(known).astimezone(plan.parameters.organization.zone).date())
    if begin > first:
        instead = f"write --since {begin}" if begin <= plan.week else f"and {plan.week} is before that"
        raise UsageError(f"--since {since}: before {begin} the log has no requests; {instead}")
