"""CSV, JSON lines and Parquet by a column mapping."""

import gzip
import json

import duckdb
import pytest

from shokubai.core.errors import UsageError
from shokubai.ingest import read_mapping

ALL = ("timestamp", "http_route", "http_request_method", "http_response_status_code", "duration_seconds")


def test_columns_and_expressions(write, importing, rows):
    file = write(
        "time_local,verb,uri,code,duration_ms,ip",
        "17/May/2015:19:05:03 +0900,GET,/v1/users/42?x=1,200,250,192.0.2.7",
        "17/May/2015:10:05:04 +0000,BREW,/pot,418,-1,",
        name="log.csv",
    )
    summary = importing(
        file,
        mapping=read_mapping(
            columns=[
                "timestamp=time_local",
                "http_request_method=verb",
                "http_route=uri",
                "http_response_status_code=code",
                "duration_seconds=duration_ms/1000",
                "user_key=ip",
                "region='tokyo'",
            ]
        ),
    )
    assert rows(*ALL, "region") == [
        ("2015-05-17T10:05:03.000000", "/v1/users/{id}", "GET", 200, 0.25, "tokyo"),
        ("2015-05-17T10:05:04.000000", "/pot", "_OTHER", 418, None, "tokyo"),
    ]
    assert [key is None or len(key) == 32 for (key,) in rows("user_key")] == [True, True]
    assert summary.sources[0].kind == "CSV"


@pytest.mark.parametrize(
    ("written", "zone", "expected"),
    [
        ("2022-08-22T03:52:19.209875609Z", "UTC", "2022-08-22T03:52:19.209876"),
        ("2022-08-22T12:52:19+09:00", "UTC", "2022-08-22T03:52:19.000000"),
        ("2022-08-22 12:52:19", "Asia/Tokyo", "2022-08-22T03:52:19.000000"),
        ("2022-08-22 03:52:19.5", "UTC", "2022-08-22T03:52:19.500000"),
        # the hour that New York has twice: the first or the second, but no other
        ("2022-07-01 00:00:00", "America/New_York", "2022-07-01T04:00:00.000000"),
        ("2022-12-01 00:00:00", "America/New_York", "2022-12-01T05:00:00.000000"),
        ("1661140339", "UTC", "2022-08-22T03:52:19.000000"),
        ("1661140339.25", "UTC", "2022-08-22T03:52:19.250000"),
        ("1661140339250", "UTC", "2022-08-22T03:52:19.250000"),
        ("1661140339209875", "UTC", "2022-08-22T03:52:19.209875"),
        ("1661140339209875609", "UTC", "2022-08-22T03:52:19.209875"),
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_times_as_logs_write_them(tmp_path, importing, rows, written, zone, expected, as_text):
    file = tmp_path / "log.jsonl" if as_text else tmp_path / "log.csv"
    file.write_text(json.dumps({"timestamp": written}) + "\n" if as_text else f"timestamp,x\n{written},1\n")
    importing(file, source_zone=zone)
    (found,) = rows("timestamp")[0]
    assert found[:25] == expected[:25]  # the tenth of a microsecond may be rounded or cut


def test_json_lines_of_nginx(write, importing, rows, outputs):
    file = write(
        json.dumps({"time": "2015-05-17T10:05:03+00:00", "uri": "/a", "status": "200", "request_time": "0.012"}),
        json.dumps({"time": "2015-05-17T10:05:04+00:00", "uri": "/b", "status": "502", "request_time": "-"}),
        '{"time": "2015-05-17T10:05:05+00:00", "uri": ',
        "[1, 2]",
        json.dumps({"time": "yesterday", "uri": "/c"}),
        json.dumps({"time": "2015-05-17T10:05:06+00:00", "uri": None}),
        name="access.jsonl",
    )
    summary = importing(
        file,
        mapping=read_mapping(
            columns=[
                "timestamp=time",
                "http_route=uri",
                "http_response_status_code=status",
                "duration_seconds=request_time",
            ]
        ),
    )
    assert rows("http_route", "http_response_status_code", "duration_seconds") == [
        ("/a", 200, 0.012),
        ("/b", 502, None),
        ("{unknown}", None, None),
    ]
    assert (summary.read_count, summary.parsed_count, summary.rejected_count) == (6, 3, 3)
    kept = (outputs / "imports/shop/rejected/access.jsonl.txt").read_text().splitlines()
    assert [text.split("\t")[:2] for text in kept] == [
        ["3", "is no JSON"],
        ["4", "is no JSON object"],
        ["5", "the timestamp is missing or is no time"],
    ]


def test_a_parquet_file_with_the_contract_s_names_needs_no_mapping(tmp_path, importing, rows):
    file = tmp_path / "requests.parquet"
    duckdb.sql(
        "COPY (SELECT TIMESTAMPTZ '2026-10-30 00:00:00+00' AS timestamp, '/v1/x' AS http_route, 'GET' AS "
        "http_request_method, 200 AS http_response_status_code, 0.5 AS duration_seconds, 'web' AS service_name) "
        f"TO '{file}'"
    )
    importing(file, service=None)
    assert rows(*ALL, "service_name") == [("2026-10-30T00:00:00.000000", "/v1/x", "GET", 200, 0.5, "web")]


def test_lines_that_are_no_csv_are_rejected_with_number_and_reason(write, importing, rows, outputs):
    file = write(
        "timestamp,http_route",
        "2022-01-01 00:00:00,/a",
        "2022-01-01 00:00:01,/b,extra",
        "2022-01-01 00:00:02,/c",
        name="log.csv",
    )
    summary = importing(file)
    assert (summary.read_count, summary.parsed_count, summary.rejected_count) == (3, 2, 1)
    assert rows("http_route") == [("/a",), ("/c",)]
    assert (outputs / "imports/shop/rejected/log.csv.txt").read_text().startswith("3\ttoo many columns")


def test_rows_with_one_key_count_once_and_rows_without_it_stay(write, importing, rows):
    header = "timestamp,http_route,trace,span"
    first = write(
        header,
        "2022-01-01 00:00:00,/a,t1,s1",
        "2022-01-01 00:00:01,/b,t1,s1",
        "2022-01-01 00:00:02,/c,t1,s2",
        name="1.csv",
    )
    second = write(
        header,
        "2022-01-01 00:00:03,/d,t1,s2",
        "2022-01-01 00:00:04,/e,,s9",
        "2022-01-01 00:00:05,/f,,s9",
        name="2.csv",
    )
    summary = importing(first, second, mapping=read_mapping(unique=["trace", "span"]))
    assert rows("http_route") == [("/a",), ("/c",), ("/e",), ("/f",)]
    assert summary.duplicate_count == 2


def test_a_condition_leaves_rows_out_and_says_how_many(write, importing, rows):
    file = write(
        "timestamp,kind,http_route", "2022-01-01 00:00:00,server,/a", "2022-01-01 00:00:01,client,/b", name="log.csv"
    )
    summary = importing(file, mapping=read_mapping(where="kind = 'server'"))
    assert rows("http_route") == [("/a",)]
    assert (summary.read_count, summary.parsed_count, summary.sources[0].left_out_count) == (2, 1, 1)


def test_compressed_csv(tmp_path, importing, rows):
    file = tmp_path / "log.csv.gz"
    file.write_bytes(gzip.compress(b"timestamp,http_route\n2022-01-01 00:00:00,/a\n"))
    importing(file)
    assert rows("http_route") == [("/a",)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["timestamp=tiem"], r'Referenced column "tiem" not found(.|\n)*Its columns are: time \('),
        (["timestamp=time; DROP TABLE x"], "must be one expression|syntax error"),
        (["timestamp=time", "duration_seconds=took +"], "syntax error"),
        ([], "nothing says what the timestamp is; give --column timestamp=COLUMN"),
    ],
)
def test_a_mapping_that_does_not_fit_says_what_the_file_has(write, importing, outputs, columns, message):
    file = write("time,took", "2022-01-01 00:00:00,1", name="log.csv")
    with pytest.raises(UsageError, match=message):
        importing(file, mapping=read_mapping(columns=columns))
    assert not outputs.exists()


