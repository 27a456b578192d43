"""Tables in BigQuery: the statements that are sent, and what becomes of schemas that are not as described."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from shokubai.core.errors import DataError, QueryError
from shokubai.core.windows import Window
from shokubai.sources import load_query
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.tables.contracts import DEPLOYMENTS, RAW_TABLES, ROUTE_COUNTS, SERVICE_MINUTES, WATERMARKS

SENT = Path(__file__).parent / "sent"
QUERIES = "shokubai.tables.queries"
REQUESTS = "aoba-logs.run_logs.run_googleapis_com_requests"
WINDOW = Window(datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC))
TYPES = "SELECT * FROM requests WHERE"
SAID_AT = "warehouse logs (parameters/warehouses/logs.yaml:7): table requests"
SECOND = pd.Timedelta(seconds=1)


def sent(name):
    """A statement as it was reviewed."""
    return (SENT / f"{name}.sql").read_text(encoding="utf-8").removesuffix("\n")


def failure(run, kind=DataError):
    with pytest.raises(kind) as raised:
        run()
    return str(raised.value)


@pytest.fixture
def sink(service):
    """The service with what it knows of the mapping's expressions."""
    service.answer(TYPES, {"http_route": "STRING"})
    return service


def scan_parameters(table):
    grain = {"minute_counts": 60_000_000, "hour_latency": 3_600_000_000}[table]
    given = {"start": WINDOW.start, "end": WINDOW.end, "grain_us": grain}
    if table == "minute_counts":
        thresholds = {"threshold_1_seconds": 0.3} | {f"threshold_{n}_seconds": None for n in (2, 3, 4)}
        return {**given, "latency_thresholds": [{"service_name": "shop", **thresholds}]}
    return {**given, "gamma": 1.02, "smallest_seconds": 1e-9, "zero_key": -99}


# --- what is sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["minute_counts", "hour_latency"])
def test_a_day_is_replaced_by_one_statement(sink, open_warehouse, table):
    warehouse = open_warehouse()
    text = warehouse.day_of(
        load_query(QUERIES, table), table, date(2026, 10, 26), scan_parameters(table), made_from="input recipe"
    )
    assert text.sql == sent(f"{table}_of_a_day")
    assert load_query(QUERIES, table).text.replace("\n", "\n  ").strip() in text.sql  # as it was written
    warehouse.run(text)
    (configuration,) = sink.inserted()
    assert configuration["query"]["query"] == text.sql
    assert sorted(sink.written) == [f"aoba-sre.shokubai.{table}$20261026"]
    values = {p["name"]: p["parameterValue"].get("value") for p in configuration["query"]["queryParameters"]}
    assert values["made_from"] == "input recipe"
    assert values["start"] == "2026-10-26 00:00:00+00:00"
    assert values["end"] == "2026-10-27 00:00:00+00:00"
    assert configuration["labels"] == {"shokubai_statement": table}
    (logged,) = warehouse.queries
    assert (logged.name, logged.sha256) == (table, load_query(QUERIES, table).sha256)


def test_the_types_of_expressions_are_asked_for_and_nothing_is_read(sink, open_warehouse):
    warehouse = open_warehouse(where="httpRequest.status IS NOT NULL")
    warehouse.definition("requests")
    warehouse.definition("requests")
    assert sink.statements(dry=True) == [sent("requests_types")]
    assert sink.statements() == []


def test_plain_columns_need_no_question(service, open_warehouse):
    columns = {"service_name": "resource.labels.service_name", "http_route": "httpRequest.requestUrl"}
    columns |= {"http_request_method": "httprequest.REQUESTMETHOD", "http_response_status_code": "httpRequest.status"}
    assert "httprequest.REQUESTMETHOD AS `http_request_method`" in open_warehouse(columns=columns).definition(
        "requests"
    )
    assert service.statements(dry=True) == []


def test_a_day_without_input_keeps_only_what_it_was_made_from(service, open_warehouse):
    warehouse = open_warehouse()
    warehouse.run(warehouse.no_day_of("hour_latency", date(2026, 10, 26), made_from="no input"))
    assert service.statements() == [sent("no_hour_latency")]
    assert sorted(service.written) == ["aoba-sre.shokubai.hour_latency$20261026"]


