"""The SRE overview: what needs attention this week across teams, and with whom to talk. No ranking."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from shokubai import tables, workspace
from shokubai.config.model import Run, Team
from shokubai.core.errors import ShokubaiError
from shokubai.core.windows import Week
from shokubai.display import sections
from shokubai.display import tables as table_exhibits
from shokubai.display.exhibit import Facts, Paragraph, Prose
from shokubai.display.format import Locale
from shokubai.display.frames import TEAM_WEEKS
from shokubai.display.prose import tally, told_notices
from shokubai.findings import count_states, foremost
from shokubai.page.facts import plain, read_facts, weekly_facts
from shokubai.page.section import Section
from shokubai.version import __version__
from shokubai.workspace import Workspace

SCHEMA = "shokubai/sre_overview/v1"
TEAM_REPORT = "weekly_team_report"


def sre_overview(
    *,
    week: str,
    parameters_dir: str = "",
    outputs_dir: str = "",
    run: str = "weekly",
    warehouse: str = "",
    generated_at: str = "",
) -> SreOverview:
    """Open a week across all teams of a run.

    What a team's report stated is read from its facts. A team whose report failed, or whose data cannot be read,
    gets a row with the reason; any other team without a report of that week is computed. A ``warehouse`` is read
    instead of the run's and the teams' own. Raises UsageError for unknown names.
    """
    opened = workspace.open(parameters_dir or None, outputs_dir or None, run=run, warehouse=warehouse or None)
    return SreOverview(opened, opened.parameters.run(run), Week.parse(week), generated_at=generated_at)


@dataclass(frozen=True)
class TeamFacts:
    """What one team's report stated, or why there is none.

    ``facts`` is None with a ``problem``, a sentence; ``href`` is empty when there is no page to link to.
    """

    team: Team
    facts: Mapping[str, Any] | None
    href: str
    problem: str = ""

    @property
    def status(self) -> str:
        """One of made, no_data, failed."""
        return "failed" if self.facts is None else str(self.facts["status"])

    @property
    def findings(self) -> Sequence[Mapping[str, Any]]:
        return () if self.facts is None else self.facts["findings"]

    @property
    def verdict_counts(self) -> dict[str, int | None]:
        """SLOs by verdict; None where nothing was judged."""
        slos = self.facts["slos"] if self.facts is not None and self.status == "made" else None
        return {
            f"{verdict}_count": None if slos is None else sum(slo["verdict"] == verdict for slo in slos)
            for verdict in ("met", "missed", "not_enough_data")
        }


class SreOverview:
    """The sections of the page; each method is one cell, and ``record`` is the last."""

    def __init__(self, opened: Workspace, run: Run, week: Week, *, generated_at: str = "") -> None:
        self.opened = opened
        self.run = run
        self.week = week
        self.window = week.window(opened.zone)
        self.folder = opened.outputs / run.name / str(week)
        self.generated_at = datetime.fromisoformat(generated_at) if generated_at else None
        self.locale = Locale(opened.organization.language, opened.zone)

    @cached_property
    def stated(self) -> tuple[TeamFacts, ...]:
        """The facts of every team of the run, alphabetically."""
        names = sorted(self.run.teams or self.opened.parameters.teams)
        return tuple(self._facts_of(self.opened.parameters.team(name)) for name in names)

    def _facts_of(self, team: Team) -> TeamFacts:
        report = self.folder / team.name / TEAM_REPORT
        # The overview lies in a folder beside the teams'.
        href = f"../{team.name}/{TEAM_REPORT}.html" if report.with_suffix(".html").is_file() else ""
        if (reason := self._failures.get(team.name)) is not None:
            return TeamFacts(team, None, href, self.locale.say("table.teams.failed", reason=reason))
        if (facts := read_facts(report.with_suffix(".facts.json"))) is not None:
            return TeamFacts(team, facts, href)
        try:
            return TeamFacts(team, weekly_facts(self.opened.team_week(team.name, self.week)), href)
        except ShokubaiError as error:
            reason = self._without_places(str(error).partition("\n")[0])
            return TeamFacts(team, None, href, self.locale.say("table.teams.unreadable", reason=reason))

    @cached_property
    def _failures(self) -> dict[str, str]:
        """Why team reports of the week failed, by team, as the run's journal has it; the newest line counts."""
        file = self.folder / "journal.jsonl"
        failures: dict[str, str] = {}
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else ():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # torn by a crash
            if isinstance(record, dict) and record.get("notebook") == TEAM_REPORT:
                team = str(record.get("team"))
                failures.pop(team, None)
                if record.get("status") == "failed":
                    message = str((record.get("error") or {}).get("message", ""))
                    failures[team] = message.partition("\n")[0]
        return failures

    def _without_places(self, text: str) -> str:
        """A text that does not say where the project lies on this machine."""
        for folder in (self.opened.outputs, self.opened.parameters.directory):
            text = text.replace(f"{folder.absolute().parent}/", "").replace(f"{folder.parent}/", "")
        return text

    def header(self) -> Section:
        """For which days, and up to when the data of all teams is complete."""
        made = [stated.facts for stated in self.stated if stated.facts is not None]
        through = [datetime.fromisoformat(at) for facts in made if (at := facts["data_complete_through"])]
        total = self.locale.count(len(self.stated))
        gaps = []
        if through and (without := len(made) - len(through)):
            gaps.append(self.locale.say("header.without_data", count=self.locale.count(without), total=total))
        if failed := len(self.stated) - len(made):
            gaps.append(self.locale.say("header.without_report", count=self.locale.count(failed), total=total))
        return Section(
            sections.header(
                title=self.locale.text(self.opened.organization.name),
                week=self.week,
                window=self.window,
                data_complete_through=min(through, default=None),
                gaps=gaps,
                locale=self.locale,
                eyebrow=f"{self.locale.say('header.eyebrow')} · {self.locale.say('page.index.organization')}",
            )
        )

    def attention(self) -> Section:
        """What crossed a rule this week, team by team with its contact, the most urgent of each first.

        What a team has accepted for now is only counted.
        """
        told = [(stated.team, finding) for stated in self.stated for finding in stated.findings]
        urgent = [(t, f) for t, f in told if f["severity"] in ("critical", "warning") and f["state"] != "accepted"]
        urgent.sort(key=lambda pair: (pair[0].name, pair[1]["severity"] != "critical"))
        shown: list[Any] = [sections.section("attention", locale=self.locale)]
        if counts := tally(count_states(finding for _, finding in told), locale=self.locale):
            shown.append(Prose((Paragraph(self.locale.say("ledger.across", tally=counts)),)))
        failed = [self.locale.text(stated.team.display_name) for stated in self.stated if stated.status == "failed"]
        if failed:
            names = self.locale.join(failed)
            shown.append(sections.callout("no_report", level="warning", locale=self.locale, teams=names))
        if urgent:
            shown.append(told_notices(urgent, locale=self.locale))
        elif not failed:
            shown.append(sections.nothing("attention", locale=self.locale))
        return Section(*shown)

    def teams(self) -> Section:
        """Every team's verdicts, alphabetically."""
        return Section(
            sections.section("teams", locale=self.locale),
            table_exhibits.teams(TEAM_WEEKS.conform(pd.DataFrame(self._team_rows())), locale=self.locale),
        )

    def requests_to_sre(self) -> Section:
        """What teams asked of SRE in the week, and how long they waited for a first answer."""
        asked = tables.read_sre_requests(self.opened.tables, self.window)
        return Section(
            sections.section("sre_requests", locale=self.locale),
            table_exhibits.sre_requests(asked, locale=self.locale),
        )

    def record(self) -> Facts:
        """The page's facts: per team the verdict counts and the ids of what needs attention."""
        return Facts(
            {
                "schema": SCHEMA,
                "status": "made" if any(s.status != "no_data" for s in self.stated) else "no_data",
                "week": str(self.week),
                "window": plain(
                    {"start": self.window.start, "end": self.window.end, "time_zone": str(self.opened.zone)}
                ),
                "generated_at": plain(self.generated_at),
                "code_version": __version__,
                "teams": [
                    {
                        "team": stated.team.name,
                        "status": stated.status,
                        **stated.verdict_counts,
                        "findings": [f["id"] for f in stated.findings if f["state"] != "accepted"],
                        "findings_by_state": dict(count_states(stated.findings)),
                    }
                    for stated in self.stated
                ],
            }
        )

    def _team_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "team": stated.team.name,
                "display_name": self.locale.text(stated.team.display_name),
                "href": stated.href,
                **stated.verdict_counts,
                "sentence": self._sentence(stated),
                "contact": stated.team.contact,
            }
            for stated in self.stated
        ]

    def _sentence(self, stated: TeamFacts) -> str:
        """What to know of a team first: why it has no numbers, or else its foremost finding."""
        if stated.problem:
            return stated.problem
        if stated.status == "no_data":
            return self.locale.say("table.teams.no_data")
        first = foremost(stated.findings)
        return str(first["text"][self.locale.language]["title"]) if first else self.locale.say("nothing.findings")
