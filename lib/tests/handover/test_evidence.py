"""The statement in a packet gives the finding's rows and numbers: on DuckDB, and by GoogleSQL's own evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from shokubai import workspace
from shokubai.config.model import BigQuery, Ownership, Source, Team, Text, Warehouse
from shokubai.findings import Finding
from shokubai.handover.evidence import Circumstances, Evidence, evidence_of
from shokubai.workspace import Workspace

# A week in Tokyo: 2026-W44 is 25 October 15:00 to 1 November 15:00 UTC.
WEEK = {"start": "2026-10-25T15:00:00Z", "end": "2026-11-01T15:00:00Z"}
HOSTILE = "/it's/{code}\\'; --"

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  indicator:
    spec:
{indicator}
  timeWindow: [{{duration: 7d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{{objective}}}]
"""
AVAILABILITY = """\
      ratioMetric:
        bad: {metricSource: {type: shokubai, spec: {requests: failed}}}
        total: {metricSource: {type: shokubai, spec: {requests: all, failed_statuses: [5xx, 429]}}}"""
SPEED = """\
      thresholdMetric:
        metricSource: {type: shokubai, spec: {column: duration_seconds, routes: ["GET /carts*"]}}"""
PARAMETERS = {
    "organization.yaml": "name: Aoba\ntime_zone: Asia/Tokyo\nlanguage: en\ncalendar: {country: JP}\n",
    "warehouses/main.yaml": (
        'engine: duckdb\ntables:\n  requests: {path: "{outputs}/requests.parquet"}\n'
        '  metrics: {path: "{outputs}/metrics.parquet"}\n  alerts: {path: "{outputs}/alerts.parquet"}\n'
    ),
    "runs/weekly.yaml": "team_notebooks: [weekly_team_report]\nwarehouse: main\nteams: all\n",
    "teams/shop.yaml": "name: Shop\nowns: [{service: shop}]\n",
    "slos/up.yaml": SLO.format(name="up", indicator=AVAILABILITY, objective="target: 0.9"),
    "slos/fast.yaml": SLO.format(name="fast", indicator=SPEED, objective="op: lte, value: 0.3, target: 0.9"),
}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


