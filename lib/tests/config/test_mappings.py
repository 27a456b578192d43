"""The files of the ready mappings: each can be read, and says only what the contracts know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shokubai.config.mappings import mapping_names, ready_mapping, ready_mappings
from shokubai.config.mappings.expansion import expand
from shokubai.config.mappings.reading import read_mapping
from shokubai.config.warehouses import TABLE_COLUMNS

TYPES = {"STRING", "INT64", "FLOAT64", "NUMERIC", "TIMESTAMP", "JSON", "ARRAY<STRUCT>"}
SMALLEST = """\
title: A log
follows: https://example.com
table: requests
recognised_by: {at: TIMESTAMP}
columns: {timestamp: {sql: at, needs: {at: TIMESTAMP}}}
"""


def test_the_names() -> None:
    assert mapping_names() == (
        "aws_alb",
        "cloud_run_sink",
        "gke_sink",
        "load_balancer_sink",
        "log_analytics",
        "monitoring_export",
        "otel_spans",
    )


def test_the_readme_lists_them_all() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|.*\| `(\w+)` \|$", readme, re.MULTILINE)
    assert sorted(listed) == [(each.name, each.table) for each in ready_mappings()]


@pytest.mark.parametrize("name", mapping_names())
def test_a_mapping_says_only_what_the_contracts_know(name: str) -> None:
    mapping = ready_mapping(name)
    assert set(mapping.columns) <= set(TABLE_COLUMNS[mapping.table])
    assert mapping.title and mapping.notes and mapping.follows.startswith("https://")
    variants = [variant for given in (*mapping.columns.values(), *mapping.rows) for variant in given]
    for needs in (mapping.recognised_by, *(variant.needs for variant in variants)):
        assert {type_ for types in needs.values() for type_ in types} <= TYPES
    for variant in variants:
        assert variant.needs or variant.sql == "TRUE"
        assert "{argument}" not in variant.sql
        assert all(path in variant.sql for path in variant.needs), (variant.sql, variant.needs)


def test_nobody_divides_nanoseconds_alone() -> None:
    """They are less than a second by definition: the seconds stand beside them, or they are all there is."""
    for mapping in ready_mappings():
        for variant in mapping.columns.get("duration_seconds", ()):
            assert ".nanos" not in variant.sql or ".seconds" in variant.sql


def test_macros() -> None:
    assert expand("{status:{status:x}}") == (
        "IF(IF(x BETWEEN 100 AND 999, x, NULL) BETWEEN 100 AND 999, IF(x BETWEEN 100 AND 999, x, NULL), NULL)"
    )
    assert expand("CASE '{instance}' WHEN r'\\d{3}' THEN 1 END") == "CASE '{instance}' WHEN r'\\d{3}' THEN 1 END"
    with pytest.raises(ValueError, match="there is no macro rout"):
        expand("{rout:x}")
    with pytest.raises(ValueError, match="a macro is not closed"):
        expand("{route:COALESCE(x")


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("title: A log\n", "", r"log.yaml:1: error: title: is missing"),
        ("{sql: at,", "{sqll: at,", r"log.yaml:5: error: columns.timestamp.sqll: unknown key"),
        ("TIMESTAMP}}}", "}}}", r"log.yaml:5: error: columns.timestamp.needs.at: is empty"),
        ("sql: at", 'sql: "{rout:at}"', r"there is no macro rout"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, old: str, new: str, wanted: str) -> None:
    assert SMALLEST.count(old) == 1
    file = tmp_path / "log.yaml"
    file.write_text(SMALLEST)
    assert read_mapping(file).columns["timestamp"][0].sql == "at"
    file.write_text(SMALLEST.replace(old, new))
    with pytest.raises(ValueError, match=wanted):
        read_mapping(file)
