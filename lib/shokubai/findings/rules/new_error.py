"""Which routes answer with an error status that they did not know before?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import pandas as pd

from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.findings.onset import hourly, nearest_deployment, rising_stretch, stretch_times
from shokubai.findings.routes import Route, rows_of
from shokubai.findings.rules.outage import outages_of
from shokubai.findings.rules.retry_storm import storms_of
from shokubai.findings.rules.route_failing import failing_routes
from shokubai.findings.statistics import proportion_p_value
from shokubai.tables.ownership import ROUTE

_Key = tuple[str, str, str, int]  # route and status
_FIRST_ERROR, _FIRST_SERVER_ERROR, _LAST = 400, 500, 599


@dataclass(frozen=True)
class Seen:
    """How often a route gave a status, of all its requests."""

    count: float
    requests: float

    @property
    def ratio(self) -> float:
        return self.count / self.requests


class _Answers:
    """ROUTE_COUNTS as requests by route, and by route and status."""

    def __init__(self, route_counts: pd.DataFrame) -> None:
        self._requests = route_counts.groupby(ROUTE)["request_count"].sum().to_dict()
        errors = route_counts[route_counts["http_response_status_code"].between(_FIRST_ERROR, _LAST).fillna(False)]
        by_status = errors.groupby([*ROUTE, "http_response_status_code"])["request_count"].sum()
        self.errors: Mapping[tuple[Route, int], float] = {
            (Route(service, method, route), int(status)): float(count)
            for (service, method, route, status), count in cast(Iterable[tuple[_Key, float]], by_status.items())
        }

    def seen(self, route: Route, status: int) -> Seen:
        return Seen(self.errors.get((route, status), 0.0), float(self._requests.get(tuple(route), 0.0)))


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per route and error status (400–599) with enough requests, the route itself being known.

    Reported when the status was at least so many times rarer in every baseline there is, and makes up enough of
    the route's requests. The p-value is the larger of the two. Failures (500–599) of a route of which an outage, a
    retry storm or a higher error ratio is reported are left out, so that nothing is said twice.
    """
    thresholds = evidence.thresholds("new_error")
    week = _Answers(evidence.route_counts)
    before = [_Answers(frame) for frame in (evidence.comparable_route_counts, evidence.last_month_route_counts)]
    for route, status in sorted(week.errors):
        now = week.seen(route, status)
        known = [seen for answers in before if (seen := answers.seen(route, status)).requests]
        known = [seen for seen in known if seen.requests >= thresholds["minimum_requests_count"]]
        if now.requests < thresholds["minimum_requests_count"] or not known:
            continue
        is_new = _is_frequent(now, thresholds, *(seen.ratio for seen in known)) and not _is_told_elsewhere(
            evidence, route, status
        )
        p_value = max(
            proportion_p_value(now.count, now.requests, baseline_events=seen.count, baseline_total=seen.requests)
            for seen in known
        )
        yield Observation(_finding(evidence, route, status, now, known[0]) if is_new else None, p_value)


def _is_frequent(now: Seen, thresholds: Mapping[str, float], *references: float) -> bool:
    """Whether the status is worth telling of, and so many times more frequent than each of the earlier ratios."""
    return (
        now.count >= thresholds["minimum_seen_count"]
        and now.ratio >= thresholds["minimum_seen_ratio"]
        and all(now.ratio >= thresholds["minimum_change_factor"] * ratio for ratio in references)
    )


def _is_told_elsewhere(evidence: Evidence, route: Route, status: int) -> bool:
    return status >= _FIRST_SERVER_ERROR and bool(
        outages_of(evidence, route) or storms_of(evidence, route) or route in failing_routes(evidence)
    )


def _finding(evidence: Evidence, route: Route, status: int, now: Seen, before: Seen) -> Finding:
    finding = Finding(
        "new_error",
        "new",
        route.service,
        "warning" if status >= _FIRST_SERVER_ERROR else "notice",
        method=route.method,
        route=route.route,
        subject=str(status),
        numbers={
            "affected_count": now.count,
            "requests_count": now.requests,
            "seen_count": now.count,
            "seen_ratio": now.ratio,
            "reference_seen_count": before.count,
            "reference_requests_count": before.requests,
            "reference_seen_ratio": before.ratio,
        },
    )
    return _with_onset(evidence, finding, route) if status >= _FIRST_SERVER_ERROR else finding


def _with_onset(evidence: Evidence, finding: Finding, route: Route) -> Finding:
    """When failures of any status rose: hours know no more than that, and nothing of refusals (400–499)."""
    rows = rows_of(evidence.route_hours, route)
    table = hourly(rows, ["error_count", "request_count"], start=evidence.window.start, end=evidence.window.end)
    requests = float(table["request_count"].sum())
    if not requests:
        return finding
    others = max(float(table["error_count"].sum()) - (finding.numbers["seen_count"] or 0.0), 0.0)
    stretch = rising_stretch(table["error_count"], table["request_count"], baseline_ratio=others / requests)
    start, end = stretch_times(table, stretch) if stretch else (None, None)
    candidate = nearest_deployment(evidence, route.service, start)
    return replace(finding, started_at=start, ended_at=end, candidate=candidate)


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when the status is rare again; else the route still gives it.

    Silent when the route has too few requests to tell, and when an outage or a retry storm of it tells of failures.
    """
    thresholds = evidence.thresholds("new_error")
    route, status = Route(past.service, past.method, past.route), int(past.subject)
    now = _Answers(rows_of(evidence.route_counts, route)).seen(route, status)
    reference = past.numbers.get("reference_seen_ratio")
    if reference is None or now.requests < thresholds["minimum_requests_count"]:
        return None
    if status >= _FIRST_SERVER_ERROR and (outages_of(evidence, route) or storms_of(evidence, route)):
        return None
    is_there = _is_frequent(now, thresholds, reference)
    return replace(
        past,
        case="still_there" if is_there else "resolved",
        severity=past.severity if is_there else "good",
        state="continuing" if is_there else "resolved",
        started_at=None,
        ended_at=None,
        candidate=None,
        numbers={
            "affected_count": now.count if is_there else 0.0,
            "requests_count": now.requests,
            "seen_count": now.count,
            "seen_ratio": now.ratio,
            "reference_seen_ratio": reference,
        },
    )


RULE = Rule(
    "new_error",
    ("new", "still_there", "resolved"),
    observe,
    follow_up,
    Measure("seen_ratio", above="reference_seen_ratio"),
)
