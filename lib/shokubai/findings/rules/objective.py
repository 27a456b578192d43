"""Which objectives ask for far less than users get, or for more than they ever got?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from shokubai.config.model import Slo, route_matches
from shokubai.core import sketch
from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.sli import wilson
from shokubai.slo.budget import budget_fraction_of
from shokubai.slo.model import SloStatus

# What people choose objectives from.
USUAL = (0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 0.99995, 0.99999)


@dataclass(frozen=True)
class Period:
    """Four weeks of an SLO, in requests."""

    valid: float
    bad: float

    def allowed(self, objective: float) -> float:
        return float(budget_fraction_of(objective)) * self.valid

    def spent_ratio(self, objective: float) -> float:
        return self.bad / self.allowed(objective)

    def spent_interval(self, objective: float) -> tuple[float, float]:
        """What chance leaves open of ``spent_ratio`` (95 %, Wilson)."""
        low, high = wilson(self.bad, self.valid)
        budget = float(budget_fraction_of(objective))
        return low / budget, high / budget


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per SLO that counts requests and has some in all the eight weeks that are read.

    too_loose: in each of the four weeks' periods surely hardly any budget was spent, and of a latency objective
    users waited for far less than its threshold. Proposed is the strictest usual objective at which every period
    would have left a part of its budget. too_tight: in each period surely more than the budget was spent, and
    nobody declared an incident in the last 28 days, so that missing it had no consequence. Proposed is the
    strictest usual objective that every period would have kept. Without one there is no finding: it is not the
    objective that is wrong.
    """
    for status in evidence.statuses:
        yield Observation(_judge(evidence, status))


def _judge(evidence: Evidence, status: SloStatus) -> Finding | None:
    thresholds = evidence.thresholds("objective")
    objective = status.slo.objective
    periods = _periods(evidence, status)
    if not periods:
        return None
    least, most = zip(*(period.spent_interval(objective) for period in periods), strict=True)
    if max(most) <= thresholds["loose_spent_ratio"]:
        reached = _reached_seconds(evidence, status)
        threshold = status.slo.indicator.threshold_seconds
        if threshold is not None and (reached is None or reached > threshold * thresholds["loose_latency_ratio"]):
            return None
        proposed = _strictest(periods, thresholds["proposed_spent_ratio"], thresholds["minimum_proposed_count"])
        if proposed is not None and proposed > objective:
            left = 1 - thresholds["proposed_spent_ratio"]
            return _finding(status, "too_loose", periods, proposed, proposed_left_ratio=left, reached_seconds=reached)
    elif min(least) > 1 and _no_incident(evidence, status):
        proposed = _strictest(periods, 1.0, 0.0)
        if proposed is not None and proposed < objective:
            return _finding(status, "too_tight", periods, proposed)
    return None


def _periods(evidence: Evidence, status: SloStatus) -> list[Period]:
    rows = evidence.objective_periods.get(status.slo.name)
    if status.unit != "requests" or rows is None or not (rows["valid_count"] > 0).all():
        return []
    return [
        Period(float(valid), float(bad)) for valid, bad in zip(rows["valid_count"], rows["bad_count"], strict=True)
    ]


def _strictest(periods: Sequence[Period], spent_ratio: float, minimum_count: float) -> float | None:
    """The strictest usual objective of which no period would have spent more, and which allows some requests."""
    return next(
        (
            objective
            for objective in reversed(USUAL)
            if all(p.spent_ratio(objective) <= spent_ratio and p.allowed(objective) >= minimum_count for p in periods)
        ),
        None,
    )


def _no_incident(evidence: Evidence, status: SloStatus) -> bool:
    return bool((evidence.incidents["service_name"] != status.slo.service).all())


def _reached_seconds(evidence: Evidence, status: SloStatus) -> float | None:
    """Within what time the objective's share of requests was answered, in the slowest of the weeks at hand."""
    if status.slo.indicator.kind != "latency":
        return None
    weeks = (evidence.route_latency, evidence.comparable_route_latency, evidence.last_month_route_latency)
    mine = [rows for week in weeks if len(rows := _of_slo(week, status.slo))]
    return max(
        (sketch.quantiles(r["duration_bucket"], r["request_count"], [status.slo.objective])[0] for r in mine),
        default=None,
    )


def _of_slo(route_latency: pd.DataFrame, slo: Slo) -> pd.DataFrame:
    rows = route_latency[route_latency["service_name"] == slo.service]
    routes = zip(rows["http_request_method"], rows["http_route"], strict=True)
    return rows[[route_matches(slo.indicator.routes, method, route) for method, route in routes]]


def _finding(
    status: SloStatus, case: str, periods: Sequence[Period], proposed: float, **more: float | None
) -> Finding:
    objective = status.slo.objective
    spent = [period.spent_ratio(objective) for period in periods]
    then = [period.spent_ratio(proposed) for period in periods]
    bad = sum(period.bad for period in periods)
    return Finding(
        "objective",
        case,
        status.slo.service,
        "notice",
        subject=status.slo.name,
        subject_name=status.slo.display_name,
        numbers={
            "affected_count": bad if case == "too_tight" else 0.0,
            "bad_count": bad,
            "valid_count": sum(period.valid for period in periods),
            "by_latency": float(status.slo.indicator.kind == "latency"),
            "threshold_seconds": status.slo.indicator.threshold_seconds,
            "objective_ratio": objective,
            "proposed_ratio": proposed,
            "period_count": float(len(periods)),
            "spent_low_ratio": min(spent),
            "spent_high_ratio": max(spent),
            "overspent_ratio": max(spent) - 1 if case == "too_tight" else None,
            "proposed_spent_low_ratio": min(then),
            "proposed_spent_high_ratio": max(then),
            **more,
        },
    )


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when the objective is another than last week's; silent when it cannot be told, or just fits now."""
    status = evidence.status(past.subject)
    before = past.numbers.get("objective_ratio")
    if status is None or before is None or status.slo.objective == before:
        return None
    return replace(
        past,
        case="resolved",
        severity="good",
        state="resolved",
        subject_name=status.slo.display_name,
        numbers={"objective_ratio": status.slo.objective, "past_objective_ratio": before},
    )


RULE = Rule("objective", ("too_loose", "too_tight", "resolved"), observe, follow_up, Measure("overspent_ratio"))
