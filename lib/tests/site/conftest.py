"""A weekly report of an invented team, put together by hand as a notebook's outputs, in both languages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from shokubai.config.model import Indicator, Language, Slo, SloWindow, Source
from shokubai.core.windows import Duration, Week, Window
from shokubai.display import figures, sections, tables
from shokubai.display.exhibit import Facts, Notice, Notices
from shokubai.display.format import Locale
from shokubai.display.frames import HOURLY_COMPLETENESS, HOURLY_LATENCY, HOURLY_TRAFFIC, Events, Periods
from shokubai.display.frames import ROUTE_CHANGES as ROUTES
from shokubai.slo.model import BUDGET_HISTORY, BURN_HISTORY, SILENCES, BurnRate, Forecast, SloStatus
from shokubai.tables.contracts import ALERTS, DEPLOYMENTS, INCIDENTS, METRIC_HOURS, QUERIES

TOKYO = ZoneInfo("Asia/Tokyo")
WEEK = Week(2026, 44)
WINDOW = WEEK.window(TOKYO)
END = WINDOW.end
SERVICE = "invoice-api"
OUTAGE = datetime(2026, 10, 29, 14, 5, tzinfo=TOKYO)
HOURS = pd.date_range(WINDOW.start, WINDOW.end, freq="h", inclusive="left", unit="us")
NOT_NUMBERS = ("service_name", "hour")


@pytest.fixture(scope="session")
def make_notebook() -> Callable[[Language], dict[str, Any]]:
    """A function that gives the sample report as nbformat JSON."""
    return sample_notebook


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The parts of the sample report: the functions of this file."""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def as_notebook() -> Callable[..., dict[str, Any]]:
    """A function that puts exhibits (or ready outputs) into a notebook, one cell each."""
    return notebook_of


def notebook_of(*exhibits: Any) -> dict[str, Any]:
    cells = []
    for exhibit in exhibits:
        if isinstance(exhibit, dict):
            outputs = [exhibit]
        else:
            data, metadata = exhibit._repr_mimebundle_()
            outputs = [{"output_type": "display_data", "data": data, "metadata": metadata}]
        cells.append(
            {
                "cell_type": "code",
                "source": "page.section()",
                "metadata": {},
                "execution_count": 1,
                "outputs": outputs,
            }
        )
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def slo(name: str, display_name: str, objective: float, threshold: float | None = None) -> Slo:
    kind = "availability" if threshold is None else "latency"
    return Slo(
        name=name,
        display_name=display_name,
        service=SERVICE,
        indicator=Indicator(kind, threshold_seconds=threshold),  # type: ignore[arg-type]
        window=SloWindow(Duration(28, "d"), is_rolling=True),
        budgeting="Occurrences",
        objective=objective,
        source=Source(Path("parameters/slos/invoice-api.yaml"), 1),
    )


def status(
    of: Slo, *, valid: int, bad: int, low: float | None, high: float | None, verdict: str, reason: str, peak: float
) -> SloStatus:
    window = Window(END - timedelta(days=28), END)
    allowed = (1 - of.objective) * valid
    left = 1 - bad / allowed if valid else None
    minutes = 28 * 1440 * (1 - of.objective)
    burns = tuple(
        BurnRate(
            lookback=timedelta(hours=hours),
            short_lookback=timedelta(hours=hours) / 12,
            budget_fraction=fraction,
            severity=severity,  # type: ignore[arg-type]
            threshold=fraction * 28 * 24 / hours,
            rate=0.4 * share if valid else None,
            peak_rate=peak * share if valid else None,
            peak_at=(OUTAGE + timedelta(minutes=40)).astimezone(UTC) if valid else None,
        )
        for hours, fraction, severity, share in (
            (1, 0.02, "page", 1.0),
            (6, 0.05, "page", 0.5),
            (24, 0.1, "ticket", 0.2),
            (72, 0.1, "ticket", 0.08),
        )
    )
    outcome = "unknown" if left is None else "exhausted" if left < 0 else "exhausts" if left < 0.5 else "lasts"
    return SloStatus(
        slo=of,
        window=window,
        whole_window=window,
        unit="requests",
        valid_count=valid,
        good_count=valid - bad,
        bad_count=bad,
        empty_slice_count=0,
        sli_ratio=(valid - bad) / valid if valid else None,
        interval_low=low,
        interval_high=high,
        verdict=verdict,  # type: ignore[arg-type]
        reason=reason,  # type: ignore[arg-type]
        completeness_ratio=0.997,
        budget_allowed_count=allowed,
        budget_spent_count=bad,
        budget_left_count=allowed - bad,
        budget_left_ratio=left,
        budget_allowed_minutes=minutes,
        budget_left_minutes=None if left is None else left * minutes,
        burn_rates=burns,
        forecast=Forecast(
            outcome,  # type: ignore[arg-type]
            END + timedelta(days=9, hours=4) if outcome == "exhausts" else None,
            1.7 if valid else None,
            timedelta(days=3),
        ),
    )


