"""Values written into statements: what is read back is what was given, whatever it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from shokubai.core.errors import QueryError
from shokubai.sources.literals import filled_in, literal

AT = datetime(2026, 10, 27, 5, 0, 0, 123456, tzinfo=UTC)
HOSTILE = (
    "it's",
    "back\\slash \\n \\' \\x41",
    "'; DROP TABLE minute_counts; --",
    "@start $start",
    "line\nnext\r\ttab",
    "\x1b[31mred",
    "\u202edesrever",
    "```\n{code}",
    "{invoice_id}",
    "請求書 🧾",
    "",
)
# Their GoogleSQL literals are asked of GoogleSQL itself in lib/tests/googlesql.
CASES: list[tuple[str, Any]] = [
    *(("STRING", text) for text in HOSTILE),
    ("ARRAY<STRING>", list(HOSTILE)),
    ("INT64", -33),
    ("INT64", 2**62),
    ("ARRAY<INT64>", [500, 503]),
    ("ARRAY<INT64>", list(range(500, 600))),
    ("ARRAY<INT64>", []),
    ("FLOAT64", 0.8),
    ("FLOAT64", 0.1 + 0.2),
    ("FLOAT64", 1e-05),
    ("FLOAT64", 1e22),
    ("BOOL", True),
    ("BOOL", False),
    ("TIMESTAMP", AT),
    ("TIMESTAMP", AT.replace(microsecond=0)),
]


@pytest.mark.parametrize(("type_", "value"), CASES)
def test_duckdb_reads_a_literal_as_the_value(type_: str, value: Any) -> None:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    [row] = connection.sql(f"SELECT {literal(value, type_, dialect='duckdb')} AS value").to_arrow_table().to_pylist()
    assert row["value"] == value


def test_parameters_in_strings_and_comments_stay() -> None:
    text = "-- @name\nSELECT '@name' AS said, @name AS given, x@name FROM t /* @name */ WHERE n IN UNNEST(@names)"
    filled = filled_in(
        text, {"name": "STRING", "names": "ARRAY<STRING>"}, {"name": "a'b", "names": ["@name"]}, dialect="bigquery"
    )
    assert filled == (
        "-- @name\nSELECT '@name' AS said, 'a\\'b' AS given, x'a\\'b' FROM t /* @name */ "
        "WHERE n IN UNNEST(ARRAY<STRING>['@name'])"
    )


def test_structs_keep_their_fields() -> None:
    type_ = "ARRAY<STRUCT<span INT64, span_start TIMESTAMP>>"
    value = [{"span_start": datetime(2026, 10, 26, tzinfo=UTC), "span": 0}]
    assert literal(value, type_, dialect="duckdb") == (
        "[{'span': 0, 'span_start': TIMESTAMPTZ '2026-10-26 00:00:00+00:00'}]"
    )
    assert literal(value, type_, dialect="bigquery") == (
        "ARRAY<STRUCT<span INT64, span_start TIMESTAMP>>[(0, TIMESTAMP '2026-10-26 00:00:00+00:00')]"
    )


def test_long_runs_of_whole_numbers_are_said_shortly() -> None:
    assert literal(list(range(500, 600)), "ARRAY<INT64>", dialect="bigquery") == "GENERATE_ARRAY(500, 599)"
    assert literal(list(range(500, 600)), "ARRAY<INT64>", dialect="duckdb") == "range(500, 600)"
    with_a_gap = [*range(500, 510), 512]
    assert literal(with_a_gap, "ARRAY<INT64>", dialect="duckdb") == str(with_a_gap)


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        ("STRING", "a\0b", "holds a NUL"),
        ("FLOAT64", float("nan"), "no number that a statement can hold"),
        ("BYTES", b"", "of the type BYTES"),
    ],
)
def test_what_no_statement_can_hold_is_refused(type_: str, value: Any, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        literal(value, type_, dialect="duckdb")


def test_a_parameter_without_a_value_is_refused() -> None:
    with pytest.raises(QueryError, match=r"no value is given for the parameter \$end"):
        filled_in("SELECT $start, $end", {"start": "INT64", "end": "INT64"}, {"start": 1}, dialect="duckdb")
