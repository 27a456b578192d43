"""What is sent to BigQuery is GoogleSQL, and a day that it builds holds what DuckDB's small tables hold."""

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from shokubai.config.model import BigQuery
from shokubai.sources import load_query
from shokubai.sources.bigquery_jobs import BigQueryJobs
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse
from shokubai.sources.results import ARROW_TYPES
from shokubai.tables.contracts import METRIC_HOURS, RAW_TABLES, SMALL_TABLES
from shokubai.tables.dataset import DAYS

SENT = Path(__file__).parents[1] / "sources" / "bigquery" / "sent"
PACKAGE = "shokubai.tables.queries"
DAYS_SQL = files("shokubai.tables.dataset_queries").joinpath("days.sql").read_text(encoding="utf-8")

SINK = {
    "timestamp": "TIMESTAMP",
    "resource": "STRUCT<labels STRUCT<service_name STRING, location STRING, revision_name STRING>>",
    "httpRequest": "STRUCT<requestMethod STRING, requestUrl STRING, status INT64, latency FLOAT64>",
}
FLAT = {"timestamp": "TIMESTAMP", "http_response_status_code": "INT64", "_TABLE_SUFFIX": "STRING"} | dict.fromkeys(
    ("service_name", "http_route", "http_request_method"), "STRING"
)
PARTITIONS = {
    "table_name": "STRING",
    "partition_id": "STRING",
    "total_rows": "INT64",
    "total_logical_bytes": "INT64",
    "last_modified_time": "TIMESTAMP",
}
SHARDS = {"table_id": "STRING", "row_count": "INT64", "size_bytes": "INT64", "last_modified_time": "INT64"}


def types(contract):
    return {name: column.type.removeprefix("NULLABLE_") for name, column in contract.columns.items()}


SMALL = {name: {**types(contract), "made_from": "STRING"} for name, contract in SMALL_TABLES.items()}
TABLES = {
    **SMALL,
    **{f"aoba-sre.shokubai.{name}": columns for name, columns in SMALL.items()},
    "aoba-logs.run_logs.run_googleapis_com_requests": SINK,
    "aoba-logs.run_logs.requests_*": FLAT,
    "aoba-logs.ops.deploys": {"deployed_at": "DATETIME", "service_name": "STRING", "other": "JSON"},
    "aoba-logs.run_logs.INFORMATION_SCHEMA.PARTITIONS": PARTITIONS,
    "aoba-logs.run_logs.__TABLES__": SHARDS,
}
BOUNDS = {"start": "TIMESTAMP", "end": "TIMESTAMP"}
PARAMETERS = {
    **BOUNDS,
    "since": "TIMESTAMP",
    "services": "ARRAY<STRING>",
    "table": "STRING",
    "prefix": "STRING",
    "made_from": "STRING",
}


def one_name(sql):
    """The statement with names of several parts as one, which is how the analyser's catalog knows them."""
    for part in ("INFORMATION_SCHEMA.PARTITIONS", "__TABLES__"):
        sql = sql.replace(f"`.{part}", f".{part}`")
    return sql


GIVES = {
    "minute_counts_of_a_day": list(SMALL["minute_counts"].items()),
    "hour_latency_of_a_day": list(SMALL["hour_latency"].items()),
    "no_hour_latency": list(SMALL["hour_latency"].items()),
    "sharded_requests": list(types(RAW_TABLES["requests"]).items()),
    "deployments": list(types(RAW_TABLES["deployments"]).items()),
    "requests_partitions": [("id", "STRING"), *((n, "INT64") for n in ("row_count", "byte_count", "changed_us"))],
    "requests_shards": [("id", "STRING"), *((n, "INT64") for n in ("row_count", "byte_count", "changed_us"))],
    "requests_days": [(name, "INT64") for name in ("day_us", "row_count", "first_us", "last_us")],
    "watermarks_of_days": [("service_name", "STRING"), ("first_minute", "TIMESTAMP"), ("last_minute", "TIMESTAMP")],
    "deployments_version": [("n", "INT64"), ("contents", "INT64")],
}


@pytest.mark.parametrize("name", GIVES)
def test_a_statement_that_is_sent_is_googlesql(googlesql, name):
    sql = one_name((SENT / f"{name}.sql").read_text(encoding="utf-8"))
    query = name.removesuffix("_of_a_day")
    parameters = PARAMETERS | (load_query(PACKAGE, query).types if query in SMALL_TABLES else {})
    assert googlesql.analyse(sql, tables=TABLES, parameters=parameters) == GIVES[name]


def test_what_days_say_of_themselves_is_googlesql(googlesql):
    assert googlesql.analyse(DAYS_SQL, tables=SMALL, parameters=BOUNDS) == list(types(DAYS).items())


@pytest.mark.parametrize("name", SMALL_TABLES)
def test_days_are_fetched_as_they_are(googlesql, name):
    sql = files("shokubai.tables.dataset_queries").joinpath(f"{name}_rows.sql").read_text(encoding="utf-8")
    assert googlesql.analyse(sql, tables=SMALL, parameters=BOUNDS) == list(SMALL[name].items())


def test_fetched_metrics_are_read_as_they_are(googlesql):
    sql = load_query("shokubai.tables.snapshot_queries", "metric_hours").text
    columns = types(METRIC_HOURS)
    parameters = {**BOUNDS, "services": "ARRAY<STRING>"}
    assert googlesql.analyse(sql, tables={"metric_hours": columns}, parameters=parameters) == list(columns.items())