def sample_statuses(language: Language) -> list[SloStatus]:
    ja = language == "ja"
    return [
        status(
            slo("invoice-availability", "請求書APIの可用性" if ja else "Invoice API availability", 0.999),
            valid=2_184_311,
            bad=1_376,
            low=0.999_335,
            high=0.999_402,
            verdict="met",
            reason="interval_above_objective",
            peak=62,
        ),
        status(
            slo("invoice-latency", "請求書APIの速さ" if ja else "Invoice API latency", 0.99, 0.5),
            valid=2_182_935,
            bad=27_312,
            low=0.987_34,
            high=0.987_64,
            verdict="missed",
            reason="interval_below_objective",
            peak=9.1,
        ),
        status(
            slo("export-availability", "CSV出力の可用性" if ja else "CSV export availability", 0.995),
            valid=412,
            bad=1,
            low=0.986_36,
            high=0.999_57,
            verdict="not_enough_data",
            reason="interval_holds_objective",
            peak=0.7,
        ),
    ]


def _activity() -> np.ndarray:
    local = HOURS.tz_convert(TOKYO)
    office = np.exp(-(((local.hour.to_numpy() - 14) / 4.2) ** 2))
    weekday = np.where(local.day_of_week.to_numpy() < 5, 1.0, 0.12)
    month_end = np.where(local.day.to_numpy() == 30, 1.9, 1.0)
    return (120 + 5_200 * office) * weekday * month_end


def sample_traffic() -> pd.DataFrame:
    random = np.random.default_rng(7)
    base = _activity()
    requests = np.rint(base * random.normal(1, 0.04, len(base)).clip(0.7)).astype(int)
    errors = random.binomial(requests, 0.0003)
    outage = OUTAGE.replace(minute=0) == HOURS
    errors[outage] = random.binomial(requests[outage], 0.19)
    flat = np.where(HOURS.tz_convert(TOKYO).day == 30, 1 / 1.9, 1.0)
    frame = pd.DataFrame(
        {
            "service_name": SERVICE,
            "hour": HOURS,
            "request_count": pd.array(requests, dtype="Int64"),
            "error_count": pd.array(errors, dtype="Int64"),
            "comparable_request_count": pd.array(np.rint(base * flat * 0.93).astype(int), dtype="Int64"),
            "comparable_error_count": pd.array(np.rint(base * 0.0004).astype(int), dtype="Int64"),
            "last_month_request_count": pd.array(np.rint(base * 0.9).astype(int), dtype="Int64"),
            "last_month_error_count": pd.array(np.rint(base * 0.0004).astype(int), dtype="Int64"),
        }
    )
    frame.loc[50:53, ["request_count", "error_count"]] = pd.NA
    return HOURLY_TRAFFIC.conform(frame)


