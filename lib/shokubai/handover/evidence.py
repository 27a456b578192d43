"""The statement that shows a finding's evidence again: a shipped query with the finding's own values in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

import sqlglot
from sqlglot import exp

from shokubai.config.model import BigQuery, Slo, Team, Warehouse
from shokubai.core import sketch
from shokubai.core.scrub import ADDRESS, EMAIL, TOKEN
from shokubai.core.windows import HOUR, Window, next_hour
from shokubai.findings import Finding
from shokubai.sources import Query, load_query
from shokubai.sources.bigquery_text import quoted, with_definitions
from shokubai.sources.literals import filled_in
from shokubai.tables.contracts import SMALL_TABLES
from shokubai.tables.indicators import counted_endpoints, indicator_values
from shokubai.tables.store import HOUR_US, QUERY_PACKAGE

NARROWING_PACKAGE = "shokubai.handover.queries"
_PLACEHOLDERS = (EMAIL, ADDRESS, TOKEN)
_FOUR_WEEKS = timedelta(weeks=4)
_EVENTS_TOLD_APART = ("outage", "retry_storm")

Endpoint = tuple[str, str, str]  # service, method, route


@dataclass(frozen=True)
class Evidence:
    """A query with the values of its parameters.

    ``sums`` says what an expression over the rows gives, where the finding states that number itself:
    ``{"SUM(request_count)": 55338.0}``.
    """

    query: Query
    values: Mapping[str, Any]
    sums: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def statement(self, warehouse: Warehouse, *, definition: Callable[[str], str]) -> str:
        """The text to run: in DuckDB's dialect where the warehouse is files, in GoogleSQL where it is BigQuery's.

        ``definition`` gives the SELECT that stands for a table of the log in BigQuery.
        """
        head = _description(self.query)
        if warehouse.bigquery is None:
            text = head + _for_people(self.query) + "\n"
            return filled_in(text, self.query.types, self.values, dialect="duckdb")
        definitions = {
            table: _own(table, warehouse.bigquery) if table in SMALL_TABLES else definition(table)
            for table in self.query.translation.tables
        }
        text = head + with_definitions(_body(self.query), definitions)
        types = {"start": "TIMESTAMP", "end": "TIMESTAMP", **self.query.types}
        return filled_in(text, types, self.values, dialect="bigquery")


@dataclass(frozen=True)
class Circumstances:
    """What is known around a finding: the report's ``facts``, the team, its SLO if the finding is about one, and the
    ``endpoints`` that were seen in the week."""

    facts: Mapping[str, Any]
    team: Team
    slo: Slo | None
    endpoints: Sequence[Endpoint]

    @property
    def week(self) -> Window:
        return _window(self.facts["window"])


def evidence_of(finding: Finding, around: Circumstances) -> Evidence | None:
    """The evidence of a finding, None when no statement can give it.

    That is so where personal data was taken out of the route: what the log has in its place, nobody here knows.
    """
    if any(placeholder in finding.route for placeholder in _PLACEHOLDERS):
        return None
    choose = _BY_RULE.get(finding.rule)
    if choose is not None:
        return choose(finding, around)
    if finding.route:
        return _route(finding, around)
    return _budget(finding, around) if around.slo else _traffic(finding, around)


# --- by rule --------------------------------------------------------------------------------------------------------


def _route(finding: Finding, around: Circumstances) -> Evidence:
    """The route's hours of the week. Hours told as an outage or a storm are in them, and not in the finding."""
    explained = any(
        other["rule"] in _EVENTS_TOLD_APART and other["service"] == finding.service
        for other in around.facts["findings"]
    )
    sums = {} if explained else {"SUM(request_count)": "requests_count", "SUM(error_count)": "errors_count"}
    return _hours_of_route(finding, around.week, sums)


def _storm(finding: Finding, around: Circumstances) -> Evidence | None:
    if finding.started_at is None or finding.ended_at is None:
        return None
    sums = {"SUM(request_count)": "requests_count", "SUM(error_count)": "errors_count"}
    return _hours_of_route(finding, Window(finding.started_at, finding.ended_at), sums)


def _hours_of_route(finding: Finding, window: Window, sums: Mapping[str, str]) -> Evidence:
    return _made(
        finding,
        "route_hours",
        {**_span(window, finding.service), "grain_us": HOUR_US},
        narrowing="one_route",
        narrowed_by={"method": finding.method, "route": finding.route},
        sums=sums,
    )


