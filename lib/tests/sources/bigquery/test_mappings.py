"""Tables with a ready mapping: the definition that is sent, what identifies it, and tables of another shape."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from shokubai.core.errors import DataError
from shokubai.core.windows import Window
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse
from shokubai.tables.contracts import SMALL_TABLES

WINDOW = Window(datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC))
SENT = Path(__file__).parent / "sent"


def fixtures_module() -> ModuleType:
    path = Path(__file__).parents[2] / "mappings" / "fixtures.py"
    spec = importlib.util.spec_from_file_location("mapping_fixtures", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


fixtures = fixtures_module()
TYPES = dict.fromkeys(
    ("service_name", "http_route", "http_request_method", "region", "service_version", "trace_id"), "STRING"
) | {"timestamp": "TIMESTAMP", "http_response_status_code": "INTEGER", "duration_seconds": "FLOAT"}
TYPES |= {"metric_name": "STRING", "unit": "STRING", "value": "FLOAT", "limit_value": "FLOAT"}
# The sum of three NUMERIC is one.
OTHER_TYPES = {"aws_alb_text": {"duration_seconds": "NUMERIC"}}


@pytest.fixture
def open_fixture(service, connect):
    """A warehouse over a fixture's table; ``changes`` are of the table as a warehouse file describes it."""

    def make(fixture, **changes):
        service.tables[fixture.address] = api_table(fixture)
        service.answer("SELECT * FROM", TYPES | OTHER_TYPES.get(fixture.name, {}))
        table = replace(fixture.described(), **changes)
        return BigQueryWarehouse("logs", [table], jobs=connect(), small=tuple(SMALL_TABLES.values()))

    return make


def api_table(fixture):
    project, dataset, table = fixture.address.rsplit(".", 2)
    return {
        "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
        "type": "TABLE",
        "schema": {"fields": fixture.schema},
        "lastModifiedTime": "1793200000000",
        "numRows": "10",
        **fixture.resource,
    }


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_the_definition_that_is_sent(open_fixture, name):
    fixture = fixtures.load(name)
    sent = SENT / f"mapping_{name}.sql"
    assert open_fixture(fixture).definition(fixture.table) + "\n" == sent.read_text(encoding="utf-8")


def test_columns_go_before_the_mapping_and_where_beside_its_conditions(open_fixture):
    fixture = fixtures.load("cloud_run_sink")
    sql = open_fixture(
        fixture, columns={"region": "UPPER(resource.labels.location)"}, where="severity = 'INFO' OR TRUE"
    ).definition("requests")
    assert "(UPPER(resource.labels.location)) AS `region`" in sql
    assert sql.endswith("WHERE (resource.type = 'cloud_run_revision')\n  AND (severity = 'INFO' OR TRUE)")


def test_what_a_column_is_mapped_to_by_hand_need_not_be_there_as_the_mapping_says(open_fixture):
    fixture = fixtures.load("cloud_run_sink").without("httpRequest.requestUrl")
    with pytest.raises(DataError, match=r"column http_route: httpRequest.requestUrl \(STRING\) is missing"):
        open_fixture(fixture).definition("requests")
    sql = open_fixture(fixture, columns={"http_route": "'/'"}).definition("requests")
    assert "('/') AS `http_route`" in sql


def test_the_days_of_a_table_partitioned_by_its_timestamp_are_known(open_fixture):
    fixture = fixtures.load("cloud_run_sink")
    assert open_fixture(fixture).knows_its_days("requests")
    by_ingestion = replace(fixture, resource={"timePartitioning": {"type": "DAY"}})
    assert not open_fixture(by_ingestion).knows_its_days("requests")
    assert not open_fixture(fixture, columns={"timestamp": "TIMESTAMP(receiveTimestamp)"}).knows_its_days("requests")


def test_the_days_of_a_table_partitioned_by_ingestion_are_counted(service, open_fixture):
    fixture = replace(fixtures.load("cloud_run_sink"), resource={"timePartitioning": {"type": "DAY"}})
    warehouse = open_fixture(fixture)
    since = "TIMESTAMP_TRUNC(TIMESTAMP_SUB(@start, INTERVAL 24 HOUR), DAY, 'UTC')"
    assert warehouse.definition("requests").endswith(f"AND (_PARTITIONTIME IS NULL OR _PARTITIONTIME >= {since})")
    assert "_PARTITIONTIME" not in warehouse.definition("requests", is_bounded=False)
    assert "_PARTITIONTIME" not in open_fixture(fixtures.load("cloud_run_sink")).definition("requests")
    columns = dict.fromkeys(("day_us", "row_count", "first_us", "last_us"), "INTEGER")
    at = 1_792_972_800_000_000  # 2026-10-26
    service.answer("AS day_us", columns, [[at, 5, at + 1, at + 2]])
    (part,) = warehouse.parts("requests", window=WINDOW)
    assert part.version == f"5-{at + 1}-{at + 2}"