def sample_latency() -> pd.DataFrame:
    random = np.random.default_rng(8)
    base = _activity()
    slow = np.where(datetime(2026, 10, 28, 11, tzinfo=TOKYO) <= HOURS, 1.6, 1.0)
    p50 = 0.062 * (1 + base / 30_000) * random.normal(1, 0.03, len(base))
    frame = pd.DataFrame(
        {
            "service_name": SERVICE,
            "hour": HOURS,
            "duration_count": base.astype(int),
            "p50_seconds": p50,
            "p95_seconds": p50 * 4.6 * slow * random.normal(1, 0.04, len(base)),
            "p99_seconds": p50 * 11 * slow * random.normal(1, 0.08, len(base)),
            "comparable_p95_seconds": p50 * 4.5,
            "last_month_p95_seconds": p50 * 4.7,
        }
    )
    return HOURLY_LATENCY.conform(frame)


def sample_history(left: float, before: float) -> pd.DataFrame:
    at = pd.date_range(END - timedelta(days=28), END, freq="h", unit="us")
    drift = np.linspace(before, before - 0.06, len(at))
    fall = (before - 0.06 - left) / (
        1 + np.exp(np.clip(-np.asarray((at - pd.Timestamp(OUTAGE)) / pd.Timedelta(hours=0.6)), -50, 50))
    )
    return BUDGET_HISTORY.conform(
        pd.DataFrame({"at": at, "sli_ratio": 0.999, "budget_left_ratio": drift - np.asarray(fall)})
    )


def sample_burn(peak: float) -> pd.DataFrame:
    random = np.random.default_rng(9)
    at = pd.date_range(WINDOW.start, WINDOW.end, freq="10min", unit="us")
    hours = np.asarray((at - pd.Timestamp(OUTAGE)) / pd.Timedelta(hours=1))
    parts = []
    for lookback, share in ((1, 1.0), (6, 0.5), (24, 0.2), (72, 0.08)):
        rate = 0.35 + 0.25 * random.random(len(at)) / lookback**0.5
        rate = rate + np.where((hours > 0) & (hours < lookback + 0.6), peak * share, 0)
        parts.append(pd.DataFrame({"at": at, "lookback_seconds": lookback * 3600, "burn_rate": rate}))
    return BURN_HISTORY.conform(pd.concat(parts, ignore_index=True))


def sample_routes() -> pd.DataFrame:
    rows = []
    for method, route, requests, errors, p95, before, spent, ratio in (
        ("POST", "/v1/invoices", 182_400, 912, 0.81, 0.44, 912.0, 0.42),
        ("GET", "/v1/invoices/{invoice_id}", 402_118, 33, 0.21, 0.20, 33.0, 0.015),
        ("GET", "/v1/invoices/{invoice_id}/attachments/{attachment_id}/preview", 31_990, 12, 1.9, 1.7, 12.0, 0.0055),
        ("GET", "/v1/approvals", 88_210, 0, 0.12, 0.13, 0.0, float("nan")),
        ("POST", "/<script>alert(1)</script>/{id}", 10, 1, 0.3, 0.3, 1.0, 0.00046),
    ):
        numbers = {"request_count": requests, "error_count": errors, "p50_seconds": p95 / 4, "p99_seconds": p95 * 2.1}
        rows.append(
            {
                "service_name": SERVICE,
                "http_request_method": method,
                "http_route": route,
                **numbers,
                "p95_seconds": p95,
                **{f"comparable_{k}": v * 0.9 if k.endswith("seconds") else v for k, v in numbers.items()},
                "comparable_p95_seconds": before,
                **{f"last_month_{k}": v for k, v in numbers.items()},
                "last_month_p95_seconds": before * 1.02,
                "slo_name": "invoice-availability" if spent else "",
                "budget_spent_count": spent,
                "budget_valid_count": float(requests),
                "budget_spent_ratio": ratio,
            }
        )
    return ROUTES.conform(pd.DataFrame(rows))


