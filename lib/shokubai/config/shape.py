"""What a mapping in a parameter file may hold, said in a few words and checked in one go.

A *reader* takes a node and gives its plain value, or reports what is wrong and gives None. Readers are put
together into the shape of a file:

    TEAM = mapping({"name": words, "members": whole_number(minimum=1), "site": text()}, required=("name",))
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from shokubai.config.located import Node, Problems, nearest
from shokubai.config.model import Text
from shokubai.core.errors import UsageError
from shokubai.core.windows import Duration, Week

Reader = Callable[[Node, Problems], Any]

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_FORM = "lower-case letters, digits and inner hyphens, at most 63 (RFC 1123)"


def mapping(
    keys: Mapping[str, Reader],
    *,
    required: tuple[str, ...] = (),
    may_be_empty: tuple[str, ...] = (),
    elsewhere: Mapping[str, str] = MappingProxyType({}),
) -> Reader:
    """A mapping with these keys and no others.

    A key without a value is an error, since a list whose items are commented out would silently mean "all"; but for
    the keys that ``may_be_empty``, which then count as left out. Keys that may stand ``elsewhere`` are refused with
    a text that says so.
    """

    def read(node: Node, problems: Problems) -> dict[str, Any] | None:
        if not isinstance(node.value, Mapping):
            problems.error(node, "must be a mapping", found=node.shown, allowed=f"keys {', '.join(keys)}")
            return None
        meant = set()
        for key, part in node.mapping.items():
            if key in elsewhere:
                problems.error(part, elsewhere[key])
            elif key not in keys:
                meant.add(nearest(key, keys))
                problems.error(part, "unknown key", allowed=", ".join(keys), nearest=nearest(key, keys))
        values = {}
        for key, reader in keys.items():
            if key in node.mapping:
                if node.mapping[key].value is None:
                    if key not in may_be_empty:
                        hint = "give it a value" if key in required else "give it a value or remove the key"
                        problems.error(node.mapping[key], f"is empty; {hint}")
                elif (value := reader(node.mapping[key], problems)) is not None:
                    values[key] = value
            elif key in required and key not in meant:
                problems.error(node.at(key), "is missing")
        return values

    return read


def entries(value: Reader, *, key: Reader | None = None) -> Reader:
    """A mapping with free keys; ``key`` checks each of them, as text."""

    def read(node: Node, problems: Problems) -> dict[str, Any] | None:
        if not isinstance(node.value, Mapping):
            problems.error(node, "must be a mapping", found=node.shown)
            return None
        values = {}
        for name, part in node.mapping.items():
            if key is None or key(Node(part.file, part.line, part.path, name, name), problems) is not None:
                values[name] = value(part, problems)
        return {name: each for name, each in values.items() if each is not None}

    return read


def listing(item: Reader, *, minimum: int = 1, maximum: int | None = None) -> Reader:
    """A list; what is wrong with one item does not hide the others."""

    def read(node: Node, problems: Problems) -> tuple[Any, ...] | None:
        if not isinstance(node.value, tuple):
            problems.error(node, "must be a list", found=node.shown)
            return None
        if len(node.items) < minimum:
            problems.error(node, "is an empty list", allowed=f"at least {minimum}")
        if maximum is not None and len(node.items) > maximum:
            problems.error(node, "the list is too long", found=str(len(node.items)), allowed=f"at most {maximum}")
        values = (item(part, problems) for part in node.items)
        return tuple(value for value in values if value is not None)

    return read


def one_or_more(item: Reader) -> Reader:
    """One value or a list of them; gives a tuple in both cases."""

    def read(node: Node, problems: Problems) -> tuple[Any, ...] | None:
        if isinstance(node.value, tuple):
            values: tuple[Any, ...] | None = listing(item)(node, problems)
            return values
        value = item(node, problems)
        return None if value is None else (value,)

    return read


def anything(node: Node, problems: Problems) -> Node | None:
    """Any value that is not empty, as a node."""
    if node.value in (None, {}, ()):
        problems.error(node, "is empty")
        return None
    return node


def text(*, longest: int | None = None) -> Reader:
    """Words, not empty."""

    def read(node: Node, problems: Problems) -> str | None:
        if node.value is None or node.value == "":
            problems.error(node, "is empty")
        elif not isinstance(node.value, str):
            hint = "" if isinstance(node.value, Mapping | tuple) else "; put it in quotes"
            problems.error(node, f"must be text{hint}", found=node.shown)
        elif longest is not None and len(node.value) > longest:
            problems.error(node, "is too long", found=f"{len(node.value)} characters", allowed=f"at most {longest}")
        else:
            return node.value
        return None

    return read


def pattern(form: str, meaning: str) -> Reader:
    """Text of one form, a regular expression; ``meaning`` says it in words."""
    compiled = re.compile(form)

    def read(node: Node, problems: Problems) -> str | None:
        value: str | None = text()(node, problems)
        if value is not None and not compiled.fullmatch(value):
            problems.error(node, "has the wrong form", found=node.shown, allowed=meaning)
            return None
        return value

    return read


label: Reader = pattern(_LABEL.pattern, LABEL_FORM)


def choice(*allowed: str) -> Reader:
    """One of a few words."""

    def read(node: Node, problems: Problems) -> str | None:
        if node.value in allowed and isinstance(node.value, str):
            return node.value
        word = node.text if isinstance(node.value, str) else ""
        problems.error(
            node, "has an unknown value", found=node.shown, allowed=", ".join(allowed), nearest=nearest(word, allowed)
        )
        return None

    return read


def known(kind: str, names: frozenset[str]) -> Reader:
    """The name of something that is defined elsewhere in the parameters."""

    def read(node: Node, problems: Problems) -> str | None:
        name: str | None = text()(node, problems)
        if name is not None and name not in names:
            allowed = ", ".join(sorted(names)) or "none is defined"
            problems.error(
                node, f"there is no such {kind}", found=node.shown, allowed=allowed, nearest=nearest(name, names)
            )
            return None
        return name

    return read


def boolean(node: Node, problems: Problems) -> bool | None:
    if isinstance(node.value, bool):
        return node.value
    problems.error(node, "must be true or false", found=node.shown, allowed="true, false")
    return None


def number(*, minimum: float | None = None, above: float | None = None, maximum: float | None = None) -> Reader:
    """A finite number within limits; ``above`` is exclusive."""
    limits = [
        f"{sign} {limit:g}"
        for sign, limit in (("at least", minimum), ("above", above), ("at most", maximum))
        if limit is not None
    ]
    allowed = " and ".join(limits) or "a number"

    def read(node: Node, problems: Problems) -> float | None:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            hint = "; remove the quotes" if isinstance(value, str) and _is_number(value) else ""
            problems.error(node, f"must be a number{hint}", found=node.shown)
        elif (
            (minimum is not None and value < minimum)
            or (above is not None and value <= above)
            or (maximum is not None and value > maximum)
        ):
            problems.error(node, "is out of range", found=node.shown, allowed=allowed)
        else:
            return float(value)
        return None

    return read


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def whole_number(*, minimum: int) -> Reader:
    """A whole number, at least ``minimum``."""

    def read(node: Node, problems: Problems) -> int | None:
        if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= minimum:
            return node.value
        problems.error(node, "must be a whole number", found=node.shown, allowed=f"at least {minimum}")
        return None

    return read


def duration(node: Node, problems: Problems) -> Duration | None:
    """OpenSLO's duration shorthand, such as 28d."""
    try:
        return Duration.parse(node.text)
    except ValueError:
        units = "a whole number and one of m h d w M Q Y, such as 28d (m is a minute, M a month)"
        guess = node.text.lower() if re.fullmatch(r"[1-9]\d*[HDW]", node.text) else ""
        problems.error(node, "is no duration", found=node.shown, allowed=units, nearest=guess)
        return None


