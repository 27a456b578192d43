"""Named, typed parameters for BigQuery. Values never enter the text of a statement."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from shokubai.core.errors import QueryError

if TYPE_CHECKING:
    from google.cloud import bigquery

_SCALARS = {"STRING", "INT64", "FLOAT64", "BOOL", "TIMESTAMP", "DATE"}
_INFERRED: tuple[tuple[type, str], ...] = (
    (bool, "BOOL"),
    (int, "INT64"),
    (float, "FLOAT64"),
    (str, "STRING"),
    (datetime, "TIMESTAMP"),
    (date, "DATE"),
)
Fields = Mapping[str, str]


def query_parameters(types: Mapping[str, str], values: Mapping[str, Any]) -> list[Any]:
    """The client's parameters for ``values``, with the GoogleSQL types that a query declares.

    Raises QueryError for a type that parameters cannot have.
    """
    return [query_parameter(name, types[name], values[name]) for name in sorted(values)]


def query_parameter(name: str, type_: str, value: Any) -> bigquery.query._AbstractQueryParameter:
    """One parameter; ``type_`` such as INT64, ARRAY<STRING> or ARRAY<STRUCT<name STRING, seconds FLOAT64>>."""
    from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

    text = " ".join(type_.split())
    if text in _SCALARS:
        return ScalarQueryParameter(name, text, value)
    element = _inside("ARRAY", text)
    if element in _SCALARS:
        return ArrayQueryParameter(name, element, list(value))
    if element and (members := _inside("STRUCT", element)):
        fields = _fields(members)
        structs = [_struct(fields, row) for row in value]
        return ArrayQueryParameter(name, _struct_type(fields), structs)
    raise QueryError(f"parameter @{name}: no parameter can have the type {type_}")


def inferred_type(name: str, value: Any) -> str:
    """The GoogleSQL type of a Python value, for ad-hoc statements. Raises QueryError when there is none."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        elements = {inferred_type(name, element) for element in value}
        if len(elements) == 1:
            return f"ARRAY<{elements.pop()}>"
        raise QueryError(f"parameter @{name}: a list needs elements of one type, got {sorted(elements) or 'none'}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise QueryError(f"parameter @{name}: {value} has no time zone")
    for python, type_ in _INFERRED:
        if isinstance(value, python):
            return type_
    raise QueryError(f"parameter @{name}: a {type(value).__name__} cannot be a parameter")


def _inside(outer: str, text: str) -> str:
    match = re.fullmatch(rf"{outer} ?< ?(.*?) ?>", text)
    return match[1] if match else ""


def _fields(members: str) -> Fields:
    fields = {}
    for member in members.split(","):
        name, _, type_ = member.strip().partition(" ")
        if type_ not in _SCALARS:
            raise QueryError(f"no parameter can have a field {member.strip()!r}")
        fields[name] = type_
    return fields


def _struct(fields: Fields, row: Mapping[str, Any]) -> Any:
    from google.cloud.bigquery import ScalarQueryParameter, StructQueryParameter

    return StructQueryParameter(None, *(ScalarQueryParameter(n, t, row[n]) for n, t in fields.items()))


def _struct_type(fields: Fields) -> Any:
    from google.cloud.bigquery import ScalarQueryParameterType, StructQueryParameterType

    return StructQueryParameterType(*(ScalarQueryParameterType(type_, name=n) for n, type_ in fields.items()))
