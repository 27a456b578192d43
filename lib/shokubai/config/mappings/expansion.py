"""Pieces of GoogleSQL that several mappings share: ``{route:httpRequest.requestUrl}`` in their files.

A macro is a file in ``macros/``; in it ``{argument}`` stands for what follows the colon, and other macros may be
called. It is put in where the mapping is loaded: what is sent, and hashed, is plain GoogleSQL.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

ARGUMENT = "{argument}"
_CALL = re.compile(r"\{([a-z_]+):")


def expand(sql: str) -> str:
    """The expression with every macro in it put in. Raises ValueError for one that is not there."""
    while call := _CALL.search(sql):
        end = _closing(sql, call.start())
        argument = expand(sql[call.end() : end])
        body = expand(_body(call[1]).replace(ARGUMENT, argument))
        sql = sql[: call.start()] + _below(body, sql[: call.start()]) + sql[end + 1 :]
    return sql


def _below(body: str, before: str) -> str:
    """The lines after the first as far in as the line that they stand in."""
    line = before.rpartition("\n")[2]
    return body.replace("\n", "\n" + " " * (len(line) - len(line.lstrip())))


def _closing(sql: str, start: int) -> int:
    """Where the brace that opens at ``start`` is closed."""
    depth = 0
    for at in range(start, len(sql)):
        depth += (sql[at] == "{") - (sql[at] == "}")
        if depth == 0:
            return at
    raise ValueError(f"a macro is not closed: {sql[start : start + 60]}")


@lru_cache(maxsize=64)
def _body(name: str) -> str:
    file = files(__package__).joinpath("macros", f"{name}.sql")
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ValueError(f"there is no macro {name}") from error
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))
