"""What deserves the team's attention: every rule's observations, tested together and joined with last week's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shokubai.findings.defaults import default_rules, default_rules_text, unknown_thresholds
from shokubai.findings.evidence import Evidence
from shokubai.findings.facts import finding_facts, finding_from_facts, foremost
from shokubai.findings.life import follow_up_last_week
from shokubai.findings.model import Candidate, Finding
from shokubai.findings.observation import Observation
from shokubai.findings.rules import all_rules
from shokubai.findings.statistics import benjamini_hochberg

__all__ = [
    "Candidate",
    "Evidence",
    "Finding",
    "default_rules",
    "default_rules_text",
    "find",
    "finding_facts",
    "finding_from_facts",
    "foremost",
    "unknown_thresholds",
]

# Recoveries come first, so that good news is not buried; then what hurts users most.
READING_ORDER = ("good", "critical", "warning", "notice")


def find(evidence: Evidence, *, previous: Sequence[Mapping[str, Any]] | None = None) -> tuple[Finding, ...]:
    """The findings of one team's week, in reading order.

    ``previous`` are the findings in last week's facts, as ``finding_facts`` gives them; None when there are none.
    A finding that last week's report had too is ``continuing`` and counts its weeks. What is gone is told once
    as ``resolved`` with severity good, if this week's data shows that it is.

    The comparisons of a rule are tested together: of its p-values those are kept that Benjamini–Hochberg rejects
    at ``comparisons.false_discovery_ratio``. Each rule by itself, because the cut-off rises with every small
    p-value among them: a day's traffic differs from last week's by far more than chance almost always (its
    thresholds decide, not its p-value), and would let chance pass among the routes.

    The order is good, critical, warning, notice; within each by the requests affected, then by id. The same
    evidence always gives the same findings.
    """
    mine = evidence.owned()
    rules = all_rules()
    ratio = mine.thresholds("comparisons")["false_discovery_ratio"]
    present = [finding for rule in rules for finding in _not_by_chance(list(rule.observe(mine)), ratio)]
    past = [finding_from_facts(facts) for facts in previous or ()]
    found = follow_up_last_week(mine, present, past, rules)
    return tuple(sorted(found, key=_reading_order))


def _not_by_chance(observations: Sequence[Observation], false_discovery_ratio: float) -> list[Finding]:
    p_values = [o.p_value for o in observations if o.p_value is not None]
    adjusted = iter(benjamini_hochberg(p_values))
    kept = []
    for observation in observations:
        is_kept = observation.p_value is None or next(adjusted) <= false_discovery_ratio
        if observation.finding is not None and is_kept:
            kept.append(observation.finding)
    return kept


def _reading_order(finding: Finding) -> tuple[int, float, str]:
    return (
        READING_ORDER.index(finding.severity),
        -(finding.numbers.get("affected_count") or 0.0),
        finding.id,
    )
