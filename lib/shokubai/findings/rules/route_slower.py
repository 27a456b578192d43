"""Which routes became slower than both the comparable week and the same business days of last month?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shokubai.core import sketch
from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.findings.onset import hourly, nearest_deployment, rising_stretch, stretch_times
from shokubai.findings.routes import Histogram, Route, histograms, rows_of
from shokubai.findings.statistics import Interval, newcombe, proportion_p_value

QUANTILE = 0.95


@dataclass(frozen=True)
class Comparison:
    """One route's week beside one baseline: how many more requests are slower than the baseline's p95."""

    p95: float
    baseline_p95: float
    baseline_key: int
    baseline_ratio: float
    slower: float
    difference: Interval
    p_value: float


def compare(week: Histogram, baseline: Histogram) -> Comparison:
    """By the share of requests beyond the bucket of the baseline's 95th percentile."""
    key = baseline.quantile_key(QUANTILE)
    slower, slower_before = week.slower_than(key), baseline.slower_than(key)
    [p95] = sketch.value([week.quantile_key(QUANTILE)])
    [baseline_p95] = sketch.value([key])
    counts = {"baseline_events": slower_before, "baseline_total": baseline.total}
    return Comparison(
        float(p95),
        float(baseline_p95),
        key,
        slower_before / baseline.total,
        slower - week.total * slower_before / baseline.total,
        newcombe(slower, week.total, **counts),
        proportion_p_value(slower, week.total, **counts),
    )


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per route with enough requests and at least one baseline.

    Reported when p95 rose by a minimum factor and by a minimum number of seconds against every baseline there
    is, and the share of requests slower than the baseline's p95 rose by a minimum at its interval's lower end.
    The p-value is the larger of the two: both comparisons have to hold.
    """
    week = histograms(evidence.route_latency)
    comparable = histograms(evidence.comparable_route_latency)
    last_month = histograms(evidence.last_month_route_latency)
    minimum = evidence.thresholds("route_slower")["minimum_requests_count"]
    for route, durations in week.items():
        baselines = [found.get(route) for found in (comparable, last_month)]
        enough = [b is not None and b.total >= minimum for b in baselines]
        if durations.total < minimum or not any(enough):
            continue
        against = [
            compare(durations, b) if b is not None and known else None
            for b, known in zip(baselines, enough, strict=True)
        ]
        made = [c for c in against if c is not None]
        worse = all(_is_slower(evidence, c) for c in made)
        finding = _finding(evidence, route, durations, against) if worse else None
        yield Observation(finding, max(c.p_value for c in made))


def _is_slower(evidence: Evidence, comparison: Comparison) -> bool:
    thresholds = evidence.thresholds("route_slower")
    return (
        comparison.p95 >= comparison.baseline_p95 * thresholds["minimum_change_factor"]
        and comparison.p95 - comparison.baseline_p95 >= thresholds["minimum_change_seconds"]
        and comparison.difference.low >= thresholds["minimum_slower_share_ratio"]
    )


def _finding(
    evidence: Evidence,
    route: Route,
    durations: Histogram,
    against: list[Comparison | None],
) -> Finding:
    comparable, last_month = against
    reference = comparable or last_month
    assert reference is not None
    start, end = _stretch(evidence, route, reference)
    return Finding(
        "route_slower",
        "slower",
        route.service,
        "warning",
        method=route.method,
        route=route.route,
        started_at=start,
        ended_at=end,
        numbers={
            "affected_count": reference.slower,
            "requests_count": float(durations.total),
            "p95_seconds": reference.p95,
            "reference_p95_seconds": reference.baseline_p95,
            "comparable_p95_seconds": comparable.baseline_p95 if comparable else None,
            "last_month_p95_seconds": last_month.baseline_p95 if last_month else None,
            "change_factor": reference.p95 / reference.baseline_p95 if reference.baseline_p95 else None,
            "slower_count": reference.slower,
            "slower_low_ratio": reference.difference.low,
            "slower_high_ratio": reference.difference.high,
        },
        candidate=nearest_deployment(evidence, route.service, start),
    )


def _stretch(evidence: Evidence, route: Route, reference: Comparison) -> tuple[datetime | None, datetime | None]:
    """First hour in which the route was slower, and the end of the last one, as ``onset.stretch_times`` says."""
    rows = rows_of(evidence.latency_hours, route)
    slow = rows["request_count"].where(rows["duration_bucket"] > reference.baseline_key, 0)
    table = hourly(
        rows.assign(slow_count=slow),
        ["slow_count", "request_count"],
        start=evidence.window.start,
        end=evidence.window.end,
    )
    found = rising_stretch(table["slow_count"], table["request_count"], baseline_ratio=reference.baseline_ratio)
    if found is None:
        return None, None
    return stretch_times(table, found)


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when p95 is back below last week's reference plus the minimum change; else it is still slow.

    Without this a route that stays slow would look healed a week later, when the slow week has become the
    baseline. Silent when the route has too few requests to tell.
    """
    route = Route(past.service, past.method, past.route)
    durations = histograms(evidence.route_latency).get(route)
    reference = past.numbers.get("reference_p95_seconds")
    thresholds = evidence.thresholds("route_slower")
    if durations is None or reference is None or durations.total < thresholds["minimum_requests_count"]:
        return None
    [p95] = sketch.value([durations.quantile_key(QUANTILE)])
    is_slow = p95 >= reference * thresholds["minimum_change_factor"]
    key = sketch.key(reference)
    return replace(
        past,
        case="still_slower" if is_slow else "resolved",
        severity="warning" if is_slow else "good",
        state="continuing" if is_slow else "resolved",
        started_at=None,
        ended_at=None,
        candidate=None,
        numbers={
            "affected_count": float(durations.slower_than(key)) - 0.05 * durations.total if is_slow else 0.0,
            "requests_count": float(durations.total),
            "p95_seconds": float(p95),
            "reference_p95_seconds": reference,
            "change_factor": float(p95) / reference if reference else None,
        },
    )


RULE = Rule(
    "route_slower",
    ("slower", "still_slower", "resolved"),
    observe,
    follow_up,
    Measure("p95_seconds", above="reference_p95_seconds"),
)