def test_a_query_on_the_small_tables_is_sent_as_it_was_written(service, open_warehouse):
    minute = datetime(2026, 10, 26, 9, 30, tzinfo=UTC)
    service.answer(
        "unknown_status_count",
        {"service_name": "STRING", "minute": "TIMESTAMP"}
        | dict.fromkeys(("request_count", "error_count", "unknown_status_count", "duration_count"), "INTEGER"),
        [["shop", minute, 3, 1, 0, 2]],
        bytes=1000,
    )
    query = load_query(QUERIES, "service_minutes")
    warehouse = open_warehouse()
    given = {"start": WINDOW.start, "end": WINDOW.end, "services": ["shop"]}
    table = warehouse.select(query, SERVICE_MINUTES, given)
    assert service.statements() == [query.text]
    assert table.to_pylist() == [
        {
            "service_name": "shop",
            "minute": minute,
            "request_count": 3,
            "error_count": 1,
            "unknown_status_count": 0,
            "duration_count": 2,
        }
    ]
    (logged,) = warehouse.queries
    assert (logged.name, logged.sha256, logged.row_count) == ("service_minutes", query.sha256, 1)
    assert (logged.bytes, logged.bytes_billed) == (1000, 10 * 2**20)  # ten MiB is the least that is billed
    assert logged.job_id in service.jobs


def test_a_query_without_bounds_gets_the_days_that_are_there(service, open_warehouse):
    schema = {"service_name": "STRING", "first_minute": "TIMESTAMP", "last_minute": "TIMESTAMP"}
    service.answer("first_minute", schema, [["shop", WINDOW.start, WINDOW.start]])
    query = load_query(QUERIES, "watermarks")
    assert open_warehouse().select(query, WATERMARKS, {"services": ["shop"]}, days=WINDOW).num_rows == 1
    assert service.statements() == [sent("watermarks_of_days")]
    names = [p["name"] for p in service.inserted()[0]["query"]["queryParameters"]]
    assert names == ["end", "services", "start"]


def test_a_table_that_is_not_mapped_has_no_rows_and_asks_nothing(service, open_warehouse):
    given = {"start": WINDOW.start, "end": WINDOW.end, "services": ["shop"]}
    table = open_warehouse().select(load_query(QUERIES, "deployments"), DEPLOYMENTS, given)
    assert (table.num_rows, table.column_names) == (0, list(DEPLOYMENTS.columns))
    assert service.requests == []


def test_a_companion_is_read_where_it_is(service, open_warehouse):
    service.add_table("aoba-logs.ops.deploys", {"deployed_at": "DATETIME", "service_name": "STRING", "other": "JSON"})
    service.answer("FROM deployments", dict.fromkeys(DEPLOYMENTS.columns, "STRING") | {"deployed_at": "TIMESTAMP"})
    given = {"start": WINDOW.start, "end": WINDOW.end, "services": ["shop"]}
    open_warehouse(deployments="aoba-logs.ops.deploys").select(load_query(QUERIES, "deployments"), DEPLOYMENTS, given)
    assert service.statements() == [sent("deployments")]


def test_parameters_that_do_not_fit_are_refused(service, open_warehouse):
    query = load_query(QUERIES, "route_counts")
    error = failure(lambda: open_warehouse().select(query, ROUTE_COUNTS, {"start": WINDOW.start, "x": 1}), QueryError)
    assert error == "query route_counts: parameters missing: ['end', 'services', 'spans']; not in the text: ['x']"
    assert service.requests == []


# --- types of results ---------------------------------------------------------------------------------------

ROUTE = {"service_name": "STRING", "http_request_method": "STRING", "http_route": "STRING"}
COUNTS = {"http_response_status_code": "INTEGER", "request_count": "INTEGER", "duration_count": "INTEGER"}


