"""Query files: declared parameters, their hash, and that every one we ship is portable."""

import hashlib
from importlib.resources import files

import pytest

from shokubai.core.errors import NotPortableError
from shokubai.sources import Query, load_query

PACKAGE = "shokubai.tables.queries"
SHIPPED = sorted(f.name.removesuffix(".sql") for f in files(PACKAGE).iterdir() if f.name.endswith(".sql"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_query_is_portable_and_says_what_one_row_is(name):
    query = load_query(PACKAGE, name)
    assert "\n-- One row per " in "\n" + query.text
    assert set(query.types) == set(query.translation.parameters)
    assert len(query.translation.tables) == 1


def test_there_are_shipped_queries():
    assert {"minute_counts", "hour_latency", "service_minutes"} <= set(SHIPPED)


def test_parameters_are_declared_in_the_header_even_over_several_lines():
    query = Query(
        "q",
        "-- One row per x.\n-- @n INT64: a number\n-- @t ARRAY<STRUCT<\n--   s STRING,\n--   v FLOAT64>>: pairs\n"
        "SELECT t.s FROM UNNEST(@t) AS t WHERE t.v > @n",
        "q.sql",
    )
    assert query.types == {"n": "INT64", "t": "ARRAY<STRUCT< s STRING, v FLOAT64>>"}
    assert "STRUCT(s TEXT, v DOUBLE)[]" in query.translation.duckdb


def test_an_undeclared_parameter_is_refused():
    with pytest.raises(NotPortableError, match=r"q\.sql:1: the header does not declare @n"):
        _ = Query("q", "SELECT x FROM a WHERE x > @n", "q.sql").translation


def test_a_declared_parameter_that_is_not_used_is_refused():
    with pytest.raises(NotPortableError, match=r"q\.sql:1: the header declares what is not used: @m"):
        _ = Query("q", "-- @m INT64: unused\nSELECT x FROM a", "q.sql").translation


def test_the_hash_is_of_the_text_as_written():
    query = load_query(PACKAGE, "services")
    text = files(PACKAGE).joinpath("services.sql").read_bytes()
    assert query.sha256 == hashlib.sha256(text).hexdigest()
