"""A table that lies in files: where they are, and how their columns become the contract's."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Mapping
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

    def view(self, relation: duckdb.DuckDBPyRelation, source: str, *, files: str) -> str:
        """The SELECT over the view ``source`` of the files that gives the contract's columns in their types.

        Timestamps without a zone are taken as UTC; negative and infinite durations become NULL. Raises
        DataError for a missing column or a wrong type; ``files`` names the files in the message.
        """
        types = dict(zip(relation.columns, (str(t) for t in relation.types), strict=True))
        chosen = []
        for name, column in self.contract.columns.items():
            found = self._found(relation, name, types, files)
            if found is None:
                chosen.append(f"CAST(NULL AS {_ENGINE_TYPES[column.type]}) AS {quoted(name)}")
                continue
            expression, type_ = found
            value = _converted(expression, type_, column.type)
            if value is None:
                raise DataError(self._wrong_type(name, expression, type_, column.type, files))
            if name == "duration_seconds":  # a load balancer's −1 says that there was no answer
                value = f"CASE WHEN isfinite({value}) AND {value} >= 0 THEN {value} END"
            chosen.append(f"{value} AS {quoted(name)}")
        condition = f" WHERE ({self.where})" if self.where else ""
        return f"SELECT {', '.join(chosen)} FROM {quoted(source)}{condition}"

    def empty(self) -> str:
        """The SELECT that gives no rows of the contract's types."""
        columns = (f"CAST(NULL AS {_ENGINE_TYPES[c.type]}) AS {quoted(n)}" for n, c in self.contract.columns.items())
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
            return quoted(column), types[column]
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

    def _wrong_type(self, name: str, expression: str, found: str, wanted: str, files: str) -> str:
        wanted_type = wanted.removeprefix("NULLABLE_")
        hint = _HINTS.get("NULLABLE_INT64" if wanted_type == "INT64" else wanted, {}).get(found, "")
        plain = expression.strip("()").strip('"')
        advice = f": write {hint.replace('{}', plain)}" if hint else f" to {wanted_type}"
        return (
            f"{self.said_at}: table {self.name}: column {name} must be {wanted_type}, "
            f"but {plain} is {found} in {files}\n"
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


def scan(connection: duckdb.DuckDBPyConnection, files: tuple[Path, ...]) -> duckdb.DuckDBPyRelation:
    """The rows of Parquet, CSV or JSON-lines files, told apart by their names; columns are matched by name.

    Raises DataError when the files are of several kinds or cannot be read.
    """
    paths = [str(path) for path in files]
    kinds = {kind_of(path) for path in files}
    try:
        if kinds == {"parquet"}:
            return connection.from_parquet(paths, union_by_name=True, hive_partitioning=False)
        if kinds == {"csv"}:
            return connection.read_csv(paths, union_by_name=True, hive_partitioning=False)  # type: ignore[arg-type]
        if kinds == {"json"}:
            return connection.read_json(paths, union_by_name=True, hive_partitioning=False)  # type: ignore[arg-type]
    except duckdb.Error as error:
        raise DataError(f"{name_files(files)} cannot be read: {_first_line(error)}") from error
    raise DataError(f"{name_files(files)}: a table's files are all Parquet, all CSV or all JSON lines")


def kind_of(path: Path) -> str:
    """parquet, csv or json, from the file's name."""
    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".zst")]
    return {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}.get(
        (suffixes or [""])[-1], "parquet"
    )


def name_files(files: tuple[Path, ...]) -> str:
    """The first file, and how many others."""
    return str(files[0]) + (f" and {len(files) - 1} more" if len(files) > 1 else "")


def quoted(name: str) -> str:
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


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
