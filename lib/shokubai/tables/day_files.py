"""Files of the small tables, each one UTC day: in order of the service, so that a report reads only its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shokubai.core.windows import DAY
from shokubai.tables.contracts import SMALL_TABLES

# When a row of each small table is.
TIME_COLUMNS: Mapping[str, str] = {name: next(iter(contract.columns)) for name, contract in SMALL_TABLES.items()}
# Rows of one row group. A file says from which service to which each of them goes, and readers skip the others: the
# fewer rows, the less is read for a team, and the more there is to know of a file before anything is read.
ROW_GROUP_ROWS = 32_768


def in_order(table: pa.Table) -> pa.Table:
    """Rows of one day or several in the order of a day's file: service, time, and the rest."""
    time, service, *rest = table.column_names
    order = [(name, "ascending", "at_start") for name in (service, time, *rest)]
    plain = pa.table({name: _plain(table.column(name)) for name in table.column_names})
    return plain.take(pc.sort_indices(plain, sort_keys=order))


def by_day(table: pa.Table, column: str, days: Sequence[date]) -> dict[date, pa.Table]:
    """Rows in order of their UTC days, cut between them."""
    found = table.column(column).to_numpy().astype("datetime64[D]")
    bounds = np.searchsorted(found, np.array([*days, days[-1] + DAY], dtype="datetime64[D]"))
    return {day: table.slice(bounds[n], bounds[n + 1] - bounds[n]) for n, day in enumerate(days)}


def write_day(rows: Any, path: Path) -> None:
    """Write the rows of one day, which are in order."""
    # Without Arrow's own schema, whoever reads the strings gets strings, and not the dictionaries they came in.
    pq.write_table(rows, path, compression="zstd", row_group_size=ROW_GROUP_ROWS, store_schema=False)


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strings as strings: Arrow does not sort by dictionaries."""
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
