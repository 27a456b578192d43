"""Writes the demo organisation's data: request logs day by day, and their companions.

``directory`` afterwards holds ``requests/day=…/part-0.parquet``, ``late/requests/day=…/part-1.parquet`` (rows that
have not arrived yet), the companions as Parquet files, and ``demo.json``, which says what was built and is written
last.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from shokubai.core.errors import UsageError
from shokubai.core.windows import Window
from shokubai.demo import draws, metrics, records, traffic
from shokubai.demo.events import DEFAULT_SEED, NOTHING
from shokubai.demo.organization import FIRST_WEEK, LAST_WEEK, ROUTES, SERVICES, WINDOW
from shokubai.demo.traffic import Integers, Traffic
from shokubai.demo.variation import plants_of

DEFAULT_ROWS = 10_000_000
FEWEST_ROWS = 50_000
MARKER = "demo.json"

# Called after each step with the steps done, the steps in all and what was done.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Summary:
    """What a demo folder holds, as written in ``demo.json``."""

    directory: Path
    rows: int  # asked for; request_count is what came out
    seed: int
    request_count: int
    late_count: int
    weeks: tuple[str, str]
    start: datetime
    end: datetime
    quiet: bool = False  # nothing is planted in it


def build(
    directory: Path,
    *,
    rows: int = DEFAULT_ROWS,
    seed: int = DEFAULT_SEED,
    quiet: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Build the demo data in ``directory``, which is replaced as a whole when all of it is written.

    ``quiet`` leaves out all planted events; the rest is as with them. The data is the same for the same rows and
    seed, whatever the number of threads. Raises UsageError for fewer rows than the planted events need.
    """
    if rows < FEWEST_ROWS:
        raise UsageError(f"--rows {rows}: the demo needs at least {FEWEST_ROWS} rows to hold its planted events")
    directory.parent.mkdir(parents=True, exist_ok=True)
    _clear_left_overs(directory)
    staging = _beside(directory)
    staging.mkdir()
    try:
        summary = _write(staging, directory, rows=rows, seed=seed, quiet=quiet, threads=threads, progress=progress)
        _replace(directory, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return summary


def is_current(directory: Path, *, rows: int = DEFAULT_ROWS, seed: int = DEFAULT_SEED) -> bool:
    """Whether ``directory`` holds the whole demo of this size and seed, made by this version of the generator."""
    marker = _read_marker(directory)
    made_of = tuple(marker.get(name) for name in ("rows", "seed", "quiet", "generator"))
    return made_of == (rows, seed, False, _generator())


def read_summary(directory: Path) -> Summary:
    """What the demo in ``directory`` holds. Raises UsageError when there is none."""
    marker = _read_marker(directory)
    if not marker:
        raise UsageError(f"{directory} holds no demo data; run `shokubai demo` first")
    return Summary(
        directory=directory,
        rows=marker["rows"],
        seed=marker["seed"],
        request_count=marker["request_count"],
        late_count=marker["late_count"],
        weeks=(marker["weeks"][0], marker["weeks"][1]),
        start=datetime.fromisoformat(marker["start"]),
        end=datetime.fromisoformat(marker["end"]),
        quiet=marker.get("quiet", False),
    )


def connect(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB whose zone is UTC and which loads nothing over the network."""
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
    return connection


def read_sql(name: str) -> str:
    """A statement of this package."""
    return files("shokubai.demo").joinpath(name).read_text(encoding="utf-8")


def _write(
    staging: Path,
    directory: Path,
    *,
    rows: int,
    seed: int,
    quiet: bool,
    threads: int | None,
    progress: Progress | None,
) -> Summary:
    days = list(WINDOW.utc_days())
    steps = len(days) + 2
    step = progress or (lambda *_: None)
    plants = NOTHING if quiet else plants_of(seed)
    plan = traffic.plan(plants, rows=rows, seed=seed)
    deployments = records.deployments(plants, seed=seed)
    versions = _versions(plan, deployments)
    step(1, steps, "traffic planned")
    counts = {"requests": 0, "late/requests": 0}
    with connect(threads) as connection:
        connection.execute(read_sql("macros.sql"))
        connection.register("routes", _routes(seed=seed))
        for n, day in enumerate(days):
            for kind, folder in ((False, "requests"), (True, "late/requests")):
                cells = _cells(plan, versions, day, late=kind)
                if len(cells):
                    name = f"part-{int(kind)}.parquet"
                    counts[folder] += _write_requests(
                        connection, cells, staging / folder / f"day={day.isoformat()}" / name
                    )
            step(n + 2, steps, f"requests of {day.isoformat()}")
        companions = {
            "metrics": metrics.samples(plan, plants, deployments, seed=seed),
            "deployments": deployments,
            "incidents": records.incidents(plants),
            "alerts": records.alerts(plants, seed=seed),
            "sre_requests": records.sre_requests(seed=seed),
        }
        for name, frame in companions.items():
            connection.register("companion", frame)
            _copy(connection, "SELECT * FROM companion", staging / f"{name}.parquet")
            connection.unregister("companion")
    step(steps, steps, "metrics and records")
    summary = Summary(
        directory=directory,
        rows=rows,
        seed=seed,
        request_count=counts["requests"],
        late_count=counts["late/requests"],
        weeks=(str(FIRST_WEEK), str(LAST_WEEK)),
        start=WINDOW.start,
        end=WINDOW.end,
        quiet=quiet,
    )
    marker = {k: v for k, v in asdict(summary).items() if k != "directory"} | {"generator": _generator()}
    text = json.dumps(marker, default=datetime.isoformat, indent=2)
    (staging / MARKER).write_text(text + "\n", encoding="utf-8")
    return summary


def _routes(*, seed: int) -> pd.DataFrame:
    """One row per entry of ROUTES: what the statement needs to know of it."""
    salts = {service.name: draws.keys(seed, "user", service.name)[0] for service in SERVICES}
    return pd.DataFrame(
        [
            {
                "route_number": number,
                "service_name": service.name,
                "http_route": route.path,
                "http_request_method": route.method,
                "median_seconds": route.median_seconds,
                "sigma": route.sigma,
                "client_error_ratio": route.client_error_ratio,
                "client_error_status": route.client_error_status,
                "success_status": route.success_status,
                "main_region": service.regions[0],
                "other_region": service.regions[1],
                "user_salt": salts[service.name],
            }
            for number, (service, route) in enumerate(ROUTES)
        ]
    )


def _versions(plan: Traffic, deployments: pd.DataFrame) -> dict[str, tuple[Integers, list[str]]]:
    """Per service the instants of its deployments and the version from each on; the first is from the start."""
    versions = {}
    for service in SERVICES:
        own = deployments[deployments["service_name"] == service.name].sort_values("deployed_at")
        instants = own["deployed_at"].astype("int64").to_numpy()
        names = ["2026.07.30.1", *own["service_version"]]
        versions[service.name] = (np.concatenate([plan.slot_starts_us[:1] - 1, instants]), names)
    return versions


def _cells(plan: Traffic, versions: dict[str, tuple[Integers, list[str]]], day: date, *, late: bool) -> pd.DataFrame:
    """One row per slot × route of a UTC day with requests, either those in time or those that come late."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    slots = traffic.slots_of(Window(midnight, midnight + timedelta(days=1)))
    service_numbers = np.array([SERVICES.index(service) for service, _ in ROUTES])
    wanted = plan.late[slots][:, service_numbers] == late
    slot, route = np.nonzero((plan.counts[slots] > 0) & wanted)
    slot = slot + slots.start
    starts = plan.slot_starts_us[slot]
    names = np.empty(len(slot), dtype=object)
    for number, service in enumerate(SERVICES):
        of_service = service_numbers[route] == number
        instants, service_versions = versions[service.name]
        index = np.searchsorted(instants, starts[of_service], side="right") - 1
        names[of_service] = np.asarray(service_versions, dtype=object)[index]
    return pd.DataFrame(
        {
            "slot_start_us": starts,
            "route_number": route,
            "request_count": plan.counts[slot, route],
            "cell_key": plan.cell_keys[slot, route],
            "error_ratio": plan.error_ratio[slot, route],
            "error_status": plan.error_status[slot, route],
            "latency_factor": plan.latency_factor[slot, route],
            "users": plan.users[slot, route],
            "service_version": pd.Series(names, dtype="str"),
        }
    )


def _write_requests(connection: duckdb.DuckDBPyConnection, cells: pd.DataFrame, path: Path) -> int:
    path.parent.mkdir(parents=True)
    connection.register("cells", cells)
    count = _copy(connection, read_sql("requests.sql"), path)
    connection.unregister("cells")
    return count


def _copy(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    """Write a statement's rows to a Parquet file and count them."""
    connection.execute("SET VARIABLE target = $path", {"path": str(path)})
    copy = f"COPY (\n{select}\n) TO (getvariable('target')) (FORMAT parquet, COMPRESSION zstd)"
    return int(connection.execute(copy).fetchall()[0][0])


def _replace(directory: Path, staging: Path) -> None:
    """Put ``staging`` in the place of ``directory``; at no time is there a folder that is only partly new."""
    discarded = _beside(directory)
    if directory.exists():
        directory.rename(discarded)
    staging.rename(directory)
    shutil.rmtree(discarded, ignore_errors=True)


def _beside(directory: Path) -> Path:
    """A new hidden name next to ``directory`` that says which process it belongs to."""
    return directory.parent / f".{directory.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}"


def _clear_left_overs(directory: Path) -> None:
    """Remove what builds left behind that were killed."""
    for path in directory.parent.glob(f".{directory.name}.*.*"):
        try:
            os.kill(int(path.name.split(".")[-2]), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)
        except (ValueError, PermissionError):
            continue  # not ours, or still running


def _read_marker(directory: Path) -> dict[str, Any]:
    try:
        marker = json.loads((directory / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return marker if isinstance(marker, dict) else {}


def _generator() -> str:
    """A hash of the generator itself, so that data of an older one is not taken for current."""
    return _hash(p for p in Path(str(files("shokubai.demo"))).iterdir() if p.suffix in (".py", ".sql"))


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        if not path.name.startswith("truth"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that readers see the old or the new one, never a part."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
