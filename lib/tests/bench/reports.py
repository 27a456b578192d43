"""How long reports take: as a run makes them, in the stock way, and as plain functions in warm processes.

All make the same notebook's reports of the same teams, with the same parameters and the same share of the machine for
the query engine, from small tables that are built already. The run is measured as its user sees it, the whole command
with locking, publication and index pages.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import measured
import organization
from organization import NOTEBOOK, PROJECT, RUN, WEEK, Organization

from shokubai import config
from shokubai.core.windows import Week
from shokubai.runner import make_plan
from shokubai.runner.share import share_of_machine

JOBS = 2
SAMPLE = 12  # reports that the stock way makes; more are reckoned from them
MANY = 1_000
FEW = 100  # what the many are compared with
PROGRAM = "from shokubai.cli import main; main()"
HERE = Path(__file__).resolve().parent

Say = Callable[[str], None]


class DifferentWorkError(Exception):
    """What is compared did not make the same reports."""


@dataclass(frozen=True)
class Report:
    """One report that ``stock.py`` and ``floor.py`` make: the notebook's parameters, and what its page is called."""

    name: str
    values: Mapping[str, str]
    folder: str
    title: str
    language: str


@dataclass(frozen=True)
class Work:
    """What ``stock.py`` and ``floor.py`` are told to do."""

    notebook: str
    jobs: int
    environment: Mapping[str, str]
    reports: Sequence[Report]

    def write(self, file: Path) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return file


@dataclass(frozen=True)
class Bench:
    """An organisation, and the ways to make its reports."""

    organization: Organization
    reports: tuple[Report, ...]

    @classmethod
    def of(cls, teams: int) -> Bench:
        built = organization.build(teams)
        plan = make_plan(
            config.load(built.parameters),
            RUN,
            now=datetime.now(UTC),
            outputs=built.outputs,
            notebooks=NOTEBOOK.parent,
            week=Week.parse(WEEK),
        )
        reports = tuple(
            Report(job.folder, dict(job.values), "", f"{job.display_name[job.language]} · {plan.week}", job.language)
            for job in plan.jobs
        )
        return cls(built, reports)

    @property
    def week(self) -> Path:
        return self.organization.outputs / RUN / WEEK

    def ours(self, *, with_memory: bool = False) -> measured.Spent:
        """All reports with ``shokubai run``."""
        shutil.rmtree(self.week.parent, ignore_errors=True)
        folders = {
            "--notebooks": NOTEBOOK.parent,
            "--parameters": self.organization.parameters,
            "--outputs": self.organization.outputs,
        }
        options = ["--week", WEEK, "--force", "--jobs", str(JOBS)]
        options += [part for name, folder in folders.items() for part in (name, str(folder))]
        return measured.run(
            [sys.executable, "-c", PROGRAM, "run", RUN, *options], folder=PROJECT, with_memory=with_memory
        )

    def missing(self) -> list[str]:
        """Teams without a whole report after ``ours``."""
        return [r.name for r in self.reports if self._facts(r) is None]

    def _facts(self, report: Report) -> Any:
        file = self.week / report.name / f"{NOTEBOOK.stem}.facts.json"
        if not file.is_file() or not file.with_name(f"{NOTEBOOK.stem}.html").is_file():
            return None
        facts = json.loads(file.read_text(encoding="utf-8"))
        return facts if facts["status"] == "made" else None

    def floor(self) -> measured.Spent:
        """All reports as plain functions."""
        return measured.run([sys.executable, str(HERE / "floor.py"), str(self._work("floor", self.reports))])

    def stock(self, *, processes: int) -> measured.Spent:
        """As many reports as are measured in the stock way, dealt out to processes that run at once."""
        chosen = self.reports if len(self.reports) <= SAMPLE else _first_copy(self.reports)
        works = [self._work(f"stock-{n}-{processes}", chosen[n::processes]) for n in range(processes)]
        return measured.run(*([sys.executable, str(HERE / "stock.py"), str(work)] for work in works))

    def stock_start(self) -> measured.Spent:
        """The stock way without any report: what it takes to begin."""
        return measured.run([sys.executable, str(HERE / "stock.py"), str(self._work("stock-start", ()))])

    def _work(self, way: str, reports: Sequence[Report]) -> Path:
        folder = self.organization.root / "made" / way
        shutil.rmtree(folder, ignore_errors=True)
        placed = [Report(**{**asdict(r), "folder": str(folder / r.name)}) for r in reports]
        return Work(str(NOTEBOOK), JOBS, share_of_machine(JOBS), placed).write(folder / "work.json")

    def check_same_work(self) -> None:
        """Raise DifferentWorkError unless a run and the floor left the same facts of every team."""
        if missing := self.missing():
            raise DifferentWorkError(f"{len(missing)} reports are missing: {', '.join(missing[:5])} …")
        for report in self.reports:
            file = self.organization.root / "made" / "floor" / report.name / "report.facts.json"
            if json.loads(file.read_text(encoding="utf-8")) != self._facts(report):
                raise DifferentWorkError(f"{file} differs from the facts of the run's report of {report.name}")


