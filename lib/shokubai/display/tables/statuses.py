"""How requests were answered: one row per status code."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import pandas as pd

from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import NO_VALUE, Locale
from shokubai.display.frames import STATUS_COUNTS


def statuses(counts: pd.DataFrame, *, services: Sequence[str], locale: Locale) -> Table:
    """Requests of the week by status (STATUS_COUNTS), a column for each of ``services`` that had any."""
    found = {
        (None if pd.isna(code) else int(code), service): int(count)
        for service, code, count in counts[list(STATUS_COUNTS.columns)].itertuples(index=False, name=None)
    }
    columns = [service for service in services if any(key[1] == service for key in found)]
    totals = {service: sum(n for key, n in found.items() if key[1] == service) for service in columns}
    codes = sorted({code for code, _ in found}, key=lambda code: 1000 if code is None else code)  # none comes last
    return Table(
        locale.say("table.statuses.caption"),
        (Header(locale.say("column.status")), *(Header(service, "end") for service in columns)),
        tuple(
            (
                Cell(_name(code, locale)),
                *(_cell(found.get((code, service)), totals[service], locale) for service in columns),
            )
            for code in codes
        ),
        empty=locale.say("nothing.statuses"),
    )


def _cell(count: int | None, total: int, locale: Locale) -> Cell:
    return Cell(NO_VALUE) if count is None else Cell(locale.count(count), detail=locale.share(count / total))


def _name(code: int | None, locale: Locale) -> str:
    """The code with its registered name; a code that is not registered stands alone."""
    if code is None:
        return locale.say("status.none")
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)
