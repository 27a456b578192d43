"""``shokubai run`` on a warehouse in BigQuery, as far as the scripted service goes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shokubai import config, tables
from shokubai.sources.bigquery_statement import Text

PROJECT = Path(__file__).resolve().parents[4]
WAREHOUSE = """\
engine: bigquery
project: aoba-logs
billing_project: aoba-sre
location: asia-northeast1
dataset: shokubai
byte_cap: 20 GiB
tables:
  requests:
    table: run_logs.run_googleapis_com_requests
    columns:
      service_name: resource.labels.service_name
      http_request_method: httpRequest.requestMethod
      http_route: httpRequest.requestUrl
      http_response_status_code: httpRequest.status
      duration_seconds: httpRequest.latency
"""
NUMBERS = ("mark_count", "row_count", "request_count")
DAYS = {"small_table": "STRING", "day": "TIMESTAMP", "made_from": "STRING"} | dict.fromkeys(NUMBERS, "INTEGER")
DAYS |= dict.fromkeys(("first_at", "last_at"), "TIMESTAMP")
PARTITION = {"id": "STRING"} | dict.fromkeys(("row_count", "byte_count", "changed_us"), "INTEGER")


@pytest.fixture
def parameters(tmp_path):
    """Those of the demo organisation, whose log is said to be in BigQuery."""
    folder = tmp_path / "parameters"
    shutil.copytree(PROJECT / "parameters", folder)
    (folder / "warehouses" / "demo.yaml").write_text(WAREHOUSE, encoding="utf-8")
    return folder


@pytest.fixture
def run(service, parameters, tmp_path):
    """``shokubai run weekly`` with these parameters."""
    service.answer("INFORMATION_SCHEMA.PARTITIONS", PARTITION, [["20261028", 5, 900, 1]])
    service.answer("AS small_table", DAYS)

    def make(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from shokubai.cli import main; main()", "run", "weekly", *options]
        command += ["--parameters", str(parameters), "--outputs", str(tmp_path / "outputs")]
        environment = {**os.environ, "BIGQUERY_EMULATOR_HOST": service.address}
        return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)

    return make


def test_a_run_that_would_cost_too_much(service, run, tmp_path):
    service.answer("AS within_1_count", bytes=21 * 2**30)
    ended = run()
    assert ended.returncode == 2
    said = " ".join(ended.stderr.split())
    assert "query minute_counts was not run in warehouse demo" in said
    assert "it would read 21.0 GiB (0.13 USD at 6.25 USD per TiB), more than byte_cap allows, 20.0 GiB" in said
    assert "Traceback" not in ended.stderr
    assert service.written == {}
    assert not list((tmp_path / "outputs").rglob("*.html"))


def test_a_dry_run_that_would_cost_too_much(service, run, tmp_path):
    service.answer("AS within_1_count", bytes=21 * 2**30)
    ended = run("--dry-run")
    assert ended.returncode == 2
    *said, would_be_made, last = ended.stdout.splitlines()
    assert said == [
        "demo: 1 day(s) of the log to scan, 2026-10-28: 21.0 GiB, 0.13 USD",
        "demo: to fetch once for all reports: 0 B, 0.00 USD",
        "demo: together 2 statements, 21.0 GiB billed, 0.13 USD, and the fetch of the days to scan; allowed: "
        "20.0 GiB per statement, 500.0 GiB per run",
    ]
    assert would_be_made.startswith("would be made: ") and would_be_made.endswith(" and 13 more")
    assert last == "25 report(s) of 2026-W44: 25 to make, 0 up to date. Nothing was run."
    assert "query minute_counts was not run in warehouse demo" in " ".join(ended.stderr.split())
    assert service.written == {}
    assert service.asked("POST", "/tables") == 0
    assert not (tmp_path / "outputs").exists()


def test_the_statements_of_a_report_say_whose_they_are(service, parameters, monkeypatch, tmp_path):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", service.address)
    monkeypatch.setenv("SHOKUBAI_LABELS", "shokubai_run=weekly_2026-w44,team=search,notebook=weekly_team_report")
    opened = tables.open_tables(config.load(parameters), "demo", outputs=tmp_path)
    opened.warehouse.jobs.estimate(Text("answer", "SELECT 42 AS answer"))
    (configuration,) = service.inserted(dry=True)
    assert configuration["labels"] == {
        "shokubai_run": "weekly_2026-w44",
        "team": "search",
        "notebook": "weekly_team_report",
        "shokubai_statement": "answer",
    }


def test_what_reports_read_cannot_be_fetched(service, run, parameters, tmp_path):
    """The log could be scanned, but the reports have no deployments to read: each says so, and none is made."""
    (parameters / "warehouses" / "demo.yaml").write_text(
        WAREHOUSE + "  deployments: {table: ops.deploys}\n", encoding="utf-8"
    )
    service.add_table("aoba-logs.ops.deploys", {"deployed_at": "TIMESTAMP", "service_name": "STRING"})
    service.answer("INFORMATION_SCHEMA.PARTITIONS", PARTITION)
    service.answer("FROM deployments", refused=(403, "accessDenied", "Access Denied: Table aoba-logs:ops.deploys"))
    ended = run("--team", "search", "--team", "billing")
    assert ended.returncode == 1
    assert "failed: 4 × query deployments failed in warehouse demo" in ended.stdout
    assert all(f"{team}/weekly_team_report" in ended.stdout for team in ("billing", "search"))
    for team in ("search", "billing"):
        page = tmp_path / "outputs" / "weekly" / "2026-W44" / team / "weekly_team_report.html"
        assert "Access Denied: Table aoba-logs:ops.deploys" in page.read_text(encoding="utf-8")
    assert "roles/bigquery.dataViewer on the datasets of the logs" in ended.stdout
    assert len([text for text in service.statements(dry=True) if "FROM deployments" in text]) == 1
    assert service.written == {}


def test_a_run_that_is_not_permitted(service, run):
    service.fail(
        "POST", "/jobs$", status=403, reason="accessDenied", message="Access Denied: Project aoba-sre", times=99
    )
    service.answer("INFORMATION_SCHEMA", refused=(403, "accessDenied", "Access Denied: Project aoba-sre"))
    ended = run()
    assert ended.returncode == 2  # nothing was made
    said = " ".join(ended.stderr.split())
    assert "Access Denied: Project aoba-sre" in said
    assert "roles/bigquery.jobUser on project aoba-sre" in said
    assert "Traceback" not in ended.stderr
    assert service.written == {}
