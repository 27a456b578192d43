"""What goes to the process that makes one report, and what it leaves. Light to import: the work is in ``worker``."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shokubai.config.model import Language

RESULT = "result.json"
LOG = "process.log"
LONGEST_MESSAGE = 600


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


def run_task(task: Task) -> None:
    """Make one report and end this process."""
    from shokubai.runner import worker  # the runner itself needs none of what this imports

    worker.run(task)


def shorten(message: str) -> str:
    """A message of a length that fits a page; its beginning says most."""
    message = message.strip()
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"


def signal_name(status: int) -> str:
    """``SIGKILL`` for -9, as processes report it."""
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
