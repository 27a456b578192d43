"""Findings as facts: what ``facts.json`` holds of them, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from shokubai.findings.model import Candidate, Finding


def finding_facts(finding: Finding) -> dict[str, Any]:
    """A finding as plain JSON values: instants as ISO 8601 in UTC, unknown numbers as null."""
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
        "started_at": _text(finding.started_at),
        "ended_at": _text(finding.ended_at),
        "numbers": {name: _number(value) for name, value in sorted(finding.numbers.items())},
        "candidate": None
        if finding.candidate is None
        else {
            "kind": finding.candidate.kind,
            "at": _text(finding.candidate.at),
            "identifier": finding.candidate.identifier,
            "description": finding.candidate.description,
        },
    }


def finding_from_facts(facts: Mapping[str, Any]) -> Finding:
    """The finding that ``finding_facts`` wrote down. Raises KeyError when a needed field is missing."""
    candidate = facts.get("candidate")
    return Finding(
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
    )


def foremost(findings_facts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of the findings in facts, in their reading order, the one that matters most; None when there are none.

    Good news is read first and matters less than what comes after it: the first that is not good, else the first.
    """
    urgent = (facts for facts in findings_facts if facts.get("severity") != "good")
    return next(urgent, next(iter(findings_facts), None))


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
