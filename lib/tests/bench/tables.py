"""How long it takes to build both small tables, beside a plain scan of the same columns and other ways to build them.

    python lib/tests/bench/tables.py --rows 10000000 --rounds 3

Each variant runs in a fresh process, in alternating rounds, with two threads; all must give the same rows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from shokubai import config, demo
from shokubai.core.sketch import GAMMA, SMALLEST_SECONDS, ZERO_KEY
from shokubai.demo.organization import WINDOW
from shokubai.tables import open_tables, plan

ROOT = Path(__file__).resolve().parents[3]
THREADS = 2
PANDAS_ROWS = 10_000_000  # more do not fit into memory
ROUTE = ["service_name", "http_request_method", "http_route"]
STATUS = "http_response_status_code"
SCANNED = ["timestamp", *ROUTE, STATUS, "duration_seconds"]


def measure(rows: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Medians, ratios to the plain scan, the values of each round and the peak memory of each variant.

    ``seconds`` are of the clock, ``cpu_seconds`` of all threads. The demo's data of ``rows`` is made in ``folder``
    where it is missing. Raises AssertionError when two variants give different rows.
    """
    data = folder / f"demo-{rows}"
    if not demo.is_current(data, rows=rows):
        demo.build(data, rows=rows, threads=THREADS)
    names = ["scan", "ours"]
    names += ["polars"] if importlib.util.find_spec("polars") else []
    names += ["pandas"] if rows <= PANDAS_ROWS else []
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else names[::-1]:
            runs[name].append(_in_a_process(name, data))
    digests = {name: {run["digest"] for run in of_one} for name, of_one in runs.items() if name != "scan"}
    assert len(set().union(*digests.values())) == 1, f"not the same rows: {digests}"
    out: dict[str, Any] = {"rows": rows, "rounds": rounds, "threads": THREADS, "variants": {}}
    for name, of_one in runs.items():
        found: dict[str, Any] = {"peak_bytes": max(run["peak_bytes"] for run in of_one)}
        for unit in ("seconds", "cpu_seconds"):
            values = [run[unit] for run in of_one]
            ratios = [value / scan[unit] for value, scan in zip(values, runs["scan"], strict=True)]
            found |= {unit: statistics.median(values), f"{unit}_each": values}
            found |= {f"{unit}_ratio": statistics.median(ratios), f"{unit}_ratio_each": ratios}
        out["variants"][name] = found
    return out


def _in_a_process(name: str, data: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--variant", name, "--folder", str(data)]
    environment = {
        **os.environ,
        "POLARS_MAX_THREADS": str(THREADS),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "lib"), *sys.path[1:]]),
    }
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def _run(name: str, data: Path) -> dict[str, Any]:
    """One variant in this process: what it took, and a digest of its rows, which is not part of it."""
    with tempfile.TemporaryDirectory(prefix="bench-tables-") as scratch:
        action: Callable[[Path, Path], dict[str, str]] = VARIANTS[name]
        started, cpu = time.perf_counter(), time.process_time()
        relations = action(data, Path(scratch))
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return {
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "peak_bytes": peak,
            "digest": "" if name == "scan" else _digest(relations),
        }


def _digest(relations: dict[str, str]) -> str:
    """A sum over the rows of both tables that any differing row changes, and how many there are."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    keys = {
        "minute_counts": f"minute, {', '.join(ROUTE)}, {STATUS}",
        "hour_latency": f"hour, {', '.join(ROUTE)}, duration_bucket",
    }
    counts = {"minute_counts": "request_count, duration_count", "hour_latency": "request_count"}
    counts["minute_counts"] += "".join(f", threshold_{n}_seconds, within_{n}_count" for n in range(1, 5))
    parts = []
    for table, relation in relations.items():
        columns = ", ".join(f"{c}::VARCHAR" for c in f"{keys[table]}, {counts[table]}".split(", "))
        row = connection.sql(f"SELECT count(*), sum(hash({columns})) FROM {relation}").fetchall()[0]
        parts.append(f"{table} {row[0]} {row[1]}")
    return "; ".join(parts)


def _thresholds() -> list[dict[str, Any]]:
    return plan.latency_thresholds(config.load(ROOT / "parameters").slos.values())


def _log(data: Path) -> str:
    return str(data / "requests" / "*" / "*.parquet")


def _files(folder: Path) -> dict[str, str]:
    return {t: f"read_parquet('{folder}/{t}/*.parquet')" for t in ("minute_counts", "hour_latency")}


# --- the variants -------------------------------------------------------------------------------------------


def _scan(data: Path, scratch: Path) -> dict[str, str]:
    """Every value of the columns is read, decoded and compared."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    chosen = ", ".join(f"max({c})::VARCHAR, count({c})" for c in SCANNED)
    connection.execute(f"SELECT {chosen} FROM read_parquet('{_log(data)}', hive_partitioning = false)").fetchall()
    return {}


def _ours(data: Path, scratch: Path) -> dict[str, str]:
    """``Tables.build``: with the files written, day by day."""
    (scratch / "demo").symlink_to(data.absolute())
    open_tables(config.load(ROOT / "parameters"), "demo", outputs=scratch, threads=THREADS).build(WINDOW)
    return _files(scratch / "tables" / "demo")


