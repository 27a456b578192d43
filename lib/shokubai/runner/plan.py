"""What a run will do: one job per team and notebook, and per notebook of the organisation, all checked beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from shokubai import findings
from shokubai.config.model import LANGUAGES, Language, Parameters, Run, Team, Text
from shokubai.core.errors import ConfigurationError, UsageError
from shokubai.core.windows import DAY, Week, Window
from shokubai.runner.publish import LAST_GOOD
from shokubai.runner.shard import Shard
from shokubai.runner.signature import Signature, read_signature
from shokubai.sources.bigquery_jobs import as_label
from shokubai.workspace.team_week import AFTERWARDS, HISTORY

ORGANIZATION = "organization"  # the folder of reports that belong to no single team
HISTORY_WEEKS = 13


@dataclass(frozen=True)
class Job:
    """One report to make: a notebook, for one team or (``team`` None) for the organisation."""

    notebook: str
    team: str | None
    path: Path
    warehouse: str
    values: Mapping[str, str]  # the parameters that are set
    title: Mapping[str, str]  # of the report, by language
    display_name: Mapping[str, str]  # of the team or the organisation, by language
    language: Language
    reads: tuple[str, ...] = ()  # notebooks of the same team and week whose facts it reads

    @property
    def folder(self) -> str:
        """The folder of the report inside the week's."""
        return self.team or ORGANIZATION

    @property
    def name(self) -> str:
        return f"{self.folder}/{self.notebook}"


@dataclass(frozen=True)
class Plan:
    """A run of one week, checked. Team reports come first: pages of the organisation may read their facts.

    Among a team's notebooks, those come first whose facts others read (``stages``).

    ``teams`` are those that the plan is about; where it is one ``shard`` of a run, those of all shards. A
    ``warehouse`` is read instead of the run's and the teams' own.
    """

    run: Run
    week: Week
    now: datetime
    parameters: Parameters
    outputs: Path
    jobs: tuple[Job, ...]
    teams: tuple[str, ...]
    shard: Shard | None = None
    warehouse: str | None = None

    def is_built_by_another(self, warehouse: str) -> bool:
        """Whether an earlier shard of the run reads a warehouse, too; the first that does brings it up to date."""
        if self.shard is None:
            return False
        earlier = [Shard(index, self.shard.count) for index in range(1, self.shard.index)]
        teams = [self.parameters.team(name) for shard in earlier for name in shard.teams_of(self.teams)]
        return any((self.warehouse or team.warehouse or self.run.warehouse) == warehouse for team in teams)

    @property
    def stages(self) -> tuple[tuple[Job, ...], ...]:
        """The jobs in groups, one after the other: what a job reads of others is made in an earlier group."""
        stage_of: dict[str, int] = {}
        for job in self.jobs:
            if job.team is not None and job.notebook not in stage_of:
                stage_of[job.notebook] = max((stage_of[name] + 1 for name in job.reads), default=0)
        groups: list[list[Job]] = [[] for _ in range(max(stage_of.values(), default=-1) + 2)]
        for job in self.jobs:
            groups[-1 if job.team is None else stage_of[job.notebook]].append(job)
        return tuple(tuple(group) for group in groups)

    @property
    def folder(self) -> Path:
        return self.outputs / self.run.name / str(self.week)

    @property
    def reports(self) -> frozenset[tuple[str, str]]:
        """Team (empty: the organisation) and notebook of every report of the run, whatever it is narrowed to.

        A shard's are those of its own teams.
        """
        teams = self.shard.teams_of(self.teams) if self.shard else _of_run(self.parameters, self.run)
        of_teams = ((team, notebook) for team in teams for notebook in self.run.team_notebooks)
        of_all = () if self.shard else self.run.organization_notebooks
        return frozenset([*of_teams, *(("", notebook) for notebook in of_all)])

    @property
    def window(self) -> Window:
        """All the data that any report of the week may read."""
        return needed_window(self.parameters, self.week)

    @property
    def recent(self) -> Window:
        """What reports of the week read of metrics, deployments, incidents and alerts."""
        return recent_window(self.parameters, self.week)

    @property
    def labels(self) -> dict[str, str]:
        """What marks the run's statements where a warehouse keeps a list of them."""
        return {"shokubai_run": as_label(f"{self.run.name}_{self.week}")}

    @property
    def warehouses(self) -> tuple[str, ...]:
        return tuple(sorted({job.warehouse for job in self.jobs}))


