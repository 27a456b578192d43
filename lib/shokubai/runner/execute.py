"""One notebook executed through papermill in a kernel of this interpreter.

Whoever wants another way to execute notebooks replaces ``execute_notebook`` and keeps ``Execution``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from shokubai.runner.task import CellError, shorten, signal_name

ENGINE = "shokubai-kernel"
LONGEST_SOCKET_PATH = 95  # of 104 on some systems, less what the kernel appends


@dataclass(frozen=True)
class Execution:
    """A notebook as far as it got, and why it got no further (None: it ran to its end)."""

    notebook: NotebookNode | None
    error: CellError | None


def execute_notebook(path: Path, values: Mapping[str, Any], *, scratch: Path) -> Execution:
    """Run every cell of the notebook with its parameters set, in the notebook's own folder.

    A notebook has run only when each cell says so: an exception, ``sys.exit()`` with any status and a dead
    kernel are failures. ``scratch`` is a folder with a short path for the kernel's sockets.
    """
    connection = scratch / "k.json"
    transport = "ipc" if len(os.fsencode(connection)) < LONGEST_SOCKET_PATH else "tcp"
    kernel = _Kernel(connection_file=str(connection), transport=transport, kernel_name="python3")
    kept: list[NotebookNode] = []
    stopped = ""
    try:
        papermill.execute_notebook(
            _literal(path),
            None,
            dict(values),
            engine_name=ENGINE,
            kernel_name="python3",
            language="python",
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            progress_bar=False,
            log_output=False,
            cwd=str(path.parent),
            km=kernel,
            kept=kept,
        )
    except (PapermillExecutionError, DeadKernelError, RuntimeError) as error:
        stopped = shorten(str(error)) or type(error).__name__
    notebook = kept[0] if kept else None
    found = None if notebook is None else _failed_cell(notebook)
    if found is None and stopped:
        reason = kernel.ended_by()
        found = CellError(_last_started(notebook), f"the kernel died: {reason}" if reason else stopped)
    return Execution(notebook, found)


class _Kernel(AsyncKernelManager):
    """This interpreter's kernel, whatever kernels are installed, on sockets that are files where paths allow.

    Ports of parallel kernels can clash; files in a folder of one's own cannot.
    """

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, str(Path(__file__).with_name("kernel.py")), "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", env={"OPENBLAS_NUM_THREADS": "1"})

    def ended_by(self) -> str:
        """How the kernel process ended, or an empty string while it runs."""
        process = getattr(self.provisioner, "process", None)
        status = None if process is None else process.poll()
        if status is None:
            return ""
        if status < 0:
            return f"{signal_name(status)}{' (often: out of memory)' if status == -signal.SIGKILL else ''}"
        return f"exit status {status}"


class _Engine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Papermill's own engine; hands the notebook out even when the kernel dies under it."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        kwargs.pop("kept").append(nb_man.nb)
        return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)


papermill_engines.register(ENGINE, _Engine)


def _literal(path: Path) -> str:
    """The path as papermill has to be given it: it passes paths through ``str.format``."""
    return os.fspath(path).replace("{", "{{").replace("}", "}}")


def _code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Code cells that a kernel runs, with the numbers they get."""
    return enumerate((c for c in notebook.cells if c.cell_type == "code" and c.source.strip()), start=1)


def _failed_cell(notebook: NotebookNode) -> CellError | None:
    """The first cell with an error. ``sys.exit(0)`` is one: papermill takes it for a success half way."""
    for number, cell in _code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error" and output.ename == "SystemExit":
                return CellError(number, f"the cell ended the notebook with sys.exit({output.evalue})")
            if output.output_type == "error":
                return CellError(number, shorten(f"{output.ename}: {output.evalue}"))
    return None


def _last_started(notebook: NotebookNode | None) -> int | None:
    """The cell in which a notebook stopped without an error of its own."""
    cells = _code_cells(notebook) if notebook is not None else ()
    return max((n for n, cell in cells if cell.metadata.get("papermill", {}).get("start_time")), default=None)
