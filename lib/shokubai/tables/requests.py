"""Readers of requests: counts by minute, hour and route, and latency histograms. They read the small tables only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from shokubai.core.frames import Column, FrameContract
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

SpanKind = Literal["route_counts", "route_hours", "latency_hours"]


def _in_spans(contract: FrameContract) -> FrameContract:
    span = Column("INT64", "which of the spans of time that were asked for, from 0")
    return FrameContract(contract.name, f"span × {contract.grain}", {"span": span, **contract.columns})


_SPAN_CONTRACTS: Mapping[SpanKind, FrameContract] = {
    "route_counts": _in_spans(ROUTE_COUNTS),
    "route_hours": _in_spans(ROUTE_HOURS),
    "latency_hours": _in_spans(LATENCY_HOURS),
}


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
    return read_spans(tables, "route_counts", services, [window]).drop(columns="span")


def read_route_hours(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """How many requests each route had in each hour, and how many failed.

    One row per hour × service × method × route that had requests. Columns: hour (UTC), service_name,
    http_request_method, http_route, request_count, error_count (status 500–599). An hour cut by the window's
    edge counts its minutes inside.
    """
    return read_spans(tables, "route_hours", services, [window]).drop(columns="span")


def read_spans(tables: Tables, kind: SpanKind, services: Sequence[str], spans: Sequence[Window]) -> pd.DataFrame:
    """The frames of several windows in one reading: of ``read_route_counts``, _route_hours or _latency_hours.

    The first column, ``span``, is the place of the row's window in ``spans``, which may overlap.
    """
    contract = _SPAN_CONTRACTS[kind]
    if not spans:
        return contract.empty()
    entries = [{"span": n, "span_start": w.start, "span_end": w.end} for n, w in enumerate(spans)]
    given = {"grain_us": HOUR_US} if kind == "route_hours" else {}
    around = Window(min(w.start for w in spans), max(w.end for w in spans))
    return tables.read(kind, contract, around, services=list(services), spans=entries, **given)


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
    return read_spans(tables, "latency_hours", services, [window]).drop(columns="span")


def read_watermarks(tables: Tables, services: Sequence[str]) -> pd.DataFrame:
    """From when to when each service has requests, over the days that were built.

    One row per service that had requests. Columns: service_name, first_minute, last_minute (UTC, the minutes'
    starts).
    """
    return tables.read_all("watermarks", WATERMARKS, services=list(services))
