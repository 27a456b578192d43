"""What a page keeps of its figures: nothing twice, times as steps."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from shokubai.site.packing import pack

FIRST = 1_792_972_800_000
MINUTE = 60_000


def encoded(form: str, dtype: str, *numbers: float) -> dict[str, str]:
    return {"dtype": dtype, "bdata": base64.b64encode(struct.pack(f"<{len(numbers)}{form}", *numbers)).decode()}


def packed(x: Any) -> tuple[Any, list[int]]:
    figures, shared = pack([{"data": [{"y": [1]}, {"x": x, "y": [1]}], "layout": {}}])
    assert shared == [] and figures[0]["shared"] == []
    return figures[0]["data"][1]["x"], figures[0]["times"]


def test_times_are_steps_from_the_first_one() -> None:
    times = [FIRST + MINUTE * n for n in (0, 20, 30, 60)]
    steps = base64.b64encode(struct.pack("<4H", 0, 2, 3, 6)).decode()
    assert packed(encoded("d", "f8", *times)) == ({"from": FIRST, "step": 10 * MINUTE, "bdata": steps}, [1])


@pytest.mark.parametrize(
    "numbers",
    [
        (FIRST, FIRST - MINUTE),
        (FIRST, FIRST),
        (FIRST, FIRST + 0.5),
        (FIRST, float("nan")),
        (FIRST, float("inf")),
        (FIRST, FIRST + 1, FIRST + 65_536),
        (),
    ],
)
def test_other_numbers_stay_as_they_are(numbers: tuple[float, ...]) -> None:
    x = encoded("d", "f8", *numbers)
    assert packed(x) == (x, [])


def test_what_looks_like_steps_is_not_taken_for_them() -> None:
    x = {"from": 0, "step": 1, "bdata": "AAAA"}
    assert packed(x) == (x, [])


def test_an_array_in_two_charts_is_kept_once_and_a_short_one_twice() -> None:
    long, short = list(range(60)), [1, 2]
    specs = [{"data": [{"y": long, "text": short, "name": name}], "layout": {"height": 1}} for name in "ab"]
    figures, shared = pack(specs)
    assert shared == [long]
    assert figures[0] == {
        "data": [{"y": None, "text": short, "name": "a"}],
        "layout": {"height": 1},
        "shared": [[0, "data", 0, "y"]],
        "times": [],
    }
    assert specs[0]["data"][0]["y"] == long
