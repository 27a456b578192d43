"""What goes to the process that makes one report, and what it leaves. Light to import: the work is in ``worker``."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from shokubai.config.model import Language

RESULT = "result.json"
LOG = "process.log"
LONGEST_MESSAGE = 600
# Signals sent by the system when memory runs out, or by whoever empties a machine. What a process brings upon itself
# (a segmentation fault, an abort) it will bring upon itself again.
DIED = "the notebook's process died"
FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGHUP})


Engine = Literal["fork", "kernel"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
# Elsewhere a process that has loaded the system's frameworks cannot be forked safely.
DEFAULT_ENGINE: Engine = "fork" if sys.platform.startswith("linux") else "kernel"


@dataclass(frozen=True)
class Limits:
    """What one notebook may take. None: as much as it likes; of memory, what a run sees fit."""

    notebook_seconds: float | None = 600.0
    cell_seconds: float | None = None
    memory_bytes: int | None = None

    @property
    def notebook_is_overdue(self) -> str:
        return f"not finished after the time limit of {self.notebook_seconds:g} s"

    @property
    def cell_is_overdue(self) -> str:
        return f"the cell was not finished after its time limit of {self.cell_seconds:g} s"


@dataclass(frozen=True)
class Manner:
    """How reports are made: so many at once, by which engine, each within which limits."""

    jobs: int = 1
    engine: Engine = DEFAULT_ENGINE
    limits: Limits = Limits()


@dataclass(frozen=True)
class Task:
    """One report to make. ``home`` is the folder where it will be published, ``scratch`` one with a short path."""

    notebook: Path
    values: Mapping[str, str]
    staging: Path
    scratch: Path
    home: Path
    title: str
    language: Language
    engine: Engine = DEFAULT_ENGINE
    limits: Limits = Limits()
    environment: Mapping[str, str] = field(default_factory=dict)  # where the environment does not say otherwise

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the project, whose place on this machine is nobody's business."""
        named = [Path(value).parent for name, value in self.values.items() if value and name.endswith("_dir")]
        return (self.notebook.parents[1], self.home.parents[3], *named)


@dataclass(frozen=True)
class CellError:
    """Why a notebook stopped. ``cell`` counts code cells from 1 as JupyterLab does; None: not in a cell."""

    cell: int | None
    message: str


@dataclass(frozen=True)
class Result:
    """How it went: ``made``, ``no_data``, or ``failed`` with an error."""

    status: str
    error: CellError | None = None

    @classmethod
    def read(cls, staging: Path) -> Result | None:
        """The result a process left, or None when it ended before it could."""
        file = staging / RESULT
        if not file.is_file():
            return None
        values = json.loads(file.read_text(encoding="utf-8"))
        return cls(values["status"], CellError(**values["error"]) if values["error"] else None)

    def write(self, staging: Path) -> None:
        partial = staging / f"{RESULT}.partial"
        partial.write_text(json.dumps(asdict(self)), encoding="utf-8")
        partial.replace(staging / RESULT)


def shorten(message: str, length: int = LONGEST_MESSAGE) -> str:
    """A message of a length that fits a page; its beginning says most."""
    message = message.strip()
    return message if len(message) <= length else message[: length - 1] + "…"


def how_it_ended(status: int) -> str:
    """An exit status in words; -9, as processes report it, is ``SIGKILL``."""
    if status >= 0:
        return f"exit status {status}"
    return f"{signal_name(status)}{' (often: out of memory)' if status == -signal.SIGKILL else ''}"


def signal_name(status: int) -> str:
    """``SIGKILL`` for -9, as processes report it."""
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
