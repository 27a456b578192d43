"""A process forked from this one that runs the cells of one notebook, within limits of time and memory."""

from __future__ import annotations

import gc
import math
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO, NoReturn

from shokubai.runner import shell
from shokubai.runner.orphans import die_with_parent
from shokubai.runner.shell import LONGEST_STREAM, CellResult, Printed
from shokubai.runner.task import how_it_ended

GRACE_SECONDS = 2.0  # for a cell to end after it was interrupted, and for a process to end after its last cell
_RARELY = (50_000, 20, 20)  # most processes end before there is anything to collect; looking costs a tenth of them
UNANSWERED = "it no longer answered, as when a cell closes files that it did not open"
_LARGEST_FILE = 64_000_000  # bytes on disk of what is printed past Python, until they are looked at
_LOOK_SECONDS = 0.5
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

    The process works in the folder that is current when it is forked. Of its memory only what it takes after that,
    and may write, counts for ``memory_bytes``. Everything that it starts is in its process group.
    """

    def __init__(self, *, memory_bytes: int | None = None) -> None:
        self._printed: dict[int, BinaryIO] = {}  # by file descriptor; closed by end()
        for descriptor in _STREAMS:
            self._printed[descriptor] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        self._channel, theirs = Pipe()
        self._exit_status: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        starter = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            self._channel.close()
            _serve(theirs, self._printed, memory_bytes, starter)
        theirs.close()

    def run(self, source: str, *, seconds: float | None = None) -> CellResult:
        """Run a cell. Raises CellTimedOutError when it takes longer, ProcessDiedError when it does not come back."""
        try:
            self._channel.send_bytes(source.encode("utf-8", "surrogatepass"))
            if not self._answers_within(seconds):
                raise CellTimedOutError(self._interrupt())
            return CellResult.from_json(self._channel.recv_bytes())
        except (EOFError, OSError) as error:
            raise ProcessDiedError(self._how_it_ended()) from error

    def end(self) -> None:
        """End the process after its last cell, killing it when it does not go by itself, and all that it started."""
        self._channel.close()
        self._wait(GRACE_SECONDS)
        for file in self._printed.values():
            file.close()

    def _answers_within(self, seconds: float | None) -> bool:
        until = math.inf if seconds is None else time.monotonic() + seconds
        while not self._channel.poll(min(_LOOK_SECONDS, max(0.0, until - time.monotonic()))):
            if time.monotonic() >= until:
                return False
            for file in self._printed.values():
                _bound(file)
        return True

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
        """Wait for its end so long, then bring it about; what is left of its group goes with it."""
        until = time.monotonic() + seconds
        while self._exit_status is None:
            # Its number is its group's, and nobody else's until it is taken note of.
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signal.SIGKILL)
                self._exit_status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            elif time.monotonic() >= until:
                self._kill()
                time.sleep(0.001)
            else:
                time.sleep(0.001)
        return self._exit_status

    def _how_it_ended(self) -> str:
        until = time.monotonic() + GRACE_SECONDS
        how = how_it_ended(self._wait(GRACE_SECONDS))
        if time.monotonic() >= until:
            return UNANSWERED
        said = "".join(printed.text for printed in _taken(self._printed)).strip().splitlines()
        return f"{how}: {said[-1]}" if said else how


_STREAMS = {1: "stdout", 2: "stderr"}
_LONGEST_BYTES = 4 * LONGEST_STREAM  # of so many characters in UTF-8


def _serve(channel: Connection, printed: Mapping[int, BinaryIO], memory_bytes: int | None, starter: int) -> NoReturn:
    """Run cells until nobody sends any. Ends without Python's own clean-up, which hangs when threads were forked."""
    try:
        own = os.getpid()
        _settle_in(channel, printed, memory_bytes, starter)
        while True:
            source = channel.recv_bytes().decode("utf-8", "surrogatepass")
            answer = shell.run_cell(source, printed_elsewhere=lambda: _taken(printed) if os.getpid() == own else ())
            channel.send_bytes(answer)
    except (EOFError, OSError):  # nobody sends any more, or this is a fork of a cell that ran to the cell's end
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the starter reads it as this process's last words
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(1)


def _settle_in(channel: Connection, printed: Mapping[int, BinaryIO], memory_bytes: int | None, starter: int) -> None:
    os.setsid()
    die_with_parent(starter)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with suppress(OSError):  # not Linux
        Path("/proc/self/oom_score_adj").write_text(_KILL_ME_FIRST, encoding="ascii")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if null != 0:
        os.close(null)
    for descriptor, file in printed.items():
        os.dup2(file.fileno(), descriptor)
    # What a cell forks has no business with our channel; were it open there, this process's end would go unseen.
    os.register_at_fork(after_in_child=channel.close)
    if "" not in sys.path:
        sys.path.insert(0, "")  # as in a kernel: modules beside the notebook
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    shell.prepare()
    gc.set_threshold(*_RARELY)
    shell.take_over()
    if memory_bytes is not None:
        limit = memory_bytes + _data_bytes()
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _data_bytes() -> int:
    """What the process had when it was forked, most of which it shares; the limit is for what it takes itself."""
    with suppress(OSError, IndexError):  # not Linux
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.split("VmData:")[1].split()[0]) * 1024
    return 0


def _bound(file: BinaryIO) -> None:
    """Give back the room of what was printed beyond what is kept; the size still says how much there was."""
    found = os.fstat(file.fileno())
    if found.st_blocks * 512 > _LARGEST_FILE:
        os.ftruncate(file.fileno(), _LONGEST_BYTES)
        if os.fstat(file.fileno()).st_size < found.st_size:  # not written to meanwhile, at its old end
            os.ftruncate(file.fileno(), found.st_size)


def _taken(printed: Mapping[int, BinaryIO]) -> list[Printed]:
    """What was written to standard output and error past Python since the last time, the beginning of each."""
    taken = []
    for descriptor, file in printed.items():
        size = os.fstat(file.fileno()).st_size
        if size:
            begun = os.pread(file.fileno(), min(size, _LONGEST_BYTES), 0)
            taken.append(Printed(_STREAMS[descriptor], begun.decode("utf-8", "replace"), size - len(begun)))
            os.ftruncate(file.fileno(), 0)
            os.lseek(file.fileno(), 0, os.SEEK_SET)
    return taken
