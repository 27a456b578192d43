from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from shokubai.cli import main

PARAMETERS = Path(__file__).parents[3] / "parameters"


@pytest.fixture
def shokubai(tmp_path):
    def run(*arguments):
        options = ["--rows", "50000", "--parameters", str(PARAMETERS), "--outputs", str(tmp_path)]
        return CliRunner().invoke(main, ["demo", *options, *arguments])

    return run


def test_builds_the_demo_and_says_what_is_planted(shokubai, tmp_path):
    result = shokubai()
    assert result.exit_code == 0, result.output
    assert "requests of 2026-W32 to 2026-W44" in result.output
    for kind in ("outage", "latency regression", "memory leak", "month end peak", "late data", "telemetry gap"):
        assert kind in result.output
    truth = json.loads((tmp_path / "demo" / "truth.json").read_text(encoding="utf-8"))
    assert str(tmp_path / "demo" / "truth.json") in result.output
    assert set(truth["weeks"]) == {"2026-W43", "2026-W44"}

    # A second run with --if-missing touches nothing; another size is built anew.
    def modified():
        return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    before = modified()
    again = shokubai("--if-missing")
    assert again.exit_code == 0, again.output
    assert modified() == before
    larger = shokubai("--if-missing", "--rows", "70000")
    assert larger.exit_code == 0, larger.output
    assert json.loads((tmp_path / "demo" / "demo.json").read_text(encoding="utf-8"))["rows"] == 70000


def test_too_few_rows_are_one_message_and_exit_2(shokubai, tmp_path):
    result = shokubai("--rows", "10")
    assert result.exit_code == 2
    assert "--rows 10: the demo needs at least 50000 rows" in result.output
    assert not (tmp_path / "demo").exists()


def test_bad_parameters_stop_before_anything_is_built(shokubai, tmp_path):
    (tmp_path / "empty").mkdir()
    result = shokubai("--parameters", str(tmp_path / "empty"))
    assert result.exit_code == 2
    assert not (tmp_path / "demo").exists()
