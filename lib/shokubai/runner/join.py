"""The last step of a divided run: the shards' reports become one site, then the organisation's pages are made."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shokubai.core.errors import ShokubaiError, UsageError
from shokubai.runner.journal import Journal, Record, digest
from shokubai.runner.lock import only_one
from shokubai.runner.manifest import made_from, read_manifest
from shokubai.runner.plan import Job, Plan
from shokubai.runner.pool import warm_up
from shokubai.runner.progress import Progress, Summary
from shokubai.runner.publish import LAST_GOOD, REPORT_SUFFIXES, publish, recover
from shokubai.runner.reports import WeekRun, telling
from shokubai.runner.shard import Shard
from shokubai.runner.task import CellError, Manner
from shokubai.sources.cost import Cost
from shokubai.version import __version__


@dataclass(frozen=True)
class Part:
    """What one shard left in its outputs folder. ``teams`` are those of all shards, ``costs`` as in its manifest."""

    outputs: Path
    folder: Path  # the week's
    shard: Shard
    teams: tuple[str, ...]
    journal: Journal
    costs: Mapping[str, Any]


def join_reports(
    plan: Plan,
    folders: Sequence[Path],
    *,
    manner: Manner,
    progress: Progress | None = None,
) -> Summary:
    """Publish what shards made in their outputs folders, then make the organisation's pages as any run does.

    ``plan`` is that of the whole run. A report that no shard made, or of which a file is not as it was published,
    gets a page that says so. Shards of some teams only (``--team``) leave the other teams' reports and the
    organisation's pages as they are. Joining again publishes only what is new.
    Raises UsageError, with every problem and before anything is changed, when the folders do not belong together,
    RunUnderWayError when another process makes the same reports, and DiskFullError when there is no room.
    """
    progress = progress or Progress()
    with telling(progress, plan):
        parts = read_parts(plan, folders, progress)
        teams = parts[0].teams
        of_teams = [job for job in plan.jobs if job.team in teams]
        of_all = [job for job in plan.jobs if job.team is None]
        if of_all and set(teams) != set(plan.teams):
            names = ", ".join(job.name for job in of_all)
            progress.noted(
                f"not made: {names}; the shards are of {len(teams)} of the run's {len(plan.teams)} teams (--team), "
                "and the organisation's pages are about all"
            )
            of_all = []
        with only_one(plan.folder):
            recover(plan.folder)
            warm_up(plan.parameters.directory, engine=manner.engine)
            join = _Join(replace(plan, jobs=tuple(of_all)), progress, manner=manner, force=False)
            return join.join(of_teams, parts)


def read_parts(plan: Plan, folders: Sequence[Path], progress: Progress) -> tuple[Part, ...]:
    """The shards that ended, at least one; ``progress`` is told of those that did not.

    Raises UsageError with everything that does not belong together.
    """
    parts: list[Part] = []
    problems: list[str] = []
    unfinished: list[str] = []
    ours = made_from(plan)
    for outputs in folders:
        if outputs.resolve() == plan.outputs.resolve():
            problems.append(f"{outputs}: cannot be joined into itself; name another folder with --outputs")
            continue
        folder = outputs / plan.run.name / str(plan.week)
        manifest = read_manifest(folder)
        if manifest is not None:
            part, found = _read_part(plan, outputs, manifest, ours)
            parts += [part] if part else []
            problems += found
        else:
            unfinished.append(f"{outputs} ({_described(folder, outputs)})")
    problems += _clashes(parts)
    if not parts and not problems:
        problems.append(
            f"no shard of run {plan.run.name!r} in {plan.week} has ended in: {', '.join(unfinished)}; make them with "
            f"`shokubai run {plan.run.name} --week {plan.week} --shard K/N --outputs DIR`, each in its own folder"
        )
    if problems:
        raise UsageError("\n".join(problems))
    for named in unfinished:
        progress.noted(f"not finished: {named}")
    return tuple(parts)


def _read_part(
    plan: Plan, outputs: Path, manifest: Mapping[str, Any], ours: Mapping[str, Any]
) -> tuple[Part | None, list[str]]:
    """The shard that a manifest tells of, and why it does not belong to the plan."""
    folder = outputs / plan.run.name / str(plan.week)
    if (said := (manifest.get("run"), manifest.get("week"))) != (plan.run.name, str(plan.week)):
        return None, [f"{folder}: is of run {said[0]!r}, week {said[1]}; give the folders as the shards left them"]
    match manifest:
        case {
            "shard": {"index": int(index), "count": int(count), "teams": [*teams]},
            "made_from": {
                "code": code,
                "parameters": parameters,
                "notebooks": dict(notebooks),
                "warehouses": dict(warehouses),
            },
        } if 1 <= index <= count:
            part = Part(
                outputs, folder, Shard(index, count), tuple(teams), Journal(folder), manifest.get("costs", {})
            )
        case _:
            return None, [f"{folder}: was not made with --shard; allowed are outputs of `shokubai run --shard K/N`"]
    where = f"{outputs}: shard {part.shard} was made"
    again = "make that shard again, or join with what it was made from"
    if code != ours["code"]:
        versions = f"version {manifest.get('code_version')} there, {__version__} here"
        return part, [f"{where} by other code or with other versions of libraries ({versions}); {again}"]
    if parameters != ours["parameters"]:
        return part, [f"{where} from other parameters than those in {plan.parameters.directory}; {again}"]
    if other := next((name for team, name in warehouses.items() if ours["warehouses"].get(team) != name), None):
        return part, [f"{where} from warehouse {other!r}; give `shokubai join` the same --warehouse as that shard"]
    others = [name for name, made in notebooks.items() if ours["notebooks"].get(name) != made]
    return part, [f"{where} by another {name}.ipynb than the one here; {again}" for name in others]


def _clashes(parts: Sequence[Part]) -> list[str]:
    """Why shards are not those of one run."""
    problems = []
    seen: dict[Shard, Part] = {}
    for part in parts:
        first = parts[0]
        if (part.shard.count, part.teams) != (first.shard.count, first.teams):
            problems.append(
                f"{part.outputs}: is shard {part.shard} of {len(part.teams)} teams, but {first.outputs} is shard "
                f"{first.shard} of {len(first.teams)}; the shards of one run divide the same teams by the same number"
            )
        elif (other := seen.setdefault(part.shard, part)) is not part and (teams := part.shard.teams_of(part.teams)):
            problems.append(
                f"the same teams are in {other.outputs} and in {part.outputs}, both shard {part.shard}: "
                f"{', '.join(teams)}; name one of the two"
            )
    return problems


def _described(folder: Path, outputs: Path) -> str:
    """What is there instead of a shard that has ended."""
    if folder.is_dir():
        return "its run has not ended"
    there = sorted(f"{file.parent.parent.name} {file.parent.name}" for file in outputs.glob("*/*/manifest.json"))
    return f"it has: {', '.join(there)}" if there else "it has no reports"


class _TornError(Exception):
    """A file is not as its journal describes it; the text is its name."""


class _Join(WeekRun):
    """One join of a week, with the lock held. The plan's jobs are the organisation's pages."""

    parts: Sequence[Part] = ()

    def join(self, of_teams: Sequence[Job], parts: Sequence[Part]) -> Summary:
        self.parts = parts
        shards = [Shard(index, parts[0].shard.count) for index in range(1, parts[0].shard.count + 1)]
        shard_of = {team: shard for shard in shards for team in shard.teams_of(parts[0].teams)}
        part_of = {part.shard: part for part in parts}
        self.progress.planned([*of_teams, *self.plan.jobs])
        with self._staged():
            for number, job in enumerate(of_teams):
                staging = self.staging / f"{job.folder}.{number}"
                staging.mkdir()
                shard = shard_of[job.folder]
                if part := part_of.get(shard):
                    self._take(job, part, staging)
                else:
                    self._miss(job, f"shard {shard} is missing or was not finished", staging)
            self._make(self.plan.jobs, self._states())
        self._list()
        return self.summary

    def _states(self) -> Mapping[str, str | ShokubaiError]:
        """As ``_build_tables``, but an unreadable warehouse fails the organisation's pages alone."""
        try:
            return self._build_tables()
        except ShokubaiError as error:
            return dict.fromkeys(self.plan.warehouses, error)

    def _costs(self) -> dict[str, Cost]:
        """What the shards read, and what the organisation's pages did."""
        total = super()._costs()
        for part in self.parts:
            for name, values in part.costs.items():
                cost = Cost.from_json(values)
                total[name] = total[name].plus(cost) if name in total else cost
        return total

    def _take(self, job: Job, part: Part, staging: Path) -> None:
        """Publish a report as its shard did."""
        made = part.journal.records.get((job.folder, job.notebook))
        if made is None:
            self._miss(job, f"the journal of shard {part.shard} does not have it", staging)
            return
        known = self.journal.records.get(made.key)
        if known is not None and _is_same(known, made) and known.is_whole(self.plan.folder):
            self._keep(job, known)
            return
        try:
            files = _copy(job, made, part, staging)
        except _TornError as torn:
            shutil.rmtree(staging)
            self._miss(job, f"{torn} is missing or not as shard {part.shard} published it", staging)
            return
        if made.status == "failed" and made.last_good is None and made.error:
            # The shard's machine may have been a new one: the last good report may be here.
            files = self._failure_files(job, CellError(**made.error), staging)
        publish(files, folder=self.plan.folder / job.folder, report=job.notebook, staging=staging)
        names = {suffix: f"{job.name}{suffix}" for suffix in files}
        taken = replace(
            made,
            last_good=names.get(f"{LAST_GOOD}.html"),
            files={name: digest(self.plan.folder / name) for name in names.values()},
        )
        self._remember(job, taken)

    def _miss(self, job: Job, why: str, staging: Path) -> None:
        """A page that says that no shard made the report; the last good one stays beside it."""
        message = f"no shard made this report: {why}"
        known = self.journal.records.get((job.folder, job.notebook))
        is_told = known is not None and known.error == {"cell": None, "message": message}
        if known is not None and is_told and known.is_whole(self.plan.folder):
            self._keep(job, known)
        else:
            self._publish_failure(job, CellError(None, message), staging=staging, seconds=0.0)

    def _keep(self, job: Job, known: Record) -> None:
        """Nothing is to be done; a failure is still one."""
        if known.status == "failed":
            self.summary.records.append(known)
            self.progress.finished(job, known)
        else:
            self.summary.up_to_date.append(job)
            self.progress.up_to_date(job)


def _is_same(known: Record, made: Record) -> bool:
    """Whether what is here was taken from that very report. A failure may have a last good report here alone."""
    if made.status != "failed" or made.last_good is not None:
        return known == made
    return known == replace(made, files=known.files, last_good=known.last_good)


def _copy(job: Job, made: Record, part: Part, staging: Path) -> dict[str, Path]:
    """Copies in ``staging`` of a report's files, by suffix. Raises _TornError when one is not as it was published."""
    copies = {}
    for suffix in (f"{mark}{suffix}" for mark in ("", LAST_GOOD) for suffix in REPORT_SUFFIXES):
        name = f"{job.name}{suffix}"
        if name in made.files:
            copy = staging / f"report{suffix}"
            if (part.folder / name).is_file():
                shutil.copyfile(part.folder / name, copy)
            if not copy.is_file() or digest(copy) != made.files[name]:
                raise _TornError(name)
            copies[suffix] = copy
    return copies
