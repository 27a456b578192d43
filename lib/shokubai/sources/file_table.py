"""A table that lies in files: where they are, and how their columns become the contract's."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import duckdb

from shokubai.core.errors import DataError, nearest_spelling
from shokubai.core.frames import FrameContract

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_NUMBERS = _INTEGERS | {"FLOAT", "DOUBLE", "UHUGEINT"}
_INSTANTS = {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIMESTAMPTZ_NS"}
_WALL_CLOCKS = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"}
_ENGINE_TYPES = {
    "TIMESTAMP": "TIMESTAMPTZ",
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "NULLABLE_INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "BOOL": "BOOLEAN",
}
# What the engine calls the only column of a CSV or JSON file in which there is nothing at all.
_NO_COLUMNS = (("column0",), ("json",))
# What to write in the mapping where a column's type is wrong, by what is wanted; {} is the column.
_HINTS = {
    "TIMESTAMP": {
        "VARCHAR": "CAST({} AS TIMESTAMPTZ)",
        **dict.fromkeys(_NUMBERS, "to_timestamp({}) for seconds or make_timestamptz({}) for microseconds"),
    },
    "NULLABLE_INT64": {
        "VARCHAR": "TRY_CAST({} AS BIGINT)",
        "DOUBLE": "CAST({} AS BIGINT)",
        "FLOAT": "CAST({} AS BIGINT)",
    },
    "FLOAT64": {"VARCHAR": "TRY_CAST({} AS DOUBLE)", "INTERVAL": "epoch({})"},
    "STRING": {"BLOB": "decode({})"},
}


@dataclass(frozen=True)
class FileTable:
    """One table of a warehouse.

    ``find`` gives its files now. ``columns`` maps a column of the contract to the files' column or an SQL
    expression over them; a column that is not mapped has the contract's name. ``optional`` columns may be
    missing. ``said_at`` is where the table is described, for messages.
    """

    contract: FrameContract
    find: Callable[[], tuple[Path, ...]]
    said_at: str
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    where: str = ""
    optional: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.contract.name

    def scan(self, connection: duckdb.DuckDBPyConnection, files: tuple[Path, ...]) -> duckdb.DuckDBPyRelation:
        """The rows of the files as they are, except that what is text in the contract is text in CSV.

        Raises DataError when the files are of several kinds or cannot be read.
        """
        relation = scan(connection, files)
        if kind_of(files[0]) != "csv":
            return relation
        types = dict(zip(relation.columns, (str(t) for t in relation.types), strict=True))
        columns = (self.source_column(n, list(types)) for n, c in self.contract.columns.items() if c.type == "STRING")
        # A version 1.20 is not the number 1.2.
        text = [column for column in columns if column is not None and types[column] != "VARCHAR"]
        return scan(connection, files, text=text) if text else relation

    def view(self, relation: duckdb.DuckDBPyRelation, source: str, *, files: str) -> str:
        """The SELECT over the view ``source`` of the files that gives the contract's columns in their types.

        Timestamps without a zone are taken as UTC; negative and infinite durations become NULL. Files without
        a row need no columns, and a column without a value may have any type. Raises DataError for a missing
        column or a wrong type; ``files`` names the files in the message.
        """
        if tuple(relation.columns) in _NO_COLUMNS and not _has_row(relation):
            return self.empty()
        types = dict(zip(relation.columns, (str(t) for t in relation.types), strict=True))
        chosen = []
        for name, column in self.contract.columns.items():
            found = self._found(relation, name, types, files)
            if found is None:
                chosen.append(f"CAST(NULL AS {_ENGINE_TYPES[column.type]}) AS {as_identifier(name)}")
                continue
            expression, type_ = found
            value = _converted(expression, type_, column.type)
            if value is None and not _has_row(relation.filter(f"{expression} IS NOT NULL")):
                value = f"CAST(NULL AS {_ENGINE_TYPES[column.type]})"
            if value is None:
                found_type = f"{type_} in {files}"
                if column.type == "TIMESTAMP" and type_ == "VARCHAR" and (odd := _not_a_time(relation, expression)):
                    found_type = f"{type_} in {files}, and {odd!r} is not a time such as 2026-10-26T14:00:00+09:00"
                raise DataError(self._wrong_type(name, expression, type_, column.type, found_type))
            if name == "duration_seconds":  # a load balancer's −1 says that there was no answer
                value = f"CASE WHEN isfinite({value}) AND {value} >= 0 THEN {value} END"
            chosen.append(f"{value} AS {as_identifier(name)}")
        condition = f" WHERE ({self.where})" if self.where else ""
        return f"SELECT {', '.join(chosen)} FROM {as_identifier(source)}{condition}"

    def empty(self) -> str:
        """The SELECT that gives no rows of the contract's types."""
        columns = (
            f"CAST(NULL AS {_ENGINE_TYPES[c.type]}) AS {as_identifier(n)}" for n, c in self.contract.columns.items()
        )
        return f"SELECT {', '.join(columns)} WHERE FALSE"

    def source_column(self, name: str, available: list[str]) -> str | None:
        """The files' own column behind a contract's column, None when it is an expression or missing."""
        wanted = self.columns.get(name, name)
        return next((c for c in available if c == wanted), None) or next(
            (c for c in available if c.lower() == wanted.lower()), None
        )

    def _found(
        self, relation: duckdb.DuckDBPyRelation, name: str, types: Mapping[str, str], files: str
    ) -> tuple[str, str] | None:
        """The SQL expression behind a column and its type, or None for an optional column that is not there."""
        column = self.source_column(name, list(types))
        if column is not None:
            return as_identifier(column), types[column]
        wanted = self.columns.get(name)
        if wanted is None and name in self.optional:
            return None
        if wanted is None or _IDENTIFIER.fullmatch(wanted.strip()):
            raise DataError(self._missing(name, (wanted or name).strip(), list(types), files))
        try:
            return f"({wanted})", str(relation.project(f"({wanted}) AS value").types[0])
        except duckdb.Error as error:
            raise DataError(
                f"{self.said_at}: table {self.name}: column {name}: the expression {wanted!r} does not work on "
                f"{files}: {_first_line(error)}\nColumns there: {', '.join(types)}"
            ) from error

    def _missing(self, name: str, wanted: str, available: list[str], files: str) -> str:
        near = nearest_spelling(wanted, available)
        return (
            f"{self.said_at}: table {self.name}: no column {wanted!r} in {files}; there are: {', '.join(available)}"
            + (f"; did you mean {near!r}?" if near else "")
            + f"\nName it in the warehouse file: tables.{self.name}.columns.{name}: <column or SQL expression>"
        )

    def _wrong_type(self, name: str, expression: str, found: str, wanted: str, found_where: str) -> str:
        wanted_type = wanted.removeprefix("NULLABLE_")
        hint = _HINTS.get("NULLABLE_INT64" if wanted_type == "INT64" else wanted, {}).get(found, "")
        plain = expression.strip("()").strip('"')
        advice = f": write {hint.replace('{}', plain)}" if hint else f" to {wanted_type}"
        return (
            f"{self.said_at}: table {self.name}: column {name} must be {wanted_type}, "
            f"but {plain} is {found_where}\n"
            f"Convert it in the warehouse file, tables.{self.name}.columns.{name}{advice}"
        )