def route_counts(service, open_warehouse, schema, rows):
    service.answer("FROM minute_counts", schema, rows)
    spans = [{"span": 0, "span_start": WINDOW.start, "span_end": WINDOW.end}]
    given = {"start": WINDOW.start, "end": WINDOW.end, "services": ["shop"], "spans": spans}
    return open_warehouse().select(load_query(QUERIES, "route_counts"), ROUTE_COUNTS, given)


def test_whole_numbers_stay_exact(service, open_warehouse):
    rows = [["表示", "GET", "/", None, 2**53 + 1, 0]]
    table = route_counts(service, open_warehouse, ROUTE | COUNTS, rows)
    assert [str(column.type) for column in table.columns] == ["string"] * 3 + ["int64"] * 3
    assert table.column("request_count").to_pylist() == [2**53 + 1]
    assert table.column("http_response_status_code").to_pylist() == [None]


def test_a_sum_that_became_numeric_is_cast_back(service, open_warehouse):
    schema = ROUTE | COUNTS | {"request_count": "NUMERIC"}
    table = route_counts(service, open_warehouse, schema, [["shop", "GET", "/", 200, 7, 0]])
    assert table.column("request_count").to_pylist() == [7]
    with pytest.raises(DataError, match="request_count: does not fit INT64"):
        route_counts(service, open_warehouse, schema, [["shop", "GET", "/", 200, "7.5", 0]])


def test_a_result_without_a_column_or_with_a_count_of_nothing(service, open_warehouse):
    without = {name: type_ for name, type_ in (ROUTE | COUNTS).items() if name != "duration_count"}
    assert failure(lambda: route_counts(service, open_warehouse, without, [])).startswith(
        "route_counts: missing column duration_count; got service_name,"
    )
    rows = [["shop", "GET", "/", 200, None, 0]]
    error = failure(lambda: route_counts(service, open_warehouse, ROUTE | COUNTS, rows))
    assert error == "route_counts.request_count: 1 row(s) are NULL, which INT64 cannot be"


# --- schemas that are not as described ----------------------------------------------------------------------


def sink_without(service, *path):
    fields = service.tables[REQUESTS]["schema"]["fields"]
    for name in path[:-1]:
        fields = next(f for f in fields if f["name"] == name)["fields"]
    fields[:] = [f for f in fields if f["name"] != path[-1]]


def test_a_column_that_is_gone(sink, open_warehouse):
    sink_without(sink, "httpRequest", "latency")
    error = failure(lambda: open_warehouse().definition("requests"))
    first = f"{SAID_AT}: {REQUESTS} has no column httpRequest.latency; did you mean 'httprequest.status'?"
    assert error.splitlines()[0] == first
    assert error.splitlines()[1].startswith(f"{REQUESTS} has: httprequest, httprequest.requestmethod,")
    assert sink.inserted() == []


def test_all_columns_that_are_gone_are_named_at_once(sink, open_warehouse):
    sink_without(sink, "timestamp")
    sink_without(sink, "httpRequest", "status")
    error = failure(lambda: open_warehouse().definition("requests"))
    assert (
        f"{SAID_AT}: {REQUESTS} has no column timestamp; it is required: map it in tables.requests.columns.timestamp"
        in error
    )
    assert f"{SAID_AT}: {REQUESTS} has no column httpRequest.status" in error


def test_a_misspelt_column(service, open_warehouse):
    error = failure(
        lambda: open_warehouse(columns={"service_name": "resource.labels.service_nam"}).definition("requests")
    )
    assert "no column resource.labels.service_nam; did you mean 'resource.labels.service_name'?" in error


