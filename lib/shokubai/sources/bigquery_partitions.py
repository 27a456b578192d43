"""Which days a log in BigQuery has, and what tells that one of them has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from shokubai.core.windows import DAY, Window
from shokubai.sources.bigquery_parameters import query_parameters
from shokubai.sources.bigquery_statement import Text
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.sources.bigquery_text import quoted, with_definitions
from shokubai.sources.warehouse import Part

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Rows that were streamed in and are not in their partition yet are in __UNPARTITIONED__: queries see them, and the
# partition changes when they arrive there.
_PARTITIONS = """\
SELECT
  partition_id AS id,
  total_rows AS row_count,
  total_logical_bytes AS byte_count,
  UNIX_MICROS(last_modified_time) AS changed_us
FROM {dataset}.INFORMATION_SCHEMA.PARTITIONS
WHERE table_name = @table AND total_rows > 0
ORDER BY partition_id"""

_SHARDS = """\
SELECT
  SUBSTR(table_id, LENGTH(@prefix) + 1) AS id,
  row_count,
  size_bytes AS byte_count,
  last_modified_time * 1000 AS changed_us
FROM {dataset}.__TABLES__
WHERE STARTS_WITH(table_id, @prefix) AND row_count > 0
ORDER BY table_id"""

_COUNTS = """\
SELECT
  UNIX_MICROS(TIMESTAMP_TRUNC(timestamp, DAY)) AS day_us,
  COUNT(*) AS row_count,
  UNIX_MICROS(MIN(timestamp)) AS first_us,
  UNIX_MICROS(MAX(timestamp)) AS last_us
FROM {table}
WHERE timestamp >= @start AND timestamp < @end
GROUP BY day_us
ORDER BY day_us"""


@dataclass(frozen=True)
class DayParts:
    """A statement, and how its rows become parts."""

    text: Text
    parts: Callable[[Any], tuple[Part, ...]]


def days_of_partitions(table: BigQueryTable) -> DayParts:
    """The partitions of a table that is partitioned by the column behind ``timestamp``. No row of it is read."""
    dataset, _, name = table.address.rpartition(".")
    text = Text(
        f"{table.name}_partitions",
        _PARTITIONS.format(dataset=quoted(dataset)),
        tuple(query_parameters({"table": "STRING"}, {"table": name})),
    )
    return DayParts(text, lambda rows: tuple(_dated(table.address + "$", rows.to_pylist())))


def days_of_shards(table: BigQueryTable) -> DayParts:
    """The tables of a log that has one per day. No row of them is read."""
    dataset, _, name = table.address.rpartition(".")
    prefix = name.rstrip("*")
    text = Text(
        f"{table.name}_shards",
        _SHARDS.format(dataset=quoted(dataset)),
        tuple(query_parameters({"prefix": "STRING"}, {"prefix": prefix})),
    )
    return DayParts(text, lambda rows: tuple(_dated(f"{dataset}.{prefix}", rows.to_pylist(), lengths=(8,))))


def days_by_counting(table: BigQueryTable, definition: str, window: Window) -> DayParts:
    """The days of a window in which a table has rows, and how many. Reads the column behind ``timestamp``."""
    start = datetime(window.start.year, window.start.month, window.start.day, tzinfo=UTC)
    last = window.end - _MICROSECOND
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + DAY
    text = Text(
        f"{table.name}_days",
        with_definitions(_COUNTS.format(table=table.name), {table.name: definition}),
        tuple(query_parameters({"start": "TIMESTAMP", "end": "TIMESTAMP"}, {"start": start, "end": end})),
        hint="Its days have to be counted. Take a log table that is partitioned by the column behind timestamp",
        tables=(table.name,),
    )
    return DayParts(text, lambda rows: tuple(_counted(table.address, rows.to_pylist())))


def _dated(prefix: str, rows: Iterable[dict[str, Any]], lengths: tuple[int, ...] = (4, 6, 8, 10)) -> Iterable[Part]:
    """Parts whose name says which hour, day, month or year they hold."""
    for row in rows:
        name = str(row["id"])
        if not re.fullmatch(r"\d+", name) or len(name) not in lengths:
            continue  # __NULL__, __UNPARTITIONED__, or a table that only begins like a shard
        first, last = _days_of_name(name)
        yield Part(
            Path(f"{prefix}{name}"),
            f"{row['row_count']}-{row['changed_us']}",
            int(row["byte_count"] or 0),
            _us(first),
            _us(last + DAY) - 1,
            ((first, last),),
        )


def _days_of_name(name: str) -> tuple[date, date]:
    year, month, day = int(name[:4]), int(name[4:6] or 1), int(name[6:8] or 1)
    first = date(year, month, day)
    if len(name) >= 8:
        return first, first
    after = date(year + 1, 1, 1) if len(name) == 4 or month == 12 else date(year, month + 1, 1)
    return first, after - DAY


def _counted(address: str, rows: Iterable[dict[str, Any]]) -> Iterable[Part]:
    for row in rows:
        day = (_EPOCH + int(row["day_us"]) * _MICROSECOND).date()
        yield Part(
            Path(f"{address} on {day.isoformat()}"),
            f"{row['row_count']}-{row['first_us']}-{row['last_us']}",
            0,
            int(row["first_us"]),
            int(row["last_us"]),
            ((day, day),),
        )


def _us(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) // _MICROSECOND
