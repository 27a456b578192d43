"""How soon ``shokubai --help`` answers, and what importing the library takes, against importing pandas."""

from __future__ import annotations

import statistics
import sys
from typing import Any

import measured

FEWEST_ROUNDS = 7

# What is measured, as programs for a new interpreter.
PROGRAMS = {
    "pass": "pass",
    "help": "from shokubai.cli import main; main(['--help'])",
    "pandas": "import pandas",
    "page": "import shokubai.page",
    "workspace": "import shokubai; shokubai.open",
    "runner": "import shokubai.runner",
}


def measure(rounds: int) -> dict[str, Any]:
    """Seconds of a whole process for each program, and the ratios to importing pandas.

    ``…_ratio_to_pandas`` compares whole processes, ``…_ratio_to_pandas_less_start`` what is left of both without the
    interpreter's own start.
    """
    spent: dict[str, list[measured.Spent]] = {name: [] for name in PROGRAMS}
    for program in PROGRAMS.values():  # files read and compiled once
        measured.run([sys.executable, "-c", program])
    for number in range(max(rounds, FEWEST_ROUNDS)):
        for name in measured.rotated(list(PROGRAMS), number):
            spent[name].append(measured.run([sys.executable, "-c", PROGRAMS[name]]))
    result: dict[str, Any] = {name: measured.summarize(taken) for name, taken in spent.items()}
    for name in ("help", "page", "workspace", "runner"):
        result |= measured.ratios(f"{name}_ratio_to_pandas", spent[name], spent["pandas"])
        result[f"{name}_ratio_to_pandas_less_start"] = less_start(
            [s.seconds for s in spent[name]],
            [s.seconds for s in spent["pandas"]],
            [s.seconds for s in spent["pass"]],
        )
    return result


def less_start(of: list[float], to: list[float], start: list[float]) -> float:
    """The ratio of medians, the median of the interpreter's start taken off both.

    >>> less_start([3.0], [5.0], [1.0])
    0.5
    """
    base = statistics.median(start)
    return (statistics.median(of) - base) / (statistics.median(to) - base)
