"""From a file to batches of parsed requests, all in one shape, whatever the file is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Protocol

import duckdb
import pyarrow as pa

from shokubai.core.errors import UsageError
from shokubai.ingest.columns import Relation, as_literal, mapped_select
from shokubai.ingest.content import Fingerprint, read_blocks, read_line_chunks
from shokubai.ingest.line_format import ERROR_LINE, HEAD, LOOSE_REST, OPEN_REST, REST, decide_format
from shokubai.ingest.model import Advance, ImportOptions
from shokubai.ingest.recognition import Recognised

_CSV_SAMPLE_ROWS = 200_000
_BATCH_ROWS = 100_000


class Reader(Protocol):
    """One file being read. Batches have the columns of ``access_log.sql``; the rest is known when they are done."""

    kind: str
    notes: list[str]
    fingerprint: Fingerprint

    def batches(self, advance: Advance | None) -> Iterator[pa.Table]: ...


def connect_parser() -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that parses and never writes to disk: plain client addresses stay in memory."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'; SET temp_directory = ''")
    connection.execute(_sql("macros"))
    return connection


def open_reader(
    recognised: Recognised,
    *,
    options: ImportOptions,
    parser: duckdb.DuckDBPyConnection,
    prefixes: Collection[int] = (),
) -> Reader:
    """The reader for a recognised file. ``prefixes``: see Fingerprint.

    Raises UsageError when the format is ambiguous or the mapping does not fit the file.
    """
    fingerprint = Fingerprint(prefixes)
    if recognised.kind == "access log":
        return _access_log_reader(recognised, options, parser, fingerprint)
    if recognised.kind == "JSON lines":
        return _json_lines_reader(recognised, options, parser, fingerprint)
    return _TableReader(recognised, options, parser, fingerprint)


@dataclass
class _LineReader:
    kind: str
    recognised: Recognised
    parser: duckdb.DuckDBPyConnection
    fingerprint: Fingerprint
    select: str
    values: dict[str, object]
    notes: list[str] = field(default_factory=list)

    def batches(self, advance: Advance | None) -> Iterator[pa.Table]:
        for chunk in read_line_chunks(self.recognised.path, fingerprint=self.fingerprint, advance=advance):
            self.parser.register("chunk", chunk)
            try:
                batch = self.parser.sql(self.select, params=self.values).to_arrow_table()
            except duckdb.Error as error:
                raise UsageError(f"{self.recognised.path}: cannot be read as {self.kind}: {error}") from error
            yield batch
            self.parser.unregister("chunk")


def _access_log_reader(
    recognised: Recognised, options: ImportOptions, parser: duckdb.DuckDBPyConnection, fingerprint: Fingerprint
) -> _LineReader:
    path = recognised.path
    if options.service is None:
        raise UsageError(f"{path}: an access log does not say which service it is of; give --service NAME")
    if options.mapping.columns or options.mapping.unique or options.mapping.where:
        raise UsageError(
            f"{path}: is an access log, whose fields have fixed places; --column and the like do not apply"
        )
    line_format, notes = options.line_format, [f"format {options.line_format.name}"] if options.line_format else []
    if line_format is None:
        line_format, note = decide_format(recognised.sample, file=str(path))
        notes = [note]
    return _LineReader(
        f"access log, {line_format.name}",
        recognised,
        parser,
        fingerprint,
        _sql("access_log"),
        {
            "head": HEAD,
            "rest": REST,
            "loose_rest": LOOSE_REST,
            "open_rest": OPEN_REST,
            "error_line": ERROR_LINE,
            "service": options.service,
            "units_per_second": line_format.duration_units_per_second,
        },
        notes,
    )


_JSON_RECORDS = """(
    SELECT
        line_number AS "#number",
        line AS "#line",
        CASE WHEN NOT json_valid(line) THEN 'is no JSON' WHEN json_type(line) <> 'OBJECT' THEN 'is no JSON object' END
            AS "#broken",
        unnest(json_transform(if(json_valid(line), line, '{{}}'), {structure}))
    FROM chunk
)"""


def _json_lines_reader(
    recognised: Recognised, options: ImportOptions, parser: duckdb.DuckDBPyConnection, fingerprint: Fingerprint
) -> _LineReader:
    """The columns are those of the sample's objects; a field that appears only later is not seen."""
    parser.register("sample", pa.table({"line": [line for line in recognised.sample if line.strip()]}))
    structures = parser.execute(
        "SELECT json_group_structure(line::JSON) FROM sample WHERE json_valid(line) AND json_type(line) = 'OBJECT'"
    ).fetchall()
    parser.unregister("sample")
    if (structure := structures[0][0]) is None:
        raise UsageError(f"{recognised.path}: begins like JSON lines, but none of its first lines is a JSON object")
    empty = pa.table({"line_number": pa.array([], pa.int64()), "line": pa.array([], pa.string())})
    parser.register("chunk", empty)
    relation = Relation(_JSON_RECORDS.format(structure=as_literal(structure)), str(recognised.path))
    select = mapped_select(relation, options=options, parser=parser)
    return _LineReader("JSON lines", recognised, parser, fingerprint, select.sql, {}, select.notes)


