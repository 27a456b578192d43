"""A finding in plain words: what was seen, how sure that is, and one next step. Advice, never a verdict on people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

import yaml

from shokubai.config.model import Language, Reply, Team
from shokubai.core.scrub import scrub
from shokubai.core.windows import Window
from shokubai.display.exhibit import Bullets, Callout, Heading, Notice, Notices, Paragraph, Prose
from shokubai.display.format import NO_VALUE, Locale, endpoint
from shokubai.findings import STATES, Finding
from shokubai.findings.model import Gain, State, TeamThreshold


@dataclass(frozen=True)
class Told:
    """One finding in words: plain text, scrubbed of personal data, not escaped."""

    title: str
    body: str  # how sure it is: numbers, intervals, what it was compared with
    action: str  # one next step
    label: str  # level and state
    when: str  # empty when it has no time
    answer: str = ""  # what the team answered, until when, and what became of it


def tell(finding: Finding, *, locale: Locale) -> Told:
    """What a team reads about a finding. Raises KeyError when there are no words for its rule and case."""
    words = vocabulary(locale.language)
    case = words[finding.rule][finding.case]
    values = _values(finding, locale)
    say = _Sentences(locale, values)
    body = say.all([*case["body"], words["common"]["candidate"]])
    if values.get("candidate_at") and not values.get("candidate_description"):
        body += say.all([words["common"]["candidate_bare"]])
    # A follow-up says that something is "still" there, also of what was gone meanwhile.
    is_back = finding.state == "new" and finding.returned_after is not None
    body += [_gain(finding.rule, gain, locale) for gain in finding.gains]
    body += [_team_threshold(threshold, locale) for threshold in finding.team_thresholds]
    return Told(
        title=say.first([case["again"] if is_back and "again" in case else case["title"]]),
        body=("" if locale.language == "ja" else " ").join(body),
        action=say.first(case["action"] if isinstance(case["action"], list) else [case["action"]]),
        label=_label(words, finding),
        when=_when(finding, locale),
        answer=_answer(words, finding, locale),
    )


def how_sure(finding: Finding, *, locale: Locale) -> str:
    """The sentence of a finding's body that says how sure it is: the first with an interval, else the first of all.

    Empty when there is none.
    """
    words = vocabulary(locale.language)
    body: Sequence[str | Mapping[str, str]] = words.get(finding.rule, {}).get(finding.case, {}).get("body", ())
    say = _Sentences(locale, _values(finding, locale))
    told = say.all(sentence for sentence in body if _names_an_interval(sentence)) or say.all(body)
    return next(iter(told), "")


def _names_an_interval(sentence: str | Mapping[str, str]) -> bool:
    text = sentence if isinstance(sentence, str) else sentence["say"]
    return any(name == "earliest_at" or "_low_" in (name or "") for _, name, _, _ in Formatter().parse(text))


def notices(findings: Sequence[Finding], *, locale: Locale) -> Notices | Callout:
    """The findings of a report, in the order given; a line that says so when there are none."""
    if not findings:
        return Callout("good", vocabulary(locale.language)["labels"]["nothing"])
    return _notices(locale, (_with_samples(finding, locale) for finding in findings))


def _with_samples(finding: Finding, locale: Locale) -> Notice:
    notice = _notice(finding.id, finding.severity, finding.state, tell(finding, locale=locale))
    return replace(notice, traces=finding.trace_ids, query=finding.query)


def accepted_notices(findings: Sequence[Finding], *, locale: Locale) -> tuple[Prose, Notices]:
    """What the team lives with for now, in a few words each."""
    items = []
    for finding in findings:
        told = tell(finding, locale=locale)
        items.append(
            Notice(
                finding.severity,
                told.label,
                told.title,
                answer=told.answer,
                identifier=scrub(finding.id),
                state="accepted",
            )
        )
    return _heading("accepted", locale), _notices(locale, items)


def orphaned_replies(replies: Sequence[Reply], *, file: str, locale: Locale) -> Prose:
    """Answers to what is no finding; ``file`` is where they stand."""
    sentences = vocabulary(locale.language)["labels"]["answer"]
    heading = _heading("orphaned", locale, file=file)
    items = (f"{scrub(reply.finding)} – {_said(sentences['reply'], reply)}" for reply in replies)
    return Prose((*heading.blocks, Bullets(tuple(items))))


def tally(counts: Mapping[State, int], *, locale: Locale) -> str:
    """How many findings are in which state, resolved first; empty without any."""
    shown = sorted((state for state in STATES if counts[state]), key=lambda state: state != "resolved")
    return " · ".join(locale.say(f"ledger.tally.{state}", count=locale.count(counts[state])) for state in shown)


def _heading(name: str, locale: Locale, **values: str) -> Prose:
    title, lead = locale.say(f"ledger.{name}.title"), locale.say(f"ledger.{name}.lead", **values)
    return Prose((Heading(title, 3), Paragraph(lead, "quiet")))


def told_notices(findings: Iterable[tuple[Team, Mapping[str, Any]]], *, locale: Locale) -> Notices:
    """Findings of several teams from the ``findings`` of their facts, each under its team's name and contact.

    Every finding holds the words of ``tell`` under ``text`` by language.
    """
    items = []
    for team, facts in findings:
        told = Told(**facts["text"][locale.language])
        name = locale.text(team.display_name) or team.name
        label = " · ".join(filter(None, (name, team.contact, told.label)))
        items.append(_notice(facts["id"], facts["severity"], facts["state"], replace(told, label=label)))
    return _notices(locale, items)


def _notices(locale: Locale, items: Iterable[Notice]) -> Notices:
    labels = vocabulary(locale.language)["labels"]
    return Notices(tuple(items), labels["action"], labels["traces"], labels["query"], locale.language)


def _notice(identifier: str, severity: Any, state: Any, told: Told) -> Notice:
    return Notice(
        severity,
        told.label,
        told.title,
        told.body,
        told.action,
        told.when,
        answer=told.answer,
        identifier=scrub(identifier),
        state=state,
    )


@cache
def vocabulary(language: Language) -> Mapping[str, Any]:
    """The words of one language: rule → case → title, body and action, and some shared ones."""
    text = files("shokubai.display.prose").joinpath(f"{language}.yaml").read_text(encoding="utf-8")
    words: Mapping[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return words


def _label(words: Mapping[str, Any], finding: Finding) -> str:
    labels = words["labels"]
    state = "returned" if finding.state == "new" and finding.returned_after else finding.state
    severity, shown = labels["severity"][finding.severity], labels["state"][state]
    return f"{severity} · {shown.format(weeks=finding.weeks, last_week=finding.returned_after)}"


def _answer(words: Mapping[str, Any], finding: Finding, locale: Locale) -> str:
    """The team's own words, what they mean for the finding, and what is known since it was handed over."""
    reply, sentences = finding.reply, words["labels"]["answer"]
    if reply is None:
        return ""
    said = [_said(sentences["reply"], reply)]
    if reply.accepted_until is not None and finding.severity != "good":
        ended = finding.acceptance.ended if finding.acceptance else "over"
        said.append(sentences[ended or "accepted"].format(until=locale.day(reply.accepted_until, year=True)))
    if reply.handed_over is not None:
        last = finding.last_week
        weeks = (last.monday - reply.handed_over.monday).days // 7 if last else 0
        said.append(
            sentences[finding.check or "handed_over"].format(week=reply.handed_over, last_week=last, count=weeks)
        )
    return ("" if locale.language == "ja" else " ").join(said)


