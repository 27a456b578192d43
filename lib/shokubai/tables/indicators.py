"""Readers of service level indicators: the valid and good requests of one SLO."""

from __future__ import annotations

from typing import Any

import pandas as pd

from shokubai.config.model import Slo, route_matches
from shokubai.core.errors import DataError
from shokubai.core.frames import Column, FrameContract
from shokubai.core.windows import Window
from shokubai.tables.contracts import MINUTE_COUNTS, SLI_MINUTES, SLI_ROUTES
from shokubai.tables.store import Tables

STATUSES = range(100, 600)

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


def _read(tables: Tables, slo: Slo, window: Window, *, grain: str, contract: FrameContract) -> pd.DataFrame:
    indicator = slo.indicator
    parameters: dict[str, Any] = {
        "service": slo.service,
        "all_endpoints": not indicator.routes,
        "endpoints": _endpoints(tables, slo, window),
        "error_statuses": [status for status in STATUSES if indicator.is_error(status)],
    }
    if indicator.kind == "availability":
        return tables.read(f"availability_{grain}", contract, window, **parameters)
    counted = FrameContract(
        contract.name, contract.grain, {**contract.columns, "unmatched_count": Column("INT64", "")}
    )
    frame = tables.read(
        f"latency_{grain}", counted, window, threshold_seconds=indicator.threshold_seconds, **parameters
    )
    if unmatched := int(frame["unmatched_count"].sum()):
        raise DataError(
            f"SLO {slo.name} ({slo.source}): the tables of warehouse {tables.name} were not built for "
            f"the threshold {indicator.threshold_seconds} s of service {slo.service} "
            f"({unmatched} requests are not counted for it)\n"
            "Thresholds are those of the SLOs in parameters/slos: put it there, then open the tables again."
        )
    return frame.drop(columns="unmatched_count")


def _endpoints(tables: Tables, slo: Slo, window: Window) -> list[str]:
    """The SLO's endpoints in the window, as "METHOD route"; empty when it counts all."""
    if not slo.indicator.routes:
        return []
    seen = tables.read("endpoints", _ENDPOINTS, window, service=slo.service)
    pairs = zip(seen["http_request_method"], seen["http_route"], strict=True)
    return [f"{method} {route}" for method, route in pairs if route_matches(slo.indicator.routes, method, route)]
