"""Arrays as plotly's own JSON writes them: the bytes of one number after the other, in base64.

Traces hold numpy arrays: floats, NaN where a line has a gap, and wall-clock times (``datetime64``). ``encode_trace``
writes them with the smallest type that loses nothing, and times at equal distances as a start and a step, which is
what plotly draws from ``x0`` and ``dx``. ``decode_trace`` gives the lists back.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

# Types that plotly.js knows, with the bytes of one number.
DTYPES = {"i1": 1, "u1": 1, "i2": 2, "u2": 2, "i4": 4, "u4": 4, "f4": 4, "f8": 8}
STAMP = "%Y-%m-%d %H:%M:%S"

_WHOLE = ("u1", "i1", "u2", "i2", "u4", "i4")  # smallest first
_SHORT = 8  # numbers: a list of these is smaller, and can be read

Array = np.ndarray[Any, Any]


def encode_trace(trace: Mapping[str, Any]) -> dict[str, Any]:
    """A trace with its arrays as JSON has them."""
    encoded: dict[str, Any] = {}
    for name, value in trace.items():
        if not isinstance(value, np.ndarray):
            encoded[name] = value
        elif name == "x" and (step := _step_ms(value)):
            encoded |= {"x0": _stamps(value[:1])[0], "dx": step}
        else:
            encoded[name] = encode(value)
    return encoded


def encode(array: Array) -> dict[str, str] | list[Any]:
    """A numeric or datetime array of one or two dimensions; a short one as a list."""
    is_time = array.dtype.kind == "M"
    if array.size < _SHORT:
        return _stamps(array) if is_time else _numbers(array)
    numbers = _milliseconds(array).astype("float64") if is_time else _smallest(array)
    little = np.ascontiguousarray(numbers, dtype=numbers.dtype.newbyteorder("<"))
    encoded = {"dtype": little.dtype.str[1:], "bdata": base64.b64encode(little.tobytes()).decode("ascii")}
    return encoded if array.ndim == 1 else encoded | {"shape": ", ".join(map(str, array.shape))}


def decode_trace(trace: Mapping[str, Any]) -> dict[str, Any]:
    """A trace of plotly's JSON with lists instead of encoded arrays: times as text, gaps as None."""
    decoded = {name: decode(value) for name, value in trace.items()}
    if "x0" in decoded and "dx" in decoded:
        start, step = np.datetime64(decoded.pop("x0"), "ms"), np.timedelta64(int(decoded.pop("dx")), "ms")
        decoded["x"] = _stamps(start + step * np.arange(len(decoded["y"])))
    elif isinstance(trace.get("x"), Mapping) and trace["x"].get("dtype") == "f8":
        decoded["x"] = _stamps(np.array(decoded["x"], dtype="int64").astype("datetime64[ms]"))
    return decoded


def decode(value: Any) -> Any:
    """The numbers of an encoded array, gaps as None; anything else as it is."""
    if isinstance(value, np.ndarray):
        return _stamps(value) if value.dtype.kind == "M" else _numbers(value)
    if not (isinstance(value, Mapping) and "bdata" in value):
        return value
    array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=f"<{value['dtype']}")
    return _numbers(array.reshape([int(n) for n in value["shape"].split(",")]) if "shape" in value else array)


def _smallest(array: Array) -> Array:
    """The same numbers in the smallest type that holds them."""
    if array.dtype.kind != "f" or (np.isfinite(array).all() and (array == np.rint(array)).all()):
        low, high = array.min(), array.max()
        for name in _WHOLE:
            limits = np.iinfo(name)
            if limits.min <= low and high <= limits.max:
                return array.astype(name)
        return array.astype("float64")
    narrow = array.astype("float32")
    return narrow if np.array_equal(narrow.astype("float64"), array, equal_nan=True) else array


def _step_ms(times: Array) -> int | None:
    """The distance of times that follow each other evenly; None for others and for few."""
    if times.dtype.kind != "M" or len(times) < _SHORT:
        return None
    steps = np.diff(_milliseconds(times))
    return int(steps[0]) if steps[0] > 0 and (steps == steps[0]).all() else None


def _milliseconds(times: Array) -> Array:
    return times.astype("datetime64[ms]").astype("int64")


def _stamps(times: Array) -> list[str]:
    return [text.replace("T", " ") for text in np.datetime_as_string(times, unit="s").tolist()]


def _numbers(array: Array) -> list[Any]:
    if array.ndim > 1:
        return [_numbers(row) for row in array]
    numbers: list[Any] = array.tolist()
    return [None if number != number else number for number in numbers]