def find_files(pattern: str, *, said_at: str, table: str) -> tuple[Path, ...]:
    """The files that match a glob pattern, sorted.

    Raises DataError when there is none.
    """
    found = tuple(sorted(p for p in map(Path, glob.glob(pattern, recursive=True)) if p.is_file()))  # noqa: PTH207
    if not found:
        raise DataError(
            f"{said_at}: table {table}: no file matches {pattern}"
            "\nMake the data (`shokubai demo`, `shokubai import`), or correct the path in the warehouse file."
        )
    return found


def scan(
    connection: duckdb.DuckDBPyConnection, files: tuple[Path, ...], *, text: Sequence[str] = ()
) -> duckdb.DuckDBPyRelation:
    """The rows of Parquet, CSV or JSON files, told apart by their names; columns are matched by name.

    JSON is an array of objects or one object a line. Columns of CSV named in ``text`` are not taken as numbers.
    Raises DataError when the files are of several kinds or cannot be read.
    """
    paths = [str(path) for path in files]
    kinds = {kind_of(path) for path in files}
    try:
        if kinds == {"parquet"}:
            return connection.from_parquet(paths, union_by_name=True, hive_partitioning=False)
        if kinds == {"csv"}:
            types = dict.fromkeys(text, "VARCHAR") or None
            return connection.read_csv(paths, union_by_name=True, hive_partitioning=False, dtype=types)  # type: ignore[arg-type]
        if kinds == {"json"}:
            return connection.read_json(paths, union_by_name=True, hive_partitioning=False)  # type: ignore[arg-type]
    except duckdb.Error as error:
        raise DataError(f"{name_files(files)} cannot be read: {_first_line(error)}") from error
    raise DataError(f"{name_files(files)}: a table's files are all Parquet, all CSV or all JSON")


def kind_of(path: Path) -> str:
    """parquet, csv or json, from the file's name."""
    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".zst")]
    return {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}.get(
        (suffixes or [""])[-1], "parquet"
    )


def name_files(files: tuple[Path, ...]) -> str:
    """The first file, and how many others."""
    return str(files[0]) + (f" and {len(files) - 1} more" if len(files) > 1 else "")


def as_identifier(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _converted(expression: str, found: str, wanted: str) -> str | None:
    """The expression in the wanted type, None where that would be guessing."""
    number = found in _NUMBERS or found.startswith("DECIMAL")
    if wanted == "TIMESTAMP":
        if found in _INSTANTS:
            return expression if found != "TIMESTAMPTZ_NS" else f"CAST({expression} AS TIMESTAMPTZ)"
        if found in _WALL_CLOCKS:
            return f"(CAST({expression} AS TIMESTAMP) AT TIME ZONE 'UTC')"
    elif wanted == "STRING":
        if found == "VARCHAR":
            return expression
        if found in _INTEGERS or found == "UUID" or found.startswith("ENUM"):
            return f"CAST({expression} AS VARCHAR)"
    elif wanted in ("INT64", "NULLABLE_INT64"):
        if found in _INTEGERS:
            return f"CAST({expression} AS BIGINT)"
    elif wanted == "FLOAT64":
        if number:
            return f"CAST({expression} AS DOUBLE)"
    elif wanted == "BOOL" and found == "BOOLEAN":
        return expression
    if found == '"NULL"' or found == "NULL":
        return f"CAST({expression} AS {_ENGINE_TYPES[wanted]})"
    return None


def _has_row(relation: duckdb.DuckDBPyRelation) -> bool:
    return bool(relation.limit(1).project("1 AS one").fetchall())


def _not_a_time(relation: duckdb.DuckDBPyRelation, expression: str) -> str | None:
    """The first value that cannot be read as a time."""
    odd = relation.filter(f"{expression} IS NOT NULL AND TRY_CAST({expression} AS TIMESTAMPTZ) IS NULL")
    rows = odd.project(f"{expression} AS value").limit(1).fetchall()
    return str(rows[0][0]) if rows else None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
