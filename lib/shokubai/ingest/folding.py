"""Keeping the number of routes small when templates alone do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from shokubai.ingest.routes import MALFORMED, OTHER, UNKNOWN

SPECIAL = frozenset({MALFORMED, OTHER, UNKNOWN})


def fold_routes(counts: Mapping[str, int], *, limit: int, kept: Collection[str] = ()) -> dict[str, str]:
    """Where the routes go that are too many: route → folded route, only for those that are folded.

    ``counts`` has the requests of each route of one service, ``kept`` the routes that stay whatever comes
    (those of earlier imports). Nothing is folded while there are at most ``limit`` routes. Otherwise the most
    requested keep their names in three quarters of the places; the rest goes by its first segment to
    ``/prefix/*``, and what is beyond the remaining places to ``{other}``.

    >>> fold_routes({"/": 9, "/a": 8, "/b": 7, "/img/x": 1, "/img/y": 1, "/zip/z": 1}, limit=5)
    {'/img/x': '/img/*', '/img/y': '/img/*', '/zip/z': '{other}'}
    """
    fixed = set(kept) | SPECIAL
    rest = [route for route in counts if route not in fixed]
    places = limit - len(set(kept) - SPECIAL)
    if len(rest) <= places:
        return {}
    ranked = sorted(rest, key=lambda route: (-counts[route], route))
    named = max(0, places * 3 // 4)
    folded = ranked[named:]
    weights: Counter[str] = Counter()
    for route in folded:
        weights[_prefix(route)] += counts[route]
    prefixes = sorted(weights, key=lambda prefix: (-weights[prefix], prefix))
    open_prefixes = set(prefixes[: max(0, places - named - 1)]) | (set(kept) & set(prefixes))
    return {route: _prefix(route) if _prefix(route) in open_prefixes else OTHER for route in sorted(folded)}


def _prefix(route: str) -> str:
    first, slash, _ = route.removeprefix("/").partition("/")
    return f"/{first}/*" if route.startswith("/") and slash else OTHER
