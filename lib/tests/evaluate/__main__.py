"""How well the finding rules find what is planted, and how quiet they are where nothing is: see CONTRIBUTING.md.

``python lib/tests/evaluate --seeds 10 --pairs 50``; ``make evaluate`` does the same.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from organization import ROWS, WEEKS
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parents[3] / "outputs" / "evaluate.json"
JOBS = 2
RECALL, PRECISION, NOISY_RUNS = 0.95, 0.9, 0.05  # what is promised
FIRST_QUIET_SEED = 1001  # other seeds than those with events, whose rules might be mended by looking at them

status = Console(stderr=True, highlight=False)
console = Console(highlight=False, width=150)

Result = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0, or 1 when what is promised does not hold."""
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many demos with events (default: 10)")
    parser.add_argument("--first-seed", type=int, default=1, help="the first of their seeds (default: 1)")
    parser.add_argument("--pairs", type=int, default=50, help="how many pairs of weeks of each kind (default: 50)")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"requests of a demo (default: {ROWS:,})")
    given = parser.parse_args(arguments)
    planted_seeds = range(given.first_seed, given.first_seed + given.seeds)
    quiet_seeds = range(FIRST_QUIET_SEED, FIRST_QUIET_SEED + math.ceil(given.pairs / len(WEEKS)))
    tasks = [("seeds", seed, given.rows) for seed in planted_seeds]
    tasks += [("pairs", seed, given.rows) for seed in quiet_seeds]
    done: dict[tuple[str, int], Any] = {}
    with ProcessPoolExecutor(JOBS) as pool:
        futures = {pool.submit(_measure, *task): task[:2] for task in tasks}
        for future in as_completed(futures):
            kind, seed = futures[future]
            done[kind, seed], seconds = future.result()
            say(f"{kind} {seed}: {seconds:.0f} s")
    seeds = [done["seeds", seed] for seed in planted_seeds]
    pairs = [pair for seed in quiet_seeds for pair in done["pairs", seed]]
    of_kind = {kind: [p for p in pairs if p["kind"] == kind][: given.pairs] for kind in ("quiet", "halves")}
    summary = summarize(seeds, of_kind)
    show(seeds, of_kind, summary)
    remember({"summary": summary, "seeds": seeds, "pairs": of_kind})
    return int(bool(summary["missed_targets"]))


def _measure(kind: str, seed: int, rows: int) -> tuple[Any, float]:
    """One demo, in a process and a temporary folder of its own."""
    os.environ["SHOKUBAI_THREADS"] = "1"
    import pairs
    import seeds

    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"evaluate-{seed}-"))
    try:
        return {"seeds": seeds, "pairs": pairs}[kind].measure(seed, folder, rows=rows), time.monotonic() - started
    except Exception:
        status.print(traceback.format_exc(), markup=False)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def say(text: str) -> None:
    status.print(f"{datetime.now(UTC):%H:%M:%S} {text}", markup=False)


def remember(result: Result) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    partial = RESULTS.with_suffix(".json.partial")
    measured_at = datetime.now(UTC).isoformat(timespec="seconds")
    partial.write_text(json.dumps({"measured_at": measured_at, **result}, indent=1, ensure_ascii=False) + "\n")
    partial.replace(RESULTS)
    console.print(str(RESULTS))


def summarize(seeds: Sequence[Result], pairs: Mapping[str, Sequence[Result]]) -> Result:
    """The shares that are promised, as [how many, of how many], and which promises are missed."""
    answers = [a for seed in seeds for a in seed["answers"]]
    alarms = [a for seed in seeds for a in seed["alarms"]]
    summary: Result = {
        "recall": [sum(a["is_found"] for a in answers), len(answers)],
        "precision": [sum(bool(a["causes"]) for a in alarms), len(alarms)],
        "threshold_recall": [sum(a["is_found_by_threshold"] for a in answers), len(answers)],
        "threshold_precision": [sum(s["threshold"][name] for s in seeds) for name in ("true", "alarms")],
        "calendar_alarms": sum(len(seed["calendar"]) for seed in seeds),
    }
    for kind, runs in pairs.items():
        summary[f"{kind}_runs_with_alarms"] = [sum(bool(r["alarms"]) for r in runs), len(runs)]
        summary[f"{kind}_runs_with_findings"] = [sum(bool(r["alarms"] or r["notices"]) for r in runs), len(runs)]
    missed = []
    if seeds:
        missed += [f"recall below {RECALL}"] * (ratio(summary["recall"]) < RECALL)
        missed += [f"precision below {PRECISION}"] * (ratio(summary["precision"]) < PRECISION)
        missed += ["the calendar raised alarms"] * bool(summary["calendar_alarms"])
    for kind, runs in pairs.items():
        noisy = summary[f"{kind}_runs_with_findings"]
        missed += [f"more than {NOISY_RUNS:.0%} of {kind} runs found something"] * bool(
            runs and ratio(noisy) > NOISY_RUNS
        )
    return {**summary, "missed_targets": missed}


def ratio(counts: Sequence[int]) -> float:
    """How many of how many; of none it is 1: nothing was missed, nothing was wrong."""
    part, whole = counts
    return part / whole if whole else 1.0


