"""All teams' weeks side by side, in alphabetical order: for finding whom to talk with, never for ranking."""

from __future__ import annotations

import pandas as pd

from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import Locale


def teams(weeks: pd.DataFrame, *, locale: Locale) -> Table:
    """One row per team (TEAM_WEEKS), sorted by name whatever the order given."""
    return Table(
        locale.say("table.teams.caption"),
        (
            Header(locale.say("column.team")),
            Header(locale.say("verdict.met"), "end"),
            Header(locale.say("verdict.missed"), "end"),
            Header(locale.say("verdict.not_enough_data"), "end"),
            Header(locale.say("column.this_week")),
            Header(locale.say("column.contact")),
        ),
        tuple(
            (
                Cell(row["display_name"] or row["team"], href=row["href"]),
                Cell(locale.count(row["met_count"])),
                Cell(locale.count(row["missed_count"])),
                Cell(locale.count(row["not_enough_data_count"])),
                Cell(row["sentence"]),
                Cell(row["contact"]),
            )
            for row in weeks.sort_values("team").to_dict("records")
        ),
    )
