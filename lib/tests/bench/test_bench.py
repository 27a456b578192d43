"""The bench's arithmetic and its organisations; the measuring itself is not for tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from shokubai import config

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scripts import each other by name, as they do where they are run."""
    monkeypatch.syspath_prepend(str(HERE))


def run_alone(call: str) -> str:
    """What a call of ``measured.run`` gives in a process without other children, which it would wait for, too."""
    program = f"import sys; from measured import run\nprint({call})"
    done = subprocess.run([sys.executable, "-c", program], cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_time_of_grandchildren_whose_parent_is_gone_is_counted():
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {busy!r}])"
    assert float(run_alone(f"run([sys.executable, '-c', {leave!r}]).cpu_seconds")) >= 0.3


def test_memory_that_forked_processes_share_counts_once_in_pss():
    size = 100_000_000
    share = (
        f"import os, time; held = bytearray(b'x' * {size})\n"
        "[os.fork() or (time.sleep(3), os._exit(0)) for _ in range(3)]\n"
        "[os.wait() for _ in range(3)]"
    )
    fullest = "max(found.memory, key=lambda sample: sample.rss)"
    found = run_alone(f"[{fullest} for found in [run([sys.executable, '-c', {share!r}], with_memory=True)]]")
    rss, pss, processes = map(int, re.findall(r"=(\d+)", found))
    assert processes == 4
    assert rss > 4 * size
    assert size < pss < 2 * size


def test_command_that_fails_says_what_it_said():
    said = run_alone("run([sys.executable, '-c', 'raise SystemExit(\"nothing to see\")'])")
    assert "CommandFailedError" in said
    assert "nothing to see\n" in said


def test_what_more_reports_would_take_is_reckoned_without_the_start():
    import reports
    from measured import Spent

    # 2 s to begin, and 12 reports in 24 s: a hundred take 200 s more than the start.
    made = reports.reckoned(Spent(26.0, 22.0), Spent(2.0, 1.0), made=12, wanted=100, processes=2)
    assert made.seconds == pytest.approx(202.0)
    assert made.cpu_seconds == pytest.approx(2.0 + 20.0 * 100 / 12)


def test_copies_give_as_many_teams_as_wanted():
    import organization

    copies = organization.divide(14)
    assert [len(copy.teams) for copy in copies] == [12, 2]
    assert copies[1].teams == ("approval", "archive")
    assert copies[1].services == ("archive", "invoice-api")
    assert copies[1].name("search") == "search-002"


def test_copied_parameters_are_valid_and_leave_out_what_belongs_to_teams_that_are_left_out(tmp_path):
    import organization

    organization._write_parameters(tmp_path, organization.divide(14))
    parameters = config.load(tmp_path)
    assert len(parameters.teams) == 14
    assert parameters.teams["approval-002"].services == ("invoice-api-002",)
    originals = [d for f in organization.PARAMETERS.glob("slos/*.yaml") for d in yaml.safe_load_all(f.read_text())]
    assert len([name for name in parameters.slos if name.endswith("-001")]) == len(originals)
    # invoice-api is approval's and issuing's; there is no issuing-002.
    mine = {slo.name for slo in parameters.slos_of(parameters.teams["approval-002"])}
    assert mine == {
        f"{d['metadata']['name']}-002"
        for d in originals
        if d["spec"]["service"] == "invoice-api" and d["metadata"].get("labels", {}).get("team") == "approval"
    }


def test_copied_rows_have_the_copys_names():
    import organization

    copy = organization.Copy(2, ("approval",), ("invoice-api",))
    deployments = pa.table({"service_name": ["auth", "invoice-api"], "deployment_id": ["d1", "d2"]})
    assert organization.copy_rows(deployments, copy).to_pylist() == [
        {"service_name": "invoice-api-002", "deployment_id": "d2-002"}
    ]
    asked = pa.table({"request_id": ["SRE-1", "SRE-2"], "team": ["approval", "search"]})
    assert organization.copy_rows(asked, copy).to_pylist() == [{"request_id": "SRE-1-002", "team": "approval-002"}]


def test_cell_ends_in_an_expression_or_does_not():
    import floor

    body, last = floor.compile_cell("a = 2\na + 1")
    names: dict[str, object] = {}
    exec(body, names)
    assert last is not None
    assert eval(last, names) == 3
    assert floor.compile_cell("a = 2")[1] is None
    assert floor.compile_cell("")[1] is None
