"""Whatever ends a run, each report is the old one or the new one, and the next run makes the rest."""

import json
import os
import random
import re
import signal
import socket
import time
from datetime import UTC, datetime

import pytest

pytestmark = pytest.mark.notebooks

KILLS = 20


def generation_of(folder):
    """The generation that a team's report shows; fails when its files do not agree or one is not whole."""
    if not folder.exists():
        return None
    page = (folder / "report.html").read_text()
    notebook = json.loads((folder / "report.ipynb").read_text())
    facts = json.loads((folder / "report.facts.json").read_text())
    number = facts["generation"]
    assert page.rstrip().endswith("</html>")
    assert f"generation {number} of {folder.name}" in page
    assert any(f"print('generation {number} of'" in "".join(cell["source"]) for cell in notebook["cells"])
    return number


def test_a_run_killed_at_any_moment_leaves_whole_reports(project, facts_cell):
    teams = ("alpha", "beta")

    def write_generation(number):
        project.notebook("report", f"print('generation {number} of', team)", facts_cell(generation=number))

    def generations():
        return {team: generation_of(project.week / team) for team in teams}

    write_generation(0)
    started = time.monotonic()
    assert project.start().wait() == 0
    whole_run_seconds = time.monotonic() - started

    moments = random.Random(44)
    for number in range(1, KILLS + 1):
        before = generations()
        write_generation(number)
        run = project.start()
        # The first third of a run only starts up; kill there more rarely.
        time.sleep(moments.triangular(0, whole_run_seconds * 1.1, whole_run_seconds * 0.8))
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        for team, found in generations().items():
            assert found in (before[team], number), f"after kill {number}"
        assert project.survivors() == []

    assert project.start().wait() == 0
    assert generations() == dict.fromkeys(teams, KILLS)
    assert [r["status"] for r in project.manifest()["reports"]] == ["made", "made"]
    assert list(project.temporary.glob("shokubai-*")) == []
    assert sorted(p.name for p in project.week.iterdir()) == [
        ".lock",
        "alpha",
        "beta",
        "index.html",
        "journal.jsonl",
        "manifest.json",
    ]


def wait_for(file):
    until = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < until, f"{file.name} never came"
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_everything_and_the_next_run_makes_the_rest(project, facts_cell, number, status):
    hang = "import time\nif team == 'beta':\n    open(outputs_dir + '/hangs', 'w').close()\n    time.sleep(600)"
    project.notebook("report", hang, facts_cell())
    run = project.start("--jobs", "1")
    wait_for(project.root / "outputs" / "hangs")
    os.killpg(run.pid, number)
    run.communicate(timeout=30)
    assert run.returncode == status
    assert project.survivors() == []
    assert sorted(p.name for p in project.week.iterdir()) == [".lock", "alpha", "journal.jsonl"]

    project.notebook("report", facts_cell())
    rest = project.start()
    assert rest.communicate()[0].splitlines()[0] == "2 made · 0 no data · 0 failed · 0 up to date"


def test_a_second_run_at_once_is_refused_and_nothing_is_lost(project, facts_cell):
    wait = "import time\nopen(outputs_dir + '/runs', 'w').close()\nwhile not __import__('os').path.exists("
    project.notebook("report", wait + "outputs_dir + '/go'):\n    time.sleep(0.05)", facts_cell())
    began = time.time()
    first = project.start()
    wait_for(project.root / "outputs" / "runs")
    before = time.time()
    second = project.start()
    _, told = second.communicate()
    assert second.returncode == 3
    holder = re.fullmatch(
        rf"{re.escape(str(project.week))}: another run is making these reports \(process {first.pid} on "
        rf"{re.escape(socket.gethostname())} since (.* UTC): -c run weekly --week 2026-W44\); "
        "wait for it to end, or stop that process, then run again\n",
        told,
    )
    assert holder, told
    since = datetime.strptime(holder[1], "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC)
    assert began - 1 <= since.timestamp() <= before
    (project.root / "outputs" / "go").touch()
    assert first.communicate()[0].splitlines()[0] == "2 made · 0 no data · 0 failed · 0 up to date"
