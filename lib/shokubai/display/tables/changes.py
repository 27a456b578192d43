"""What happened in the week, in one list: deployments, incidents, alerts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from shokubai.core.windows import Window
from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import Locale
from shokubai.display.frames import Events

REPEATED = 3  # an alert that fired this often is one row, or it would bury what changed


def changes(events: Events, *, alerts: pd.DataFrame, window: Window, locale: Locale) -> Table:
    """Deployments, incidents and alerts (ALERTS) that touch the window, in order of time.

    An alert that fired three times or more is one row from its first time to the end of its last.
    """
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
    for row in _repeated_once(fired).to_dict("records"):
        count = f" {locale.times(row['count'])}" if row["count"] > 1 else ""
        rows.append(
            (
                row["fired_at"],
                Cell(locale.instants(row["fired_at"], row["resolved_at"])),
                Cell(locale.say("change.alert")),
                Cell(row["service_name"], is_code=True),
                Cell(row["alert_name"] + count, detail=_severity(row["severity"], locale)),
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


def _repeated_once(alerts: pd.DataFrame) -> pd.DataFrame:
    """Alerts with a column ``count``; those repeated have one row, open-ended while one of them is."""
    keys = ["service_name", "alert_name", "severity"]
    often = alerts.groupby(keys)["fired_at"].transform("size") >= REPEATED
    last = alerts[often].groupby(keys)["resolved_at"]
    repeated = alerts[often].groupby(keys).agg(fired_at=("fired_at", "min"), count=("fired_at", "size"))
    repeated["resolved_at"] = last.max().where(last.count() == last.size())
    return pd.concat([alerts[~often].assign(count=1), repeated.reset_index()], ignore_index=True)


def _severity(severity: str, locale: Locale) -> str:
    return locale.say(f"severity.{severity}") if severity in {"page", "ticket"} else severity
