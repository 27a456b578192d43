"""Every shipped statement, dry-run by BigQuery itself: free, reads nothing, needs roles/bigquery.jobUser only.

``SHOKUBAI_BIGQUERY_PROJECT=my-project pytest -m bigquery_live``; ``SHOKUBAI_BIGQUERY_LOCATION`` is US when unset. The
tables are stood for by rows that are not there, so no dataset is needed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

from shokubai.config.model import BigQuery
from shokubai.core import sketch
from shokubai.sources import Query, load_query
from shokubai.sources.bigquery_jobs import BigQueryJobs
from shokubai.sources.bigquery_parameters import query_parameters
from shokubai.sources.bigquery_statement import Text
from shokubai.sources.bigquery_text import with_definitions
from shokubai.tables.contracts import METRIC_HOURS, RAW_TABLES, SMALL_TABLES

pytestmark = pytest.mark.bigquery_live

HERE = Path(__file__).parent


def fixtures() -> ModuleType:
    """The tables of the ready mappings; these tests are no package."""
    path = HERE.parents[1] / "mappings" / "fixtures.py"
    spec = importlib.util.spec_from_file_location("mappings_for_a_real_project", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TABLES = fixtures()
PACKAGES = ("queries", "dataset_queries", "snapshot_queries")
SHIPPED = [
    (f"shokubai.tables.{package}", file.name.removesuffix(".sql"))
    for package in PACKAGES
    for file in sorted(files(f"shokubai.tables.{package}").iterdir(), key=lambda f: f.name)
    if file.name.endswith(".sql")
]
VALUES = {
    "STRING": "shop",
    "INT64": 60_000_000,
    "FLOAT64": sketch.GAMMA,
    "BOOL": True,
    "TIMESTAMP": datetime(2026, 10, 26, tzinfo=UTC),
}


@pytest.fixture(scope="module")
def jobs():
    project = os.environ["SHOKUBAI_BIGQUERY_PROJECT"]
    location = os.environ.get("SHOKUBAI_BIGQUERY_LOCATION") or "US"
    settings = BigQuery(project, project, location, f"{project}.none", 2**40, 2**40, 6.25, "USD", 60)
    return BigQueryJobs(settings, where=f"project {project}")


def nothing(types):
    """A SELECT of no rows with columns of these types."""
    return "SELECT " + ", ".join(f"CAST(NULL AS {type_}) AS `{name}`" for name, type_ in types.items()) + " LIMIT 0"


def types(contract, **more):
    return {name: column.type.removeprefix("NULLABLE_") for name, column in contract.columns.items()} | more


DEFINITIONS = {
    **{name: nothing(types(contract)) for name, contract in RAW_TABLES.items()},
    **{name: nothing(types(contract, made_from="STRING")) for name, contract in SMALL_TABLES.items()},
    "metric_hours": nothing(types(METRIC_HOURS)),
}


def value(type_):
    if type_.startswith("ARRAY<STRUCT"):
        fields = [field.split() for field in type_.partition("STRUCT<")[2].rstrip("> ").split(",")]
        return [{name: VALUES[kind] for name, kind in fields}]
    return [VALUES[type_[6:-1]]] if type_.startswith("ARRAY<") else VALUES[type_]


@pytest.mark.parametrize(("package", "name"), SHIPPED)
def test_a_shipped_statement_is_accepted(jobs, package, name):
    if package.endswith("dataset_queries"):
        query = Query(name, files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8"), name)
    else:
        query = load_query(package, name)
    used = {table: select for table, select in DEFINITIONS.items() if f" {table}\n" in query.text + "\n"}
    parameters = query_parameters(query.types, {parameter: value(t) for parameter, t in query.types.items()})
    estimate = jobs.estimate(Text(name, with_definitions(query.text, used), tuple(parameters)))
    assert estimate.kind == "SELECT"
    assert estimate.bytes == 0
    assert estimate.types


@pytest.mark.parametrize("name", TABLES.NAMES)
def test_a_ready_mapping_is_accepted(jobs, name):
    table = TABLES.load(name)
    sql = (HERE / "sent" / f"mapping_{name}.sql").read_text(encoding="utf-8")
    assert sql.count(f"`{table.address}`") == 1
    sql = with_definitions(sql.replace(f"`{table.address}`", "log_table"), {"log_table": nothing(table.types)})
    estimate = jobs.estimate(Text(name, sql))
    assert estimate.types == types(RAW_TABLES[table.table])
    assert estimate.bytes == 0
