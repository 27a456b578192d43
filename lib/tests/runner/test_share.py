"""Reports that are made at once do not each take the whole machine."""

import pytest

from shokubai.runner.share import limits, share_of_machine, within_share
from shokubai.runner.task import Limits

GIB = 1_073_741_824


@pytest.mark.parametrize(
    ("reports", "processors", "memory", "threads", "each"),
    [
        (1, 8, 16_000_000_000, "8", "9600MB"),
        (8, 8, 16_000_000_000, "1", "1200MB"),
        (3, 8, 16_000_000_000, "2", "3200MB"),
        (8, 2, 16_000_000_000, "1", "1200MB"),
        (64, 2, GIB, "1", "256MB"),
    ],
)
def test_shares(reports, processors, memory, threads, each):
    shares = limits(reports, processors=processors, memory_bytes=memory)
    assert shares == {"SHOKUBAI_THREADS": threads, "SHOKUBAI_MEMORY": each}


SETTINGS = """\
from pathlib import Path
from shokubai import config, tables
outputs = Path(outputs_dir)
opened = tables.open_tables(config.load(outputs.parent / "parameters"), "main", outputs=outputs)
found = opened.warehouse.sql("SELECT current_setting('threads') AS t, current_setting('memory_limit') AS m")
t, m = int(found.t[0]), found.m[0]
"""


@pytest.mark.notebooks
def test_the_engine_of_each_report_is_limited(project, facts_cell, monkeypatch):
    shares = {"SHOKUBAI_THREADS": "3", "SHOKUBAI_MEMORY": "512MiB"}
    monkeypatch.setattr("shokubai.runner.reports.share_of_machine", lambda reports, limits: shares)
    cell = facts_cell().replace("'made'", "'made', 'threads': t, 'memory': m")
    project.notebook("report", SETTINGS, cell)
    assert [record.error for record in project.run(teams=["alpha"]).failures] == []
    assert (project.facts("alpha")["threads"], project.facts("alpha")["memory"]) == (3, "512.0 MiB")


def test_the_engine_stays_below_the_limit_of_its_notebook():
    # Three quarters of 2 GB, on any machine that has as much.
    assert share_of_machine(1, Limits(memory_bytes=2_000_000_000))["SHOKUBAI_MEMORY"] == "1500MB"
    assert share_of_machine(4, Limits(memory_bytes=400_000_000))["SHOKUBAI_MEMORY"] == "300MB"


def test_a_wish_for_the_engine_leaves_the_notebook_room(monkeypatch):
    monkeypatch.delenv("SHOKUBAI_MEMORY", raising=False)
    shared = within_share(Limits(), 4).memory_bytes
    monkeypatch.setenv("SHOKUBAI_MEMORY", "2GB")
    assert within_share(Limits(), 4).memory_bytes >= shared
    assert within_share(Limits(memory_bytes=5), 4).memory_bytes == 5
