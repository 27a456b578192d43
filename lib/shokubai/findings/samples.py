"""Which requests of the log show a finding: those of the hour that has most of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import cast

import pandas as pd

from shokubai.config.model import route_matches
from shokubai.core import sketch
from shokubai.core.windows import HOUR, Window
from shokubai.findings.evidence import Evidence, instant
from shokubai.findings.model import Finding
from shokubai.findings.routes import Route, rows_of
from shokubai.tables.samples import NO_DURATION, NO_STATUS, SampleRequests

_SERVER_ERRORS = (500, 599)
_TRACES_SHOWN = 3
# W3C's and B3's, UUIDs, Google Cloud's and AWS's. Anything else in the column may be somebody's data.
_TRACE = re.compile(
    r"(?:projects/[a-z0-9-]+/traces/)?(?:[0-9a-f]{32}|[0-9a-f]{16})"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?:Root=)?1-[0-9a-f]{8}-[0-9a-f]{24}",
    re.IGNORECASE,
)


def shown_traces(trace_ids: Iterable[str]) -> tuple[str, ...]:
    """The first three that have the form of a trace id.

    >>> shown_traces(["hanako@example.com", "4bf92f3577b34da6a3ce929d0e0e4736"])
    ('4bf92f3577b34da6a3ce929d0e0e4736',)
    """
    return tuple(islice((trace for trace in trace_ids if _TRACE.fullmatch(trace)), _TRACES_SHOWN))


def samples_of(evidence: Evidence, finding: Finding) -> SampleRequests | None:
    """The requests to look at; None for what no single request shows, good news, and what the team has accepted."""
    choose = _CHOICES.get(finding.rule)
    return choose(evidence, finding) if choose and finding.needs_attention else None


def _failed(evidence: Evidence, finding: Finding) -> SampleRequests | None:
    return _worst_hour(evidence, finding, _errors(rows_of(evidence.route_hours, _route(finding))), _SERVER_ERRORS)


def _answered(evidence: Evidence, finding: Finding) -> SampleRequests | None:
    """Refusals (400–499) are not counted by the hour: of those the busiest hour is taken."""
    status = int(finding.subject)
    hours = rows_of(evidence.route_hours, _route(finding))
    counted = _errors(hours) if status >= _SERVER_ERRORS[0] else hours.assign(count=hours["request_count"])
    return _worst_hour(evidence, finding, counted, (status, status))


def _took_long(evidence: Evidence, finding: Finding) -> SampleRequests | None:
    seconds = finding.numbers.get("threshold_seconds") or finding.numbers.get("reference_p95_seconds")
    if seconds is None:
        return None
    return _slow(evidence, finding, rows_of(evidence.latency_hours, _route(finding)), seconds)


def _in_outage(evidence: Evidence, finding: Finding) -> SampleRequests | None:
    """Of the route that had most bad requests."""
    status = evidence.status(finding.subject.partition("@")[0])
    if status is None:
        return None
    indicator = status.slo.indicator
    threshold = indicator.threshold_seconds
    hours = evidence.route_hours if threshold is None else evidence.latency_hours
    hours = hours[hours["service_name"] == status.slo.service]
    routes = zip(hours["http_request_method"], hours["http_route"], strict=True)
    mine = hours[[route_matches(indicator.routes, method, route) for method, route in routes]]
    if threshold is not None:
        return _slow(evidence, finding, mine, threshold)
    return _worst_hour(evidence, finding, _errors(mine), indicator.error_statuses[0])


def _slow(evidence: Evidence, finding: Finding, hours: pd.DataFrame, seconds: float) -> SampleRequests | None:
    slow = hours[hours["duration_bucket"] > sketch.key(seconds)]
    return _worst_hour(evidence, finding, slow.assign(count=slow["request_count"]), over_seconds=seconds)


def _errors(hours: pd.DataFrame) -> pd.DataFrame:
    return hours.assign(count=hours["error_count"])


def _worst_hour(
    evidence: Evidence,
    finding: Finding,
    hours: pd.DataFrame,
    statuses: tuple[int, int] = NO_STATUS,
    over_seconds: float = NO_DURATION,
) -> SampleRequests | None:
    """The hour and route with the greatest ``count`` in the finding's time, the first of equal ones."""
    start = pd.Timestamp(finding.started_at or evidence.window.start).floor("h")
    end = pd.Timestamp(finding.ended_at or evidence.window.end)
    inside = hours[(hours["hour"] >= start) & (hours["hour"] < end)]
    keys = ["hour", "service_name", "http_request_method", "http_route"]
    counts = inside.groupby(keys, sort=True)["count"].sum()
    if counts.empty or counts.max() <= 0:
        return None
    hour, service, method, route = cast(tuple[pd.Timestamp, str, str, str], counts.idxmax())
    at = instant(hour)
    assert at is not None
    return SampleRequests(Window(at, at + HOUR), service, method, route, statuses, over_seconds)


def _route(finding: Finding) -> Route:
    return Route(finding.service, finding.method, finding.route)


_CHOICES: Mapping[str, Callable[[Evidence, Finding], SampleRequests | None]] = {
    "new_error": _answered,
    "new_slow_route": _took_long,
    "outage": _in_outage,
    "retry_storm": _failed,
    "route_failing": _failed,
    "route_slower": _took_long,
}
