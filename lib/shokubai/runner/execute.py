"""One notebook executed through papermill, in a process forked from this one or in a kernel of this interpreter."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers

from shokubai.runner.engine import CELL_LIMIT, DEATH, NOTEBOOK_LIMIT, TIMEOUT, ForkEngine
from shokubai.runner.orphans import kill_descendants
from shokubai.runner.shell import LONGEST_STREAM, left_out_note
from shokubai.runner.task import DIED, LONGEST_MESSAGE, CellError, Engine, Limits, how_it_ended, shorten

LONGEST_SOCKET_PATH = 95  # of 104 on some systems, less what the kernel appends
# What Python, NumPy and Arrow, then DuckDB, C++, C, and ``engine`` say.
_WANT_OF_MEMORY = (
    "MemoryError",
    "OutOfMemory",
    "Out of Memory",
    "bad_alloc",
    "Cannot allocate memory",
    "memory runs out",
)


MESSAGE_BEFORE_LIMIT = LONGEST_MESSAGE - 60  # characters; the limit that was broken follows


@dataclass(frozen=True)
class Execution:
    """A notebook as far as it got, and why it got no further (None: it ran to its end)."""

    notebook: NotebookNode | None
    error: CellError | None


def execute_notebook(
    path: Path, values: Mapping[str, Any], *, engine: Engine, limits: Limits, scratch: Path
) -> Execution:
    """Run every cell of the notebook with its parameters set, in the notebook's own folder.

    A notebook has run only when each cell says so: an exception, ``sys.exit()`` with any status and a dead
    process are failures. ``scratch`` is a folder with a short path for a kernel's sockets.
    """
    if engine == "fork":
        return _in_fork(path, values, limits)
    return _in_kernel(path, values, limits, scratch)


def _in_fork(path: Path, values: Mapping[str, Any], limits: Limits) -> Execution:
    return _execute(
        path,
        values,
        limits,
        engine_name=_Fork.__name__,
        execution_timeout=limits.cell_seconds,
        notebook_timeout=limits.notebook_seconds,
        memory_bytes=limits.memory_bytes,
    )


def _in_kernel(path: Path, values: Mapping[str, Any], limits: Limits, scratch: Path) -> Execution:
    connection = scratch / "k.json"
    transport = "ipc" if len(os.fsencode(connection)) < LONGEST_SOCKET_PATH else "tcp"
    kernel = _KernelManager(connection_file=str(connection), transport=transport, kernel_name="python3")
    kernel.memory_bytes = limits.memory_bytes
    with _alarm(limits.notebook_seconds) as is_overdue:
        done = _execute(
            path,
            values,
            limits,
            engine_name=_Kernel.__name__,
            execution_timeout=limits.cell_seconds and math.ceil(limits.cell_seconds),
            km=kernel,
        )
    if done.notebook is not None:
        _trim_streams(done.notebook)
    if done.error is not None and is_overdue:
        return Execution(done.notebook, CellError(done.error.cell, limits.notebook_is_overdue))
    if done.error is not None and (reason := kernel.ended_by()) and not _failed_cell(done.notebook, limits):
        return Execution(done.notebook, CellError(done.error.cell, f"{DIED}: {reason}"))
    return done


def _execute(path: Path, values: Mapping[str, Any], limits: Limits, **given: Any) -> Execution:
    kept: list[NotebookNode] = []
    stopped = ""
    try:
        papermill.execute_notebook(
            _literal(path),
            None,
            dict(values),
            kernel_name="python3",
            language="python",
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            progress_bar=False,
            log_output=False,
            cwd=str(path.parent),
            kept=kept,
            **given,
        )
    except PapermillExecutionError as error:
        # It also complains of exceptions that a cell is tagged to raise.
        if kept and any(cell.metadata.get("papermill", {}).get("exception") for cell in kept[0].cells):
            stopped = shorten(str(error)) or type(error).__name__
    except (DeadKernelError, RuntimeError) as error:
        stopped = shorten(str(error)) or type(error).__name__
    except CellTimeoutError:
        stopped = limits.cell_is_overdue
    notebook = kept[0] if kept else None
    found = _failed_cell(notebook, limits)
    if found is None and stopped:
        found = CellError(_last_started(notebook), stopped)
    if found is None and notebook is not None:
        remove_error_markers(notebook)
    return Execution(notebook, found)


class _HandsOut:
    """Gives the notebook to ``kept`` before it runs, for those who want it even when it fails."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **given: Any) -> Any:
        given.pop("kept").append(nb_man.nb)
        return super().execute_managed_notebook(nb_man, kernel_name, **given)  # type: ignore[misc]


