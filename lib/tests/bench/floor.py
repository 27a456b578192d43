"""The floor under a run: a notebook's cells as a plain function, in processes forked from a warm one.

``python floor.py work.json`` makes the reports described there (see ``Work`` in ``reports.py``) without papermill,
IPython's shell and nbformat in between: what remains is the work itself, and the page and files that come of it.
``--profile NAME`` makes just that report, in this process, and prints where its time went.
"""

from __future__ import annotations

import argparse
import ast
import cProfile
import importlib
import json
import os
import pkgutil
import pstats
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import CodeType
from typing import Any

LINES_OF_PROFILE = 60


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--profile", metavar="NAME", default="")
    given = parser.parse_args()
    work = json.loads(given.work.read_text(encoding="utf-8"))
    os.environ.update(work["environment"])
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a forked process must not miss threads that its parent had
    warm_up(Path(work["reports"][0]["values"]["parameters_dir"]))
    program = Program(Path(work["notebook"]))
    if given.profile:
        profile(program, next(r for r in work["reports"] if r["name"] == given.profile))
        return
    run_forked([lambda report=report: make_report(program, report) for report in work["reports"]], jobs=work["jobs"])


def warm_up(parameters: Path) -> None:
    """Load what is the same for every report: modules, queries, templates, words, the organisation's parameters.

    Nothing of it may start a thread.
    """
    import duckdb
    import holidays
    import IPython.display
    import pandas
    import plotly
    import pyarrow.pandas_compat
    import pyarrow.parquet
    import pyarrow.vendored.version

    import shokubai.findings
    import shokubai.page
    from shokubai import config
    from shokubai.sources import load_query
    from shokubai.tables.store import QUERY_PACKAGE

    assert all((duckdb, IPython.display, pandas, plotly, pyarrow.pandas_compat, pyarrow.parquet, pyarrow.vendored))
    for rule in pkgutil.walk_packages(shokubai.findings.__path__, "shokubai.findings."):
        importlib.import_module(rule.name)
    for query in files(QUERY_PACKAGE).iterdir():
        if query.name.endswith(".sql"):
            load_query(QUERY_PACKAGE, query.name.removesuffix(".sql"))
    holidays.country_holidays(config.load(parameters).organization.calendar.country)
    _read_words_and_templates()


def _read_words_and_templates() -> None:
    from shokubai import site
    from shokubai.config.model import LANGUAGES
    from shokubai.display import exhibit, words
    from shokubai.display.prose import findings

    nothing = exhibit.Table("", (exhibit.Header(""),), ())
    data, metadata = exhibit.Figure("", [], {}, "", nothing)._repr_mimebundle_()
    output = {"output_type": "display_data", "data": data, "metadata": metadata}
    cell = {"cell_type": "code", "source": "", "metadata": {}, "outputs": [output]}
    exhibit.notebook_style()
    for language in LANGUAGES:
        words.vocabulary(language)
        findings.vocabulary(language)
        site.render_page({"cells": [cell]}, title="", language=language)


class Program:
    """A notebook's code cells, compiled once; what a cell's last expression gives is displayed."""

    def __init__(self, notebook: Path) -> None:
        self.notebook = json.loads(notebook.read_text(encoding="utf-8"))
        self.cells = [
            compile_cell("".join(cell["source"])) if cell["cell_type"] == "code" else None
            for cell in self.notebook["cells"]
        ]

    def run(self, values: Mapping[str, object]) -> dict[str, Any]:
        """The notebook as executed with ``values``, as nbformat 4 JSON."""
        import IPython.display

        outputs: list[dict[str, Any]] = []
        IPython.display.display = collector(outputs)
        names: dict[str, object] = {"__name__": "__main__"}
        cells = []
        for count, (cell, code) in enumerate(zip(self.notebook["cells"], self.cells, strict=True), start=1):
            if code is None:
                cells.append(cell)
                continue
            body, last = code
            exec(body, names)
            if last is not None:
                IPython.display.display(eval(last, names))
            cells.append({**cell, "execution_count": count, "outputs": list(outputs)})
            outputs.clear()
            if "parameters" in cell["metadata"].get("tags", ()):
                names.update(values)
        return {**self.notebook, "cells": cells}


def compile_cell(source: str) -> tuple[CodeType, CodeType | None]:
    """A cell as statements, and as the expression that ends it, if one does."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    expression = compile(ast.Expression(last.value), "<cell>", "eval") if isinstance(last, ast.Expr) else None
    return compile(tree, "<cell>", "exec"), expression


def collector(outputs: list[dict[str, Any]]) -> Callable[[Any], None]:
    """What takes the place of IPython's ``display``: it keeps the bundles of what is shown."""

    def display(shown: Any) -> None:
        if shown is None:
            return
        if hasattr(shown, "_ipython_display_"):
            shown._ipython_display_()
            return
        data, metadata = shown._repr_mimebundle_()
        outputs.append({"output_type": "display_data", "data": data, "metadata": metadata})

    return display


def make_report(program: Program, report: Mapping[str, Any]) -> None:
    """One report's page, notebook and facts, in the folder given."""
    from shokubai import site

    notebook = program.run(report["values"])
    folder = Path(report["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    facts = site.extract_facts(notebook)
    assert facts is not None and facts["status"] == "made", report["name"]
    page = site.render_page(notebook, title=report["title"], language=report["language"])
    (folder / "report.html").write_text(page, encoding="utf-8")
    (folder / "report.facts.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "report.ipynb").write_text(json.dumps(notebook, ensure_ascii=False, indent=1), encoding="utf-8")


def run_forked(functions: Sequence[Callable[[], None]], *, jobs: int) -> None:
    """Call each function in a process of its own, ``jobs`` at once. Raises SystemExit when one of them failed."""
    failed = running = 0

    def wait() -> int:
        _, status = os.wait()
        return int(status != 0)

    for function in functions:
        if running == jobs:
            failed += wait()
            running -= 1
        if os.fork() == 0:
            end = 1
            try:
                function()
                end = 0
            finally:
                sys.stderr.flush()
                os._exit(end)  # no clean-up of what belongs to the parent
        running += 1
    for _ in range(running):
        failed += wait()
    if failed:
        sys.exit(f"{failed} reports could not be made")


def profile(program: Program, report: Mapping[str, Any]) -> None:
    """Make a report in this process and print what it spent by cumulative time and by its own."""
    made = cProfile.Profile()
    made.runcall(make_report, program, report)
    for order in ("cumulative", "tottime"):
        pstats.Stats(made, stream=sys.stdout).sort_stats(order).print_stats(LINES_OF_PROFILE)


if __name__ == "__main__":
    main()
