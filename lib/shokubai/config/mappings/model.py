"""What a ready mapping says, as frozen objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Schema = Mapping[str, str]  # a column's or nested field's path in lower case → its GoogleSQL type
EVERY_ROW = "TRUE"


@dataclass(frozen=True)
class Variant:
    """One way to an expression: it holds for tables that have all it ``needs``, paths with their allowed types."""

    sql: str
    needs: Mapping[str, tuple[str, ...]]

    def missing(self, schema: Schema) -> list[str]:
        """What it needs and a table lacks, in words."""
        return [said for path, types in self.needs.items() if (said := lacking(path, types, schema))]


@dataclass(frozen=True)
class ReadyMapping:
    """How a known kind of table gives the rows of one ``table`` of the contract.

    Tables of this kind have all paths of ``recognised_by``. Of a column's variants, and of each row condition's, the
    first that the table's schema allows holds. ``notes`` are what its user must know; ``follows`` is the page that
    documents the table.
    """

    name: str
    title: str
    follows: str
    table: str
    recognised_by: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, tuple[Variant, ...]]
    rows: tuple[tuple[Variant, ...], ...]
    notes: tuple[str, ...]

    @property
    def identity(self) -> str:
        """All that decides which rows it gives."""
        columns = sorted((name, _text(variants)) for name, variants in self.columns.items())
        return repr((self.name, columns, [_text(variants) for variants in self.rows]))

    def unrecognised(self, schema: Schema) -> list[str]:
        """Which of the fields that make a table one of this kind are missing, in words."""
        return [said for path, types in self.recognised_by.items() if (said := lacking(path, types, schema))]


def lacking(path: str, types: tuple[str, ...], schema: Schema) -> str:
    """In words, that a table has no field ``path`` of one of the types; empty when it has."""
    found = schema.get(path.lower())
    wanted = " or ".join(types)
    if found is None:
        return f"{path} ({wanted}) is missing"
    return "" if found in types else f"{path} is {found}, not {wanted}"


def _text(variants: tuple[Variant, ...]) -> list[tuple[str, list[tuple[str, tuple[str, ...]]]]]:
    return [(variant.sql, sorted(variant.needs.items())) for variant in variants]
