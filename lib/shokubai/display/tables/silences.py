"""Stretches without requests, and what is known about why."""

from __future__ import annotations

import pandas as pd

from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import Locale


def silences(silences: pd.DataFrame, *, locale: Locale) -> Table:
    """One row per stretch (SILENCES), in order of time."""
    return Table(
        locale.say("table.silences.caption"),
        (
            Header(locale.say("column.when")),
            Header(locale.say("column.service")),
            Header(locale.say("column.length"), "end"),
            Header(locale.say("column.expected"), "end"),
            Header(locale.say("column.meaning")),
        ),
        tuple(
            (
                Cell(locale.instants(row["started_at"], row["ended_at"])),
                Cell(row["service_name"], is_code=True),
                Cell(locale.span((row["ended_at"] - row["started_at"]).to_pytimedelta())),
                Cell(locale.count(round(row["expected_count"]) if pd.notna(row["expected_count"]) else None)),
                Cell(locale.say(f"completeness.{row['kind']}"), detail=locale.say(f"silence.{row['kind']}")),
            )
            for row in silences.sort_values(["started_at", "service_name"]).to_dict("records")
        ),
        empty=locale.say("nothing.silences"),
    )
