"""Which alerts paged people while no budget was being spent?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd

from shokubai.core.windows import HOUR
from shokubai.findings.evidence import Evidence, instant
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.slo.model import SloStatus


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per paging alert of a service with SLOs that mostly fired for nothing.

    For nothing: near the alert (its duration and a grace before and after) no SLO of the service had an episode,
    the service's errors there stayed within the strictest objective's allowance, no people declared an incident,
    and the data had no gap. Only pages are judged; tickets may well be about something else than users. Services
    of which the team owns some routes are left out: an alert is about all of them, and may be right about another
    team's.
    """
    thresholds = evidence.thresholds("alert_noise")
    for (service, name), rows in _pages(evidence).groupby(["service_name", "alert_name"], sort=True):
        statuses = [s for s in evidence.statuses if s.slo.service == service]
        if not statuses or not _owns_whole(evidence, str(service)):
            continue
        noisy = [alert for alert in rows.itertuples() if _is_for_nothing(evidence, statuses, alert)]
        if len(noisy) < thresholds["minimum_fired_count"]:
            continue
        if len(noisy) < thresholds["minimum_noise_ratio"] * len(rows):
            continue
        yield Observation(
            Finding(
                "alert_noise",
                "no_budget_spent",
                str(service),
                "notice",
                subject=str(name),
                started_at=instant(noisy[0].fired_at),
                ended_at=instant(noisy[-1].fired_at),
                numbers={
                    "affected_count": 0.0,
                    "fired_count": float(len(rows)),
                    "noisy_count": float(len(noisy)),
                    "noisy_ratio": len(noisy) / len(rows),
                },
            )
        )


def _owns_whole(evidence: Evidence, service: str) -> bool:
    return any(owned.service == service and not owned.routes for owned in evidence.team.owns)


def _pages(evidence: Evidence) -> pd.DataFrame:
    alerts = evidence.alerts
    fired = alerts["fired_at"]
    in_week = (fired >= pd.Timestamp(evidence.window.start)) & (fired < pd.Timestamp(evidence.window.end))
    return alerts[in_week & (alerts["severity"] == "page")].sort_values("fired_at")


def _is_for_nothing(evidence: Evidence, statuses: list[SloStatus], alert: Any) -> bool:
    grace = timedelta(minutes=evidence.thresholds("alert_noise")["grace_minutes"])
    fired = instant(alert.fired_at)
    assert fired is not None
    resolved = instant(alert.resolved_at) or fired
    start, end = pd.Timestamp(fired - grace), pd.Timestamp(resolved + grace)
    service = statuses[0].slo.service

    def overlapping(frame: pd.DataFrame, ended: pd.Series) -> bool:
        return bool(((frame["started_at"] < end) & ~(ended <= start)).any())

    for status in statuses:
        episodes = evidence.episodes.get(status.slo.name)
        if episodes is not None and overlapping(episodes, episodes["ended_at"]):
            return False
    incidents = evidence.incidents[evidence.incidents["service_name"] == service]
    if overlapping(incidents, incidents["mitigated_at"].fillna(incidents["resolved_at"])):
        return False
    silences = evidence.silences[evidence.silences["service_name"] == service]
    if overlapping(silences, silences["ended_at"]):
        return False
    hours = evidence.route_hours[evidence.route_hours["service_name"] == service]
    near = hours[(hours["hour"] < end) & (hours["hour"] + HOUR > start)]
    allowed = min(1 - status.slo.objective for status in statuses)
    return bool(near["error_count"].sum() <= allowed * near["request_count"].sum())


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved: the service was used and the alert no longer fired for nothing."""
    if not _owns_whole(evidence, past.service) or past.service not in set(evidence.route_hours["service_name"]):
        return None
    fired = (_pages(evidence)["alert_name"] == past.subject).sum()
    return replace(
        past,
        case="resolved",
        severity="good",
        state="resolved",
        started_at=None,
        ended_at=None,
        numbers={"fired_count": float(fired)},
    )


RULE = Rule("alert_noise", ("no_budget_spent", "resolved"), observe, follow_up, Measure("noisy_count"))
