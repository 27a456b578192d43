"""The shipped notebooks on the demo, made in shards and joined: the site that one run makes."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.notebooks

PROJECT = Path(__file__).resolve().parents[3]
TEAMS = ("billing", "search")


@pytest.fixture
def project(tmp_path, demo_outputs):
    """The shipped parameters and notebooks, narrowed to two teams, and an outputs folder for every machine."""
    shutil.copytree(PROJECT / "parameters", tmp_path / "parameters")
    run = tmp_path / "parameters" / "runs" / "weekly.yaml"
    run.write_text(re.sub(r"(?m)^teams: all.*$", f"teams: [{', '.join(TEAMS)}]", run.read_text()))
    (tmp_path / "notebooks").symlink_to(PROJECT / "notebooks")
    for outputs in ("one", "shard1", "shard2", "joined"):
        (tmp_path / outputs).mkdir()
        (tmp_path / outputs / "demo").symlink_to(demo_outputs / "demo")
        shutil.copytree(demo_outputs / "tables", tmp_path / outputs / "tables")
    return tmp_path


def shokubai(project, *arguments):
    program = "from shokubai.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def week_of(outputs):
    week = outputs / "weekly" / "2026-W44"
    files = {f.relative_to(week).as_posix(): f for f in week.rglob("*") if f.is_file()}
    facts = {name: json.loads(f.read_text()) for name, f in files.items() if name.endswith(".facts.json")}
    manifest = json.loads(files["manifest.json"].read_text())
    manifest["reports"] = [{**report, "seconds": None} for report in manifest["reports"]]
    indexes = [files["index.html"].read_text(), (outputs / "index.html").read_text()]
    return set(files), facts, manifest, indexes


def test_joined_shards_are_the_site_of_one_run(project):
    shokubai(project, "run", "weekly", "--outputs", "one")
    shokubai(project, "run", "weekly", "--shard", "1/2", "--outputs", "shard1")
    shokubai(project, "run", "weekly", "--shard", "2/2", "--outputs", "shard2")
    shokubai(project, "join", "weekly", "--from", "shard1", "--from", "shard2", "--outputs", "joined")
    one, joined = week_of(project / "one"), week_of(project / "joined")
    assert joined == one
    files, facts, _, _ = joined
    assert {f"{team}/weekly_team_report.html" for team in TEAMS} < files
    assert [team["team"] for team in facts["organization/sre_overview.facts.json"]["teams"]] == list(TEAMS)
    assert all(facts[f"{team}/weekly_team_report.facts.json"]["slos"] for team in TEAMS)
