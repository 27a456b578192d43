"""Pairs of weeks between which nothing was changed: what their reports find is false.

A pair is of one of two kinds. ``quiet``: a week of a demo in which nothing is planted, beside the weeks that its
reports compare it with, holidays and month ends among them. ``halves``: the requests of one such week, divided by
chance into a week and the week before.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from calendar_days import named_days
from matching import ALARMS, Report
from organization import ROWS, WEEKS, build, reports, two_weeks

from shokubai.core.windows import Week

Result = dict[str, Any]


def measure(
    seed: int, folder: Path, *, rows: int = ROWS, weeks: Sequence[Week] = WEEKS, halves: bool = True
) -> list[Result]:
    """One result per pair: each week of the quiet demo of a seed, as it is and in halves."""
    opened = build(folder, seed=seed, rows=rows, quiet=True)
    made = reports(opened, weeks)
    found = [_result("quiet", seed, week, [r for r in made if r.week == str(week)]) for week in weeks]
    return found + list(_halves(seed, folder, weeks)) if halves else found


def _halves(seed: int, folder: Path, weeks: Sequence[Week]) -> Iterator[Result]:
    for week in weeks:
        part = folder / f"halves-{week}"
        opened, later = two_weeks(part / "outputs", part / "parameters", salt=seed, source=folder / "demo", week=week)
        yield _result("halves", seed, week, reports(opened, [later]))
        shutil.rmtree(part)


def _result(kind: str, seed: int, week: Week, made: Sequence[Report]) -> Result:
    """What one run, the reports of all teams of a week, found. Good news is no finding here: it asks for nothing."""
    told = [(report.team, f) for report in made for f in report.findings if f["severity"] != "good"]
    is_turn = [(f["rule"], f["case"]) == ("traffic", "month_turn") for _, f in told]
    return {
        "kind": kind,
        "seed": seed,
        "week": str(week),
        "days": named_days(week.days()[0], week.days()[-1]),
        "reports": len(made),
        "alarms": [_told(team, f) for team, f in told if f["severity"] in ALARMS],
        "notices": [
            _told(team, f)
            for (team, f), turn in zip(told, is_turn, strict=True)
            if f["severity"] not in ALARMS and not turn
        ],
        "month_turns": sum(is_turn),
        "reports_with_alarms": len({team for team, f in told if f["severity"] in ALARMS}),
    }


def _told(team: str, finding: Any) -> Result:
    return {
        "team": team,
        "finding": finding["id"],
        "case": finding["case"],
        "severity": finding["severity"],
        "numbers": finding["numbers"],
    }