WRONG_TYPES = {
    "latency as text": (
        {
            "httpRequest": {
                "requestMethod": "STRING",
                "requestUrl": "STRING",
                "status": "INTEGER",
                "latency": "STRING",
            }
        },
        "column duration_seconds must be FLOAT64, but httpRequest.latency is STRING in "
        f"{REQUESTS}\nConvert it in the warehouse file, tables.requests.columns.duration_seconds: write "
        "SAFE_CAST(REGEXP_EXTRACT(httpRequest.latency, r'^([0-9.eE+-]+)s?$') AS FLOAT64)",
    ),
    "latency as a duration": (
        {
            "httpRequest": {
                "requestMethod": "STRING",
                "requestUrl": "STRING",
                "status": "INTEGER",
                "latency": {"seconds": "INTEGER", "nanos": "INTEGER"},
            }
        },
        "column duration_seconds must be FLOAT64, but httpRequest.latency is STRUCT in "
        f"{REQUESTS}\nConvert it in the warehouse file, tables.requests.columns.duration_seconds: write "
        "httpRequest.latency.seconds + httpRequest.latency.nanos / 1e9",
    ),
    "status as text": (
        {"httpRequest": {"requestMethod": "STRING", "requestUrl": "STRING", "status": "STRING", "latency": "FLOAT"}},
        "column http_response_status_code must be INT64, but httpRequest.status is STRING in "
        f"{REQUESTS}\nConvert it in the warehouse file, tables.requests.columns.http_response_status_code: write "
        "SAFE_CAST(httpRequest.status AS INT64)",
    ),
    "time as a number": (
        {"timestamp": "INTEGER"},
        f"column timestamp must be TIMESTAMP, but timestamp is INT64 in {REQUESTS}\n"
        "Convert it in the warehouse file, tables.requests.columns.timestamp: write "
        "TIMESTAMP_SECONDS(timestamp), TIMESTAMP_MILLIS(timestamp) or TIMESTAMP_MICROS(timestamp)",
    ),
}


@pytest.mark.parametrize("case", WRONG_TYPES)
def test_a_column_of_another_type(sink, open_warehouse, case):
    changed, message = WRONG_TYPES[case]
    described = sink.tables[REQUESTS]["schema"]["fields"]
    sink.add_table("x.y.z", changed)
    for field in sink.tables["x.y.z"]["schema"]["fields"]:
        described[:] = [f for f in described if f["name"] != field["name"]] + [field]
    assert failure(lambda: open_warehouse().definition("requests")) == f"{SAID_AT}: {message}"
    assert sink.inserted() == []


def test_a_column_with_many_values_per_row(service, open_warehouse):
    fields = service.tables[REQUESTS]["schema"]["fields"]
    fields[:] = [f | {"mode": "REPEATED"} if f["name"] == "timestamp" else f for f in fields]
    service.answer(TYPES, {"http_route": "STRING"})
    assert "column timestamp must be TIMESTAMP, but timestamp is ARRAY<TIMESTAMP>" in failure(
        lambda: open_warehouse().definition("requests")
    )


def test_an_expression_of_another_type(service, open_warehouse):
    service.answer(TYPES, {"http_route": "BYTES"})
    error = failure(lambda: open_warehouse().definition("requests"))
    assert "column http_route must be STRING, but (REGEXP_EXTRACT(" in error
    assert "is BYTES in" in error


def test_an_expression_that_bigquery_refuses(service, open_warehouse):
    service.answer(TYPES, refused=(400, "invalidQuery", "Function not found: REGEX_EXTRACT at [4:6]"))
    error = failure(lambda: open_warehouse().definition("requests"))
    assert error == (
        f"{SAID_AT}: the mapping does not fit {REQUESTS}\n"
        "query requests_types failed in warehouse logs (parameters/warehouses/logs.yaml:1): Function not found: "
        "REGEX_EXTRACT at [4:6]"
    )


@pytest.mark.parametrize(
    ("type_", "given"),
    [
        ("DATETIME", "TIMESTAMP(`timestamp`, 'UTC') AS `timestamp`"),
        ("DATE", "TIMESTAMP(`timestamp`, 'UTC') AS `timestamp`"),
        ("TIMESTAMP", "`timestamp` AS `timestamp`"),
    ],
)
def test_civil_times_are_taken_as_utc(sink, open_warehouse, type_, given):
    for field in sink.tables[REQUESTS]["schema"]["fields"]:
        if field["name"] == "timestamp":
            field["type"] = type_
    assert f"  {given},\n" in open_warehouse().definition("requests")


