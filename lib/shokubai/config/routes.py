"""Route patterns: a route with ``*`` and ``?``, optionally after a method, as in ``POST /v1/uploads*``."""

from __future__ import annotations

from shokubai.config.located import Node, Problems, nearest
from shokubai.config.shape import listing, text

# RFC 9110 and OpenTelemetry's word for all others.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "_OTHER")


def route_pattern(node: Node, problems: Problems) -> str | None:
    pattern: str | None = text()(node, problems)
    if pattern is None:
        return None
    verb, space, path = pattern.rpartition(" ")
    if not path or pattern.count(" ") > 1:
        problems.error(
            node,
            "is no route pattern",
            found=node.shown,
            allowed='a route with * for anything, optionally after a method: "/v1/invoices*", "POST /v1/uploads"',
        )
        return None
    if space and verb not in METHODS:
        problems.error(
            node,
            "begins with an unknown method",
            found=repr(verb),
            allowed=", ".join(METHODS),
            nearest=nearest(verb, METHODS),
        )
        return None
    if not path.startswith(("/", "*")):
        problems.warning(node, "matches no route that begins with /", found=node.shown, nearest=f"/{path}")
    return pattern


route_patterns = listing(route_pattern)