# When, which service and route, how it was answered, how long it took, how often.
LOG = [
    (at(26, 1, 0), "shop", "GET", "/carts", 200, 0.1, 7),
    (at(26, 1, 5), "shop", "GET", "/carts", 500, 0.1, 2),
    (at(26, 1, 5), "shop", "GET", "/carts", 200, 0.3, 1),  # at most the threshold is within
    (at(26, 2, 0), "shop", "GET", "/carts", 200, 0.9, 4),
    (at(26, 2, 0), "shop", "GET", "/carts/{id}", 429, 0.2, 3),
    (at(26, 2, 1), "shop", "POST", "/carts", 200, 2.0, 5),
    (at(26, 3, 0), "shop", "GET", HOSTILE, 200, 0.1, 6),
    (at(26, 3, 30), "shop", "GET", HOSTILE, 503, 0.1, 1),
    (at(26, 2, 0), "other", "GET", "/carts", 500, 0.9, 50),
    (at(25, 14, 59), "shop", "GET", "/carts", 500, 0.9, 40),  # before the week
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop's log, metrics and alerts, counted."""
    folder = tmp_path_factory.mktemp("shop")
    rows = [entry[:-1] for entry in LOG for _ in range(entry[-1])]
    columns = ["timestamp", "service_name", "http_request_method", "http_route"]
    requests = pd.DataFrame(rows, columns=[*columns, "http_response_status_code", "duration_seconds"])
    metrics = pd.DataFrame(
        [
            (at(26, hour, minute), "shop", name, "s", value, limit)
            for hour, minute, name, value, limit in (
                (1, 0, "queue.oldest_message.age", 10.0, 60.0),
                (1, 30, "queue.oldest_message.age", 90.0, 60.0),
                (2, 0, "queue.oldest_message.age", 30.0, 60.0),
                (1, 0, "process.memory.usage", 1.0, 2.0),
            )
        ],
        columns=["timestamp", "service_name", "metric_name", "unit", "value", "limit_value"],
    )
    alerts = pd.DataFrame(
        [
            (at(26, 1), at(26, 1, 30), "shop", "Errors", "page"),
            (at(26, 2), pd.NaT, "shop", "Errors", "page"),
            (at(26, 3), pd.NaT, "shop", "Errors", "ticket"),
            (at(26, 4), pd.NaT, "shop", "Disk", "page"),
        ],
        columns=["fired_at", "resolved_at", "service_name", "alert_name", "severity"],
    )
    (folder / "outputs").mkdir()
    for name, frame in {"requests": requests, "metrics": metrics, "alerts": alerts}.items():
        frame.to_parquet(folder / "outputs" / f"{name}.parquet")
    for name, text in PARAMETERS.items():
        (folder / "parameters" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "parameters" / name).write_text(text, encoding="utf-8")
    opened = workspace.open(folder / "parameters")
    opened.window("2026-W44")
    return opened


@dataclass(frozen=True)
class Case:
    """A finding, the rows that its statement gives, and the sums that the packet states."""

    finding: Finding
    rows: list[tuple[Any, ...]]
    sums: Mapping[str, float]
    others: tuple[Mapping[str, Any], ...] = ()
    routes: tuple[str, ...] = ()  # of the service, that the team owns; all when empty


def finding(rule: str, case: str = "", *, numbers: Mapping[str, float], **about: Any) -> Finding:
    return Finding(rule, case, "shop", "warning", numbers=MappingProxyType(dict(numbers)), **about)


CARTS = {"method": "GET", "route": "/carts"}
CASES = {
    "route_failing": Case(
        finding("route_failing", **CARTS, numbers={"requests_count": 14, "errors_count": 2}),
        [(at(26, 1), 10, 2), (at(26, 2), 4, 0)],
        {"SUM(request_count)": 14, "SUM(error_count)": 2},
    ),
    "a route that is hard to write": Case(
        finding("route_failing", method="GET", route=HOSTILE, numbers={"requests_count": 7, "errors_count": 1}),
        [(at(26, 3), 7, 1)],
        {"SUM(request_count)": 7, "SUM(error_count)": 1},
    ),
    "hours that are told elsewhere": Case(
        finding("route_failing", **CARTS, numbers={"requests_count": 4, "errors_count": 0}),
        [(at(26, 1), 10, 2), (at(26, 2), 4, 0)],
        {},
        others=({"rule": "outage", "service": "shop"},),
    ),
    "retry_storm": Case(
        finding(
            "retry_storm",
            **CARTS,
            started_at=at(26, 1),
            ended_at=at(26, 2),
            numbers={"requests_count": 10, "errors_count": 2},
        ),
        [(at(26, 1), 10, 2)],
        {"SUM(request_count)": 10, "SUM(error_count)": 2},
    ),
    # 0.3 s lies in the bucket of the earlier p95, and is not slower than it.
    "route_slower": Case(
        finding("route_slower", **CARTS, numbers={"requests_count": 14, "reference_p95_seconds": 0.3}),
        [(at(26, 1), 10, 0), (at(26, 2), 4, 4)],
        {"SUM(request_count)": 14},
    ),
    "budget of all routes": Case(
        finding("budget", subject="up", numbers={"valid_count": 29, "bad_count": 6}),
        [
            ("shop", "GET", "/carts", 14, 12),
            ("shop", "GET", "/carts/{id}", 3, 0),
            ("shop", "GET", HOSTILE, 7, 6),
            ("shop", "POST", "/carts", 5, 5),
        ],
        {"SUM(valid_count)": 29, "SUM(valid_count - good_count)": 6},
    ),
    # 500 counts as failed; /carts/{id} answered 429, which only the other objective calls a failure.
    "budget of some routes": Case(
        finding("budget", subject="fast", numbers={"valid_count": 15, "bad_count": 4}),
        [("shop", "GET", "/carts", 12, 8, 0), ("shop", "GET", "/carts/{id}", 3, 3, 0)],
        {"SUM(valid_count)": 15, "SUM(valid_count - good_count)": 4},
    ),
    "outage": Case(
        finding(
            "outage",
            "spent",
            subject="up@2026-10-26T01:05Z",
            started_at=at(26, 1, 5),
            ended_at=at(26, 2, 1),
            numbers={"valid_count": 10, "bad_count": 5},
        ),
        [(at(26, 1, 5), 3, 1), (at(26, 2, 0), 7, 4)],
        {"SUM(valid_count)": 10, "SUM(valid_count - good_count)": 5},
    ),
    "outages told as one": Case(
        finding(
            "outage",
            "repeated",
            subject="up@repeated",
            started_at=at(26, 1, 5),
            ended_at=at(26, 1, 6),
            numbers={"valid_count": 2, "bad_count": 2},
        ),
        [(at(26, 1, 5), 3, 1)],
        {},
    ),
    "queue_age": Case(
        finding("queue_age", subject="queue.oldest_message.age", numbers={"above_seconds": 3600}),
        [(at(26, 1), "s", 2, 50.0, 90.0, 60.0), (at(26, 2), "s", 1, 30.0, 30.0, 60.0)],
        {"3600 * COUNTIF(max_value > limit_value)": 3600},
    ),
    "saturation": Case(
        finding("saturation", subject="process.memory.usage", numbers={"limit_value": 2.0}),
        [(at(26, 1), "s", 1, 1.0, 1.0, 2.0)],
        {"MAX(limit_value)": 2.0},
    ),
    "alert_noise": Case(
        finding("alert_noise", subject="Errors", numbers={"fired_count": 2}),
        [(at(26, 1), at(26, 1, 30)), (at(26, 2), None)],
        {"COUNT(*)": 2},
    ),
    # The hour before the gap and the hour after it are shown; the gap is the minutes that are not there.
    "data_gap": Case(
        finding("data_gap", subject="telemetry_gap", started_at=at(26, 2, 2), ended_at=at(26, 3), numbers={}),
        [
            ("shop", at(26, 1, 5), 3, 2, 0, 3),
            ("shop", at(26, 2, 0), 7, 0, 0, 7),
            ("shop", at(26, 2, 1), 5, 0, 0, 5),
            ("shop", at(26, 3, 0), 6, 0, 0, 6),
            ("shop", at(26, 3, 30), 1, 1, 0, 1),
        ],
        {},
    ),
    "traffic": Case(
        finding(
            "traffic",
            subject="unusual",
            started_at=at(25, 15),
            ended_at=at(26, 15),
            numbers={"requests_count": 29, "day_count": 1},
        ),
        [(at(26, 1), 10, 2), (at(26, 2), 12, 0), (at(26, 3), 7, 1)],
        {"SUM(request_count)": 29},
    ),
    "traffic of some routes": Case(
        finding(
            "traffic",
            subject="unusual",
            started_at=at(25, 15),
            ended_at=at(28, 15),
            numbers={"requests_count": 14, "day_count": 2},
        ),
        [(at(26, 1), 10, 2), (at(26, 2), 4, 0)],
        {},  # a day in between did not stand out
        routes=("GET /carts",),
    ),
    "new_error": Case(
        finding("new_error", **CARTS, subject="500", numbers={"requests_count": 14, "seen_count": 2}),
        [(200, 12), (500, 2)],
        {"SUM(request_count)": 14, "SUM(IF(http_response_status_code = 500, request_count, 0))": 2},
    ),
    "new_slow_route": Case(
        finding(
            "new_slow_route",
            **CARTS,
            numbers={"requests_count": 14, "slow_count": 5, "threshold_seconds": 0.2},
        ),
        [(at(26, 1), 10, 1), (at(26, 2), 4, 4)],
        {"SUM(request_count)": 14, "SUM(slower_count)": 5},
    ),
    # Two periods of four weeks begin long before the week.
    "objective": Case(
        finding("objective", subject="up", numbers={"valid_count": 69, "bad_count": 46, "period_count": 2}),
        [
            ("shop", "GET", "/carts", 54, 12),
            ("shop", "GET", "/carts/{id}", 3, 0),
            ("shop", "GET", HOSTILE, 7, 6),
            ("shop", "POST", "/carts", 5, 5),
        ],
        {"SUM(valid_count)": 69, "SUM(valid_count - good_count)": 46},
    ),
    "a rule that is not known here, of a route": Case(
        finding("route_odd", **CARTS, numbers={"requests_count": 14}),
        [(at(26, 1), 10, 2), (at(26, 2), 4, 0)],
        {"SUM(request_count)": 14},
    ),
}


def evidence(case: Case, opened: Workspace) -> Evidence:
    slo = opened.parameters.slos.get(case.finding.subject.partition("@")[0])
    facts = {
        "window": WEEK,
        "slos": [{"name": name, "unit": "requests", "window": WEEK} for name in ("up", "fast")],
        "findings": case.others,
    }
    team = Team("shop", Text("Shop"), "en", (Ownership("shop", case.routes),), Source(opened.parameters.directory, 1))
    endpoints = sorted({entry[1:4] for entry in LOG})
    found = evidence_of(case.finding, Circumstances(facts, team, slo, endpoints))
    assert found is not None
    return found


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(_plain(value) for value in row.values()) for row in table.to_pylist()]


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_duckdb_gives_the_rows_and_the_sums(shop: Workspace, case: Case) -> None:
    made = evidence(case, shop)
    warehouse = shop.parameters.warehouse("main")
    statement = made.statement(warehouse, definition=lambda table: f"there is no {table}")
    frame = shop.sql(statement)
    rows = [tuple(_plain(_unboxed(value)) for value in row) for row in frame.itertuples(index=False)]
    assert rows == case.rows
    assert made.sums == case.sums
    for expression, number in made.sums.items():
        [given] = shop.sql(f"SELECT {expression} AS given FROM (\n{statement}\n)")["given"]
        assert given == number


