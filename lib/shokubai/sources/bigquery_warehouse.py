"""BigQuery: the logs where they are, and a dataset of Shokubai's own for the small tables.

A shipped query is sent as it was written. What it calls ``requests`` is defined in front of it, from the mapping in
the warehouse file; what it calls ``minute_counts`` lies in the dataset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from shokubai.config.mappings.model import Schema
from shokubai.core.errors import DataError, QueryError
from shokubai.core.frames import FrameContract
from shokubai.core.windows import DAY, Window
from shokubai.sources import results
from shokubai.sources.bigquery_jobs import BigQueryJobs, Outcome, type_name
from shokubai.sources.bigquery_parameters import inferred_type, query_parameters
from shokubai.sources.bigquery_partitions import DayParts, days_by_counting, days_of_partitions, days_of_shards
from shokubai.sources.bigquery_statement import Estimate, Target, Text
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.sources.bigquery_text import indented, quoted, with_definitions
from shokubai.sources.query import Query
from shokubai.sources.warehouse import Files, Part, Statement

MADE_FROM = "made_from"  # the column in which a day says what it was made from
_ENGINE_TYPES = {"NULLABLE_INT64": "INT64"}
_BOUNDS = {"start": "TIMESTAMP", "end": "TIMESTAMP"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLUSTERED_BY = ("service_name",)
_HINT_OF_SCANS = (
    "Each day of the log is read once. See that the log table is partitioned by the column behind timestamp, or let "
    "`where` leave out rows by its partition or clustering columns"
)
_NARROWER = "Ask for a shorter window, or let `where` leave out rows by the table's partition or clustering columns"

_OWN = "It reads Shokubai's own small tables, which hold what all reports read"


class BigQueryWarehouse:
    """The tables of one warehouse in BigQuery.

    ``small`` are the tables of ours, ``absent`` those of the contract that the warehouse file does not map. Several
    threads may use it at once.
    """

    def __init__(
        self,
        name: str,
        tables: Sequence[BigQueryTable],
        *,
        jobs: BigQueryJobs,
        small: Sequence[FrameContract] = (),
        absent: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.jobs = jobs
        self.queries: list[Statement] = []
        self.dataset = jobs.settings.dataset
        self._tables = {table.name: table for table in tables}
        self._small = {contract.name: contract for contract in small}
        self._absent = tuple(absent)
        self._fitted_tables: dict[str, BigQueryTable] = {}
        self._schemas: dict[str, Schema] = {}
        self._types: dict[str, Mapping[str, str]] = {}
        self._descriptions: dict[str, Any] = {}

    def use_threads(self, threads: int) -> None:
        """Nothing: how many processors a statement gets is BigQuery's to say."""

    # --- reading --------------------------------------------------------------------------------------------

    def select(
        self,
        query: Query,
        contract: FrameContract,
        parameters: Mapping[str, Any],
        *,
        files: Files | None = None,
        days: Window | None = None,
    ) -> pa.Table:
        """The rows of ``query`` with the columns of ``contract``; no rows when a table it reads is not mapped.

        With ``days`` only those of the small tables are read, which a query without bounds of its own needs.
        Raises QueryError when BigQuery refuses, CostError when it would read too much, DataError when a table or
        the result does not keep its contract.
        """
        text = self.text_of(query, parameters, days=days)
        rows = _no_rows(contract) if text is None else self.run(text).rows
        return results.conform(rows, contract)

    def text_of(self, query: Query, parameters: Mapping[str, Any], *, days: Window | None = None) -> Text | None:
        """What is sent for a query; None when a table it reads is not mapped."""
        wanted, given = set(query.types), set(parameters)
        if wanted != given:
            missing, excess = sorted(wanted - given), sorted(given - wanted)
            raise QueryError(f"query {query.name}: parameters missing: {missing}; not in the text: {excess}")
        read = self._read_by(query.text)
        if any(name in self._absent for name in read):
            return None
        definitions = {name: self.definition(name) for name in read if name in self._tables}
        types, values = dict(query.types), dict(parameters)
        if days:
            definitions |= {name: self._days_of(name) for name in read if name in self._small}
            types, values = types | _BOUNDS, values | {"start": days.start, "end": days.end}
        return Text(
            query.name,
            with_definitions(query.text, definitions),
            tuple(query_parameters(types, values)),
            hint=_OWN if all(name in self._small for name in read) else _NARROWER,
            written=query.text,
            tables=tuple(read),
        )

    def sql(self, text: str, **parameters: Any) -> pd.DataFrame:
        """The rows of a statement in GoogleSQL, with the contract's tables and those of the dataset by name.

        Parameters as ``@name``; their types are those of the values. Raises QueryError with BigQuery's message,
        also for a statement that does anything else than to read.
        """
        named = [name for name in self._tables if re.search(rf"\b{name}\b", text, re.IGNORECASE)]
        definitions = {name: self.definition(name, is_bounded=False) for name in named}
        types = {name: inferred_type(name, value) for name, value in parameters.items()}
        statement = Text(
            "sql",
            with_definitions(text, definitions),
            tuple(query_parameters(types, parameters)),
            hint=_NARROWER,
            written=text,
            tables=tuple(named),
        )
        estimate = self.jobs.estimate(statement)
        if estimate.kind not in ("SELECT", ""):
            raise QueryError(
                f"warehouse {self.name}: sql() takes one statement that reads (SELECT, WITH), found {estimate.kind}; "
                "to change something, use the BigQuery console or the bq command"
            )
        return results.to_plain_frame(self.run(statement, estimate=estimate).rows)

    def run(self, text: Text, *, estimate: Estimate | None = None) -> Outcome:
        """Run a statement and log it."""
        outcome = self.jobs.run(text, estimate=estimate)
        rows = 0 if outcome.rows is None else outcome.rows.num_rows
        self.queries.append(
            Statement(
                text.name,
                text.sha256,
                outcome.milliseconds,
                rows,
                outcome.bytes_processed,
                text.tables,
                bytes_billed=outcome.bytes_billed,
                job_id=outcome.job_id,
            )
        )
        return outcome

    # --- the logs -------------------------------------------------------------------------------------------

    def mapping(self, table: str) -> str:
        """The address, the column mapping and the row conditions of a table; empty when it is not mapped."""
        described = self._tables.get(table)
        if described is None:
            return ""
        return described.identity

    def version(self, table: str, *, window: Window | None = None) -> str:
        """When a table changed last and how many rows it had then, or for a view a hash of what it shows.

        Of metrics, the only companion that is long, it is that of the days of ``window``, where days can be told
        apart.
        """
        described = self._tables.get(table)
        if described is None:
            return ""
        has_days = "timestamp" in described.contract.columns and self.knows_its_days(table)
        if described.is_sharded or has_days:
            days = set(window.utc_days()) if window else None
            parts = [p for p in self.parts(table) if days is None or any(map(p.holds, days))]
            return repr([(part.path.name, part.version) for part in parts])
        found = self.description(table, again=True)
        if found.table_type == "TABLE":
            buffered = found.streaming_buffer
            return repr(
                (found.modified and found.modified.isoformat(), found.num_rows, buffered and buffered.estimated_rows)
            )
        is_bounded = window is not None and "timestamp" in described.contract.columns
        sql = with_definitions(
            f"SELECT COUNT(*) AS n, BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(t))) AS contents FROM {table} AS t"
            + ("\nWHERE timestamp >= @start AND timestamp < @end" if is_bounded else ""),
            {table: self.definition(table, is_bounded=is_bounded)},
        )
        bounds = (
            query_parameters(_BOUNDS, {"start": window.start, "end": window.end}) if window and is_bounded else ()
        )
        rows = self.run(Text(f"{table}_version", sql, tuple(bounds), hint=_NARROWER, tables=(table,))).rows
        return repr(rows.to_pylist() if rows is not None else [])

    def parts(self, table: str, *, known: Sequence[Part] = (), window: Window | None = None) -> tuple[Part, ...]:
        """What a table with a ``timestamp`` is made of, each part with its day.

        Partitions and shards by day tell for themselves when they changed. Of views, of tables that are not
        partitioned and of those that are partitioned by something else than the column behind ``timestamp``, the
        rows of each day of ``window`` are counted.
        """
        described = self._tables[table]
        days = self._day_parts(described, window)
        rows = self.run(days.text).rows
        return days.parts(rows)

    def knows_its_days(self, table: str) -> bool:
        """Whether ``parts`` tells all days of a table without reading its rows."""
        described = self._tables[table]
        return described.is_sharded or self._is_partitioned_by_time(described)

    def _day_parts(self, table: BigQueryTable, window: Window | None) -> DayParts:
        if table.is_sharded:
            return days_of_shards(table)
        if self._is_partitioned_by_time(table):
            return days_of_partitions(table)
        if window is None:
            raise DataError(
                f"{table.said_at}: table {table.name}: {table.address} is not partitioned by the column behind "
                "timestamp, so its days are known only where they are asked for"
            )
        return days_by_counting(table, self.definition(table.name), window)

    def counting(self, name: str, window: Window) -> Text | None:
        """The statement that counts the rows of each day of a table, None where its days are known without."""
        if self.knows_its_days(name):
            return None
        return days_by_counting(self._tables[name], self.definition(name), window).text

    def _is_partitioned_by_time(self, table: BigQueryTable) -> bool:
        described = self.description(table.name)
        partitioning = described.time_partitioning
        if described.table_type != "TABLE" or not partitioning or not partitioning.field:
            return False
        column = self.fitted(table.name).source_column("timestamp")
        return bool(partitioning.field.lower() == column)

    def definition(self, name: str, *, is_bounded: bool = True) -> str:
        """The SELECT that stands for a table of the contract.

        Raises DataError when a column is missing or of a wrong type.
        """
        table = self.fitted(name)
        schema = self._schema(table)
        if name not in self._types:
            self._types[name] = self._types_of_expressions(table, schema)
        return table.definition(schema, self._types[name], is_bounded=is_bounded)

    def _types_of_expressions(self, table: BigQueryTable, schema: Schema) -> Mapping[str, str]:
        """The types of a mapping's expressions, which only BigQuery can tell."""
        if not table.expressions(schema) and not table.where and not table.rows:
            return {}
        time = next(name for name, column in table.contract.columns.items() if column.type == "TIMESTAMP")
        sql = with_definitions(
            f"SELECT * FROM {table.name} WHERE {time} >= @start AND {time} < @end", {table.name: table.raw(schema)}
        )
        text = Text(
            f"{table.name}_types", sql, tuple(query_parameters(_BOUNDS, {"start": _EPOCH, "end": _EPOCH + DAY}))
        )
        try:
            return self.jobs.estimate(text).types
        except QueryError as error:
            raise DataError(
                f"{table.said_at}: table {table.name}: the mapping does not fit {table.address}\n{error}"
            ) from error

    def fitted(self, name: str) -> BigQueryTable:
        """The table with what its ready mapping says of its schema. Raises DataError where it does not fit."""
        if name not in self._fitted_tables:
            table = self._tables[name]
            partitioning = self.description(name).time_partitioning
            if partitioning and not partitioning.field and not table.is_sharded:
                table = replace(table, ingested_by=partitioning.type_)
            self._fitted_tables[name] = table.fitted(self._schema(table))
        return self._fitted_tables[name]

    def missing_columns(self, name: str) -> list[str]:
        """The optional columns that a table does not have, of all that the contract knows."""
        table = self.fitted(name)
        return table.missing_columns(self._schema(table))

    def _schema(self, table: BigQueryTable) -> Schema:
        if table.name not in self._schemas:
            self._schemas[table.name] = schema_of(self.description(table.name))
        return self._schemas[table.name]

    def description(self, name: str, *, again: bool = False) -> Any:
        """What BigQuery says of a table; of one sharded by day, of its newest shard."""
        if again or name not in self._descriptions:
            table = self._tables[name]
            address = table.address
            if table.is_sharded:
                shards = self.parts(name)
                if not shards:
                    raise DataError(f"{table.said_at}: table {name}: there is no table {address}")
                address = str(shards[-1].path)
            self._descriptions[name] = self.jobs.table(address)
        return self._descriptions[name]

    # --- the small tables -----------------------------------------------------------------------------------

    def has_small_tables(self) -> bool:
        """Whether all small tables are there."""
        return all(self.jobs.has_table(f"{self.dataset}.{name}") for name in self._small)

    def ensure_small_tables(self) -> None:
        """Make the small tables that are not there, and refuse those of another form.

        Raises DataError for a table that is not what this version of Shokubai makes.
        """
        from google.cloud import bigquery

        for name, contract in self._small.items():
            wanted = _columns_of(contract)
            table = bigquery.Table(
                f"{self.dataset}.{name}",
                schema=[bigquery.SchemaField(column, type_) for column, type_ in wanted.items()],
            )
            table.time_partitioning = bigquery.TimePartitioning(
                type_=bigquery.TimePartitioningType.DAY, field=_time_column(contract)
            )
            table.clustering_fields = list(_CLUSTERED_BY)
            table.require_partition_filter = True
            table.description = (
                f"One row per {contract.grain}. Made by Shokubai; each day is replaced as a whole. One row per day "
                f"has a {MADE_FROM} and no service: it says what the day was made from."
            )
            found = self.jobs.ensure_table(table)
            columns = {column.name: type_name(column) for column in found.schema}
            partitioning = found.time_partitioning
            if columns != wanted or not partitioning or partitioning.field != _time_column(contract):
                raise DataError(
                    f"{self.jobs.where}: {self.dataset}.{name} is not a table that this version of Shokubai made\n"
                    "If nothing else uses it, remove it (`bq rm`); it is built again from the logs."
                )
            if found.expires or partitioning.expiration_ms:
                of_bq = self.dataset.replace(".", ":", 1)
                raise DataError(
                    f"{self.jobs.where}: {self.dataset}.{name} expires, and days that are gone would be scanned "
                    "again in every run\nTake the expiration off the dataset and the table: "
                    f"`bq update --default_partition_expiration 0 --default_table_expiration 0 {of_bq}` and "
                    f"`bq update --expiration 0 --time_partitioning_expiration 0 {of_bq}.{name}`."
                )

    def day_of(self, query: Query, table: str, day: date, parameters: Mapping[str, Any], *, made_from: str) -> Text:
        """The statement that replaces one day of a small table by the rows of ``query`` over the logs.

        One more row says what the day is ``made_from``. The rows and what they say of themselves change at once
        or not at all.
        """
        contract = self._small[table]
        definitions = {name: self.definition(name) for name in self._read_by(query.text)}
        sql = with_definitions(_with_mark(query.text, contract), definitions)
        read = tuple(definitions)
        return self._into(query.name, sql, query.types, parameters, table, day, made_from, query.text, read)

    def no_day_of(self, table: str, day: date, *, made_from: str) -> Text:
        """The statement that replaces one day of a small table by nothing but the row with ``made_from``."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        types = {"start": "TIMESTAMP"}
        return self._into(f"no_{table}", _mark(self._small[table]), types, {"start": start}, table, day, made_from)

    def _into(
        self,
        name: str,
        sql: str,
        types: Mapping[str, str],
        parameters: Mapping[str, Any],
        table: str,
        day: date,
        made_from: str,
        written: str = "",
        read: tuple[str, ...] = (),
    ) -> Text:
        given = query_parameters({**types, MADE_FROM: "STRING"}, {**parameters, MADE_FROM: made_from})
        time = _time_column(self._small[table])
        target = Target(f"{self.dataset}.{table}", f"{day:%Y%m%d}", time, _CLUSTERED_BY)
        return Text(name, sql, tuple(given), target, _HINT_OF_SCANS, written, read)

    def _read_by(self, text: str) -> list[str]:
        """The tables of the contract and of ours that a query of ours names."""
        known = [*self._tables, *self._small, *self._absent]
        return [n for n in dict.fromkeys(known) if re.search(rf"\b(?:FROM|JOIN) {n}\b", text)]

    def _days_of(self, name: str) -> str:
        """The rows of a small table between @start and @end."""
        column = _time_column(self._small[name])
        return (
            f"SELECT *\nFROM {quoted(f'{self.dataset}.{name}')}\n"
            f"WHERE {column} >= @start AND {column} < @end AND {MADE_FROM} IS NULL"
        )


def _with_mark(text: str, contract: FrameContract) -> str:
    columns = ",\n".join(f"  {name}" for name in contract.columns)
    return (
        f"SELECT\n{columns},\n  CAST(NULL AS STRING) AS {MADE_FROM}\nFROM (\n{indented(text.rstrip(), 2)}\n)\n"
        f"UNION ALL\n{_mark(contract)}"
    )


def _mark(contract: FrameContract) -> str:
    """The row that says what a day was made from. It has no service, so no reader counts it."""
    time = _time_column(contract)
    values = []
    for name, column in contract.columns.items():
        value = (
            "@start" if name == time else "0" if column.type == "INT64" else f"CAST(NULL AS {_engine_type(column)})"
        )
        values.append(f"  {value} AS {name}")
    return "SELECT\n" + ",\n".join(values) + f",\n  @{MADE_FROM} AS {MADE_FROM}"


def _columns_of(contract: FrameContract) -> dict[str, str]:
    return {**{name: _engine_type(column) for name, column in contract.columns.items()}, MADE_FROM: "STRING"}


def _time_column(contract: FrameContract) -> str:
    return next(name for name, column in contract.columns.items() if column.type == "TIMESTAMP")


def _engine_type(column: Any) -> str:
    return _ENGINE_TYPES.get(column.type, str(column.type))


def _no_rows(contract: FrameContract) -> pa.Table:
    return pa.table({n: pa.array([], results.ARROW_TYPES[c.type]) for n, c in contract.columns.items()})


def schema_of(description: Any) -> Schema:
    """The types of a described table's columns and of fields inside of them, by path."""
    return dict(_flattened(description.schema))


def _flattened(fields: Sequence[Any], path: str = "") -> list[tuple[str, str]]:
    """Each column and each field inside of one that is there once per row, with its type."""
    found = []
    for column in fields:
        name, type_ = f"{path}{column.name}".lower(), type_name(column)
        found.append((name, type_))
        if type_ == "STRUCT":
            found += _flattened(column.fields, f"{name}.")
    return found