def _said(sentence: str, reply: Reply) -> str:
    return sentence.format(owner=scrub(reply.owner), reply=scrub(reply.reply))


def _gain(rule: str, gain: Gain, locale: Locale) -> str:
    values = {
        "count": locale.count(round(gain.bad_count)),
        "share": locale.share(gain.budget_ratio),
        "slo": scrub(gain.slo_name or gain.slo),
    }
    return str(vocabulary(locale.language)["gain"][rule]).format_map(values)


def _team_threshold(threshold: TeamThreshold, locale: Locale) -> str:
    values = {
        "name": f"{threshold.rule}.{threshold.name}",
        "value": locale.number(threshold.value),
        "common": NO_VALUE if threshold.common_value is None else locale.number(threshold.common_value),
        "reason": scrub(threshold.reason),
    }
    return str(vocabulary(locale.language)["common"]["team_threshold"]).format_map(values)


def _when(finding: Finding, locale: Locale) -> str:
    """When it was; whole days without their midnights."""
    start, end = finding.started_at, finding.ended_at
    if start is None:
        return ""
    if end is not None and all(locale.local(at).time() == time.min for at in (start, end)):
        return locale.days(Window(start, end))
    return locale.instants(start, end)


# --- what the placeholders stand for --------------------------------------------------------------------------