class _Fork(_HandsOut, ForkEngine):
    pass


class _Kernel(_HandsOut, NBClientEngine):  # type: ignore[misc]  # papermill has no types
    pass


for _engine in (_Fork, _Kernel):
    papermill_engines.register(_engine.__name__, _engine)


class _KernelManager(AsyncKernelManager):
    """This interpreter's kernel, whatever kernels are installed, on sockets that are files where paths allow.

    Ports of parallel kernels can clash; files in a folder of one's own cannot.
    """

    memory_bytes: int | None = None

    @property
    def kernel_spec(self) -> KernelSpec:
        program = Path(__file__).with_name("kernel.py")
        argv = [sys.executable, str(program), str(self.memory_bytes or ""), "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", env={"OPENBLAS_NUM_THREADS": "1"})

    def ended_by(self) -> str:
        """How the kernel process ended, or an empty string while it runs."""
        process = getattr(self.provisioner, "process", None)
        status = None if process is None else process.poll()
        return "" if status is None else how_it_ended(status)


@contextmanager
def _alarm(seconds: float | None) -> Iterator[list[bool]]:
    """End the kernel when the time is over; the list then has an element."""
    rung: list[bool] = []

    def ring(number: int, frame: FrameType | None) -> None:
        rung.append(True)
        kill_descendants(os.getpid())

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    try:
        yield rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _literal(path: Path) -> str:
    """The path as papermill has to be given it: it passes paths through ``str.format``."""
    return os.fspath(path).replace("{", "{{").replace("}", "}}")


def _trim_streams(notebook: NotebookNode) -> None:
    for _, cell in _code_cells(notebook):
        left = LONGEST_STREAM
        for output in cell.outputs:
            if output.output_type == "stream":
                over = len(output.text) - left
                left = max(0, left - len(output.text))
                if over > 0:
                    output.text = output.text[: len(output.text) - over] + left_out_note(over)


def _code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Code cells that a kernel runs, with the numbers they get."""
    return enumerate((c for c in notebook.cells if c.cell_type == "code" and c.source.strip()), start=1)


def _failed_cell(notebook: NotebookNode | None, limits: Limits) -> CellError | None:
    """The first cell with an error. ``sys.exit(0)`` is one: papermill takes it for a success half way."""
    for number, cell in _code_cells(notebook) if notebook is not None else ():
        is_expected = "raises-exception" in cell.metadata.get("tags", ())
        for output in cell.outputs:
            if output.output_type == "error" and not (is_expected and output.ename not in (TIMEOUT, DEATH)):
                return CellError(number, shorten(_what_happened(output, limits)))
    return None


def _what_happened(error: NotebookNode, limits: Limits) -> str:
    if error.ename == "SystemExit":
        return f"the cell ended the notebook with sys.exit({error.evalue})"
    if error.ename == TIMEOUT and error.evalue in (CELL_LIMIT, NOTEBOOK_LIMIT):
        is_cell = error.evalue == CELL_LIMIT
        return limits.cell_is_overdue if is_cell else limits.notebook_is_overdue
    said = f"{DIED if error.ename == DEATH else error.ename}: {error.evalue}".removesuffix(": ")
    if limits.memory_bytes is not None and any(sign in said for sign in _WANT_OF_MEMORY):
        allowed = f"a notebook may take {limits.memory_bytes // 1_000_000:,} MB (--memory)"
        said = f"{shorten(said, MESSAGE_BEFORE_LIMIT)}; {allowed}"
    return said


def _last_started(notebook: NotebookNode | None) -> int | None:
    """The cell in which a notebook stopped without an error of its own."""
    cells = _code_cells(notebook) if notebook is not None else ()
    return max((n for n, cell in cells if cell.metadata.get("papermill", {}).get("start_time")), default=None)