def test_mapping_files(tmp_path):
    file = tmp_path / "mapping.yaml"
    file.write_text("columns: {timestamp: t, duration_seconds: ms/1000}\nwhere: kind = 'server'\nunique: [a, b]\n")
    mapping = read_mapping(file, columns=["timestamp=u"])  # the command line wins
    assert dict(mapping.columns) == {"timestamp": "u", "duration_seconds": "ms/1000"}
    assert (mapping.where, mapping.unique) == ("kind = 'server'", ("a", "b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colums: {}", "did you mean 'columns'"),
        ("columns: {duration: ms}", "the request log has no column 'duration'"),
        ("columns: [a]", "columns maps the request log's columns"),
        ("unique: a", "unique is a list"),
        ("- a", "a mapping file has the keys"),
    ],
)
def test_broken_mapping_files_say_what_is_allowed(tmp_path, text, message):
    file = tmp_path / "mapping.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_mapping(file)


def test_column_without_equals_is_refused():
    with pytest.raises(UsageError, match="write it as NAME=COLUMN"):
        read_mapping(columns=["timestamp"])


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_an_expression_that_fails_on_a_value_names_the_file(write, importing, outputs, name):
    lines = ["timestamp,code", "2022-01-01 00:00:00,abc"]
    if name == "log.jsonl":
        lines = [json.dumps({"timestamp": "2022-01-01 00:00:00", "code": "abc"})]
    with pytest.raises(UsageError, match=rf"{name}: cannot be read as .*Could not convert"):
        importing(
            write(*lines, name=name),
            mapping=read_mapping(columns=["http_response_status_code=CAST(code AS INTEGER)"]),
        )
    assert not outputs.exists()