def show(seeds: Sequence[Result], pairs: Mapping[str, Sequence[Result]], summary: Result) -> None:
    """Print the tables, and everything that was missed or raised falsely by name."""
    if seeds:
        console.print(_kinds(seeds))
        console.print(_totals(seeds, summary))
        _list("missed", _missed(seeds))
        _list("raised falsely", _false(seeds))
        _list("calendar alarms", _calendar(seeds))
        _list("planted, too small to be asked for", _small(seeds))
    if any(pairs.values()):
        console.print(_pairs(pairs))
        for kind, runs in pairs.items():
            _list(f"{kind}: found where nothing was changed", _found(runs))
    console.print("targets: " + ("; ".join(summary["missed_targets"]) or "all met"))


def _kinds(seeds: Sequence[Result]) -> Table:
    table = Table("planted", "team reports", "told", "found", "recall", "95 %", "fixed threshold", title="per kind")
    answers = [a for seed in seeds for a in seed["answers"]]
    kinds = sorted({a["kind"] for a in answers} | {a["kind"] for s in seeds for a in s["too_small"]})
    for kind in kinds:
        mine = [a for a in answers if a["kind"] == kind]
        found = [sum(a["is_found"] for a in mine), len(mine)]
        told = sum(a["is_told"] for a in mine)
        simple = sum(a["is_found_by_threshold"] for a in mine)
        table.add_row(kind, str(len(mine)), str(told), str(found[0]), *share(found), f"{simple} of {len(mine)}")
    for kind in sorted({o["kind"] for seed in seeds for o in seed["ordinary"]}):
        places = [o for seed in seeds for o in seed["ordinary"] if o["kind"] == kind]
        alarms = sum(o["alarms"] for o in places)
        table.add_row(f"{kind} (no problem)", str(len(places)), f"{alarms} alarms", "", "", "", "")
    return table


def _totals(seeds: Sequence[Result], summary: Result) -> Table:
    reports = sum(seed["reports"] for seed in seeds)
    title = f"{len(seeds)} seeds, {sum(s['requests'] for s in seeds):,} requests, {reports} reports"
    table = Table("", "found", "recall", "95 %", "true alarms", "precision", "95 %", title=title)
    whole = summary["recall"][1]
    for name, recall, precision in (
        ("rules", summary["recall"], summary["precision"]),
        ("report nothing", [0, whole], [0, 0]),
        ("fixed threshold", summary["threshold_recall"], summary["threshold_precision"]),
    ):
        counts = [f"{part} of {all_}" for part, all_ in (recall, precision)]
        table.add_row(name, counts[0], *share(recall), counts[1], *share(precision))
    return table


def _pairs(pairs: Mapping[str, Sequence[Result]]) -> Table:
    table = Table("pairs of weeks", "runs", "with", "share", "95 %", title="nothing was changed")
    for kind, runs in pairs.items():
        reports = sum(r["reports"] for r in runs)
        for name, counts in (
            ("critical or warning", [sum(bool(r["alarms"]) for r in runs), len(runs)]),
            ("the same, single reports", [sum(r["reports_with_alarms"] for r in runs), reports]),
            ("any finding but the month turn", [sum(bool(r["alarms"] or r["notices"]) for r in runs), len(runs)]),
            ("a notice of the month turn", [sum(bool(r["month_turns"]) for r in runs), len(runs)]),
        ):
            table.add_row(f"{kind}: {name}", str(counts[1]), str(counts[0]), *share(counts))
    return table


def share(counts: Sequence[int]) -> tuple[str, str]:
    """A share and its Wilson interval, in per cent.

    >>> share([9, 10])
    ('90.0 %', '59.6 to 98.2')
    """
    from shokubai.sli import wilson

    part, whole = counts
    if not whole:
        return "-", "-"
    low, high = wilson(part, whole)
    return f"{part / whole:.1%}".replace("%", " %"), f"{100 * low:.1f} to {100 * high:.1f}"


def _list(title: str, lines: Iterable[str]) -> None:
    lines = list(lines)
    console.print(f"{title}: {len(lines) or 'none'}")
    for line in lines:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _missed(seeds: Sequence[Result]) -> Iterable[str]:
    for seed in seeds:
        for a in seed["answers"]:
            if not a["is_found"]:
                off = "" if a["off_hours"] is None else f", onset {a['off_hours']:+.1f} h"
                why = f"told{off or ', no onset'}" if a["is_told"] else "not told"
                yield f"seed {seed['seed']} {a['kind']} {a['place']} ({a['team']}, {a['report']}): {a['size']}: {why}"


def _false(seeds: Sequence[Result]) -> Iterable[str]:
    for seed in seeds:
        for a in seed["alarms"]:
            if not a["causes"]:
                since = f" since {a['started_at']}" if a["started_at"] else ""
                yield f"seed {seed['seed']} {a['week']} {a['team']}: {a['finding']} ({a['case']}){since}"


def _calendar(seeds: Sequence[Result]) -> Iterable[str]:
    for seed in seeds:
        for a in seed["calendar"]:
            yield f"seed {seed['seed']} {a['week']} {a['team']}: {a['finding']} on {', '.join(a['days'])}"


def _small(seeds: Sequence[Result]) -> Iterable[str]:
    for seed in seeds:
        for a in seed["too_small"]:
            yield f"seed {seed['seed']} {a['kind']} {a['place']} ({a['team']}): {a['size']}"


def _found(runs: Sequence[Result]) -> Iterable[str]:
    for run in runs:
        for f in (*run["alarms"], *run["notices"]):
            days = f" ({', '.join(run['days'])})" if run["days"] else ""
            yield f"seed {run['seed']} {run['week']}{days} {f['team']}: {f['finding']} ({f['case']}, {f['severity']})"


if __name__ == "__main__":
    sys.exit(main())
