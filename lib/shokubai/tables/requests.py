"""Readers of requests: counts by minute, hour and route, and latency histograms. They read the small tables only."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from shokubai.core.windows import Window
from shokubai.tables.contracts import (
    LATENCY_HOURS,
    ROUTE_COUNTS,
    ROUTE_HOURS,
    ROUTE_LATENCY,
    SERVICE_MINUTES,
    WATERMARKS,
)
from shokubai.tables.store import HOUR_US, Tables


def read_service_minutes(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """How many requests each service had in each minute of the window.

    One row per service × minute that had requests, sorted so. Columns: service_name, minute (UTC),
    request_count, error_count (status 500–599), unknown_status_count (no status logged), duration_count
    (requests with a duration).
    """
    return tables.read("service_minutes", SERVICE_MINUTES, window, services=list(services))


def read_route_counts(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """How many requests of the window each route answered with which status.

    One row per service × method × route × status code. Columns: service_name, http_request_method, http_route,
    http_response_status_code (NULL when none was logged), request_count, duration_count.
    """
    return tables.read("route_counts", ROUTE_COUNTS, window, services=list(services))


def read_route_hours(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """How many requests each route had in each hour, and how many failed.

    One row per hour × service × method × route that had requests. Columns: hour (UTC), service_name,
    http_request_method, http_route, request_count, error_count (status 500–599). An hour cut by the window's
    edge counts its minutes inside.
    """
    return tables.read("route_hours", ROUTE_HOURS, window, services=list(services), grain_us=HOUR_US)


def read_route_latency(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """How long each route's requests of the window took, as one mergeable histogram per route.

    One row per service × method × route × duration bucket. Columns: service_name, http_request_method,
    http_route, duration_bucket (DDSketch key of seconds, see core.sketch), request_count. Hours count where
    they begin inside the window. Routes without durations have no rows.
    """
    return tables.read("route_latency", ROUTE_LATENCY, window, services=list(services))


def read_latency_hours(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """How long each route's requests took in each hour, as mergeable histograms.

    One row per hour × service × method × route × duration bucket. Columns: hour (UTC), service_name,
    http_request_method, http_route, duration_bucket (DDSketch key of seconds, see core.sketch), request_count.
    Hours count where they begin inside the window.
    """
    return tables.read("latency_hours", LATENCY_HOURS, window, services=list(services))


def read_watermarks(tables: Tables, services: Sequence[str]) -> pd.DataFrame:
    """From when to when each service has requests, over the days that were built.

    One row per service that had requests. Columns: service_name, first_minute, last_minute (UTC, the minutes'
    starts).
    """
    return tables.read_all("watermarks", WATERMARKS, services=list(services))