def _values(finding: Finding, locale: Locale) -> dict[str, Any]:
    """Everything a sentence may name: the finding's numbers, its times, and names scrubbed of personal data."""
    words = vocabulary(locale.language)
    values: dict[str, Any] = dict(finding.numbers)
    values["service"] = scrub(finding.service)
    values["where"] = f"{scrub(endpoint(finding.method, finding.route))} ({scrub(finding.service)})"
    values["subject"] = scrub(
        finding.subject_name or words["metrics"].get(finding.subject) or finding.subject.partition("@")[0]
    )
    kind = "slices" if values.get("by_slices") else "slow" if values.get("by_latency") else "failed"
    values["things"], values["bad_of_valid"] = (
        _Sentences(locale, values).first(words[part][kind]) for part in ("things", "bad_of_valid")
    )
    values["started_at"], values["ended_at"] = finding.started_at, finding.ended_at
    if finding.started_at is not None and finding.ended_at is not None:
        values["span"] = locale.instants(finding.started_at, finding.ended_at)
    if finding.ended_at is not None:
        values["last_day"] = finding.ended_at - timedelta(microseconds=1)
        values |= _interval_of_end(finding, finding.ended_at, locale)
    if finding.candidate is not None:
        values["candidate_at"] = finding.candidate.at
        values["candidate_identifier"] = _identifier(finding.candidate.identifier)
        values["candidate_description"] = scrub(finding.candidate.description)
    return values


def _interval_of_end(finding: Finding, end: datetime, locale: Locale) -> dict[str, datetime | None]:
    """The earliest and latest end, where the numbers hold how far away they are."""
    hits = finding.numbers.get("hits_in_seconds")
    if hits is None:
        return {}
    out: dict[str, datetime | None] = {}
    for name in ("earliest", "latest"):
        seconds = finding.numbers.get(f"{name}_in_seconds")
        out[f"{name}_at"] = None if seconds is None else end + timedelta(seconds=seconds - hits)
    earliest, latest = out["earliest_at"], out["latest_at"]
    # From a day to the same day is no interval.
    return {} if earliest and latest and locale.day(earliest) == locale.day(latest) else out


def _identifier(identifier: str) -> str:
    """A version or deployment id; commit hashes are cut as git cuts them."""
    return identifier[:12] if re.fullmatch(r"[0-9a-f]{13,40}", identifier) else scrub(identifier)


class _Unknown(Exception):
    """A sentence names a value that is not known."""


class _Sentences(Formatter):
    """Fills placeholders; sentences whose values are not known are left out."""

    def __init__(self, locale: Locale, values: Mapping[str, Any]) -> None:
        self._locale = locale
        self._values = values

    def all(self, sentences: Iterable[str | Mapping[str, str]]) -> list[str]:
        told = (self._say(sentence) for sentence in sentences)
        return [text for text in told if text is not None]

    def first(self, sentences: Iterable[str | Mapping[str, str]]) -> str:
        """The first sentence that can be said. Raises LookupError when none can."""
        told = self.all(sentences)
        if not told:
            raise LookupError(f"none of the sentences can be said with {sorted(self._values)}: {list(sentences)}")
        return told[0]

    def _say(self, sentence: str | Mapping[str, str]) -> str | None:
        if isinstance(sentence, str):
            sentence = {"say": sentence}
        if "if" in sentence and not self._values.get(sentence["if"]):
            return None
        if "unless" in sentence and self._values.get(sentence["unless"]):
            return None
        try:
            return self.vformat(sentence["say"], (), self._values)
        except _Unknown:
            return None

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        value = kwargs.get(str(key))
        if value is None or value == "":
            raise _Unknown(key)
        return (str(key), value)

    def format_field(self, value: Any, format_spec: str) -> Any:
        name, content = value
        if isinstance(content, str):
            return content
        if isinstance(content, datetime):
            return self._locale.day(content) if format_spec == "day" else self._locale.instant(content)
        return self._number(name, float(content), format_spec)

    def _number(self, name: str, value: float, spec: str) -> str:
        locale = self._locale
        if name.endswith("_seconds"):
            return locale.seconds(value)
        if name.endswith("_count"):
            count = locale.count(round(value))
            if not spec:
                return count
            # Japanese has counters without plural, English nouns with one.
            return count + spec if locale.language == "ja" else f"{count} {spec}{'' if round(value) == 1 else 's'}"
        if name.endswith("_factor"):
            return locale.times(value) if locale.language == "en" else f"{locale.number(value)}倍"
        if spec == "points":
            return locale.number(value * 100, figures=2)
        by_spec: Mapping[str, Callable[[float], str]] = {
            "good": locale.good_ratio,
            "bad": locale.bad_ratio,
            "share": locale.share,
            "objective": locale.objective,
        }
        return by_spec[spec](value)


def candidate_sentence(finding: Finding, *, locale: Locale) -> str:
    """What ``tell`` says of the change near the onset; empty without one."""
    words = vocabulary(locale.language)["common"]
    told = _Sentences(locale, _values(finding, locale)).all([words["candidate"], words["candidate_bare"]])
    return told[0] if told else ""
