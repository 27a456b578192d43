"""``shokubai doctor`` on a warehouse of files; on warehouses in BigQuery see sources/bigquery/test_doctor.py."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from shokubai.cli import main

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
    "runs/weekly.yaml": "team_notebooks: [weekly_team_report]\nwarehouse: main\n",
    "warehouses/main.yaml": """\
engine: duckdb
tables:
  requests: {path: "{outputs}/requests/*.parquet"}
  alerts: {path: alerts.csv, columns: {fired_at: at, alert_name: name}}
""",
}
REQUESTS = """\
SELECT TIMESTAMPTZ '2026-10-26 00:00:00+00' AS timestamp, 'shop' AS service_name, '/' AS http_route,
  'GET' AS http_request_method, 200 AS http_response_status_code
"""
UNMAPPED = "note: tables: not mapped, so reports go without: metrics, deployments, incidents, sre_requests\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parameters, two files of requests and a list of alerts, in the current folder."""
    for name, text in FILES.items():
        file = tmp_path / "parameters" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    folder = tmp_path / "outputs" / "requests"
    folder.mkdir(parents=True)
    for number in (1, 2):
        duckdb.connect().execute(f"COPY ({REQUESTS}) TO '{folder}/{number}.parquet'")
    (tmp_path / "alerts.csv").write_text("at,service_name,name\n2026-10-26T09:00:00Z,shop,slow\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doctor(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["doctor", *arguments])
    assert not result.exception or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_all_is_right(project: Path) -> None:
    size = sum(file.stat().st_size for file in (project / "outputs" / "requests").iterdir())
    assert doctor() == (
        0,
        "warehouse main (parameters/warehouses/main.yaml)\n"
        f"ok: requests: 2 files, {size / 1024:.1f} KiB; the columns fit\n"
        f"ok: alerts: 1 file, 52 B; the columns fit\n{UNMAPPED}no problem\n",
    )
    assert [file.name for file in (project / "outputs").iterdir()] == ["requests"]


def test_files_that_are_missing_and_columns_that_do_not_fit(project: Path) -> None:
    for file in (project / "outputs" / "requests").iterdir():
        file.unlink()
    (project / "alerts.csv").write_text("at,service_name,named\n2026-10-26T09:00:00Z,shop,slow\n")
    said_at = "warehouse main (parameters/warehouses/main.yaml"
    assert doctor("main") == (
        1,
        "warehouse main (parameters/warehouses/main.yaml)\n"
        f"error: requests: {said_at}:3): table requests: no file matches {project}/outputs/requests/*.parquet\n"
        "  Make the data (`shokubai demo`, `shokubai import`), or correct the path in the warehouse file.\n"
        f"error: alerts: {said_at}:1): table alerts: no column 'name' in {project}/alerts.csv; "
        "there are: at, service_name, named; did you mean 'named'?\n"
        "  Name it in the warehouse file: tables.alerts.columns.alert_name: <column or SQL expression>\n"
        f"{UNMAPPED}2 errors\n",
    )


def test_without_a_weekly_run_a_warehouse_must_be_named(project: Path) -> None:
    (project / "parameters/runs/weekly.yaml").rename(project / "parameters/runs/daily.yaml")
    status, printed = doctor()
    assert status == 2
    assert "no run is called 'weekly'" in printed
    assert doctor("main")[0] == 0
