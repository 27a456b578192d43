"""The errors of Shokubai.

ShokubaiError                 base; the command line prints its text and exits with ``exit_status``
├── UsageError                what the user gave cannot be used (exit 2, nothing was run)
│   └── ConfigurationError    problems in ``parameters/``, all of them at once
├── QueryError                a warehouse refused or failed a statement
│   ├── NotPortableError      a shipped query uses a construct not proven equal in both dialects
│   └── CostError             a statement would read more bytes than allowed; it was not run (exit 2)
├── DataError                 data that breaks its contract (missing column, wrong type, nothing readable)
└── ReportError               a report could not be made
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal


class ShokubaiError(Exception):
    """Something Shokubai can explain in one message: what, where, what is allowed, what to do."""

    exit_status = 1


class UsageError(ShokubaiError):
    """The user's input cannot be used; nothing was run."""

    exit_status = 2


class QueryError(ShokubaiError):
    """A statement failed in the warehouse."""


class NotPortableError(QueryError):
    """A query uses a construct whose translation is not proven."""


class CostError(QueryError):
    """A statement would read more than the parameters allow, and was not run."""

    exit_status = 2


class DataError(ShokubaiError):
    """Data does not keep its contract."""


class ReportError(ShokubaiError):
    """A report could not be made."""


@dataclass(frozen=True, order=True)
class Problem:
    """One problem in a parameter file.

    ``found`` is what stands there, ``allowed`` what may stand there, ``nearest`` the closest allowed
    spelling if there is one.
    """

    file: Path
    line: int
    where: str
    message: str
    found: str = ""
    allowed: str = ""
    nearest: str = ""
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}: {self.level}: {self.where}: {self.message}"
        if self.found:
            text += f"; found {self.found}"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.nearest:
            text += f"; did you mean {self.nearest!r}?"
        return text


class ConfigurationError(UsageError):
    """Every problem found in the parameters, errors first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.level != "error", p.file, p.line, p.where)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest_spelling(word: str, allowed: Sequence[str]) -> str:
    """The allowed word closest to ``word``, or an empty string when none is close."""
    return next(iter(get_close_matches(str(word), [str(a) for a in allowed], n=1, cutoff=0.6)), "")
