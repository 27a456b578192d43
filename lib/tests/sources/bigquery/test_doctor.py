"""``shokubai doctor`` on warehouses in BigQuery: the whole output of good and bad cases, over HTTP."""

# ruff: noqa: E501 - text stands as it is printed

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from shokubai.cli import main

REQUESTS = "aoba-logs.run_logs.run_googleapis_com_requests"
FILES = {
    "organization.yaml": "name: Aoba\ntime_zone: Asia/Tokyo\nlanguage: ja\ncalendar: {country: JP}\n",
    "teams/core.yaml": "name: Core\nowns: [{service: shop}]\n",
    "slos/shop.yaml": """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability}
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {type: shokubai, spec: {requests: successful}}}
        total: {metricSource: {type: shokubai, spec: {requests: all}}}
  objectives: [{target: 0.999}]
""",
    "runs/weekly.yaml": "team_notebooks: [weekly_team_report]\nwarehouse: logs\n",
    "warehouses/files.yaml": 'engine: duckdb\ntables: {requests: {path: "{outputs}/*.parquet"}}\n',
    "warehouses/logs.yaml": """\
engine: bigquery
project: aoba-logs
billing_project: aoba-sre
location: asia-northeast1
dataset: shokubai
tables:
  requests: {table: run_logs.run_googleapis_com_requests, mapping: cloud_run_sink}
""",
}
ROLES = (
    "note: roles: For the account in use grant: roles/bigquery.jobUser on project aoba-sre; roles/bigquery.dataViewer on "
    "the datasets of the logs; roles/bigquery.dataEditor on aoba-sre.shokubai only; and for faster results "
    "roles/bigquery.readSessionUser on project aoba-sre.\n"
)
START = "warehouse logs (parameters/warehouses/logs.yaml)\n"
ACCESS = (
    "ok: packages: the client and its fast way to results are installed\n"
    "ok: credentials: the account in use is known to BigQuery\n"
    "ok: dataset: aoba-sre.shokubai is there, in asia-northeast1\n"
)
UNMAPPED = "note: tables: not mapped, so reports go without: metrics, deployments, incidents, alerts, sre_requests\n"
TYPES = dict.fromkeys(
    ("service_name", "http_route", "http_request_method", "region", "service_version", "trace_id"), "STRING"
) | {"timestamp": "TIMESTAMP", "http_response_status_code": "INTEGER", "duration_seconds": "FLOAT"}
TYPES |= {"metric_name": "STRING", "unit": "STRING", "value": "FLOAT", "limit_value": "FLOAT"}


