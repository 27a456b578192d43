"""From a warehouse file to opened tables."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from shokubai.config.mappings import ready_mapping
from shokubai.config.model import Parameters, TableSource, Warehouse
from shokubai.core.errors import UsageError
from shokubai.sources import DuckDbWarehouse, FileTable, find_files
from shokubai.sources.bigquery_jobs import BigQueryJobs
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse
from shokubai.tables.contracts import OPTIONAL_COLUMNS, RAW_TABLES, SMALL_TABLES
from shokubai.tables.dataset import DatasetTables
from shokubai.tables.snapshot import SnapshotTables, is_snapshot
from shokubai.tables.store import Tables

# Of the environment: limits of an engine that runs on this machine, for all that is opened by this process.
THREADS = "SHOKUBAI_THREADS"
MEMORY = "SHOKUBAI_MEMORY"
# Of the environment in which a run's reports are made: the folder of its snapshots, one per warehouse, and the labels
# of the jobs that a report runs itself, as shokubai_run=weekly_2026-w44,team=search.
SNAPSHOTS = "SHOKUBAI_SNAPSHOTS"
LABELS = "SHOKUBAI_LABELS"


def open_tables(
    parameters: Parameters,
    warehouse_name: str,
    *,
    outputs: Path,
    threads: int | None = None,
    memory: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Tables:
    """The tables of a warehouse, small ones included; nothing is read yet.

    ``threads`` and ``memory`` (such as "2GB") limit the engine; by default the environment's SHOKUBAI_THREADS and
    SHOKUBAI_MEMORY do, and without them it takes all cores and most of the memory. ``labels`` mark the jobs in
    BigQuery, beside those of the warehouse file; with them, even with none, the warehouse itself is opened, without
    them the copy that a run has fetched, in a process that makes one of its reports. Raises UsageError when the
    parameters have no such warehouse, too many latency thresholds for one service, or a label cannot be one.
    """
    described = parameters.warehouse(warehouse_name)
    folder = outputs.absolute() / "tables" / warehouse_name
    slos = tuple(parameters.slos.values())
    owned = {service for team in parameters.teams.values() for service in team.services}
    services = tuple(owned | {slo.service for slo in slos})
    if described.bigquery:

        def live() -> Tables:
            marked = _dataset(described, labels if labels is not None else _labels())
            return DatasetTables(marked, folder=folder, slos=slos, services=services)

        taken = Path(os.environ.get(SNAPSHOTS, ""), warehouse_name)
        if labels is not None or not os.environ.get(SNAPSHOTS) or not is_snapshot(taken):
            return live()
        return SnapshotTables(
            warehouse_name,
            folder=taken,
            slos=slos,
            services=services,
            live=live,
            threads=threads or _threads(),
            memory=memory or _memory(),
        )
    small = [
        FileTable(contract, _small_files(folder, name), f"tables of warehouse {warehouse_name}")
        for name, contract in SMALL_TABLES.items()
    ]
    raw = [_raw_table(name, described, parameters, outputs) for name in RAW_TABLES]
    warehouse = DuckDbWarehouse(
        warehouse_name,
        [*raw, *small],
        spill=folder / ".spill",
        threads=threads or _threads(),
        memory=memory or _memory(),
    )
    return Tables(warehouse, folder=folder, slos=slos, services=services)


def _dataset(described: Warehouse, labels: Mapping[str, str]) -> BigQueryWarehouse:
    assert described.bigquery is not None
    where = f"warehouse {described.name} ({described.source})"
    tables = [
        BigQueryTable(
            RAW_TABLES[name],
            source.path,
            f"warehouse {described.name} ({source.source or described.source})",
            columns=source.columns,
            where=source.where,
            optional=OPTIONAL_COLUMNS[name],
            mapping=ready_mapping(source.mapping) if source.mapping else None,
        )
        for name, source in described.tables.items()
    ]
    return BigQueryWarehouse(
        described.name,
        tables,
        jobs=BigQueryJobs(described.bigquery, where=where, labels=labels),
        small=tuple(SMALL_TABLES.values()),
        absent=[name for name in RAW_TABLES if name not in described.tables],
    )


def _labels() -> dict[str, str]:
    said = os.environ.get(LABELS, "")
    return dict(pair.split("=", 1) for pair in said.split(",") if "=" in pair)


def _threads() -> int | None:
    said = os.environ.get(THREADS, "")
    if said and not re.fullmatch(r"[1-9]\d*", said):
        raise UsageError(f"{THREADS} in the environment is {said!r}; allowed is a whole number of at least 1")
    return int(said) if said else None


def _memory() -> str | None:
    said = os.environ.get(MEMORY, "")
    if said and not re.fullmatch(r"[1-9]\d*(\.\d+)? ?[KMGT]i?B", said):
        raise UsageError(f"{MEMORY} in the environment is {said!r}; allowed is a size such as 2GB or 800MB")
    return said or None


def resolve_pattern(source: TableSource, *, parameters_dir: Path, outputs: Path) -> str:
    """The absolute glob pattern of a table's path, with {outputs} and {parameters} filled in."""
    path = source.path
    for placeholder, folder in (("{outputs}", outputs), ("{parameters}", parameters_dir)):
        path = path.replace(placeholder, glob.escape(str(folder.absolute())))
    return path if Path(path).is_absolute() else f"{glob.escape(str(parameters_dir.absolute().parent))}/{path}"


def _raw_table(name: str, warehouse: Warehouse, parameters: Parameters, outputs: Path) -> FileTable:
    said_at = f"warehouse {warehouse.name} ({warehouse.source})"
    source = warehouse.tables.get(name)
    if source is None:
        return FileTable(RAW_TABLES[name], tuple, said_at)
    pattern = resolve_pattern(source, parameters_dir=parameters.directory, outputs=outputs)
    return FileTable(
        RAW_TABLES[name],
        partial(find_files, pattern, said_at=said_at, table=name),
        said_at,
        columns=source.columns,
        where=source.where,
        optional=OPTIONAL_COLUMNS[name],
    )


def _small_files(folder: Path, table: str) -> Callable[[], tuple[Path, ...]]:
    return lambda: tuple(sorted((folder / table).glob("????-??-??.parquet")))
