"""What mending a route would have saved of the error budgets that it counts in, over the week."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

import pandas as pd

from shokubai.config.model import route_matches
from shokubai.core import sketch
from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding, Gain
from shokubai.findings.routes import Route, histograms, rows_of
from shokubai.findings.rules.route_failing import unexplained_hours
from shokubai.slo.model import SloStatus
from shokubai.tables.contracts import SLI_ROUTES

_SERVER_ERRORS = ((500, 599),)


class Counted(NamedTuple):
    """Requests of a route in the part of the week that an SLO judges, those bad, and the share that was before."""

    requests: float
    bad: float
    reference_ratio: float


Measure = Callable[[Evidence, Finding, Finding | None, SloStatus], Counted | None]


def with_gains(evidence: Evidence, finding: Finding, past: Finding | None) -> Finding:
    """The finding with its gain in each SLO that counts its route, the largest share of a budget first.

    A gain is how many requests were bad in the week above the finding's reference, as far as the week lies in the
    SLO's window, and their share of the budget that the whole window has. Earlier weeks of the window are not
    counted, so that it is too small rather than too large. It is left out where it cannot be told: for SLOs that
    count slices, and for those that call other requests bad than the finding does. ``gain_count`` and
    ``gain_budget_ratio`` among the numbers are those of the first. ``past`` is the finding in last week's report.
    """
    if finding.rule not in _MEASURES or finding.severity == "good":
        return replace(finding, gains=())
    kind, measure = _MEASURES[finding.rule]
    gains = []
    for status in evidence.statuses:
        if _counts(status, finding, kind) and (counted := measure(evidence, finding, past, status)):
            # No more can be saved than the SLO itself has found bad.
            above = counted.bad - counted.requests * counted.reference_ratio
            saved = min(above, _bad_count(evidence, finding, status))
            if saved >= 1:
                gains.append(_gain(status, saved, counted.reference_ratio))
    if not gains:
        return replace(finding, gains=())
    gains.sort(key=lambda gain: (-gain.budget_ratio, gain.slo))
    foremost = {"gain_count": gains[0].bad_count, "gain_budget_ratio": gains[0].budget_ratio}
    return replace(finding, gains=tuple(gains), numbers={**finding.numbers, **foremost})


def _counts(status: SloStatus, finding: Finding, kind: str) -> bool:
    slo = status.slo
    return (
        slo.service == finding.service
        and slo.indicator.kind == kind
        and status.unit == "requests"
        and status.budget_allowed_count > 0
        and route_matches(slo.indicator.routes, finding.method, finding.route)
    )


def _gain(status: SloStatus, saved: float, reference_ratio: float) -> Gain:
    allowed = status.budget_allowed_count * (status.whole_window.duration / status.window.duration)
    return Gain(status.slo.name, status.slo.display_name, saved, saved / allowed, reference_ratio)


def _bad_count(evidence: Evidence, finding: Finding, status: SloStatus) -> float:
    rows = rows_of(evidence.slo_routes.get(status.slo.name, SLI_ROUTES.empty()), _route(finding))
    return float((rows["valid_count"] - rows["good_count"]).sum())


def _failing(evidence: Evidence, finding: Finding, past: Finding | None, status: SloStatus) -> Counted | None:
    """Failures outside of what outages and retry storms explain; the reference is the finding's."""
    reference = finding.numbers.get("reference_error_ratio")
    if reference is None or status.slo.indicator.error_statuses != _SERVER_ERRORS:
        return None
    hours = unexplained_hours(evidence, _route(finding), rows_of(evidence.route_hours, _route(finding)))
    hours = hours[hours["hour"] >= pd.Timestamp(status.window.start)]
    return Counted(float(hours["request_count"].sum()), float(hours["error_count"].sum()), reference)


def _slower(evidence: Evidence, finding: Finding, past: Finding | None, status: SloStatus) -> Counted | None:
    """Requests above the SLO's threshold by histograms, whose buckets are 1 % wide; that of the threshold is good.

    The reference is the share in the baseline of the finding's first report, which later ones carry on.
    """
    threshold = status.slo.indicator.threshold_seconds
    assert threshold is not None
    key, route = sketch.key(threshold), _route(finding)
    rows = evidence.latency_hours[evidence.latency_hours["hour"] >= pd.Timestamp(status.window.start)]
    week = histograms(rows_of(rows, route)).get(route)
    reference = _slow_ratio_before(evidence, finding, past, status, key)
    if week is None or reference is None:
        return None
    return Counted(float(week.total), float(week.slower_than(key)), reference)


def _new_error(evidence: Evidence, finding: Finding, past: Finding | None, status: SloStatus) -> Counted | None:
    """Answers with the status; they are not known by the hour, so that the window has to hold the whole week."""
    seen, requests = finding.numbers.get("seen_count"), finding.numbers.get("requests_count")
    reference = finding.numbers.get("reference_seen_ratio")
    if seen is None or requests is None or reference is None:
        return None
    if status.window.start > evidence.window.start or not status.slo.indicator.is_error(int(finding.subject)):
        return None
    return Counted(requests, seen, reference)


def _new_slow_route(evidence: Evidence, finding: Finding, past: Finding | None, status: SloStatus) -> Counted | None:
    """What the SLO has found slow, beyond what it allows: a new route has no past."""
    rows = rows_of(evidence.slo_routes.get(status.slo.name, SLI_ROUTES.empty()), _route(finding))
    return Counted(float(rows["valid_count"].sum()), _bad_count(evidence, finding, status), 1 - status.slo.objective)


def _slow_ratio_before(
    evidence: Evidence, finding: Finding, past: Finding | None, status: SloStatus, key: int
) -> float | None:
    carried = [gain.reference_ratio for gain in (past.gains if past else ()) if gain.slo == status.slo.name]
    if carried:
        return carried[0]
    if finding.case != "slower":  # the comparable week was slow already
        return None
    minimum = evidence.thresholds("route_slower")["minimum_requests_count"]
    for frame in (evidence.comparable_route_latency, evidence.last_month_route_latency):
        baseline = histograms(rows_of(frame, _route(finding))).get(_route(finding))
        if baseline is not None and baseline.total >= minimum:
            return baseline.slower_than(key) / baseline.total
    return None


def _route(finding: Finding) -> Route:
    return Route(finding.service, finding.method, finding.route)


_MEASURES: Mapping[str, tuple[Literal["availability", "latency"], Measure]] = {
    "new_error": ("availability", _new_error),
    "new_slow_route": ("latency", _new_slow_route),
    "route_failing": ("availability", _failing),
    "route_slower": ("latency", _slower),
}