def sample_metrics() -> pd.DataFrame:
    base = _activity() / 11_000
    n = np.arange(len(HOURS)) / len(HOURS)
    parts = []
    for metric, unit, mean, peak, limit in (
        ("process.cpu.utilization", "1", 0.15 + 0.5 * base, 0.2 + 0.7 * base, 1.0),
        ("process.memory.usage", "By", (1.1 + 0.75 * n) * 1e9, (1.15 + 0.78 * n) * 1e9, 2e9),
        ("db.client.connection.count", "{connection}", 8 + 40 * base, 10 + 60 * base, 100.0),
        ("queue.oldest_message.age", "s", 2 + 30 * base, 4 + 90 * base, float("nan")),
    ):
        parts.append(
            pd.DataFrame(
                {
                    "hour": HOURS,
                    "service_name": SERVICE,
                    "metric_name": metric,
                    "unit": unit,
                    "sample_count": 60,
                    "mean_value": mean,
                    "max_value": peak,
                    "limit_value": limit,
                }
            )
        )
    return METRIC_HOURS.conform(pd.concat(parts, ignore_index=True))


def sample_events() -> Events:
    return Events(
        DEPLOYMENTS.conform(
            pd.DataFrame(
                {
                    "deployed_at": pd.to_datetime(["2026-10-28T02:12:00Z", "2026-10-30T07:40:00Z"]),
                    "service_name": SERVICE,
                    "service_version": ["2026.10.28-1", "2026.10.30-1"],
                    "deployment_id": ["d-101", "d-102"],
                    "description": ["New tax rounding <b>and</b> validation", "Index on invoices.due_on"],
                }
            )
        ),
        INCIDENTS.conform(
            pd.DataFrame(
                {
                    "incident_id": ["INC-231"],
                    "service_name": [SERVICE],
                    "title": ["Database failover: invoices answered 503"],
                    "severity": ["SEV2"],
                    "started_at": pd.to_datetime([OUTAGE]).tz_convert("UTC"),
                    "detected_at": pd.to_datetime([OUTAGE + timedelta(minutes=4)]).tz_convert("UTC"),
                    "mitigated_at": pd.to_datetime([OUTAGE + timedelta(minutes=47)]).tz_convert("UTC"),
                    "resolved_at": pd.to_datetime([OUTAGE + timedelta(hours=3)]).tz_convert("UTC"),
                }
            )
        ),
    )


def sample_completeness() -> pd.DataFrame:
    state = np.where(np.arange(len(HOURS)) >= len(HOURS) - 5, "late", "data").astype(object)
    state[50:54] = "telemetry_gap"
    one = pd.DataFrame({"service_name": SERVICE, "hour": HOURS, "request_count": 10, "state": state})
    quiet = np.where(HOURS.tz_convert(TOKYO).day_of_week >= 5, "zero_traffic", "data")
    two = pd.DataFrame({"service_name": "csv-export", "hour": HOURS, "request_count": 10, "state": quiet})
    return HOURLY_COMPLETENESS.conform(pd.concat([one, two], ignore_index=True))


def sample_silences() -> pd.DataFrame:
    """The stretches of ``sample_completeness``."""
    return SILENCES.conform(
        pd.DataFrame(
            {
                "service_name": SERVICE,
                "started_at": [HOURS[50], HOURS[-5]],
                "ended_at": [HOURS[54], HOURS[-1] + pd.Timedelta(hours=1)],
                "expected_count": 40.0,
                "kind": ["telemetry_gap", "late"],
            }
        )
    )


