"""The whole weekly run on BigQuery's emulator, against the same run on DuckDB, with another warehouse named only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
WEEK = "2026-W44"
ROW_BYTES = 100  # as the emulator counts
SMALL_TABLES = ("minute_counts", "hour_latency")
FETCHED = ("minute_counts_rows", "hour_latency_rows", "metric_hours", "deployments", "incidents", "alerts")


@pytest.fixture(scope="module")
def begin(emulator, demo_outputs):
    """A command of Shokubai's with the shipped parameters, started, with the emulator in the place of BigQuery."""
    emulator.load_demo(demo_outputs / "demo")

    def start(*words):
        return subprocess.Popen(
            [sys.executable, "-c", "from shokubai.cli import main; main()", *map(str, words)],
            cwd=PROJECT,
            env={**os.environ, **emulator.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture(scope="module")
def run(begin, tmp_path_factory):
    """``shokubai run weekly --warehouse bigquery``, to its end."""
    outputs = tmp_path_factory.mktemp("weekly")

    def make(*options):
        return said_by(begin("run", "weekly", *options, "--warehouse", "bigquery", "--outputs", outputs))

    make.folder = outputs / "weekly" / WEEK
    return make


def said_by(process):
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def jobs(emulator):
    """The jobs that were run, by the statement's label and by the labels of who ran them."""
    return [job.labels for job in emulator.client.list_jobs(max_results=100_000) if "shokubai_run" in job.labels]


def facts_of(folder):
    found = {}
    for file in sorted(folder.rglob("*.facts.json")):
        facts = json.loads(file.read_text(encoding="utf-8"))
        for engines_own in ("bytes_read", "query_count", "warehouse", "cost"):
            facts.get("provenance", {}).pop(engines_own, None)
        for finding in facts.get("findings", ()):
            if isinstance(finding, dict):
                finding.pop("trace_ids", None)  # of single requests, which are not read from BigQuery
        found[str(file.relative_to(folder))] = facts
    return found


def manifest(run):
    return json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))


def test_a_dry_run_says_what_a_run_would_read(run, emulator):
    said = run("--dry-run")
    assert f"bigquery: {days(emulator)} day(s) of the log to scan" in said
    assert "bigquery: to fetch once for all reports:" in said
    assert "; allowed: 50.0 GiB per statement, 500.0 GiB per run" in said
    assert f"25 report(s) of {WEEK}: 25 to make, 0 up to date. Nothing was run." in said
    assert jobs_of_ours(emulator) == Counter(requests_partitions=1)
    assert list(emulator.client.list_tables("aoba-logs.shokubai")) == []


def test_twelve_teams_have_the_facts_of_duckdb_for_the_bytes_of_one(run, emulator, weekly_outputs):
    """From nothing, for one team and then for all; the log is scanned and the small tables are fetched just once."""
    rows = next(iter(emulator.client.query("SELECT COUNT(*) FROM `aoba-logs.demo.requests`").result()))[0]
    costs, before = [], jobs_of_ours(emulator)
    for options in (("--team", "search"), ("--force",)):
        for name in SMALL_TABLES:
            emulator.client.delete_table(f"aoba-logs.shokubai.{name}", not_found_ok=True)
        run(*options)
        costs.append(manifest(run)["costs"]["bigquery"])
        after = jobs_of_ours(emulator)
        ran, before = after - before, after
        assert {name: ran[name] for name in SMALL_TABLES} == dict.fromkeys(SMALL_TABLES, days(emulator))
        assert {name: ran[name] for name in FETCHED} == dict.fromkeys(FETCHED, 1)
    assert costs[0] == costs[1]
    assert costs[0]["log_bytes"] == len(SMALL_TABLES) * ROW_BYTES * rows
    assert costs[0]["bytes_billed"] >= costs[0]["bytes_processed"] > costs[0]["log_bytes"]
    assert costs[0]["price"] == pytest.approx(costs[0]["bytes_billed"] / 2**40 * 6.25)

    made = facts_of(run.folder)
    wanted = facts_of(weekly_outputs / "weekly" / WEEK)
    assert sorted(made) == sorted(wanted)
    assert len([name for name in made if name.endswith("weekly_team_report.facts.json")]) == 12
    for name, facts in wanted.items():
        assert made[name] == facts, name


def test_a_second_run_reads_nothing_of_the_log_and_makes_nothing(run):
    said = run()
    assert "25 up to date" in said
    assert manifest(run)["costs"]["bigquery"]["log_bytes"] == 0
    assert {report["cost"] and report["cost"]["bytes_billed"] for report in manifest(run)["reports"]} <= {0, None}


def days(emulator):
    return len(
        list(emulator.client.query("SELECT DATE(timestamp) d FROM `aoba-logs.demo.requests` GROUP BY d").result())
    )


def jobs_of_ours(emulator):
    return Counter(
        labels["shokubai_statement"] for labels in jobs(emulator) if labels["shokubai_run"] == "weekly_2026-w44"
    )


def test_shards_that_start_at_once_scan_the_log_once_and_make_the_same_site(begin, run, emulator, tmp_path):
    teams = [option for name in ("billing", "intake", "search") for option in ("--team", name)]
    for name in SMALL_TABLES:
        emulator.client.delete_table(f"aoba-logs.shokubai.{name}")
    before = jobs_of_ours(emulator)
    common = ("weekly", "--week", WEEK, "--warehouse", "bigquery")
    shards = [
        begin("run", *common, *teams, "--shard", f"{k}/3", "--outputs", tmp_path / str(k), "--jobs", "1")
        for k in (1, 2, 3)
    ]
    for shard in shards:
        said_by(shard)
    ran = jobs_of_ours(emulator) - before
    assert {name: ran[name] for name in SMALL_TABLES} == dict.fromkeys(SMALL_TABLES, days(emulator))
    assert {name: ran[name] for name in FETCHED} == dict.fromkeys(FETCHED, 3)
    froms = [word for k in (1, 2, 3) for word in ("--from", tmp_path / str(k))]
    said_by(begin("join", *common, *froms, "--outputs", tmp_path / "joined"))
    joined = facts_of(tmp_path / "joined" / "weekly" / WEEK)
    assert sorted(joined) == [
        f"{team}/{notebook}.facts.json"
        for team in ("billing", "intake", "search")
        for notebook in ("meeting_pack", "weekly_team_report")
    ]
    of_one_run = facts_of(run.folder)
    for name, facts in joined.items():
        assert facts == of_one_run[name], name
