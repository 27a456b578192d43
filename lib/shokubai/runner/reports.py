"""Making a week's reports: build the tables, execute what changed, publish each report whole, account for all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from shokubai import site, tables
from shokubai.core.errors import ShokubaiError, UsageError
from shokubai.page.facts import read_cost
from shokubai.runner import fingerprint
from shokubai.runner.disk import ensure_room, explained_when_full
from shokubai.runner.freshness import current_records, fingerprint_of, is_up_to_date
from shokubai.runner.journal import Journal, Record, Status, digest
from shokubai.runner.last_good import keep_last_good
from shokubai.runner.lock import only_one
from shokubai.runner.manifest import MANIFEST, read_manifest, write_manifest
from shokubai.runner.places import without_places
from shokubai.runner.plan import Job, Plan
from shokubai.runner.pool import Ended, run_tasks, warm_up
from shokubai.runner.progress import Progress, Summary
from shokubai.runner.publish import LAST_GOOD, REPORT_SUFFIXES, publish, recover, scratch_folder, staging_folder
from shokubai.runner.retry import may_pass_next_time
from shokubai.runner.share import share_of_machine, within_share
from shokubai.runner.task import LOG, CellError, Limits, Manner, Result, Task, how_it_ended, shorten
from shokubai.sources.bigquery_jobs import as_label
from shokubai.sources.cost import Cost
from shokubai.tables.opening import LABELS, SNAPSHOTS
from shokubai.version import __version__

_SNAPSHOTS = "snapshots"  # in the staging folder; no report's folder there has that name


@contextmanager
def telling(progress: Progress, plan: Plan) -> Iterator[None]:
    """Tell that a run begins, and of what ends it too early. Raises DiskFullError for want of room."""
    progress.begun(plan)
    try:
        with explained_when_full(plan.folder):
            yield
    except BaseException as error:
        progress.stopped(error)
        raise


def make_reports(
    plan: Plan,
    *,
    manner: Manner,
    force: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Make the reports of a plan that are not up to date.

    A report that fails gets a page with the reason and does not stop the others. Raises RunUnderWayError when
    another process makes the same reports, UsageError when a shard finds another's reports where its own go,
    DiskFullError when there is no room, and what the warehouse raised when no warehouse can be read.
    """
    progress = progress or Progress()
    with telling(progress, plan), only_one(plan.folder):
        recover(plan.folder)
        _begin_shard(plan)
        warm_up(plan.parameters.directory, engine=manner.engine)
        return WeekRun(plan, progress, manner=manner, force=force).make()


def _begin_shard(plan: Plan) -> None:
    """Take a shard's manifest away until its run has ended, so that nobody joins what is not finished."""
    if plan.shard is None:
        return
    written = read_manifest(plan.folder)
    found = written.get("shard") if written else None
    part = f"{found.get('index')}/{found.get('count')}" if isinstance(found, Mapping) else ""
    if written and part != str(plan.shard):
        raise UsageError(
            f"{plan.folder}: holds the reports of {f'shard {part}' if part else 'a whole run'}, not of shard "
            f"{plan.shard}; give each shard an outputs folder of its own with --outputs, or remove that folder"
        )
    (plan.folder / MANIFEST).unlink(missing_ok=True)


