"""One run at a time for each run and week."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
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
    with file.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunUnderWayError(
                f"{folder}: another run is making these reports ({_holder(file)}); "
                "wait for it to end, or stop that process, then run again"
            ) from error
        handle.truncate(0)
        command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
        handle.write(json.dumps({"process": os.getpid(), "host": socket.gethostname(), "command": command}))
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)


def _holder(file: Path) -> str:
    """Who holds the lock, since when, and what it was started as. The file is written once, by the holder."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        return f"process {said['process']} on {said['host']} since {since:%Y-%m-%d %H:%M:%S} UTC: {said['command']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "which has not said yet who it is"
