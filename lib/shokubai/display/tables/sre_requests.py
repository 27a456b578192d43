"""What teams asked of SRE, and how long they waited: a mirror for SRE, not for the teams."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import Locale


def sre_requests(requests: pd.DataFrame, *, locale: Locale) -> Table:
    """One row per request (SRE_REQUESTS), in the order opened, with the wait for the first answer."""
    return Table(
        locale.say("table.sre_requests.caption"),
        (
            Header(locale.say("column.opened")),
            Header(locale.say("column.team")),
            Header(locale.say("column.kind")),
            Header(locale.say("column.what")),
            Header(locale.say("column.first_response"), "end"),
            Header(locale.say("column.closed"), "end"),
        ),
        tuple(
            (
                Cell(locale.instant(row["opened_at"])),
                Cell(row["team"]),
                Cell(row["kind"]),
                Cell(row["summary"], detail=row["request_id"]),
                Cell(_until(row["opened_at"], row["first_response_at"], "wait.open", locale)),
                Cell(_until(row["opened_at"], row["closed_at"], "wait.unclosed", locale)),
            )
            for row in requests.sort_values(["opened_at", "request_id"]).to_dict("records")
        ),
        empty=locale.say("nothing.sre_requests"),
    )


def _until(start: datetime, end: Any, missing: str, locale: Locale) -> str:
    return locale.say(missing) if pd.isna(end) else locale.span((end - start).to_pytimedelta())
