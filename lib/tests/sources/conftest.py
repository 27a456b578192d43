"""A warehouse over hand-made files."""

import pandas as pd
import pytest

from shokubai.core.frames import Column, FrameContract
from shokubai.sources import DuckDbWarehouse, FileTable, find_files

VISITS = FrameContract(
    "visits",
    "visit",
    {
        "timestamp": Column("TIMESTAMP", ""),
        "name": Column("STRING", ""),
        "status": Column("NULLABLE_INT64", ""),
        "size": Column("INT64", ""),
        "duration_seconds": Column("FLOAT64", ""),
        "is_new": Column("BOOL", ""),
        "note": Column("STRING", "may be missing"),
    },
)


@pytest.fixture
def visits_frame():
    """Two visits in the contract's own types; further columns replace or add."""

    def make(**columns):
        frame = pd.DataFrame(
            {
                "timestamp": pd.to_datetime(
                    ["2026-10-26T00:00:00Z", "2026-10-26T23:59:59.999999Z"], format="ISO8601"
                ),
                "name": ["a", "b"],
                "status": pd.array([200, None], dtype="Int64"),
                "size": [1, 2],
                "duration_seconds": [0.5, None],
                "is_new": [True, False],
            }
        )
        frame = frame.assign(**{k: v for k, v in columns.items() if v is not None})
        return frame.drop(columns=[k for k, v in columns.items() if v is None])

    return make


@pytest.fixture
def open_visits(tmp_path):
    """Open a warehouse with the table visits over the files that match a pattern."""

    def open_them(pattern="*.parquet", *, columns=None, where="", contract=VISITS):
        def find():
            return find_files(str(tmp_path / pattern), said_at="warehouse w (w.yaml:3)", table=contract.name)

        table = FileTable(
            contract, find, "warehouse w (w.yaml:3)", columns=columns or {}, where=where, optional=("note",)
        )
        return DuckDbWarehouse("w", [table], spill=tmp_path / "spill")

    return open_them
