"""The SRE overview: what needs attention this week across teams, and with whom to talk. No ranking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from shokubai import tables, workspace
from shokubai.config.model import Run, Team
from shokubai.core.windows import Week
from shokubai.display import sections
from shokubai.display import tables as table_exhibits
from shokubai.display.exhibit import Facts
from shokubai.display.format import Locale
from shokubai.display.frames import TEAM_WEEKS
from shokubai.display.prose import told_notices
from shokubai.findings import foremost
from shokubai.page.facts import plain, weekly_facts
from shokubai.page.section import Section
from shokubai.version import __version__
from shokubai.workspace import Workspace

SCHEMA = "shokubai/sre_overview/v1"
TEAM_REPORT = "weekly_team_report"


def sre_overview(
    *, week: str, parameters_dir: str = "", outputs_dir: str = "", run: str = "weekly", generated_at: str = ""
) -> SreOverview:
    """Open a week across all teams of a run.

    What a team's report stated is read from its facts; a team without a report of that week is computed. Raises
    UsageError for unknown names.
    """
    opened = workspace.open(parameters_dir or None, outputs_dir or None)
    return SreOverview(opened, opened.parameters.run(run), Week.parse(week), generated_at=generated_at)


@dataclass(frozen=True)
class TeamFacts:
    """What one team's report stated; ``href`` is empty when there is no report to link to."""

    team: Team
    facts: Mapping[str, Any]
    href: str


class SreOverview:
    """The sections of the page; each method is one cell, and ``record`` is the last."""

    def __init__(self, opened: Workspace, run: Run, week: Week, *, generated_at: str = "") -> None:
        self.opened = opened
        self.run = run
        self.week = week
        self.window = week.window(opened.zone)
        self.generated_at = datetime.fromisoformat(generated_at) if generated_at else None
        self.locale = Locale(opened.organization.language, opened.zone)

    @cached_property
    def stated(self) -> tuple[TeamFacts, ...]:
        """The facts of every team of the run, alphabetically."""
        names = sorted(self.run.teams or self.opened.parameters.teams)
        return tuple(self._facts_of(self.opened.parameters.team(name)) for name in names)

    def _facts_of(self, team: Team) -> TeamFacts:
        report = self.opened.outputs / self.run.name / str(self.week) / team.name / TEAM_REPORT
        # The overview lies in a folder beside the teams'.
        href = f"../{team.name}/{TEAM_REPORT}.html" if report.with_suffix(".html").is_file() else ""
        file = report.with_suffix(".facts.json")
        if file.is_file():
            return TeamFacts(team, json.loads(file.read_text(encoding="utf-8")), href)
        return TeamFacts(team, weekly_facts(self.opened.team_week(team.name, self.week)), href)

    def header(self) -> Section:
        """For which days, and up to when the data of all teams is complete."""
        through = [datetime.fromisoformat(t) for s in self.stated if (t := s.facts["data_complete_through"])]
        return Section(
            sections.header(
                title=self.locale.text(self.opened.organization.name),
                week=self.week,
                window=self.window,
                data_complete_through=min(through, default=None),
                locale=self.locale,
            )
        )

    def attention(self) -> Section:
        """What crossed a rule this week, by severity, with the team and its contact."""
        told = [(stated.team, finding) for stated in self.stated for finding in stated.facts["findings"]]
        urgent = [(team, f) for team, f in told if f["severity"] in ("critical", "warning")]
        urgent.sort(key=lambda pair: (pair[1]["severity"] != "critical", pair[0].name, pair[1]["id"]))
        return Section(
            sections.section("attention", locale=self.locale),
            told_notices(urgent, locale=self.locale) if urgent else sections.nothing("attention", locale=self.locale),
        )

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
                "status": "made" if any(s.facts["status"] == "made" for s in self.stated) else "no_data",
                "week": str(self.week),
                "window": plain(
                    {"start": self.window.start, "end": self.window.end, "time_zone": str(self.opened.zone)}
                ),
                "generated_at": plain(self.generated_at),
                "code_version": __version__,
                "teams": [
                    {
                        "team": stated.team.name,
                        "status": stated.facts["status"],
                        **_verdict_counts(stated.facts),
                        "findings": [f["id"] for f in stated.facts["findings"]],
                    }
                    for stated in self.stated
                ],
            }
        )

    def _team_rows(self) -> list[dict[str, Any]]:
        language = self.locale.language
        return [
            {
                "team": stated.team.name,
                "display_name": self.locale.text(stated.team.display_name),
                "href": stated.href,
                **_verdict_counts(stated.facts),
                "sentence": first["text"][language]["title"] if (first := foremost(stated.facts["findings"])) else "",
                "contact": stated.team.contact,
            }
            for stated in self.stated
        ]


def _verdict_counts(facts: Mapping[str, Any]) -> dict[str, int]:
    verdicts = [slo["verdict"] for slo in facts["slos"]]
    return {f"{verdict}_count": verdicts.count(verdict) for verdict in ("met", "missed", "not_enough_data")}
