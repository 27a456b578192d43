"""Texts of statements: a query as it was written, with definitions of the tables it names put in front."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HEAD = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_WITH = re.compile(r"WITH\b(\s+RECURSIVE\b)?\s*", re.IGNORECASE)


def with_definitions(text: str, definitions: Mapping[str, str]) -> str:
    """The statement in which each name stands for the rows of its SELECT."""
    if not definitions:
        return text
    head = _HEAD.match(text)
    start = head.end() if head else 0
    steps = ",\n".join(f"  {name} AS (\n{indented(select, 4)}\n  )" for name, select in definitions.items())
    own = _WITH.match(text, start)
    recursive = own[1] or "" if own else ""
    rest = f",\n  {text[own.end() :]}" if own else f"\n{text[start:]}"
    return f"{text[:start]}WITH{recursive}\n{steps}{rest}"


def indented(text: str, width: int) -> str:
    """The lines moved to the right."""
    return "\n".join(" " * width + line if line else line for line in text.splitlines())


def quoted(name: str) -> str:
    """A table's or column's name in backticks."""
    return f"`{name}`"
