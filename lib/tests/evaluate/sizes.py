"""How large each planted event is, and when it first shows: counted from the raw rows, without the rules' own code.

An event matters from the week on in which the counts reach the minimums that ``rules.yaml`` sets for its kind. Only
the interval of a difference is computed as the rules do: whether chance explains a count is part of their minimum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from matching import TELLS, Planted

from shokubai import demo
from shokubai.config.model import Parameters, Slo, route_matches
from shokubai.core.windows import Week, Window
from shokubai.demo.events import Event
from shokubai.demo.generator import connect
from shokubai.findings import default_rules
from shokubai.findings.statistics import newcombe

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)


class Log:
    """The raw rows of one demo."""

    def __init__(self, directory: Path, parameters: Parameters) -> None:
        self.directory, self.parameters = directory, parameters
        self.zone, self.calendar = parameters.organization.zone, parameters.organization.calendar
        self.seed = demo.read_summary(directory).seed
        self.plants = demo.plants_of(self.seed)
        self.connection: duckdb.DuckDBPyConnection = connect(1)
        rows = str(directory / "requests" / "*" / "*.parquet")
        self.connection.from_parquet(rows, hive_partitioning=False).create_view("requests")
        self.connection.from_parquet(str(directory / "metrics.parquet")).create_view("metrics")

    def minimum(self, rule: str) -> Mapping[str, float]:
        """The rule's thresholds, the organisation's own before the packaged ones."""
        return {**default_rules().values[rule], **self.parameters.rules.values.get(rule, {})}

    def frame(self, statement: str, **values: object) -> pd.DataFrame:
        return self.connection.execute(statement, values).df()

    @cached_property
    def hours(self) -> pd.DataFrame:
        """Requests and failures (5xx) per service, method, route and hour."""
        return self.frame(
            "SELECT service_name AS service, http_request_method AS method, http_route AS route, "
            "time_bucket(INTERVAL 1 hour, timestamp) AS hour, count(*) AS requests, "
            "count(*) FILTER (http_response_status_code BETWEEN 500 AND 599) AS errors FROM requests GROUP BY ALL"
        )

    def counts(self, event: Event, window: Window) -> tuple[int, int]:
        """Requests and failures of the event's route in a window."""
        rows = self.of_route(event)
        rows = rows[(rows["hour"] >= window.start) & (rows["hour"] < window.end)]
        return int(rows["requests"].sum()), int(rows["errors"].sum())

    def of_route(self, event: Event) -> pd.DataFrame:
        """The hours of the event's service, or of its route where it has one."""
        rows = self.hours[self.hours["service"] == event.service]
        if event.route:
            rows = rows[(rows["method"] == event.route[0]) & (rows["route"] == event.route[1])]
        return rows

    def durations(self, event: Event, window: Window) -> np.ndarray:
        """The seconds that requests of the event's route took, in order."""
        assert event.route is not None
        return self.frame(
            "SELECT duration_seconds FROM requests WHERE service_name = $service AND http_request_method = $method "
            "AND http_route = $route AND timestamp >= $start AND timestamp < $end AND duration_seconds IS NOT NULL "
            "ORDER BY duration_seconds",
            service=event.service,
            method=event.route[0],
            route=event.route[1],
            start=window.start,
            end=window.end,
        )["duration_seconds"].to_numpy()

    def samples(self, service: str, metric: str, window: Window) -> pd.DataFrame:
        """Timestamp, value and limit of a metric."""
        return self.frame(
            "SELECT timestamp, value, limit_value FROM metrics WHERE service_name = $service "
            "AND metric_name = $metric AND timestamp >= $start AND timestamp < $end ORDER BY timestamp",
            service=service,
            metric=metric,
            start=window.start,
            end=window.end,
        )

    def silent_from(self, event: Event) -> tuple[datetime, datetime]:
        """When the last request of the event's service arrived before it, and when one came in it a week before."""
        statement = "SELECT {} AS at FROM requests WHERE service_name = $service AND timestamp {} $start"
        last = self.frame(statement.format("max(timestamp)", "<"), service=event.service, start=event.start)["at"][0]
        start = event.start - WEEK
        due = self.frame(statement.format("min(timestamp)", ">="), service=event.service, start=start)["at"][0] + WEEK
        return last.to_pydatetime(), due.to_pydatetime()

    def failing_from(self, event: Event) -> tuple[datetime, datetime]:
        """When the event began, and when the first request of its route failed in it."""
        assert event.route is not None
        rows = self.frame(
            "SELECT min(timestamp) AS at FROM requests WHERE service_name = $service "
            "AND http_request_method = $method AND http_route = $route AND timestamp >= $start "
            "AND http_response_status_code BETWEEN 500 AND 599",
            service=event.service,
            method=event.route[0],
            route=event.route[1],
            start=event.start,
        )
        return event.start, rows["at"][0].to_pydatetime()


