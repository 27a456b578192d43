"""The tables Shokubai reads: the request log and its companions, the two small tables, and what readers give.

Names are OpenTelemetry's in snake case, instants are UTC, a number's unit is its suffix, ratios lie in 0–1.
"""

from __future__ import annotations

from shokubai.core.frames import Column, FrameContract

MAX_LATENCY_THRESHOLDS = 4  # per service; a slot each in the minute counts

# --- what a warehouse holds (raw) ---------------------------------------------------------------------------

REQUESTS = FrameContract(
    "requests",
    "request answered by a service",
    {
        "timestamp": Column("TIMESTAMP", "when the request arrived"),
        "service_name": Column("STRING", "OpenTelemetry service.name"),
        "http_route": Column("STRING", "low-cardinality route template, never a raw path"),
        "http_request_method": Column("STRING", "GET, POST, …; _OTHER when unknown"),
        "http_response_status_code": Column("NULLABLE_INT64", "NULL when no response was logged"),
        "duration_seconds": Column("FLOAT64", "NULL when the log has no latency; never negative"),
        "user_key": Column("STRING", "keyed hash of the user or client address; optional"),
        "region": Column("STRING", "optional"),
        "service_version": Column("STRING", "optional"),
        "trace_id": Column("STRING", "optional"),
    },
)
OPTIONAL_REQUEST_COLUMNS = ("duration_seconds", "user_key", "region", "service_version", "trace_id")

METRICS = FrameContract(
    "metrics",
    "sample of one metric of one service",
    {
        "timestamp": Column("TIMESTAMP", "when it was sampled"),
        "service_name": Column("STRING", ""),
        "metric_name": Column("STRING", "such as process.cpu.utilization, queue.oldest_message.age"),
        "unit": Column("STRING", "UCUM: 1, By, s, {connection}, {instance}"),
        "value": Column("FLOAT64", "in the unit"),
        "limit_value": Column("FLOAT64", "where the resource is exhausted, in the unit; NULL when unknown"),
    },
)

DEPLOYMENTS = FrameContract(
    "deployments",
    "deployment of a service",
    {
        "deployed_at": Column("TIMESTAMP", ""),
        "service_name": Column("STRING", ""),
        "service_version": Column("STRING", ""),
        "deployment_id": Column("STRING", ""),
        "description": Column("STRING", "one line, free text"),
    },
)

INCIDENTS = FrameContract(
    "incidents",
    "incident declared by people",
    {
        "incident_id": Column("STRING", ""),
        "service_name": Column("STRING", ""),
        "title": Column("STRING", "free text"),
        "severity": Column("STRING", ""),
        "started_at": Column("TIMESTAMP", "start of user impact"),
        "detected_at": Column("TIMESTAMP", "NULL when unknown"),
        "mitigated_at": Column("TIMESTAMP", "end of user impact; NULL while it lasts"),
        "resolved_at": Column("TIMESTAMP", "NULL while open"),
    },
)

ALERTS = FrameContract(
    "alerts",
    "alert that fired",
    {
        "fired_at": Column("TIMESTAMP", ""),
        "resolved_at": Column("TIMESTAMP", "NULL while firing"),
        "service_name": Column("STRING", ""),
        "alert_name": Column("STRING", ""),
        "severity": Column("STRING", "page or ticket"),
    },
)

SRE_REQUESTS = FrameContract(
    "sre_requests",
    "request of a team to the SRE team",
    {
        "request_id": Column("STRING", ""),
        "team": Column("STRING", ""),
        "kind": Column("STRING", "consultation, infrastructure, incident, …"),
        "summary": Column("STRING", "free text"),
        "opened_at": Column("TIMESTAMP", ""),
        "first_response_at": Column("TIMESTAMP", "NULL while waiting"),
        "closed_at": Column("TIMESTAMP", "NULL while open"),
    },
)

# Columns that a warehouse may lack; they are NULL then.
OPTIONAL_COLUMNS = {
    "requests": OPTIONAL_REQUEST_COLUMNS,
    "metrics": ("unit", "limit_value"),
    "deployments": ("service_version", "deployment_id", "description"),
    "incidents": ("title", "severity", "detected_at", "mitigated_at", "resolved_at"),
    "alerts": ("resolved_at", "severity"),
    "sre_requests": ("kind", "summary", "first_response_at", "closed_at"),
}

RAW_TABLES = {c.name: c for c in (REQUESTS, METRICS, DEPLOYMENTS, INCIDENTS, ALERTS, SRE_REQUESTS)}

# --- the two small tables, one file per UTC day -------------------------------------------------------------

_ROUTE = {
    "service_name": Column("STRING", ""),
    "http_request_method": Column("STRING", ""),
    "http_route": Column("STRING", ""),
}

MINUTE_COUNTS = FrameContract(
    "minute_counts",
    "minute × service × method × route × status code that had requests",
    {
        "minute": Column("TIMESTAMP", "start of the minute"),
        **_ROUTE,
        "http_response_status_code": Column("NULLABLE_INT64", ""),
        "request_count": Column("INT64", "requests"),
        "duration_count": Column("INT64", "requests that carry a duration"),
        # The latency objectives that were in force for the service when the day was scanned, ascending, and
        # how many requests took at most that long. Unused slots are NULL and 0.
        **{f"threshold_{n}_seconds": Column("FLOAT64", "") for n in range(1, MAX_LATENCY_THRESHOLDS + 1)},
        **{f"within_{n}_count": Column("INT64", "") for n in range(1, MAX_LATENCY_THRESHOLDS + 1)},
    },
)

