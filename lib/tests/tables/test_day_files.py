"""A report reads only its own services out of a day's file, however many others are in it."""

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pytest

from shokubai.sources import DuckDbWarehouse, FileTable, load_query
from shokubai.tables.contracts import HOUR_LATENCY, MINUTE_COUNTS
from shokubai.tables.day_files import ROW_GROUP_ROWS, in_order, write_day
from shokubai.tables.store import HOUR_US, QUERY_PACKAGE

DAY = datetime(2026, 10, 26, tzinfo=UTC)
SERVICES, STEPS = 400, 24 * 20
NAMES = [
    name.removesuffix(".sql")
    for name in sorted(f.name for f in files(QUERY_PACKAGE).iterdir())
    if name.endswith(".sql") and name not in ("services.sql", "minute_counts.sql", "hour_latency.sql")
]


@pytest.fixture(scope="module")
def of_many_services(tmp_path_factory):
    """A day of both small tables with 400 services, written as a build writes it."""
    folder = tmp_path_factory.mktemp("day")
    rows = SERVICES * STEPS
    numbers = np.arange(rows)
    times = pa.array([DAY + timedelta(minutes=3 * n) for n in range(STEPS)], pa.timestamp("us", "UTC"))
    given = {
        "minute": times.take(pa.array(numbers // SERVICES)),
        "hour": times.take(pa.array(numbers // SERVICES)),
        "service_name": pa.array([f"service-{n:03}" for n in range(SERVICES)]).take(pa.array(numbers % SERVICES)),
        "http_request_method": pa.repeat("GET", rows),
        "http_route": pa.repeat("/", rows),
        "http_response_status_code": pa.array(np.where(numbers % 2, 500, 200)),
    }
    tables = []
    for contract in (MINUTE_COUNTS, HOUR_LATENCY):
        types = {name: pa.float64() if c.type == "FLOAT64" else pa.int64() for name, c in contract.columns.items()}
        columns = {name: given.get(name, pa.repeat(1, rows).cast(types[name])) for name in types}
        path = folder / f"{contract.name}.parquet"
        write_day(in_order(pa.table(columns)), path)
        tables.append(FileTable(contract, lambda path=path: (path,), "here"))
    return DuckDbWarehouse("w", tables, spill=folder / "spill", threads=1)


def of_small_tables():
    return [
        n for n in NAMES if {"minute_counts", "hour_latency"} & set(load_query(QUERY_PACKAGE, n).translation.tables)
    ]


@pytest.mark.parametrize("name", of_small_tables())
def test_a_query_reads_only_the_row_groups_of_its_services(of_many_services, name):
    query = load_query(QUERY_PACKAGE, name)
    values = {
        "start": DAY,
        "end": DAY + timedelta(days=1),
        "service": "service-007",
        "services": ["service-006", "service-007"],
        "grain_us": HOUR_US,
        "slice_us": 60_000_000,
        "all_endpoints": True,
        "endpoints": [],
        "error_statuses": [500],
        "spans": [{"span": 0, "span_start": DAY, "span_end": DAY + timedelta(days=1)}],
        "threshold_seconds": 1.0,
    }
    for table in query.translation.tables:
        of_many_services._open(table, None)
    given = {parameter: values[parameter] for parameter in query.translation.parameters}
    plan = of_many_services._connection.sql(f"EXPLAIN ANALYZE {query.translation.duckdb}", params=given).fetchall()
    read, there = re.search(r"Row Groups Scanned: (\d+) / (\d+)", plan[0][1]).groups()
    assert (int(read), int(there)) == (1, -(-SERVICES * STEPS // ROW_GROUP_ROWS))
