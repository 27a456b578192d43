"""Building the SELECT that turns a table's rows into requests, column by column, with errors that name the column."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

from shokubai.core.errors import UsageError, nearest_spelling
from shokubai.ingest.model import ImportOptions
from shokubai.tables.contracts import REQUESTS

_INTERNAL = ("#number", "#line", "#broken")


@dataclass(frozen=True)
class Relation:
    """Something to select from, as SQL, and what to call it. It has the columns #number, #line, #broken."""

    sql: str
    file: str


@dataclass(frozen=True)
class MappedSelect:
    """A statement that gives parsed requests, and how columns were read, for the reader to know."""

    sql: str
    notes: list[str] = field(default_factory=list)


def as_literal(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def as_identifier(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def mapped_select(relation: Relation, *, options: ImportOptions, parser: duckdb.DuckDBPyConnection) -> MappedSelect:
    """The statement for one file and the mapping in ``options``.

    A mapping's text is a column of the file when there is one of that name, else an SQL expression.
    Raises UsageError with the file's columns when the mapping does not fit.
    """
    described = _described(f"SELECT * FROM {relation.sql}", relation.file, parser)
    columns = {name: kind for name, kind in described.items() if name not in _INTERNAL}
    mapped = {name: name for name in REQUESTS.columns if name in columns} | dict(options.mapping.columns)
    if options.service is not None:
        mapped["service_name"] = as_literal(options.service)
    for name, hint in (("timestamp", "--column timestamp=COLUMN"), ("service_name", "--service NAME")):
        if name not in mapped:
            raise UsageError(
                f"{relation.file}: nothing says what the {name} is; give {hint}.\nIts columns are: {_listed(columns)}"
            )
    expressions: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for name, text in mapped.items():
        expressions[name], kinds[name] = _checked(text, relation, columns, parser, what=f"{name}={text}")
    instant, note = _instant(expressions["timestamp"], kinds["timestamp"], options.source_zone)
    where = "true"
    if options.mapping.where:
        condition, _ = _checked(
            options.mapping.where, relation, columns, parser, what=f"where {options.mapping.where}"
        )
        where = f"coalesce(CAST({condition} AS BOOLEAN), false)"
    unique = "NULL::VARCHAR"
    if options.mapping.unique:
        for name in options.mapping.unique:
            if name not in columns:
                near = nearest_spelling(name, list(columns))
                raise UsageError(
                    f"{relation.file}: --unique {name}: there is no such column; there are: {_listed(columns)}"
                    + (f"; did you mean {near!r}?" if near else "")
                )
        names = ", ".join(as_identifier(name) for name in options.mapping.unique)
        # A row that lacks one of them is not known to be a duplicate.
        absent = " OR ".join(f"{as_identifier(name)} IS NULL" for name in options.mapping.unique)
        unique = f"CASE WHEN NOT ({absent}) THEN md5(to_json([{names}]::VARCHAR[])::VARCHAR) END"

    def text_of(name: str) -> str:
        return f"nullif(CAST({expressions[name]} AS VARCHAR), '')" if name in expressions else "NULL::VARCHAR"

    status = (
        f"known_status({expressions[s]})" if (s := "http_response_status_code") in expressions else "NULL::BIGINT"
    )
    duration = f"known_duration({expressions[d]})" if (d := "duration_seconds") in expressions else "NULL::DOUBLE"
    method = text_of("http_request_method")
    sql = f"""
WITH parsed AS (
    SELECT
        "#number" AS line_number,
        {instant} AS timestamp,
        {text_of("service_name")} AS service_name,
        {text_of("http_route")} AS target,
        known_method({method}) AS http_request_method,
        {status} AS http_response_status_code,
        {duration} AS duration_seconds,
        {text_of("user_key")} AS client,
        {text_of("region")} AS region,
        {text_of("service_version")} AS service_version,
        {text_of("trace_id")} AS trace_id,
        {unique} AS unique_key,
        false AS is_repaired,
        "#broken" IS NOT NULL OR {where} AS is_wanted,
        "#broken" AS broken,
        coalesce("#line", CAST({expressions["timestamp"]} AS VARCHAR)) AS line
    FROM {relation.sql}
),
judged AS (
    SELECT
        * EXCLUDE (broken),
        CASE
            WHEN broken IS NOT NULL THEN broken
            WHEN timestamp IS NULL THEN 'the timestamp is missing or is no time'
            WHEN service_name IS NULL THEN 'the service name is missing'
        END AS rejected_reason
    FROM parsed
)
SELECT * REPLACE (if(rejected_reason IS NULL, NULL, line) AS line) FROM judged
"""
    return MappedSelect(sql, [note] if note else [])


def _described(select: str, file: str, parser: duckdb.DuckDBPyConnection) -> dict[str, str]:
    try:
        rows = parser.execute(f"SELECT column_name, column_type FROM (DESCRIBE {select})").fetchall()
    except duckdb.Error as error:
        raise UsageError(f"{file}: cannot be read: {_first_line(error)}") from error
    return {str(name): str(kind) for name, kind in rows}


def _checked(
    text: str, relation: Relation, columns: dict[str, str], parser: duckdb.DuckDBPyConnection, *, what: str
) -> tuple[str, str]:
    """The text as one SQL expression over the relation, and its type."""
    if text in columns:
        return as_identifier(text), columns[text]
    try:
        if len(parser.extract_statements(f"SELECT ({text})")) != 1:
            raise UsageError(f"{what}: must be one expression")
        described = parser.execute(
            f"SELECT column_type FROM (DESCRIBE SELECT ({text}) AS v FROM {relation.sql})"
        ).fetchall()
    except duckdb.Error as error:
        raise UsageError(
            f"{relation.file}: {what}: {_first_line(error)}\nIts columns are: {_listed(columns)}"
        ) from error
    return f"({text})", str(described[0][0])


def _instant(expression: str, kind: str, zone: str) -> tuple[str, str]:
    """SQL for an instant out of a column of this type, and what to tell about it."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return expression, ""
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return (
            f"timezone({as_literal(zone)}, CAST({expression} AS TIMESTAMP))",
            f"times without an offset are read as {zone}",
        )
    if kind == "VARCHAR":
        return f"text_instant({expression}, {as_literal(zone)})", f"times without an offset are read as {zone}"
    return f"epoch_instant({expression})", "numbers are read as time since 1970, the unit told by their size"


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().split("\n", 1)[0]


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in columns.items())
