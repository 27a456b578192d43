"""Warehouses in BigQuery: what their files may say, with file and line where they say something else."""

# ruff: noqa: E501 - messages stand as they are printed

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shokubai import config
from shokubai.config.model import BigQuery, Source
from shokubai.core.errors import ConfigurationError

Write = Callable[[dict[str, Any]], Path]

SMALLEST = """\
engine: bigquery
project: aoba-logs
location: asia-northeast1
dataset: shokubai
tables:
  requests: {table: run_logs.run_googleapis_com_requests}
"""

FULL = """\
engine: bigquery
project: aoba-logs
billing_project: aoba-sre
location: asia-northeast1
dataset: aoba-sre-tables.shokubai
byte_cap: 1.5 GiB
run_byte_cap: 2000000000
price_per_tib: 7.5
currency: JPY
timeout_seconds: 120
impersonate: shokubai@aoba-sre.iam.gserviceaccount.com
labels: {cost_center: sre-42}
tables:
  requests:
    table: example.com:aoba-web.run_logs.requests_*
    columns:
      service_name: resource.labels.service_name
      duration_seconds: SAFE_CAST(httpRequest.latency AS FLOAT64)
    where: httpRequest.status IS NOT NULL
  deployments: {table: ops.deployments}
"""


def messages(directory: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        config.load(directory)
    return str(raised.value).replace(f"{directory}/", "").splitlines()


def test_the_smallest_file_and_its_defaults(write_parameters: Write) -> None:
    warehouse = config.load(write_parameters({"warehouses/main.yaml": SMALLEST})).warehouse("main")
    assert warehouse.engine == "bigquery"
    assert warehouse.bigquery == BigQuery(
        project="aoba-logs",
        billing_project="aoba-logs",
        location="asia-northeast1",
        dataset="aoba-logs.shokubai",
        byte_cap=53_687_091_200,  # 50 GiB
        run_byte_cap=536_870_912_000,  # 500 GiB
        price_per_tib=6.25,
        currency="USD",
        timeout_seconds=600.0,
    )
    assert warehouse.tables["requests"].path == "aoba-logs.run_logs.run_googleapis_com_requests"


def test_everything_that_can_be_said(write_parameters: Write) -> None:
    directory = write_parameters({"warehouses/main.yaml": FULL})
    warehouse = config.load(directory).warehouse("main")
    assert warehouse.bigquery == BigQuery(
        project="aoba-logs",
        billing_project="aoba-sre",
        location="asia-northeast1",
        dataset="aoba-sre-tables.shokubai",
        byte_cap=1_610_612_736,
        run_byte_cap=2_000_000_000,
        price_per_tib=7.5,
        currency="JPY",
        timeout_seconds=120.0,
        impersonate="shokubai@aoba-sre.iam.gserviceaccount.com",
        labels={"cost_center": "sre-42"},
    )
    requests = warehouse.tables["requests"]
    assert requests.path == "example.com:aoba-web.run_logs.requests_*"
    assert dict(requests.columns) == {
        "service_name": "resource.labels.service_name",
        "duration_seconds": "SAFE_CAST(httpRequest.latency AS FLOAT64)",
    }
    assert requests.where == "httpRequest.status IS NOT NULL"
    assert requests.source == Source(directory / "warehouses" / "main.yaml", 14)
    assert warehouse.tables["deployments"].path == "aoba-logs.ops.deployments"


def test_duckdb_has_no_settings_of_bigquery(write_parameters: Write) -> None:
    assert config.load(write_parameters({})).warehouse("main").bigquery is None


CASES = {
    "project missing": (
        ("project: aoba-logs\n", ""),
        ["warehouses/main.yaml:1: error: project: is missing"],
    ),
    "location misspelt": (
        ("location:", "loction:"),
        [
            "warehouses/main.yaml:3: error: loction: unknown key; allowed: engine, project, billing_project, location, "
            "dataset, byte_cap, run_byte_cap, price_per_tib, currency, timeout_seconds, impersonate, labels, tables; "
            "did you mean 'location'?"
        ],
    ),
    "project no ID": (
        ("project: aoba-logs", "project: Aoba Logs"),
        [
            "warehouses/main.yaml:2: error: project: has the wrong form; found 'Aoba Logs'; "
            "allowed: a project ID: 6 to 30 lower-case letters, digits and inner hyphens"
        ],
    ),
    "path of files": (
        ("table: run_logs.run_googleapis_com_requests", "path: logs/*.parquet"),
        [
            "warehouses/main.yaml:6: error: tables.requests.path: unknown key; "
            "allowed: table, mapping, columns, where",
            "warehouses/main.yaml:6: error: tables.requests.table: is missing",
        ],
    ),
    "table without a dataset": (
        ("run_logs.run_googleapis_com_requests", "requests"),
        [
            "warehouses/main.yaml:6: error: tables.requests.table: has the wrong form; found 'requests'; allowed: "
            "dataset.table or project.dataset.table; a table's name may end in * for tables sharded by day"
        ],
    ),
    "table that would end its quotes": (
        ("run_logs.run_googleapis_com_requests", '"run_logs.requests`; DROP TABLE x; --"'),
        [
            "warehouses/main.yaml:6: error: tables.requests.table: has the wrong form; found 'run_logs.requests`; "
            "DROP TABLE x; --'; allowed: dataset.table or project.dataset.table; a table's name may end in * for "
            "tables sharded by day"
        ],
    ),
    "cap without a unit that is known": (
        ("tables:", "byte_cap: 50 GB\ntables:"),
        [
            "warehouses/main.yaml:5: error: byte_cap: is no number of bytes; found '50 GB'; allowed: a whole number of "
            "bytes, or a number and one of B, KiB, MiB, GiB, TiB, such as 50 GiB"
        ],
    ),
    "cap below anything": (
        ("tables:", "byte_cap: 10485759\ntables:"),
        [
            "warehouses/main.yaml:5: error: byte_cap: is out of range; found 10485759; allowed: at least 10 MiB, the "
            "least that is billed"
        ],
    ),
    "cap of a run below that of a statement": (
        ("tables:", "byte_cap: 2 TiB\nrun_byte_cap: 1 TiB\ntables:"),
        ["warehouses/main.yaml:6: error: run_byte_cap: is smaller than byte_cap; found '1 TiB'; allowed: no less"],
    ),
    "price without a currency": (
        ("tables:", "price_per_tib: 7.5\ntables:"),
        ["warehouses/main.yaml:5: error: price_per_tib: says nothing without currency; give both or neither"],
    ),
    "currency": (
        ("tables:", "price_per_tib: 7.5\ncurrency: dollars\ntables:"),
        [
            "warehouses/main.yaml:6: error: currency: has the wrong form; found 'dollars'; "
            "allowed: three capital letters (ISO 4217), such as USD or JPY"
        ],
    ),
    "impersonating a person": (
        ("tables:", "impersonate: somebody@example.com\ntables:"),
        [
            "warehouses/main.yaml:5: error: impersonate: has the wrong form; found 'somebody@example.com'; "
            "allowed: the address of a service account"
        ],
    ),
    "labels": (
        ("tables:", "labels: {Team: core, cost: Core, shokubai_run: x}\ntables:"),
        [
            "warehouses/main.yaml:5: error: labels.Team: has the wrong form; found 'Team'; allowed: a lower-case "
            "letter, then at most 62 lower-case letters, digits, hyphens, underscores",
            "warehouses/main.yaml:5: error: labels.cost: has the wrong form; found 'Core'; "
            "allowed: at most 63 lower-case letters, digits, hyphens, underscores",
            "warehouses/main.yaml:5: error: labels.shokubai_run: labels that begin with shokubai_ are set by "
            "Shokubai itself",
        ],
    ),
    "settings of BigQuery for DuckDB": (
        ("engine: bigquery", "engine: duckdb"),
        [
            "warehouses/main.yaml:2: error: project: unknown key; allowed: engine, tables",
            "warehouses/main.yaml:3: error: location: unknown key; allowed: engine, tables",
            "warehouses/main.yaml:4: error: dataset: unknown key; allowed: engine, tables",
            "warehouses/main.yaml:6: error: tables.requests.path: is missing",
            "warehouses/main.yaml:6: error: tables.requests.table: unknown key; allowed: path, columns, where",
        ],
    ),
    "ready mapping misspelt": (
        ("run_googleapis_com_requests}", "run_googleapis_com_requests, mapping: cloudrun_sink}"),
        [
            "warehouses/main.yaml:6: error: tables.requests.mapping: there is no such ready mapping; "
            "found 'cloudrun_sink'; allowed: aws_alb, cloud_run_sink, gke_sink, load_balancer_sink, log_analytics, "
            "otel_spans; did you mean 'cloud_run_sink'?"
        ],
    ),
    "ready mapping of another table": (
        ("run_googleapis_com_requests}", "run_googleapis_com_requests, mapping: monitoring_export}"),
        [
            "warehouses/main.yaml:6: error: tables.requests.mapping: is a mapping for tables.metrics; "
            "found 'monitoring_export'; allowed: aws_alb, cloud_run_sink, gke_sink, load_balancer_sink, "
            "log_analytics, otel_spans"
        ],
    ),
    "ready mapping where there is none": (
        ("run_googleapis_com_requests}", "requests}\n  alerts: {table: ops.alerts, mapping: cloud_run_sink}"),
        [
            "warehouses/main.yaml:7: error: tables.alerts.mapping: is a mapping for tables.requests; "
            "found 'cloud_run_sink'; allowed: none gives alerts; map its columns"
        ],
    ),
    "engine misspelt": (
        ("engine: bigquery", "engine: big-query"),
        [
            "warehouses/main.yaml:1: error: engine: has an unknown value; found 'big-query'; "
            "allowed: duckdb, bigquery; did you mean 'bigquery'?"
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_broken(write_parameters: Write, case: str) -> None:
    (old, new), wanted = CASES[case]
    assert SMALLEST.count(old) == 1
    assert messages(write_parameters({"warehouses/main.yaml": SMALLEST.replace(old, new)})) == wanted


def test_a_ready_mapping(write_parameters: Write) -> None:
    mapped = SMALLEST.replace(
        "requests}", "requests, mapping: cloud_run_sink, columns: {region: UPPER(zone)}, where: a = 1}"
    )
    requests = config.load(write_parameters({"warehouses/main.yaml": mapped})).warehouse("main").tables["requests"]
    assert (requests.mapping, dict(requests.columns), requests.where) == (
        "cloud_run_sink",
        {"region": "UPPER(zone)"},
        "a = 1",
    )


def test_ready_mappings_are_not_for_files(write_parameters: Write) -> None:
    broken = "engine: duckdb\ntables:\n  requests:\n    path: logs.parquet\n    mapping: cloud_run_sink\n"
    assert messages(write_parameters({"warehouses/main.yaml": broken})) == [
        "warehouses/main.yaml:5: error: tables.requests.mapping: ready mappings are for tables in BigQuery "
        "(engine: bigquery); map columns instead"
    ]


def test_two_warehouses_cannot_share_a_dataset(write_parameters: Write) -> None:
    directory = write_parameters(
        {
            "warehouses/main.yaml": SMALLEST,
            "warehouses/other.yaml": FULL.replace("aoba-sre-tables.shokubai", "aoba-logs.Shokubai"),
        }
    )
    assert messages(directory) == [
        "warehouses/other.yaml:1: error: dataset: is also that of warehouse main (warehouses/main.yaml:1), and each "
        "would replace the other's tables; give each a dataset of its own; found 'aoba-logs.Shokubai'"
    ]
