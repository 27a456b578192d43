"""What the teams' weekly reports of a run stated: the facts beside each report, or why there are none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shokubai.config.model import Run, Team
from shokubai.core.errors import ShokubaiError
from shokubai.core.windows import Week
from shokubai.display.format import Locale
from shokubai.page.facts import read_facts, weekly_facts
from shokubai.workspace import Workspace

TEAM_REPORT = "weekly_team_report"


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


class StatedWeek:
    """The facts of one week of a run, team by team. Problems are told in the language of ``locale``."""

    def __init__(self, opened: Workspace, run: Run, week: Week, locale: Locale) -> None:
        self.opened = opened
        self.week = week
        self.locale = locale
        self.folder = opened.outputs / run.name / str(week)

    def of(self, team: Team) -> TeamFacts:
        """What the team's report stated; computed when there is no report of the week and none has failed.

        The link is that of a page in a folder beside the team's.
        """
        report = self.folder / team.name / TEAM_REPORT
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
