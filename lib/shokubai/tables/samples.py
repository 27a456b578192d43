"""Requests of the log itself, few and to look at: the one reading of it that a report does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from shokubai.core.windows import Window
from shokubai.sources import load_query
from shokubai.tables.contracts import SAMPLE_REQUESTS
from shokubai.tables.store import LOG_QUERY_PACKAGE, MINUTE_US, Tables

_QUERY = "sample_requests"
NO_STATUS = (1, 0)  # an empty range
NO_DURATION = 1e9  # longer than anything


@dataclass(frozen=True)
class SampleRequests:
    """Which requests to look at: of one route, that failed with one of the statuses or took longer."""

    window: Window
    service: str
    method: str
    route: str
    statuses: tuple[int, int] = NO_STATUS  # first and last
    over_seconds: float = NO_DURATION

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "grain_us": MINUTE_US,
            "service": self.service,
            "method": self.method,
            "route": self.route,
            "lowest_status": self.statuses[0],
            "highest_status": self.statuses[1],
            "over_seconds": self.over_seconds,
        }

    def statement(self) -> str:
        """The query in GoogleSQL, after its parameters' values in comments."""
        given = {"start": self.window.start, "end": self.window.end, **self.parameters}
        lines = [f"-- @{name} = {_shown(value)}" for name, value in given.items()]
        text = load_query(LOG_QUERY_PACKAGE, _QUERY).text.splitlines()
        return "\n".join([*lines, *(line for line in text if not line.startswith("--"))])


def read_sample_requests(tables: Tables, wanted: SampleRequests) -> pd.DataFrame:
    """SAMPLE_REQUESTS, oldest first, straight from the log: of each minute one request that has a trace.

    Only the files of the window's days are opened. Where reading the log costs money there are none.
    """
    return tables.read_log(_QUERY, SAMPLE_REQUESTS, wanted.window, **wanted.parameters)


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00"
    return repr(value) if isinstance(value, str) else f"{value:.15g}"
