"""The ready mappings over tables of true shape in BigQuery's emulator, through the real client.

The rows are those worked by hand beside each fixture's, and a day of the small tables counts them.
"""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from shokubai.config.model import BigQuery, Source, Warehouse
from shokubai.core.windows import Window
from shokubai.sources.bigquery_jobs import BigQueryJobs
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse
from shokubai.tables import read_metric_hours, read_route_counts
from shokubai.tables.checks import check_table
from shokubai.tables.contracts import RAW_TABLES, SMALL_TABLES
from shokubai.tables.dataset import DatasetTables

DAY = Window(datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC))


def fixtures_module() -> ModuleType:
    path = Path(__file__).parents[1] / "mappings" / "fixtures.py"
    spec = importlib.util.spec_from_file_location("mapping_fixtures_for_the_emulator", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


fixtures = fixtures_module()


@pytest.fixture
def opened(emulator):
    """The warehouse of a fixture's table, which is loaded from lines of JSON."""

    def make(fixture):
        from google.cloud import bigquery

        client = emulator.client
        address = f"aoba-logs.mapping_{fixture.name}.{fixture.address.rpartition('.')[2]}"
        client.create_dataset(address.rpartition(".")[0], exists_ok=True)
        config = bigquery.LoadJobConfig(
            source_format="NEWLINE_DELIMITED_JSON",
            schema=[bigquery.SchemaField.from_api_repr(column) for column in fixture.schema],
            write_disposition="WRITE_TRUNCATE",
        )
        if partitioning := fixture.resource.get("timePartitioning"):
            config.time_partitioning = bigquery.TimePartitioning(field=partitioning["field"])
        lines = io.BytesIO("\n".join(map(json.dumps, fixture.rows)).encode())
        client.load_table_from_file(lines, address, job_config=config).result()
        own = f"aoba-logs.mapping_{fixture.name}_small"
        client.create_dataset(own, exists_ok=True)
        settings = BigQuery("aoba-logs", "aoba-logs", "US", own, 2**40, 2**40, 6.25, "USD", 120)
        return BigQueryWarehouse(
            "w",
            [fixture.described(address)],
            jobs=BigQueryJobs(settings, where="warehouse w", endpoint=emulator.address),
            small=tuple(SMALL_TABLES.values()),
            absent=[name for name in RAW_TABLES if name != fixture.table],
        )

    return make


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_rows_are_those_worked_by_hand(opened, name):
    fixture = fixtures.load(name)
    found = opened(fixture).sql(f"SELECT * FROM {fixture.table}")
    assert list(found.columns) == list(RAW_TABLES[fixture.table].columns)
    rows = found.astype(object).where(found.notna(), None).itertuples(index=False)
    got = sorted((tuple(map(plain, row)) for row in rows), key=repr)
    assert got == fixture.expected


def plain(value):
    """The client's value as Python's."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime().astimezone(UTC)
    return value


REQUESTS = [name for name in fixtures.NAMES if fixtures.load(name).table == "requests"]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_day_is_counted(opened, name):
    fixture = fixtures.load(name)
    tables = DatasetTables(opened(fixture), folder=Path("/nowhere"))
    summary = tables.build(DAY)
    rows = [dict(zip(RAW_TABLES["requests"].columns, row, strict=True)) for row in fixture.expected]
    assert (summary.days_scanned, summary.rows_read) == ((date(2026, 10, 26),), len(rows))
    services = sorted({row["service_name"] for row in rows})
    counted = read_route_counts(tables, services, DAY)
    got = {
        (row.service_name, row.http_request_method, row.http_route): (row.request_count, row.duration_count)
        for row in counted.groupby(["service_name", "http_request_method", "http_route"], as_index=False)[
            ["request_count", "duration_count"]
        ]
        .sum()
        .itertuples()
    }
    requests, durations = Counter(), Counter()
    for row in rows:
        key = (row["service_name"], row["http_request_method"], row["http_route"] or "_OTHER")
        requests[key] += 1
        durations[key] += row["duration_seconds"] is not None
    assert got == {key: (requests[key], durations[key]) for key in requests}
    # The same log a second time: nothing of it is read.
    assert DatasetTables(tables.warehouse, folder=Path("/nowhere")).build(DAY).days_scanned == ()


def test_metrics_are_read_by_the_hour(opened):
    fixture = fixtures.load("monitoring_export")
    tables = DatasetTables(opened(fixture), folder=Path("/nowhere"))
    found = read_metric_hours(tables, ["shop"], Window(DAY.start, DAY.start + timedelta(hours=12)))
    got = [(row.metric_name.rpartition("/")[2], row.unit, row.mean_value) for row in found.itertuples()]
    assert sorted(got) == [
        ("instance_count", "{instance}", 12.0),
        ("request_latencies", "ms", 12.5),
        ("utilizations", "1", 0.75),
    ]


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_the_doctor_finds_the_mapping_of_a_table(opened, name):
    fixture = fixtures.load(name)
    warehouse = opened(fixture)
    address = next(iter(warehouse._tables.values())).address
    described = Warehouse("w", "bigquery", {}, Source(Path("w.yaml"), 1), warehouse.jobs.settings)
    tables = DatasetTables(warehouse, folder=Path("/nowhere"))
    found = list(check_table(described, tables, address, day=date(2026, 10, 26)))
    said = [str(each) for each in found]
    assert not [each for each in said if each.startswith("error")], said
    assert f"ok: mapping: {fixture.mapping} fits {address}" in "\n".join(said)
    assert found[-1].level == "note" and f"mapping: {fixture.mapping}}}" in "\n".join(map(str, found))
