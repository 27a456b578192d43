"""Cells that do their worst to the process they run in, each within limits and with a clear word on it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from shokubai.runner import notebook_process
from shokubai.runner.notebook_process import UNANSWERED, CellTimedOutError, NotebookProcess, ProcessDiedError
from shokubai.runner.orphans import adopt_orphans
from shokubai.runner.shell import LARGEST_OUTPUT, LONGEST_STREAM, CellResult

Start = Callable[..., NotebookProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a process, which is ended afterwards."""
    started: list[NotebookProcess] = []

    def begin(**given: Any) -> NotebookProcess:
        started.append(NotebookProcess(**given))
        return started[-1]

    yield begin
    for process in started:
        process.end()
        assert not psutil.pid_exists(process.pid)


def streams(result: CellResult) -> dict[str, str]:
    found: dict[str, str] = {}
    for output in result.outputs:
        if output["output_type"] == "stream":
            found[output["name"]] = found.get(output["name"], "") + output["text"]
    return found


def errors(result: CellResult) -> list[tuple[str, str]]:
    return [(o["ename"], o["evalue"]) for o in result.outputs if o["output_type"] == "error"]


def test_streams_keep_the_order_in_which_a_cell_wrote_them(start: Start) -> None:
    result = start().run("import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')")
    assert [(o["name"], o["text"]) for o in result.outputs] == [
        ("stdout", "a\n"),
        ("stderr", "b\n"),
        ("stdout", "c\n"),
    ]


@pytest.mark.parametrize("cell", ["while True: pass", "import time\ntime.sleep(600)"])
def test_a_cell_over_its_time_is_interrupted_and_keeps_its_outputs(start: Start, cell: str) -> None:
    process = start()
    with pytest.raises(CellTimedOutError) as raised:
        process.run(f"print('begun')\n{cell}", seconds=0.5)
    assert raised.value.result is not None
    assert streams(raised.value.result) == {"stdout": "begun\n"}
    assert process.run("1 + 1").is_ok  # and the process is as good as before


NATIVE = "import itertools\nsum(itertools.repeat(0, 10**13))"  # looks at no signal
STUBBORN = "import time\nwhile True:\n    try: time.sleep(600)\n    except KeyboardInterrupt: pass"


@pytest.mark.parametrize("cell", [STUBBORN, NATIVE], ids=["stubborn", "native"])
def test_a_cell_that_does_not_heed_an_interruption_is_killed(
    start: Start, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_process, "GRACE_SECONDS", 0.3)
    process = start()
    with pytest.raises(CellTimedOutError) as raised:
        process.run(cell, seconds=0.3)
    assert raised.value.result is None


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("import os\nos._exit(3)", "exit status 3"),
        ("import os\nos.write(2, b'last words\\n')\nos._exit(3)", "exit status 3: last words"),
        ("import os\nos.abort()", "SIGABRT"),
        ("import os\nos.kill(os.getpid(), 9)", "SIGKILL (often: out of memory)"),
        ("import ctypes\nctypes.string_at(1)", "SIGSEGV"),
    ],
)
def test_a_death_is_told(start: Start, cell: str, words: str) -> None:
    with pytest.raises(ProcessDiedError, match=rf"^{words.replace('(', '.').replace(')', '.')}$"):
        start().run(cell)


CLOSES_ALL = "import os\nos.closerange(3, os.sysconf('SC_OPEN_MAX'))"


def test_a_cell_that_closes_all_files_is_not_taken_for_one_that_was_killed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProcessDiedError, match=r"^exit status 0$"):
        start().run(CLOSES_ALL)
    monkeypatch.setattr(notebook_process, "GRACE_SECONDS", 0.3)
    with pytest.raises(ProcessDiedError, match=UNANSWERED):
        start().run(f"{CLOSES_ALL}\nimport time\ntime.sleep(600)")


def test_closing_standard_streams_harms_nobody(start: Start) -> None:
    process = start()
    assert process.run("import os\nfor n in (0, 1, 2): os.close(n)\nprint('a')").is_ok
    assert streams(process.run("print('b')")) == {"stdout": "b\n"}


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("print('x' * 100_000_000)", 100_000_001),
        ("for _ in range(1000): print('x' * 99_999)", 100_000_000),
        ("import os\nfor _ in range(100): os.write(1, b'x' * 1_000_000)", 100_000_000),
    ],
)
def test_of_a_flood_the_beginning_is_kept_and_the_rest_is_counted(start: Start, cell: str, written: int) -> None:
    (name, text) = next(iter(streams(start().run(cell)).items()))
    assert name == "stdout"
    assert text[:LONGEST_STREAM].replace("\n", "x") == "x" * LONGEST_STREAM
    assert text[LONGEST_STREAM:] == f"\n… {written - LONGEST_STREAM:,} more characters were printed and not kept\n"


