"""Readers of what goes with the requests: metrics, deployments, incidents, alerts, requests to the SRE team.

A table that the warehouse does not have gives an empty frame. Text that is not known is empty, times are NaT.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from shokubai.core.scrub import scrub, scrub_route
from shokubai.core.windows import Window, next_hour
from shokubai.tables.contracts import ALERTS, DEPLOYMENTS, INCIDENTS, METRIC_HOURS, SRE_REQUESTS
from shokubai.tables.store import HOUR_US, Tables

_KEYS = ("service_name", "team")
_PROSE = ("description", "title", "summary")  # versions and ids may be long runs of letters and digits


def read_metric_hours(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """Each metric of the services by hour.

    One row per hour × service × metric that had samples. Columns: hour (UTC), service_name, metric_name, unit
    (UCUM; empty when unknown), sample_count, mean_value and max_value in the unit, limit_value (the largest
    limit in the hour; NaN when unknown). Hours count where they begin inside the window.
    """
    start, end = next_hour(window.start), next_hour(window.end)
    if start == end:
        return METRIC_HOURS.empty()
    hours = Window(start, end)
    return tables.read("metric_hours", METRIC_HOURS, hours, services=list(services), grain_us=HOUR_US)


def read_deployments(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """Deployments of the services in the window.

    One row per deployment, oldest first. Columns: deployed_at (UTC), service_name, service_version,
    deployment_id, description.
    """
    return _with_text(tables.read("deployments", DEPLOYMENTS, window, services=list(services)))


def read_incidents(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """Incidents of the services whose user impact overlaps the window, whenever they were resolved.

    One row per incident, oldest first. Columns: incident_id, service_name, title, severity, started_at,
    detected_at, mitigated_at, resolved_at (UTC, NaT where not known or not yet).
    """
    return _with_text(tables.read("incidents", INCIDENTS, window, services=list(services)))


def read_alerts(tables: Tables, services: Sequence[str], window: Window) -> pd.DataFrame:
    """Alerts of the services that fired in the window.

    One row per alert, oldest first. Columns: fired_at, resolved_at (UTC, NaT while firing), service_name,
    alert_name, severity.
    """
    return _with_text(tables.read("alerts", ALERTS, window, services=list(services)))


def read_sre_requests(tables: Tables, window: Window) -> pd.DataFrame:
    """Requests to the SRE team opened in the window.

    One row per request, oldest first. Columns: request_id, team, kind, summary, opened_at, first_response_at,
    closed_at (UTC, NaT while waiting or open).
    """
    return _with_text(tables.read("sre_requests", SRE_REQUESTS, window))


def _with_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Missing text as empty, and no personal data in what people wrote: reports are shared."""
    texts = [str(name) for name, type_ in frame.dtypes.items() if pd.api.types.is_string_dtype(type_)]
    frame = frame.fillna(dict.fromkeys(texts, ""))
    for name in texts:
        if name not in _KEYS:
            frame[name] = frame[name].map(scrub if name in _PROSE else scrub_route).astype("str")
    return frame
