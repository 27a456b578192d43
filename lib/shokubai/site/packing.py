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
_MOST_STEPS = 65_535


def pack(specs: Sequence[Mapping[str, Any]]) -> tuple[list[Figure], list[object]]:
    """Figures (``data`` and ``layout``) with empty places where they have parts in common, and these parts.

    Such parts are templates, events, axes, whole traces and arrays. Times become whole steps from the first one. A
    figure's ``shared`` lists its empty places: ``[7, "layout", "xaxis"]`` is where the part with number 7 goes.
    """
    figures: list[Figure] = [
        {"data": [_in_steps(trace) for trace in spec["data"]], "layout": dict(spec["layout"]), "shared": []}
        for spec in specs
    ]
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


def _in_steps(trace: Mapping[str, Any]) -> Figure:
    """A trace with its encoded times, which take eight bytes each, as ``{"from": ms, "step": ms, "bdata": u2}``."""
    x = trace.get("x")
    if not (isinstance(x, dict) and x.get("dtype") == "f8" and "shape" not in x):
        return dict(trace)
    times = np.frombuffer(base64.b64decode(x["bdata"]), dtype="<f8")
    distances = times - times[:1]
    if not len(times) or not (np.abs(times) < 2**53).all() or (times != np.rint(times)).any() or distances.min() < 0:
        return dict(trace)
    step = int(np.gcd.reduce(distances.astype("int64")))
    if not step or distances.max() > _MOST_STEPS * step:
        return dict(trace)
    bdata = base64.b64encode((distances / step).astype("<u2").tobytes()).decode("ascii")
    return {**trace, "x": {"from": int(times[0]), "step": step, "bdata": bdata}}


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
