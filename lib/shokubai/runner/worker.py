"""What one process does: execute a notebook, check its facts, write page, notebook and facts into staging."""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import nbformat

from shokubai import site
from shokubai.core.windows import Week
from shokubai.runner.execute import Execution, execute_notebook
from shokubai.runner.orphans import adopt_orphans, die_with_parent, end_descendants
from shokubai.runner.places import relative_to_report, without_places
from shokubai.runner.task import LOG, CellError, Result, Task, shorten


def run(task: Task, *, parent: int) -> None:
    """Make one report and end this process, which the process ``parent`` started."""
    _settle_in(task, parent)
    try:
        result = make_report(task)
    finally:
        end_descendants()
    result.write(task.staging)
    # A kernel's client leaves threads and sockets behind that nobody needs to wait for.
    os._exit(0)


def make_report(task: Task) -> Result:
    """Write report.html, report.ipynb and report.facts.json into the task's staging folder.

    A failed notebook is written as far as it got; then there is no page and there are no facts.
    """
    execution = execute_notebook(
        task.notebook, task.values, engine=task.engine, limits=task.limits, scratch=task.scratch
    )
    _write_notebook(execution, task)
    if execution.error or execution.notebook is None:
        return Result("failed", execution.error)
    facts = site.extract_facts(execution.notebook)
    if facts is None:
        return Result(
            "failed", CellError(None, "the notebook records no facts; its last cell should be: page.record()")
        )
    if problem := facts_problem(facts):
        return Result("failed", CellError(None, problem))
    links = pages_around(task.home, task.notebook.stem)
    page = site.render_page(execution.notebook, title=task.title, language=task.language, links=links)
    (task.staging / "report.html").write_text(page, encoding="utf-8")
    (task.staging / "report.facts.json").write_text(
        json.dumps(facts, ensure_ascii=False, allow_nan=False, indent=1) + "\n", encoding="utf-8"
    )
    return Result(facts["status"])


def pages_around(home: Path, report: str) -> dict[site.LinkName, str]:
    """Relative links from a report in ``home`` (…/week/team) to its week's page and to the report a week before."""
    links: dict[site.LinkName, str] = {"week": "../index.html"}
    before = Path(str(Week.parse(home.parent.name).plus(-1)), home.name, f"{report}.html")
    if (home.parents[1] / before).is_file():
        links["previous"] = f"../../{before.as_posix()}"
    return links


def facts_problem(facts: Mapping[str, Any]) -> str:
    """Why facts break their contract, or an empty string."""
    if facts.get("status") not in ("made", "no_data"):
        return f"facts: status is {facts.get('status')!r}; allowed: 'made', 'no_data'"
    for resource in files("shokubai").joinpath("page").iterdir():
        if resource.name.endswith(".schema.json"):
            schema = json.loads(resource.read_text(encoding="utf-8"))
            if schema.get("$id") == facts.get("schema"):
                error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(facts))
                return shorten(f"facts: {error.json_path}: {error.message}") if error else ""
    return ""


def _settle_in(task: Task, parent: int) -> None:
    """Own process group, own log, no survivors; nothing of the user's Jupyter or IPython set-up."""
    os.setsid()
    die_with_parent(parent)
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = os.open(task.staging / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    for name, value in task.environment.items():
        os.environ.setdefault(name, value)
    os.environ["JUPYTER_RUNTIME_DIR"] = str(task.scratch)
    os.environ["IPYTHONDIR"] = str(task.scratch / "ipython")
    sys.stdout.flush()


def _write_notebook(execution: Execution, task: Task) -> None:
    notebook = execution.notebook
    if notebook is None:
        return
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", ()):
            for name, value in task.values.items():
                if value and (name.endswith("_dir") or name == "previous_facts"):
                    cell.source = cell.source.replace(value, relative_to_report(value, task.home))
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                output.evalue = without_places(output.evalue, task.folders)
                output.traceback = [without_places(line, task.folders) for line in output.traceback]
            elif output.output_type == "stream":
                output.text = without_places(output.text, task.folders)
    notebook.metadata.papermill = {"input_path": task.notebook.name, "exception": execution.error is not None}
    nbformat.write(notebook, task.staging / "report.ipynb")


if __name__ == "__main__":
    run(pickle.load(sys.stdin.buffer), parent=int(sys.argv[1]))  # from the run itself
