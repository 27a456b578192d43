"""A literal means to GoogleSQL the value that it was written for."""

import importlib.util
from pathlib import Path

import pytest

from shokubai.sources.literals import literal

pytestmark = pytest.mark.googlesql


def cases():
    file = Path(__file__).parents[1] / "sources" / "test_literals.py"
    spec = importlib.util.spec_from_file_location("literals_for_duckdb", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CASES


@pytest.mark.parametrize(("type_", "value"), cases())
def test_googlesql_reads_a_literal_as_the_value(googlesql, type_, value):
    [row] = googlesql.evaluate(f"SELECT {literal(value, type_, dialect='bigquery')} AS value").to_pylist()
    assert row["value"] == value
