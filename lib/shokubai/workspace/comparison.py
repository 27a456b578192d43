"""This week beside what it is compared with, hour by hour and route by route, as ``display.frames`` declares it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import wraps
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from shokubai.core.windows import Window, local_day
from shokubai.display.figures.errors import ENOUGH_REQUESTS
from shokubai.display.frames import (
    HOURLY_COMPLETENESS,
    HOURLY_LATENCY,
    HOURLY_TRAFFIC,
    ROUTE_CHANGES,
    STATUS_COUNTS,
)
from shokubai.sli import MISSING_KINDS
from shokubai.tables.ownership import ROUTE
from shokubai.workspace.percentiles import quantile_frame
from shokubai.workspace.team_week import TeamWeek

_SERVICE_HOUR = ["service_name", "hour"]
_Frame = Callable[[TeamWeek], pd.DataFrame]
_MOST_OF_AN_HOUR = 30.0  # minutes


def _once(compute: _Frame) -> _Frame:
    """A frame of a week that several sections ask for, computed once and forgotten with the week."""
    known: WeakKeyDictionary[TeamWeek, pd.DataFrame] = WeakKeyDictionary()

    @wraps(compute)
    def recall(week: TeamWeek) -> pd.DataFrame:
        if week not in known:
            known[week] = compute(week)
        return known[week].copy(deep=False)

    return recall


@_once
def hourly_traffic(week: TeamWeek) -> pd.DataFrame:
    """HOURLY_TRAFFIC: requests and errors per hour with both comparisons laid on this week's axis.

    An hour that is missing in part has the requests that were seen in it.
    """
    counts = ["request_count", "error_count"]
    frame = _axis(week)
    frame = _joined(frame, _service_hours(week.route_hours, counts), counts, prefix="")
    missing = missing_hours(week.silences, frame) | _before_the_log(week, frame)
    missing &= frame["request_count"].isna()
    for column in counts:
        frame[column] = frame[column].fillna(0).astype("Int64").mask(missing)
    unknown = without_status(week.route_counts, ["service_name"])["service_name"]
    frame["error_count"] = frame["error_count"].mask(frame["service_name"].isin(unknown))
    for prefix, past, known in (
        ("comparable_", _moved_by_weeks(week.comparable_route_hours, week), _comparable_axis(week)),
        ("last_month_", moved(week.last_month_route_hours, week.zone), _last_month_axis(week)),
    ):
        # A known hour without a row had no request.
        was = known.merge(_service_hours(past, counts), on=_SERVICE_HOUR, how="left").fillna(dict.fromkeys(counts, 0))
        frame = _joined(frame, was, counts, prefix=prefix)
    return HOURLY_TRAFFIC.conform(frame)


def hourly_latency(week: TeamWeek) -> pd.DataFrame:
    """HOURLY_LATENCY: percentiles per hour from merged histograms, NaN where nothing was measured.

    Of the past only hours with as many requests as make a percentile worth drawing.
    """
    frame = _axis(week)
    now = _service_hours(week.latency_hours, ["request_count"]).rename(columns={"request_count": "duration_count"})
    frame = frame.merge(now, on=_SERVICE_HOUR, how="left").fillna({"duration_count": 0})
    frame = frame.merge(quantile_frame(week.latency_hours, _SERVICE_HOUR), on=_SERVICE_HOUR, how="left")
    for prefix, past in (
        ("comparable_", _moved_by_weeks(week.comparable_latency_hours, week)),
        ("last_month_", moved(week.last_month_latency_hours, week.zone)),
    ):
        quantiles = quantile_frame(past, _SERVICE_HOUR).merge(_service_hours(past, ["request_count"]))
        enough = quantiles[quantiles["request_count"] >= ENOUGH_REQUESTS]
        frame = _joined(frame, enough, ["p95_seconds"], prefix=prefix)
    return HOURLY_LATENCY.conform(frame)


@_once
def route_changes(week: TeamWeek) -> pd.DataFrame:
    """ROUTE_CHANGES: every route of the team in the week and in both comparisons, with the budget it spent."""
    periods = {
        "": (week.route_hours, week.latency_hours, week.route_counts),
        "comparable_": (
            week.comparable_route_hours,
            week.comparable_latency_hours,
            week.comparable_route_counts,
        ),
        "last_month_": (
            week.last_month_route_hours,
            week.last_month_latency_hours,
            week.last_month_route_counts,
        ),
    }
    columns = ["request_count", "error_count", "p50_seconds", "p95_seconds", "p99_seconds"]
    frame = pd.concat([hours[ROUTE] for hours, *_ in periods.values()]).drop_duplicates(ignore_index=True)
    for prefix, (hours, latency, statuses) in periods.items():
        counts = hours.groupby(ROUTE, as_index=False)[["request_count", "error_count"]].sum()
        numbers = counts.merge(quantile_frame(latency, ROUTE), on=ROUTE, how="left")
        frame = _joined(frame, numbers, columns, prefix=prefix, keys=ROUTE)
        if len(hours):
            for column in columns[:2]:
                frame[prefix + column] = frame[prefix + column].fillna(0)
        unknown = pd.MultiIndex.from_frame(frame[ROUTE]).isin(
            pd.MultiIndex.from_frame(without_status(statuses, ROUTE)[ROUTE])
        )
        frame[prefix + "error_count"] = frame[prefix + "error_count"].astype("Int64").mask(unknown)
    frame = frame.merge(_budget_spent(week), on=ROUTE, how="left")
    frame["slo_name"] = frame["slo_name"].fillna("")
    frame["budget_spent_count"] = frame["budget_spent_count"].fillna(0.0)
    return ROUTE_CHANGES.conform(frame).sort_values(ROUTE, ignore_index=True)


@_once
def status_counts(week: TeamWeek) -> pd.DataFrame:
    """STATUS_COUNTS: how the team's requests of the week were answered."""
    keys = ["service_name", "http_response_status_code"]
    counts = week.route_counts.groupby(keys, as_index=False, dropna=False)[["request_count"]].sum()
    return STATUS_COUNTS.conform(counts).sort_values(keys, ignore_index=True)