def day(node: Node, problems: Problems) -> date | None:
    """A day of the calendar."""
    value: str | None = text()(node, problems)
    if value is None:
        return None
    try:
        return _day_of(value)
    except ValueError:
        problems.error(
            node,
            "is no day",
            found=node.shown,
            allowed="a day of the calendar as year-month-day, such as 2026-11-30",
            nearest=_day_meant(value),
        )
        return None


def _day_of(value: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError(value)
    return date.fromisoformat(value)


def _day_meant(value: str) -> str:
    """The day that was written with its year first but in another form, or an empty string."""
    parts = re.fullmatch(r"(\d{4})[-/.年 ]?(\d{1,2})[-/.月 ]?(\d{1,2})日?", value)
    try:
        return date(*map(int, parts.groups())).isoformat() if parts else ""
    except ValueError:
        return ""


def iso_week(node: Node, problems: Problems) -> Week | None:
    """An ISO week, such as 2026-W44."""
    value: str | None = text()(node, problems)
    if value is None:
        return None
    try:
        return Week.parse(value)
    except UsageError:
        problems.error(node, "is no ISO week", found=node.shown, allowed="a week such as 2026-W44")
        return None


def words(node: Node, problems: Problems) -> Text | None:
    """Words in the organisation's languages, as a mapping of ``en`` and ``ja``, or as one text for both."""
    if isinstance(node.value, Mapping):
        values = mapping({"en": text(), "ja": text()})(node, problems)
        if not values and not node.mapping:
            problems.error(node, "is empty", allowed="en, ja")
        return Text(**values)
    value = text()(node, problems)
    return None if value is None else Text(value, value)
