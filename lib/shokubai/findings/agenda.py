"""What of a team's week deserves the conversation: rules that the team agreed to beforehand, applied to facts.

Everything here reads ``facts.json`` of a weekly team report, as mappings; keys that an older version did not write
may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from shokubai.config.model import Agenda, Parameters
from shokubai.core.errors import Problem, nearest_spelling
from shokubai.findings.rules import rule_names

Facts = Mapping[str, Any]
Reason = Literal["always", "severity", "continuing", "budget"]
URGENCY = ("critical", "warning", "notice")

REVIEW_MINUTES = 5  # for what was agreed last week
LEAST_MINUTES = 3  # in less nobody decides anything
MOST_MINUTES = 10  # what needs more is a meeting of its own


@dataclass(frozen=True)
class Topic:
    """One thing to talk about: a finding, or (``finding`` None) an objective whose budget is low.

    ``affected_count`` is how many requests of users it concerned: those that the finding counts, or the objective's
    bad events. 0 where nobody was hit yet or it is not known, as with a limit that is near, or missing telemetry.
    """

    id: str
    reason: Reason
    severity: str
    affected_count: float
    finding: Facts | None = None
    slo: Facts | None = None

    @property
    def order(self) -> tuple[float, int, str]:
        """Sorts by user impact: the requests affected, most first; of equally many the more urgent, then the id."""
        return (-self.affected_count, URGENCY.index(self.severity), self.id)


def topics_of(facts: Facts, agenda: Agenda) -> tuple[Topic, ...]:
    """What crossed the agreed rules, in order of user impact.

    Good news is no topic, nor is a finding that the team has accepted until a date, nor one whose rule is in
    ``never``. Any other is one when its rule is in ``always``, its severity among the agreed ones, or it continues,
    without improving, for at least the agreed weeks; the first of these that holds is its reason.

    An objective with less budget left than agreed is one too, unless a topic or something accepted is about its
    budget already; a finding about it that would be no topic otherwise becomes one. ``budget`` in ``never`` leaves
    both out. The order is ``Topic.order``, and nothing is rounded.
    """
    found = {topic.id: topic for finding in facts.get("findings", ()) if (topic := _of_finding(finding, agenda))}
    budgets = {f.get("subject"): f for f in facts.get("findings", ()) if f["rule"] == "budget"}
    for slo in facts.get("slos", ()) if "budget" not in agenda.never else ():
        about = budgets.get(slo["name"])
        if not _is_low(slo, agenda) or (about and (about["id"] in found or about.get("state") == "accepted")):
            continue
        is_told = about is not None and about["severity"] != "good"
        topic = _topic(about, "budget") if is_told and about else _of_budget(slo)
        found[topic.id] = topic
    return tuple(sorted(found.values(), key=lambda topic: topic.order))


def _of_finding(finding: Facts, agenda: Agenda) -> Topic | None:
    if finding["severity"] == "good" or finding.get("state") in ("resolved", "accepted"):
        return None
    if finding["rule"] in agenda.never:
        return None
    if finding["rule"] in agenda.always:
        return _topic(finding, "always")
    if finding["severity"] in agenda.severities:
        return _topic(finding, "severity")
    is_continuing = finding.get("state") == "continuing"
    if is_continuing and agenda.continuing_weeks is not None and finding.get("weeks", 1) >= agenda.continuing_weeks:
        return _topic(finding, "continuing")
    return None


def _topic(finding: Facts, reason: Reason) -> Topic:
    affected = float(finding.get("numbers", {}).get("affected_count") or 0.0)
    return Topic(finding["id"], reason, finding["severity"], affected, finding=finding)


def _of_budget(slo: Facts) -> Topic:
    return Topic(_budget_id(slo), "budget", "notice", float(slo.get("bad_count") or 0.0), slo=slo)


def _budget_id(slo: Facts) -> str:
    """The id that a finding of the budget rule would have: the next week it may be one."""
    return f"{slo['service_name']}|{slo['name']}|budget"


def _is_low(slo: Facts, agenda: Agenda) -> bool:
    left = slo["budget"]["left_ratio"]
    limit = agenda.budget_left_below_ratio
    return left is not None and limit is not None and left < limit


def minutes_each(count: int, *, minutes: int, has_review: bool, room: int) -> tuple[int, ...]:
    """The whole minutes for each of the topics that there is time and room for; the others are left out.

    A conversation of ``minutes`` gives the first REVIEW_MINUTES to last week's actions where there are any. What is
    left is shared alike: at least LEAST_MINUTES each, at most MOST_MINUTES, for at most ``room`` topics. So all of it
    is never longer than ``minutes``; decisions are taken within a topic's time.

    >>> minutes_each(3, minutes=30, has_review=True, room=5)
    (8, 8, 8)
    >>> minutes_each(9, minutes=15, has_review=True, room=5)
    (3, 3, 3)
    """
    available = minutes - (REVIEW_MINUTES if has_review else 0)
    kept = min(count, room, available // LEAST_MINUTES)
    return (min(MOST_MINUTES, available // kept),) * kept if kept else ()


@dataclass(frozen=True)
class Action:
    """What became of something that was raised or answered last week.

    ``state`` is its finding's now: "new" when something that does not last happened again, "gone" when this week's
    report has it no more, as with an outage that is over. ``title`` is by language.
    """

    id: str
    state: str
    weeks: int
    title: Mapping[str, str]
    reply: Facts | None
    check: str = ""

    @property
    def is_resolved(self) -> bool:
        return self.state == "resolved" or self.check == "recovered"


def actions_of(
    facts: Facts,
    raised: Sequence[Facts],
    topics: Sequence[Topic],
    replies: Mapping[str, Facts] = MappingProxyType({}),
) -> tuple[Action, ...]:
    """Last week's actions with their state, resolved ones first, then as they were raised.

    ``raised`` are the topics of last week's agenda as its facts have them, ``topics`` those of this week. What is
    not new this week and has an answer, or was handed over, belongs to the actions as well, and so does good news.
    ``replies`` are the team's answers by id, for what this week's findings have no more.
    An objective that was raised for its budget alone is "resolved" when it is no topic any more.
    """
    findings = {finding["id"]: finding for finding in facts.get("findings", ())}
    still_low = {topic.id for topic in topics if topic.slo}
    judged = {_budget_id(slo) for slo in facts.get("slos", ())}
    actions = []
    for before in raised:
        if before["id"] in findings:
            actions.append(_action(findings[before["id"]]))
        elif before.get("reason") == "budget" and before["id"] in judged:
            actions.append(_gone(before, "continuing" if before["id"] in still_low else "resolved", replies))
        else:
            actions.append(_gone(before, "gone", replies))
    known = {action.id for action in actions}
    for finding in findings.values():
        is_followed = finding.get("reply") is not None and finding.get("state", "new") != "new"
        if finding["id"] not in known and (is_followed or finding["severity"] == "good"):
            actions.append(_action(finding))
    return tuple(sorted(actions, key=lambda action: not action.is_resolved))


def _action(finding: Facts) -> Action:
    title = {language: words["title"] for language, words in finding["text"].items()}
    state = "resolved" if finding["severity"] == "good" else str(finding.get("state", "new"))
    check = str(finding.get("check") or "")
    return Action(finding["id"], state, int(finding.get("weeks", 1)), title, finding.get("reply"), check)


def _gone(before: Facts, state: str, replies: Mapping[str, Facts]) -> Action:
    return Action(before["id"], state, 1, before["title"], replies.get(before["id"], before.get("reply")))


def unknown_agenda_rules(parameters: Parameters) -> tuple[Problem, ...]:
    """Rules named in ``agenda_when`` that no finding can have: they would be ignored silently."""
    known = rule_names()
    named = {
        (source.file, source.line, path, rule)
        for agenda in (parameters.organization.agenda, *(team.agenda for team in parameters.teams.values()))
        for rule, (path, source) in agenda.sources.items()
        if rule not in known
    }
    return tuple(
        Problem(
            file,
            line,
            path,
            "there is no such finding rule",
            found=repr(rule),
            allowed=", ".join(known),
            nearest=nearest_spelling(rule, known),
        )
        for file, line, path, rule in sorted(named)
    )