def test_a_table_that_is_not_there(service, open_warehouse):
    del service.tables[REQUESTS]
    error = failure(lambda: open_warehouse().definition("requests"), QueryError)
    assert error == (
        f"looking at table {REQUESTS} failed in warehouse logs (parameters/warehouses/logs.yaml:1): Not found: Table "
        "aoba-logs:run_logs.run_googleapis_com_requests\n"
        "Correct the name in the warehouse file. What lies in another location than asia-northeast1 is not found "
        "either."
    )


# --- which days there are -----------------------------------------------------------------------------------

PARTITION = {"id": "STRING", "row_count": "INTEGER", "byte_count": "INTEGER", "changed_us": "INTEGER"}


def test_the_days_of_partitions(service, open_warehouse):
    rows = [
        ["20261026", 5, 900, 1_793_000_000_000_000],
        ["20261027", 6, 901, 1_793_000_000_000_001],
        ["__NULL__", 1, 1, 1],
        ["__UNPARTITIONED__", 9, None, 2],
    ]
    service.answer("INFORMATION_SCHEMA.PARTITIONS", PARTITION, rows)
    first, second = open_warehouse().parts("requests")
    assert service.statements() == [sent("requests_partitions")]
    assert str(first.path) == f"{REQUESTS}$20261026"
    assert first.version == "5-1793000000000000"
    assert first.bytes == 900
    assert first.days == ((date(2026, 10, 26), date(2026, 10, 26)),)
    assert second.days == ((date(2026, 10, 27), date(2026, 10, 27)),)


@pytest.mark.parametrize(
    ("id_", "first", "last"),
    [
        ("2026102623", date(2026, 10, 26), date(2026, 10, 26)),
        ("202602", date(2026, 2, 1), date(2026, 2, 28)),
        ("202612", date(2026, 12, 1), date(2026, 12, 31)),
        ("2028", date(2028, 1, 1), date(2028, 12, 31)),
    ],
)
def test_the_days_of_partitions_by_hour_month_and_year(service, open_warehouse, id_, first, last):
    service.answer("INFORMATION_SCHEMA.PARTITIONS", PARTITION, [[id_, 5, 900, 1]])
    (part,) = open_warehouse().parts("requests")
    assert part.days == ((first, last),)


def test_the_days_of_a_table_per_day(service, open_warehouse):
    service.answer("__TABLES__", PARTITION, [["20261026", 5, 900, 1], ["20261027", 6, 901, 2], ["_errors", 1, 1, 1]])
    address = "aoba-logs.run_logs.requests_*"
    service.add_table(
        "aoba-logs.run_logs.requests_20261027",
        {"timestamp": "TIMESTAMP", "service_name": "STRING", "http_route": "STRING"}
        | {"http_request_method": "STRING", "http_response_status_code": "INTEGER"},
    )
    warehouse = open_warehouse(columns={}, address=address)
    parts = warehouse.parts("requests")
    assert service.statements() == [sent("requests_shards")]
    assert [str(part.path) for part in parts] == [
        "aoba-logs.run_logs.requests_20261026",
        "aoba-logs.run_logs.requests_20261027",
    ]
    assert warehouse.definition("requests") == sent("sharded_requests")
    assert "_TABLE_SUFFIX" not in warehouse.definition("requests", is_bounded=False)


COUNTED = {"day_us": "INTEGER", "row_count": "INTEGER", "first_us": "INTEGER", "last_us": "INTEGER"}
MIDNIGHT_US = 1_792_972_800_000_000  # 2026-10-26T00:00:00Z


