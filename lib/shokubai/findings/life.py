"""How findings live from week to week: new, continuing, resolved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding
from shokubai.findings.observation import Rule


def follow_up_last_week(
    evidence: Evidence, present: Sequence[Finding], past: Sequence[Finding], rules: Sequence[Rule]
) -> list[Finding]:
    """This week's findings with their state, and those of last week that their rule still has a word about.

    Good news of last week (resolved, recovered) is not followed up. Events have no follow-up: an outage does not
    continue, it is over.
    """
    open_before = {finding.id: finding for finding in past if finding.severity != "good"}
    lasting = {rule.name: rule.follow_up for rule in rules if rule.follow_up is not None}
    out = [_aged(finding, open_before.get(finding.id), finding.rule in lasting) for finding in present]
    seen = {finding.id for finding in present}
    for before in open_before.values():
        follow_up = lasting.get(before.rule)
        if before.id in seen or follow_up is None:
            continue
        after = follow_up(evidence, before)
        if after is not None:
            out.append(replace(after, weeks=before.weeks + (after.state == "continuing")))
    return out


def _aged(finding: Finding, before: Finding | None, is_lasting: bool) -> Finding:
    if before is None or not is_lasting:
        return finding
    return replace(finding, state="continuing", weeks=before.weeks + 1)
