"""Frames with a declared grain and units: the two small tables built from the logs, and their readers.

>>> tables = open_tables(parameters, "demo", outputs=Path("outputs"))  # doctest: +SKIP
>>> tables.build(window)  # doctest: +SKIP
>>> read_route_counts(tables, ["invoice-api"], window)  # doctest: +SKIP
"""

from shokubai.tables.companions import (
    read_alerts,
    read_deployments,
    read_incidents,
    read_metric_hours,
    read_sre_requests,
)
from shokubai.tables.indicators import read_bad_requests, read_sli_minutes, read_sli_routes
from shokubai.tables.opening import open_tables, resolve_pattern
from shokubai.tables.requests import (
    SpanKind,
    read_latency_hours,
    read_route_counts,
    read_route_hours,
    read_route_latency,
    read_service_minutes,
    read_spans,
    read_watermarks,
)
from shokubai.tables.samples import SampleRequests, read_sample_requests
from shokubai.tables.store import BuildEstimate, BuildSummary, Tables, warm_up

__all__ = [
    "BuildEstimate",
    "BuildSummary",
    "SampleRequests",
    "SpanKind",
    "Tables",
    "open_tables",
    "read_alerts",
    "read_bad_requests",
    "read_deployments",
    "read_incidents",
    "read_latency_hours",
    "read_metric_hours",
    "read_route_counts",
    "read_route_hours",
    "read_route_latency",
    "read_sample_requests",
    "read_service_minutes",
    "read_sli_minutes",
    "read_sli_routes",
    "read_spans",
    "read_sre_requests",
    "read_watermarks",
    "resolve_pattern",
    "warm_up",
]
