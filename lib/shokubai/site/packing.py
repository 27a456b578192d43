"""A page's figures without what it would say twice or at length; ``page.js`` puts it back before it draws."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Figure = dict[str, Any]
Place = tuple[str | int, ...]  # the keys that lead to a part of a figure

_WORTH_IT = 100  # characters; to name a part and its place takes some, too
_MOST_STEPS = 2**16 - 1
_EXACT = 2**53  # whole numbers below are exact


def pack(specs: Sequence[Mapping[str, Any]]) -> tuple[list[Figure], list[object]]:
    """Figures (``data`` and ``layout``) with empty places where they have parts in common, and these parts.

    Such parts are templates, events, axes, whole traces and arrays. A figure's ``shared`` lists its empty places:
    ``[7, "layout", "xaxis"]`` is where the part with number 7 goes. ``times`` lists the traces whose ``x``, encoded
    times of eight bytes each, became whole steps from the first one: ``{"from": ms, "step": ms, "bdata": u2}``.
    """
    figures: list[Figure] = [
        {"data": [dict(trace) for trace in spec["data"]], "layout": dict(spec["layout"]), "shared": [], "times": []}
        for spec in specs
    ]
    for figure in figures:
        for n, trace in enumerate(figure["data"]):
            if steps := _in_steps(trace.get("x")):
                trace["x"] = steps
                figure["times"].append(n)
    shared: list[object] = []
    for places_of in (_wholes, _arrays):
        found: dict[str, list[tuple[Figure, Place]]] = defaultdict(list)
        for figure in figures:
            for place in places_of(figure):
                found[json.dumps(_at(figure, place), ensure_ascii=False, default=str)].append((figure, place))
        for text, places in found.items():
            if len(places) < 2 or len(text) < _WORTH_IT:
                continue
            shared.append(_at(*places[0]))
            for figure, place in places:
                _at(figure, place[:-1])[place[-1]] = None
                figure["shared"].append([len(shared) - 1, *place])
    return figures, shared


def _in_steps(x: object) -> dict[str, Any] | None:
    if not (isinstance(x, dict) and x.get("dtype") == "f8" and x["bdata"] and "shape" not in x):
        return None
    times = np.frombuffer(base64.b64decode(x["bdata"]), dtype="<f8")
    if not (np.abs(times) < _EXACT).all() or (times != np.rint(times)).any():
        return None
    distances = (times - times[0]).astype("int64")
    step = int(np.gcd.reduce(distances))
    if not step or distances.min() < 0 or distances.max() > _MOST_STEPS * step:
        return None
    bdata = base64.b64encode((distances // step).astype("<u2").tobytes()).decode("ascii")
    return {"from": int(times[0]), "step": step, "bdata": bdata}


def _wholes(figure: Figure) -> Iterator[Place]:
    for name in figure["layout"]:
        yield ("layout", name)
    for n in range(len(figure["data"])):
        yield ("data", n)


def _arrays(figure: Figure) -> Iterator[Place]:
    for n, trace in enumerate(figure["data"]):
        for name, value in (trace or {}).items():
            if isinstance(value, list | dict):
                yield ("data", n, name)


def _at(figure: Figure, place: Place) -> Any:
    part: Any = figure
    for key in place:
        part = part[key]
    return part
