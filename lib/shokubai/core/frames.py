"""Frame contracts: which columns a table has, their types and units, and what one row is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from shokubai.core.errors import DataError

# Contract types and the pandas types that carry them; counts are nullable so that "unknown" is never zero.
PANDAS_TYPES: Mapping[str, str] = {
    "TIMESTAMP": "datetime64[us, UTC]",
    "STRING": "str",
    "INT64": "int64",
    "NULLABLE_INT64": "Int64",
    "FLOAT64": "float64",
    "BOOL": "bool",
}


@cache
def _pandas_type(name: str) -> Any:
    return pd.api.types.pandas_dtype(PANDAS_TYPES[name])


@dataclass(frozen=True)
class Column:
    """One column: its contract type and what it means, with its unit."""

    type: str
    meaning: str


@dataclass(frozen=True)
class FrameContract:
    """The declared shape of a frame.

    ``grain`` completes the sentence "one row per …".
    """

    name: str
    grain: str
    columns: Mapping[str, Column]

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with exactly the declared columns, in order and type.

        Raises DataError when a column is missing or its values do not fit.
        """
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise DataError(f"{self.name}: missing column(s) {', '.join(missing)}; got {', '.join(frame.columns)}")
        wanted = [_pandas_type(column.type) for column in self.columns.values()]
        if list(frame.columns) == list(self.columns) and list(frame.dtypes) == wanted:
            return frame.copy(deep=False)
        out = {}
        for name, column in self.columns.items():
            try:
                out[name] = frame[name].astype(_pandas_type(column.type))
            except (TypeError, ValueError) as error:
                raise DataError(f"{self.name}.{name}: does not fit {column.type}: {error}") from error
            # astype cuts fractions off without a word.
            if column.type == "INT64" and pd.api.types.is_float_dtype(frame[name]):
                cut = frame[name][frame[name] != out[name]]
                if len(cut):
                    raise DataError(f"{self.name}.{name}: does not fit {column.type}: {cut.iloc[0]} is not whole")
        return pd.DataFrame(out)

    def empty(self) -> pd.DataFrame:
        """No rows, the declared columns."""
        return pd.DataFrame({n: pd.Series(dtype=PANDAS_TYPES[c.type]) for n, c in self.columns.items()})
