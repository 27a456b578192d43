"""Findings as facts: what ``facts.json`` holds of them, and back."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from shokubai.config.model import Reply
from shokubai.core.scrub import scrub
from shokubai.core.windows import Week
from shokubai.findings.model import STATES, Acceptance, Candidate, Finding, Gain, State, TeamThreshold


def finding_facts(finding: Finding) -> dict[str, Any]:
    """A finding as plain JSON values: instants as ISO 8601 in UTC, unknown numbers as null, free text scrubbed."""
    return {
        "id": finding.id,
        "rule": finding.rule,
        "case": finding.case,
        "service": finding.service,
        "method": finding.method,
        "route": finding.route,
        "subject": finding.subject,
        "subject_name": finding.subject_name,
        "severity": finding.severity,
        "state": finding.state,
        "weeks": finding.weeks,
        "first_week": _text_of(finding.first_week),
        "returned_after": _text_of(finding.returned_after),
        "reply": None if finding.reply is None else reply_facts(finding.reply),
        "acceptance": None if finding.acceptance is None else _acceptance_facts(finding.acceptance),
        "check": finding.check,
        "started_at": _text(finding.started_at),
        "ended_at": _text(finding.ended_at),
        "numbers": _numbers(finding.numbers),
        "candidate": None
        if finding.candidate is None
        else {
            "kind": finding.candidate.kind,
            "at": _text(finding.candidate.at),
            "identifier": finding.candidate.identifier,
            "description": scrub(finding.candidate.description),
        },
        "trace_ids": list(finding.trace_ids),
        "query": finding.query,
        "gains": [asdict(gain) for gain in finding.gains],
        "team_thresholds": [asdict(threshold) for threshold in finding.team_thresholds],
    }


def reply_facts(reply: Reply) -> dict[str, Any]:
    """A team's answer as plain JSON values, scrubbed of personal data: an owner may be written as an address."""
    return {
        "owner": scrub(reply.owner),
        "reply": scrub(reply.reply),
        "accepted_until": None if reply.accepted_until is None else reply.accepted_until.isoformat(),
        "handed_over": _text_of(reply.handed_over),
    }


def finding_from_facts(facts: Mapping[str, Any]) -> Finding:
    """The finding that ``finding_facts`` wrote down, without what of the log showed it then.

    Raises KeyError when a needed field is missing.
    """
    candidate = facts.get("candidate")
    made = Finding(
        facts["rule"],
        facts["case"],
        facts["service"],
        facts["severity"],
        method=facts.get("method", ""),
        route=facts.get("route", ""),
        subject=facts.get("subject", ""),
        subject_name=facts.get("subject_name", ""),
        started_at=_instant(facts.get("started_at")),
        ended_at=_instant(facts.get("ended_at")),
        numbers=MappingProxyType(dict(facts.get("numbers", {}))),
        candidate=None
        if candidate is None
        else Candidate(
            candidate["kind"],
            datetime.fromisoformat(candidate["at"]),
            candidate["identifier"],
            candidate["description"],
        ),
        state=facts.get("state", "new"),
        weeks=facts.get("weeks", 1),
        first_week=_week(facts.get("first_week")),
        returned_after=_week(facts.get("returned_after")),
        acceptance=_acceptance(facts.get("acceptance")),
        check=facts.get("check", ""),
        gains=tuple(Gain(**gain) for gain in facts.get("gains", ())),
        team_thresholds=tuple(TeamThreshold(**threshold) for threshold in facts.get("team_thresholds", ())),
    )
    return replace(made, reply=_reply(made.id, facts.get("reply")))


def foremost(findings_facts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of the findings in facts, in their reading order, the one that matters most; None when there are none.

    Good news is read first and matters less than what comes after it: the first that is not good, else the first.
    What the team has accepted matters to nobody else for now.
    """
    open_now = [facts for facts in findings_facts if facts.get("state") != "accepted"]
    urgent = (facts for facts in open_now if facts.get("severity") != "good")
    return next(urgent, next(iter(open_now), None))


def count_states(findings_facts: Iterable[Mapping[str, Any]]) -> Mapping[State, int]:
    """How many findings in facts are in each state; good news that resolves no finding is not counted."""
    told = ((str(facts.get("state")), facts.get("severity")) for facts in findings_facts)
    counted = Counter(state for state, severity in told if severity != "good" or state == "resolved")
    return {state: counted[state] for state in STATES}


def _acceptance_facts(acceptance: Acceptance) -> dict[str, Any]:
    return {
        "severity": acceptance.severity,
        "numbers": _numbers(acceptance.numbers),
        "ended": acceptance.ended,
    }


def _acceptance(facts: Mapping[str, Any] | None) -> Acceptance | None:
    if facts is None:
        return None
    return Acceptance(facts["severity"], MappingProxyType(dict(facts["numbers"])), facts["ended"])


def _reply(finding: str, facts: Mapping[str, Any] | None) -> Reply | None:
    if facts is None:
        return None
    until = facts["accepted_until"]
    return Reply(
        finding,
        facts["owner"],
        facts["reply"],
        accepted_until=None if until is None else date.fromisoformat(until),
        handed_over=_week(facts["handed_over"]),
    )


def _numbers(numbers: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in sorted(numbers.items())}


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text_of(week: Week | None) -> str | None:
    return None if week is None else str(week)


def _week(text: str | None) -> Week | None:
    return None if text is None else Week.parse(text)
