"""Real public data, imported and reported by the commands that a user has."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shokubai.cli import main
from shokubai.display.arrays import decode_trace

PLOTLY = "application/vnd.plotly.v1+json"


@dataclass(frozen=True)
class Report:
    """One team's report as it lies in the outputs."""

    html: str
    notebook: str
    facts: dict[str, Any]

    @property
    def page(self) -> str:
        """The page without plotly's own code."""
        return self.html.partition("<main")[2]

    @property
    def figures(self) -> list[dict[str, Any]]:
        cells = json.loads(self.notebook)["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        figures = [output["data"][PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
        return [{**figure, "data": [decode_trace(trace) for trace in figure["data"]]} for figure in figures]

    def figure(self, part_of_title: str) -> dict[str, Any]:
        """The one figure whose title holds the words."""
        (found,) = (
            figure
            for figure in self.figures
            if part_of_title in figure["layout"]["title"]["text"].replace("<br>", " ")
        )
        return found


@dataclass(frozen=True)
class Project:
    """Folders of parameters and outputs, and the commands on them."""

    folder: Path

    @property
    def parameters(self) -> Path:
        return self.folder / "parameters"

    def run(self, *arguments: str) -> str:
        """What a command prints; it must succeed."""
        folders = ["--parameters", str(self.parameters), "--outputs", str(self.folder / "outputs")]
        result = CliRunner().invoke(main, [*arguments, *folders])
        assert result.exit_code == 0, result.output
        return result.stdout

    def report(self, team: str, week: str) -> Report:
        self.run("run", "weekly", "--week", week)
        stem = self.folder / "outputs" / "weekly" / week / team / "weekly_team_report"
        return Report(
            stem.with_suffix(".html").read_text(encoding="utf-8"),
            stem.with_suffix(".ipynb").read_text(encoding="utf-8"),
            json.loads(stem.with_suffix(".facts.json").read_text(encoding="utf-8")),
        )

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the one place where a parameter file has a text."""
        path = self.parameters / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, text
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="session")
def real_data() -> Path:
    return Path(os.environ["SHOKUBAI_REAL_DATA"])


@pytest.fixture(scope="module")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    return lambda: Project(tmp_path_factory.mktemp("project"))