def test_tables_sharded_by_day(service, open_fixture):
    """The newest shard says what the columns are; its siblings are read by their suffix."""
    fixture = fixtures.load("cloud_run_sink")
    newest = replace(fixture, address=f"{fixture.address}_20261027", resource={})
    service.answer(
        "__TABLES__",
        {"id": "STRING", "row_count": "INTEGER", "byte_count": "INTEGER", "changed_us": "INTEGER"},
        [["20261026", 5, 900, 1], ["20261027", 6, 900, 1]],
    )
    warehouse = open_fixture(newest, address=f"{fixture.address}_*")
    sql = warehouse.definition("requests")
    assert f"FROM `{fixture.address}_*`\nWHERE (resource.type = 'cloud_run_revision')\n  AND _TABLE_SUFFIX" in sql
    assert warehouse.knows_its_days("requests")


def test_what_identifies_a_mapping(open_fixture):
    """Its text does, and what is said beside it; not the schema, since a new column gives old days no other rows."""
    fixture = fixtures.load("cloud_run_sink")
    whole = open_fixture(fixture).mapping("requests")
    assert "httpRequest.latency" in whole and "cloud_run_sink" in whole
    assert open_fixture(fixture.without("trace")).mapping("requests") == whole
    assert open_fixture(fixture.retyped("httpRequest.latency", "STRING")).mapping("requests") == whole
    other = replace(fixture.described().mapping, rows=())
    changed = [
        open_fixture(fixture, mapping=other),
        open_fixture(fixture, where="TRUE"),
        open_fixture(fixture, columns={"region": "'x'"}),
    ]
    assert len({whole, *(each.mapping("requests") for each in changed)}) == 4


# --- other shapes -------------------------------------------------------------------------------------------

WHERE = "warehouse logs (parameters/warehouses/logs.yaml:7): table requests: "
CLOUD_RUN = "aoba-logs.run_logs.run_googleapis_com_requests does not fit mapping cloud_run_sink: "
ADVICE = (
    "\nMap what is called otherwise in tables.requests.columns, or see what fits: "
    "`shokubai doctor WAREHOUSE --table aoba-logs.run_logs.run_googleapis_com_requests`"
)


def test_missing_fields_are_named_all_at_once(open_fixture):
    fixture = fixtures.load("cloud_run_sink").without("httpRequest.status", "resource.labels.service_name")
    with pytest.raises(DataError) as raised:
        open_fixture(fixture).definition("requests")
    assert str(raised.value) == (
        f"{WHERE}{CLOUD_RUN}column service_name: resource.labels.service_name (STRING) is missing\n"
        f"{WHERE}{CLOUD_RUN}column http_response_status_code: httpRequest.status (INT64) is missing{ADVICE}"
    )


def test_a_field_of_another_type(open_fixture):
    fixture = fixtures.load("cloud_run_sink").retyped("httpRequest.status", "STRING")
    with pytest.raises(DataError) as raised:
        open_fixture(fixture).definition("requests")
    assert str(raised.value) == (
        f"{WHERE}{CLOUD_RUN}column http_response_status_code: httpRequest.status is STRING, not INT64{ADVICE}"
    )


def test_an_optional_field_of_a_type_that_nobody_expects_is_not_simply_left_out(open_fixture):
    fixture = fixtures.load("cloud_run_sink").retyped("httpRequest.latency", "BYTES")
    with pytest.raises(DataError) as raised:
        open_fixture(fixture).definition("requests")
    assert str(raised.value) == (
        f"{WHERE}{CLOUD_RUN}column duration_seconds: httpRequest.latency is BYTES, not FLOAT64 or NUMERIC, or "
        f"httpRequest.latency is BYTES, not STRING{ADVICE}"
    )


def test_a_latency_that_drifts_from_a_number_to_text(open_fixture):
    fixture = fixtures.load("cloud_run_sink")
    assert "IF(httpRequest.latency >= 0 AND" in open_fixture(fixture).definition("requests")
    drifted = open_fixture(fixture.retyped("httpRequest.latency", "STRING")).definition("requests")
    assert "SAFE_CAST(REGEXP_EXTRACT(httpRequest.latency, r'^([0-9.eE+-]+)s$') AS FLOAT64)" in drifted


def test_another_table_of_the_contract(open_fixture):
    """A metrics table whose values are text has no number to give."""
    fixture = fixtures.load("monitoring_export").without("point.value.int64_value", "point.value.double_value")
    with pytest.raises(
        DataError, match=r"column value: point.value.double_value \(FLOAT64\) is missing; point.value"
    ):
        open_fixture(fixture).definition("metrics")
