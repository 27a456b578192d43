"""What a finding is: a case, its numbers and its evidence. The sentence is made in ``display.prose``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from shokubai.config.model import Reply
from shokubai.core.windows import Week

Severity = Literal["critical", "warning", "notice", "good"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "notice", "good")
State = Literal["new", "continuing", "improving", "resolved", "accepted"]
STATES: tuple[State, ...] = ("new", "continuing", "improving", "resolved", "accepted")
Check = Literal["", "recovered", "no_effect"]


@dataclass(frozen=True)
class Candidate:
    """A change that happened near the onset: a candidate, never called the cause."""

    kind: Literal["deployment"]
    at: datetime
    identifier: str
    description: str


@dataclass(frozen=True)
class Acceptance:
    """How a finding stood when its team accepted it until a day: in the last report that the team had then.

    ``numbers`` are those of its rule's measure. It has ``ended`` before that day when the finding became much worse,
    or was resolved and is back; a new answer begins a new acceptance.
    """

    severity: Severity
    numbers: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    ended: Literal["", "worse", "returned"] = ""


@dataclass(frozen=True)
class TeamThreshold:
    """A threshold that the team has set for itself, in the place of the one that holds for others."""

    rule: str
    name: str
    value: float
    common_value: float | None  # the organisation's, or the packaged one
    reason: str


@dataclass(frozen=True)
class Gain:
    """What mending it would have saved of one SLO's error budget in the week."""

    slo: str
    slo_name: str  # what people call it; empty when it has only its name
    bad_count: float  # requests that were bad above the reference
    budget_ratio: float  # their share of the budget of the SLO's window
    reference_ratio: float  # the share of bad requests that is taken for ordinary


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

    # Its life, which ``findings.life`` fills in from the facts of an earlier report and the team's answer.
    state: State = "new"
    weeks: int = 1  # from first_week to the last one that had it, by the calendar
    first_week: Week | None = None  # of the report that first had it
    returned_after: Week | None = None  # the last week that had it before it was resolved, where it is back
    reply: Reply | None = None
    acceptance: Acceptance | None = None  # there while the reply's accepted_until counts, or would
    check: Check = ""  # of what was handed over

    team_thresholds: tuple[TeamThreshold, ...] = ()  # on which it rests
    gains: tuple[Gain, ...] = ()  # the largest share of a budget first
    trace_ids: tuple[str, ...] = ()  # requests of the log that show it, at most three
    query: str = ""  # how to find those and more in the log, in GoogleSQL

    @property
    def id(self) -> str:
        """Stable across weeks: service, what it is about, and the rule."""
        about = " ".join(part for part in (self.method, self.route, self.subject) if part) or "-"
        return f"{self.service}|{about}|{self.rule}"

    @property
    def last_week(self) -> Week | None:
        """The last week that had it; of what is resolved the one before it was gone."""
        return None if self.first_week is None else self.first_week.plus(self.weeks - 1)

    @property
    def needs_attention(self) -> bool:
        """Whether it is one of the things to talk about: no good news, and not accepted."""
        return self.severity != "good" and self.state != "accepted"
