"""Frames by route: under which names reports know routes, and hours merged into one row per route."""

from __future__ import annotations

import pandas as pd

from shokubai.core.scrub import scrub_route
from shokubai.tables.ownership import ROUTE


def without_personal_data(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with personal data out of its routes; routes that are the same then are counted together.

    Takes any frame with the three route columns whose other counts end in ``_count``.
    """
    names = {route: scrub_route(route) for route in frame["http_route"].unique()}
    if all(route == name for route, name in names.items()):
        return frame
    named = frame.assign(http_route=frame["http_route"].map(names).astype(frame["http_route"].dtype))
    counts = [column for column in frame.columns if column.endswith("_count")]
    keys = [column for column in frame.columns if column not in counts]
    return named.groupby(keys, as_index=False, dropna=False)[counts].sum()


def histogram(latency_hours: pd.DataFrame) -> pd.DataFrame:
    """ROUTE_LATENCY: the hours of LATENCY_HOURS merged into one histogram per route."""
    keys = [*ROUTE, "duration_bucket"]
    return latency_hours.groupby(keys, as_index=False)[["request_count"]].sum()


def summed(route_counts: pd.DataFrame) -> pd.DataFrame:
    """ROUTE_COUNTS of several windows as those of all of them together."""
    keys = [*ROUTE, "http_response_status_code"]
    return route_counts.groupby(keys, as_index=False, dropna=False)[["request_count", "duration_count"]].sum()
