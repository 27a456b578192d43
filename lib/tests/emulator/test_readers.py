"""Everything that readers can be asked, asked of BigQuery's emulator and of DuckDB, over the awkward log."""

from __future__ import annotations

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow.parquet as pq
import pytest

from shokubai.config.model import BigQuery
from shokubai.core.errors import DataError, ShokubaiError
from shokubai.core.windows import Window
from shokubai.sources.bigquery_jobs import BigQueryJobs
from shokubai.sources.bigquery_statement import Text
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse
from shokubai.tables import read_sample_requests, read_service_minutes
from shokubai.tables.contracts import OPTIONAL_COLUMNS, RAW_TABLES, SMALL_TABLES
from shokubai.tables.dataset import DatasetTables


def awkward() -> ModuleType:
    """The awkward log; these tests are no package."""
    path = Path(__file__).parents[1] / "googlesql" / "awkward.py"
    spec = importlib.util.spec_from_file_location("awkward_for_the_emulator", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def log():
    return awkward()


def opened(emulator, dataset, tables, slos):
    """The warehouse of a dataset's tables, with the small tables in a dataset beside it."""
    own = f"aoba-logs.{dataset}_small"
    emulator.client.create_dataset(own, exists_ok=True)
    settings = BigQuery("aoba-logs", "aoba-logs", "US", own, 2**40, 2**40, 6.25, "USD", 120)
    mapped = [
        BigQueryTable(RAW_TABLES[name], f"aoba-logs.{dataset}.{name}", "here", optional=OPTIONAL_COLUMNS[name])
        for name in tables
    ]
    warehouse = BigQueryWarehouse(
        "w",
        mapped,
        jobs=BigQueryJobs(settings, where="warehouse w", endpoint=emulator.address),
        small=tuple(SMALL_TABLES.values()),
        absent=[name for name in RAW_TABLES if name not in tables],
    )
    return DatasetTables(warehouse, folder=Path("/nowhere"), slos=slos)


def answer(read, arguments):
    try:
        return read(*arguments)
    except ShokubaiError as error:
        return error


@pytest.mark.parametrize("kind", ["awkward", "bare"])
def test_the_answers_are_those_of_duckdb(emulator, log, tmp_path, kind):
    duckdb = getattr(log, f"{kind}_project")(tmp_path / kind)
    names = [name for name in RAW_TABLES if list((tmp_path / kind).glob(f"{name}*.parquet"))]
    for name in names:
        files = sorted((tmp_path / kind).glob(f"{name}*.parquet"))
        time = {"requests": "timestamp", "metrics": "timestamp"}.get(name, "")
        emulator.load(f"aoba-logs.{kind}.{name}", files, partitioned_by=time)
    tables = opened(emulator, kind, names, log.objectives() if kind == "awkward" else ())
    asked = 0
    for (read, ours), (_, theirs) in zip(log.questions(tables), log.questions(duckdb), strict=True):
        got, wanted = answer(read, ours), answer(read_of(duckdb, read), theirs)
        where = f"{getattr(read, '__name__', read)} of {ours[1:]}"
        if read is read_sample_requests:  # a scan of the log for a few single requests: not worth its price
            assert got.empty
        elif isinstance(wanted, pd.DataFrame):
            assert isinstance(got, pd.DataFrame), f"{where}: {got}"
            pd.testing.assert_frame_equal(got, wanted, check_exact=False, rtol=1e-15, obj=where)
            asked += not wanted.empty
        elif isinstance(wanted, ShokubaiError):
            assert type(got) is type(wanted), f"{where}: {got}"
        elif read.__name__ == "build":
            assert (got.days_scanned, got.rows_read) == (wanted.days_scanned, wanted.rows_read)
        else:
            assert got == wanted, where
    assert asked > (40 if kind == "awkward" else 10)


def read_of(duckdb, read):
    """The same question to DuckDB: methods belong to the tables they are of."""
    return getattr(duckdb, read.__name__) if hasattr(read, "__self__") else read


def test_late_data_and_a_second_build(emulator, log, tmp_path):
    rows = log.requests()
    pq.write_table(rows, tmp_path / "requests.parquet")
    emulator.load("aoba-logs.late.requests", [tmp_path / "requests.parquet"], partitioned_by="timestamp")
    window = log.WINDOWS[0]
    first = opened(emulator, "late", ["requests"], ())
    days = first.build(window).days_scanned
    assert len(days) == 3
    assert opened(emulator, "late", ["requests"], ()).build(window).days_scanned == ()
    monday = Window(log.MIDNIGHT, log.MIDNIGHT + timedelta(days=1))
    before = read_service_minutes(first, ["shop"], monday)["request_count"].sum()
    at = rows.column("timestamp").to_pylist()
    late = rows.take([n for n, t in enumerate(at) if t in monday and rows["service_name"][n].as_py() == "shop"][:1])
    pq.write_table(late, tmp_path / "late.parquet")
    emulator.load("aoba-logs.late.requests", [tmp_path / "late.parquet"], partitioned_by="timestamp")
    again = opened(emulator, "late", ["requests"], ())
    assert again.build(window).days_scanned == (log.MIDNIGHT.date(),)
    assert read_service_minutes(again, ["shop"], monday)["request_count"].sum() == before + 1
    emulator.client.query("ALTER TABLE `aoba-logs.late.requests` DROP COLUMN http_route", location="US").result()
    with pytest.raises(DataError, match="has no column http_route"):
        opened(emulator, "late", ["requests"], log.objectives()).build(
            window
        )  # other thresholds: all is scanned again
    assert read_service_minutes(again, ["shop"], monday)["request_count"].sum() == before + 1


def test_a_day_is_not_read_without_bounds(emulator):
    """The small tables refuse a query that would read all of them."""
    from google.api_core.exceptions import BadRequest

    with pytest.raises(BadRequest, match="without a filter"):
        emulator.client.query("SELECT COUNT(*) FROM `aoba-logs.late_small.minute_counts`").result()


@pytest.mark.parametrize("over", ["Storage Read API", "REST"])
def test_many_rows_arrive_whole(emulator, monkeypatch, over):
    monkeypatch.delenv("BIGQUERY_STORAGE_EMULATOR_HOST", raising=False)
    if over == "Storage Read API":
        monkeypatch.setenv("BIGQUERY_STORAGE_EMULATOR_HOST", emulator.storage_address)
    settings = BigQuery("aoba-logs", "aoba-logs", "US", "aoba-logs.late_small", 2**40, 2**40, 6.25, "USD", 120)
    jobs = BigQueryJobs(settings, where="warehouse w", endpoint=emulator.address)
    sql = "SELECT n, CONCAT('route ', CAST(n AS STRING)) AS route FROM UNNEST(GENERATE_ARRAY(1, 120000)) AS n"
    sessions = []
    if client := jobs._emulated_storage:
        create = client.create_read_session
        monkeypatch.setattr(client, "create_read_session", lambda **a: sessions.append(a) or create(**a))
    rows = jobs.run(Text("many", sql)).rows
    assert len(sessions) == (over == "Storage Read API")
    assert sorted(rows.column("n").to_pylist()) == list(range(1, 120_001))
    assert set(rows.column("route").to_pylist()) == {f"route {n}" for n in range(1, 120_001)}
