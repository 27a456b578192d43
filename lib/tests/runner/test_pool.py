"""Processes of reports, forked and fresh: whatever becomes of them, each task has one end."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from shokubai.core.errors import ShokubaiError
from shokubai.runner import pool, task
from shokubai.runner.pool import run_tasks
from shokubai.runner.task import Limits, Result, Task

pytestmark = pytest.mark.notebooks


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """No process stays warm from one test to the next."""
    pool._forget()
    yield
    pool._forget()


@pytest.fixture
def tasks(project: Any, facts_cell: Callable[..., str]) -> Callable[..., list[Task]]:
    """A function that makes so many tasks whose notebooks have these cells, ``NUMBER`` being the task's."""

    def make(count: int, *cells: str, **given: Any) -> list[Task]:
        made = []
        for number in range(count):
            staging, scratch = project.root / f"staging{number}", project.temporary / f"s{number}"
            staging.mkdir()
            scratch.mkdir()
            path = project.notebook(f"n{number}", *(c.replace("NUMBER", str(number)) for c in cells), facts_cell())
            home = project.week / "alpha"
            values = {"team": "alpha", "week": "2026-W44", "outputs_dir": str(project.root)}
            made.append(Task(path, values, staging, scratch, home, "A", "en", **given))
        return made

    return make


def zygote() -> psutil.Process:
    (starter,) = pool._in_use
    assert isinstance(starter, pool._Zygote)
    return psutil.Process(starter._process.pid)


def wait_for(file: Path) -> None:
    until = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < until, f"{file.name} never came"
        time.sleep(0.02)


WAITS = """\
import os, time
open(outputs_dir + '/runsNUMBER', 'w').close()
while not os.path.exists(outputs_dir + '/go'): time.sleep(0.02)
"""
DAEMON = """\
if not os.fork():
    os.setsid()
    if pid := os.fork():
        open(outputs_dir + '/daemon.partial', 'w').write(str(pid))
        os.rename(outputs_dir + '/daemon.partial', outputs_dir + '/daemon')
        os._exit(0)
    time.sleep(600)
"""


def _lives(pid: int) -> bool:
    """Whether it runs; without an init that takes note of it, a process that ended stays as a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_when_the_warm_process_is_killed_all_is_accounted_for_and_the_rest_is_made(project: Any, tasks: Any) -> None:
    made = tasks(
        4, "import os, time\nif NUMBER == 0:\n" + "".join(f"    {line}\n" for line in DAEMON.splitlines()), WAITS
    )
    ends = []
    first = True

    def kill(_: Task) -> None:
        nonlocal first
        if first and len(started) == 1:
            first = False
            for name in ("daemon", "runs0"):
                wait_for(project.root / name)
            zygote().kill()
            (project.root / "go").touch()
        started.append(_)

    started: list[Task] = []
    for end in run_tasks(made, jobs=2, on_start=kill):
        ends.append(end)
    assert sorted(end.task.notebook.stem for end in ends) == ["n0", "n1", "n2", "n3"]
    by_name = {end.task.notebook.stem: end.exit_status for end in ends}
    assert by_name == {"n0": -9, "n1": -9, "n2": 0, "n3": 0}
    assert [Result.read(made[n].staging) for n in (2, 3)] == [Result("made"), Result("made")]
    assert not _lives(int((project.root / "daemon").read_text()))  # nobody's child any more


def test_a_report_that_ended_just_before_the_warm_process_died_ends_once(
    project: Any, tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are told by the same look at the channel."""
    made = tasks(2, "import time\nif NUMBER: time.sleep(600)")
    look = pool._Zygote.wait

    def late(self: pool._Zygote, seconds: float | None) -> Any:
        wait_for(made[0].staging / task.RESULT)
        time.sleep(0.5)  # for the process to end and for that to be told
        self._process.kill()
        self._process.wait()
        return look(self, seconds)

    monkeypatch.setattr(pool._Zygote, "wait", late)
    ends = [(end.task.notebook.stem, end.exit_status) for end in run_tasks(made, jobs=2)]
    assert ends == [("n0", 0), ("n1", -9)]


def test_a_warm_process_killed_while_it_starts_is_the_end_of_what_it_was_to_start(tasks: Any) -> None:
    made = tasks(2, "1")

    def kill(started: Task) -> None:
        if started is made[0]:
            zygote().kill()

    assert [(e.task, e.exit_status) for e in run_tasks(made, jobs=1, on_start=kill)] == [(made[0], -9), (made[1], 0)]


