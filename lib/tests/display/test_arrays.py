"""Arrays in plotly's JSON: the smallest type that loses nothing, written out by hand."""

from __future__ import annotations

import base64
import struct

import numpy as np
import pytest

from shokubai.display.arrays import decode, decode_trace, encode, encode_trace

NAN = float("nan")


def text(form: str, *numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}{form}", *numbers)).decode()


@pytest.mark.parametrize(
    ("numbers", "dtype", "form"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 255], "u1", "B"),
        ([0, 1, 2, 3, 4, 5, 6, -1], "i1", "b"),
        ([0, 1, 2, 3, 4, 5, 6, 256], "u2", "H"),
        ([-300, 1, 2, 3, 4, 5, 6, 256], "i2", "h"),
        ([0, 1, 2, 3, 4, 5, 6, 70_000], "u4", "I"),
        ([0, -1, 2, 3, 4, 5, 6, 70_000], "i4", "i"),
        ([0, 1, 2, 3, 4, 5, 6, 2**40], "f8", "d"),
        ([0.5, NAN, 2, 3, 4, 5, 6, 16_777_216], "f4", "f"),
        ([0.5, NAN, 2, 3, 4, 5, 6, 16_777_217], "f8", "d"),
        ([0.1, 1, 2, 3, 4, 5, 6, 7], "f8", "d"),
    ],
)
def test_numbers_take_the_smallest_type_that_holds_them(numbers: list[float], dtype: str, form: str) -> None:
    encoded = encode(np.array(numbers, dtype="float64"))
    assert encoded == {"dtype": dtype, "bdata": text(form, *numbers)}
    assert decode(encoded) == [None if n != n else n for n in numbers]


def test_what_is_only_drawn_stays_as_it_was_rounded() -> None:
    narrow = np.full(8, 0.1, dtype="float32")
    assert encode(narrow) == {"dtype": "f4", "bdata": text("f", *[0.1] * 8)}


def test_two_columns_have_a_shape() -> None:
    pairs = np.array([[n, 2 * n] for n in range(8)], dtype="float64")
    encoded = encode(pairs)
    assert encoded == {"dtype": "u1", "bdata": text("B", *pairs.ravel().astype(int)), "shape": "8, 2"}
    assert decode(encoded) == pairs.tolist()


def test_few_numbers_are_a_list_with_none_for_gaps() -> None:
    assert encode(np.array([1.5, NAN])) == [1.5, None]
    assert encode(np.array(["2026-10-26T12:00:00"], dtype="datetime64[ms]")) == ["2026-10-26 12:00:00"]


def test_times_at_equal_distances_are_a_start_and_a_step() -> None:
    even = np.datetime64("2026-10-26T00:00:00", "ms") + np.arange(9) * np.timedelta64(1, "h")
    encoded = encode_trace({"x": even, "y": np.arange(9.0), "name": "a"})
    assert (encoded["x0"], encoded["dx"], encoded["name"]) == ("2026-10-26 00:00:00", 3_600_000, "a")
    assert "x" not in encoded
    decoded = decode_trace(encoded)
    assert decoded["x"] == [f"2026-10-26 {hour:02}:00:00" for hour in range(9)]
    assert "x0" not in decoded


def test_other_times_are_milliseconds_of_the_wall_clock() -> None:
    times = np.datetime64("2026-10-26T00:00:00", "ms") + np.array([0, 1, 2, 3, 5, 6, 7, 8]) * np.timedelta64(1, "h")
    encoded = encode_trace({"x": times, "y": np.arange(8.0)})
    first = 1_792_972_800_000  # 2026-10-26 00:00 of a clock that plotly takes for UTC
    hours = [0, 1, 2, 3, 5, 6, 7, 8]
    assert encoded["x"] == {"dtype": "f8", "bdata": text("d", *(first + 3_600_000 * hour for hour in hours))}
    assert decode_trace(encoded)["x"] == [f"2026-10-26 {hour:02}:00:00" for hour in hours]
