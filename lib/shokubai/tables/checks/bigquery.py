"""A warehouse in BigQuery: what is installed, who is logged in, what is there, what it costs, what is permitted.

Everything here is free, reads no row and makes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from importlib.util import find_spec

from shokubai.config.model import Warehouse
from shokubai.core.errors import ShokubaiError, UsageError
from shokubai.sources.bigquery_cost import in_units
from shokubai.sources.bigquery_errors import EXTRA, roles_needed
from shokubai.sources.bigquery_jobs import BigQueryJobs
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse
from shokubai.tables.checks.finding import Finding, not_mapped
from shokubai.tables.checks.partitioning import check_partitioning
from shokubai.tables.dataset import DatasetTables

# What nobody needs on a log table to read it.
CHANGING = ("bigquery.tables.updateData", "bigquery.tables.delete")


def check_dataset_warehouse(described: Warehouse, tables: DatasetTables, *, day: date) -> Iterator[Finding]:
    """What there is to say of a warehouse in BigQuery. ``day`` is the one whose scan is estimated."""
    warehouse = tables.warehouse
    access = list(check_access(warehouse.jobs))
    yield from access
    if has_access(access):
        fitting = []
        for name in described.tables:
            findings = list(check_mapped(warehouse, name, mapping=described.tables[name].mapping))
            fitting += [name] if all(finding.level != "error" for finding in findings) else []
            yield from findings
        if "requests" in fitting:
            yield check_cost(tables, day)
        yield from not_mapped(described)
    yield Finding("note", "roles", roles_needed(warehouse.jobs.settings))


def check_access(jobs: BigQueryJobs) -> Iterator[Finding]:
    """The client's packages, the credentials, and Shokubai's own dataset."""
    missing = [name for name in ("google.cloud.bigquery", "google.cloud.bigquery_storage") if not _is_installed(name)]
    if "google.cloud.bigquery" in missing:
        yield Finding("error", "packages", f"{missing[0]} is not installed; pip install '{EXTRA}'")
        return
    if missing:
        yield Finding(
            "note", "packages", f"{missing[0]} is not installed, so results come slowly; pip install '{EXTRA}'"
        )
    else:
        yield Finding("ok", "packages", "the client and its fast way to results are installed")
    settings = jobs.settings
    try:
        found = jobs.dataset(settings.dataset)
    except UsageError as error:
        yield Finding("error", "credentials", str(error))
        return
    except ShokubaiError as error:
        yield Finding("error", "dataset", str(error))
        return
    yield Finding("ok", "credentials", f"{settings.impersonate or 'the account in use'} is known to BigQuery")
    if (found.location or "").lower() != settings.location.lower():
        yield Finding(
            "error",
            "dataset",
            f"{settings.dataset} is in {found.location}, but location says {settings.location}; the logs and the "
            "dataset must be in one place: make the dataset there, or correct location",
        )
    else:
        yield Finding("ok", "dataset", f"{settings.dataset} is there, in {found.location}")


def has_access(findings: Iterable[Finding]) -> bool:
    """Whether there is any use in asking BigQuery more."""
    return not any(each.level == "error" and each.subject in ("packages", "credentials") for each in findings)


def check_mapped(warehouse: BigQueryWarehouse, name: str, *, mapping: str = "") -> Iterator[Finding]:
    """One table of the contract: there, of the right columns, in the right place, not open to change."""
    try:
        description = warehouse.description(name)
        table = warehouse.fitted(name)
        warehouse.definition(name)
    except ShokubaiError as error:
        yield Finding("error", name, str(error))
        return
    by = f", by mapping {mapping}" if mapping else ""
    missing = warehouse.missing_columns(name)
    without = f"; without {', '.join(missing)}" if missing else ""
    yield Finding("ok", name, f"the columns of {table.address} fit{by}{without}")
    place, wanted = description.location, warehouse.jobs.settings.location
    if place and place.lower() != wanted.lower():
        yield Finding(
            "error", name, f"{table.address} is in {place}, but location says {wanted}; one of them is wrong"
        )
    if "timestamp" in table.contract.columns:  # the other tables are what people write down, and small
        yield check_partitioning(table, description)
    yield from check_permissions(warehouse, name)


def check_permissions(warehouse: BigQueryWarehouse, name: str) -> Iterator[Finding]:
    """A warning where the account may change a log table, which reading never takes."""
    address = str(warehouse.description(name).reference)
    if held := [each for each in CHANGING if each in warehouse.jobs.permitted(address, CHANGING)]:
        yield Finding(
            "warning",
            name,
            f"the account may change {address} ({', '.join(held)}); reading takes roles/bigquery.dataViewer only",
        )


def check_cost(tables: DatasetTables, day: date) -> Finding:
    """What one day's scan would read, by a dry run."""
    settings = tables.warehouse.jobs.settings
    try:
        estimate = tables.estimate_scan(day)
    except ShokubaiError as error:
        return Finding("error", "cost", str(error))
    message = (
        f"scanning one day of requests, {day.isoformat()}, reads {in_units(estimate.scan_bytes)} "
        f"({estimate.scan_price} at {settings.price_per_tib:g} {settings.currency} per TiB)"
    )
    if estimate.refused:
        return Finding("error", "cost", f"{message}\n{estimate.refused}")
    return Finding("ok", "cost", message)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