def _polars(data: Path, scratch: Path) -> dict[str, str]:
    """Both tables in one streaming query plan, each written into one file."""
    import polars as pl

    duration, status = pl.col("duration_seconds"), pl.col(STATUS)
    log = pl.scan_parquet(_log(data), hive_partitioning=False).select(SCANNED)
    log = log.with_columns(
        pl.when(duration.is_finite() & (duration >= 0)).then(duration).alias("duration_seconds"),
        *(pl.col(c).fill_null("_OTHER") for c in ROUTE[1:]),
    )
    entries = pl.LazyFrame(
        _thresholds(),
        schema={"service_name": pl.String, **{f"threshold_{n}_seconds": pl.Float64 for n in range(1, 5)}},
    )
    within = [
        (duration <= pl.col(f"threshold_{n}_seconds"))
        .fill_null(False)
        .sum()
        .cast(pl.Int64)
        .alias(f"within_{n}_count")
        for n in range(1, 5)
    ]
    thresholds = [pl.col(f"threshold_{n}_seconds").first() for n in range(1, 5)]
    minutes = (
        log.join(entries, on="service_name", how="left")
        .group_by(pl.col("timestamp").dt.truncate("1m").alias("minute"), *ROUTE, status)
        .agg(
            pl.len().cast(pl.Int64).alias("request_count"),
            duration.count().cast(pl.Int64).alias("duration_count"),
            *thresholds,
            *within,
        )
    )
    floor = pl.max_horizontal(duration, pl.lit(SMALLEST_SECONDS))
    bucket = pl.when(duration < SMALLEST_SECONDS).then(ZERO_KEY).otherwise((floor.log() / pl.lit(GAMMA).log()).ceil())
    hours = (
        log.filter(duration.is_not_null())
        .group_by(
            pl.col("timestamp").dt.truncate("1h").alias("hour"),
            *ROUTE,
            bucket.cast(pl.Int64).alias("duration_bucket"),
        )
        .agg(pl.len().cast(pl.Int64).alias("request_count"))
    )
    for name in ("minute_counts", "hour_latency"):
        (scratch / name).mkdir()
    sinks = [
        frame.sink_parquet(scratch / n / "all.parquet", lazy=True)
        for n, frame in (("minute_counts", minutes), ("hour_latency", hours))
    ]
    pl.collect_all(sinks, engine="streaming")
    return _files(scratch)


def _pandas(data: Path, scratch: Path) -> dict[str, str]:
    """Everything in memory, strings as categories, each table written into one file."""
    import numpy as np
    import pandas as pd

    log = pd.concat(
        [pd.read_parquet(path, columns=SCANNED) for path in sorted((data / "requests").glob("*/*.parquet"))],
        ignore_index=True,
    )
    duration = log["duration_seconds"].where(np.isfinite(log["duration_seconds"]) & (log["duration_seconds"] >= 0))
    log["duration_seconds"] = duration
    for column in ROUTE:
        log[column] = (log[column] if column == "service_name" else log[column].fillna("_OTHER")).astype("category")
    entries = pd.DataFrame(_thresholds()).set_index("service_name").astype(float)
    keys = {"observed": True, "dropna": False, "sort": False}
    log["minute"], log["hour"] = log["timestamp"].dt.floor("min"), log["timestamp"].dt.floor("h")
    for n in range(1, 5):
        threshold = log["service_name"].map(entries[f"threshold_{n}_seconds"].to_dict()).astype(float)
        log[f"within_{n}_count"] = (duration <= threshold).astype("int64")
    log["request_count"], log["duration_count"] = 1, duration.notna().astype("int64")
    summed = ["request_count", "duration_count", *(f"within_{n}_count" for n in range(1, 5))]
    minutes = log.groupby(["minute", *ROUTE, STATUS], **keys)[summed].sum().reset_index()
    minutes = minutes.astype(dict.fromkeys(ROUTE, "str")).join(entries, on="service_name")
    minutes[STATUS] = minutes[STATUS].astype("Int64")
    measured = log[duration.notna()]
    seconds = measured["duration_seconds"]
    bucket = np.ceil(np.log(np.maximum(seconds, SMALLEST_SECONDS)) / np.log(GAMMA)).astype("int64")
    measured = measured.assign(duration_bucket=bucket.where(seconds >= SMALLEST_SECONDS, ZERO_KEY))
    hours = measured.groupby(["hour", *ROUTE, "duration_bucket"], **keys)["request_count"].sum().reset_index()
    for name, frame in (("minute_counts", minutes), ("hour_latency", hours.astype(dict.fromkeys(ROUTE, "str")))):
        (scratch / name).mkdir()
        frame.to_parquet(scratch / name / "all.parquet", compression="zstd")
    return _files(scratch)


VARIANTS = {"scan": _scan, "ours": _ours, "polars": _polars, "pandas": _pandas}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="of the data; default: outputs/bench")
    parser.add_argument("--variant", choices=list(VARIANTS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.variant:
        found = _run(given.variant, given.folder)
    else:
        found = measure(given.rows, given.rounds, given.folder or ROOT / "outputs" / "bench")
    sys.stdout.write(json.dumps(found, indent=None if given.variant else 2) + "\n")


if __name__ == "__main__":
    main()