def _unboxed(value: Any) -> Any:
    if value is pd.NaT:
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


BIGQUERY = Warehouse(
    "lake",
    "bigquery",
    MappingProxyType({}),
    Source(None, 1),  # type: ignore[arg-type]
    BigQuery("aoba", "aoba", "US", "aoba.shokubai", 1, 1, 1.0, "USD", 1.0),
)


@pytest.mark.googlesql
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_googlesql_gives_the_same(googlesql: Any, shop: Workspace, case: Case) -> None:
    """The text for BigQuery's console; only the address of Shokubai's dataset is changed into one that is known."""
    made = evidence(case, shop)
    text = made.statement(BIGQUERY, definition=lambda table: f"SELECT * FROM held_{table}")
    held = {f"held_{name}": _table(shop, name) for name in made.query.translation.tables}
    for name in made.query.translation.tables:
        text = text.replace(f"`aoba.shokubai.{name}`", f"held_{name}")
    assert "@" not in text.replace("up@", "") and "`" not in text
    assert rows_of(googlesql.evaluate(text, tables=held)) == case.rows


def _table(shop: Workspace, name: str) -> pa.Table:
    table = pa.Table.from_pandas(shop.sql(f"SELECT * FROM {name}"), preserve_index=False)
    texts = [pa.string() if field.type == pa.large_string() else field.type for field in table.schema]
    return table.cast(pa.schema(zip(table.column_names, texts, strict=True)))


def test_what_a_placeholder_stands_for_is_not_known(shop: Workspace) -> None:
    scrubbed = finding("route_failing", method="GET", route="/files/[email]", numbers={"requests_count": 1})
    team = Team("shop", Text("Shop"), "en", (Ownership("shop"),), Source(shop.parameters.directory, 1))
    facts = {"window": WEEK, "slos": [], "findings": []}
    assert evidence_of(scrubbed, Circumstances(facts, team, None, [])) is None


def test_an_objective_that_is_gone_has_no_statement(shop: Workspace) -> None:
    gone = finding("budget", subject="was-there", numbers={"valid_count": 1, "bad_count": 1})
    team = Team("shop", Text("Shop"), "en", (Ownership("shop"),), Source(shop.parameters.directory, 1))
    facts = {"window": WEEK, "slos": [], "findings": []}
    assert evidence_of(gone, Circumstances(facts, team, None, [])) is None
