"""Which queues held messages longer than agreed?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from shokubai.core.windows import HOUR
from shokubai.findings.evidence import Evidence, instant
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule


def is_queue_age(metric: str) -> bool:
    return "oldest_message" in metric


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per queue-age metric that was above its limit in enough hours of the week."""
    minimum = evidence.thresholds("queue_age")["minimum_hours_count"]
    for (service, metric), rows in _week(evidence).groupby(["service_name", "metric_name"], sort=True):
        above = rows[rows["max_value"] > rows["limit_value"]].sort_values("hour")
        if above.empty or len(above) < minimum:
            continue
        peak = above.iloc[int(above["max_value"].argmax())]
        start, last = instant(above["hour"].iloc[0]), instant(above["hour"].iloc[-1])
        assert start is not None and last is not None
        yield Observation(
            Finding(
                "queue_age",
                "above_limit",
                str(service),
                "warning",
                subject=str(metric),
                started_at=start,
                ended_at=last + HOUR,
                numbers={
                    "affected_count": 0.0,
                    "above_seconds": len(above) * HOUR.total_seconds(),
                    "peak_seconds": float(peak["max_value"]) * _SECONDS.get(str(peak["unit"]), 1.0),
                    "limit_seconds": float(peak["limit_value"]) * _SECONDS.get(str(peak["unit"]), 1.0),
                    "over_limit_factor": float(peak["max_value"] / peak["limit_value"]),
                },
            )
        )


_SECONDS = {"s": 1.0, "ms": 0.001, "min": 60.0, "h": 3600.0}  # UCUM


def _week(evidence: Evidence) -> pd.DataFrame:
    hours = evidence.metric_hours
    in_week = (hours["hour"] >= pd.Timestamp(evidence.window.start)) & (
        hours["hour"] < pd.Timestamp(evidence.window.end)
    )
    known = hours["limit_value"] > 0
    return hours[in_week & known & hours["metric_name"].map(is_queue_age).astype(bool)]


def follow_up(evidence: Evidence, past: Finding) -> Finding | None:
    """Resolved when the queue was measured this week and kept its limit; silent when it was not measured."""
    rows = _week(evidence)
    rows = rows[(rows["service_name"] == past.service) & (rows["metric_name"] == past.subject)]
    if rows.empty:
        return None
    return replace(
        past,
        case="resolved",
        severity="good",
        state="resolved",
        started_at=None,
        ended_at=None,
        numbers={"peak_seconds": float(rows["max_value"].max()), "limit_seconds": float(rows["limit_value"].max())},
    )


RULE = Rule("queue_age", ("above_limit", "resolved"), observe, follow_up, Measure("above_seconds"))