@pytest.mark.parametrize(
    "described",
    [
        {"type": "VIEW"},
        {"type": "TABLE"},
        {"type": "TABLE", "timePartitioning": {"type": "DAY", "field": "receiveTimestamp"}},
    ],
)
def test_the_days_of_anything_else_are_counted(sink, open_warehouse, described):
    resource = sink.tables[REQUESTS]
    resource.pop("timePartitioning")
    resource |= described
    sink.answer("COUNT(*) AS row_count", COUNTED, [[MIDNIGHT_US, 5, MIDNIGHT_US + 1, MIDNIGHT_US + 7]])
    warehouse = open_warehouse()
    assert not warehouse.knows_its_days("requests")
    window = Window(WINDOW.start + SECOND, WINDOW.end - SECOND)
    (part,) = warehouse.parts("requests", window=window)
    assert sink.statements() == [sent("requests_days")]
    given = {p["name"]: p["parameterValue"]["value"] for p in sink.inserted()[0]["query"]["queryParameters"]}
    assert given == {"start": "2026-10-26 00:00:00+00:00", "end": "2026-10-27 00:00:00+00:00"}
    assert part.days == ((date(2026, 10, 26), date(2026, 10, 26)),)
    assert part.version == f"5-{MIDNIGHT_US + 1}-{MIDNIGHT_US + 7}"
    with pytest.raises(DataError, match="not partitioned by the column behind timestamp"):
        warehouse.parts("requests")


def test_of_incidents_all_are_read_wherever_they_lie():
    """One that began and was written down long before a window may last into it."""
    contract = RAW_TABLES["incidents"]
    schema = {name: column.type for name, column in contract.columns.items()}
    for address, unit in (("ops.logs.incidents", "DAY"), ("ops.logs.incidents_*", "")):
        sql = BigQueryTable(contract, address, "here", ingested_by=unit).definition(schema, {})
        assert sql.endswith(f"FROM `{address}`")


def test_when_a_companion_changed(service, open_warehouse):
    address = "aoba-logs.ops.deploys"
    service.add_table(address, {"deployed_at": "TIMESTAMP", "service_name": "STRING"})
    warehouse = open_warehouse(deployments=address)
    versions = [warehouse.version("deployments")]
    assert warehouse.version("deployments") == versions[0]
    for change in (
        {"lastModifiedTime": "1793200000001"},
        {"numRows": "11"},
        {"streamingBuffer": {"estimatedRows": "3"}},
    ):
        service.tables[address] |= change
        versions.append(warehouse.version("deployments"))
    assert len(set(versions)) == 4
    assert service.inserted() == []
    assert warehouse.version("alerts") == ""


def test_when_what_a_view_shows_has_changed(service, open_warehouse):
    address = "aoba-logs.ops.deploys"
    service.add_table(address, {"deployed_at": "TIMESTAMP", "service_name": "STRING"}, type="VIEW")
    answer = service.answer("FARM_FINGERPRINT", {"n": "INTEGER", "contents": "INTEGER"}, [[2, 77]])
    warehouse = open_warehouse(deployments=address)
    before = warehouse.version("deployments")
    assert warehouse.version("deployments") == before
    assert service.statements()[0] == sent("deployments_version")
    answer.rows = [[2, 78]]
    assert warehouse.version("deployments") != before


def test_what_a_table_is_taken_from(open_warehouse):
    mappings = [
        open_warehouse().mapping("requests"),
        open_warehouse(where="TRUE").mapping("requests"),
        open_warehouse(columns={}).mapping("requests"),
        open_warehouse(address="aoba-logs.run_logs.other").mapping("requests"),
    ]
    assert len(set(mappings)) == 4
    assert open_warehouse().mapping("requests") == mappings[0]
    assert open_warehouse().mapping("alerts") == ""


# --- ad hoc -------------------------------------------------------------------------------------------------


def test_ad_hoc_sql(sink, open_warehouse):
    sink.answer("GROUP BY status", {"status": "INTEGER", "n": "INTEGER"}, [[200, 5], [None, 1]], bytes=7)
    warehouse = open_warehouse()
    text = (
        "-- which?\nWITH r AS (SELECT * FROM requests WHERE timestamp >= @since)\n"
        "SELECT status, n FROM r GROUP BY status"
    )
    frame = warehouse.sql(text, since=WINDOW.start, services=["shop"], share=0.5, limit=3, whole=True, name="x")
    assert frame["status"].tolist() == [200, pd.NA]
    assert frame["n"].tolist() == [5, 1]
    assert sink.statements()[0] == sent("ad_hoc")
    types = {p["name"]: p["parameterType"]["type"] for p in sink.inserted()[0]["query"]["queryParameters"]}
    assert types == {
        "since": "TIMESTAMP",
        "services": "ARRAY",
        "share": "FLOAT64",
        "limit": "INT64",
        "whole": "BOOL",
        "name": "STRING",
    }
    assert warehouse.queries[-1].name == "sql"


