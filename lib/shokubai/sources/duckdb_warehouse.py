"""DuckDB over files: one in-memory connection, pinned to UTC, whose views have the contract's columns."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from shokubai.core.errors import DataError, QueryError
from shokubai.core.frames import FrameContract
from shokubai.core.windows import Window
from shokubai.sources import results, spans
from shokubai.sources.file_table import FileTable, as_identifier, kind_of, name_files
from shokubai.sources.query import Query
from shokubai.sources.warehouse import Files, Part, ServiceRows, Statement

_SETTINGS = (
    # Passed to connect(), the zone would be looked for over the network.
    "SET TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
)
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_SHOWN = 200  # characters of a parameter's value in a message


class DuckDbWarehouse:
    """The tables of one warehouse, read with DuckDB.

    A result does not depend on the machine's time zone or locale. Not for use by several threads at once.
    ``spill`` is the folder for what does not fit into memory.
    """

    def __init__(
        self,
        name: str,
        tables: Sequence[FileTable],
        *,
        spill: Path,
        threads: int | None = None,
        memory: str | None = None,
    ) -> None:
        self.name = name
        self.queries: list[Statement] = []
        self._tables = {table.name: table for table in tables}
        self._opened: dict[str, tuple[Any, ...]] = {}  # what each table's view shows
        self._held: dict[str, ServiceRows] = {}  # of views that show rows in memory; files are not looked at again
        self._connection = duckdb.connect()
        for setting in _SETTINGS:
            self._connection.execute(setting)
        self._connection.execute("SET temp_directory = $spill", {"spill": str(spill)})
        if memory:
            self._connection.execute("SET memory_limit = $memory", {"memory": memory})
        if threads:
            self.use_threads(threads)

    def use_threads(self, threads: int) -> None:
        """How many threads a statement may use from now on."""
        self._connection.execute("SET threads = $threads", {"threads": threads})

    def select(
        self, query: Query, contract: FrameContract, parameters: Mapping[str, Any], *, files: Files | None = None
    ) -> pa.Table:
        """The rows of ``query`` with the columns of ``contract``.

        Only ``files`` of the tables named there are read; of the others, all. Raises QueryError when the
        engine refuses, DataError when a table or the result does not keep its contract.
        """
        wanted, given = set(query.translation.parameters), set(parameters)
        if wanted != given:
            missing, excess = sorted(wanted - given), sorted(given - wanted)
            raise QueryError(f"query {query.name}: parameters missing: {missing}; not in the text: {excess}")
        size = sum(self._open(name, (files or {}).get(name)) for name in query.translation.tables)
        read = tuple(query.translation.tables)
        table = self._run(query.name, query.sha256, query.translation.duckdb, parameters, size, read)
        return results.conform(table, contract)

    def sql(self, text: str, **parameters: Any) -> pd.DataFrame:
        """The rows of SQL in DuckDB's own dialect, with the contract's tables as views; parameters as ``$name``.

        One statement that reads. Raises QueryError for any other, and with the engine's message.
        """
        self._refuse_changes(text)
        named = [name for name in self._tables if re.search(rf"\b{name}\b", text, re.IGNORECASE)]
        size = sum(self._open(name, None) for name in named)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        table = self._run("sql", sha256, text, parameters, size, tuple(named))
        return results.to_plain_frame(table) if table is not None else pd.DataFrame()

    def _refuse_changes(self, text: str) -> None:
        """Ad-hoc SQL answers questions; by accident it could drop the views or write files."""
        try:
            kinds = [statement.type for statement in duckdb.extract_statements(text)]
        except duckdb.Error as error:
            raise QueryError(f"warehouse {self.name}: not SQL that DuckDB can read: {error}") from error
        if len(kinds) != 1 or kinds[0] not in _READING:
            found = "; ".join(kind.name for kind in kinds) or "nothing"
            raise QueryError(
                f"warehouse {self.name}: sql() takes one statement that reads (SELECT, FROM, WITH, DESCRIBE, "
                f"SUMMARIZE, EXPLAIN), found {found}; to change or write something, open the files with duckdb itself"
            )

    def mapping(self, table: str) -> str:
        """The column mapping and the row condition of a table."""
        described = self._tables[table]
        return repr((sorted(described.columns.items()), described.where))

    def version(self, table: str, *, window: Window | None = None) -> str:
        """The names, sizes and times of a table's files. Raises DataError when there should be some and are none."""
        return repr([_identity(path) for path in self._tables[table].find()])

    def parts(self, table: str, *, known: Sequence[Part] = ()) -> tuple[Part, ...]:
        """The files of a table that has a ``timestamp``, each with the days its rows fall on.

        What ``known`` says of an unchanged file is trusted. Raises DataError when a file cannot be read or
        lacks a column.
        """
        described = self._tables[table]
        before = {(part.path, part.version): part for part in known}
        schemas: list[Any] = []
        found = []
        for path in described.find():
            _, size, changed = _identity(path)
            version = f"{size}-{changed}"
            part = before.get((path, version))
            if part is None:
                stretches = self._stretches(described, path, schemas)
                part = Part(
                    path,
                    version,
                    size,
                    min((first for first, _ in stretches), default=None),
                    max((last for _, last in stretches), default=None),
                    spans.days_of(stretches),
                )
            found.append(part)
        return tuple(found)

    def _stretches(self, table: FileTable, path: Path, schemas: list[Any]) -> list[spans.Stretch]:
        relation = None
        view = ""
        try:
            schema = spans.schema_of(path) if kind_of(path) == "parquet" else None
            if schema is None or schema not in schemas:
                relation = table.scan(self._connection, (path,))
                view = table.view(relation, "file", files=str(path))
                schemas.append(schema)
            column = table.source_column("timestamp", schema.names) if schema is not None else None
            stretches = spans.footer_stretches(path, column) if column and not table.where else None
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{table.said_at}: table {table.name}: {path} cannot be read: {error}") from error
        if stretches is not None:
            return stretches
        relation = relation or table.scan(self._connection, (path,))
        relation.create_view("file", replace=True)
        view = view or table.view(relation, "file", files=str(path))
        span = f"SELECT epoch_us(min(timestamp)), epoch_us(max(timestamp)) FROM ({view}) WHERE isfinite(timestamp)"
        try:
            rows = self._connection.execute(span).fetchall()
        except duckdb.Error as error:
            raise DataError(f"{table.said_at}: table {table.name}: {path} cannot be read: {error}") from error
        return [(first, last) for first, last in rows if first is not None]

    def _open(self, name: str, source: Sequence[Path] | ServiceRows | None) -> int:
        """Make a table's view show exactly ``source`` (None: all files there are now); the bytes to read for that.

        Rows of services are read here, once, and are in memory from then on.
        """
        if name not in self._tables:
            raise QueryError(f"warehouse {self.name} has no table {name}; it has: {', '.join(self._tables)}")
        if source is not None and self._held.get(name) is source:
            return 0
        table = self._tables[name]
        services = source.services if isinstance(source, ServiceRows) else None
        files = source.files if isinstance(source, ServiceRows) else source
        paths = table.find() if files is None else tuple(files)
        try:
            identities = tuple(_identity(path) for path in paths)
        except OSError as error:
            raise DataError(
                f"{table.said_at}: table {name}: {error.filename} cannot be read: {error.strerror}"
            ) from error
        size = sum(size for _, size, _ in identities)
        if self._opened.get(name) != (identities, services):
            self._opened.pop(name, None)
            self._held.pop(name, None)
            self._create_view(table, paths)
            if isinstance(source, ServiceRows):
                self._keep(name, sorted(source.services), size)
            self._opened[name] = identities, services
        if isinstance(source, ServiceRows):
            self._held[name] = source
        return 0 if services is not None else size

    def _keep(self, name: str, services: Sequence[str], size: int) -> None:
        """Have the table's view show the rows of some services, from memory."""
        table, kept = as_identifier(name), as_identifier(f"{name} of services")
        wanted = ", ".join("'" + service.replace("'", "''") + "'" for service in services) or "NULL"
        text = f"SELECT * FROM {table} WHERE service_name IN ({wanted})"
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        self._run(f"{name} of services", sha256, f"CREATE OR REPLACE TEMP TABLE {kept} AS {text}", {}, size, (name,))
        self._connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM {kept}")

    def _create_view(self, table: FileTable, paths: tuple[Path, ...]) -> None:
        try:
            if paths:
                source = f"{table.name} files"
                relation = table.scan(self._connection, paths)
                relation.create_view(source, replace=True)
                select = table.view(relation, source, files=name_files(paths))
            else:
                select = table.empty()
            self._connection.execute(f"CREATE OR REPLACE VIEW {as_identifier(table.name)} AS {select}")
        except duckdb.Error as error:
            raise DataError(f"{table.said_at}: table {table.name}: {str(error).strip()}") from error

    def _run(
        self, name: str, sha256: str, text: str, parameters: Mapping[str, Any], size: int, tables: tuple[str, ...]
    ) -> Any:
        """Run a statement and log it; None when it has no result."""
        started = time.perf_counter()
        try:
            relation = (
                self._connection.sql(text, params=dict(parameters)) if parameters else self._connection.sql(text)
            )
            table = None if relation is None else relation.to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(
                f"query {name} failed in warehouse {self.name} (DuckDB): {str(error).strip()}"
                + (f"\nparameters: {_shown(parameters)}" if parameters else "")
            ) from error
        milliseconds = (time.perf_counter() - started) * 1000
        rows = 0 if table is None else table.num_rows
        self.queries.append(Statement(name, sha256, milliseconds, rows, size, tables))
        return table


def _identity(path: Path) -> tuple[Path, int, int]:
    status = path.stat()
    return path, status.st_size, status.st_mtime_ns


def _shown(parameters: Mapping[str, Any]) -> str:
    texts = {name: repr(value) for name, value in parameters.items()}
    return ", ".join(f"{n} = {t if len(t) <= _SHOWN else t[:_SHOWN] + '…'}" for n, t in texts.items())
