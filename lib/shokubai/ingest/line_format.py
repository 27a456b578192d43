"""The access-log line formats, and telling which one a log has from a sample of its lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from shokubai.core.errors import UsageError, nearest_spelling

# A field between quotes, with backslash escapes as Apache writes them (nginx writes \x22).
_QUOTED = r'"(?:[^"\\]|\\.)*"'

# client, ident, user, [time], "request", status, bytes; Apache's vhost_combined puts host:port in front.
HEAD = (
    r"^(?:[\w.-]+:\d+ )?(\S+) \S+ [^\[]*\[([^\]]*)\] "
    r'"((?:[^"\\]|\\.)*)" (\d{3}|-) (\d+|-)([^\r\n]*)\r?\n?$'
)
HEAD_FIELDS = ("client", "time", "request", "status", "bytes", "rest")
# What follows the bytes: quoted fields (none, or referer, user agent and more), then bare ones.
REST = rf'^(?: {_QUOTED} {_QUOTED}(?: {_QUOTED})*)?((?: +[^" ]+)*) *$'
# The same when a quote inside the user agent is not escaped.
LOOSE_REST = r'^ ".*"((?: +[^" ]+)*) *$'
# The last quote is missing: the line was cut off, or the user agent was.
OPEN_REST = r'^ ".*$'
# Apache writes \" inside the request; a browser's raw quote breaks the line for good.
ERROR_LINE = (
    r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w+\] "  # nginx
    r"|^\[[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:.]+ \d{4}\] \[[\w:]+\]"  # Apache
)

# The fields that may hold a duration, and how many of their units are a second.
DURATIONS = {"request_time": 1, "%T": 1, "%{s}T": 1, "%{ms}T": 1_000, "%{us}T": 1_000_000, "%D": 1_000_000}
FORMATS = ("common", "combined", *(f"{base}+{field}" for base in ("combined", "common") for field in DURATIONS))

_head = re.compile(HEAD)
_rest = re.compile(REST)


@dataclass(frozen=True)
class LineFormat:
    """A line format by its name: ``common`` or ``combined``, and the duration field appended to it, if any.

    ``combined+request_time`` is nginx's seconds with decimals; ``combined+%D`` Apache's microseconds,
    ``combined+%T`` its seconds. The duration is the first bare field after the quoted ones.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in FORMATS:
            near = nearest_spelling(self.name, FORMATS)
            raise UsageError(
                f"format {self.name!r} is not known; allowed: {', '.join(FORMATS)}"
                + (f"; did you mean {near!r}?" if near else "")
            )

    @property
    def duration_units_per_second(self) -> int | None:
        """How many units of the appended field are one second; None when the format has no duration."""
        _, _, field = self.name.partition("+")
        return DURATIONS[field] if field else None


def is_access_log_line(line: str) -> bool:
    """Whether the line begins like one of the formats."""
    return _head.match(line) is not None


def is_error_log_line(line: str) -> bool:
    """Whether the line is of nginx's or Apache's error log."""
    return re.match(ERROR_LINE, line) is not None


def decide_format(lines: Iterable[str], *, file: str) -> tuple[LineFormat, str]:
    """The format of a sample of lines, and how it was recognised, as a sentence.

    Raises UsageError when what is appended can be read in more than one way: a whole number may be
    microseconds or seconds, and of several fields any may be the duration.
    """
    shapes: Counter[str] = Counter()
    bases: Counter[str] = Counter()
    example: dict[str, str] = {}
    for line in lines:
        head = _head.match(line)
        rest = _rest.match(head[6]) if head else None
        if head is None or rest is None:
            continue
        bases["combined" if '"' in head[6] else "common"] += 1
        shape = _shape(rest[1].split())
        shapes[shape] += 1
        example.setdefault(shape, rest[1].strip())
    if not bases:
        return LineFormat("combined"), "taken for combined"
    base = bases.most_common(1)[0][0]
    shapes.pop("dash", None)  # a request without a duration says nothing about the unit
    if not shapes:
        return LineFormat(base), f"recognised as {base}"
    shape, count = shapes.most_common(1)[0]
    if shape == "nothing" and count == sum(shapes.values()):
        return LineFormat(base), f"recognised as {base}, without durations"
    if shape == "decimal" and count >= 0.9 * sum(shapes.values()):
        return (
            LineFormat(f"{base}+request_time"),
            f"recognised as {base} with a duration appended; {example[shape]!r} has decimals, so it is seconds",
        )
    odd = shape if shape != "nothing" else next(s for s in shapes if s != "nothing")
    raise UsageError(
        f"{file}: what is appended to the lines, such as {example[odd]!r}, can be read in more than one way.\n"
        f"Say which with --format: {base}+%D (microseconds, Apache), {base}+%T (seconds, Apache), "
        f"{base}+%{{ms}}T (milliseconds), {base}+request_time (seconds, nginx; the first appended field is taken), "
        f"or {base} to leave it aside."
    )


def _shape(fields: list[str]) -> str:
    if not fields:
        return "nothing"
    if len(fields) > 1:
        return "several"
    if fields[0] == "-":
        return "dash"
    if re.fullmatch(r"\d+\.\d+", fields[0]):
        return "decimal"
    return "whole" if fields[0].isdigit() else "word"
