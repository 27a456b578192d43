"""What a table's partitioning means for the cost of a day's scan."""

from __future__ import annotations

from typing import Any

from shokubai.sources.bigquery_cost import in_units
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.tables.checks.finding import Finding

_REMEDY = "let `where` leave out what is old, or have the log written to a table partitioned by that column"


def check_partitioning(table: BigQueryTable, description: Any) -> Finding:
    """What one day's scan of a described table reads. ``table`` is fitted, so the column behind time is known."""
    time = next(name for name, column in table.contract.columns.items() if column.type == "TIMESTAMP")
    column = table.source_column(time)
    behind = f"{column}, the column behind {time}" if column and column != time else f"the column behind {time}"
    partitioning = description.time_partitioning
    if table.is_sharded:
        return _finding("ok", table, "there is a table per day, and a day's scan reads that day's")
    if description.table_type == "VIEW":
        return _finding("note", table, "it is a view; what a day's scan reads, only the dry run below tells")
    if description.table_type == "EXTERNAL":
        return _finding("warning", table, f"it is an external table: each day's scan reads all its files; {_REMEDY}")
    if partitioning and partitioning.field and partitioning.field.lower() == column:
        if partitioning.type_ in ("MONTH", "YEAR"):
            unit = partitioning.type_.lower()
            return _finding(
                "warning",
                table,
                f"it is partitioned by the {unit} of {partitioning.field}: each day's scan reads a whole {unit}, and "
                f"every row that is added makes all days of its {unit} be scanned again",
            )
        return _finding("ok", table, f"it is partitioned by {partitioning.field}, and a day's scan reads that day")
    whole = f"each day's scan reads the whole table, {in_units(description.num_bytes or 0)}"
    if partitioning and not partitioning.field:
        return _finding(
            "warning",
            table,
            f"it is partitioned by the time of ingestion, not by {behind}: each day's scan reads all that came in "
            "from the day before on; a new sink partitions by timestamp",
        )
    how = f"is partitioned by {partitioning.field}, not by {behind}" if partitioning else "is not partitioned"
    return _finding("warning", table, f"it {how}: {whole}; {_REMEDY}")


def _finding(level: Any, table: BigQueryTable, message: str) -> Finding:
    return Finding(level, table.name, message)
