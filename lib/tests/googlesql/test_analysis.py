"""Every shipped statement is GoogleSQL over the declared tables, and gives the columns that its reader declares."""

import sys
from importlib.resources import files

import pytest

from shokubai.sources import load_query
from shokubai.tables.contracts import RAW_TABLES, SMALL_TABLES

pytestmark = pytest.mark.googlesql

PACKAGE = "shokubai.tables.queries"
SHIPPED = sorted(f.name.removesuffix(".sql") for f in files(PACKAGE).iterdir() if f.name.endswith(".sql"))


def types(contract):
    return {name: column.type.removeprefix("NULLABLE_") for name, column in contract.columns.items()}


TABLES = {name: types(contract) for name, contract in {**RAW_TABLES, **SMALL_TABLES}.items()}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_statement_gives_the_columns_of_its_contract(googlesql, request, name):
    query = load_query(PACKAGE, name)
    columns = googlesql.analyse(query.text, tables=TABLES, parameters=query.types)
    for answer in request.getfixturevalue("answers")[name]:
        assert answer.query == query
        assert columns == list(types(answer.contract).items())


# In a copy of a shipped query, what to replace by what, and what GoogleSQL says to it.
SLIPS = [
    ("hour_latency", "duration_seconds IS", "duration IS", "Unrecognized name: duration"),
    ("service_minutes", "FROM minute_counts", "FROM counts", "Table not found: counts"),
    ("alerts", "UNNEST(@services)", "UNNEST(@service)", "Query parameter 'service' not found"),
    ("alerts", "service_name IN", "fired_at IN", "TIMESTAMP"),
    ("alerts", "@start TIMESTAMP", "@start INT64", "No matching signature for operator >="),
    ("endpoints", "minute >= @start", "minute >= '2026-10-26 25:00'", "Could not cast literal"),
    ("services", "service_name IS NOT NULL", "service_name > 0", "No matching signature for operator >"),
    ("route_latency", "SUM(request_count)", "SUM(request_count)::INT64", 'got ":"'),
    ("watermarks", "FROM minute_counts", "FROM rollup", "Unexpected keyword ROLLUP"),
    (
        "minute_counts",
        "COUNTIF(log.duration_seconds <= thresholds.threshold_1_seconds)",
        "COUNT(*) FILTER (WHERE log.duration_seconds <= thresholds.threshold_1_seconds)",
        "Syntax error",
    ),
    ("metric_hours", "UNIX_MICROS(timestamp) -", "epoch_us(timestamp) -", "Function not found: epoch_us"),
    ("metric_hours", "AVG(value)", "quantile_cont(value, 0.5)", "Function not found: quantile_cont"),
    ("metric_hours", "AVG(value)", "ANY_VALUE(value) OVER (PARTITION BY value)", "FLOAT64 is not allowed"),
    ("latency_hours", "hour >= @start", "TIMESTAMP_SUB(hour, INTERVAL 1 MONTH) >= @start", "MONTH"),
    ("service_minutes", "GROUP BY service_name, ", "GROUP BY ", "neither grouped nor aggregated"),
]


@pytest.mark.parametrize(
    ("name", "right", "wrong", "message"), SLIPS, ids=[" ".join(slip[2].split()) for slip in SLIPS]
)
def test_a_slip_is_refused(googlesql, refused, broken_copy, name, right, wrong, message):
    query = broken_copy(name, right, wrong)
    with pytest.raises(refused) as refusal:
        googlesql.analyse(query.text, tables=TABLES, parameters=query.types)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "right", "wrong", "column"),
    [
        ("service_minutes", "SUM(duration_count)", "AVG(duration_count)", ("duration_count", "FLOAT64")),
        ("hour_latency", "COUNT(*)", "AVG(duration_bucket)", ("request_count", "FLOAT64")),
        ("route_counts", "AS request_count", "AS requests", ("requests", "INT64")),
        ("watermarks", "MAX(minute)", "UNIX_MICROS(MAX(minute))", ("last_minute", "INT64")),
    ],
)
def test_a_column_of_another_name_or_type_is_seen(googlesql, answers, broken_copy, name, right, wrong, column):
    query = broken_copy(name, right, wrong)
    columns = googlesql.analyse(query.text, tables=TABLES, parameters=query.types)
    assert column in columns
    assert all(columns != list(types(answer.contract).items()) for answer in answers[name])


def test_a_column_that_is_no_longer_declared_is_refused(googlesql, refused):
    query = load_query(PACKAGE, "minute_counts")
    for column in ("timestamp", "http_route", "duration_seconds"):
        without = {name: type_ for name, type_ in TABLES["requests"].items() if name != column}
        with pytest.raises(refused, match=f"Unrecognized name: {column}"):
            googlesql.analyse(query.text, tables={"requests": without}, parameters=query.types)


def test_a_module_that_was_not_reviewed_is_not_run(googlesql, monkeypatch, tmp_path):
    monkeypatch.setattr(sys.modules[type(googlesql).__module__], "WASM_SHA256", "0" * 64)
    with pytest.raises(AssertionError, match="not the module that was reviewed"):
        type(googlesql)(fallback_cache=tmp_path)


def test_after_a_breakdown_the_next_question_is_answered(googlesql, refused):
    with pytest.raises(refused, match="broke down"):
        googlesql.evaluate("SELECT NET.REG_DOMAIN('https://example.co.uk') AS domain")
    assert googlesql.evaluate("SELECT 1 AS one").to_pylist() == [{"one": 1}]
