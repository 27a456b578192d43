"""Which days a file's rows fall on, from the statistics in a Parquet file's footer where they can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

Stretch = tuple[int, int]  # first and last instant, microseconds since 1970 UTC
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def footer_stretches(path: Path, column: str) -> list[Stretch] | None:
    """The first and last timestamp of each row group, None when the file does not say.

    A column without a time zone is taken as UTC.
    """
    metadata = pq.read_metadata(path)
    names = [metadata.schema.column(n).path for n in range(metadata.num_columns)]
    if column not in names:
        return None
    index = names.index(column)
    stretches = []
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group).column(index)
        statistics = chunk.statistics
        if statistics is None:
            return None
        if not statistics.has_min_max:
            if statistics.has_null_count and statistics.null_count == chunk.num_values:
                continue  # rows without a timestamp belong to no day
            return None
        try:
            first, last = _microseconds(statistics.min), _microseconds(statistics.max)
        except (OverflowError, ValueError, TypeError):
            return None
        stretches.append((first, last))
    return stretches


def schema_of(path: Path) -> Any:
    """The names and types of a Parquet file's columns, to be compared with another's."""
    return pq.read_schema(path).remove_metadata()


def day_of(microseconds: int) -> date:
    """The UTC day of an instant."""
    return (_EPOCH + timedelta(microseconds=microseconds)).date()


def days_of(stretches: Iterable[Stretch]) -> tuple[tuple[date, date], ...]:
    """The UTC days that stretches of time touch, as inclusive stretches that neither overlap nor adjoin."""
    merged: list[tuple[date, date]] = []
    for first, last in sorted((day_of(a), day_of(b)) for a, b in stretches):
        if merged and first <= merged[-1][1] + timedelta(days=1):
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def _microseconds(value: Any) -> int:
    return int(pd.Timestamp(value).to_datetime64().astype("datetime64[us]").astype("int64"))
