"""A notebook's parameters cell read as a function signature, and checked before anything runs."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shokubai.config.model import LANGUAGES
from shokubai.core.errors import UsageError, nearest_spelling

TAG = "parameters"


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell. ``type`` is its annotation, else the type of its default, else empty."""

    name: str
    type: str
    default: str | None  # source text; None: the notebook cannot run without a value
    help: str = ""

    def accepts(self, value: object) -> bool:
        """Whether the declared type allows the value; an undeclared type allows any."""
        allowed = {part.strip() for part in self.type.replace("Optional[", "None | ").rstrip("]").split("|")}
        return self.type == "" or type(value).__name__ in allowed or "Any" in allowed


@dataclass(frozen=True)
class Signature:
    """What a notebook can be told, by parameter name."""

    notebook: Path
    parameters: Mapping[str, Parameter]
    title: Mapping[str, str]  # by language: the notebook's metadata shokubai.title, else its first heading
    # Notebooks of the same team and week whose facts it reads: its metadata shokubai.reads.
    reads: tuple[str, ...] = ()

    def problems(self, given: Mapping[str, object], *, needed: Iterable[str] = ()) -> list[str]:
        """Why the notebook cannot be run with the values ``given``, one sentence each; empty when it can.

        ``needed`` are names that must be parameters of the notebook; other given values the notebook does not ask
        for are simply not passed.
        """
        found = []
        for name in needed:
            if name not in self.parameters:
                near = nearest_spelling(name, list(self.parameters))
                hint = f"; did you mean {name!r} by {near!r}?" if near else ""
                found.append(f"{self.notebook}: the parameters cell has no {name!r}, which the run sets{hint}")
        for parameter in self.parameters.values():
            if parameter.name not in given:
                if parameter.default is None:
                    allowed = ", ".join(sorted(given))
                    found.append(
                        f"{self.notebook}: parameter {parameter.name!r} has no default and no run sets it; "
                        f"give it a default (a run sets: {allowed})"
                    )
            elif not parameter.accepts(given[parameter.name]):
                kind = type(given[parameter.name]).__name__
                found.append(
                    f"{self.notebook}: parameter {parameter.name!r} is declared as {parameter.type}, but the run "
                    f'sets a {kind}; declare it as {parameter.name}: {kind} = ""'
                )
        return found

    def choose(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the values that the notebook asks for."""
        return {name: value for name, value in values.items() if name in self.parameters}


def read_signature(path: Path) -> Signature:
    """The parameters of a notebook: name, type, default and the comment beside it.

    Raises UsageError when the file is no notebook, when it has not exactly one cell tagged ``parameters``, or
    when that cell holds anything but plain assignments, or when ``shokubai.reads`` is no list of names.
    """
    notebook = _read(path)
    cells = [cell for cell in notebook["cells"] if TAG in cell.get("metadata", {}).get("tags", ())]
    if len(cells) != 1 or cells[0]["cell_type"] != "code":
        raise UsageError(
            f"{path}: found {len(cells)} cells tagged {TAG!r}, allowed is exactly one code cell; in JupyterLab "
            "tag it under Property Inspector → Cell Tags"
        )
    source = _source(cells[0])
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise UsageError(f"{path}: the parameters cell is not Python: line {error.lineno}: {error.msg}") from error
    comments = _comments(source)
    parameters = {}
    for statement in tree.body:
        parameter = _parameter(statement, comments.get(statement.end_lineno or 0, ""))
        if parameter is None:
            raise UsageError(
                f"{path}: line {statement.lineno} of the parameters cell is {ast.unparse(statement)!r}; allowed are "
                'only assignments such as week: str = "2026-W44"  # meaning'
            )
        parameters[parameter.name] = parameter
    return Signature(path, parameters, _title(notebook, path), _reads(notebook, path))


def _read(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        there = sorted(p.stem for p in path.parent.glob("*.ipynb"))
        near = nearest_spelling(path.stem, there)
        hint = f"; did you mean {near!r}?" if near else ""
        raise UsageError(f"{path}: no such notebook; there are: {', '.join(there) or 'none'}{hint}") from error
    except ValueError as error:
        raise UsageError(f"{path}: not a notebook: {error}") from error
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise UsageError(f"{path}: not a notebook of format 4; save it again in JupyterLab")
    return notebook


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _title(notebook: Mapping[str, Any], path: Path) -> dict[str, str]:
    lines = [line for c in notebook["cells"] if c["cell_type"] == "markdown" for line in _source(c).splitlines()]
    heading = next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), "")
    named = notebook.get("metadata", {}).get("shokubai", {}).get("title", {})
    return {language: str(named.get(language) or heading or path.stem) for language in LANGUAGES}


def _reads(notebook: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    named = notebook.get("metadata", {}).get("shokubai", {}).get("reads", [])
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise UsageError(
            f"{path}: the metadata shokubai.reads is {named!r}; allowed is a list of notebooks' names, such as "
            '["weekly_team_report"]'
        )
    return tuple(named)


def _parameter(statement: ast.stmt, comment: str) -> Parameter | None:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            default = None if value is None else ast.unparse(value)
            return Parameter(name, ast.unparse(annotation).strip("'\""), default, comment)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            kind = type(value.value).__name__ if isinstance(value, ast.Constant) and value.value is not None else ""
            return Parameter(name, kind, ast.unparse(value), comment)
    return None


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}
