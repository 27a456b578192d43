"""A team with one service, and frames made by hand for it. The week is 2026-W44, Monday 26 October in Tokyo."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from shokubai.config.model import Indicator, Ownership, Slo, SloWindow, Source, Team, Text
from shokubai.core import sketch
from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import Duration, Week, Window
from shokubai.findings import Evidence
from shokubai.sli import SILENCES
from shokubai.slo.model import EPISODES, Forecast, SloStatus
from shokubai.tables.contracts import (
    ALERTS,
    DEPLOYMENTS,
    INCIDENTS,
    LATENCY_HOURS,
    METRIC_HOURS,
    ROUTE_COUNTS,
    ROUTE_HOURS,
    ROUTE_LATENCY,
)

TOKYO = ZoneInfo("Asia/Tokyo")
WEEK = Week(2026, 44)
SOURCE = Source(Path("test.yaml"), 1)
SERVICE, METHOD, ROUTE = "invoice-api", "GET", "/v1/invoices"
KEYS = {"service_name": SERVICE, "http_request_method": METHOD, "http_route": ROUTE}


def at(text: str) -> datetime:
    """A wall-clock time in Tokyo as an instant: ``at("10-28 10:00")``."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=TOKYO).astimezone(UTC)


def evidence(**frames: object) -> Evidence:
    team = Team("billing", Text("Billing", "請求"), "en", (Ownership(SERVICE),), SOURCE)
    return replace(Evidence(team, WEEK, TOKYO, BusinessCalendar("JP")), **frames)


def route_counts(requests: int, errors: int, *, route: str = ROUTE) -> pd.DataFrame:
    rows = [
        KEYS | {"http_route": route, "http_response_status_code": status, "request_count": n, "duration_count": n}
        for status, n in ((200, requests - errors), (503, errors))
    ]
    return ROUTE_COUNTS.conform(pd.DataFrame(rows))


def route_hours(
    start: datetime, requests: list[int], errors: list[int] | None = None, *, route: str = ROUTE
) -> pd.DataFrame:
    """One row per hour from ``start`` on."""
    errors = errors or [0] * len(requests)
    rows = [
        KEYS | {"http_route": route, "hour": start + timedelta(hours=n), "request_count": r, "error_count": e}
        for n, (r, e) in enumerate(zip(requests, errors, strict=True))
        if r
    ]
    return ROUTE_HOURS.conform(pd.DataFrame(rows))


def route_latency(seconds: dict[float, int], *, route: str = ROUTE) -> pd.DataFrame:
    """A histogram given as seconds → requests."""
    rows = [
        KEYS | {"http_route": route, "duration_bucket": sketch.key(value), "request_count": count}
        for value, count in seconds.items()
    ]
    return ROUTE_LATENCY.conform(pd.DataFrame(rows))


def latency_hours(start: datetime, hours: list[dict[float, int]], *, route: str = ROUTE) -> pd.DataFrame:
    """One histogram per hour from ``start`` on."""
    rows = [
        KEYS
        | {
            "http_route": route,
            "hour": start + timedelta(hours=n),
            "duration_bucket": sketch.key(value),
            "request_count": count,
        }
        for n, seconds in enumerate(hours)
        for value, count in seconds.items()
    ]
    return LATENCY_HOURS.conform(pd.DataFrame(rows))


def metric_hours(
    start: datetime, values: list[float], *, name: str, limit: float | None, unit: str = "1"
) -> pd.DataFrame:
    """One hour each from ``start`` on; NaN hours are left out, as a gap is."""
    rows = [
        {
            "hour": start + timedelta(hours=n),
            "service_name": SERVICE,
            "metric_name": name,
            "unit": unit,
            "sample_count": 60,
            "mean_value": value,
            "max_value": value,
            "limit_value": limit,
        }
        for n, value in enumerate(values)
        if value == value
    ]
    return METRIC_HOURS.conform(pd.DataFrame(rows))


