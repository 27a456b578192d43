"""Did clients hammer a failing route?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from shokubai.core.windows import HOUR
from shokubai.findings.evidence import Evidence, instant, once
from shokubai.findings.model import Finding
from shokubai.findings.observation import Measure, Observation, Rule
from shokubai.findings.onset import hourly, nearest_deployment
from shokubai.findings.routes import Route, Stretch, rows_of
from shokubai.tables.ownership import ROUTE


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per route that has a stretch of storm hours; of several the one with most requests."""
    for route, hours in sorted(_storms(evidence).items(), key=lambda item: item[0]):
        if not hours["is_storm"].any():
            continue
        run = (hours["is_storm"] != hours["is_storm"].shift(fill_value=False)).cumsum()[hours["is_storm"]]
        requests = hours.loc[run.index, "request_count"].groupby(run).sum()
        worst = hours.loc[run.index[run == requests.idxmax()]]
        yield Observation(_finding(evidence, route, worst, stretch_count=len(requests)))


@once
def _storms(evidence: Evidence) -> dict[Route, pd.DataFrame]:
    return {route: storm_hours(evidence, route) for route in _suspects(evidence)}


def _suspects(evidence: Evidence) -> set[Route]:
    """Routes with an hour that is busy and failing enough; whether it is a burst remains to be seen."""
    thresholds = evidence.thresholds("retry_storm")
    hours = evidence.route_hours
    failing = hours[
        (hours["request_count"] >= thresholds["minimum_requests_count"])
        & (hours["error_count"] >= thresholds["minimum_error_ratio"] * hours["request_count"])
    ]
    return {Route(*key) for key in failing[ROUTE].drop_duplicates().itertuples(index=False, name=None)}


def storm_hours(evidence: Evidence, route: Route) -> pd.DataFrame:
    """One row per hour of the week with ``is_storm``: far more requests than expected, and many of them failed.

    Columns: request_count, error_count, expected_count, is_storm. Expected is the same hour of the comparable
    week, or that week's median busy hour when that is more (a quiet night is no yardstick). Without a comparable
    week it is the median busy hour of the week itself.
    """
    thresholds = evidence.thresholds("retry_storm")
    week, comparable = evidence.window, evidence.comparable_week.window(evidence.zone)
    columns = ["request_count", "error_count"]
    hours = hourly(rows_of(evidence.route_hours, route), columns, start=week.start, end=week.end)
    before = rows_of(evidence.comparable_route_hours, route)
    base = hourly(before, columns, start=comparable.start, end=comparable.end)["request_count"]
    expected = base.to_numpy(dtype=np.float64)
    if not expected.any():
        expected = np.zeros(len(hours))
        base = hours["request_count"]
    busy = base[base > 0]
    # Weeks in which clocks change differ by an hour; the last hours are then compared with the median alone.
    expected = np.resize(np.append(expected, np.zeros(len(hours))), len(hours))
    hours["expected_count"] = np.maximum(expected, float(busy.median()) if len(busy) else 0.0)
    hours["is_storm"] = (
        (hours["request_count"] >= thresholds["minimum_requests_count"])
        & (hours["request_count"] >= thresholds["burst_factor"] * hours["expected_count"])
        & (hours["error_count"] >= thresholds["minimum_error_ratio"] * hours["request_count"])
    )
    return hours


def storms_of(evidence: Evidence, route: Route) -> list[Stretch]:
    """The storm hours of a route, each as a stretch."""
    hours = _storms(evidence).get(route)
    if hours is None:
        return []
    starts = [start.to_pydatetime() for start in hours.index[hours["is_storm"]]]
    return [Stretch(start, start + HOUR) for start in starts]


def _finding(evidence: Evidence, route: Route, hours: pd.DataFrame, *, stretch_count: int) -> Finding:
    start, last = instant(hours.index[0]), instant(hours.index[-1])
    assert start is not None and last is not None
    requests, errors = float(hours["request_count"].sum()), float(hours["error_count"].sum())
    expected = float(hours["expected_count"].sum())
    return Finding(
        "retry_storm",
        "storm",
        route.service,
        "warning",
        method=route.method,
        route=route.route,
        started_at=start,
        ended_at=last + HOUR,
        numbers={
            "affected_count": errors,
            "requests_count": requests,
            "errors_count": errors,
            "error_ratio": errors / requests,
            "expected_count": expected,
            "burst_factor": requests / expected if expected else None,
            "duration_seconds": len(hours) * HOUR.total_seconds(),
            "stretch_count": float(stretch_count),
        },
        candidate=nearest_deployment(evidence, route.service, start),
    )


RULE = Rule("retry_storm", ("storm",), observe, measure=Measure("errors_count"))
