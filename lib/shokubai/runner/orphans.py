"""No process outlives the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Container
from contextlib import suppress

import psutil  # type: ignore[import-untyped]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

MARK = "SHOKUBAI_PROCESSES"  # in the environment of all that one process starts; who set it knows the value


def die_with_parent(parent: int) -> None:
    """Linux: have the system end this process when its parent ends, however that ends, or has ended already."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def live_without_parent() -> None:
    """Linux: take ``die_with_parent`` back."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)


def adopt_orphans() -> None:
    """Linux: become the parent of descendants whose own parent ended, so that they can be found."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_descendants(pid: int) -> None:
    """End everything that a process started, itself excepted, at once."""
    for _ in range(50):  # what is killed may just have been starting something
        found = _living_descendants(pid)
        if not found:
            return
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.02)


def end_descendants() -> None:
    """End everything that this process started or adopted, and take note of it, so that nothing lingers."""
    kill_descendants(os.getpid())
    with suppress(ChildProcessError):  # none left
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def kill_strays(known: Container[int]) -> None:
    """End what this process adopted: the children, with all that they started, that are not ``known``."""
    for process in psutil.Process().children():
        if process.pid not in known:
            kill_tree(process.pid)


def kill_tree(pid: int) -> None:
    """End a process and everything that it started, at once."""
    kill_descendants(pid)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_marked(mark: str) -> None:
    """End every process with the mark in the environment that it was started with, whoever its parent is now."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone, or another user's
            if process.environ().get(MARK) == mark:
                kill_tree(process.pid)


def _living_descendants(pid: int) -> list[psutil.Process]:
    living = []
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE:
                    living.append(process)
    return living
