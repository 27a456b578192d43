"""What deserves the team's attention: every rule's observations, tested together and joined with earlier weeks'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shokubai.config.model import Parameters
from shokubai.core.errors import Problem
from shokubai.core.windows import Week
from shokubai.findings.agenda import unknown_agenda_rules
from shokubai.findings.answers import answers_to_unknown_rules
from shokubai.findings.defaults import default_rules, default_rules_text, unknown_among, unknown_thresholds
from shokubai.findings.evidence import Evidence
from shokubai.findings.facts import count_states, finding_facts, finding_from_facts, foremost, reply_facts
from shokubai.findings.gain import with_gains
from shokubai.findings.life import Ledger, follow_up_earlier_weeks, known
from shokubai.findings.model import STATES, Candidate, Finding
from shokubai.findings.observation import Observation
from shokubai.findings.rules import all_rules
from shokubai.findings.samples import samples_of, shown_traces
from shokubai.findings.statistics import benjamini_hochberg

__all__ = [
    "STATES",
    "Candidate",
    "Evidence",
    "Finding",
    "Ledger",
    "answers_to_unknown_rules",
    "count_states",
    "default_rules",
    "default_rules_text",
    "find",
    "finding_facts",
    "finding_from_facts",
    "foremost",
    "keep_ledger",
    "keep_without_data",
    "reply_facts",
    "samples_of",
    "shown_traces",
    "unknown_among",
    "unknown_rules",
]

# Good news comes first, so that it is not buried; then what hurts users most.
READING_ORDER = ("good", "critical", "warning", "notice")


def unknown_rules(parameters: Parameters) -> tuple[Problem, ...]:
    """Rules and thresholds that parameters name and nothing knows: they would be ignored silently."""
    return (*unknown_thresholds(parameters), *unknown_agenda_rules(parameters))


def find(evidence: Evidence, *, previous: Sequence[Mapping[str, Any]] | None = None) -> tuple[Finding, ...]:
    """The findings of one team's week, in reading order; see ``keep_ledger``."""
    return keep_ledger(evidence, previous=previous).findings


def keep_ledger(evidence: Evidence, *, previous: Sequence[Mapping[str, Any]] | None = None) -> Ledger:
    """The findings of one team's week with their lives, in reading order.

    ``previous`` are the findings in the facts of the newest earlier week, as ``finding_facts`` gives them, and those
    that it remembered; None when there are none. A finding that the earlier report had too is ``continuing``,
    ``improving`` or, while its team says so, ``accepted``, and counts its weeks. What is gone is told once as
    ``resolved`` with severity good, if this week's data shows that it is.

    The comparisons of a rule are tested together: of its p-values those are kept that Benjamini–Hochberg rejects
    at ``comparisons.false_discovery_ratio``. Each rule by itself, because the cut-off rises with every small
    p-value among them: a day's traffic differs from last week's by far more than chance almost always (its
    thresholds decide, not its p-value), and would let chance pass among the routes.

    The order is resolved, other good news, critical, warning, notice, and last what is accepted; within each by the
    requests affected, then by id. The same evidence always gives the same findings.
    """
    mine = evidence.owned()
    rules = all_rules()
    ratio = mine.thresholds("comparisons")["false_discovery_ratio"]
    present = [finding for rule in rules for finding in _not_by_chance(list(rule.observe(mine)), ratio)]
    past = [finding_from_facts(facts) for facts in previous or ()]
    ledger = follow_up_earlier_weeks(mine, present, past, rules)
    before = {finding.id: finding for finding in past}
    told = (
        replace(with_gains(mine, finding, before.get(finding.id)), team_thresholds=mine.team_thresholds(finding.rule))
        for finding in ledger.findings
    )
    return replace(ledger, findings=tuple(sorted(told, key=_reading_order)))


def keep_without_data(week: Week, *, previous: Sequence[Mapping[str, Any]] | None = None) -> Ledger:
    """The ledger of a week without any data: nothing is found, and nothing is forgotten."""
    return Ledger((), known([finding_from_facts(facts) for facts in previous or ()], week))


def _not_by_chance(observations: Sequence[Observation], false_discovery_ratio: float) -> list[Finding]:
    p_values = [o.p_value for o in observations if o.p_value is not None]
    adjusted = iter(benjamini_hochberg(p_values))
    kept = []
    for observation in observations:
        is_kept = observation.p_value is None or next(adjusted) <= false_discovery_ratio
        if observation.finding is not None and is_kept:
            kept.append(observation.finding)
    return kept


def _reading_order(finding: Finding) -> tuple[bool, int, bool, float, str]:
    return (
        finding.state == "accepted",
        READING_ORDER.index(finding.severity),
        finding.state != "resolved",
        -(finding.numbers.get("affected_count") or 0.0),
        finding.id,
    )
