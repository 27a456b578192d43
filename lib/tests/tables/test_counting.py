"""What one pass over the log counts is, row by row and type by type, what the shipped statements give."""

import itertools
import math
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shokubai.core.sketch import GAMMA, SMALLEST_SECONDS, ZERO_KEY
from shokubai.core.windows import Window
from shokubai.sources import DuckDbWarehouse, FileTable, load_query
from shokubai.sources.results import ARROW_TYPES
from shokubai.tables import Tables, counting
from shokubai.tables.contracts import OPTIONAL_COLUMNS, REQUESTS, SMALL_TABLES
from shokubai.tables.store import HOUR_US, MINUTE_US, QUERY_PACKAGE

MIDNIGHT = datetime(2026, 10, 26, tzinfo=UTC)
DAYS = 3
WINDOW = Window(MIDNIGHT, MIDNIGHT + timedelta(days=DAYS))
# A service for each number of thresholds; one that the log does not know, and services that the thresholds do not.
THRESHOLDS = {
    "one": (0.3,),
    "two": (0.1, 0.3),
    "three": (0.1, 0.3, 1.0),
    "表示-four": (0.1, 0.3, 1.0, 2.5),
    "no": (1,),
}
SERVICES = ["none", "one", "two", "three", "表示-four", "😀", "ﬁ", "", None]
BORDERS = [0.1, 0.3, 1.0, 2.5, SMALLEST_SECONDS, *(GAMMA**k for k in (-900, -46, -1, 0, 1, 7, 46, 460))]
NEIGHBOURS = [math.nextafter(border, towards) for border in BORDERS for towards in (0, math.inf)]
DURATIONS = [
    *BORDERS,
    *NEIGHBOURS,
    0.0,
    -0.0,
    5e-324,
    1e300,
    1.7e308,
    -1.0,
    math.nan,
    math.inf,
    -math.inf,
    None,
    None,
]


def awkward_log(rows):
    """Requests at the edges of minutes, hours, days, thresholds and buckets, some outside of the window."""
    chance = random.Random(11)
    minutes = [-1, 0, 0, 1, 59, 60, 1439, 1440, 2 * 1440 - 1, DAYS * 1440 - 1, DAYS * 1440]
    seconds = [0.0, 0.000001, 29.999999, 30.0, 30.000001, 59.999999]
    choices = {
        "service_name": SERVICES,
        "http_route": ["/items/{id}", "/注文/{id}", "", None],
        "http_request_method": ["GET", "POST", "_OTHER", None],
        "http_response_status_code": [None, -1, 0, 200, 404, 503, 2**40],
        "duration_seconds": DURATIONS,
    }
    columns = {name: [chance.choice(values) for _ in range(rows)] for name, values in choices.items()}
    stamps = [
        MIDNIGHT + timedelta(minutes=chance.choice(minutes), seconds=chance.choice(seconds)) for _ in range(rows)
    ]
    types = {name: ARROW_TYPES[REQUESTS.columns[name].type] for name in ("timestamp", *columns)}
    return pa.table({"timestamp": stamps, **columns}, schema=pa.schema(types.items()))


def entries():
    return [
        {"service_name": service}
        | {f"threshold_{n}_seconds": values[n - 1] if n <= len(values) else None for n in range(1, 5)}
        for service, values in THRESHOLDS.items()
    ]


def opened(folder, **settings):
    small = [
        FileTable(c, lambda n=name: tuple(sorted((folder / "tables" / n).glob("*.parquet"))), "here")
        for name, c in SMALL_TABLES.items()
    ]
    requests = FileTable(
        REQUESTS, lambda: tuple(sorted(folder.glob("*.parquet"))), "here", optional=OPTIONAL_COLUMNS["requests"]
    )
    tables = Tables(
        DuckDbWarehouse("w", [requests, *small], spill=folder / "spill"), folder=folder / "tables", **settings
    )
    tables._thresholds = entries()
    return tables


def shipped(warehouse, name):
    """The rows of a shipped statement, run in one go over everything."""
    span = {"start": WINDOW.start, "end": WINDOW.end}
    sketch = {"gamma": GAMMA, "smallest_seconds": SMALLEST_SECONDS, "zero_key": ZERO_KEY}
    given = {
        "minute_counts": {**span, "grain_us": MINUTE_US, "latency_thresholds": entries()},
        "hour_latency": {**span, "grain_us": HOUR_US, **sketch},
    }[name]
    return warehouse.select(load_query(QUERY_PACKAGE, name), SMALL_TABLES[name], given)


def built(folder, name):
    files = sorted((folder / "tables" / name).glob("*.parquet"))
    return pa.concat_tables([pq.read_table(file) for file in files])


def texts(table):
    return sorted(repr(row) for row in table.to_pylist())


@pytest.mark.parametrize("files", [1, 7])
@pytest.mark.parametrize("scan_bytes", [10**9, 1], ids=["all at once", "by the hour"])
def test_a_build_gives_the_rows_and_types_of_the_shipped_statements(tmp_path, scan_bytes, files):
    log = awkward_log(6000)
    for n in range(files):
        pq.write_table(log.take(list(range(n, len(log), files))), tmp_path / f"{n}.parquet")
    tables = opened(tmp_path, scan_bytes=scan_bytes)
    assert tables.build(WINDOW).rows_read > 4000
    for name in SMALL_TABLES:
        expected, found = shipped(tables.warehouse, name), built(tmp_path, name)
        assert len(expected) > 500
        assert found.schema == expected.schema
        assert texts(found) == texts(expected)


def test_a_day_file_is_in_order_of_service_then_time(tmp_path):
    pq.write_table(awkward_log(3000), tmp_path / "log.parquet")
    for scan_bytes in (10**9, 1):
        opened(tmp_path, scan_bytes=scan_bytes).build(WINDOW)
        for path in (tmp_path / "tables").glob("*/*.parquet"):
            rows = pq.read_table(path)
            time, service, *rest = rows.column_names[:5]
            keys = [
                tuple((v is not None, v or 0) if not isinstance(v, str) else (True, v) for v in key)
                for key in zip(*(rows.column(c).to_pylist() for c in (service, time, *rest)), strict=True)
            ]
            assert keys == sorted(set(keys))
        (tmp_path / "tables" / "state.json").unlink()


@pytest.mark.parametrize("distinct", [1, 5, 10**9])
def test_numbers_are_counted_alike_in_a_table_and_sorted(distinct):
    keys = np.random.default_rng(3).integers(0, distinct, 1000)
    expected = {int(key): len(list(same)) for key, same in itertools.groupby(sorted(keys))}
    for size in (max(distinct, 1), 10**12):
        found, counts = counting._distinct(keys.copy(), size)
        assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == expected
        assert found.tolist() == sorted(expected)


def test_a_day_without_a_request_in_the_window_gives_no_rows():
    nothing = pa.table({n: pa.array([], ARROW_TYPES[c.type]) for n, c in counting.REQUEST_GROUPS.columns.items()})
    counted = counting.count(nothing, [MIDNIGHT.date()], entries())
    assert {name: table.column_names for name, table in counted.items()} == {
        name: list(contract.columns) for name, contract in SMALL_TABLES.items()
    }
    assert [len(table) for table in counted.values()] == [0, 0]