def _first_copy(reports: Sequence[Report]) -> tuple[Report, ...]:
    """The reports of the first copy of the demo: one of every kind."""
    return tuple(report for report in reports if report.name.endswith("-001"))


def measure(teams: int, rounds: int, *, say: Say = lambda text: None) -> dict[str, Any]:
    """Seconds and ratios of making the reports of so many teams, in rounds of which each begins with another way.

    The stock way makes 12 reports at most; what more would take is reckoned from them.
    """
    say(f"building the organisation of {teams} teams")
    bench = Bench.of(teams)
    ways: dict[str, Callable[[], measured.Spent]] = {
        "ours": bench.ours,
        "stock_start": bench.stock_start,
        "stock": lambda: bench.stock(processes=1),
        "floor": bench.floor,
        "stock_two_processes": lambda: bench.stock(processes=2),
    }
    spent: dict[str, list[measured.Spent]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in measured.rotated(list(ways), number):
            say(f"{teams} reports, round {number + 1} of {rounds}: {way.replace('_', ' ')}")
            spent[way].append(ways[way]())
    bench.check_same_work()
    made = min(teams, SAMPLE)
    for way, processes in {"stock": 1, "stock_two_processes": 2}.items():
        pairs = zip(spent[way], spent["stock_start"], strict=True)
        spent[way] = [reckoned(t, start, made=made, wanted=teams, processes=processes) for t, start in pairs]
    result: dict[str, Any] = {
        "teams": teams,
        "jobs": JOBS,
        "stock_reports_measured": made,
        "missing_reports": len(bench.missing()),
        **{way: measured.summarize(taken) for way, taken in spent.items()},
    }
    for way in ("stock", "stock_two_processes", "floor"):
        result |= measured.ratios(f"ratio_to_{way}", spent["ours"], spent[way])
    return result


def reckoned(
    taken: measured.Spent, start: measured.Spent, *, made: int, wanted: int, processes: int = 1
) -> measured.Spent:
    """What ``wanted`` reports take where ``made`` took ``taken``.

    ``start`` is what one process takes to begin; each does so only once, and at the same time as the others.
    """
    factor = wanted / made

    def scaled(whole: float, once: float) -> float:
        return once + (whole - once) * factor

    return measured.Spent(
        scaled(taken.seconds, start.seconds), scaled(taken.cpu_seconds, start.cpu_seconds * processes)
    )


def measure_many(rounds: int, *, many: int = MANY, few: int = FEW, say: Say = lambda text: None) -> dict[str, Any]:
    """Whether a report of many costs what one of few does, and how much memory the many take.

    A round makes the few, the many, and the few again. Memory is of all processes of the run together, in bytes, in
    samples: ``rss`` counts what forked processes share once for each, ``pss`` once. ``…_by_tenths`` are the peaks of
    the tenths of the first round, in order; in the first of a short run the reports have hardly begun.
    """
    say(f"building the organisations of {few} and {many} teams")
    benches = {few: Bench.of(few), many: Bench.of(many)}
    spent: dict[int, list[measured.Spent]] = {few: [], many: []}
    missing = 0
    for number in range(rounds):
        for place, teams in enumerate((few, many, few)):
            say(f"{teams} reports, round {number + 1} of {rounds}, {('first', 'second', 'third')[place]} of three")
            spent[teams].append(benches[teams].ours(with_memory=True))
            missing += len(benches[teams].missing())
    each = {teams: [s.seconds / teams for s in taken] for teams, taken in spent.items()}
    each_cpu = {teams: [s.cpu_seconds / teams for s in taken] for teams, taken in spent.items()}
    samples = spent[many][0].memory
    rss, pss = ([getattr(sample, kind) for sample in samples] for kind in ("rss", "pss"))
    rss_by_tenths, pss_by_tenths = measured.peaks(rss), measured.peaks(pss)
    return {
        "teams": many,
        "teams_compared_with": few,
        "jobs": JOBS,
        "missing_reports": missing,
        "many": measured.summarize(spent[many]),
        "few": measured.summarize(spent[few]),
        "seconds_per_report": statistics.median(each[many]),
        "seconds_per_report_of_few": statistics.median(each[few]),
        "ratio_to_few": statistics.median(each[many]) / statistics.median(each[few]),
        "cpu_ratio_to_few": statistics.median(each_cpu[many]) / statistics.median(each_cpu[few]),
        "peak_rss_bytes": max(s.rss for taken in spent[many] for s in taken.memory),
        "peak_pss_bytes": max(s.pss for taken in spent[many] for s in taken.memory),
        "peak_pss_bytes_of_few": max(s.pss for taken in spent[few] for s in taken.memory),
        "most_processes": max(s.processes for taken in spent[many] for s in taken.memory),
        "rss_bytes_by_tenths": rss_by_tenths,
        "pss_bytes_by_tenths": pss_by_tenths,
        "last_tenth_ratio_to_second": pss_by_tenths[-1] / pss_by_tenths[1],
    }