def fixtures_module():
    path = Path(__file__).parents[2] / "mappings" / "fixtures.py"
    spec = importlib.util.spec_from_file_location("mapping_fixtures_for_the_doctor", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


fixtures = fixtures_module()


@pytest.fixture
def parameters(tmp_path, monkeypatch):
    """The folder ``parameters/`` in the current folder, of an organisation whose logs are in BigQuery."""
    for name, text in FILES.items():
        file = tmp_path / "parameters" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "parameters"


@pytest.fixture
def doctor(service, parameters, monkeypatch):
    """Runs the command and gives its exit status and what it printed; the date of the dry run is replaced."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", service.address)
    service.answer("SELECT * FROM", TYPES)
    service.answer("AS within_1_count", bytes=3 * 2**30)
    service.answer("AS duration_bucket", bytes=2**30)

    def run(*arguments):
        result = CliRunner().invoke(main, ["doctor", *arguments])
        assert not result.exception or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, re.sub(r"20\d\d-\d\d-\d\d", "YESTERDAY", result.output)

    return run


def add(service, fixture, **resource):
    project, dataset, table = fixture.address.rsplit(".", 2)
    service.tables[fixture.address] = {
        "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
        "type": "TABLE",
        "schema": {"fields": fixture.schema},
        "location": "asia-northeast1",
        "numBytes": str(5 * 2**30),
        **fixture.resource,
        **resource,
    }


# --- a warehouse --------------------------------------------------------------------------------------------


def test_all_is_right(service, doctor):
    add(service, fixtures.load("cloud_run_sink"))
    assert doctor() == (
        0,
        START
        + ACCESS
        + f"ok: requests: the columns of {REQUESTS} fit, by mapping cloud_run_sink; without user_key\n"
        + "ok: requests: it is partitioned by timestamp, and a day's scan reads that day\n"
        + "ok: cost: scanning one day of requests, YESTERDAY, reads 4.0 GiB (0.02 USD at 6.25 USD per TiB)\n"
        + UNMAPPED
        + ROLES
        + "no problem\n",
    )
    assert service.inserted() == []  # nothing but dry runs
    assert service.written == {}
    assert service.asked("POST", "/tables$") == 0
    assert doctor("logs") == doctor()


def test_much_is_wrong(service, doctor):
    fixture = fixtures.load("cloud_run_sink").without("httpRequest.status")
    add(service, fixture)
    service.datasets["aoba-sre.shokubai"] = "US"
    head = f"warehouse logs (parameters/warehouses/logs.yaml:7): table requests: {REQUESTS} does not fit mapping cloud_run_sink"
    assert doctor() == (
        1,
        START
        + "".join(ACCESS.splitlines(keepends=True)[:2])
        + "error: dataset: aoba-sre.shokubai is in US, but location says asia-northeast1; the logs and the dataset must be "
        "in one place: make the dataset there, or correct location\n"
        f"error: requests: {head}: column http_response_status_code: httpRequest.status (INT64) is missing\n"
        "  Map what is called otherwise in tables.requests.columns, or see what fits: "
        f"`shokubai doctor WAREHOUSE --table {REQUESTS}`\n" + UNMAPPED + ROLES + "2 errors\n",
    )


def test_the_account_may_do_more_than_it_needs(service, doctor):
    add(service, fixtures.load("cloud_run_sink"))
    service.permissions[REQUESTS] = ["bigquery.tables.getData", "bigquery.tables.delete"]
    status, printed = doctor()
    assert status == 0
    assert (
        f"warning: requests: the account may change {REQUESTS} (bigquery.tables.delete); reading takes "
        "roles/bigquery.dataViewer only\n"
    ) in printed
    assert printed.endswith(ROLES + "1 warning\n")
    service.permissions[REQUESTS] = ["bigquery.tables.getData"]
    assert "warning" not in doctor()[1]


def test_the_dataset_is_missing(service, doctor):
    add(service, fixtures.load("cloud_run_sink"))
    del service.datasets["aoba-sre.shokubai"]
    status, printed = doctor()
    assert status == 1
    assert (
        "  Shokubai's own dataset must be there before the first run, in the logs' location: "
        "bq --location=asia-northeast1 mk --dataset aoba-sre:shokubai\n"
    ) in printed
    assert printed.count("error:") == 1


def test_the_table_is_missing(service, doctor):
    service.tables.clear()
    status, printed = doctor()
    assert status == 1
    assert f"error: requests: looking at table {REQUESTS} failed in warehouse logs" in printed
    assert "Not found: Table aoba-logs:run_logs.run_googleapis_com_requests" in printed
    assert "Correct the name in the warehouse file." in printed
    assert printed.count("error:") == 1
    assert "ok: cost" not in printed


def test_reading_the_log_is_not_permitted(service, doctor):
    add(service, fixtures.load("cloud_run_sink"))
    service.fail(
        "GET", "/tables/", status=403, reason="accessDenied", message="Access Denied: Table aoba-logs", times=99
    )
    status, printed = doctor()
    assert status == 1
    assert "Access Denied: Table aoba-logs" in printed
    assert printed.count("error:") == 1


def test_nobody_is_logged_in(service, doctor):
    service.fail("GET", "/datasets/", status=401, reason="authError", message="Invalid Credentials", times=99)
    status, printed = doctor()
    assert status == 1
    assert "error: credentials: looking at dataset aoba-sre.shokubai failed" in printed
    assert "gcloud auth application-default login" in printed
    assert printed.endswith(ROLES + "1 error\n")
    assert "requests" not in printed.replace(ROLES, "")


def test_the_log_is_elsewhere(service, doctor):
    add(service, fixtures.load("cloud_run_sink"), location="US")
    status, printed = doctor()
    assert status == 1
    assert f"error: requests: {REQUESTS} is in US, but location says asia-northeast1" in printed


def test_packages_that_are_missing(doctor, monkeypatch):
    monkeypatch.setattr("shokubai.tables.checks.bigquery.find_spec", lambda name: None)
    status, printed = doctor()
    assert (status, printed) == (
        1,
        START
        + "error: packages: google.cloud.bigquery is not installed; pip install 'shokubai[bigquery]'\n"
        + ROLES
        + "1 error\n",
    )


def test_a_day_that_costs_too_much(service, doctor):
    add(service, fixtures.load("cloud_run_sink"))
    service.answer("AS within_1_count", bytes=600 * 2**30)
    status, printed = doctor()
    assert status == 1
    assert (
        "error: cost: scanning one day of requests, YESTERDAY, reads 601.0 GiB (3.67 USD at 6.25 USD per TiB)\n"
        in printed
    )
    assert "it would read 600.0 GiB (3.66 USD at 6.25 USD per TiB), more than byte_cap allows, 50.0 GiB\n" in printed


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        (
            {"timePartitioning": {"type": "DAY"}},
            "warning: requests: it is partitioned by the time of ingestion, not by the column behind timestamp: each "
            "day's scan reads all that came in from the day before on; a new sink partitions by timestamp\n",
        ),
        (
            {"timePartitioning": {"type": "DAY", "field": "receiveTimestamp"}},
            "warning: requests: it is partitioned by receiveTimestamp, not by the column behind timestamp: each day's "
            "scan reads the whole table, 5.0 GiB; let `where` leave out what is old, or have the log written to a table "
            "partitioned by that column\n",
        ),
        (
            {"timePartitioning": None},
            "warning: requests: it is not partitioned: each day's scan reads the whole table, 5.0 GiB; let `where` leave "
            "out what is old, or have the log written to a table partitioned by that column\n",
        ),
        (
            {"type": "EXTERNAL", "timePartitioning": None},
            "warning: requests: it is an external table: each day's scan reads all its files; let `where` leave out what "
            "is old, or have the log written to a table partitioned by that column\n",
        ),
        (
            {"type": "VIEW", "timePartitioning": None},
            "note: requests: it is a view; what a day's scan reads, only the dry run below tells\n",
        ),
    ],
)
def test_what_partitioning_means_for_the_cost(service, doctor, resource, wanted):
    add(service, fixtures.load("cloud_run_sink"), **resource)
    status, printed = doctor()
    assert status == 0
    assert wanted in printed


# --- any table ----------------------------------------------------------------------------------------------


def test_a_table_that_a_mapping_fits(service, doctor):
    add(service, fixtures.load("load_balancer_sink"))
    table = "aoba-logs.lb_logs.requests"
    assert doctor("logs", "--table", "lb_logs.requests") == (
        0,
        START
        + ACCESS
        + f"ok: mapping: load_balancer_sink fits {table}: The request log of an Application Load Balancer of Google Cloud, "
        "in a table of a sink of Cloud Logging\n"
        "  It has timestamp, resource.labels.backend_service_name, httpRequest.requestUrl; documented at "
        "https://cloud.google.com/load-balancing/docs/https/https-logging-monitoring\n"
        f"ok: requests: the columns of {table} fit, by mapping load_balancer_sink; without user_key, service_version\n"
        "ok: requests: it is partitioned by timestamp, and a day's scan reads that day\n"
        "ok: cost: scanning one day of requests, YESTERDAY, reads 4.0 GiB (0.02 USD at 6.25 USD per TiB)\n"
        "note: load_balancer_sink: Requests whose client hung up before any response "
        "(client_disconnected_before_any_response) count as seen, but have no status and no duration: they are in no SLO, "
        "and reports show them as requests without a status.\n"
        "note: load_balancer_sink: service_name is the backend service's name, or the URL map's for requests that the "
        "load balancer answers itself.\n"
        "note: load_balancer_sink: The services behind the load balancer may log the same requests again; map one of the "
        "two logs.\n"
        "note: load_balancer_sink: Only requests of backend services with logging on are there, and only at their sample "
        "rate; counts are not scaled up.\n"
        "note: load_balancer_sink: Cloud Logging delivers each entry at least once; a sink's table may hold some twice, "
        "and they are counted twice.\n" + ROLES + "no problem\n"
        "\ntables:\n  requests: {table: lb_logs.requests, mapping: load_balancer_sink}\n",
    )


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_each_mapping_is_found(service, doctor, name):
    fixture = fixtures.load(name)
    add(service, fixture)
    if name == "aws_alb_text":
        service.answer("SELECT * FROM", TYPES | {"duration_seconds": "NUMERIC"})
    status, printed = doctor("logs", "--table", fixture.address)
    assert status == 0, printed
    assert f"ok: mapping: {fixture.mapping} fits {fixture.address}: " in printed
    assert "fits too" not in printed
    short = fixture.address.removeprefix("aoba-logs.")
    assert printed.endswith(f"\ntables:\n  {fixture.table}: {{table: {short}, mapping: {fixture.mapping}}}\n")


def test_what_is_printed_can_be_pasted(service, doctor, parameters):
    add(service, fixtures.load("gke_sink"))
    pasted = doctor("logs", "--table", "gke_logs.stdout")[1].rpartition("\ntables:\n")[2]
    file = parameters / "warehouses" / "logs.yaml"
    file.write_text(FILES["warehouses/logs.yaml"].partition("  requests:")[0] + pasted)
    status, printed = doctor()
    assert status == 0
    assert "ok: requests: the columns of aoba-logs.gke_logs.stdout fit, by mapping gke_sink" in printed


CUSTOMERS = [{"name": "id", "type": "INTEGER"}, {"name": "email", "type": "STRING"}]


def test_an_unrelated_table(service, doctor):
    unrelated = replace(fixtures.load("cloud_run_sink"), address="aoba-crm.sales.customers", schema=CUSTOMERS)
    add(service, unrelated)
    assert doctor("logs", "--table", "aoba-crm.sales.customers") == (
        1,
        START
        + ACCESS
        + "error: mapping: no ready mapping fits aoba-crm.sales.customers\n"
        + "  it has nothing of the logs that mappings are for\n"
        + ROLES
        + "1 error\n"
        + "\nIf it is a log of requests, map its columns by hand, each to a column or a GoogleSQL expression:\n"
        + "tables:\n"
        + "  requests:\n"
        + "    table: aoba-crm.sales.customers\n"
        + "    columns:\n"
        + "      timestamp: ...\n"
        + "      service_name: ...\n"
        + "      http_route: ...\n"
        + "      http_request_method: ...\n"
        + "      http_response_status_code: ...\n"
        + "      # optional: duration_seconds, user_key, region, service_version, trace_id\n",
    )


def test_a_table_that_a_mapping_nearly_fits(service, doctor):
    add(service, fixtures.load("log_analytics").without("http_request.status").retyped("resource.labels", "STRING"))
    status, printed = doctor("logs", "--table", "linked_logs._AllLogs")
    assert status == 1
    assert (
        "error: mapping: no ready mapping fits aoba-logs.linked_logs._AllLogs\n"
        "  log_analytics is nearest; it lacks: resource.labels is STRING, not JSON; "
        "column http_response_status_code: http_request.status (INT64) is missing\n"
    ) in printed


def test_a_table_that_is_not_there(service, doctor):
    status, printed = doctor("logs", "--table", "lb_logs.request")
    assert status == 1
    assert "error: table: looking at table aoba-logs.lb_logs.request failed in warehouse logs" in printed
    assert printed.count("error:") == 1


# --- what cannot be used ------------------------------------------------------------------------------------


def test_a_table_needs_a_warehouse_in_bigquery(doctor):
    status, printed = doctor("files", "--table", "lb_logs.requests")
    assert status == 2
    assert "--table looks at tables in BigQuery, but warehouse files" in printed


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("log",), "no warehouse is called 'log'"),
        (
            ("logs", "--table", "requests"),
            "--table 'requests' has the wrong form; allowed: dataset.table or project.",
        ),
    ],
)
def test_what_cannot_be_used(doctor, arguments, wanted):
    status, printed = doctor(*arguments)
    assert status == 2
    assert wanted in printed


def test_parameters_with_an_error(doctor, parameters):
    (parameters / "warehouses" / "logs.yaml").write_text("engine: bigquery\n")
    status, printed = doctor()
    assert status == 2
    assert "logs.yaml:1: error: project: is missing" in printed
