"""Readers of service level indicators: the valid and good requests of one SLO."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from shokubai.config.model import Slo, route_matches
from shokubai.core.errors import DataError
from shokubai.core.frames import Column, FrameContract
from shokubai.core.windows import Window
from shokubai.tables.contracts import BAD_REQUESTS, MINUTE_COUNTS, SLI_MINUTES, SLI_ROUTES
from shokubai.tables.store import MICROSECOND, Tables

_STATUSES = range(100, 600)

_ENDPOINTS = FrameContract(
    "endpoints",
    "method × route",
    {name: MINUTE_COUNTS.columns[name] for name in ("http_request_method", "http_route")},
)


def read_sli_minutes(tables: Tables, slo: Slo, window: Window) -> pd.DataFrame:
    """The valid and good requests of one SLO in each minute of the window.

    Availability: valid are requests with a status from 100 to 599, good those whose status is not one of the
    indicator's error statuses. Latency: valid are requests with a duration that did not fail (a missing status
    is not a failure), good those that took at most the threshold. The indicator's route patterns restrict both.

    One row per minute with valid requests, sorted. Columns: minute (UTC), valid_count, good_count. Raises
    DataError when the SLO's threshold is not one that the tables were opened with.
    """
    return _read(tables, slo, window, grain="minutes", contract=SLI_MINUTES)


def read_sli_routes(tables: Tables, slo: Slo, window: Window) -> pd.DataFrame:
    """The valid and good requests of one SLO in the window by route; see ``read_sli_minutes``.

    One row per service × method × route with valid requests, sorted. Columns: service_name,
    http_request_method, http_route, valid_count, good_count.
    """
    return _read(tables, slo, window, grain="routes", contract=SLI_ROUTES)


def read_bad_requests(
    tables: Tables, slo: Slo, window: Window, *, spans: Sequence[Window], slice_length: timedelta
) -> pd.DataFrame:
    """The requests of the window that one SLO counts and finds bad, by what they were; see ``read_sli_minutes``.

    ``spans`` take the window apart, slices of ``slice_length`` begin at its start. A minute belongs to the span in
    which it begins. One row per span × slice × service × method × route × status code that had any, sorted. Columns:
    span (its place in ``spans``), slice_at (UTC), service_name, http_request_method, http_route,
    http_response_status_code (NULL when none was logged), bad_count.
    """
    entries = [{"span": n, "span_start": span.start, "span_end": span.end} for n, span in enumerate(spans)]
    frame = _select(
        tables,
        slo,
        window,
        grain="bad",
        contract=BAD_REQUESTS,
        spans=entries,
        slice_us=slice_length // MICROSECOND,
    )
    if not slo.indicator.routes:
        return _matched(tables, slo, frame)
    endpoints = list(zip(frame["http_request_method"], frame["http_route"], strict=True))
    counted = {endpoint: route_matches(slo.indicator.routes, *endpoint) for endpoint in set(endpoints)}
    mine = np.array([counted[endpoint] for endpoint in endpoints], dtype=bool)
    return _matched(tables, slo, frame[mine].reset_index(drop=True))


def _read(tables: Tables, slo: Slo, window: Window, *, grain: str, contract: FrameContract) -> pd.DataFrame:
    """The rows of the routes that the SLO counts, which the query is told."""
    frame = _select(
        tables,
        slo,
        window,
        grain=grain,
        contract=contract,
        all_endpoints=not slo.indicator.routes,
        endpoints=_endpoints(tables, slo, window),
    )
    return _matched(tables, slo, frame)


def _select(
    tables: Tables, slo: Slo, window: Window, *, grain: str, contract: FrameContract, **given: Any
) -> pd.DataFrame:
    """What the query of the SLO's indicator gives at a grain; of latency with an ``unmatched_count``."""
    parameters = {**indicator_values(slo), **given}
    if slo.indicator.kind == "availability":
        return tables.read(f"availability_{grain}", contract, window, **parameters)
    counted = FrameContract(
        contract.name, contract.grain, {**contract.columns, "unmatched_count": Column("INT64", "")}
    )
    return tables.read(f"latency_{grain}", counted, window, **parameters)


def indicator_values(slo: Slo) -> dict[str, Any]:
    """What every query of the SLO's kind of indicator is told of it, by parameter."""
    indicator = slo.indicator
    values: dict[str, Any] = {
        "service": slo.service,
        "error_statuses": [status for status in _STATUSES if indicator.is_error(status)],
    }
    return values | ({"threshold_seconds": indicator.threshold_seconds} if indicator.kind == "latency" else {})


def counted_endpoints(slo: Slo, endpoints: Iterable[tuple[str, str]]) -> list[str]:
    """Of (method, route) pairs those that the SLO counts, as "METHOD route"; empty when it counts all."""
    routes = slo.indicator.routes
    return [f"{method} {route}" for method, route in endpoints if routes and route_matches(routes, method, route)]


def _matched(tables: Tables, slo: Slo, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame when all its requests were counted for the SLO's threshold. Raises DataError."""
    if "unmatched_count" not in frame:
        return frame
    if unmatched := int(frame["unmatched_count"].sum()):
        raise DataError(
            f"SLO {slo.name} ({slo.source}): the tables of warehouse {tables.name} were not built for "
            f"the threshold {slo.indicator.threshold_seconds} s of service {slo.service} "
            f"({unmatched} requests are not counted for it)\n"
            "Thresholds are those of the SLOs in parameters/slos: put it there, then open the tables again."
        )
    return frame.drop(columns="unmatched_count")


def _endpoints(tables: Tables, slo: Slo, window: Window) -> list[str]:
    """The SLO's endpoints in the window, as "METHOD route"; empty when it counts all."""
    if not slo.indicator.routes:
        return []
    seen = tables.read("endpoints", _ENDPOINTS, window, service=slo.service)
    return counted_endpoints(slo, zip(seen["http_request_method"], seen["http_route"], strict=True))
