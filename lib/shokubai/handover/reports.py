"""The findings of the reports that were made, as their facts tell them, and the one that somebody means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from shokubai.config.model import Parameters, Team
from shokubai.core.errors import UsageError
from shokubai.core.windows import Week
from shokubai.page.facts import read_facts
from shokubai.runner.publish import LAST_GOOD

NEAREST = 5  # ids that a message lists


@dataclass(frozen=True)
class Report:
    """A weekly report of one team that was made."""

    run: str
    week: Week
    team: Team
    page: Path
    facts: Mapping[str, Any]

    @property
    def open_findings(self) -> tuple[Mapping[str, Any], ...]:
        """What there is to do something about, in the report's order: good news is not."""
        return tuple(facts for facts in self.facts["findings"] if facts["severity"] != "good")


@dataclass(frozen=True)
class Found:
    """One finding in the newest report that has it.

    ``others`` are the other teams' reports of that week. ``onset`` is the finding in the earliest report since which
    it is there without a break: a week later the data no longer tells when it began, nor what changed then.
    """

    report: Report
    facts: Mapping[str, Any]
    others: tuple[Report, ...]
    onset: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.facts["id"])


def made_weeks(parameters: Parameters, outputs: Path) -> Iterator[tuple[Week, tuple[Report, ...]]]:
    """The weeks of which there are weekly reports with facts, newest first, with those reports by team."""
    weeks: dict[Week, list[Path]] = {}
    for run in parameters.runs:
        for folder in (outputs / run).glob("*"):
            if (week := _week_of(folder)) is not None:
                weeks.setdefault(week, []).append(folder)
    for week in sorted(weeks, reverse=True):
        reports = [report for folder in sorted(weeks[week]) for report in _reports_in(folder, week, parameters)]
        if reports:
            yield week, tuple(reports)


def newest_reports(
    parameters: Parameters, outputs: Path, *, week: Week | None = None, team: str | None = None
) -> tuple[Report, ...]:
    """The reports of the newest week that was made, or of ``week``. Raises UsageError when there are none."""
    return next(_reports(parameters, outputs, week=week, team=team))


def find_finding(
    wanted: str, parameters: Parameters, outputs: Path, *, week: Week | None = None, team: str | None = None
) -> Found:
    """The finding with ``wanted`` in its id, of the newest week in which there is one, or of ``week``.

    The whole id goes before parts of others; upper and lower case are the same. Raises UsageError when there is no
    such finding, when it is good news, or when several are meant, with the ids that are near.
    """
    seen: dict[str, None] = {}
    for reports in _reports(parameters, outputs, week=week, team=team):
        known = [(report, facts) for report in reports for facts in report.facts["findings"]]
        seen |= dict.fromkeys(str(facts["id"]) for _, facts in known)
        meant = [pair for pair in known if pair[1]["id"] == wanted]
        meant = meant or [pair for pair in known if wanted.casefold() in str(pair[1]["id"]).casefold()]
        if not meant or not wanted:
            continue
        todo = [pair for pair in meant if pair[1]["severity"] != "good"]
        if not todo:
            raise UsageError(f"{meant[0][1]['id']} is good news in {reports[0].week}: there is nothing to hand over")
        if len(todo) > 1:
            raise UsageError(_ambiguous(wanted, todo))
        [(report, facts)] = todo
        others = tuple(other for other in reports if other is not report)
        return Found(report, facts, others, _onset(report, facts, parameters, outputs))
    place = f"of {week}" if week else "of any week"
    listed = "\n".join(f"  {each}" for each in _nearest(wanted, list(seen)))
    raise UsageError(
        f"no finding {place} has {wanted!r} in its id{f' in the reports of team {team}' if team else ''}"
        + (f"; the nearest are:\n{listed}" if listed else "; there are none")
        + "\nList what is open with: shokubai handover --list"
    )


def _onset(report: Report, facts: Mapping[str, Any], parameters: Parameters, outputs: Path) -> Mapping[str, Any]:
    said = facts.get("first_week")
    first = Week.parse(said) if said else report.week.plus(1 - facts["weeks"])
    for week, reports in reversed(list(made_weeks(parameters, outputs))):
        for other in reports:
            if first <= week < report.week and (other.run, other.team) == (report.run, report.team):
                for each in other.facts["findings"]:
                    if each["id"] == facts["id"]:
                        return dict(each)
    return facts


def _reports(
    parameters: Parameters, outputs: Path, *, week: Week | None, team: str | None
) -> Iterator[tuple[Report, ...]]:
    wanted = parameters.team(team).name if team else None
    some = False
    for made, reports in made_weeks(parameters, outputs):
        mine = tuple(report for report in reports if wanted in (None, report.team.name))
        if mine and week in (None, made):
            some = True
            yield mine
    if not some:
        of = f" of {week}" if week else ""
        whose = f" of team {team}" if team else ""
        raise UsageError(
            f"no weekly report{of}{whose} with facts in {outputs}; make it with `shokubai run`, "
            "or name the folder with --outputs DIR"
        )


def _reports_in(folder: Path, week: Week, parameters: Parameters) -> Iterator[Report]:
    run = parameters.runs[folder.parent.name]
    for name, team in sorted(parameters.teams.items()):
        for notebook in run.team_notebooks:
            # Where the newest attempt failed, the last good report of the week stands beside it.
            for stem in (notebook, f"{notebook}{LAST_GOOD}"):
                facts = read_facts(folder / name / f"{stem}.facts.json")
                if facts is not None:
                    yield Report(run.name, week, team, folder / name / f"{stem}.html", facts)
                    break


def _week_of(folder: Path) -> Week | None:
    try:
        return Week.parse(folder.name)
    except UsageError:
        return None


def _ambiguous(wanted: str, meant: Sequence[tuple[Report, Mapping[str, Any]]]) -> str:
    ids = {str(facts["id"]) for _, facts in meant}
    if len(ids) == 1:
        teams = ", ".join(report.team.name for report, _ in meant)
        return f"{ids.pop()} is in the reports of several teams: {teams}; name one with --team TEAM"
    listed = "\n".join(f"  {each}" for each in _nearest(wanted, sorted(ids)))
    more = len(ids) - NEAREST
    return f"{wanted!r} is part of {len(ids)} ids; write more of the one that is meant:\n{listed}" + (
        f"\n  and {more} more" if more > 0 else ""
    )


def _nearest(wanted: str, ids: Sequence[str]) -> list[str]:
    def likeness(each: str) -> float:
        return SequenceMatcher(None, wanted.casefold(), each.casefold()).ratio()

    return sorted(ids, key=lambda each: (-likeness(each), each))[:NEAREST]
