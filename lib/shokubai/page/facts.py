"""``facts.json``: the numbers of a report for programs, the next report and tests. Nothing here is rounded.

The contract is ``facts.schema.json`` beside this file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from shokubai.config.model import LANGUAGES
from shokubai.core.errors import UsageError
from shokubai.core.windows import Week
from shokubai.display.format import Locale
from shokubai.display.prose import tell
from shokubai.display.sections import headline_sentence
from shokubai.findings import Finding, finding_facts, reply_facts
from shokubai.slo import name_parts
from shokubai.slo.model import SloStatus
from shokubai.tables import Tables
from shokubai.version import __version__
from shokubai.workspace import TeamWeek, comparison

SCHEMA = "shokubai/weekly_team_report/v1"
ROUTE_NUMBERS = ("request_count", "error_count", "p50_seconds", "p95_seconds", "p99_seconds")


def weekly_facts(week: TeamWeek, *, generated_at: datetime | None = None) -> dict[str, Any]:
    """Everything a weekly team report states, as JSON values.

    ``status`` is "no_data" when no service of the team had a request in 28 days; the lists are empty then.
    """
    queries = week.tables.queries()
    head = {
        "schema": SCHEMA,
        "status": "made" if week.has_data else "no_data",
        "team": week.team.name,
        "team_display_name": {lang: week.team.display_name.in_language(lang) for lang in LANGUAGES},
        "language": week.team.language,
        "week": str(week.week),
        "window": {**_window(week.window.start, week.window.end), "time_zone": str(week.zone)},
        "comparable_week": str(week.comparable_week) if week.comparable else None,
        "last_month_days": [
            {"day": pair.day.isoformat(), "compared_with": pair.compared_with.isoformat()}
            for pair in week.last_month_days
        ],
        "data_complete_through": plain(week.data_complete_through),
        "headline": {
            lang: headline_sentence(week.statuses if week.has_data else (), locale=Locale(lang, week.zone))
            for lang in LANGUAGES
        },
        "provenance": plain(
            {
                "generated_at": generated_at,
                "code_version": __version__,
                "warehouse": week.tables.name,
                "query_count": len(queries),
                "bytes_read": int(queries["bytes"].fillna(0).sum()),
                "cost": cost_facts(week.tables),
            }
        ),
    }
    ledger = week.ledger
    memory = {
        "remembered_findings": [finding_facts(finding) for finding in ledger.remembered],
        "orphaned_replies": [{"finding": reply.finding, "reply": reply_facts(reply)} for reply in ledger.orphaned],
    }
    if not week.has_data:
        lists = ("services", "statuses", "slos", "closed_slos", "routes", "episodes", "silences", "findings")
        return head | {key: [] for key in lists} | memory
    return head | {
        "services": rows(week.services),
        "statuses": rows(comparison.status_counts(week)),
        "slos": [status_facts(s, parts=week.budget_parts[s.slo.name]) for s in week.statuses],
        "closed_slos": [status_facts(s, parts=week.closed_budget_parts[s.slo.name]) for s in week.closed_statuses],
        "routes": [_route_facts(row) for row in rows(comparison.route_changes(week))],
        "episodes": [
            {"slo": name, **row} for name, episodes in sorted(week.episodes.items()) for row in rows(episodes)
        ],
        "silences": rows(week.silences),
        "findings": [told_finding_facts(finding, week.zone) for finding in ledger.findings],
        **memory,
    }


def cost_facts(opened: Tables) -> dict[str, Any] | None:
    """What was read in a warehouse that bills for it: for this report alone, and once for all reports of the run."""
    own, shared = opened.cost(), opened.shared_cost()
    if own is None:
        return None
    return {"report": own.to_json(), "run": shared.to_json() if shared else None}


def read_cost(file: Path) -> dict[str, Any] | None:
    """What a report's facts say that it has cost alone; None where reading costs nothing."""
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        return dict(facts["provenance"]["cost"]["report"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_facts(file: Path, *, before: Week | None = None) -> dict[str, Any] | None:
    """What a weekly team report stated; None when the file is missing, damaged or of another version.

    With ``before`` also when it is not of an earlier week than that.
    """
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        return None
    try:
        return facts if before is None or Week.parse(str(facts.get("week"))) < before else None
    except UsageError:
        return None


def status_facts(status: SloStatus, *, parts: pd.DataFrame) -> dict[str, Any]:
    """One judged SLO, with what its budget was spent on (BUDGET_PARTS)."""
    slo = status.slo
    values = {
        "service_name": slo.service,
        "name": slo.name,
        "display_name": slo.display_name,
        "indicator": slo.indicator.kind,
        "threshold_seconds": slo.indicator.threshold_seconds,
        "objective": slo.objective,
        "budgeting_method": slo.budgeting,
        "window": {
            **_window(status.window.start, status.window.end),
            "whole_end": status.whole_window.end,
            "duration": str(slo.window.duration),
            "is_rolling": slo.window.is_rolling,
        },
        "unit": status.unit,
        "valid_count": status.valid_count,
        "good_count": status.good_count,
        "bad_count": status.bad_count,
        "empty_slice_count": status.empty_slice_count,
        "sli_ratio": status.sli_ratio,
        "interval": {"low": status.interval_low, "high": status.interval_high, "confidence": 0.95},
        "verdict": status.verdict,
        "reason": status.reason,
        "completeness_ratio": status.completeness_ratio,
        "data_since": status.data_since,
        "budget": {
            "allowed_count": status.budget_allowed_count,
            "spent_count": status.budget_spent_count,
            "left_count": status.budget_left_count,
            "left_ratio": status.budget_left_ratio,
            "allowed_minutes": status.budget_allowed_minutes,
            "left_minutes": status.budget_left_minutes,
            "parts": rows(name_parts(parts)),
        },
        "burn_rates": [
            {
                "lookback_seconds": int(burn.lookback.total_seconds()),
                "short_lookback_seconds": int(burn.short_lookback.total_seconds()),
                "budget_fraction": burn.budget_fraction,
                "severity": burn.severity,
                "threshold": burn.threshold,
                "rate": burn.rate,
                "peak_rate": burn.peak_rate,
                "peak_at": burn.peak_at,
                "peak_bad_count": burn.peak_bad_count,
                "crossed_at": burn.crossed_at,
            }
            for burn in status.burn_rates
        ],
        "forecast": {
            "outcome": status.forecast.outcome,
            "exhausted_at": status.forecast.exhausted_at,
            "pace_burn_rate": status.forecast.pace_burn_rate,
            "lookback_seconds": int(status.forecast.lookback.total_seconds()),
        },
    }
    made: dict[str, Any] = plain(values)
    return made


def told_finding_facts(finding: Finding, zone: ZoneInfo) -> dict[str, Any]:
    """One finding with its numbers, and its sentences in every language."""
    text = {lang: asdict(tell(finding, locale=Locale(lang, zone))) for lang in LANGUAGES}
    return {**finding_facts(finding), "text": text}


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as JSON objects."""
    made: list[dict[str, Any]] = plain(frame.to_dict("records"))
    return made


def plain(value: Any) -> Any:
    """JSON values: instants as ISO 8601 in UTC, missing and not-a-number as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, datetime):
        return pd.Timestamp(value).tz_convert("UTC").isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "item"):  # numpy scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _window(start: datetime, end: datetime) -> dict[str, Any]:
    return {"start": plain(start), "end": plain(end)}


def _route_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    def numbers(prefix: str) -> dict[str, Any] | None:
        if row[prefix + "request_count"] is None:
            return None
        return {name: row[prefix + name] for name in ROUTE_NUMBERS}

    return {
        **{name: row[name] for name in ("service_name", "http_request_method", "http_route")},
        **{name: row[name] for name in ROUTE_NUMBERS},
        "comparable": numbers("comparable_"),
        "last_month": numbers("last_month_"),
        "slo_name": row["slo_name"],
        "budget_spent_count": row["budget_spent_count"],
        "budget_spent_ratio": row["budget_spent_ratio"],
    }
