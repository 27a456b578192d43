"""A short disturbance of real runs; ``make chaos`` is the long one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.notebooks


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(HERE))
    from world import World

    made = World(tmp_path / "project")
    yield made
    made.close()


def test_every_kind_of_cell_has_its_end_and_leaves_the_other_reports_alone(world: Any) -> None:
    from disturbances import CELLS, disturb
    from world import TEAMS

    world.write_notebook({})
    kinds = list(CELLS)
    for start in range(0, len(kinds), len(TEAMS)):
        planted = dict(zip(TEAMS, kinds[start : start + len(TEAMS)], strict=False))
        outcome = disturb(world, planted=planted, hit=None, moment=0, engine="fork", chance=random.Random(0))
        assert outcome.violations == []
        assert outcome.statuses == {kind: "failed" if CELLS[kind].message else "made" for kind in planted.values()}


def test_signals_and_full_disks_end_no_report_half_way(world: Any) -> None:
    from disturbances import FULL_DISK, HITS, disturb

    world.write_notebook({})
    assert world.start().wait() == 0
    chance = random.Random(7)
    tested_elsewhere = {"report's process killed", "run interrupted"}  # among the runner's own tests
    for hit in [*sorted(HITS.keys() - tested_elsewhere), *([FULL_DISK] if world.has_small_disk else [])]:
        outcome = disturb(world, planted={}, hit=hit, moment=chance.random(), engine="fork", chance=chance)
        assert outcome.violations == [], hit
        assert outcome.statuses[hit] != "missed"


def test_what_is_half_or_left_over_is_seen(world: Any) -> None:
    """The examination itself finds what it is there to find."""
    world.write_notebook({})
    run = world.start()
    assert run.wait() == 0
    assert world.half_reports() == world.left_over() == []
    page = world.week / "alpha" / "report.html"
    page.write_text(page.read_text()[:-20])
    (world.week / "beta" / "report.facts.json").write_text('{"generation": 7}')
    (world.week / "gamma" / "report.ipynb").unlink()
    (world.week / ".staging-1").mkdir()
    assert world.half_reports() == [
        "alpha: its page has no end",
        "beta: report: page and facts do not agree",
        "gamma: lacks report.ipynb",
    ]
    assert world.left_over() == [".staging-1"]
    assert sorted(team for team, record in world.journal().items() if not world.is_as_recorded(record)) == [
        "alpha",
        "beta",
        "gamma",
    ]
