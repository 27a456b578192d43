"""One warmed process from which every report's process is forked: imports are paid once, nothing is shared after.

It has everything loaded that a report needs and runs no threads, opens no warehouse and holds no lock, since none of
these survives a fork. It is told over a channel what to start and tells what ended. When nobody is left at the other
end of the channel it ends everything that it started, and itself.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from shokubai.core.errors import ShokubaiError
from shokubai.runner.orphans import (
    adopt_orphans,
    die_with_parent,
    end_descendants,
    kill_strays,
    kill_tree,
    live_without_parent,
)
from shokubai.runner.task import Task
from shokubai.runner.warm import load_parameters, warm_up

# Started by libraries on import; they know how to get on without them after a fork.
HARMLESS_THREADS = frozenset({"jemalloc_bg_thd"})


def main(descriptor: int, starter: int) -> None:
    """Serve the channel with that file descriptor, which leads to the process ``starter``."""
    die_with_parent(starter)
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Connection(descriptor)
    warm_up()
    gc.collect()
    gc.freeze()  # what is here now is never collected, so its pages stay shared
    if threads := _threads():
        raise RuntimeError(f"forking is not safe beside the thread(s) {', '.join(threads)}")
    live_without_parent()  # from here on the channel tells when it ends, and what was started ends first
    _Zygote(channel).serve()


class _Zygote:
    def __init__(self, channel: Connection) -> None:
        self._channel = channel
        self._running: dict[int, int] = {}  # number of a report by process
        self._ready = selectors.DefaultSelector()
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        with self._ready as ready:
            ready.register(self._channel, selectors.EVENT_READ)
            ready.register(self._woken, selectors.EVENT_READ)
            try:
                self._channel.send(("ready",))
                while True:
                    ready.select()
                    self._reap()
                    while self._channel.poll():
                        self._obey(*self._channel.recv())
            except (EOFError, OSError):
                end_descendants()
                os._exit(0)  # libraries complain at length of what a clean end finds

    def _obey(self, order: str, *given: object) -> None:
        match (order, *given):
            case ("parameters", Path() as directory):
                with suppress(ShokubaiError, OSError):  # whoever needs them says what is wrong with them
                    load_parameters(directory)
            case ("start", int() as number, Task() as task):
                self._start(number, task)
            case ("kill", int() as number):
                for pid, running in self._running.items():
                    if running == number:
                        kill_tree(pid)

    def _start(self, number: int, task: Task) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        own = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._channel.send(("refused", number, f"no process could be started for it: {error.strerror}"))
            return
        if pid == 0:
            self._become(task, parent=own)
        self._running[pid] = number

    def _become(self, task: Task, *, parent: int) -> None:
        """Be a report's process from here on."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._woken)
            os.close(self._waker)
            self._channel.close()
            self._ready.close()

            from shokubai.runner import worker

            worker.run(task, parent=parent)
            status = 0
        finally:
            if status:
                traceback.print_exc()
                sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)
        with suppress(ChildProcessError):  # none left
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                kill_strays(self._running)  # also when one ended: it may have started others until then
                if pid in self._running:
                    self._channel.send(("ended", self._running.pop(pid), os.waitstatus_to_exitcode(status)))


def _threads() -> list[str]:
    """The names of this process's threads that a fork would lose."""
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        return []
    names = [(t / "comm").read_text().strip() for t in tasks.iterdir() if t.name != str(os.getpid())]
    return [name for name in names if name not in HARMLESS_THREADS]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
