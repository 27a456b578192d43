"""One run at a time for each run and week."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shokubai.core.errors import ShokubaiError


class RunUnderWayError(ShokubaiError):
    """Another process is making the same reports."""

    exit_status = 3


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of a week's folder. The system lets go of it when the process ends, however it ends.

    Raises RunUnderWayError, naming the holder, when another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".lock"
    with file.open("a+", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise RunUnderWayError(
                f"{folder}: another run is making these reports (process {holder}); "
                "wait for it to end, or stop that process, then run again"
            ) from error
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)
