"""The way without Shokubai's runner: papermill, then nbconvert, one report after the other, with their defaults.

``python stock.py work.json`` makes the reports described there (see ``Work`` in ``reports.py``). nbconvert's template
does not know plotly's mime bundle, which is how our notebook shows its charts, and would leave them out. For the same
report the stock way takes plotly's own figures, whose HTML brings plotly.js along, once in a page: one cell more has
IPython show every chart so.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nbformat
import papermill
from nbconvert import HTMLExporter

CHARTS_AS_HTML = """\
import itertools
import plotly.io
from IPython import get_ipython
from shokubai.display.exhibit import Figure

first = itertools.chain([True], itertools.repeat(False))
get_ipython().display_formatter.formatters["text/html"].for_type(
    Figure, lambda figure: plotly.io.to_html(figure.to_plotly(), include_plotlyjs=next(first), full_html=False)
)
"""


def main() -> None:
    work = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.environ.update(work["environment"])
    notebook = nbformat.read(work["notebook"], as_version=4)
    after_parameters = 1 + next(n for n, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", ()))
    notebook.cells.insert(after_parameters, nbformat.v4.new_code_cell(CHARTS_AS_HTML))
    with_charts = Path(sys.argv[1]).with_name("notebook.ipynb")
    nbformat.write(notebook, with_charts)
    for report in work["reports"]:
        folder = Path(report["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        made = folder / "report.ipynb"
        papermill.execute_notebook(str(with_charts), str(made), report["values"])
        page, _ = HTMLExporter().from_filename(str(made))
        (folder / "report.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