class WeekRun:
    """One run of a week, with the lock held."""

    def __init__(self, plan: Plan, progress: Progress, *, manner: Manner, force: bool) -> None:
        self.plan = plan
        self.progress = progress
        self.manner = manner
        self.force = force
        self.journal = Journal(plan.folder)
        self.summary = Summary()
        self.parameters = fingerprint.of_parameters(plan.parameters.directory)
        self.opened: dict[str, tables.Tables] = {}
        self.made: list[tuple[Job, Record]] = []  # in this run
        self.snapshots: dict[str, ShokubaiError | None] = {}  # by warehouse, why there is none

    def make(self) -> Summary:
        states = self._build_tables()
        self.progress.planned(self.plan.jobs)
        with self._staged():
            for jobs in self.plan.stages:
                self._make(jobs, states)
        self._list()
        return self.summary

    @contextmanager
    def _staged(self) -> Iterator[None]:
        """Folders for unfinished work, gone afterwards."""
        self.staging = staging_folder(self.plan.folder)
        self.scratch = scratch_folder(self.staging)
        try:
            yield
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
            shutil.rmtree(self.staging, ignore_errors=True)

    def _list(self) -> None:
        """Write the manifest and the index pages."""
        self.summary.costs = self._costs()
        records = [r for r in current_records(self.plan, self.journal) if (self.plan.folder / r.html).is_file()]
        write_manifest(self.plan, records, self.summary.costs)
        self.progress.ended(self.summary)

    def _costs(self) -> dict[str, Cost]:
        """What was read by warehouse that bills for it, with what reports asked for themselves."""
        total = {name: cost for name, opened in self.opened.items() if (cost := opened.cost())}
        for job, record in self.made:
            if record.cost and job.warehouse in total:
                total[job.warehouse] = total[job.warehouse].plus(Cost.from_json(record.cost))
        return total

    def _build_tables(self) -> Mapping[str, str | ShokubaiError]:
        """Bring the small tables up to date: per warehouse the fingerprint of its data, or why it has none."""
        states: dict[str, str | ShokubaiError] = {}
        for name in self.plan.warehouses:
            try:
                opened = tables.open_tables(
                    self.plan.parameters, name, outputs=self.plan.outputs, labels=self.plan.labels
                )
                self.opened[name] = opened
                progress = partial(self.progress.building, name)
                is_waited_for = self.plan.is_built_by_another(name)
                if not is_waited_for or not opened.let_others_build(self.plan.window, progress=progress):
                    opened.build(self.plan.window, progress=progress)
                states[name] = opened.fingerprint(self.plan.window, recent=self.plan.recent)
            except ShokubaiError as error:
                states[name] = error
        self.progress.built(states)
        errors = [state for state in states.values() if isinstance(state, ShokubaiError)]
        if errors and len(errors) == len(states):
            raise errors[0]
        return states

    def _without_snapshot(self, job: Job) -> ShokubaiError | None:
        """Take the snapshot that a report reads, once per run and warehouse; why that failed, if it did."""
        if job.warehouse not in self.snapshots:
            try:
                self.opened[job.warehouse].take_snapshot(
                    self.staging / _SNAPSHOTS / job.warehouse, window=self.plan.window, recent=self.plan.recent
                )
                self.snapshots[job.warehouse] = None
            except ShokubaiError as error:
                self.snapshots[job.warehouse] = error
        return self.snapshots[job.warehouse]

    def _make(self, jobs: Sequence[Job], states: Mapping[str, str | ShokubaiError]) -> None:
        tasks: dict[Path, tuple[Job, str]] = {}
        for job in jobs:
            staging = self.staging / f"{job.folder}.{job.notebook}"
            state = states[job.warehouse]
            if isinstance(state, ShokubaiError):
                self._publish_failure(job, CellError(None, shorten(str(state))), staging=staging, seconds=0.0)
                continue
            made_from = fingerprint_of(job, self.plan, self.journal, parameters=self.parameters, data=state)
            if not self.force and is_up_to_date(job, self.plan, self.journal, made_from):
                self.summary.up_to_date.append(job)
                self.progress.up_to_date(job)
            elif problem := self._without_snapshot(job):
                self._publish_failure(job, CellError(None, shorten(str(problem))), staging=staging, seconds=0.0)
            else:
                tasks[staging] = (job, made_from)
        self._execute(tasks, jobs=self.manner.jobs)

    def _execute(self, tasks: Mapping[Path, tuple[Job, str]], *, jobs: int, retried: bool = False) -> None:
        """Execute and publish the reports to make in each staging folder, with what they are made from.

        What a signal from outside ended is tried once more at the end, one report at a time: there is more memory
        for each then.
        """
        at_once = max(1, min(jobs, len(tasks)))
        limits = within_share(self.manner.limits, at_once)
        share = share_of_machine(at_once, limits)
        again: dict[Path, tuple[Job, str]] = {}
        ended = run_tasks(
            [self._task(job, staging, limits, share) for staging, (job, _) in tasks.items()],
            jobs=jobs,
            on_start=lambda task: self.progress.started(tasks[task.staging][0]),
        )
        with closing(ended):
            for end in ended:
                staging = end.task.staging
                job, made_from = tasks[staging]
                result = Result.read(staging)
                if not retried and may_pass_next_time(end, result):
                    error = _failure(end, result, retried=False)
                    self.progress.retrying(job, error.message if error else "")
                    again[staging.with_name(f"{staging.name}.again")] = (job, made_from)
                else:
                    self._publish(job, made_from, end, result, retried=retried)
        if again:
            self._execute(again, jobs=1, retried=True)

    def _task(self, job: Job, staging: Path, limits: Limits, share: Mapping[str, str]) -> Task:
        staging.mkdir()
        labels = {**self.plan.labels, "team": as_label(job.folder), "notebook": as_label(job.notebook)}
        return Task(
            notebook=job.path.absolute(),
            values=job.values,
            staging=staging,
            scratch=Path(tempfile.mkdtemp(dir=self.scratch)),
            home=self.plan.folder / job.folder,
            title=f"{job.display_name[job.language]} · {self.plan.week}",
            language=job.language,
            engine=self.manner.engine,
            limits=limits,
            environment={
                **share,
                SNAPSHOTS: str(self.staging / _SNAPSHOTS),
                LABELS: ",".join(f"{name}={value}" for name, value in labels.items()),
            },
        )

    def _publish(self, job: Job, made_from: str, end: Ended, result: Result | None, *, retried: bool) -> None:
        staging = end.task.staging
        if result is None:
            ensure_room(staging)
        error = _failure(end, result, retried=retried)
        if error is not None or result is None:
            self._publish_failure(
                job, error or CellError(None, ""), staging=staging, seconds=end.seconds, retried=retried
            )
            return
        files = {suffix: staging / f"report{suffix}" for suffix in REPORT_SUFFIXES}
        status: Status = "no_data" if result.status == "no_data" else "made"
        publish(files, folder=self.plan.folder / job.folder, report=job.notebook, staging=staging)
        self._account(job, status, made_from, end.seconds, retried=retried)

    def _publish_failure(
        self, job: Job, error: CellError, *, staging: Path, seconds: float, retried: bool = False
    ) -> None:
        """A page with the reason instead of a report; the last good report stays beside it, marked as old."""
        plan = self.plan
        places = (plan.parameters.directory.absolute().parent, plan.outputs.parent, job.path.absolute().parents[1])
        error = CellError(error.cell, without_places(error.message, places))
        staging.mkdir(exist_ok=True)
        files = self._failure_files(job, error, staging)
        publish(files, folder=plan.folder / job.folder, report=job.notebook, staging=staging)
        self._account(job, "failed", "", seconds, error, retried=retried)

    def _failure_files(self, job: Job, error: CellError, staging: Path) -> dict[str, Path]:
        """What is published of a failed report, by suffix; its notebook, if any, lies in ``staging``."""
        folder = self.plan.folder / job.folder
        files = keep_last_good(
            folder, report=job.notebook, week=str(self.plan.week), staging=staging, language=job.language
        )
        page = staging / "failure.html"
        page.write_text(
            site.render_failure_page(
                title=f"{job.display_name[job.language]} · {self.plan.week}",
                language=job.language,
                message=error.message,
                cell=error.cell,
                last_good=f"{job.notebook}{LAST_GOOD}.html" if files else "",
            ),
            encoding="utf-8",
        )
        files[".html"] = page
        if (staging / "report.ipynb").is_file():
            files[".ipynb"] = staging / "report.ipynb"
        return files

    def _account(
        self,
        job: Job,
        status: Status,
        made_from: str,
        seconds: float,
        error: CellError | None = None,
        *,
        retried: bool = False,
    ) -> None:
        def published(suffix: str) -> str | None:
            name = f"{job.folder}/{job.notebook}{suffix}"
            return name if (self.plan.folder / name).is_file() else None

        suffixes = [f"{mark}{suffix}" for mark in ("", LAST_GOOD) for suffix in REPORT_SUFFIXES]
        names = [name for suffix in suffixes if (name := published(suffix))]
        record = Record(
            notebook=job.notebook,
            team=job.team,
            status=status,
            fingerprint=made_from,
            generated_at=self.plan.now.isoformat(),
            code_version=__version__,
            title=job.title,
            display_name=job.display_name,
            language=job.language,
            html=f"{job.folder}/{job.notebook}.html",
            notebook_file=published(".ipynb"),
            facts=published(".facts.json"),
            seconds=round(seconds, 1),
            error={"cell": error.cell, "message": error.message} if error else None,
            last_good=published(f"{LAST_GOOD}.html"),
            files={name: digest(self.plan.folder / name) for name in names},
            retried=retried,
            cost=read_cost(self.plan.folder / facts) if (facts := published(".facts.json")) else None,
        )
        self.made.append((job, record))
        self._remember(job, record)

    def _remember(self, job: Job, record: Record) -> None:
        """Account for what was published."""
        self.journal.add(record)
        self.summary.records.append(record)
        self.progress.finished(job, record)


def _failure(end: Ended, result: Result | None, *, retried: bool) -> CellError | None:
    """Why a process made no report, or None when it made one."""
    if end.refused:
        return CellError(None, end.refused)
    if end.is_overdue and result is None:
        return CellError(None, end.task.limits.notebook_is_overdue)
    if result is not None and result.status == "failed":
        return result.error or CellError(None, "failed")
    if result is not None:
        return None
    if end.exit_status < 0:
        twice = ", and again when it was tried alone" if retried else ""
        return CellError(None, f"the report's process was ended by {how_it_ended(end.exit_status)}{twice}")
    last_words = _last_line(end.task.staging / LOG)
    return CellError(None, f"the report's process ended with exit status {end.exit_status}: {last_words}")


def _last_line(log: Path) -> str:
    lines: Iterable[str] = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else ()
    return shorten(next((line for line in reversed(list(lines)) if line.strip()), "it left no message"))
