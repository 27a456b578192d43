"""What a finding is: a case, its numbers and its evidence. The sentence is made in ``display.prose``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

Severity = Literal["critical", "warning", "notice", "good"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "notice", "good")
State = Literal["new", "continuing", "resolved"]


@dataclass(frozen=True)
class Candidate:
    """A change that happened near the onset: a candidate, never called the cause."""

    kind: Literal["deployment"]
    at: datetime
    identifier: str
    description: str


@dataclass(frozen=True)
class Finding:
    """One observation about one team's service.

    ``case`` says which of the rule's situations it is and picks the sentence; ``numbers`` are the values the
    sentence shows, unrounded, named with their unit (``p95_seconds``, ``error_ratio``, ``requests_count``).
    """

    rule: str
    case: str
    service: str
    severity: Severity
    method: str = ""
    route: str = ""
    subject: str = ""  # SLO, metric or alert name where the rule is about one
    subject_name: str = ""  # what people call it, where that differs
    started_at: datetime | None = None
    ended_at: datetime | None = None
    numbers: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    candidate: Candidate | None = None
    state: State = "new"
    weeks: int = 1  # how many reports in a row have it

    @property
    def id(self) -> str:
        """Stable across weeks: service, what it is about, and the rule."""
        about = " ".join(part for part in (self.method, self.route, self.subject) if part) or "-"
        return f"{self.service}|{about}|{self.rule}"
