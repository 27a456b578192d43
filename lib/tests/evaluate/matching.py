"""Which findings tell of which planted events, as plain data: no file is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

HOUR = timedelta(hours=1)
ALARMS = ("critical", "warning")
# By which rules a kind of event may be told. What is planted as ordinary (the month end, raw paths) has none.
TELLS: Mapping[str, frozenset[str]] = {
    "outage": frozenset({"outage"}),
    "latency_regression": frozenset({"route_slower"}),
    "memory_leak": frozenset({"saturation"}),
    "late_data": frozenset({"data_gap"}),
    "telemetry_gap": frozenset({"data_gap"}),
    "zero_traffic": frozenset({"data_gap"}),
    "retry_storm": frozenset({"retry_storm"}),
    "queue_lag": frozenset({"queue_age"}),
    "slow_burn": frozenset({"route_failing", "budget"}),
}
# What else an event brings about, so that an alarm about it is no false one.
ALSO: Mapping[str, frozenset[str]] = {
    "outage": frozenset({"budget", "route_failing", "route_slower", "new_error"}),
    "latency_regression": frozenset({"budget", "outage", "new_slow_route"}),
    "retry_storm": frozenset({"outage", "budget", "route_failing", "new_error"}),
    "slow_burn": frozenset({"outage", "new_error"}),
}
# Findings that are about a moment; the others are about the state of things up to 28 days after.
MOMENTS = frozenset({"outage", "retry_storm", "queue_age", "data_gap"})
BUDGET_WINDOW = timedelta(days=28)


@dataclass(frozen=True)
class Planted:
    """One event as one team should be told of it.

    ``report`` is the week of the first report in which it is large enough to matter, by the rules' own minimums and
    the raw rows (None: in none, ``size`` says why); ``rules`` are those whose minimums it reaches there. ``shown`` is
    from when to when the raw rows leave open that it began, None where the rule states no onset: a failure shows with
    the first failed request, a silence somewhere between the last request and the one that would have come next.
    """

    event: str
    kind: str
    team: str
    service: str
    method: str | None
    route: str | None
    start: datetime
    end: datetime
    size: str = ""
    report: str | None = None
    rules: frozenset[str] = frozenset()
    shown: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class Report:
    """What one team's report of one week found: findings as in its facts."""

    team: str
    week: str
    start: datetime
    end: datetime
    findings: tuple[Mapping[str, Any], ...] = field(default=())


@dataclass(frozen=True)
class Answer:
    """How an event was told in time: not at all, of another hour, or rightly."""

    planted: Planted
    is_told: bool  # by the right rule, of the right service and route
    is_found: bool  # with the right onset, too
    off_hours: float | None = None  # how far outside of what is right a stated onset is


def answer(planted: Planted, reports: Sequence[Report]) -> Answer:
    """How the reports up to the first one in which the event matters tell of it."""
    assert planted.report is not None
    told = [
        finding
        for report in reports
        if report.team == planted.team and planted.start < report.end and report.week <= planted.report
        for finding in report.findings
        if finding["severity"] != "good" and finding["rule"] in planted.rules and _is_there(planted, finding)
    ]
    if planted.shown is None:
        return Answer(planted, bool(told), bool(told))
    # A budget has no onset to state; where a rule with one has told the event, it has to be right.
    off = [_hours_off(f["started_at"], *planted.shown) for f in told if f["rule"] != "budget"]
    known = [hours for hours in off if hours is not None]
    nearest = min(known, key=abs, default=None)
    is_found = bool(told) and (not off or (nearest is not None and abs(nearest) <= 1))
    return Answer(planted, bool(told), is_found, nearest)


def explains(planted: Planted, report: Report, finding: Mapping[str, Any]) -> bool:
    """Whether the event is what a finding of the report is about, or has brought it about."""
    rules = TELLS.get(planted.kind, frozenset()) | ALSO.get(planted.kind, frozenset())
    if report.team != planted.team or finding["rule"] not in rules or not _is_there(planted, finding):
        return False
    if planted.start >= report.end or planted.end <= report.end - BUDGET_WINDOW:
        return False
    if finding["rule"] in MOMENTS:
        began = _instant(finding["started_at"])
        return began is not None and planted.start - HOUR <= began <= planted.end
    return True


def _is_there(planted: Planted, finding: Mapping[str, Any]) -> bool:
    if finding["service"] != planted.service:
        return False
    if not finding["route"] or planted.route is None:
        return True
    return (finding["method"], finding["route"]) == (planted.method, planted.route)


def alarms(reports: Iterable[Report]) -> list[tuple[Report, Mapping[str, Any]]]:
    """Critical and warning findings, each counted in the report that raised it, not in those that go on with it."""
    return [
        (report, finding)
        for report in reports
        for finding in report.findings
        if finding["severity"] in ALARMS and finding["state"] == "new"
    ]


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _hours_off(stated: str | None, first: datetime, last: datetime) -> float | None:
    at = _instant(stated)
    return None if at is None else (min(at - first, timedelta(0)) + max(at - last, timedelta(0))) / HOUR
