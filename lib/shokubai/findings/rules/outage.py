"""When did users fail in numbers, and what did it cost?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from shokubai.config.model import Slo, route_matches
from shokubai.core.windows import MINUTE
from shokubai.findings.evidence import Evidence, instant
from shokubai.findings.model import Finding
from shokubai.findings.observation import Observation, Rule
from shokubai.findings.onset import nearest_deployment
from shokubai.findings.routes import Route, Stretch
from shokubai.slo.model import EPISODES


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per episode of an SLO that touches the week.

    The subject is ``slo@start`` (UTC), so that two outages of a week are two findings. postmortem_due: it spent
    more of the SLO's budget than the organisation's policy lets pass. spent: less than that.
    """
    for status in evidence.statuses:
        for row in reported(evidence, status.slo).to_dict("records"):
            start, end = instant(row["started_at"]), instant(row["ended_at"])
            assert start is not None and end is not None
            yield Observation(
                _finding(
                    evidence,
                    status.slo,
                    start=start,
                    end=end,
                    bad_count=float(row["bad_count"]),
                    valid_count=float(row["valid_count"]),
                    share=float(row["budget_spent_ratio"]),
                )
            )


def reported(evidence: Evidence, slo: Slo) -> pd.DataFrame:
    """The EPISODES of an SLO that touch the week and are large enough to be reported."""
    thresholds = evidence.thresholds("outage")
    episodes = evidence.episodes.get(slo.name, EPISODES.empty())
    return episodes[
        (episodes["started_at"] < pd.Timestamp(evidence.window.end))
        & (episodes["ended_at"] > pd.Timestamp(evidence.window.start))
        & (episodes["budget_spent_ratio"] >= thresholds["minimum_budget_ratio"])
        & (episodes["bad_count"] >= thresholds["minimum_bad_count"])
    ]


def outages_of(evidence: Evidence, route: Route) -> list[Stretch]:
    """The reported outages of the service's availability SLOs that hold the route."""
    found = []
    for status in evidence.statuses:
        slo = status.slo
        if slo.service != route.service or slo.indicator.kind != "availability":
            continue
        if not route_matches(slo.indicator.routes, route.method, route.route):
            continue
        for row in reported(evidence, slo).to_dict("records"):
            start, end = instant(row["started_at"]), instant(row["ended_at"])
            assert start is not None and end is not None
            found.append(Stretch(start, end))
    return found


def _finding(
    evidence: Evidence,
    slo: Slo,
    *,
    start: datetime,
    end: datetime,
    bad_count: float,
    valid_count: float,
    share: float,
) -> Finding:
    due = share > evidence.thresholds("outage")["postmortem_budget_ratio"]
    declared = _declared(evidence.incidents, slo.service, start, end)
    return Finding(
        "outage",
        "postmortem_due" if due else "spent",
        slo.service,
        "critical" if due else "warning",
        subject=f"{slo.name}@{start:%Y-%m-%dT%H:%MZ}",
        subject_name=slo.display_name,
        started_at=start,
        ended_at=end,
        numbers={
            "affected_count": bad_count,
            "bad_count": bad_count,
            "valid_count": valid_count,
            "bad_ratio": bad_count / valid_count if valid_count else None,
            "by_latency": float(slo.indicator.kind == "latency"),
            "duration_seconds": (end - start).total_seconds(),
            "budget_spent_ratio": share,
            "declared_count": float(len(declared)),
            "detected_after_seconds": _detected_after(declared, start),
        },
        candidate=nearest_deployment(evidence, slo.service, start),
    )


def _declared(incidents: pd.DataFrame, service: str, start: datetime, end: datetime) -> pd.DataFrame:
    """The incidents that people declared for it: those whose impact overlaps, give or take 15 minutes."""
    mine = incidents[incidents["service_name"] == service]
    finished = mine["mitigated_at"].fillna(mine["resolved_at"])
    slack = 15 * MINUTE
    return mine[(mine["started_at"] < pd.Timestamp(end + slack)) & ~(finished <= pd.Timestamp(start - slack))]


def _detected_after(declared: pd.DataFrame, start: datetime) -> float | None:
    detected = instant(declared["detected_at"].min())
    return None if detected is None else max(0.0, (detected - start).total_seconds())


RULE = Rule("outage", ("postmortem_due", "spent"), observe)
