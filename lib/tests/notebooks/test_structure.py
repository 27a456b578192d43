"""What the notebooks in the project must look like, so that they stay thin and their changes can be read."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from shokubai.config.model import LANGUAGES
from shokubai.runner.signature import read_signature

PROJECT = Path(__file__).resolve().parents[3]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
REPORTS = [path for path in NOTEBOOKS if path.stem in {"weekly_team_report", "meeting_pack", "sre_overview"}]
MOST_LINES = 12


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def parameters_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", [])]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def ids(path: Path) -> str:
    return path.stem


def test_the_notebooks_are_those_the_project_describes() -> None:
    assert {path.stem for path in NOTEBOOKS} >= {"weekly_team_report", "meeting_pack", "sre_overview", "explore"}
    assert len(REPORTS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=ids)
class TestEveryNotebook:
    def test_is_valid(self, path: Path) -> None:
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.kernelspec.name == "python3"

    def test_is_written_in_one_form(self, path: Path) -> None:
        again = json.dumps(read(path), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        assert path.read_text(encoding="utf-8") == again
        for cell in read(path)["cells"]:
            assert isinstance(cell["source"], list), "one line of source is one line of the file"
            assert all(line.endswith("\n") for line in cell["source"][:-1])

    def test_holds_no_results(self, path: Path) -> None:
        for cell in code_cells(path):
            assert cell["outputs"] == []
            assert cell["execution_count"] is None

    def test_has_short_unique_cell_ids(self, path: Path) -> None:
        found = [cell["id"] for cell in read(path)["cells"]]
        assert len(set(found)) == len(found)
        assert all(re.fullmatch(r"[0-9a-f]{8}", one) for one in found)

    def test_has_one_typed_and_explained_cell_of_parameters_before_all_other_code(self, path: Path) -> None:
        (cell,) = parameters_cells(path)
        assert code_cells(path)[0] == cell
        for line in source(cell).splitlines():
            assert re.fullmatch(r'[a-z_]+: [a-z]+ = (".*"|\d+)  # \S.*', line), line

    def test_is_thin(self, path: Path) -> None:
        for cell in code_cells(path):
            assert len(source(cell).splitlines()) <= MOST_LINES, source(cell)
            for node in ast.walk(ast.parse(source(cell))):
                assert not isinstance(node, ast.FunctionDef | ast.ClassDef), "code belongs into the library"

    def test_says_what_it_is_for(self, path: Path) -> None:
        first = read(path)["cells"][0]
        assert first["cell_type"] == "markdown"
        assert source(first).startswith("# ")


@pytest.mark.parametrize("path", REPORTS, ids=ids)
class TestReports:
    def test_has_a_title_in_every_language(self, path: Path) -> None:
        title = read(path)["metadata"]["shokubai"]["title"]
        assert set(title) == set(LANGUAGES)
        assert read_signature(path).title == title
        assert len(set(title.values())) == len(LANGUAGES)

    def test_holds_neither_queries_nor_formulas(self, path: Path) -> None:
        for cell in code_cells(path):
            if cell in parameters_cells(path):
                continue
            for node in ast.walk(ast.parse(source(cell))):
                allowed = (
                    ast.Module | ast.Expr | ast.Assign | ast.ImportFrom | ast.alias | ast.Name | ast.Attribute
                    | ast.Call | ast.keyword | ast.expr_context
                )  # fmt: skip
                assert isinstance(node, allowed), ast.dump(node)

    def test_words_for_readers_come_from_the_library(self, path: Path) -> None:
        for cell in read(path)["cells"]:
            if cell["cell_type"] == "markdown":
                assert "notebook-only" in cell["metadata"]["tags"]

    def test_records_its_facts_last(self, path: Path) -> None:
        assert source(code_cells(path)[-1]).endswith(".record()")