def test_ad_hoc_sql_reads_only(service, open_warehouse):
    service.answer("DROP TABLE", kind="DROP_TABLE")
    error = failure(lambda: open_warehouse().sql("DROP TABLE minute_counts"), QueryError)
    assert "sql() takes one statement that reads (SELECT, WITH), found DROP_TABLE" in error
    assert service.inserted() == []


@pytest.mark.parametrize("value", [datetime(2026, 10, 26), [], [1, "a"], None, object()])  # noqa: DTZ001
def test_a_value_that_cannot_be_a_parameter(service, open_warehouse, value):
    assert "parameter @x: " in failure(lambda: open_warehouse().sql("SELECT @x", x=value), QueryError)
    assert service.inserted() == []


# --- the small tables ---------------------------------------------------------------------------------------


def test_the_small_tables_are_made_once(service, open_warehouse):
    open_warehouse().ensure_small_tables()
    open_warehouse().ensure_small_tables()
    assert service.asked("POST", "/tables") == 2
    made = service.tables["aoba-sre.shokubai.minute_counts"]
    assert made["timePartitioning"] == {"type": "DAY", "field": "minute"}
    assert made["clustering"] == {"fields": ["service_name"]}
    assert made["requirePartitionFilter"] is True
    assert [(f["name"], f["type"]) for f in made["schema"]["fields"]][:6] == [
        ("minute", "TIMESTAMP"),
        ("service_name", "STRING"),
        ("http_request_method", "STRING"),
        ("http_route", "STRING"),
        ("http_response_status_code", "INT64"),
        ("request_count", "INT64"),
    ]
    assert made["schema"]["fields"][-1]["name"] == "made_from"
    assert service.tables["aoba-sre.shokubai.hour_latency"]["timePartitioning"] == {"type": "DAY", "field": "hour"}


def test_two_that_make_them_at_once(service, open_warehouse):
    service.fail("GET", "minute_counts$", status=404, reason="notFound", message="Not found: Table", times=2)
    open_warehouse().ensure_small_tables()
    open_warehouse().ensure_small_tables()  # looked before the other one was ready, and is told that it is there
    assert service.asked("POST", "/tables") == 3


def test_a_table_of_another_version_is_left_alone(service, open_warehouse):
    service.add_table("aoba-sre.shokubai.minute_counts", {"minute": "TIMESTAMP"})
    error = failure(open_warehouse().ensure_small_tables)
    assert "aoba-sre.shokubai.minute_counts is not a table that this version of Shokubai made" in error
    assert service.asked("POST", "/tables") == 0


@pytest.mark.parametrize(
    "expiring",
    [
        {"expirationTime": "1893456000000"},
        {"timePartitioning": {"type": "DAY", "field": "minute", "expirationMs": "5184000000"}},
    ],
)
def test_small_tables_that_expire_are_refused(service, open_warehouse, expiring):
    """In a sandbox they would lose their days, and every run would scan them again."""
    open_warehouse().ensure_small_tables()
    service.tables["aoba-sre.shokubai.minute_counts"] |= expiring
    with pytest.raises(DataError, match="minute_counts expires, and days that are gone would be scanned again"):
        open_warehouse().ensure_small_tables()


def test_the_dataset_is_missing(service, open_warehouse):
    message = "Not found: Dataset aoba-sre:shokubai"
    for method in ("GET", "POST"):
        service.fail(method, "/datasets/shokubai/tables", status=404, reason="notFound", message=message)
    error = failure(open_warehouse().ensure_small_tables, QueryError)
    assert "bq --location=asia-northeast1 mk --dataset aoba-sre:shokubai" in error
