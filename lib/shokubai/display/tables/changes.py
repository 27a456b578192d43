"""What happened in the week, in one list: deployments, incidents, alerts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from shokubai.core.windows import Window
from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import Locale
from shokubai.display.frames import Events


def changes(events: Events, *, alerts: pd.DataFrame, window: Window, locale: Locale) -> Table:
    """Deployments, incidents and alerts (ALERTS) that touch the window, in order of time."""
    mine = events.of(None, window)
    fired = alerts[(alerts["fired_at"] >= window.start) & (alerts["fired_at"] < window.end)]
    rows: list[tuple[Any, Cell, Cell, Cell, Cell]] = []
    for row in mine.deployments.to_dict("records"):
        rows.append(
            (
                row["deployed_at"],
                Cell(locale.instant(row["deployed_at"])),
                Cell(locale.say("change.deployment")),
                Cell(row["service_name"], is_code=True),
                Cell(row["service_version"], detail=row["description"]),
            )
        )
    for row in mine.incidents.to_dict("records"):
        ended = row["mitigated_at"] if pd.notna(row["mitigated_at"]) else row["resolved_at"]
        detail = [row["incident_id"], row["severity"]]
        if pd.notna(ended):
            detail.append(locale.say("change.lasted", span=locale.span((ended - row["started_at"]).to_pytimedelta())))
        rows.append(
            (
                row["started_at"],
                Cell(locale.instants(row["started_at"], ended)),
                Cell(locale.say("change.incident")),
                Cell(row["service_name"], is_code=True),
                Cell(row["title"], detail=" · ".join(filter(None, detail))),
            )
        )
    for row in fired.to_dict("records"):
        rows.append(
            (
                row["fired_at"],
                Cell(locale.instants(row["fired_at"], row["resolved_at"])),
                Cell(locale.say("change.alert")),
                Cell(row["service_name"], is_code=True),
                Cell(row["alert_name"], detail=_severity(row["severity"], locale)),
            )
        )
    return Table(
        locale.say("table.changes.caption"),
        (
            Header(locale.say("column.when")),
            Header(locale.say("column.kind")),
            Header(locale.say("column.service")),
            Header(locale.say("column.what")),
        ),
        tuple(row[1:] for row in sorted(rows, key=lambda row: row[0])),
        empty=locale.say("nothing.changes"),
    )


def _severity(severity: str, locale: Locale) -> str:
    return locale.say(f"severity.{severity}") if severity in {"page", "ticket"} else severity
