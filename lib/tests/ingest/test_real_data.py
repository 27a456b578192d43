"""Real logs, with what their publishers and an independent look say about them."""

import re

import duckdb
import pytest

from shokubai.core.errors import UsageError
from shokubai.ingest import read_mapping, write_starter

pytestmark = pytest.mark.real_data

SPAN_COLUMNS = [
    "timestamp=StartTimeUnixNano",
    "duration_seconds=Duration/1e6",
    "http_route=OperationName",
    "trace_id=TraceID",
]


def test_the_elastic_example_log(real_data, importing, rows, outputs):
    summary = importing(real_data / "access_logs" / "apache_logs.log")
    assert (summary.read_count, summary.parsed_count, summary.repaired_count, summary.rejected_count) == (
        10_000,
        10_000,
        1,
        0,
    )
    assert summary.status_counts == {200: 9126, 206: 45, 301: 164, 304: 445, 403: 2, 404: 213, 416: 2, 500: 3}
    assert summary.first_at.isoformat() == "2015-05-17T10:05:00+00:00"
    assert summary.last_at.isoformat() == "2015-05-20T21:05:59+00:00"
    # 1632 / 2893 / 2896 / 2578 lines parse strictly; the repaired one is of the last day.
    per_day = duckdb.sql(
        "SELECT timezone('UTC', timestamp)::DATE::VARCHAR, count(*), count(DISTINCT user_key) "
        f"FROM read_parquet('{outputs}/imports/shop/requests/*/*.parquet', hive_partitioning = false) "
        "GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [(day, count) for day, count, _ in per_day] == [
        ("2015-05-17", 1632),
        ("2015-05-18", 2893),
        ("2015-05-19", 2896),
        ("2015-05-20", 2579),
    ]
    assert summary.duration_count == 0
    assert summary.route_count <= 200


def test_no_client_and_no_address_of_the_log_is_in_what_is_written(real_data, importing, rows, outputs):
    file = real_data / "access_logs" / "apache_logs.log"
    importing(file, max_routes=100_000)
    routes = {route for (route,) in rows("http_route")}
    assert len(routes) > 1000
    assert not [route for route in routes if re.search(r"\d{1,3}(\.\d{1,3}){3}", route) or "@" in route]
    clients = {line.split(" ", 1)[0] for line in file.read_text().splitlines()}
    values = {value for row in rows("http_route", "user_key") for value in row}
    assert not clients & values
    assert len({key for (key,) in rows("user_key")}) == len(clients)


def test_root_spans_of_online_boutique(real_data, importing, rows, outputs, tmp_path):
    file = real_data / "traces" / "2022-08-22_root_spans.csv.gz"
    whole = importing(file, mapping=read_mapping(columns=SPAN_COLUMNS))
    assert (whole.read_count, whole.row_count, whole.duplicate_count) == (19_210, 19_210, 0)
    quantiles = duckdb.sql(
        "SELECT quantile_cont(duration_seconds, [0.5, 0.95, 0.99]) "
        f"FROM read_parquet('{outputs}/imports/shop/requests/*/*.parquet', hive_partitioning = false)"
    ).fetchall()[0][0]
    assert [round(q * 1e6) for q in quantiles] == [201_838, 2_138_091, 6_120_680]
    assert whole.status_counts == {None: 19_210}

    once = importing(file, mapping=read_mapping(columns=SPAN_COLUMNS, unique=["TraceID", "SpanID"]))
    assert (once.row_count, once.duplicate_count) == (19_107, 103)
    assert len(rows("trace_id")) == 19_107  # imported again, and counted once
    starter = write_starter(once, directory=tmp_path / "parameters")
    assert "availability" not in next(f for f in starter.written if f.parent.name == "slos").read_text()


def test_a_binary_simulation_log_is_refused(real_data, importing, outputs):
    with pytest.raises(UsageError, match="is binary, not a text log"):
        importing(real_data / "load_tests" / "gatling" / "known_stats_simulation.log")
    assert not outputs.exists()


def test_jmeter_s_csv_is_a_table(real_data, importing, rows):
    file = real_data / "load_tests" / "jmeter" / "jmeter_HTMLReportTestFile.csv"
    columns = ["timestamp=timeStamp", "duration_seconds=elapsed/1000", "http_route=label"]
    summary = importing(file, mapping=read_mapping(columns=columns))
    assert summary.row_count == 255
    assert max(duration for (duration,) in rows("duration_seconds")) == 0.353
