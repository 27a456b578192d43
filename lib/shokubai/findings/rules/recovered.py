"""Which objectives did the report before call missed, and are met now?"""

from __future__ import annotations

from collections.abc import Iterable

from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding
from shokubai.findings.observation import Observation, Rule


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per SLO that the newest earlier facts call missed; "not enough data" is no recovery."""
    for status in evidence.statuses:
        if evidence.previous_verdicts.get(status.slo.name) != "missed" or status.verdict != "met":
            continue
        yield Observation(
            Finding(
                "recovered",
                "met_again",
                status.slo.service,
                "good",
                subject=status.slo.name,
                subject_name=status.slo.display_name,
                numbers={
                    "valid_count": status.valid_count,
                    "sli_ratio": status.sli_ratio,
                    "sli_low_ratio": status.interval_low,
                    "sli_high_ratio": status.interval_high,
                    "objective_ratio": status.slo.objective,
                    "budget_left_ratio": status.budget_left_ratio,
                },
            )
        )


RULE = Rule("recovered", ("met_again",), observe)