@pytest.fixture(scope="module")
def warehouse():
    """A log that already has the contract's columns."""
    settings = BigQuery("aoba-logs", "aoba-sre", "US", "aoba-sre.shokubai", 2**40, 2**40, 6.25, "USD", 60)
    columns = types(RAW_TABLES["requests"]).items()
    schema = [SimpleNamespace(name=name, field_type=type_, mode="NULLABLE") for name, type_ in columns]
    jobs = BigQueryJobs(settings, where="warehouse logs")
    jobs.table = lambda _: SimpleNamespace(
        schema=schema, time_partitioning=None
    )  # the service's answer; there is none here
    table = BigQueryTable(RAW_TABLES["requests"], "aoba-logs.run_logs.requests", "here", MappingProxyType({}))
    return BigQueryWarehouse("logs", [table], jobs=jobs, small=tuple(SMALL_TABLES.values()))


@pytest.mark.parametrize("name", SMALL_TABLES)
def test_a_day_holds_what_duckdb_holds(googlesql, answers, warehouse, name):
    """The rows are DuckDB's, and one more says what the day was made from."""
    contract = SMALL_TABLES[name]
    time = next(iter(contract.columns))
    for answer in answers[name]:
        log = answer.held["requests"]
        day = answer.parameters["start"].date()
        text = warehouse.day_of(answer.query, name, day, answer.parameters, made_from="input recipe")
        built = googlesql.evaluate(
            text.sql,
            tables={"aoba-logs.run_logs.requests": log},
            parameters={
                **{n: (answer.query.types[n], value) for n, value in answer.parameters.items()},
                "made_from": ("STRING", "input recipe"),
            },
        )
        marks = built.filter(pc.is_valid(built.column("made_from")))
        rows = built.filter(pc.is_null(built.column("made_from"))).select(list(contract.columns))
        assert sorted_rows(rows) == sorted_rows(answer.result)
        (mark,) = marks.to_pylist()
        assert (mark["made_from"], mark["service_name"]) == ("input recipe", None)
        assert mark[time] == answer.parameters["start"]


def sorted_rows(table):
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def test_what_days_say_of_themselves(googlesql):
    def at(day, hour=0):
        return datetime(2026, 10, day, hour, tzinfo=UTC)

    def small(name, rows):
        contract = SMALL_TABLES[name]
        time = next(iter(contract.columns))
        full = [
            {column: 0 if c.type == "INT64" else None for column, c in contract.columns.items()}
            | {time: when, "service_name": service, "request_count": count, "made_from": made_from}
            for when, service, count, made_from in rows
        ]
        return pa.table({n: pa.array([row[n] for row in full], ARROW_TYPES[t]) for n, t in SMALL[name].items()})

    tables = {
        "minute_counts": small(
            "minute_counts",
            [
                (at(25, 23), "shop", 9, None),  # before
                (at(26), None, 0, "a r"),
                (at(26, 9), "shop", 3, None),
                (at(26, 17), None, 4, None),  # requests without a service
                (at(27), None, 0, "no input"),
                (at(28), "shop", 9, None),  # after
            ],
        ),
        "hour_latency": small("hour_latency", [(at(26), None, 0, "b r"), (at(26), None, 0, "c r")]),
    }
    got = googlesql.evaluate(
        DAYS_SQL, tables=tables, parameters={"start": ("TIMESTAMP", at(26)), "end": ("TIMESTAMP", at(28))}
    ).to_pylist()
    assert [tuple(row.values()) for row in got] == [
        ("hour_latency", at(26), "c r", 2, 0, 0, None, None),
        ("minute_counts", at(26), "a r", 1, 2, 7, at(26, 9), at(26, 17)),
        ("minute_counts", at(27), "no input", 1, 0, 0, None, None),
    ]


def test_what_came_in_before_its_day_is_not_read_again(googlesql):
    """Of a table that is partitioned by the time of ingestion, late rows and those in no partition yet count."""

    def at(day, hour=0):
        return datetime(2026, 10, day, hour, tzinfo=UTC)

    columns = types(RAW_TABLES["requests"]) | {"_PARTITIONTIME": "TIMESTAMP"}
    rows = [
        (at(26, 9), at(25), "GET"),  # the clock of whoever logged it was ahead
        (at(26, 9), at(26), "GET"),
        (at(26, 9), at(30), "GET"),  # late
        (at(26, 9), None, "GET"),  # streamed in a moment ago
        (at(26, 9), at(24), "impossible"),
        (at(27), at(27), "next day"),
    ]
    full = [
        dict.fromkeys(columns) | {"timestamp": t, "_PARTITIONTIME": p, "http_request_method": m} for t, p, m in rows
    ]
    log = pa.table({n: pa.array([row[n] for row in full], ARROW_TYPES[t]) for n, t in columns.items()})
    table = BigQueryTable(RAW_TABLES["requests"], "aoba-logs.run_logs.requests", "here", ingested_by="DAY")
    schema = {name.lower(): type_ for name, type_ in columns.items()}
    rows = table.definition(schema, {})
    sql = f"SELECT http_request_method FROM ({rows}) WHERE timestamp >= @start AND timestamp < @end"
    found = googlesql.evaluate(
        sql,
        tables={"aoba-logs.run_logs.requests": log},
        parameters={"start": ("TIMESTAMP", at(26)), "end": ("TIMESTAMP", at(27))},
    )
    assert found.column("http_request_method").to_pylist() == ["GET"] * 4
