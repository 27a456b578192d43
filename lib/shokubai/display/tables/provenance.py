"""Where the numbers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args

import pandas as pd

from shokubai.core.windows import Window
from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import NO_VALUE, Locale

Label = Literal[
    "window",
    "comparable",
    "last_month",
    "data_complete_through",
    "zone",
    "warehouse",
    "code_version",
    "notebook",
    "parameters",
    "team_thresholds",
    "query_count",
    "bytes_read",
    "seconds",
    "cost_of_run",
    "cost_of_report",
    "generated_at",
]

Statements = Literal["queries", "copy_queries", "shared_queries"]

LABELS: tuple[Label, ...] = get_args(Label)


def provenance(
    facts: Mapping[str, Window | datetime | str | int | float | Sequence[str] | None], *, locale: Locale
) -> Table:
    """One row per fact, in the order given; the keys are ``LABELS``.

    Windows and instants are formatted for the reader, ``bytes_read`` as a size, ``seconds`` as a time, other numbers
    as counts; text stays as it is.
    """
    return Table(
        locale.say("table.provenance.caption"),
        (Header(locale.say("column.what")), Header(locale.say("column.value"))),
        tuple(
            (Cell(locale.say(f"provenance.{label}")), _value(label, value, locale)) for label, value in facts.items()
        ),
    )


def _value(label: str, value: object, locale: Locale) -> Cell:
    if value is None:
        return Cell(NO_VALUE)
    if isinstance(value, Window):
        return Cell(locale.days(value, year=True))
    if isinstance(value, datetime):
        return Cell(locale.instant(value, year=True))
    if isinstance(value, int | float):
        form = {"bytes_read": locale.bytes, "seconds": locale.seconds}.get(label, locale.count)
        return Cell(form(value))
    if isinstance(value, str):
        return Cell(value, is_code=label in {"window", "code_version", "notebook", "parameters", "warehouse"})
    assert isinstance(value, Sequence)
    return Cell(locale.join([str(part) for part in value]) or NO_VALUE)


def queries(queries: pd.DataFrame, *, locale: Locale, of: Statements = "queries") -> Table:
    """The statements run (QUERIES), each once, in the order first run.

    With the hash of the text, how often it ran, and time, bytes and rows of all its runs together. ``of``
    a run's copy of what a warehouse holds, or what all its reports share.
    """
    grouped = queries.groupby(["name", "sha256"], sort=False)
    together = grouped.agg(
        runs=("milliseconds", "size"),
        milliseconds=("milliseconds", "sum"),
        bytes=("bytes", lambda column: column.sum(min_count=1)),
        row_count=("row_count", lambda column: column.sum(min_count=1)),
    )
    return Table(
        locale.say(f"table.{of}.caption"),
        (
            Header(locale.say("column.query")),
            Header(locale.say("column.hash")),
            Header(locale.say("column.runs"), "end"),
            Header(locale.say("column.time"), "end"),
            Header(locale.say("column.bytes"), "end"),
            Header(locale.say("column.rows"), "end"),
        ),
        tuple(
            (
                Cell(row["name"], is_code=True),
                Cell(row["sha256"][:12], is_code=True),
                Cell(locale.count(row["runs"])),
                Cell(locale.seconds(row["milliseconds"] / 1000)),
                Cell(locale.bytes(row["bytes"])),
                Cell(locale.count(row["row_count"])),
            )
            for row in together.reset_index().to_dict("records")
        ),
        empty=locale.say("nothing.queries"),
    )