def planted(log: Log, weeks: Iterable[Week]) -> list[Planted]:
    """Every event with the team that should be told of it, and from which of the weeks on it matters."""
    weeks = list(weeks)
    return [
        _sized(log, event, part, weeks)
        for event in log.plants.events
        if event.kind in TELLS
        for part in (_of_team(event, team) for team in event.teams)
    ]


def ordinary(log: Log) -> list[Event]:
    """What is planted and no problem."""
    return [event for event in log.plants.events if event.kind not in TELLS]


def _of_team(event: Event, team: str) -> Planted:
    method, route = event.route or (None, None)
    return Planted(event.name, event.kind, team, event.service, method, route, event.start, event.end)


def _sized(log: Log, event: Event, part: Planted, weeks: list[Week]) -> Planted:
    sizes = []
    for week in weeks:
        window = week.window(log.zone)
        if window.intersection(event.window) is None:
            continue
        size, rules, shown = _SIZES[event.kind](log, event, part, week)
        if rules:
            return replace(part, size=size, report=str(week), rules=frozenset(rules), shown=shown)
        sizes.append(f"{week}: {size}")
    return replace(part, size="; ".join(sizes))


_Size = tuple[str, set[str], tuple[datetime, datetime] | None]


def _outage(log: Log, event: Event, part: Planted, week: Week) -> _Size:
    """Failed requests, and their share of the budget of an availability objective of the team."""
    minimum = log.minimum("outage")
    team = log.parameters.team(part.team)
    best = (0.0, 0)
    for slo in log.parameters.slos_of(team):
        if slo.service == event.service and slo.indicator.kind == "availability":
            best = max(best, _budget_share(log, slo, event.window, week.window(log.zone).end))
    share, bad = best
    reaches = bad >= minimum["minimum_bad_count"] and share >= minimum["minimum_budget_ratio"]
    return f"{bad} failed, {share:.0%} of a budget", {"outage"} if reaches else set(), (event.start, event.start)