def deployments(*moments: datetime, service: str = SERVICE) -> pd.DataFrame:
    rows = [
        {
            "deployed_at": moment,
            "service_name": service,
            "service_version": f"v{n}",
            "deployment_id": f"d{n}",
            "description": "",
        }
        for n, moment in enumerate(moments, start=1)
    ]
    return DEPLOYMENTS.conform(pd.DataFrame(rows)) if rows else DEPLOYMENTS.empty()


def episodes(*rows: tuple[datetime, datetime, int, int, float]) -> pd.DataFrame:
    """(started_at, ended_at, valid_count, bad_count, budget_spent_ratio) each."""
    names = ["started_at", "ended_at", "valid_count", "bad_count", "budget_spent_ratio"]
    return EPISODES.conform(pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows]))


def silences(*rows: tuple[datetime, datetime, float, str]) -> pd.DataFrame:
    """(started_at, ended_at, expected_count, kind) each."""
    names = ["started_at", "ended_at", "expected_count", "kind"]
    records = [{"service_name": SERVICE, **dict(zip(names, row, strict=True))} for row in rows]
    return SILENCES.conform(pd.DataFrame(records))


def alerts(*fired: datetime, severity: str = "page", name: str = "HighCpu") -> pd.DataFrame:
    rows = [
        {
            "fired_at": moment,
            "resolved_at": moment + timedelta(minutes=10),
            "service_name": SERVICE,
            "alert_name": name,
            "severity": severity,
        }
        for moment in fired
    ]
    return ALERTS.conform(pd.DataFrame(rows)) if rows else ALERTS.empty()


def incidents(started: datetime, detected: datetime, mitigated: datetime) -> pd.DataFrame:
    row = {
        "incident_id": "INC-1",
        "service_name": SERVICE,
        "title": "",
        "severity": "high",
        "started_at": started,
        "detected_at": detected,
        "mitigated_at": mitigated,
        "resolved_at": mitigated,
    }
    return INCIDENTS.conform(pd.DataFrame([row]))


def status(*, kind: str = "availability", name: str = "availability", **values: object) -> SloStatus:
    """An SLO of 99.9 % over 28 days, met with most of its budget left unless told otherwise."""
    threshold = 0.5 if kind == "latency" else None
    slo = Slo(
        name,
        f"SLO {name}",
        SERVICE,
        Indicator(kind, threshold_seconds=threshold),  # type: ignore[arg-type]
        SloWindow(Duration(28, "d"), True),
        "Occurrences",
        0.999,
        SOURCE,
    )
    end = WEEK.window(TOKYO).end
    window = Window(end - timedelta(days=28), end)
    made = SloStatus(
        slo=slo,
        window=window,
        whole_window=window,
        unit="requests",
        valid_count=1_000_000,
        good_count=999_900.0,
        bad_count=100.0,
        empty_slice_count=0,
        sli_ratio=0.9999,
        interval_low=0.99988,
        interval_high=0.99992,
        verdict="met",
        reason="interval_above_objective",
        completeness_ratio=1.0,
        budget_allowed_count=1000.0,
        budget_spent_count=100.0,
        budget_left_count=900.0,
        budget_left_ratio=0.9,
        budget_allowed_minutes=40.32,
        budget_left_minutes=36.3,
        burn_rates=(),
        forecast=Forecast("lasts", None, 0.1, timedelta(days=7)),
    )
    return replace(made, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def build() -> SimpleNamespace:
    """The functions above, for tests to make evidence with."""
    start = WEEK.window(TOKYO).start
    return SimpleNamespace(
        at=at,
        start=start,
        end=WEEK.window(TOKYO).end,
        before=Week(2026, 43).window(TOKYO).start,  # the comparable week of 2026-W44
        service=SERVICE,
        route=ROUTE,
        evidence=evidence,
        route_counts=route_counts,
        route_hours=route_hours,
        route_latency=route_latency,
        latency_hours=latency_hours,
        metric_hours=metric_hours,
        deployments=deployments,
        episodes=episodes,
        silences=silences,
        alerts=alerts,
        incidents=incidents,
        status=status,
    )
