"""Processes, one per report: so many at once, each with a time limit, none left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from shokubai.runner.orphans import kill_descendants, kill_tree
from shokubai.runner.task import Task, run_task

GRACE_SECONDS = 5.0  # to write down what an overdue notebook had done


@dataclass
class _Running:
    task: Task
    process: BaseProcess
    started: float
    is_overdue: bool = False


@dataclass(frozen=True)
class Ended:
    """A process that is over. ``exit_status`` is negative for the signal that ended it."""

    task: Task
    exit_status: int
    is_overdue: bool
    seconds: float


def warm_up() -> None:
    """Start the server that processes are forked from: it does the imports once and runs no threads."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    forkserver.set_forkserver_preload(["shokubai.runner.worker"])
    forkserver.ensure_running()


def run_tasks(
    tasks: Sequence[Task],
    *,
    jobs: int,
    timeout_seconds: float,
    on_start: Callable[[Task], None] = lambda task: None,
) -> Generator[Ended]:
    """Run tasks in processes of their own and give each back as it ends.

    Close the iterator to end all of them at once. An overdue notebook loses its kernel first, which leaves its
    process a moment to write the notebook down, and then the process itself.
    """
    context = get_context("forkserver")
    waiting = list(reversed(tasks))
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop()
                process = context.Process(target=run_task, args=(task,), daemon=True)
                process.start()
                running.append(_Running(task, process, time.monotonic()))
                on_start(task)
            wait([r.process.sentinel for r in running], timeout=_until_next_limit(running, timeout_seconds))
            for entry in tuple(running):
                if entry.process.exitcode is not None:
                    running.remove(entry)
                    yield _ended(entry)
                else:
                    _enforce(entry, timeout_seconds)
    finally:
        for entry in running:
            if entry.process.pid is not None:
                kill_tree(entry.process.pid)
        for entry in running:
            entry.process.join(GRACE_SECONDS)


def _ended(entry: _Running) -> Ended:
    seconds = time.monotonic() - entry.started
    return Ended(entry.task, entry.process.exitcode or 0, entry.is_overdue, seconds)


def _until_next_limit(running: Sequence[_Running], timeout_seconds: float) -> float:
    limits = [r.started + timeout_seconds + GRACE_SECONDS * r.is_overdue for r in running]
    return max(0.05, min(limits) - time.monotonic())


def _enforce(entry: _Running, timeout_seconds: float) -> None:
    age = time.monotonic() - entry.started
    assert entry.process.pid is not None
    if entry.is_overdue and age >= timeout_seconds + GRACE_SECONDS:
        kill_tree(entry.process.pid)
    elif not entry.is_overdue and age >= timeout_seconds:
        entry.is_overdue = True
        kill_descendants(entry.process.pid)
