"""What a team talks about this week, in words: topics, what became of last week's, and what was agreed beforehand."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from shokubai.config.model import Agenda, Language, Team
from shokubai.core.scrub import scrub
from shokubai.display.exhibit import AgendaItem, AgendaList, Bullets, Cell, Header, Paragraph, Prose, Table
from shokubai.display.format import MINUS, Locale
from shokubai.display.prose.findings import how_sure, vocabulary
from shokubai.findings import finding_from_facts
from shokubai.findings.agenda import Action, Topic


def agenda_list(
    topics: Iterable[tuple[Topic, int]], *, raised: Container[str], agenda: Agenda, locale: Locale
) -> AgendaList:
    """Topics with their minutes: what, how sure, one next step, and the owner with the answer.

    ``raised`` are the ids of those that were on last week's agenda.
    """
    items = []
    for topic, minutes in topics:
        marks = [_agreed_on(topic.reason, agenda, locale)] if topic.reason in ("budget", "continuing") else []
        marks += [locale.say("agenda.raised")] if topic.id in raised else []
        items.append(_item(topic, minutes, marks, locale))
    return AgendaList(tuple(items), locale.say("agenda.decision"))


def topic_title(topic: Topic, *, locale: Locale) -> str:
    """What a topic is about, in one sentence."""
    if topic.finding is not None:
        return str(topic.finding["text"][locale.language]["title"])
    slo = topic.slo or {}
    left = slo["budget"]["left_ratio"]
    return locale.say(
        "agenda.budget.over" if left < 0 else "agenda.budget.left",
        name=slo.get("display_name") or slo["name"],
        share=locale.share(left).removeprefix(MINUS),
    )


def reply_words(reply: Mapping[str, Any] | None, *, locale: Locale) -> str:
    """Who answered what, and until when that holds; a line that says so when nobody has."""
    if reply is None:
        return locale.say("agenda.no_reply")
    words = f"{reply['owner']}: {scrub(str(reply['reply']))}"
    if until := reply.get("accepted_until"):
        until_day = locale.say("agenda.accepted_until", day=locale.day(date.fromisoformat(str(until))))
        words = f"{words} ({until_day})"
    return words


def resolved(actions: Sequence[Action], *, more: int, locale: Locale) -> Prose:
    """What is no concern any more, each in a line, and how many ``more`` there are."""
    return _bullets([_title(action, locale.language) for action in actions], more, locale)


def open_actions(actions: Sequence[Action], *, more: int, locale: Locale) -> Prose:
    """What became of the rest of last week's, each in a line, and how many ``more`` there are."""
    return _bullets([_state_line(action, locale) for action in actions], more, locale)


def _bullets(lines: list[str], more: int, locale: Locale) -> Prose:
    rest = [locale.say("table.rest", count=locale.count(more))] if more else []
    return Prose((Bullets((*lines, *rest)),))


def agreed(agenda: Agenda, *, left_out: int, locale: Locale) -> Prose:
    """How many topics were ``left_out`` for want of time or room, and the rules that were agreed beforehand."""
    blocks = []
    if left_out:
        blocks.append(Paragraph(locale.say("agenda.left_out", count=locale.count(left_out))))
    parts = []
    if agenda.severities:
        severities = vocabulary(locale.language)["labels"]["severity"]
        names = "/".join(severities[severity] for severity in agenda.severities)
        parts.append(locale.say("agenda.agreed.severities", names=names))
    if agenda.budget_left_below_ratio is not None:
        parts.append(_agreed_on("budget", agenda, locale))
    if agenda.continuing_weeks is not None:
        parts.append(_agreed_on("continuing", agenda, locale))
    if agenda.always:
        parts.append(locale.say("agenda.agreed.always", rules=locale.join(list(agenda.always))))
    if agenda.never:
        parts.append(locale.say("agenda.agreed.never", rules=locale.join(list(agenda.never))))
    rules = locale.join(parts) or locale.say("agenda.agreed.nothing")
    blocks.append(Paragraph(locale.say("agenda.agreed.all", rules=rules), "quiet"))
    return Prose(tuple(blocks))


def report_link(href: str, *, locale: Locale) -> Prose:
    """Where the evidence is."""
    return Prose((Paragraph(locale.say("agenda.report", file=href), href=href),))


def reading_list(topics: Sequence[tuple[Team, Topic, str]], *, more: int, locale: Locale) -> Table:
    """What to raise with whom, in the order given, one row per topic with its team and the link to its report.

    ``more`` is how many topics there are beyond these.
    """
    return Table(
        locale.say("table.reading_list.caption"),
        (
            Header(locale.say("column.what")),
            Header(locale.say("column.affected"), "end"),
            Header(locale.say("column.team")),
            Header(locale.say("column.contact")),
            Header(locale.say("column.reply")),
        ),
        tuple(
            (
                Cell(topic_title(topic, locale=locale)),
                Cell(locale.count(round(topic.affected_count)) if topic.affected_count else ""),
                Cell(locale.text(team.display_name) or team.name, href=href),
                Cell(team.contact),
                Cell(reply_words((topic.finding or {}).get("reply"), locale=locale)),
            )
            for team, topic, href in topics
        ),
        note=locale.say("table.rest", count=locale.count(more)) if more else "",
        empty=locale.say("nothing.attention"),
    )


def _item(topic: Topic, minutes: int, marks: list[str], locale: Locale) -> AgendaItem:
    labels = vocabulary(locale.language)["labels"]
    label = [locale.say("agenda.minutes", count=minutes), *marks]
    lines: list[tuple[str, str]] = []
    if topic.finding is not None:
        text = topic.finding["text"][locale.language]
        label.insert(1, text["label"])
        sure, action, when = how_sure(finding_from_facts(topic.finding), locale=locale), text["action"], text["when"]
    else:
        sure, action, when = _budget_evidence(topic.slo or {}, locale), locale.say("agenda.budget.action"), ""
    if sure:
        lines.append((locale.say("agenda.how_sure"), sure))
    lines.append((labels["action"], action))
    reply = (topic.finding or {}).get("reply")
    lines.append((locale.say("agenda.reply"), reply_words(reply, locale=locale)))
    # A finding of severity good is no topic.
    level: Any = topic.severity
    return AgendaItem(level, " · ".join(label), topic_title(topic, locale=locale), tuple(lines), when)


def _budget_evidence(slo: Mapping[str, Any], locale: Locale) -> str:
    return locale.say(
        "agenda.budget.evidence",
        bad=locale.count(round(slo["bad_count"])),
        valid=locale.count(slo["valid_count"]),
        sli=locale.good_ratio(slo["sli_ratio"]),
        low=locale.good_ratio(slo["interval"]["low"]),
        high=locale.good_ratio(slo["interval"]["high"]),
        objective=locale.objective(slo["objective"]),
    )


def _agreed_on(reason: str, agenda: Agenda, locale: Locale) -> str:
    if reason == "budget":
        return locale.say("agenda.agreed.budget", share=locale.share(agenda.budget_left_below_ratio))
    return locale.say("agenda.agreed.continuing", count=agenda.continuing_weeks)


def _state_line(action: Action, locale: Locale) -> str:
    state = "no_effect" if action.check == "no_effect" else action.state
    said = locale.say(f"agenda.state.{state}", weeks=action.weeks)
    line = f"{said}: {_title(action, locale.language)}"
    return f"{line} ({reply_words(action.reply, locale=locale)})" if action.reply else line


def _title(action: Action, language: Language) -> str:
    return str(action.title.get(language) or next(iter(action.title.values()), action.id))
