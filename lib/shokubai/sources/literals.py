"""Statements for people: a shipped query with its values written into it, to be pasted where it is run.

Shokubai itself never runs such a text; its own statements keep their parameters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

from sqlglot import TokenType, tokenize

from shokubai.core.errors import QueryError

Dialect = Literal["bigquery", "duckdb"]

_MANY = 5

# Control characters, and those that change the order of others or take no room: a reader would not see them.
_UNSEEN = re.compile(r"[\x01-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def filled_in(text: str, types: Mapping[str, str], values: Mapping[str, Any], *, dialect: Dialect) -> str:
    """The statement in which literals stand for the parameters (``@name`` in GoogleSQL, ``$name`` in DuckDB's SQL).

    ``types`` are the GoogleSQL types of the parameters. What looks like a parameter in a comment or a string stays.
    Raises QueryError for a parameter without a value, and for a value that has no literal of its type.
    """
    tokens = tokenize(text, read=dialect)
    parts, done = [], 0
    for sign, name in pairwise(tokens):
        if sign.token_type != TokenType.PARAMETER or name.start != sign.end + 1:
            continue
        if name.text not in values or name.text not in types:
            raise QueryError(f"no value is given for the parameter {text[sign.start : name.end + 1]}")
        parts += [text[done : sign.start], literal(values[name.text], types[name.text], dialect=dialect)]
        done = name.end + 1
    return "".join([*parts, text[done:]])


def literal(value: Any, type_: str, *, dialect: Dialect) -> str:
    """A value as a constant of its GoogleSQL type, such as STRING or ARRAY<INT64>.

    >>> literal(["it's"], "ARRAY<STRING>", dialect="bigquery")
    "ARRAY<STRING>['it\\\\'s']"
    >>> literal(["it's"], "ARRAY<STRING>", dialect="duckdb")
    "['it''s']"
    """
    type_ = " ".join(type_.split())
    if element := _inside("ARRAY", type_):
        if element == "INT64" and _follow_each_other(value):
            last = value[-1] + (dialect == "duckdb")
            return f"{'GENERATE_ARRAY' if dialect == 'bigquery' else 'range'}({value[0]}, {last})"
        items = ", ".join(literal(item, element, dialect=dialect) for item in value)
        return f"{type_}[{items}]" if dialect == "bigquery" else f"[{items}]"
    if members := _inside("STRUCT", type_):
        fields = dict(member.strip().split(" ", 1) for member in members.split(","))
        known = {name: literal(value[name], of, dialect=dialect) for name, of in fields.items()}
        if dialect == "bigquery":
            return f"({', '.join(known.values())})"
        return "{" + ", ".join(f"'{name}': {each}" for name, each in known.items()) + "}"
    write = _SCALARS.get(type_)
    if write is None:
        raise QueryError(f"no constant can be written of the type {type_}")
    return "NULL" if value is None else write(value, dialect)


def _follow_each_other(numbers: Sequence[int]) -> bool:
    """Whether the numbers are so many that one would not read them, and are each the one before and one."""
    return len(numbers) > _MANY and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))


def _inside(outer: str, type_: str) -> str:
    match = re.fullmatch(rf"{outer} ?< ?(.*?) ?>", type_)
    return match[1] if match else ""


def _string(value: str, dialect: Dialect) -> str:
    if "\0" in value:
        raise QueryError(f"the text {value!r} holds a NUL, which no string in SQL can")
    if dialect == "bigquery":
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return "'" + _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped) + "'"
    pieces = [
        f"chr({ord(piece)})" if _UNSEEN.fullmatch(piece) else "'" + piece.replace("'", "''") + "'"
        for piece in re.split(f"({_UNSEEN.pattern})", value)
        if piece
    ]
    return f"({' || '.join(pieces)})" if len(pieces) > 1 else "".join(pieces) or "''"


def _float(value: float, dialect: Dialect) -> str:
    if not math.isfinite(value):
        raise QueryError(f"{value} is no number that a statement can hold")
    text = repr(float(value))
    # Without an exponent DuckDB takes it for a DECIMAL.
    return text if dialect == "bigquery" or "e" in text else f"{text}e0"


def _instant(value: datetime, dialect: Dialect) -> str:
    name = "TIMESTAMP" if dialect == "bigquery" else "TIMESTAMPTZ"
    at = value.astimezone(UTC)
    return f"{name} '{at:%Y-%m-%d %H:%M:%S}{f'.{at.microsecond:06d}' if at.microsecond else ''}+00:00'"


_SCALARS: Mapping[str, Callable[[Any, Dialect], str]] = {
    "STRING": _string,
    "INT64": lambda value, _: str(int(value)),
    "FLOAT64": _float,
    "BOOL": lambda value, _: "TRUE" if value else "FALSE",
    "TIMESTAMP": _instant,
}
