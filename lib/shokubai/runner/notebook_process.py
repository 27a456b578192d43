"""A process forked from this one that runs the cells of one notebook, within limits of time and memory."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO, NoReturn

from shokubai.runner import shell
from shokubai.runner.orphans import die_with_parent
from shokubai.runner.shell import LONGEST_STREAM, CellResult
from shokubai.runner.task import how_it_ended

GRACE_SECONDS = 2.0  # for a cell to end after it was interrupted, and for a process to end after its last cell
_RARELY = (50_000, 20, 20)  # most processes end before there is anything to collect; looking costs a tenth of them
_KILL_ME_FIRST = "500"  # of 1,000; when memory runs out, a notebook goes before the run


class CellTimedOutError(Exception):
    """A cell was interrupted at its time limit; ``result`` is what it left, None when it had to be killed."""

    def __init__(self, result: CellResult | None) -> None:
        super().__init__()
        self.result = result


class ProcessDiedError(Exception):
    """The process ended in the middle of a cell; the message says how, and its last words if it had any."""


class NotebookProcess:
    """Fork before anything starts threads; ``prepare`` of ``shell`` beforehand saves each process that work.

    The process works in the folder that is current when it is forked. Of its memory only what it may write counts
    for ``memory_bytes``. Everything that it starts is in its process group.
    """

    def __init__(self, *, memory_bytes: int | None = None) -> None:
        self._printed: BinaryIO = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by end()
        self._channel, theirs = Pipe()
        self._exit_status: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._channel.close()
            _serve(theirs, self._printed, memory_bytes)
        theirs.close()

    def run(self, source: str, *, seconds: float | None = None) -> CellResult:
        """Run a cell. Raises CellTimedOutError when it takes longer, ProcessDiedError when it does not come back."""
        try:
            self._channel.send_bytes(source.encode("utf-8", "surrogatepass"))
            if not self._channel.poll(seconds):
                raise CellTimedOutError(self._interrupt())
            return CellResult.from_json(self._channel.recv_bytes())
        except (EOFError, OSError) as error:
            raise ProcessDiedError(self._how_it_ended()) from error

    def end(self) -> None:
        """End the process after its last cell, killing it when it does not go by itself."""
        self._channel.close()
        self._wait(GRACE_SECONDS)
        self._printed.close()

    def _interrupt(self) -> CellResult | None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGINT)
        with suppress(EOFError, OSError):
            if self._channel.poll(GRACE_SECONDS):
                return CellResult.from_json(self._channel.recv_bytes())
        self._kill()
        return None

    def _kill(self) -> None:
        for kill in (os.killpg, os.kill):  # the group may not be there yet
            with suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)

    def _wait(self, seconds: float) -> int:
        until = time.monotonic() + seconds
        while self._exit_status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._exit_status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() >= until:
                self._kill()
            else:
                time.sleep(0.001)
        return self._exit_status

    def _how_it_ended(self) -> str:
        how = how_it_ended(self._wait(GRACE_SECONDS))
        said = _taken(self._printed).strip().splitlines()
        return f"{how}: {said[-1]}" if said else how


def _serve(channel: Connection, printed: BinaryIO, memory_bytes: int | None) -> NoReturn:
    """Run cells until nobody sends any. Ends without Python's own clean-up, which hangs when threads were forked."""
    try:
        _settle_in(channel, printed, memory_bytes)
        while True:
            source = channel.recv_bytes().decode("utf-8", "surrogatepass")
            channel.send_bytes(shell.run_cell(source, printed_elsewhere=lambda: _taken(printed)))
    except (EOFError, OSError):  # nobody sends any more, or this is a fork of a cell that ran to the cell's end
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the starter reads it as this process's last words
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(1)


def _settle_in(channel: Connection, printed: BinaryIO, memory_bytes: int | None) -> None:
    os.setsid()
    die_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with suppress(OSError):  # not Linux
        Path("/proc/self/oom_score_adj").write_text(_KILL_ME_FIRST, encoding="ascii")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for stream in (1, 2):
        os.dup2(printed.fileno(), stream)
    # What a cell forks has no business with our channel; were it open there, this process's end would go unseen.
    os.register_at_fork(after_in_child=channel.close)
    if "" not in sys.path:
        sys.path.insert(0, "")  # as in a kernel: modules beside the notebook
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    shell.prepare()
    gc.set_threshold(*_RARELY)
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def _taken(printed: BinaryIO) -> str:
    """What was written to standard output and error past Python since the last time, its beginning."""
    size = os.fstat(printed.fileno()).st_size
    if not size:
        return ""
    text = os.pread(printed.fileno(), LONGEST_STREAM, 0).decode("utf-8", "replace")
    os.ftruncate(printed.fileno(), 0)
    os.lseek(printed.fileno(), 0, os.SEEK_SET)
    return text