def test_a_flood_past_python_does_not_fill_the_disk(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_process, "_LARGEST_FILE", 8_000_000)
    monkeypatch.setattr(notebook_process, "_LOOK_SECONDS", 0.01)
    process = start()
    files = list(process._printed.values())
    cell = (
        "import os, time\nused = []\n"
        "for _ in range(50):\n    os.write(1, b'x' * 4_000_000)\n    time.sleep(0.02)\n"
        "    used.append(os.fstat(1).st_blocks * 512)\nmax(used) < 100_000_000"
    )
    result = process.run(cell)
    (shown,) = (o["data"] for o in result.outputs if o["output_type"] == "execute_result")
    assert shown == {"text/plain": "True"}
    assert streams(result)["stdout"].endswith(
        f"\n… {200_000_000 - LONGEST_STREAM:,} more characters were printed and not kept\n"
    )
    assert [os.fstat(file.fileno()).st_size for file in files] == [0, 0]


def test_what_a_cell_shows_is_limited_all_together(start: Start) -> None:
    process = start()
    many = f"for _ in range(10): display({{'text/plain': 'x' * {LARGEST_OUTPUT // 8}}}, raw=True)"
    result = process.run(many)
    assert [name for name, _ in errors(result)] == ["ValueError"]
    assert errors(result)[0][1].endswith(f"allowed: {LARGEST_OUTPUT:,}")
    assert len(result.outputs) == 8  # seven and the error
    clear = "from IPython.display import clear_output\nfor _ in range(10):\n    clear_output()\n"
    assert process.run(f"{clear}    display('x' * {LARGEST_OUTPUT // 8})").is_ok


def test_an_exception_of_any_length_or_without_words_is_an_error_of_its_cell(start: Start) -> None:
    process = start()
    ((name, said),) = errors(process.run(f"raise ValueError('x' * {LARGEST_OUTPUT * 2})"))
    assert name == "ValueError" and len(said) < LONGEST_STREAM + 100
    mute = "class Mute(Exception):\n    def __str__(self): raise TypeError\nraise Mute"
    assert errors(process.run(mute))[0] == ("Mute", "<its message cannot be shown: TypeError>")


def test_a_fork_that_comes_to_the_end_of_its_cell_ends_there(start: Start) -> None:
    process = start()
    result = process.run(
        "import os\nos.write(1, b'before\\n')\npid = os.fork()\n"
        "if pid: os.waitpid(pid, 0)\nprint('parent' if pid else 'child')"
    )
    assert streams(result) == {"stdout": "parent\nbefore\nchild\n"}
    assert streams(process.run("print('alive')")) == {"stdout": "alive\n"}


STAYS = "import os, time\npid = os.fork()\nif not pid:\n    time.sleep(600)\npid"
DAEMON = """\
import os, time
seen, told = os.pipe()
if not os.fork():
    os.setsid()
    if pid := os.fork():
        os.write(told, str(pid).encode())
        os._exit(0)
    time.sleep(600)
os.wait()
int(os.read(seen, 20))
"""


def pid_shown(result: CellResult) -> int:
    (shown,) = (o["data"]["text/plain"] for o in result.outputs if o["output_type"] == "execute_result")
    return int(shown)


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_fork_that_stays_ends_with_the_notebook(start: Start) -> None:
    process = start()
    pid = pid_shown(process.run(STAYS))
    assert is_alive(pid)
    process.end()
    until = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_alive(pid)


def test_threads_left_behind_do_not_keep_a_process(start: Start) -> None:
    process = start()
    assert process.run("import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()").is_ok
    process.end()
    assert process._exit_status == 0


def test_memory_beyond_the_limit_is_an_error_of_the_cell(start: Start) -> None:
    process = start(memory_bytes=1_500_000_000)
    ((name, _),) = errors(process.run("kept = []\nwhile True: kept.append(bytearray(50_000_000))"))
    assert name == "MemoryError"
    assert process.run("del kept\nx = bytearray(50_000_000)\n1").is_ok


def test_the_limit_of_memory_is_for_what_a_notebook_takes_itself(start: Start) -> None:
    """Not for what it shares with the process it was forked from."""
    inherited = bytearray(300_000_000)
    process = start(memory_bytes=200_000_000)
    assert len(inherited) == 300_000_000
    assert process.run("x = bytearray(100_000_000)").is_ok
    assert [name for name, _ in errors(process.run("y = bytearray(200_000_000)"))] == ["MemoryError"]


def test_no_file_stays_open_in_who_started_processes(start: Start) -> None:
    def files() -> set[str]:
        return {entry.name for entry in Path("/proc/self/fd").iterdir()}

    start().end()
    before = files()
    for _ in range(3):
        process = start()
        process.run("1")
        process.end()
    assert files() == before


def test_a_process_whose_starter_is_gone_before_it_could_ask_to_go_with_it_goes(start: Start) -> None:
    """Between the fork and the system's promise to end it with its parent, the parent may end."""
    adopt_orphans()
    seen, told = os.pipe()
    middle = os.fork()
    if middle == 0:
        notebook_process.os.setsid = lambda: time.sleep(0.5)
        process = NotebookProcess()
        os.write(told, str(process.pid).encode())
        os._exit(0)
    os.waitpid(middle, 0)
    orphan = int(os.read(seen, 20))
    assert os.waitstatus_to_exitcode(os.waitpid(orphan, 0)[1]) == 1
    os.close(seen)
    os.close(told)