def test_a_warm_process_that_cannot_start_is_one_error(tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ShokubaiError, match=r"ended while it started \(exit status 1\)"):
        list(run_tasks(tasks(1, "1"), jobs=1))


def test_who_stops_listening_ends_everything(project: Any, tasks: Any) -> None:
    running = run_tasks(tasks(2, "if not NUMBER: raise ValueError", WAITS), jobs=2)
    next(running)
    wait_for(project.root / "runs1")
    started = [zygote(), *zygote().children(recursive=True)]
    running.close()
    for process in started:
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_process_over_its_limit_is_killed(tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a report's process itself does not see to it: here it is stopped."""
    monkeypatch.setattr(pool, "GRACE_SECONDS", 0.5)
    cell = "import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(600)"
    ((end),) = run_tasks(tasks(1, cell, limits=Limits(1.0)), jobs=1)
    assert end.is_overdue and end.exit_status == -signal.SIGKILL


def test_fresh_processes_make_the_same_report(tasks: Any) -> None:
    (made,) = tasks(1, "print('a')\n1 + 1")
    list(run_tasks([made], jobs=1))
    forked = {suffix: (made.staging / f"report{suffix}").read_bytes() for suffix in (".html", ".facts.json")}
    (end,) = run_tasks([replace(made, engine="kernel")], jobs=1)
    assert (end.exit_status, Result.read(made.staging)) == (0, Result("made"))
    assert isinstance(pool._in_use[0], pool._FreshProcesses)
    assert {suffix: (made.staging / f"report{suffix}").read_bytes() for suffix in forked} == forked


def test_the_warm_process_refuses_to_fork_beside_threads() -> None:
    program = (
        "import os, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "from multiprocessing import Pipe\n"
        "from shokubai.runner import zygote\n"
        "zygote.main(Pipe()[0].fileno(), os.getppid())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "RuntimeError: forking is not safe beside the thread(s)" in done.stderr


def test_what_a_report_imports_was_imported_before(tasks: Any) -> None:
    """A warm process pays for reports' imports; those that are left are few, and none of ours."""
    cells = (
        "import sys\nbefore = set(sys.modules)",
        "from shokubai import page, workspace\nimport pandas as pd\npd.DataFrame({'a': [1]})",
        "import json\njson.dump(sorted(set(sys.modules) - before), open(outputs_dir + '/gained.json', 'w'))",
        "import pandas\nassert pandas.get_option('display.max_columns') == 20",
    )
    (made,) = tasks(1, *cells)
    list(run_tasks([made], jobs=1))
    assert Result.read(made.staging) == Result("made")
    gained = Path(made.values["outputs_dir"], "gained.json").read_text()
    assert gained == "[]", gained


STRESS = """
import os, sys, time
from shokubai.runner.warm import warm_up
warm_up()
from shokubai.runner.notebook_process import NotebookProcess
CELL = '''
import duckdb, pandas as pd, pyarrow as pa, pyarrow.compute as pc
connection = duckdb.connect(config={"threads": 4})
total = connection.execute("SELECT sum(i) FROM range(2000000) t(i)").fetchone()[0]
frame = pd.DataFrame({"a": range(20000), "b": ["x", "y"] * 10000}).groupby("b").sum()
table = pa.table({"a": pa.array(range(200000))}).sort_by([("a", "descending")])
assert total == 1999999000000 and len(frame) == 2 and table["a"][0].as_py() == 199999
'''
for _ in range(20):
    pair = [NotebookProcess(), NotebookProcess()]
    for process in pair:
        result = process.run(CELL, seconds=60)
        assert result.is_ok, result.outputs
    for process in reversed(pair):
        process.end()
        assert process._exit_status == 0, process._exit_status
"""


def test_forty_forks_with_threads_of_every_library_end_by_themselves() -> None:
    done = subprocess.run([sys.executable, "-c", STRESS], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_task_goes_through_a_pipe(tasks: Any) -> None:
    (made,) = tasks(1, "1")
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_zombie_is_nobodys_child_for_long(project: Any, tasks: Any) -> None:
    """Nothing that a run started stays in the list of processes."""
    list(run_tasks(tasks(3, "import subprocess\nsubprocess.Popen(['sleep', '600'])"), jobs=2))
    assert zygote().children(recursive=True) == []
    assert zygote().num_fds() < 12


def test_a_variable_for_more_threads_does_not_reach_the_warm_process(
    tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool._forget()
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    (end,) = run_tasks(tasks(1, "import os\nassert os.environ['OPENBLAS_NUM_THREADS'] == '1'"), jobs=1)
    pool._forget()
    assert end.exit_status == 0
    assert Result.read(end.task.staging) == Result("made")