def make_plan(
    parameters: Parameters,
    run: str,
    *,
    now: datetime,
    outputs: Path,
    notebooks: Path,
    week: Week | None = None,
    teams: Sequence[str] = (),
    warehouse: str | None = None,
    shard: Shard | None = None,
) -> Plan:
    """The jobs of a run for one week.

    ``now`` is the clock; a run with ``as_of`` has its own. Without ``week`` it is the last complete one in the
    organisation's zone. ``teams`` narrows the run to those teams and leaves the organisation's pages alone;
    so does ``shard``, to its part of the teams, which may be none. ``warehouse`` is read instead of the
    run's and the teams' own.
    Raises UsageError, with every problem, for unknown names, weeks that are not over and notebooks that cannot
    be given their parameters.
    """
    unknown = findings.unknown_rules(parameters)
    if unknown:
        raise ConfigurationError(unknown)
    chosen = parameters.run(run)
    now = chosen.as_of or now
    last = Week.last_complete(now, parameters.organization.zone)
    week = week or last
    if week > last:
        raise UsageError(f"week {week} is not over at {now:%Y-%m-%d %H:%M %Z}; the last complete week is {last}")
    names = _team_names(parameters, chosen, teams)
    members = [parameters.team(name) for name in (shard.teams_of(names) if shard else names)]
    problems: list[str] = []
    jobs: list[Job] = []
    common = {
        "week": str(week),
        "parameters_dir": str(parameters.directory.absolute()),
        "outputs_dir": str(outputs.absolute()),
        "run": chosen.name,
        "generated_at": now.isoformat(),
    }
    earlier = _earlier_weeks(outputs, chosen, week)
    for notebook in chosen.team_notebooks:
        signature = _signature(notebooks, notebook, problems)
        if signature is None:
            continue
        values = {**common, "team": "", "warehouse": "", "previous_facts": ""}
        problems += signature.problems(values, needed=("team", "week"))
        problems += _missing_reads(chosen, signature)
        for team in members:
            read = warehouse or team.warehouse or chosen.warehouse
            own = {
                **common,
                "team": team.name,
                "warehouse": read,
                "previous_facts": _previous_facts(earlier, team, notebook),
            }
            jobs.append(
                Job(
                    notebook=notebook,
                    team=team.name,
                    path=signature.notebook,
                    warehouse=read,
                    values=signature.choose(own),
                    title=signature.title,
                    display_name=_by_language(team.display_name),
                    language=team.language,
                    reads=signature.reads,
                )
            )
    for notebook in () if teams or shard else chosen.organization_notebooks:
        signature = _signature(notebooks, notebook, problems)
        if signature is None:
            continue
        values = {**common, "warehouse": warehouse or ""}
        problems += signature.problems(values, needed=("week",))
        jobs.append(
            Job(
                notebook=notebook,
                team=None,
                path=signature.notebook,
                warehouse=warehouse or chosen.warehouse,
                values=signature.choose(values),
                title=signature.title,
                display_name=_by_language(parameters.organization.name),
                language=parameters.organization.language,
            )
        )
    for name in {job.warehouse for job in jobs}:
        parameters.warehouse(name)
    if problems:
        raise UsageError("\n".join(dict.fromkeys(problems)))
    if not jobs and members and shard:
        raise UsageError(f"{chosen.source}: run {chosen.name!r} names no team notebook: there is nothing to divide")
    if not jobs and not shard:
        raise UsageError(f"{chosen.source}: run {chosen.name!r} has nothing to do: no notebook is named")
    return Plan(chosen, week, now, parameters, outputs.absolute(), tuple(jobs), names, shard, warehouse)


def needed_window(parameters: Parameters, week: Week) -> Window:
    """From 13 weeks before the week, or from where the longest SLO window drawn over 28 days starts, to a day after.

    That day tells services that were silent at the week's end from data that is late.
    """
    own = week.window(parameters.organization.zone)
    starts = [own.start - timedelta(weeks=HISTORY_WEEKS)]
    starts += [slo.window.whole(own.end - HISTORY).start for slo in parameters.slos.values()]
    return Window(min(starts), own.end + AFTERWARDS)


def recent_window(parameters: Parameters, week: Week) -> Window:
    """The last 28 days and six hours before the week's end, or all of the longest SLO's window."""
    end = week.window(parameters.organization.zone).end
    starts = [end - HISTORY - DAY / 4, *(slo.window.whole(end).start for slo in parameters.slos.values())]
    return Window(min(starts), end)


def _team_names(parameters: Parameters, run: Run, wanted: Iterable[str]) -> tuple[str, ...]:
    of_run = _of_run(parameters, run)
    wanted = tuple(dict.fromkeys(wanted))
    for name in wanted:
        if parameters.team(name).name not in of_run:
            raise UsageError(f"{run.source}: team {name!r} is not in run {run.name!r}; it has: {', '.join(of_run)}")
    return wanted or of_run


def _of_run(parameters: Parameters, run: Run) -> tuple[str, ...]:
    return run.teams or tuple(sorted(parameters.teams))


def _signature(folder: Path, notebook: str, problems: list[str]) -> Signature | None:
    try:
        return read_signature(folder / f"{notebook}.ipynb")
    except UsageError as error:
        problems.append(str(error))
        return None


def _missing_reads(run: Run, signature: Signature) -> list[str]:
    """Why a team notebook cannot read what it says that it reads."""
    notebook = signature.notebook.stem
    before = run.team_notebooks[: run.team_notebooks.index(notebook)]
    return [
        f"{run.source}: team_notebooks: {notebook} reads the facts of {name}, which must stand before it; "
        f"found {', '.join(run.team_notebooks)}"
        for name in signature.reads
        if name not in before
    ]


def week_of(folder: Path) -> Week | None:
    """The week whose reports a folder holds; None of any other folder."""
    try:
        return Week.parse(folder.name)
    except UsageError:
        return None


def _earlier_weeks(outputs: Path, run: Run, week: Week) -> list[Path]:
    """The folders of a run's earlier weeks, the newest first."""
    found = [(made, folder) for folder in (outputs.absolute() / run.name).glob("*/") if (made := week_of(folder))]
    return [folder for made, folder in sorted(found, reverse=True) if made < week]


def _previous_facts(earlier: Iterable[Path], team: Team, notebook: str) -> str:
    """The facts of the newest earlier week that has any; empty when none has.

    They are what findings are remembered by, so weeks in which no report was made are passed over. Of a week whose
    newest attempt failed they are those of its last good report. Facts of later weeks are no memory: a week that is
    made again comes out as it did.
    """
    names = (f"{notebook}.facts.json", f"{notebook}{LAST_GOOD}.facts.json")
    files = (folder / team.name / name for folder in earlier for name in names)
    return next((str(file) for file in files if file.is_file()), "")


def _by_language(text: Text) -> dict[str, str]:
    return {language: text.in_language(language) for language in LANGUAGES}
