"""Which routes fail more than in both baselines, apart from what an outage or a retry storm explains?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd

from shokubai.findings.evidence import Evidence, once
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.findings.onset import hourly, nearest_deployment, rising_stretch, stretch_times
from shokubai.findings.routes import Route, by_route, rows_of, touches
from shokubai.findings.rules.outage import outages_of
from shokubai.findings.rules.retry_storm import storms_of
from shokubai.findings.statistics import Interval, dispersion, newcombe, proportion_p_value
from shokubai.tables.ownership import ROUTE


@dataclass(frozen=True)
class Counts:
    requests: float
    errors: float

    @property
    def ratio(self) -> float:
        return self.errors / self.requests


@dataclass(frozen=True)
class Comparison:
    """One route's week beside one baseline."""

    baseline: Counts
    difference: Interval
    p_value: float


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per route with enough requests and at least one baseline.

    Errors are responses 500–599. Hours in which an outage or a retry storm is reported are left out of the
    week, so that nothing is said twice. Reported when the error ratio rose by a minimum factor, a minimum
    difference (at the interval's lower end) and a minimum number of failures against every baseline there is.
    Counts are divided by how burstily the baseline fails. The p-value is the larger of the two.
    """
    return _observations(evidence)


def failing_routes(evidence: Evidence) -> set[Route]:
    """The routes that this rule reports, before chance is weighed over all its comparisons."""
    found = (observation.finding for observation in _observations(evidence))
    return {Route(finding.service, finding.method, finding.route) for finding in found if finding}


@once
def _observations(evidence: Evidence) -> list[Observation]:
    return list(_observe(evidence))


def _observe(evidence: Evidence) -> Iterable[Observation]:
    minimum = evidence.thresholds("route_failing")["minimum_requests_count"]
    baseline_hours = by_route(evidence.comparable_route_hours)
    comparable = _totals(evidence.comparable_route_counts)
    last_month = _totals(evidence.last_month_route_counts)
    for route, hours in by_route(evidence.route_hours).items():
        rest = unexplained_hours(evidence, route, hours)
        week = _counts(rest)
        baselines = [found.get(route) for found in (comparable, last_month)]
        known = [b if b is not None and b.requests >= minimum else None for b in baselines]
        if week.requests < minimum or not any(known):
            continue
        before = baseline_hours.get(route)
        burstiness = 1.0 if before is None else dispersion(before["error_count"], before["request_count"])
        against = [_compare(week, b, burstiness) if b else None for b in known]
        made = [c for c in against if c is not None]
        worse = all(_fails_more(evidence, week, c) for c in made)
        finding = _finding(evidence, route, rest, week, against) if worse else None
        yield Observation(finding, max(c.p_value for c in made))


def unexplained_hours(evidence: Evidence, route: Route, hours: pd.DataFrame) -> pd.DataFrame:
    """A route's hours of the week without those in which an outage or a retry storm is reported."""
    explained = [*outages_of(evidence, route), *storms_of(evidence, route)]
    return hours[~touches(hours["hour"], explained)]


def _counts(hours: pd.DataFrame) -> Counts:
    return Counts(float(hours["request_count"].sum()), float(hours["error_count"].sum()))


def _totals(route_counts: pd.DataFrame) -> dict[Route, Counts]:
    is_error = route_counts["http_response_status_code"].between(500, 599).fillna(False).astype(bool)
    totals = (
        route_counts.assign(error_count=route_counts["request_count"].where(is_error, 0))
        .groupby(ROUTE)[["request_count", "error_count"]]
        .sum()
    )
    return {
        Route(*key): Counts(float(requests), float(errors))
        for key, requests, errors in zip(totals.index, totals["request_count"], totals["error_count"], strict=True)
    }


def _compare(week: Counts, baseline: Counts, burstiness: float) -> Comparison:
    counts = {
        "baseline_events": baseline.errors / burstiness,
        "baseline_total": baseline.requests / burstiness,
    }
    events, total = week.errors / burstiness, week.requests / burstiness
    return Comparison(baseline, newcombe(events, total, **counts), proportion_p_value(events, total, **counts))


def _fails_more(evidence: Evidence, week: Counts, comparison: Comparison) -> bool:
    thresholds = evidence.thresholds("route_failing")
    extra = week.errors - week.requests * comparison.baseline.ratio
    return (
        extra >= thresholds["minimum_extra_errors_count"]
        and week.ratio >= comparison.baseline.ratio * thresholds["minimum_change_factor"]
        and comparison.difference.low >= thresholds["minimum_change_ratio"]
    )


def _finding(
    evidence: Evidence, route: Route, hours: pd.DataFrame, week: Counts, against: list[Comparison | None]
) -> Finding:
    comparable, last_month = against
    reference = comparable or last_month
    assert reference is not None
    table = hourly(hours, ["error_count", "request_count"], start=evidence.window.start, end=evidence.window.end)
    stretch = rising_stretch(table["error_count"], table["request_count"], baseline_ratio=_usual_ratio(against))
    start, end = stretch_times(table, stretch) if stretch else (None, None)
    extra = week.errors - week.requests * reference.baseline.ratio
    return Finding(
        "route_failing",
        "failing_more",
        route.service,
        "warning",
        method=route.method,
        route=route.route,
        started_at=start,
        ended_at=end,
        numbers={
            "affected_count": extra,
            "requests_count": week.requests,
            "errors_count": week.errors,
            "error_ratio": week.ratio,
            "reference_error_ratio": reference.baseline.ratio,
            "comparable_error_ratio": comparable.baseline.ratio if comparable else None,
            "last_month_error_ratio": last_month.baseline.ratio if last_month else None,
            "extra_errors_count": extra,
            "difference_low_ratio": reference.difference.low,
            "difference_high_ratio": reference.difference.high,
        },
        candidate=nearest_deployment(evidence, route.service, start),
    )


def _usual_ratio(against: list[Comparison | None]) -> float:
    """The error ratio of all baselines together, with half a failure added.

    After a week without any failure the next one by chance would otherwise look like the onset.
    """
    baselines = [c.baseline for c in against if c is not None]
    return (sum(b.errors for b in baselines) + 0.5) / (sum(b.requests for b in baselines) + 1)


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when the error ratio is back near last week's reference; else the route still fails.

    Without this a route that keeps failing would look healed a week later, when the bad week has become the
    baseline. Hours that an outage or a retry storm explains are left out, as in ``observe``. Silent when the route
    has too few requests in the others to tell.
    """
    route = Route(past.service, past.method, past.route)
    week = _counts(unexplained_hours(evidence, route, rows_of(evidence.route_hours, route)))
    reference = past.numbers.get("reference_error_ratio")
    thresholds = evidence.thresholds("route_failing")
    if reference is None or week.requests < thresholds["minimum_requests_count"]:
        return None
    extra = week.errors - week.requests * reference
    fails = (
        extra >= thresholds["minimum_extra_errors_count"]
        and week.ratio >= reference * thresholds["minimum_change_factor"]
        and week.ratio - reference >= thresholds["minimum_change_ratio"]
    )
    return replace(
        past,
        case="still_failing" if fails else "resolved",
        severity="warning" if fails else "good",
        state="continuing" if fails else "resolved",
        started_at=None,
        ended_at=None,
        candidate=None,
        numbers={
            "affected_count": extra if fails else 0.0,
            "requests_count": week.requests,
            "errors_count": week.errors,
            "error_ratio": week.ratio,
            "reference_error_ratio": reference,
            "extra_errors_count": extra,
        },
    )


RULE = Rule(
    "route_failing",
    ("failing_more", "still_failing", "resolved"),
    observe,
    follow_up,
    Measure("error_ratio", above="reference_error_ratio"),
)