def _slower(finding: Finding, around: Circumstances) -> Evidence | None:
    """How many took longer than the earlier 95th percentile, or of a new route than the objective's threshold."""
    numbers = finding.numbers
    limit = numbers.get("reference_p95_seconds") or numbers.get("threshold_seconds")
    if limit is None:
        return None
    sums = {"SUM(request_count)": "requests_count", "SUM(slower_count)": "slow_count"}
    return _made(
        finding,
        "latency_hours",
        _span(around.week, finding.service),
        narrowing="slower_requests",
        narrowed_by={"method": finding.method, "route": finding.route, "bucket": sketch.key(limit)},
        sums=sums,
    )


def _status(finding: Finding, around: Circumstances) -> Evidence:
    seen = f"SUM(IF(http_response_status_code = {int(finding.subject)}, request_count, 0))"
    return _made(
        finding,
        "route_counts",
        _span(around.week, finding.service),
        narrowing="one_route_statuses",
        narrowed_by={"method": finding.method, "route": finding.route},
        sums={"SUM(request_count)": "requests_count", seen: "seen_count"},
    )


_COUNTED = MappingProxyType({"SUM(valid_count)": "valid_count", "SUM(valid_count - good_count)": "bad_count"})


def _budget(finding: Finding, around: Circumstances) -> Evidence | None:
    """What the objective counted in its window, by route; slices of time by minute."""
    judged = next((slo for slo in around.facts["slos"] if slo["name"] == finding.subject), None)
    if judged is None:
        return None
    span = _window(judged["window"])
    if judged["unit"] == "slices":
        return _objective(finding, around, span, grain="minutes", sums={})
    return _objective(finding, around, span, grain="routes", sums=_COUNTED)


def _target(finding: Finding, around: Circumstances) -> Evidence | None:
    """What the objective counted in the periods of four weeks over which its target was looked at."""
    periods = finding.numbers.get("period_count")
    if not periods:
        return None
    span = Window(around.week.end - int(periods) * _FOUR_WEEKS, around.week.end)
    return _objective(finding, around, span, grain="routes", sums=_COUNTED)


def _outage(finding: Finding, around: Circumstances) -> Evidence | None:
    if finding.started_at is None or finding.ended_at is None:
        return None
    span = Window(finding.started_at, finding.ended_at)
    # Those told as one have ordinary minutes between them.
    sums = {} if finding.case == "repeated" else _COUNTED
    return _objective(finding, around, span, grain="minutes", sums=sums)


def _objective(
    finding: Finding,
    around: Circumstances,
    span: Window,
    *,
    grain: Literal["minutes", "routes"],
    sums: Mapping[str, str],
) -> Evidence | None:
    slo = around.slo
    if slo is None:
        return None
    seen = ((method, route) for service, method, route in around.endpoints if service == slo.service)
    endpoints = counted_endpoints(slo, seen)
    if any(placeholder in endpoint for endpoint in endpoints for placeholder in _PLACEHOLDERS):
        return None
    values = {
        "start": span.start,
        "end": span.end,
        "all_endpoints": not slo.indicator.routes,
        "endpoints": endpoints,
        **indicator_values(slo),
    }
    return _made(finding, f"{slo.indicator.kind}_{grain}", values, sums=sums)


def _saturation(finding: Finding, around: Circumstances) -> Evidence:
    days = Window(around.week.end - _FOUR_WEEKS, around.week.end)
    return _metric(finding, days, sums={"MAX(limit_value)": "limit_value"})


def _queue_age(finding: Finding, around: Circumstances) -> Evidence:
    return _metric(finding, around.week, sums={"3600 * COUNTIF(max_value > limit_value)": "above_seconds"})


def _metric(finding: Finding, window: Window, *, sums: Mapping[str, str]) -> Evidence:
    values = {"start": next_hour(window.start), "end": next_hour(window.end), "services": [finding.service]}
    return _made(
        finding,
        "metric_hours",
        {**values, "grain_us": HOUR_US},
        narrowing="one_metric",
        narrowed_by={"metric": finding.subject},
        sums=sums,
    )


def _alert(finding: Finding, around: Circumstances) -> Evidence:
    values = {"start": around.week.start, "end": around.week.end, "services": [finding.service]}
    return _made(
        finding,
        "alerts",
        values,
        narrowing="one_alert",
        narrowed_by={"alert": finding.subject},
        sums={"COUNT(*)": "fired_count"},
    )


