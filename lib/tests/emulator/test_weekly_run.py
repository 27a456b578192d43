"""The whole weekly run on BigQuery's emulator, against the same run on DuckDB."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
COMPANIONS = ("metrics", "deployments", "incidents", "alerts", "sre_requests")
WAREHOUSE = """\
engine: bigquery
project: aoba-logs
location: US
dataset: shokubai
tables:
  requests: {table: demo.requests}
""" + "".join(f"  {name}: {{table: demo.{name}}}\n" for name in COMPANIONS)


@pytest.fixture(scope="module")
def run(emulator, demo_outputs, tmp_path_factory):
    """``shokubai run weekly`` with nothing changed but the warehouse file."""
    folder = tmp_path_factory.mktemp("weekly")
    shutil.copytree(PROJECT / "parameters", folder / "parameters")
    (folder / "parameters" / "warehouses" / "demo.yaml").write_text(WAREHOUSE, encoding="utf-8")
    demo = demo_outputs / "demo"
    emulator.load(
        emulator.client,
        "aoba-logs.demo.requests",
        sorted(demo.glob("requests/*/*.parquet")),
        partitioned_by="timestamp",
    )
    for name in COMPANIONS:
        emulator.load(emulator.client, f"aoba-logs.demo.{name}", [demo / f"{name}.parquet"])

    def make(*options):
        command = [sys.executable, "-c", "from shokubai.cli import main; main()", "run", "weekly", *options]
        command += ["--parameters", str(folder / "parameters"), "--outputs", str(folder / "outputs")]
        ended = subprocess.run(
            command,
            cwd=PROJECT,
            env={**os.environ, "BIGQUERY_EMULATOR_HOST": emulator.address},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return folder / "outputs" / "weekly" / "2026-W44"

    return make


def scans(emulator):
    """How often each small table's statement was run on the log."""
    jobs = emulator.client.list_jobs(max_results=100_000)
    names = [job.labels.get("shokubai_statement", "") for job in jobs if not getattr(job, "dry_run", False)]
    return Counter(name for name in names if name in ("minute_counts", "hour_latency"))


def facts_of(folder):
    found = {}
    for file in sorted(folder.rglob("*.facts.json")):
        facts = json.loads(file.read_text(encoding="utf-8"))
        for engines_own in ("bytes_read", "query_count"):
            facts.get("provenance", {}).pop(engines_own, None)
        found[str(file.relative_to(folder))] = facts
    return found


def test_the_same_facts_as_with_duckdb_for_the_bytes_of_one_team(run, emulator, weekly_outputs):
    before = scans(emulator)
    run("--team", "search")
    once = scans(emulator)
    days = len(list_days(emulator))
    assert once - before == Counter(minute_counts=days, hour_latency=days)
    made = facts_of(run())
    assert scans(emulator) == once  # the other eleven teams read the log not once more
    wanted = facts_of(weekly_outputs / "weekly" / "2026-W44")
    assert sorted(made) == sorted(wanted)
    assert len([name for name in made if name.endswith("weekly_team_report.facts.json")]) == 12
    for name, facts in wanted.items():
        assert made[name] == facts, name


def list_days(emulator):
    return list(emulator.client.query("SELECT DISTINCT DATE(timestamp) FROM `aoba-logs.demo.requests`").result())
