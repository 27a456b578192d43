"""Processes, one per report: so many at once, none left behind."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import Protocol

from shokubai.core.errors import ShokubaiError
from shokubai.runner.orphans import MARK, kill_marked, kill_tree
from shokubai.runner.task import DEFAULT_ENGINE, FROM_OUTSIDE, Engine, Task, how_it_ended

GRACE_SECONDS = 30.0  # beyond a notebook's own limit, for its page to be written; then its process is killed
END_SECONDS = 5.0  # for all processes to go
_POLL_SECONDS = 0.05


@dataclass
class _Running:
    task: Task
    started: float
    is_overdue: bool = False

    def seconds_left(self) -> float:
        limit = self.task.limits.notebook_seconds
        return float("inf") if limit is None else self.started + limit + GRACE_SECONDS - time.monotonic()


@dataclass(frozen=True)
class Ended:
    """A process that is over. ``exit_status`` is negative for the signal that ended it.

    ``is_overdue``: it did not keep its notebook's limit and was killed. ``refused`` says why none could be started.
    """

    task: Task
    exit_status: int
    is_overdue: bool
    seconds: float
    refused: str = ""


@dataclass(frozen=True)
class _Event:
    number: int
    exit_status: int
    refused: str = ""


class _Starter(Protocol):
    """Starts processes of reports, which have numbers."""

    def is_alive(self) -> bool: ...

    def start(self, number: int, task: Task) -> None: ...

    def kill(self, number: int) -> None: ...

    def wait(self, seconds: float | None) -> list[_Event]:
        """What ended, waiting for it so long at most."""

    def close(self) -> None:
        """End everything that was started."""


def warm_up(parameters: Path | None = None, *, engine: Engine = DEFAULT_ENGINE) -> None:
    """Begin to load what reports need, ``parameters`` among it, so that their processes start at once."""
    starter = _starter(engine)
    if isinstance(starter, _Zygote) and parameters is not None:
        starter.load(parameters.absolute())


def run_tasks(
    tasks: Sequence[Task], *, jobs: int, on_start: Callable[[Task], None] = lambda task: None
) -> Generator[Ended]:
    """Run tasks in processes of their own and give each back as it ends.

    Close the iterator to end all of them at once. Notebooks keep their limits themselves; a process that is still
    there some time after its notebook's is killed.
    """
    waiting = list(reversed(list(enumerate(tasks))))
    running: dict[int, _Running] = {}
    is_done = False
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                if not running:
                    # Another one when the last died, and all that it started with it.
                    starter = _starter(waiting[-1][1].engine)
                number, task = waiting.pop()
                starter.start(number, task)
                running[number] = _Running(task, time.monotonic())
                on_start(task)
            for event in starter.wait(_seconds_to_next_limit(running)):
                ended = running.pop(event.number)
                seconds = time.monotonic() - ended.started
                yield Ended(ended.task, event.exit_status, ended.is_overdue, seconds, event.refused)
            for number, entry in running.items():
                if entry.seconds_left() <= 0 and not entry.is_overdue:
                    entry.is_overdue = True
                    starter.kill(number)
        is_done = True
    finally:
        if not is_done:
            _forget()


def _seconds_to_next_limit(running: dict[int, _Running]) -> float | None:
    left = min((r.seconds_left() for r in running.values() if not r.is_overdue), default=float("inf"))
    return None if left == float("inf") else max(0.0, left)


_in_use: list[_Starter] = []  # one at most; it stays warm from one call to the next


def _starter(engine: Engine) -> _Starter:
    """Kernels need no process to fork from, so that they are the way out where there can be none."""
    wanted = _Zygote if engine == "fork" else _FreshProcesses
    if any(not isinstance(starter, wanted) or not starter.is_alive() for starter in _in_use):
        _forget()
    if not _in_use:
        _in_use.append(wanted())
    return _in_use[0]


def _forget() -> None:
    while _in_use:
        _in_use.pop().close()


class _Zygote:
    """The other end of ``zygote``: forks processes from one that is warm."""

    def __init__(self) -> None:
        self._channel, theirs = Pipe()
        self._is_ready = False
        self._running: set[int] = set()
        self._mark = mark = uuid.uuid4().hex
        # Of its own session, so that signals for this process's group do not reach it: it ends when this one does.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "shokubai.runner.zygote", str(theirs.fileno()), str(os.getpid())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", MARK: mark},  # one thread: there is nothing to lose
        )
        theirs.close()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def load(self, parameters: Path) -> None:
        self._send("parameters", parameters)

    def start(self, number: int, task: Task) -> None:
        self._running.add(number)
        self._send("start", number, task)

    def kill(self, number: int) -> None:
        self._send("kill", number)

    def wait(self, seconds: float | None) -> list[_Event]:
        events: list[_Event] = []
        try:
            while self._channel.poll(0 if events else seconds):
                match self._channel.recv():
                    case ("ready",):
                        self._is_ready = True
                    case ("ended", int() as number, int() as status):
                        events.append(_Event(number, status))
                    case ("refused", int() as number, str() as reason):
                        events.append(_Event(number, 1, reason))
        except (EOFError, OSError):
            status = self._death()
            events += [_Event(number, status) for number in self._running - {event.number for event in events}]
        self._running -= {event.number for event in events}
        return events

    def close(self) -> None:
        self._channel.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            kill_tree(self._process.pid)
            self._process.wait()
            kill_marked(self._mark)

    def _send(self, *message: object) -> None:
        with suppress(OSError):  # it is dead, as ``wait`` will find
            self._channel.send(message)

    def _death(self) -> int:
        """How it ended; what it and its reports started, and was nobody's any more, ends too.

        Raises ShokubaiError when it could not start. A signal that came meanwhile is no reason not to try again.
        """
        status = self._process.wait()
        kill_marked(self._mark)
        if not self._is_ready and -status not in FROM_OUTSIDE:
            raise ShokubaiError(
                f"the process that reports are forked from ended while it started ({how_it_ended(status)}); "
                "what it said stands above; --engine kernel makes reports without it"
            )
        return status


class _FreshProcesses:
    """A new interpreter for each report, where forking is not safe."""

    def __init__(self) -> None:
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def is_alive(self) -> bool:
        return True

    def start(self, number: int, task: Task) -> None:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "shokubai.runner.worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        self._running[number] = process
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:  # it is dead, as ``wait`` will find
            pickle.dump(task, process.stdin)

    def kill(self, number: int) -> None:
        kill_tree(self._running[number].pid)

    def wait(self, seconds: float | None) -> list[_Event]:
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            found = [_Event(n, status) for n, p in self._running.items() if (status := p.poll()) is not None]
            if found or (until is not None and time.monotonic() >= until):
                for event in found:
                    del self._running[event.number]
                return found
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        for process in self._running.values():
            kill_tree(process.pid)
        for process in self._running.values():
            process.wait()
