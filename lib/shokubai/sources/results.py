"""Results on their way from an engine to pandas, with exactly the types that were declared."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from shokubai.core.errors import DataError
from shokubai.core.frames import FrameContract

ARROW_TYPES = {
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "STRING": pa.string(),
    "INT64": pa.int64(),
    "NULLABLE_INT64": pa.int64(),
    "FLOAT64": pa.float64(),
    "BOOL": pa.bool_(),
    "INT64_LIST": pa.list_(pa.int64()),
}


def conform(table: Any, contract: FrameContract) -> Any:
    """An Arrow table with the columns of ``contract``, in order and type.

    Raises DataError when a column is missing, a TIMESTAMP has no zone, a count is NULL, or a value does not fit.
    """
    columns = {}
    for name, column in contract.columns.items():
        if name not in table.column_names:
            raise DataError(f"{contract.name}: missing column {name}; got {', '.join(table.column_names)}")
        values, wanted = table.column(name), ARROW_TYPES[column.type]
        found = values.type
        if pa.types.is_timestamp(wanted) and not (pa.types.is_timestamp(found) and found.tz) and not _is_null(found):
            raise DataError(f"{contract.name}.{name}: a TIMESTAMP needs a time zone, got {found}")
        if column.type in ("INT64", "BOOL") and values.null_count:
            raise DataError(
                f"{contract.name}.{name}: {values.null_count} row(s) are NULL, which {column.type} cannot be"
            )
        try:
            columns[name] = values.cast(wanted)
        except pa.ArrowInvalid as error:
            raise DataError(f"{contract.name}.{name}: does not fit {column.type}: {error}") from error
    return pa.table(columns)


def to_frame(table: Any, contract: FrameContract) -> pd.DataFrame:
    """The frame of ``contract`` from an Arrow table."""
    conformed = conform(table, contract)
    nullable = {n for n, c in contract.columns.items() if c.type == "NULLABLE_INT64"}
    frame = {
        name: conformed.column(name).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        if name in nullable
        else conformed.column(name).to_pandas()
        for name in contract.columns
    }
    return contract.conform(pd.DataFrame(frame))


def to_plain_frame(table: Any) -> pd.DataFrame:
    """A frame of whatever an ad-hoc statement gave: whole numbers stay whole, instants are UTC."""
    return pd.DataFrame({n: _plain(v) for n, v in zip(table.column_names, table.columns, strict=True)})


def _plain(values: Any) -> Any:
    found = values.type
    if pa.types.is_decimal(found):  # DuckDB's sums of whole numbers are wider than 64 bits
        try:
            return _plain(values.cast(pa.int64() if found.scale == 0 else pa.float64()))
        except pa.ArrowInvalid:
            return values.cast(pa.float64()).to_pandas()
    if pa.types.is_integer(found) and values.null_count:
        return values.cast(pa.int64()).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    if pa.types.is_timestamp(found):
        return values.cast(pa.timestamp("us", found.tz), safe=False).to_pandas()
    return values.to_pandas()


def _is_null(found: Any) -> bool:
    return bool(pa.types.is_null(found))