_TABLE_RECORDS = """(
    SELECT row_number() OVER () AS "#number", NULL::VARCHAR AS "#line", NULL::VARCHAR AS "#broken", * FROM {source}
)"""
_CSV_REJECTS = """
    SELECT
        e.line::BIGINT AS line_number,
        any_value(e.csv_line) AS line,
        lower(replace(min(e.error_type::VARCHAR), '_', ' '))
            || coalesce(' in column ' || min(e.column_name), '') AS rejected_reason
    FROM reject_errors AS e
    GROUP BY e.scan_id, e.line
    ORDER BY e.line
"""


class _TableReader:
    """CSV, of which DuckDB itself rejects lines, and Parquet."""

    def __init__(
        self,
        recognised: Recognised,
        options: ImportOptions,
        parser: duckdb.DuckDBPyConnection,
        fingerprint: Fingerprint,
    ) -> None:
        self.kind: str = recognised.kind
        self.fingerprint = fingerprint
        self._path = recognised.path
        self._cursor = parser.cursor()  # of its own, because the result is read while the parser works
        self._cursor.execute("SET temp_directory = ''; SET TimeZone = 'UTC'")
        source = (
            f"read_parquet({as_literal(str(self._path))}, hive_partitioning = false)"
            if self.kind == "Parquet"
            else f"read_csv({as_literal(str(self._path))}, store_rejects = true, sample_size = {_CSV_SAMPLE_ROWS}"
            f"{self._compression()})"
        )
        relation = Relation(_TABLE_RECORDS.format(source=source), str(self._path))
        select = mapped_select(relation, options=options, parser=self._cursor)
        self._select, self.notes = select.sql, select.notes

    def _compression(self) -> str:
        with self._path.open("rb") as stream:
            magic = stream.read(4)
        if magic[:2] == b"\x1f\x8b":
            return ", compression = 'gzip'"
        return ", compression = 'zstd'" if magic == b"\x28\xb5\x2f\xfd" else ""

    def batches(self, advance: Advance | None) -> Iterator[pa.Table]:
        for block in read_blocks(self._path):
            self.fingerprint.update(block)
        # DuckDB's rejects of an earlier look at the file are not this reading's.
        self._forget_rejects()
        schema: pa.Schema | None = None
        try:
            for batch in self._cursor.sql(self._select).to_arrow_reader(_BATCH_ROWS):
                schema = batch.schema
                yield pa.Table.from_batches([batch])
        except duckdb.Error as error:
            raise UsageError(f"{self._path}: cannot be read as {self.kind}: {error}") from error
        if self.kind == "CSV" and schema is not None:
            rejects = self._cursor.sql(_CSV_REJECTS).to_arrow_table()
            if rejects.num_rows:
                yield _as_rejects(rejects, schema)
        if advance:
            advance(self._path.stat().st_size)

    def _forget_rejects(self) -> None:
        for table in ("reject_errors", "reject_scans"):
            self._cursor.execute(f"DROP TABLE IF EXISTS {table}")


def _as_rejects(rejects: pa.Table, schema: pa.Schema) -> pa.Table:
    constants = {"is_repaired": False, "is_wanted": True}
    columns = [
        rejects[name].cast(kind)
        if name in rejects.column_names
        else pa.array([constants.get(name)] * rejects.num_rows, type=kind)
        for name, kind in zip(schema.names, schema.types, strict=True)
    ]
    return pa.table(columns, schema=schema)


def _sql(name: str) -> str:
    return (files("shokubai.ingest") / f"{name}.sql").read_text(encoding="utf-8")
