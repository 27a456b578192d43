"""``shokubai handover`` of what a table of the log in BigQuery shows, as far as the scripted service goes."""

import json
import re

import pytest
from click.testing import CliRunner

from shokubai.cli import main

FILES = {
    "parameters/organization.yaml": "name: Aoba\ntime_zone: Asia/Tokyo\nlanguage: en\ncalendar: {country: JP}\n",
    "parameters/teams/shop.yaml": "name: Shop\nowns: [{service: shop}]\n",
    "parameters/warehouses/lake.yaml": (
        "engine: bigquery\nproject: aoba-logs\nlocation: asia-northeast1\ndataset: shokubai\nbyte_cap: 1 GiB\n"
        "tables:\n  requests: {table: logs.requests}\n"
        "  metrics: {table: logs.metrics, columns: {metric_name: name}}\n"
    ),
    "parameters/runs/weekly.yaml": "team_notebooks: [weekly_team_report]\nwarehouse: lake\nteams: all\n",
}
QUEUE = {
    "id": "shop|queue.oldest_message.age|queue_age",
    "rule": "queue_age",
    "case": "above_limit",
    "service": "shop",
    "method": "",
    "route": "",
    "subject": "queue.oldest_message.age",
    "subject_name": "",
    "severity": "warning",
    "state": "new",
    "weeks": 1,
    "started_at": "2026-10-28T00:00:00Z",
    "ended_at": "2026-10-28T02:00:00Z",
    "numbers": {"peak_seconds": 90, "limit_seconds": 60, "above_seconds": 7200},
    "candidate": None,
}
FACTS = {
    "schema": "shokubai/weekly_team_report/v1",
    "window": {"start": "2026-10-25T15:00:00Z", "end": "2026-11-01T15:00:00Z"},
    "provenance": {"warehouse": "lake"},
    "slos": [],
    "routes": [],
    "findings": [QUEUE],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    facts = {"outputs/weekly/2026-W44/shop/weekly_team_report.facts.json": json.dumps(FACTS)}
    for name, text in {**FILES, **facts}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_query_has_the_mapped_table_in_the_place_of_metrics(service, folder, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", service.address)
    texts = dict.fromkeys(("service_name", "name", "unit"), "STRING")
    service.add_table(
        "aoba-logs.logs.metrics", {"timestamp": "TIMESTAMP", **texts, "value": "FLOAT", "limit_value": "FLOAT"}
    )
    result = CliRunner().invoke(main, ["handover", "queue"])
    assert result.exit_code == 0, result.output
    [query] = re.findall(r"```sql\n(.*?)```", result.stdout, re.DOTALL)
    assert "  metrics AS (\n    SELECT\n      `timestamp` AS `timestamp`," in query
    assert "      `name` AS `metric_name`,\n" in query
    assert "    FROM `aoba-logs.logs.metrics`\n" in query
    assert "WHERE metric_name = 'queue.oldest_message.age'\n" in query
    assert not re.search(r"@\w", query)
    assert service.inserted() == []  # nothing was run


def test_a_table_that_is_gone_costs_only_the_query(service, folder, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", service.address)
    result = CliRunner().invoke(main, ["handover", "queue"])
    assert result.exit_code == 0, result.output
    assert "```" not in result.stdout
    assert "aoba-logs.logs.metrics" in result.stderr.splitlines()[1]
