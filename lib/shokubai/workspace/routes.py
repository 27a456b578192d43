"""Frames by route: hours merged into one row per route."""

from __future__ import annotations

import pandas as pd

from shokubai.tables.ownership import ROUTE


def histogram(latency_hours: pd.DataFrame) -> pd.DataFrame:
    """ROUTE_LATENCY: the hours of LATENCY_HOURS merged into one histogram per route."""
    keys = [*ROUTE, "duration_bucket"]
    return latency_hours.groupby(keys, as_index=False)[["request_count"]].sum()


def summed(route_counts: pd.DataFrame) -> pd.DataFrame:
    keys = [*ROUTE, "http_response_status_code"]
    return route_counts.groupby(keys, as_index=False, dropna=False)[["request_count", "duration_count"]].sum()
