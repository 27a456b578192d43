"""The SRE overview: what needs attention this week across teams, and with whom to talk. No ranking."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from shokubai import tables, workspace
from shokubai.config.model import Run
from shokubai.core.windows import Week
from shokubai.display import sections
from shokubai.display import tables as table_exhibits
from shokubai.display.exhibit import Facts, Paragraph, Prose
from shokubai.display.format import Locale
from shokubai.display.frames import TEAM_WEEKS
from shokubai.display.prose import tally, told_notices
from shokubai.display.prose.agenda import reading_list
from shokubai.findings import count_states, foremost
from shokubai.findings.agenda import Topic, topics_of
from shokubai.page.facts import plain
from shokubai.page.section import Section
from shokubai.page.stated import StatedWeek, TeamFacts
from shokubai.version import __version__
from shokubai.workspace import Workspace

SCHEMA = "shokubai/sre_overview/v1"
MOST_TOPICS = 20  # of all teams; the others are in the teams' reports


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
        stated = StatedWeek(self.opened, self.run, self.week, self.locale)
        return tuple(stated.of(self.opened.parameters.team(name)) for name in names)

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

    @cached_property
    def topics(self) -> tuple[tuple[TeamFacts, Topic], ...]:
        """What crossed the rules that each team agreed to, of all teams, in order of user impact (``findings``)."""
        found = [
            (stated, topic)
            for stated in self.stated
            if stated.facts is not None
            for topic in topics_of(stated.facts, stated.team.agenda)
        ]
        return tuple(sorted(found, key=lambda pair: pair[1].order))

    def reading_list(self) -> Section:
        """What to raise with whom: topics of all teams in order of user impact. Teams are not compared."""
        shown = [(stated.team, topic, stated.href) for stated, topic in self.topics[:MOST_TOPICS]]
        more = len(self.topics) - len(shown)
        return Section(
            sections.section("reading_list", locale=self.locale),
            reading_list(shown, more=more, locale=self.locale),
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
                "reading_list": [{"team": stated.team.name, "id": topic.id} for stated, topic in self.topics],
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
