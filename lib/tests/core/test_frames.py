import pandas as pd
import pytest

from shokubai.core.errors import DataError
from shokubai.core.frames import Column, FrameContract

CONTRACT = FrameContract(
    "visits",
    "visit",
    {
        "at": Column("TIMESTAMP", ""),
        "page": Column("STRING", ""),
        "request_count": Column("INT64", ""),
        "status": Column("NULLABLE_INT64", ""),
        "duration_seconds": Column("FLOAT64", ""),
    },
)
ROWS = pd.DataFrame(
    {
        "extra": [1, 2],
        "duration_seconds": [1, 2],
        "status": [200.0, None],
        "request_count": [3.0, 4.0],
        "page": ["/a", None],
        "at": pd.to_datetime(["2026-10-26T09:00:00+09:00", "2026-10-26T00:01:00Z"], utc=True),
    }
)


def test_conform_gives_the_declared_columns_in_order_and_type() -> None:
    frame = CONTRACT.conform(ROWS)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "at": "datetime64[us, UTC]",
        "page": "str",
        "request_count": "int64",
        "status": "Int64",
        "duration_seconds": "float64",
    }
    assert frame["request_count"].tolist() == [3, 4]
    assert frame["status"].isna().tolist() == [False, True]
    assert frame["page"].isna().tolist() == [False, True]
    assert ROWS.columns[0] == "extra"  # what came in is as it was


def test_an_empty_frame_conforms() -> None:
    assert CONTRACT.conform(CONTRACT.empty()).dtypes.equals(CONTRACT.conform(ROWS).dtypes)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match=r"visits: missing column\(s\) page, status"):
        CONTRACT.conform(ROWS.drop(columns=["page", "status"]))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("request_count", [1.5, 2.0]),  # a cut-off fraction would be a wrong count
        ("request_count", [1.0, None]),
        ("request_count", [1.0, float("inf")]),
        ("request_count", ["one", "two"]),
        ("status", [200.5, None]),
        ("at", pd.to_datetime(["2026-10-26", "2026-10-27"])),  # no time zone
    ],
)
def test_values_that_do_not_fit_are_refused_with_table_and_column(column: str, values: object) -> None:
    with pytest.raises(DataError, match=rf"visits\.{column}: does not fit"):
        CONTRACT.conform(ROWS.assign(**{column: values}))
