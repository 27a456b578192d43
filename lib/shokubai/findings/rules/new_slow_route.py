"""Which routes are new, and slower than the service's objective asks for?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from shokubai.config.model import Slo, route_matches
from shokubai.core import sketch
from shokubai.findings.evidence import Evidence, instant
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.findings.onset import nearest_deployment
from shokubai.findings.routes import Histogram, Route, histograms, rows_of
from shokubai.sli import wilson
from shokubai.tables.ownership import ROUTE

QUANTILE = 0.95


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per route with enough requests that no baseline of its service knows.

    Reported when its p95 lies above the threshold of the latency objective that holds the route, or where none
    does, of the service's most patient one: surely, by the interval of the share of requests beyond it. What is
    not new is compared with its own past by ``route_slower``.
    """
    thresholds = evidence.thresholds("new_slow_route")
    baselines = [
        frame for frame in (evidence.comparable_route_counts, evidence.last_month_route_counts) if len(frame)
    ]
    before = [frame.groupby(ROUTE)["request_count"].sum().to_dict() for frame in baselines]
    services = [set(frame["service_name"]) for frame in baselines]
    for route, durations in histograms(evidence.route_latency).items():
        known = [counts for counts, seen in zip(before, services, strict=True) if route.service in seen]
        if durations.total < thresholds["minimum_requests_count"] or not known:
            continue
        if any(counts.get(tuple(route), 0) >= thresholds["known_requests_count"] for counts in known):
            continue
        slo = _objective(evidence, route)
        yield Observation(_finding(evidence, route, durations, slo) if slo and _is_slow(durations, slo) else None)


def _objective(evidence: Evidence, route: Route) -> Slo | None:
    """The most patient of the latency SLOs that hold the route, or of all those of its service."""
    of_service = [
        status.slo
        for status in evidence.statuses
        if status.slo.service == route.service and status.slo.indicator.threshold_seconds is not None
    ]
    holding = [slo for slo in of_service if route_matches(slo.indicator.routes, route.method, route.route)]
    return max(holding or of_service, key=lambda slo: (_threshold(slo), slo.name), default=None)


def _threshold(slo: Slo) -> float:
    assert slo.indicator.threshold_seconds is not None
    return slo.indicator.threshold_seconds


def _is_slow(durations: Histogram, slo: Slo) -> bool:
    low, _ = wilson(durations.slower_than(sketch.key(_threshold(slo))), durations.total)
    return low > 1 - QUANTILE


def _finding(evidence: Evidence, route: Route, durations: Histogram, slo: Slo) -> Finding:
    start = _first_hour(evidence, route)
    return Finding(
        "new_slow_route",
        "slow",
        route.service,
        "warning",
        method=route.method,
        route=route.route,
        subject_name=slo.display_name or slo.name,
        started_at=start,
        numbers=_numbers(durations, slo),
        candidate=nearest_deployment(evidence, route.service, start),
    )


def _numbers(durations: Histogram, slo: Slo) -> dict[str, float | None]:
    slow = durations.slower_than(sketch.key(_threshold(slo)))
    low, high = wilson(slow, durations.total)
    [p95] = sketch.value([durations.quantile_key(QUANTILE)])
    return {
        "affected_count": float(slow),
        "requests_count": float(durations.total),
        "p95_seconds": float(p95),
        "threshold_seconds": _threshold(slo),
        "slow_count": float(slow),
        "slow_low_ratio": low,
        "slow_high_ratio": high,
    }


def _first_hour(evidence: Evidence, route: Route) -> datetime | None:
    """When the route was first called; None when the week began with it."""
    hours = rows_of(evidence.latency_hours, route)["hour"]
    return instant(hours.min()) if len(hours) and hours.min() > evidence.latency_hours["hour"].min() else None


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when p95 is no longer surely above the objective's threshold; silent with too few requests."""
    route = Route(past.service, past.method, past.route)
    durations = histograms(rows_of(evidence.route_latency, route)).get(route)
    slo = _objective(evidence, route)
    minimum = evidence.thresholds("new_slow_route")["minimum_requests_count"]
    if durations is None or slo is None or durations.total < minimum:
        return None
    is_slow = _is_slow(durations, slo)
    return replace(
        past,
        case="still_slow" if is_slow else "resolved",
        severity="warning" if is_slow else "good",
        state="continuing" if is_slow else "resolved",
        subject_name=slo.display_name or slo.name,
        started_at=None,
        ended_at=None,
        candidate=None,
        numbers=_numbers(durations, slo) | ({} if is_slow else {"affected_count": 0.0}),
    )


RULE = Rule(
    "new_slow_route",
    ("slow", "still_slow", "resolved"),
    observe,
    follow_up,
    Measure("p95_seconds", above="threshold_seconds"),
)
