"""Whether a ready mapping fits a table, and what it says of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shokubai.config.mappings import ReadyMapping, Variant
from shokubai.config.mappings.model import EVERY_ROW, Schema
from shokubai.core.frames import FrameContract


@dataclass(frozen=True)
class Fit:
    """What a mapping says of one table: the expression of each column, the conditions on rows.

    ``absent`` are the optional columns that the table does not have, ``lacking`` says what is missing for the
    required ones and for the conditions.
    """

    columns: dict[str, str]
    rows: tuple[str, ...]
    absent: tuple[str, ...]
    lacking: tuple[str, ...]


def fit(
    mapping: ReadyMapping,
    schema: Schema,
    contract: FrameContract,
    *,
    optional: Collection[str],
    mapped: Collection[str] = (),
) -> Fit:
    """What ``mapping`` says of a table with this schema. Columns ``mapped`` otherwise are not looked at.

    The sinks of Cloud Logging make a column when its first value comes, so an optional column may be missing; but
    one that is there in another type than expected is an error, not a column full of NULL.
    """
    columns: dict[str, str] = {}
    absent, lacking, rows = [], [], []
    for name in contract.columns:
        if name in mapped:
            continue
        variants = mapping.columns.get(name, ())
        if chosen := _first(variants, schema):
            columns[name] = chosen.sql
        elif name in optional and not _has_other_type(variants, schema):
            absent.append(name)
        else:
            lacking.append(f"column {name}: {_nearest(variants, schema)}")
    for variants in mapping.rows:
        chosen = _first(variants, schema)
        if chosen is None:
            lacking.append(f"which rows to read: {_nearest(variants, schema)}")
        elif chosen.sql != EVERY_ROW:
            rows.append(chosen.sql)
    return Fit(columns, tuple(rows), tuple(absent), tuple(lacking))


def _first(variants: Sequence[Variant], schema: Schema) -> Variant | None:
    return next((variant for variant in variants if not variant.missing(schema)), None)


def _has_other_type(variants: Sequence[Variant], schema: Schema) -> bool:
    """Whether a field that is needed is there in a type that no variant takes."""
    taken: dict[str, set[str]] = {}
    for variant in variants:
        for path, types in variant.needs.items():
            taken.setdefault(path.lower(), set()).update(types)
    return any(path in schema and schema[path] not in types for path, types in taken.items())


def _nearest(variants: Sequence[Variant], schema: Schema) -> str:
    """What is missing, said of the variant that lacks least and then of those that lack as much."""
    if not variants:
        return "the mapping has none"
    ways = [variant.missing(schema) for variant in variants]
    least = min(map(len, ways))
    return ", or ".join(dict.fromkeys("; ".join(way) for way in ways if len(way) == least))
