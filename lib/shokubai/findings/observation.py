"""What a rule is, and what it hands over: findings, and how surprising each comparison was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
class Measure:
    """By which of a rule's numbers a finding is called better or worse than it was.

    Rather a ratio or a duration than a count of requests, which follows the traffic and its rhythms. Where ``above``
    names another number, only what lies above that one counts, and it is the one of the earlier finding: the
    baselines of later weeks hold the bad weeks themselves. ``heals`` says of a finding that as it stands it gets
    better by itself.
    """

    number: str
    above: str = ""
    heals: Callable[[Finding], bool] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.number, self.above) if self.above else (self.number,)

    def factor(self, before: Mapping[str, float | None], now: Mapping[str, float | None]) -> float | None:
        """How many times as bad it is now as it was before; None where a number is not known.

        >>> before = {"p95_seconds": 0.6, "reference_p95_seconds": 0.2}
        >>> round(Measure("p95_seconds", above="reference_p95_seconds").factor(before, {"p95_seconds": 0.4}), 3)
        0.5
        """
        was, now_is = before.get(self.number), now.get(self.number)
        base = before.get(self.above) if self.above else 0.0
        if was is None or now_is is None or base is None or was <= base:
            return None
        return (now_is - base) / (was - base)


@dataclass(frozen=True)
class Rule:
    """A rule of ``findings/rules/``.

    ``cases`` are all situations that the rule can report; ``display.prose`` has words for each.

    ``follow_up`` is asked about a finding of an earlier report that ``observe`` does not give again. It returns
    the finding as it stands now, as ``continuing`` or ``resolved``, or None when nothing can be said. A rule
    without it reports events, which do not live on.

    ``measure`` tells improving from continuing, and much worse; a rule without it knows only severities.
    """

    name: str
    cases: tuple[str, ...]
    observe: Callable[[Evidence], Iterable[Observation]]
    follow_up: Callable[[Evidence, Finding], Finding | None] | None = None
    measure: Measure | None = None
