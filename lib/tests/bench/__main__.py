"""Everything the project promises of its speed, measured and written to outputs/bench.json: see CONTRIBUTING.md.

``python lib/tests/bench reports_12 tables --rounds 3`` measures some parts; ``make bench`` all of them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
FOLDER = PROJECT / "outputs" / "bench"
RESULTS = PROJECT / "outputs" / "bench.json"
LIBRARIES = ("duckdb", "ipykernel", "nbconvert", "numpy", "pandas", "papermill", "plotly", "pyarrow", "sqlglot")
ROUNDS = 3

status = Console(stderr=True, highlight=False)
console = Console(highlight=False)

Result = dict[str, Any]


def imports(rounds: int) -> Result:
    """How soon --help answers."""
    import imports

    return imports.measure(rounds)


def reports(teams: int) -> Callable[[int], Result]:
    """How long so many reports take."""

    def part(rounds: int) -> Result:
        import reports

        return reports.measure(teams, rounds, say=say)

    return part


def reports_1000(rounds: int) -> Result:
    """Whether the thousandth report costs what the hundredth does; of one round, which is long enough."""
    import reports

    return reports.measure_many(1, say=say)


def tables(rows: int) -> Callable[[int], Result]:
    """How long the small tables of so many requests take."""

    def part(rounds: int) -> Result:
        import tables

        return tables.measure(rows, rounds, FOLDER)

    return part


def page(rounds: int) -> Result:
    """How heavy a page is, and how soon it can be read."""
    import organization
    import page

    built = organization.build(12)
    week = built.outputs / organization.RUN / organization.WEEK
    if not list(week.glob("*/*.html")):
        import reports

        reports.Bench.of(12).ours()
    return page.measure(sorted(week.glob("*/*.html")), rounds)


PARTS: Mapping[str, Callable[[int], Result]] = {
    "imports": imports,
    "page": page,
    "reports_12": reports(12),
    "reports_100": reports(100),
    "reports_1000": reports_1000,
    "tables_10m": tables(10_000_000),
    "tables_100m": tables(100_000_000),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the parts that are named, all without a name; 0, or 1 when one of them could not be measured."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}, or how they begin")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"by default {ROUNDS}")
    given = parser.parse_args(arguments)
    try:
        chosen = choose(given.parts)
    except ValueError as error:
        parser.error(str(error))
    measured: dict[str, Result] = {}
    for name in chosen:
        say(f"{name}: begins")
        started = time.perf_counter()
        try:
            measured[name] = PARTS[name](given.rounds)
        except Exception:  # noqa: BLE001  # whatever it is, the other parts are measured
            status.print(traceback.format_exc(), markup=False)
            say(f"{name}: FAILED")
            continue
        say(f"{name}: measured in {time.perf_counter() - started:.0f} s")
        remember(name, measured[name])
    show(measured)
    failed = [name for name in chosen if name not in measured]
    if failed:
        console.print(f"not measured: {', '.join(failed)}")
    console.print(str(RESULTS.relative_to(PROJECT)))
    return 1 if failed else 0


def choose(names: Sequence[str]) -> list[str]:
    """The parts that are named in full or by how they begin, such as ``reports``; all where none is.

    Raises ValueError for a name that no part has.
    """
    for name in names:
        if not any(_is_meant(part, name) for part in PARTS):
            raise ValueError(f"no part is called {name!r}; there are: {', '.join(PARTS)}")
    return [part for part in PARTS if not names or any(_is_meant(part, name) for name in names)]


def _is_meant(part: str, name: str) -> bool:
    return part == name or part.startswith(f"{name}_")


def say(text: str) -> None:
    """Tell how it is going."""
    status.print(f"{datetime.now(UTC):%H:%M:%S} {text}", markup=False)


def remember(name: str, result: Result) -> None:
    """Put a part's result into the file, beside those of parts that were measured before."""
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    known["machine"] = machine()
    known[name] = {**result, "measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
    partial = RESULTS.with_suffix(".json.partial")
    partial.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    partial.replace(RESULTS)


def machine() -> Result:
    """What it was measured on."""
    return {
        "processor": _processor(),
        "processors": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "free_disk_bytes": shutil.disk_usage(PROJECT).free,
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def show(results: Mapping[str, Result]) -> None:
    """Print what was promised of each part; everything else that was measured stands in the file."""
    shown = Table("measured", "value", "rounds")
    for name, result in results.items():
        for key, value, rounds in promised(result):
            shown.add_row(f"{name}.{key}", value, rounds)
    console.print(shown)


def promised(result: Result) -> list[tuple[str, str, str]]:
    """Name, number and rounds of a result's ratios, peaks and missing reports.

    >>> promised({"ratio_to_stock": 0.25, "rounds_ratio_to_stock": [0.2, 0.25, 0.5], "ours": {"seconds": 2.0}})
    [('ratio_to_stock', '0.25', '0.2 0.25 0.5')]
    """
    return [
        (key, _number(value), " ".join(map(_number, result.get(f"rounds_{key}", []))))
        for key, value in result.items()
        if isinstance(value, int | float) and ("ratio" in key or key.startswith(("peak", "missing")))
    ]


def _number(value: float) -> str:
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:,.0f} M"
    return f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