def _gap(finding: Finding, around: Circumstances) -> Evidence:
    """The minutes with requests, from an hour before the gap to an hour after it."""
    start, end = finding.started_at or around.week.start, finding.ended_at or around.week.end
    values = {"start": start - HOUR, "end": end + HOUR, "services": [finding.service]}
    return _made(finding, "service_minutes", values)


def _traffic(finding: Finding, around: Circumstances) -> Evidence:
    start, end = finding.started_at or around.week.start, finding.ended_at or around.week.end
    owned = [o for o in around.team.owns if o.service == finding.service]
    is_whole = any(not o.routes for o in owned)
    endpoints = [
        f"{method} {route}"
        for service, method, route in around.endpoints
        if service == finding.service and not is_whole and around.team.owns_route(service, method, route)
    ]
    # Between the first day that stands out and the last may be some that do not.
    follow = (end - start) == 24 * HOUR * (finding.numbers.get("day_count") or 0)
    return _made(
        finding,
        "route_hours",
        {**_span(Window(start, end), finding.service), "grain_us": HOUR_US},
        narrowing="all_routes",
        narrowed_by={"all_endpoints": is_whole, "endpoints": endpoints},
        sums={"SUM(request_count)": "requests_count"} if follow else {},
    )


_BY_RULE: Mapping[str, Callable[[Finding, Circumstances], Evidence | None]] = {
    "alert_noise": _alert,
    "budget": _budget,
    "data_gap": _gap,
    "new_error": _status,
    "new_slow_route": _slower,
    "objective": _target,
    "outage": _outage,
    "queue_age": _queue_age,
    "retry_storm": _storm,
    "route_failing": _route,
    "route_slower": _slower,
    "saturation": _saturation,
    "traffic": _traffic,
}


# --- putting a statement together -----------------------------------------------------------------------------------


def _made(
    finding: Finding,
    name: str,
    values: Mapping[str, Any],
    *,
    narrowing: str = "",
    narrowed_by: Mapping[str, Any] = MappingProxyType({}),
    sums: Mapping[str, str] = MappingProxyType({}),
) -> Evidence:
    shipped = load_query(QUERY_PACKAGE, name)
    query = _narrowed(shipped, load_query(NARROWING_PACKAGE, narrowing)) if narrowing else shipped
    stated = {expression: finding.numbers.get(number) for expression, number in sums.items()}
    return Evidence(
        query,
        {**values, **narrowed_by},
        MappingProxyType({expression: number for expression, number in stated.items() if number is not None}),
    )


def _narrowed(shipped: Query, narrowing: Query) -> Query:
    """The query whose rows are those that ``narrowing`` takes of the shipped one's."""
    types = {**shipped.types, **narrowing.types}
    declared = "\n".join(f"-- @{name} {type_}: filled in" for name, type_ in types.items())
    body = with_definitions(_body(narrowing), {"evidence": _body(shipped)})
    text = f"{_description(narrowing)}--\n{declared}\n{body}"
    return Query(f"{shipped.name}_{narrowing.name}", text, narrowing.file)


def _for_people(query: Query) -> str:
    """The query in DuckDB's dialect on many lines, without the casts of what literals have as their type anyway."""
    tree = sqlglot.parse_one(query.translation.duckdb, read="duckdb")
    for cast in list(tree.find_all(exp.Cast)):
        parameter = cast.this
        if isinstance(parameter, exp.Placeholder) and "<" not in query.types[parameter.name]:
            cast.replace(parameter)
    return tree.sql(dialect="duckdb", pretty=True)


def _description(query: Query) -> str:
    """The comment at the query's top, without the parameters."""
    lines = query.text.partition("\n--\n")[0].splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith("--"))


def _body(query: Query) -> str:
    """The query without the comment at its top."""
    lines = query.text.splitlines()
    first = next(n for n, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[first:]) + "\n"


def _own(table: str, bigquery: BigQuery) -> str:
    return f"SELECT * FROM {quoted(f'{bigquery.dataset}.{table}')}"


def _span(window: Window, service: str) -> dict[str, Any]:
    spans = [{"span": 0, "span_start": window.start, "span_end": window.end}]
    return {"start": window.start, "end": window.end, "spans": spans, "services": [service]}


def _window(facts: Mapping[str, Any]) -> Window:
    return Window(datetime.fromisoformat(facts["start"]), datetime.fromisoformat(facts["end"]))