def _budget_share(log: Log, slo: Slo, window: Window, at: datetime) -> tuple[float, int]:
    """Which part of the budget of the objective's window up to ``at`` was spent in ``window``, and by how many."""
    whole = slo.window.whole(at)
    slice_seconds = int(slo.time_slice_window.timedelta.total_seconds()) if slo.time_slice_window else 0
    kinds = log.connection.execute("SELECT DISTINCT http_request_method, http_route FROM requests").fetchall()
    routes = pd.DataFrame(
        [kind for kind in kinds if route_matches(slo.indicator.routes, *kind)], columns=["method", "route"]
    )
    log.connection.register("routes", routes)
    rows = log.frame(
        "SELECT CASE WHEN $slice = 0 THEN 0 ELSE epoch(timestamp)::BIGINT // $slice END AS slice, "
        "timestamp >= $start AND timestamp < $end AS inside, count(*) AS valid, "
        "count(*) FILTER (http_response_status_code BETWEEN 500 AND 599) AS bad FROM requests "
        "JOIN routes ON http_request_method = method AND http_route = route "
        "WHERE service_name = $service AND timestamp >= $from AND timestamp < $until "
        "AND http_response_status_code IS NOT NULL GROUP BY ALL",
        **{"slice": max(slice_seconds, 0), "start": window.start, "end": window.end, "service": slo.service},
        **{"from": whole.start, "until": min(at, whole.end)},
    )
    log.connection.unregister("routes")
    inside = rows[rows["inside"]]
    bad = int(inside["bad"].sum())
    if slo.budgeting == "Occurrences":
        spent, allowed = float(bad), (1 - slo.objective) * rows["valid"].sum()
    elif slo.budgeting == "Timeslices":
        missed = (inside["valid"] - inside["bad"]) / inside["valid"] < (slo.time_slice_target or 0)
        spent, allowed = float(missed.sum()), (1 - slo.objective) * rows["slice"].nunique()
    else:
        spent, allowed = float((inside["bad"] / inside["valid"]).sum()), (1 - slo.objective) * rows["slice"].nunique()
    return (spent / allowed if allowed else 0.0), bad


def _regression(log: Log, event: Event, part: Planted, week: Week) -> _Size:
    """The exact 95th percentile of the week's requests beside that of the comparable week."""
    minimum = log.minimum("route_slower")
    now = log.durations(event, week.window(log.zone))
    before = log.durations(event, log.calendar.comparable_week(week).window(log.zone))
    if len(now) < minimum["minimum_requests_count"] or len(before) < minimum["minimum_requests_count"]:
        return f"{len(now)} requests", set(), None
    p95, old = (float(d[int(0.95 * (len(d) - 1))]) for d in (now, before))
    slower = newcombe(
        int((now > old).sum()), len(now), baseline_events=int((before > old).sum()), baseline_total=len(before)
    )
    reaches = (
        p95 >= minimum["minimum_change_factor"] * old
        and p95 - old >= minimum["minimum_change_seconds"]
        and slower.low >= minimum["minimum_slower_share_ratio"]
    )
    return f"p95 {old:.3f} to {p95:.3f} s", {"route_slower"} if reaches else set(), (event.start, event.start)


def _leak(log: Log, event: Event, part: Planted, week: Week) -> _Size:
    """The share of the limit at the week's end, and when a line from the leak's first day on reaches the limit."""
    minimum = log.minimum("saturation")
    end = week.window(log.zone).end
    rows = log.samples(event.service, "process.memory.usage", Window(event.start, end))
    shares = rows["value"] / rows["limit_value"]
    day = 288  # samples
    days = (end - event.start) / timedelta(days=1)
    if len(shares) < 2 * day:
        return f"{days:.0f} days", set(), None
    level, per_day = float(shares[-day:].median()), float(shares[-day:].median() - shares[:day].median()) / (days - 1)
    left = (1 - level) / per_day if per_day > 0 else np.inf
    reaches = level >= minimum["high_ratio"] or (days >= minimum["minimum_days"] and left <= minimum["horizon_days"])
    return f"{level:.0%} after {days:.0f} days, full in {left:.0f}", {"saturation"} if reaches else set(), None


def _silence(log: Log, event: Event, part: Planted, week: Week) -> _Size:
    """How long nothing came, and how many requests came in the same hours a week before."""
    minimum = log.minimum("data_gap")
    hours = event.window.duration / HOUR
    (expected,) = log.connection.execute(
        "SELECT count(*) FROM requests WHERE service_name = $service AND timestamp >= $start AND timestamp < $end",
        {"service": event.service, "start": event.start - WEEK, "end": event.end - WEEK},
    ).fetchall()[0]
    reaches = hours >= minimum["minimum_hours"] and expected >= minimum["minimum_expected_count"]
    return f"{hours:.1f} h, {expected} expected", {"data_gap"} if reaches else set(), log.silent_from(event)


