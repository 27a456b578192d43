"""The papermill engine ``shokubai``: each notebook runs in a process forked from this one, without a kernel.

``papermill --engine shokubai in.ipynb out.ipynb`` works too. Fork before anything starts threads.
"""

from __future__ import annotations

import math
import platform
import time
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from papermill.engines import Engine

from shokubai.runner.notebook_process import CellTimedOutError, NotebookProcess, ProcessDiedError

NAME = "shokubai"
TIMEOUT, DEATH = "CellTimeoutError", "DeadKernelError"  # nbclient's names for the same
FAILURE, SILENT = "CellExecutionError", "the cell failed and could not say why, as when memory runs out"
CELL_LIMIT, NOTEBOOK_LIMIT = "the cell's time limit was reached", "the notebook's time limit was reached"


class ForkEngine(Engine):  # type: ignore[misc]  # papermill has no types
    """Outputs are those that a kernel would leave."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        execution_timeout: float | None = None,
        notebook_timeout: float | None = None,
        memory_bytes: int | None = None,
        **_: Any,
    ) -> None:
        """Run the cells in order until one fails.

        ``execution_timeout`` is the limit of each cell and ``notebook_timeout`` that of all together, in seconds;
        ``memory_bytes`` is what the process may have for itself. A cell that breaks a limit of time, or whose process
        dies, gets an error output that says so.
        """
        notebook = nb_man.nb
        notebook.metadata["language_info"] = _language()
        shown: dict[str, list[NotebookNode]] = {}
        until = None if notebook_timeout is None else time.monotonic() + notebook_timeout
        process = NotebookProcess(memory_bytes=memory_bytes)
        try:
            for index, cell in enumerate(notebook.cells):
                nb_man.cell_start(cell, index)
                try:
                    if cell.cell_type == "code" and cell.source.strip():
                        limit = _next_limit(execution_timeout, until)
                        if not _run(process, cell, shown, *limit):
                            nb_man.cell_exception(cell, index)
                            break
                finally:
                    nb_man.cell_complete(cell, index)
        finally:
            process.end()


def _next_limit(cell_seconds: float | None, until: float | None) -> tuple[float | None, str]:
    """The seconds that the next cell may take, and which limit that is."""
    left = math.inf if until is None else max(0.0, until - time.monotonic())
    if cell_seconds is not None and cell_seconds <= left:
        return cell_seconds, CELL_LIMIT
    return None if math.isinf(left) else left, NOTEBOOK_LIMIT


def _run(
    process: NotebookProcess,
    cell: NotebookNode,
    shown: dict[str, list[NotebookNode]],
    seconds: float | None,
    limit: str,
) -> bool:
    """Run one cell and keep its outputs; whether the next may run."""
    result, stopped_by = None, None
    try:
        result = process.run(cell.source, seconds=seconds)
    except CellTimedOutError as error:
        result, stopped_by = error.result, (TIMEOUT, limit)
    except ProcessDiedError as error:
        stopped_by = (DEATH, str(error))
    if result is not None:
        cell.execution_count = result.execution_count
        cell.outputs = [_output(output, shown) for output in result.outputs]
        for update in result.updates:  # also of what this cell did not show last
            for output in shown.get(update["display_id"], ()):
                output.data, output.metadata = from_dict(update["data"]), from_dict(update["metadata"])
    if stopped_by is not None:
        # The interruption's own traceback is of no interest.
        cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
        cell.outputs.append(new_output("error", ename=stopped_by[0], evalue=stopped_by[1], traceback=[]))
        return False
    assert result is not None
    if not result.is_ok and not any(output.output_type == "error" for output in cell.outputs):
        cell.outputs.append(new_output("error", ename=FAILURE, evalue=SILENT, traceback=[]))
    return result.is_ok or "raises-exception" in cell.metadata.get("tags", ())


def _output(output: dict[str, Any], shown: dict[str, list[NotebookNode]]) -> NotebookNode:
    display_id = output.pop("display_id", None)
    node: NotebookNode = from_dict(output)
    if display_id:
        shown.setdefault(display_id, []).append(node)
    return node


def _language() -> dict[str, Any]:
    """What IPython's kernel says of its language."""
    return {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": platform.python_version(),
    }
