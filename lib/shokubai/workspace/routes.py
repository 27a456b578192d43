"""Frames by route: which rows a team owns, and hours merged into one row per route."""

from __future__ import annotations

import pandas as pd

from shokubai.config.model import Team

ROUTE = ["service_name", "http_request_method", "http_route"]


def owned_rows(frame: pd.DataFrame, team: Team) -> pd.DataFrame:
    """The rows of services and routes that a team owns, of any frame with the three route columns."""
    routes = frame[ROUTE].drop_duplicates()
    mine = [team.owns_route(*route) for route in routes.itertuples(index=False, name=None)]
    return frame.merge(routes[mine], on=ROUTE)


def histogram(latency_hours: pd.DataFrame) -> pd.DataFrame:
    """ROUTE_LATENCY: the hours of LATENCY_HOURS merged into one histogram per route."""
    keys = [*ROUTE, "duration_bucket"]
    return latency_hours.groupby(keys, as_index=False)[["request_count"]].sum()


def summed(route_counts: pd.DataFrame) -> pd.DataFrame:
    keys = [*ROUTE, "http_response_status_code"]
    return route_counts.groupby(keys, as_index=False, dropna=False)[["request_count", "duration_count"]].sum()
