"""Tables as their makers make them, with awkward rows and, beside each, the contract's row worked by hand.

A file holds a table's ``schema`` as BigQuery's API writes it, and ``cases``: a ``row`` as a line of JSON would hold
it, and what it ``gives`` (columns that are not named are NULL; nothing where the row is left out).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from shokubai.config.mappings import ready_mapping
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.tables.contracts import OPTIONAL_COLUMNS, RAW_TABLES

FOLDER = Path(__file__).parent
NAMES = sorted(file.stem for file in FOLDER.glob("*.yaml"))
LEGACY = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}


@dataclass(frozen=True)
class Fixture:
    name: str
    mapping: str
    address: str
    schema: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    resource: dict[str, Any]  # what else the API says of the table

    @property
    def table(self) -> str:
        """The contract's table."""
        return ready_mapping(self.mapping).table

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [case["row"] for case in self.cases]

    @property
    def expected(self) -> list[tuple[Any, ...]]:
        """The contract's rows in the contract's columns, by time and service."""
        columns = RAW_TABLES[self.table].columns
        given = [case["gives"] for case in self.cases if case["gives"]]
        for row in given:
            assert set(row) <= set(columns), row
        rows = [
            tuple(_instant(row.get(name)) if name == "timestamp" else row.get(name) for name in columns)
            for row in given
        ]
        return sorted(rows, key=repr)

    @property
    def types(self) -> dict[str, str]:
        """The types of the columns, in GoogleSQL."""
        return {column["name"]: googlesql_type(column) for column in self.schema}

    def described(self, address: str = "") -> BigQueryTable:
        """The table as a warehouse file with this mapping describes it."""
        return BigQueryTable(
            RAW_TABLES[self.table],
            address or self.address,
            "warehouse logs (parameters/warehouses/logs.yaml:7)",
            optional=OPTIONAL_COLUMNS[self.table],
            mapping=ready_mapping(self.mapping),
        )

    def without(self, *paths: str) -> Fixture:
        """The same table, whose schema and rows lack some fields."""
        changed = json.loads(json.dumps({"schema": self.schema, "cases": self.cases}))
        for path in paths:
            *outer, last = path.split(".")
            columns = _inside(changed["schema"], outer)
            columns[:] = [column for column in columns if column["name"] != last]
            for case in changed["cases"]:
                row = case["row"]
                for name in outer:
                    row = row.get(name) or {}
                row.pop(last, None)
        return replace(self, **changed)

    def retyped(self, path: str, type_: str) -> Fixture:
        """The same table, with a field of another type."""
        schema = json.loads(json.dumps(self.schema))
        *outer, last = path.split(".")
        (column,) = [each for each in _inside(schema, outer) if each["name"] == last]
        column["type"] = type_
        column.pop("fields", None)
        return replace(self, schema=schema)


def load(name: str) -> Fixture:
    given = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    if base := given.get("like"):
        like = yaml.safe_load((FOLDER / f"{base}.yaml").read_text(encoding="utf-8"))
        given = {**like, **given}
    return Fixture(
        name, given["mapping"], given["table"], given["schema"], given["cases"], given.get("resource") or {}
    )


def schema_fields(schema: list[dict[str, Any]]) -> list[Any]:
    """The schema as the client gives it."""
    return [
        SimpleNamespace(
            name=column["name"],
            field_type=column["type"],
            mode=column.get("mode", "NULLABLE"),
            fields=schema_fields(column.get("fields", [])),
        )
        for column in schema
    ]


def googlesql_type(column: dict[str, Any]) -> str:
    type_ = LEGACY.get(column["type"], column["type"])
    if type_ == "STRUCT":
        type_ = "STRUCT<" + ", ".join(f"{each['name']} {googlesql_type(each)}" for each in column["fields"]) + ">"
    return f"ARRAY<{type_}>" if column.get("mode") == "REPEATED" else type_


def _inside(schema: list[dict[str, Any]], path: list[str]) -> list[dict[str, Any]]:
    for name in path:
        (column,) = [each for each in schema if each["name"] == name]
        schema = column["fields"]
    return schema


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
