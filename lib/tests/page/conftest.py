from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shokubai import workspace
from shokubai.config.model import Parameters
from shokubai.page.facts import weekly_facts
from shokubai.site.export import render_page
from shokubai.workspace import Workspace

PARAMETERS = Path(__file__).parents[3] / "parameters"
FOLLOWS = {"2026-W43": None, "2026-W44": "2026-W43"}  # whose facts a report is given

Facts = dict[str, Any]


@pytest.fixture(scope="session")
def demo_workspace(demo_outputs: Path) -> Workspace:
    return workspace.open(PARAMETERS, demo_outputs)


@pytest.fixture(scope="session")
def parameters(demo_workspace: Workspace) -> Parameters:
    """The shipped parameters."""
    return demo_workspace.parameters


@pytest.fixture(scope="session")
def demo_facts(demo_outputs: Path, demo_workspace: Workspace) -> Callable[[str, str], Facts]:
    """A function that gives what the report of a team and week states; workers share what they computed."""

    def facts(team: str, week: str) -> Facts:
        folder = demo_outputs / "facts" / week
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f".{team}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            file = folder / f"{team}.json"
            if not file.exists():
                before = FOLLOWS.get(week)
                previous = facts(team, before) if before else None
                made = weekly_facts(demo_workspace.team_week(team, week, previous_facts=previous))
                file.write_text(json.dumps(made, ensure_ascii=False, allow_nan=False), encoding="utf-8")
        stated: Facts = json.loads(file.read_text(encoding="utf-8"))
        return stated

    return facts


@pytest.fixture(scope="session")
def truth(demo_outputs: Path) -> dict[str, Any]:
    counted: dict[str, Any] = json.loads((demo_outputs / "demo" / "truth.json").read_text(encoding="utf-8"))
    return counted


@pytest.fixture(scope="session")
def as_html() -> Callable[[Any], str]:
    """A function that shows every section of a page and gives the HTML that is exported from it."""

    def html(page: Any) -> str:
        outputs = []
        for name in SECTIONS:
            for exhibit in getattr(page, name)().exhibits:
                data, metadata = exhibit._repr_mimebundle_()
                outputs.append({"output_type": "display_data", "data": data, "metadata": metadata})
        data, metadata = page.record()._repr_mimebundle_()
        outputs.append({"output_type": "display_data", "data": data, "metadata": metadata})
        cell = {"cell_type": "code", "source": "", "metadata": {}, "execution_count": 1, "outputs": outputs}
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        # Through JSON, as the notebook's file does.
        return render_page(json.loads(json.dumps(notebook, allow_nan=False)), title="Report", language="en")

    return html


SECTIONS = (
    "header",
    "verdict",
    "budget",
    "burn",
    "traffic",
    "errors",
    "latency",
    "routes",
    "changes",
    "saturation",
    "data_quality",
    "provenance",
)
