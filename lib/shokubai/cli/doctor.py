"""``shokubai doctor``: whether a warehouse can be read as its file says, and what to write for another table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from shokubai import config
from shokubai.cli.terminal import console, counted, from_here, outputs_option, parameters_option
from shokubai.config import bigquery
from shokubai.config.model import Parameters, Warehouse
from shokubai.core.errors import UsageError
from shokubai.tables import open_tables
from shokubai.tables.checks import Finding, check_dataset_warehouse, check_files, check_table
from shokubai.tables.dataset import DatasetTables

WEEKLY = "weekly"  # the run whose warehouse is looked at when none is named


@click.command()
@click.argument("name", metavar="[WAREHOUSE]", required=False)
@click.option(
    "--table",
    metavar="[PROJECT.]DATASET.TABLE",
    help="A table in BigQuery, with the warehouse's project, location and limits: which ready mapping fits it.",
)
@parameters_option
@outputs_option
@click.pass_context
def command(
    context: click.Context, name: str | None, table: str | None, parameters_dir: Path, outputs_dir: Path
) -> None:
    """Check WAREHOUSE, by default that of the weekly run: is all there, does it fit, what does a day cost.

    No row is read, nothing is made and nothing is billed. Exit status: 0 all is right or there are only warnings,
    1 there is something to fix, 2 the parameters or what was given cannot be used.
    """
    parameters = config.load(parameters_dir)
    described = parameters.warehouse(name or parameters.run(WEEKLY).warehouse)
    address = _address(table, described) if table else ""
    console.print(f"warehouse {described.name} ({from_here(described.source.file)})")
    errors = _show(_findings(parameters, described, address, outputs_dir))
    context.exit(1 if errors else 0)


def _findings(parameters: Parameters, described: Warehouse, address: str, outputs: Path) -> Iterable[Finding | str]:
    tables = open_tables(parameters, described.name, outputs=outputs, labels={})
    if described.bigquery is None:
        return check_files(described, tables, parameters_dir=parameters.directory, outputs=outputs)
    assert isinstance(tables, DatasetTables)
    day = (datetime.now(UTC) - timedelta(days=1)).date()  # the last complete one
    if address:
        return check_table(described, tables, address, day=day)
    return check_dataset_warehouse(described, tables, day=day)


def _show(findings: Iterable[Finding | str]) -> int:
    """Print what was found as it is found, then how it ended; gives the number of errors."""
    levels: Counter[str] = Counter()
    closing = []
    for finding in findings:
        if isinstance(finding, Finding):
            levels[finding.level] += 1
            console.print(str(finding))
        else:
            closing.append(finding)
    counts = [counted(levels[level], level) for level in ("error", "warning") if levels[level]]
    console.print(", ".join(counts) or "no problem")
    for text in closing:
        console.print(text, end="")
    return levels["error"]


def _address(table: str, described: Warehouse) -> str:
    if described.bigquery is None:
        raise UsageError(
            f"--table looks at tables in BigQuery, but warehouse {described.name} ({described.source}) reads files; "
            "name a warehouse with engine: bigquery"
        )
    if not re.fullmatch(bigquery.TABLE, table):
        raise UsageError(f"--table {table!r} has the wrong form; allowed: {bigquery.TABLE_FORM}")
    return bigquery.address(table, described.bigquery.project)
