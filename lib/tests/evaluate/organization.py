"""Demo organisations on disk, and the reports of all their teams, made as a run makes them but without notebooks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from matching import Report

from shokubai import demo, workspace
from shokubai.core.windows import Week, Window
from shokubai.demo.organization import FIRST_WEEK, LAST_WEEK, TOKYO
from shokubai.findings import finding_facts
from shokubai.page.facts import SCHEMA
from shokubai.workspace import TeamWeek
from shokubai.workspace.adhoc import Workspace

PARAMETERS = Path(__file__).resolve().parents[3] / "parameters"
ROWS = 1_000_000  # in a smaller demo most planted events stay below the rules' minimums
# From the first week of which all that it is compared with is in the log.
WEEKS = tuple(LAST_WEEK.plus(-n) for n in range(6, -1, -1))


def build(folder: Path, *, seed: int, rows: int = ROWS, quiet: bool = False) -> Workspace:
    """The demo of a seed and its small tables below ``folder``, with the shipped parameters."""
    demo.build(folder / "demo", rows=rows, seed=seed, quiet=quiet, threads=1)
    opened = workspace.open(PARAMETERS, folder)
    opened.tables.build(Window(FIRST_WEEK.window(TOKYO).start, LAST_WEEK.window(TOKYO).end))
    return opened


def reports(opened: Workspace, weeks: Sequence[Week]) -> list[Report]:
    """The findings of all teams, each week given the facts of the week before, where that is one of ``weeks``."""
    made = []
    for team in sorted(opened.parameters.teams):
        before: tuple[Week, Mapping[str, Any]] | None = None
        for week in weeks:
            previous = before[1] if before and before[0].plus(1) == week else None
            facts = _facts(opened.team_week(team, week, previous_facts=previous))
            window = week.window(opened.zone)
            made.append(Report(team, str(week), window.start, window.end, tuple(facts["findings"])))
            before = (week, facts)
    return made


def _facts(week: TeamWeek) -> dict[str, Any]:
    """Of the facts of a report those that findings are about; the other half of its work is left out."""
    facts = {
        "schema": SCHEMA,
        "status": "made" if week.has_data else "no_data",
        "team": week.team.name,
        "week": str(week.week),
        "slos": [{"name": s.slo.name, "verdict": s.verdict} for s in week.statuses] if week.has_data else [],
        "findings": [finding_facts(f) for f in week.findings] if week.has_data else [],
        "remembered_findings": [finding_facts(f) for f in week.ledger.remembered] if week.has_data else [],
    }
    read: dict[str, Any] = json.loads(json.dumps(facts, allow_nan=False))
    return read


def two_weeks(folder: Path, parameters: Path, *, salt: int, source: Path, week: Week) -> tuple[Workspace, Week]:
    """A log of two weeks made of one: each request of ``week`` went into one of them by chance.

    They lie side by side where both have five business days and no month turn, so that they are compared; whatever
    differs between them is chance. Metrics and records there are none.
    """
    later = Week(2026, 25)
    shutil.copytree(PARAMETERS, parameters, ignore=shutil.ignore_patterns("runs", "warehouses"))
    (parameters / "warehouses").mkdir()
    table = 'engine: duckdb\ntables:\n  requests: {path: "{outputs}/requests/*/*.parquet"}\n'
    (parameters / "warehouses" / "halves.yaml").write_text(table, encoding="utf-8")
    window = week.window(TOKYO)
    moved = later.window(TOKYO).start - window.start
    with demo.generator.connect(1) as connection:
        connection.execute(
            "CREATE TABLE halves AS SELECT * REPLACE (timestamp - CASE WHEN hash(timestamp, user_key, http_route, "
            "$salt) % 2 = 0 THEN $moved ELSE $further END AS timestamp) "
            "FROM read_parquet($path, hive_partitioning = false) WHERE timestamp >= $start AND timestamp < $end",
            {
                "path": str(source / "requests" / "*" / "*.parquet"),
                "salt": salt,
                "moved": -moved,
                "further": -moved + timedelta(weeks=1),
                "start": window.start,
                "end": window.end,
            },
        )
        (folder / "requests").mkdir(parents=True)
        connection.execute("SET VARIABLE target = $path", {"path": str(folder / "requests")})
        connection.execute(
            "COPY (SELECT *, strftime(timestamp, '%Y-%m-%d') AS day FROM halves ORDER BY timestamp) "
            "TO (getvariable('target')) (FORMAT parquet, PARTITION_BY (day))"
        )
    opened = workspace.open(parameters, folder, warehouse="halves")
    return opened, later