HOUR_LATENCY = FrameContract(
    "hour_latency",
    "hour × service × method × route × duration bucket that had requests",
    {
        "hour": Column("TIMESTAMP", "start of the hour"),
        **_ROUTE,
        "duration_bucket": Column("INT64", "DDSketch key of the duration in seconds, see core.sketch"),
        "request_count": Column("INT64", "requests in the bucket"),
    },
)

SMALL_TABLES = {c.name: c for c in (MINUTE_COUNTS, HOUR_LATENCY)}

# --- what the readers give ----------------------------------------------------------------------------------

SLI_MINUTES = FrameContract(
    "sli_minutes",
    "minute with valid requests of one SLO",
    {
        "minute": Column("TIMESTAMP", ""),
        "valid_count": Column("INT64", "requests that the SLO counts"),
        "good_count": Column("INT64", "those that were good; never more than valid_count"),
    },
)

SLI_ROUTES = FrameContract(
    "sli_routes",
    "service × method × route with valid requests of one SLO in a window",
    {
        **_ROUTE,
        "valid_count": Column("INT64", "requests that the SLO counts"),
        "good_count": Column("INT64", "those that were good"),
    },
)

BAD_REQUESTS = FrameContract(
    "bad_requests",
    "span × slice × service × method × route × status code with bad requests of one SLO",
    {
        "span": Column("INT64", "which of the spans of time that were asked for, from 0"),
        "slice_at": Column("TIMESTAMP", "start of the slice; slices follow one another from the window's start on"),
        **_ROUTE,
        "http_response_status_code": Column("NULLABLE_INT64", "NULL when none was logged"),
        "bad_count": Column("INT64", "requests that the SLO counts and that were not good"),
    },
)

SERVICE_MINUTES = FrameContract(
    "service_minutes",
    "service × minute that had requests",
    {
        "service_name": Column("STRING", ""),
        "minute": Column("TIMESTAMP", ""),
        "request_count": Column("INT64", ""),
        "error_count": Column("INT64", "status 500–599"),
        "unknown_status_count": Column("INT64", "no status logged"),
        "duration_count": Column("INT64", ""),
    },
)

ROUTE_COUNTS = FrameContract(
    "route_counts",
    "service × method × route × status code in a window",
    {
        **_ROUTE,
        "http_response_status_code": Column("NULLABLE_INT64", ""),
        "request_count": Column("INT64", ""),
        "duration_count": Column("INT64", ""),
    },
)

ROUTE_HOURS = FrameContract(
    "route_hours",
    "hour × service × method × route that had requests",
    {
        "hour": Column("TIMESTAMP", ""),
        **_ROUTE,
        "request_count": Column("INT64", ""),
        "error_count": Column("INT64", "status 500–599"),
    },
)

ROUTE_LATENCY = FrameContract(
    "route_latency",
    "service × method × route × duration bucket in a window",
    {
        **_ROUTE,
        "duration_bucket": Column("INT64", ""),
        "request_count": Column("INT64", ""),
    },
)

SAMPLE_REQUESTS = FrameContract(
    "sample_requests",
    "minute with requests to look at",
    {
        "minute": Column("TIMESTAMP", ""),
        "trace_id": Column("STRING", "of one of them"),
        "request_count": Column("INT64", "those that have a trace"),
    },
)

LATENCY_HOURS = FrameContract(
    "latency_hours",
    "hour × service × method × route × duration bucket in a window",
    dict(HOUR_LATENCY.columns),
)

METRIC_HOURS = FrameContract(
    "metric_hours",
    "hour × service × metric with samples",
    {
        "hour": Column("TIMESTAMP", ""),
        "service_name": Column("STRING", ""),
        "metric_name": Column("STRING", ""),
        "unit": Column("STRING", ""),
        "sample_count": Column("INT64", ""),
        "mean_value": Column("FLOAT64", ""),
        "max_value": Column("FLOAT64", ""),
        "limit_value": Column("FLOAT64", "the largest limit in the hour; NaN when unknown"),
    },
)

WATERMARKS = FrameContract(
    "watermarks",
    "service that had requests",
    {
        "service_name": Column("STRING", ""),
        "first_minute": Column("TIMESTAMP", "start of the first minute with requests"),
        "last_minute": Column("TIMESTAMP", "start of the last minute with requests"),
    },
)

QUERIES = FrameContract(
    "queries",
    "statement run",
    {
        "name": Column("STRING", "the query's file name; sql for ad-hoc statements"),
        "sha256": Column("STRING", "hash of the statement's text"),
        "milliseconds": Column("FLOAT64", ""),
        "bytes": Column("NULLABLE_INT64", "size of the files that were opened, an upper bound of what was read"),
        "row_count": Column("NULLABLE_INT64", "rows returned"),
    },
)
