"""How requests were answered: one row per status code."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import pandas as pd

from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import NO_VALUE, Locale
from shokubai.display.frames import STATUS_COUNTS


def statuses(counts: pd.DataFrame, *, services: Sequence[str], locale: Locale) -> Table:
    """Requests of the week by status (STATUS_COUNTS), a column for each of ``services`` that had any.

    A single service has its shares in a column of their own.
    """
    found = {
        (None if pd.isna(code) else int(code), service): int(count)
        for service, code, count in counts[list(STATUS_COUNTS.columns)].itertuples(index=False, name=None)
    }
    columns = [service for service in services if any(key[1] == service for key in found)]
    totals = {service: sum(n for key, n in found.items() if key[1] == service) for service in columns}
    headers = [Header(service, "end") for service in columns]
    if len(columns) == 1:
        headers = [Header(locale.say("column.requests"), "end"), Header(locale.say("column.share"), "end")]
    codes = sorted({code for code, _ in found}, key=lambda code: 1000 if code is None else code)  # none comes last
    return Table(
        locale.say("table.statuses.caption"),
        (Header(locale.say("column.status")), *headers),
        tuple(
            (
                Cell(_name(code, locale)),
                *(
                    cell
                    for service in columns
                    for cell in _cells(found.get((code, service)), totals[service], len(columns) == 1, locale)
                ),
            )
            for code in codes
        ),
        empty=locale.say("nothing.statuses"),
    )


def _cells(count: int | None, total: int, is_alone: bool, locale: Locale) -> tuple[Cell, ...]:
    if count is None:
        return (Cell(NO_VALUE),)
    number, share = locale.count(count), locale.share(count / total)
    return (Cell(number), Cell(share)) if is_alone else (Cell(number, detail=share),)


def _name(code: int | None, locale: Locale) -> str:
    """The code with its registered name; a code that is not registered stands alone."""
    if code is None:
        return locale.say("status.none")
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)