def without_status(route_counts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The ``keys`` of ROUTE_COUNTS whose requests all lack a status: whether they failed is not known."""
    known = route_counts.assign(is_known=route_counts["http_response_status_code"].notna())
    any_known = known.groupby(keys, as_index=False)[["is_known"]].any()
    return any_known[~any_known["is_known"].astype(bool)][keys]


def hourly_completeness(week: TeamWeek) -> pd.DataFrame:
    """HOURLY_COMPLETENESS: which hours of the week are in the data, quiet, or missing, and how."""
    minutes = week.service_minutes
    seen = minutes.assign(hour=minutes["minute"].dt.floor("h"))
    counted = seen.groupby(_SERVICE_HOUR, as_index=False)["request_count"].sum()
    frame = _axis(week).merge(counted, on=_SERVICE_HOUR, how="left").fillna({"request_count": 0})
    frame["state"] = np.where(frame["request_count"] > 0, "data", "quiet")
    frame.loc[_before_the_log(week, frame), "state"] = "before_log"
    for kind in ("zero_traffic", *MISSING_KINDS):
        overlapped = _overlap(week.silences[week.silences["kind"] == kind], frame)
        frame.loc[overlapped >= _MOST_OF_AN_HOUR, "state"] = kind
    return HOURLY_COMPLETENESS.conform(frame)


def missing_hours(silences: pd.DataFrame, hours: pd.DataFrame) -> pd.Series:
    """Which rows of a service × hour frame lie for at least half of the hour in missing telemetry."""
    return _overlap(silences[silences["kind"].isin(MISSING_KINDS)], hours) >= _MOST_OF_AN_HOUR


def _before_the_log(week: TeamWeek, hours: pd.DataFrame) -> pd.Series:
    """Which rows lie before the first request of any service: nobody was counting."""
    if week.span is None:
        return pd.Series(True, index=hours.index)
    return hours["hour"] + pd.Timedelta(hours=1) <= pd.Timestamp(week.span.start)


def moved(hours: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    """Hours moved by ``moved_by`` along the wall clock of ``zone``, so that 09:00 stays 09:00.

    Where clocks go back an hour happens twice; the first is the one that is moved, and moved to. Hours that the
    clocks leave out are dropped.
    """
    wall = hours["hour"].dt.tz_convert(zone).dt.tz_localize(None)
    placed = _first(wall + hours["moved_by"], zone)
    return hours.assign(hour=placed)[placed.notna() & (_first(wall, zone) == hours["hour"])]


def _first(wall: pd.Series, zone: ZoneInfo) -> pd.Series:
    """Wall-clock times as instants in UTC, the first of two."""
    summer = np.ones(len(wall), dtype=np.bool_)
    placed: pd.Series = wall.dt.tz_localize(zone, ambiguous=summer, nonexistent="NaT").dt.tz_convert("UTC")
    return placed.astype("datetime64[us, UTC]")


def _comparable_axis(week: TeamWeek) -> pd.DataFrame:
    """The hours of this week whose counterpart in the comparable week is known: service_name, hour."""
    if week.comparable is None:
        return _axis(week).iloc[:0]
    return _moved_by_weeks(_without_silences(hour_axis(week.comparable, week.team.services), week), week)[
        _SERVICE_HOUR
    ]


def _last_month_axis(week: TeamWeek) -> pd.DataFrame:
    """The hours of this week whose counterpart in last month's matching day is known: service_name, hour."""
    days = [_axis(week).iloc[:0].assign(moved_by=pd.Series(dtype="timedelta64[us]"))]
    for pair in week.last_month_days:
        hours = hour_axis(local_day(pair.compared_with, week.zone), week.team.services)
        days.append(hours.assign(moved_by=pd.Timedelta(pair.day - pair.compared_with).as_unit("us")))
    return moved(_without_silences(pd.concat(days, ignore_index=True), week), week.zone)[_SERVICE_HOUR]


def _without_silences(hours: pd.DataFrame, week: TeamWeek) -> pd.DataFrame:
    return hours[~missing_hours(week.silences, hours)]


def _moved_by_weeks(hours: pd.DataFrame, week: TeamWeek) -> pd.DataFrame:
    distance: timedelta = week.week.monday - week.comparable_week.monday
    return moved(hours.assign(moved_by=pd.Timedelta(distance).as_unit("us")), week.zone)


@_once
def _axis(week: TeamWeek) -> pd.DataFrame:
    return hour_axis(week.window, week.team.services)


def hour_axis(window: Window, services: Sequence[str]) -> pd.DataFrame:
    """Every service × hour of a window: service_name, hour.

    Hours are those of UTC, as in the small tables; in a zone with half hours the first one begins before the
    window and only its part inside it is counted.
    """
    first = window.start.replace(minute=0, second=0, microsecond=0)
    hours = pd.date_range(first, window.end, freq="h", inclusive="left", unit="us", name="hour")
    return pd.MultiIndex.from_product([services, hours], names=_SERVICE_HOUR).to_frame(index=False)


def _service_hours(hours: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return hours.groupby(_SERVICE_HOUR, as_index=False)[columns].sum()


def _joined(
    frame: pd.DataFrame, other: pd.DataFrame, columns: list[str], *, prefix: str, keys: list[str] = _SERVICE_HOUR
) -> pd.DataFrame:
    named = other[[*keys, *columns]].rename(columns={column: prefix + column for column in columns})
    return frame.merge(named, on=keys, how="left")


def _overlap(silences: pd.DataFrame, hours: pd.DataFrame) -> pd.Series:
    """Minutes of each service × hour row that lie in the silences."""
    minutes = pd.Series(0.0, index=hours.index)
    starts = hours["hour"].dt.tz_localize(None).to_numpy()
    ends = starts + np.timedelta64(1, "h")
    stretches = zip(
        silences["service_name"],
        silences["started_at"].dt.tz_localize(None).to_numpy(),
        silences["ended_at"].dt.tz_localize(None).to_numpy(),
        strict=True,
    )
    for service, started_at, ended_at in stretches:
        lasted = (np.minimum(ends, ended_at) - np.maximum(starts, started_at)) / np.timedelta64(1, "m")
        minutes += np.where(hours["service_name"] == service, np.maximum(lasted, 0.0), 0.0)
    return minutes


@_once
def _budget_spent(week: TeamWeek) -> pd.DataFrame:
    """Per route the SLO whose budget it spent most of this week: slo_name, budget_spent_count and _ratio."""
    frames = []
    for status in week.statuses:
        spent = week.slo_routes[status.slo.name].assign(slo_name=status.slo.name)
        spent["budget_valid_count"] = spent["valid_count"].astype("float64")
        spent["budget_spent_count"] = (spent["valid_count"] - spent["good_count"]).astype("float64")
        allowed = status.budget_allowed_count if status.unit == "requests" else float("nan")
        spent["budget_spent_ratio"] = spent["budget_spent_count"] / allowed if allowed else float("nan")
        frames.append(spent[spent["budget_spent_count"] > 0])
    columns = [*ROUTE, "slo_name", "budget_spent_count", "budget_valid_count", "budget_spent_ratio"]
    if not frames:
        return pd.DataFrame({c: pd.Series(dtype="str" if c in (*ROUTE, "slo_name") else "float64") for c in columns})
    together = pd.concat(frames, ignore_index=True)
    together = together.sort_values(["budget_spent_ratio", "budget_spent_count"], ascending=False, kind="stable")
    return together.drop_duplicates(ROUTE)[columns]
