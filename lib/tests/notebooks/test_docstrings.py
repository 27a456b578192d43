"""What Shift-Tab shows in a notebook: every frame of the façade names its columns, its grain and their units."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from shokubai.workspace import Workspace, open

PROJECT = Path(__file__).resolve().parents[3]
WEEK = "2026-W44"


@pytest.fixture(scope="module")
def sk(demo_outputs: Path) -> Workspace:
    return open(PROJECT / "parameters", demo_outputs)


FRAMES: dict[str, Callable[[Workspace], pd.DataFrame]] = {
    "requests": lambda sk: sk.requests(WEEK, by=["route", "hour", "day"], team="search"),
    "percentiles": lambda sk: sk.percentiles(WEEK, by=["route", "hour", "day"], team="search"),
    "slo_status": lambda sk: sk.slo_status(WEEK, team="search"),
    "deployments": lambda sk: sk.deployments(WEEK),
    "incidents": lambda sk: sk.incidents(WEEK),
    "alerts": lambda sk: sk.alerts(WEEK),
    "metrics": lambda sk: sk.metrics("2026-10-27", team="search"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_every_column_is_named_with_its_unit(sk: Workspace, name: str) -> None:
    frame = FRAMES[name](sk)
    assert len(frame) > 0
    said = getattr(Workspace, name).__doc__ or ""
    assert [c for c in frame.columns if not re.search(rf"\b{c}\b", said)] == []
    assert "ne row" in said or name == "percentiles"
    if any(isinstance(dtype, pd.DatetimeTZDtype) for dtype in frame.dtypes):
        assert "UTC" in said
    if any(str(column).endswith("_ratio") for column in frame.columns):
        assert "0–1" in said


def test_comparisons_explain_their_endings(sk: Workspace) -> None:
    frame = sk.compare("2026-10-26", "2026-10-28", team="search")
    said = Workspace.compare.__doc__ or ""
    own = [c for c in frame.columns if not str(c).endswith(("_before", "_after"))]
    assert {"p95_ratio", "error_ratio_change"} <= set(own)
    for word in ("_before", "_after", "p95_ratio", "error_ratio_change"):
        assert word in said


def test_a_window_is_explained_where_a_workspace_is_looked_at() -> None:
    said = Workspace.__doc__ or ""
    for example in ("2026-W44", "2026-10-27", "from/to", "UTC", "seconds"):
        assert example in said
    assert "parameters" in (open.__doc__ or "")
