"""Is an error budget spent, or on its way to be?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding, Severity
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.slo.model import SloStatus


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per SLO with traffic, in the worst case that holds.

    exhausted: nothing is left, and the SLO is missed. exhausted_incomplete: nothing is left, but so much of the
    window is missing that the SLO is not judged. exhausted_unsure: nothing is left, but there are too few requests
    to tell from chance. exhausts: at the last days' pace nothing will be left soon. slow_burn: less than half is
    left and more is spent than planned.

    Of a calendar period that is not over, what is left is left of the budget that the whole period is likely to
    have (``SloStatus.projected_left_ratio``): the traffic so far allows little because little has come.
    """
    for status in evidence.statuses:
        yield Observation(_judge(evidence, status))


def _judge(evidence: Evidence, status: SloStatus) -> Finding | None:
    thresholds = evidence.thresholds("budget")
    left = status.projected_left_ratio
    if left is None:
        return None
    # A slice stands for all of its requests; a handful of bad hours is no handful of failures.
    if status.unit == "requests" and status.bad_count < thresholds["minimum_bad_count"]:
        return None
    pace = status.forecast.pace_burn_rate
    horizon = evidence.window.end + timedelta(days=thresholds["exhausts_within_days"])
    exhausted_at = status.forecast.exhausted_at
    if left <= 0:
        if status.verdict == "missed":
            return _finding(status, "exhausted", "critical")
        if status.reason == "incomplete":
            return _finding(status, "exhausted_incomplete", "warning")
        return _finding(status, "exhausted_unsure", "warning")
    if status.forecast.outcome == "exhausts" and exhausted_at is not None and exhausted_at <= horizon:
        return _finding(status, "exhausts", "warning")
    if (
        pace is not None
        and pace > thresholds["slow_burn_factor"]
        and left < thresholds["slow_burn_budget_left_ratio"]
    ):
        return _finding(status, "slow_burn", "notice")
    return None


def _finding(status: SloStatus, case: str, severity: Severity) -> Finding:
    left = status.projected_left_ratio
    return Finding(
        "budget",
        case,
        status.slo.service,
        severity,
        subject=status.slo.name,
        subject_name=status.slo.display_name,
        ended_at=status.forecast.exhausted_at if case == "exhausts" else None,
        numbers={
            "affected_count": status.bad_count,
            "bad_count": status.bad_count,
            "valid_count": status.valid_count,
            "by_slices": float(status.unit == "slices"),
            "by_latency": float(status.slo.indicator.kind == "latency"),
            "threshold_seconds": status.slo.indicator.threshold_seconds,
            "objective_ratio": status.slo.objective,
            "sli_ratio": status.sli_ratio,
            "sli_low_ratio": status.interval_low,
            "sli_high_ratio": status.interval_high,
            "budget_left_ratio": left,
            "budget_allowed_count": status.budget_allowed_count
            * (status.whole_window.duration / status.window.duration),
            "budget_spent_ratio": None if left is None else 1 - left,
            "pace_burn_factor": status.forecast.pace_burn_rate,
            "pace_seconds": status.forecast.lookback.total_seconds(),
            "window_seconds": status.whole_window.duration.total_seconds(),
        },
    )


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when enough of the budget is left again, eased while it is still low; silent without traffic."""
    status = evidence.status(past.subject)
    if status is None or status.projected_left_ratio is None:
        return None
    if status.projected_left_ratio < evidence.thresholds("budget")["low_budget_left_ratio"]:
        return replace(_finding(status, "eased", "notice"), state="continuing")
    return replace(_finding(status, "resolved", "good"), state="resolved")


def _comes_back(finding: Finding) -> bool:
    """A budget that is spent or low comes back at less than the planned pace, as old failures leave its window.

    One that is on its way to be spent does not, whatever the pace of the last days.
    """
    pace = finding.numbers.get("pace_burn_factor")
    return finding.case not in ("exhausts", "slow_burn") and pace is not None and pace <= 1


RULE = Rule(
    "budget",
    ("exhausted", "exhausted_incomplete", "exhausted_unsure", "exhausts", "slow_burn", "eased", "resolved"),
    observe,
    follow_up,
    Measure("budget_spent_ratio", heals=_comes_back),
)