def _storm(log: Log, event: Event, part: Planted, week: Week) -> _Size:
    """The fullest clock hour of the event, beside the same hour and the median busy hour of the comparable week."""
    minimum = log.minimum("retry_storm")
    rows = log.of_route(event).set_index("hour")
    comparable = log.calendar.comparable_week(week).window(log.zone)
    back = week.window(log.zone).start - comparable.start
    before = rows["requests"][(rows.index >= comparable.start) & (rows.index < comparable.end)]
    busy = float(before.median()) if len(before) else 0.0
    found: list[tuple[float, int, float]] = []
    hour = pd.Timestamp(event.start).tz_convert("UTC").floor("h")
    while hour < pd.Timestamp(event.end):
        if hour in rows.index:
            requests, errors = int(rows.loc[hour, "requests"]), int(rows.loc[hour, "errors"])
            found.append((requests / max(float(before.get(hour - back, 0)), busy, 1e-9), requests, errors / requests))
        hour += HOUR
    factor, requests, ratio = max(found, default=(0.0, 0, 0.0))
    reaches = (
        factor >= minimum["burst_factor"]
        and requests >= minimum["minimum_requests_count"]
        and ratio >= minimum["minimum_error_ratio"]
    )
    size = f"{requests} requests, {factor:.1f} times, {ratio:.0%} failed"
    return size, {"retry_storm"} if reaches else set(), (event.start, event.start)


def _lag(log: Log, event: Event, part: Planted, week: Week) -> _Size:
    """Hours above the limit."""
    rows = log.samples(event.service, "queue.oldest_message.age", week.window(log.zone))
    above = rows[rows["value"] > rows["limit_value"]]
    hours = above["timestamp"].dt.floor("h").nunique()
    reaches = hours >= log.minimum("queue_age")["minimum_hours_count"]
    if not reaches:
        return f"{hours} h above the limit", set(), None
    first = above["timestamp"].min().to_pydatetime()
    return f"{hours} h above the limit", {"queue_age"}, (first, first)


def _burn(log: Log, event: Event, part: Planted, week: Week) -> _Size:
    """Failures beside the comparable week's; and whether they overspend an objective of the route's."""
    minimum = log.minimum("route_failing")
    window = week.window(log.zone)
    n, x = log.counts(event, window)
    m, y = log.counts(event, log.calendar.comparable_week(week).window(log.zone))
    rules = set()
    if min(n, m) >= minimum["minimum_requests_count"] and (
        x - n * y / m >= minimum["minimum_extra_errors_count"]
        and x / n >= minimum["minimum_change_factor"] * y / m
        and newcombe(x, n, baseline_events=y, baseline_total=m).low >= minimum["minimum_change_ratio"]
    ):
        rules.add("route_failing")
    worst = 0.0
    for slo in log.parameters.slos_of(log.parameters.team(part.team)):
        of_route = event.route and route_matches(slo.indicator.routes, *event.route)
        if slo.service == event.service and slo.indicator.kind == "availability" and of_route:
            share, bad = _budget_share(log, slo, Window(event.start, window.end), window.end)
            worst = max(worst, share)
            if not rules and share > 1 and bad >= log.minimum("budget")["minimum_bad_count"]:
                rules.add("budget")
    size = f"{x} of {n} failed, before {y} of {m}, {worst:.0%} of a budget"
    return size, rules, log.failing_from(event) if "route_failing" in rules else None


_SIZES: Mapping[str, Any] = {
    "outage": _outage,
    "latency_regression": _regression,
    "memory_leak": _leak,
    "late_data": _silence,
    "telemetry_gap": _silence,
    "zero_traffic": _silence,
    "retry_storm": _storm,
    "queue_lag": _lag,
    "slow_burn": _burn,
}
