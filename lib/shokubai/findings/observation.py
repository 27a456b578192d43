"""What a rule is, and what it hands over: findings, and how surprising each comparison was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding


@dataclass(frozen=True)
class Observation:
    """One thing that a rule looked at.

    ``p_value`` is how often chance alone would show as much, None for a plain fact. A comparison that was made
    is handed over even when there is nothing to report: the more one looks, the more chance will show.
    """

    finding: Finding | None
    p_value: float | None = None


@dataclass(frozen=True)
class Rule:
    """A rule of ``findings/rules/``.

    ``cases`` are all situations that the rule can report; ``display.prose`` has words for each.

    ``follow_up`` is asked about a finding of last week's report that ``observe`` does not give again. It returns
    the finding as it stands now, as ``continuing`` or ``resolved``, or None when nothing can be said. A rule
    without it reports events, which do not live on.
    """

    name: str
    cases: tuple[str, ...]
    observe: Callable[[Evidence], Iterable[Observation]]
    follow_up: Callable[[Evidence, Finding], Finding | None] | None = None
