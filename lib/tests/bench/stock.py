"""The way without Shokubai's runner: papermill, then nbconvert, one report after the other, with their defaults.

``python stock.py work.json`` makes the reports described there (see ``Work`` in ``reports.py``). nbconvert's template
does not know plotly's mime bundle, which is how our notebook shows its charts, and puts their text in their place: a
page without plotly's five megabytes of JavaScript, so that this way is measured as cheaper than it is for who wants
charts.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import papermill
from nbconvert import HTMLExporter


def main() -> None:
    work = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.environ.update(work["environment"])
    for report in work["reports"]:
        folder = Path(report["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        notebook = folder / "report.ipynb"
        papermill.execute_notebook(work["notebook"], str(notebook), report["values"])
        page, _ = HTMLExporter().from_filename(str(notebook))
        (folder / "report.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
