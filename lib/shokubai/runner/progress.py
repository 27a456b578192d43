"""What a run tells while it goes on, to whoever wants to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shokubai.runner.journal import Record, Status
from shokubai.runner.plan import Job, Plan
from shokubai.sources.cost import Cost


@dataclass
class Summary:
    """What became of every report of the plan."""

    records: list[Record] = field(default_factory=list)
    up_to_date: list[Job] = field(default_factory=list)
    costs: dict[str, Cost] = field(default_factory=dict)  # of warehouses that bill for what is read

    def count(self, status: Status) -> int:
        """How many reports this run made with that status."""
        return sum(record.status == status for record in self.records)

    @property
    def failures(self) -> list[Record]:
        return sorted((r for r in self.records if r.status == "failed"), key=lambda r: r.key)


class Progress:
    """A subclass shows or writes down what it is told; this one does nothing.

    A run of a week is ``begun`` and then either ``ended`` or ``stopped`` by an error; of several weeks, one after
    the other.
    """

    def begun(self, plan: Plan) -> None: ...

    def building(self, warehouse: str, done: int, total: int, what: str) -> None: ...

    def built(self, states: Mapping[str, str | Exception]) -> None: ...

    def planned(self, jobs: Sequence[Job]) -> None: ...

    def started(self, job: Job) -> None: ...

    def up_to_date(self, job: Job) -> None: ...

    def retrying(self, job: Job, why: str) -> None: ...

    def finished(self, job: Job, record: Record) -> None: ...

    def noted(self, text: str) -> None: ...

    def ended(self, summary: Summary) -> None: ...

    def stopped(self, error: BaseException) -> None: ...


class Together(Progress):
    """Tells several."""

    def __init__(self, *told: Progress) -> None:
        self.told = told

    def begun(self, plan: Plan) -> None:
        for each in self.told:
            each.begun(plan)

    def building(self, warehouse: str, done: int, total: int, what: str) -> None:
        for each in self.told:
            each.building(warehouse, done, total, what)

    def built(self, states: Mapping[str, str | Exception]) -> None:
        for each in self.told:
            each.built(states)

    def planned(self, jobs: Sequence[Job]) -> None:
        for each in self.told:
            each.planned(jobs)

    def started(self, job: Job) -> None:
        for each in self.told:
            each.started(job)

    def up_to_date(self, job: Job) -> None:
        for each in self.told:
            each.up_to_date(job)

    def retrying(self, job: Job, why: str) -> None:
        for each in self.told:
            each.retrying(job, why)

    def finished(self, job: Job, record: Record) -> None:
        for each in self.told:
            each.finished(job, record)

    def noted(self, text: str) -> None:
        for each in self.told:
            each.noted(text)

    def ended(self, summary: Summary) -> None:
        for each in self.told:
            each.ended(summary)

    def stopped(self, error: BaseException) -> None:
        for each in self.told:
            each.stopped(error)