def sample_notebook(language: Language) -> dict[str, Any]:
    locale = Locale(language, TOKYO)
    ja = language == "ja"
    statuses = sample_statuses(language)
    histories = {
        "invoice-availability": sample_history(0.37, 0.92),
        "invoice-latency": sample_history(-0.25, 0.35),
        "export-availability": sample_history(0.515, 0.62),
    }
    traffic, latency, events = sample_traffic(), sample_latency(), sample_events()
    periods = Periods(WINDOW, WEEK.plus(-1).window(TOKYO), None)
    alerts = ALERTS.conform(
        pd.DataFrame(
            {
                "fired_at": pd.to_datetime([OUTAGE + timedelta(minutes=6)]).tz_convert("UTC"),
                "resolved_at": pd.to_datetime([OUTAGE + timedelta(minutes=58)]).tz_convert("UTC"),
                "service_name": [SERVICE],
                "alert_name": ["invoice-availability burn rate 1h"],
                "severity": ["page"],
            }
        )
    )
    queries = QUERIES.conform(
        pd.DataFrame(
            {
                "name": ["minute_counts", "hour_latency"],
                "sha256": ["9f2c" * 16, "77ab" * 16],
                "milliseconds": [412.0, 655.5],
                "bytes": pd.array([81_234_567, pd.NA], dtype="Int64"),
                "row_count": pd.array([40_320, 9_812], dtype="Int64"),
            }
        )
    )
    notices = Notices(
        (
            Notice(
                "critical",
                "要対応・新規" if ja else "Act now · new",
                "POST /v1/invoices のp95が440 msから810 msになりました"
                if ja
                else "POST /v1/invoices: p95 rose from 440 ms to 810 ms",
                "10月28日 11:12 のデプロイ 2026.10.28-1 の直後から続いています。"
                if ja
                else "It began within minutes of deployment 2026.10.28-1 and has lasted since.",
                "このデプロイの差分を確かめ、戻せるなら戻して値の変化を見てください。"
                if ja
                else "Look at what this deployment changed; if it can be rolled back, do so and watch p95.",
                locale.instants(datetime(2026, 10, 28, 11, 20, tzinfo=TOKYO), None),
            ),
            Notice(
                "warning",
                "注意・継続2週" if ja else "Watch · 2 weeks",
                "メモリーが1日あたり110 MBずつ増えています" if ja else "Memory grows by 110 MB a day",
                "このままだと11月4日ごろ上限に達します。"
                if ja
                else "At this pace it reaches its limit around 4 Nov.",
                "次の再起動の前にヒープダンプを取ってください。"
                if ja
                else "Take a heap dump before the next restart.",
            ),
        ),
        "次の一歩:" if ja else "Next step:",
    )
    values: dict[str, Any] = {"locale": locale, "events": events}
    week = {"periods": periods, "service": SERVICE, **values}
    shown: list[Any] = [
        sections.header(
            title="請求書発行" if ja else "Invoice Issuing",
            week=WEEK,
            window=WINDOW,
            data_complete_through=END - timedelta(hours=5),
            locale=locale,
            as_of=END,
        ),
        sections.headline(statuses, locale=locale),
        sections.verdict_cards(statuses, locale=locale),
        sections.callout(
            "late_data", locale=locale, level="warning", services=SERVICE, at=locale.instant(END - timedelta(hours=5))
        ),
        sections.section("findings", locale=locale),
        notices,
        sections.section("budget", locale=locale),
        figures.budget(histories, statuses=statuses, **values),
        figures.objectives(statuses, locale=locale),
        tables.verdicts(statuses, locale=locale),
        sections.section("burn", locale=locale),
        figures.burn(sample_burn(62), status=statuses[0], window=WINDOW, **values),
        figures.burn(sample_burn(9.1), status=statuses[1], window=WINDOW, **values),
        tables.burn_rates(statuses, locale=locale),
        sections.section("week", locale=locale),
        figures.traffic(traffic, **week),
        figures.errors(traffic, statuses=statuses, **week),
        figures.latency(latency, statuses=statuses, **week),
        sections.section("routes", locale=locale),
        tables.routes_by_budget(sample_routes(), statuses=statuses, locale=locale),
        tables.routes_by_change(sample_routes(), locale=locale),
        sections.section("changes", locale=locale),
        tables.changes(events, alerts=alerts, window=WINDOW, locale=locale),
        sections.section("saturation", locale=locale),
        *figures.saturation(sample_metrics(), window=WINDOW, **values),
        sections.section("data_quality", locale=locale),
        figures.completeness(sample_completeness(), silences=sample_silences(), window=WINDOW, locale=locale),
        sections.nothing("silences", locale=locale),
        sections.section("provenance", locale=locale),
        tables.provenance(
            {
                "window": WINDOW,
                "data_complete_through": END - timedelta(hours=5),
                "code_version": "0.1.0",
                "query_count": 2,
                "bytes_read": 81_234_567,
            },
            locale=locale,
        ),
        tables.queries(queries, locale=locale),
        Facts({"team": "issuing", "week": str(WEEK)}),
    ]
    return notebook_of(*shown)
