"""The meeting pack: one printable page for the weekly conversation with a team, as ``meeting_pack.ipynb`` shows it.

What is on it follows rules that the team agreed to beforehand (``agenda_when`` in the parameters); the order is that
of user impact, and the minutes add up to no more than the team's ``agenda_minutes`` (``findings.agenda``). It is made
from facts alone: those of this week's report, and of last week's pack.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from shokubai import workspace
from shokubai.config.model import LANGUAGES, Run, Team
from shokubai.core.errors import ReportError
from shokubai.core.windows import Week
from shokubai.display import sections
from shokubai.display.exhibit import Facts
from shokubai.display.format import Locale
from shokubai.display.prose import agenda as words
from shokubai.findings import reply_facts
from shokubai.findings.agenda import REVIEW_MINUTES, Action, Topic, actions_of, minutes_each, topics_of
from shokubai.page.facts import plain
from shokubai.page.section import Section
from shokubai.page.stated import TEAM_REPORT, StatedWeek
from shokubai.version import __version__
from shokubai.workspace import Workspace

SCHEMA = "shokubai/meeting_pack/v1"
# What one side of A4 has room for, tried with long texts: topics, and of last week's actions resolved and open ones
# each. So many lines about last week, begun ones too, take the place of one topic.
MOST_TOPICS = 5
MOST_ACTIONS = 3
LINES_OF_TOPIC = 4


def meeting_pack(
    *,
    team: str,
    week: str,
    parameters_dir: str = "",
    outputs_dir: str = "",
    run: str = "weekly",
    warehouse: str = "",
    previous_facts: str = "",
    generated_at: str = "",
) -> MeetingPack:
    """Open what a team talks about after a week.

    What the week's report of the run stated is read from its facts, and computed when there is no report yet.
    ``previous_facts`` names the facts of last week's pack, whose topics are last week's actions; a file that holds no
    such facts counts as none. Raises UsageError for unknown names and ReportError when the report has failed.
    """
    opened = workspace.open(parameters_dir or None, outputs_dir or None, run=run, warehouse=warehouse or None)
    chosen = opened.parameters.run(run)
    previous = _read(Path(previous_facts)) if previous_facts else None
    return MeetingPack(opened, chosen, opened.parameters.team(team), Week.parse(week), previous, generated_at)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and facts.get("schema") == SCHEMA else None


class MeetingPack:
    """The sections of the page; each method is one cell, and ``record`` is the last."""

    def __init__(
        self,
        opened: Workspace,
        run: Run,
        team: Team,
        week: Week,
        previous: Mapping[str, Any] | None,
        generated_at: str = "",
    ) -> None:
        self.opened = opened
        self.run = run
        self.team = team
        self.week = week
        self.window = week.window(opened.zone)
        self.previous = previous
        self.generated_at = datetime.fromisoformat(generated_at) if generated_at else None
        self.locale = Locale(team.language, opened.zone)

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What the week's report stated. Raises ReportError when it could not be made."""
        stated = StatedWeek(self.opened, self.run, self.week, self.locale).of(self.team)
        if stated.facts is None:
            raise ReportError(
                f"the meeting pack is made from the weekly report of {self.team.name} in {self.week}, and there is "
                f"none: {stated.problem}"
            )
        return stated.facts

    @property
    def has_data(self) -> bool:
        return str(self.facts["status"]) == "made"

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        """All that crossed the agreed rules, in order of user impact."""
        return topics_of(self.facts, self.team.agenda)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """Last week's actions with their state, resolved ones first."""
        raised = [topic for topic in (self.previous or {}).get("agenda", ()) if topic["minutes"]]
        replies = self.opened.parameters.replies_of(self.team)
        return actions_of(
            self.facts, raised, self.topics, {name: reply_facts(said) for name, said in replies.items()}
        )

    @cached_property
    def resolved_actions(self) -> tuple[Action, ...]:
        return tuple(action for action in self.actions if action.is_resolved)

    @cached_property
    def open_actions(self) -> tuple[Action, ...]:
        """Those that are no topic again; a topic says itself that it was raised last week."""
        again = {topic.id for topic in self.topics}
        return tuple(action for action in self.actions if not action.is_resolved and action.id not in again)

    @cached_property
    def minutes(self) -> tuple[int, ...]:
        """For each topic that there is time and room for."""
        lists = (self.resolved_actions, self.open_actions)
        lines = sum(min(len(actions), MOST_ACTIONS) + (len(actions) > MOST_ACTIONS) for actions in lists)
        return minutes_each(
            len(self.topics),
            minutes=self.team.agenda.minutes,
            has_review=bool(self.open_actions),
            room=MOST_TOPICS - math.ceil(lines / LINES_OF_TOPIC),
        )

    @property
    def total_minutes(self) -> int:
        return sum(self.minutes) + (REVIEW_MINUTES if self.open_actions else 0)

    def header(self) -> Section:
        """Whose conversation, after which week, and how long it takes of the time agreed."""
        through = self.facts["data_complete_through"]
        time = {}
        if self.total_minutes:
            time[self.locale.say("agenda.time")] = self.locale.say(
                "agenda.of_minutes", count=self.total_minutes, all=self.team.agenda.minutes
            )
        head = sections.header(
            title=self.locale.text(self.team.display_name) or self.team.name,
            week=self.week,
            window=self.window,
            data_complete_through=datetime.fromisoformat(through) if through else None,
            locale=self.locale,
            eyebrow=self.locale.say("agenda.eyebrow"),
            facts=time,
        )
        if self.has_data:
            return Section(head)
        services = self.locale.join(list(self.team.services))
        return Section(head, sections.callout("no_data", level="warning", locale=self.locale, service=services))

    def last_week(self) -> Section:
        """What was resolved, first; then what became of the rest of last week's actions."""
        shown: list[Any] = []
        if done := self.resolved_actions:
            more = max(0, len(done) - MOST_ACTIONS)
            shown.append(sections.section("resolved", locale=self.locale))
            shown.append(words.resolved(done[:MOST_ACTIONS], more=more, locale=self.locale))
        if rest := self.open_actions:
            more = max(0, len(rest) - MOST_ACTIONS)
            shown.append(sections.section("last_week", locale=self.locale))
            shown.append(words.open_actions(rest[:MOST_ACTIONS], more=more, locale=self.locale))
        return Section(*shown)

    def agenda(self) -> Section:
        """What crossed the agreed rules, each with its minutes; or that there is nothing to discuss."""
        if not self.has_data:
            return Section()
        if not self.topics:
            return Section() if self.open_actions else Section(sections.nothing("agenda", locale=self.locale))
        agreed = self.team.agenda
        return Section(
            sections.section("agenda", locale=self.locale),
            words.agenda_list(self._timed, raised=self._raised, agenda=agreed, locale=self.locale),
            words.agreed(agreed, left_out=len(self.topics) - len(self.minutes), locale=self.locale),
        )

    def report(self) -> Section:
        """The link to the full report, where the evidence is."""
        name = f"{TEAM_REPORT}.html"
        folder = self.opened.outputs / self.run.name / str(self.week) / self.team.name
        return Section(words.report_link(name, locale=self.locale)) if (folder / name).is_file() else Section()

    def record(self) -> Facts:
        """The page's facts: next week's pack reads what was raised in this one."""
        minutes = [*self.minutes, *[0] * (len(self.topics) - len(self.minutes))]
        return Facts(
            {
                "schema": SCHEMA,
                "status": self.facts["status"],
                "team": self.team.name,
                "team_display_name": {lang: self.team.display_name.in_language(lang) for lang in LANGUAGES},
                "language": self.team.language,
                "week": str(self.week),
                "window": plain(
                    {"start": self.window.start, "end": self.window.end, "time_zone": str(self.opened.zone)}
                ),
                "generated_at": plain(self.generated_at),
                "code_version": __version__,
                "headline": {lang: self._headline(Locale(lang, self.opened.zone)) for lang in LANGUAGES},
                "total_minutes": self.total_minutes,
                "agenda": [
                    {
                        "id": topic.id,
                        "reason": topic.reason,
                        "minutes": each,  # 0: left out for want of time or room
                        "affected_count": topic.affected_count,
                        "title": {
                            lang: words.topic_title(topic, locale=Locale(lang, self.opened.zone))
                            for lang in LANGUAGES
                        },
                        "reply": (topic.finding or {}).get("reply"),
                    }
                    for topic, each in zip(self.topics, minutes, strict=True)
                ],
                "actions": [
                    {"id": action.id, "state": action.state, "check": action.check} for action in self.actions
                ],
            }
        )

    @property
    def _raised(self) -> frozenset[str]:
        return frozenset(topic["id"] for topic in (self.previous or {}).get("agenda", ()) if topic["minutes"])

    @property
    def _timed(self) -> Sequence[tuple[Topic, int]]:
        return list(zip(self.topics, self.minutes, strict=False))

    def _headline(self, locale: Locale) -> str:
        """What an index page says of the pack."""
        if not self.has_data:
            return ""
        if not self.topics:
            return locale.say("nothing.agenda")
        return locale.say("agenda.headline", count=len(self.minutes), minutes=self.total_minutes)
