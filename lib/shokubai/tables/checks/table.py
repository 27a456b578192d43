"""A table in BigQuery that no warehouse file names yet: which ready mapping fits it, and what to write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from shokubai.config.mappings.model import Schema
from shokubai.config.model import Warehouse
from shokubai.core.errors import ShokubaiError
from shokubai.sources.bigquery_errors import roles_needed
from shokubai.sources.bigquery_jobs import BigQueryJobs
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse, schema_of
from shokubai.tables.checks.bigquery import check_access, check_cost, check_mapped, has_access
from shokubai.tables.checks.finding import Finding
from shokubai.tables.checks.recognition import Recognition, recognise
from shokubai.tables.contracts import OPTIONAL_COLUMNS, RAW_TABLES, SMALL_TABLES
from shokubai.tables.dataset import DatasetTables


def check_table(described: Warehouse, opened: DatasetTables, address: str, *, day: date) -> Iterator[Finding | str]:
    """What there is to say of the table at ``address``, and at the end the lines to write into a warehouse file.

    ``opened`` are the tables of the warehouse whose project, location and limits hold. Everything here is free, reads
    no row and makes nothing.
    """
    jobs = opened.warehouse.jobs
    access = list(check_access(jobs))
    yield from access
    if has_access(access):
        yield from _check(described, jobs, address, opened, day)
    yield Finding("note", "roles", roles_needed(jobs.settings))


def _check(
    described: Warehouse, jobs: BigQueryJobs, address: str, opened: DatasetTables, day: date
) -> Iterator[Finding | str]:
    try:
        # Which of the contract's tables it will be does not matter for looking at it.
        looked_at = _warehouse(described, jobs, BigQueryTable(RAW_TABLES["requests"], address, f"--table {address}"))
        schema = schema_of(looked_at.description("requests"))
    except ShokubaiError as error:
        yield Finding("error", "table", str(error))
        return
    if named := _named_as_it_is(schema):
        yield Finding("ok", "mapping", f"the columns of {address} have the names of {named} already; none is needed")
        table = BigQueryTable(RAW_TABLES[named], address, f"--table {address}")
        yield from _fitting(described, jobs, table, opened, day)
        return
    found = recognise(schema)
    best = found[0]
    if not best.fits:
        yield from _refusal(address, found)
        return
    mapping = best.mapping
    yield Finding(
        "ok",
        "mapping",
        f"{mapping.name} fits {address}: {mapping.title}\n"
        f"It has {', '.join(best.recognised)}; documented at {mapping.follows}",
    )
    for other in found[1:]:
        if other.fits:
            yield Finding("note", "mapping", f"{other.mapping.name} fits too: {other.mapping.title}")
        elif not other.unrecognised:
            yield Finding("note", "mapping", f"{other.mapping.name} does not fit: {'; '.join(other.lacks)}")
    table = BigQueryTable(RAW_TABLES[mapping.table], address, f"--table {address}", mapping=mapping)
    yield from _fitting(described, jobs, table, opened, day)


def _fitting(
    described: Warehouse, jobs: BigQueryJobs, table: BigQueryTable, opened: DatasetTables, day: date
) -> Iterator[Finding | str]:
    """What there is to say of a table whose columns are known, and the line to write."""
    table = replace(table, optional=OPTIONAL_COLUMNS[table.name])
    warehouse = _warehouse(described, jobs, table)
    findings = list(check_mapped(warehouse, table.name, mapping=table.mapping.name if table.mapping else ""))
    yield from findings
    if table.name == "requests" and all(finding.level != "error" for finding in findings):
        yield check_cost(opened.over(warehouse), day)
    for note in table.mapping.notes if table.mapping else ():
        yield Finding("note", table.mapping.name if table.mapping else table.name, note)
    short = table.address.removeprefix(f"{jobs.settings.project}.")
    said = f"table: {short}" + (f", mapping: {table.mapping.name}" if table.mapping else "")
    yield f"\ntables:\n  {table.name}: {{{said}}}\n"


def _named_as_it_is(schema: Schema) -> str:
    """The contract's table that a schema already has all required columns of, empty when there is none."""
    for name, contract in RAW_TABLES.items():
        if all(column in schema for column in contract.columns if column not in OPTIONAL_COLUMNS[name]):
            return name
    return ""


def _refusal(address: str, found: Sequence[Recognition]) -> Iterator[Finding | str]:
    nearest, *others = found
    tied = [each for each in others if len(each.lacks) == len(nearest.lacks)] if nearest.recognised else []
    lines = [f"no ready mapping fits {address}"]
    if nearest.recognised:
        lines += [f"{each.mapping.name} is nearest; it lacks: {'; '.join(each.lacks)}" for each in (nearest, *tied)]
    else:
        lines.append("it has nothing of the logs that mappings are for")
    yield Finding("error", "mapping", "\n".join(lines))
    required = [name for name in RAW_TABLES["requests"].columns if name not in OPTIONAL_COLUMNS["requests"]]
    yield (
        "\nIf it is a log of requests, map its columns by hand, each to a column or a GoogleSQL expression:\n"
        "tables:\n"
        f"  requests:\n    table: {address}\n    columns:\n"
        + "".join(f"      {name}: ...\n" for name in required)
        + f"      # optional: {', '.join(OPTIONAL_COLUMNS['requests'])}\n"
    )


def _warehouse(described: Warehouse, jobs: BigQueryJobs, table: BigQueryTable) -> BigQueryWarehouse:
    return BigQueryWarehouse(described.name, [table], jobs=jobs, small=tuple(SMALL_TABLES.values()))
