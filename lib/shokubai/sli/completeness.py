"""Is the telemetry whole? Where a service that usually has requests shows none, and what that means."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from shokubai.core.windows import HOUR, MINUTE, Window
from shokubai.sli.minutes import IntArray, minute_offset, minute_offsets, require_whole_minute
from shokubai.sli.model import MISSING_KINDS, SILENCES, SilenceKind
from shokubai.tables.contracts import METRIC_HOURS, SERVICE_MINUTES

# At this many expected requests, none at all has the probability e^-20 if requests come independently.
MINIMUM_EXPECTED = 20.0
MINIMUM_MINUTES = 10
# Metrics went on when at least this share of their usual samples is there.
_GOING_ON = 0.5
_DAY = 24 * 60
_AROUND = 6 * 60
_WEEK = 7 * _DAY
_ONE_MINUTE = np.timedelta64(60_000_000, "us")


def find_silences(
    service_minutes: pd.DataFrame,
    *,
    window: Window,
    baseline: Window,
    metric_hours: pd.DataFrame | None = None,
    zone: ZoneInfo | None = None,
    services: Sequence[str] = (),
    log: Window | None = None,
    minimum_expected: float = MINIMUM_EXPECTED,
    minimum_minutes: int = MINIMUM_MINUTES,
) -> pd.DataFrame:
    """Where a service was silent although requests were to be expected: SILENCES, by service and time.

    What is to be expected in a stretch is the median of what the same wall-clock hours (in ``zone``, default
    UTC) of the other weeks in ``baseline`` had, so that one past outage changes nothing; ``baseline`` may overlap
    ``window``. It is scaled down by how much quieter than usual the six hours before and after were, as on a
    public holiday. Where a service is too young for that, only a stretch at the window's end is judged, by the same
    hours of the days before, or else by the mean rate so far. Edges of a stretch in which less than one request
    was to be expected are cut off; the rest is a silence when at least ``minimum_expected`` requests were to be
    expected and it lasts ``minimum_minutes``. Time before a service's first request is no silence.

    ``service_minutes`` are SERVICE_MINUTES over the baseline and the window, and beyond it if known: a service
    that is seen after the window is not late. ``metric_hours`` (METRIC_HOURS) tell the kinds apart: in a
    telemetry_gap most of the usual samples are missing too; a stretch that reaches to the window's end is late;
    others are zero_traffic, or unexplained when no metrics of that time are known. Without metrics a stretch at
    the window's end is late as well: data that has not arrived is the likelier reading.

    ``services`` are those that somebody owns. One without any request, which may have another name in the log or be
    gone, is unexplained for as much of the window as the log as a whole covers (``log``, None: no log); how many
    requests were to be expected is not known then (NaN).
    """
    require_whole_minute(window.start)
    require_whole_minute(window.end)
    minutes = SERVICE_MINUTES.conform(service_minutes)
    minutes = minutes[minutes["request_count"] > 0]
    metrics = METRIC_HOURS.conform(metric_hours) if metric_hours is not None else METRIC_HOURS.empty()
    rows: list[tuple[str, datetime, datetime, float, SilenceKind]] = []
    for service, of_service in minutes.groupby("service_name", sort=True):
        traffic = _Traffic.of(of_service, window=window, baseline=baseline)
        heartbeat = _Heartbeat.of(metrics[metrics["service_name"] == service])
        for stretch in _silent_stretches(
            traffic, window, zone=zone, minimum_expected=minimum_expected, minimum_minutes=minimum_minutes
        ):
            span = stretch.window
            rows.append((str(service), span.start, span.end, stretch.expected, _kind(heartbeat, stretch, window)))
    covered = log.intersection(window) if log else None
    if covered:
        unseen = sorted(set(services) - set(minutes["service_name"].unique()))
        rows += [(service, covered.start, covered.end, math.nan, "unexplained") for service in unseen]
        rows.sort(key=lambda row: row[:2])
    return SILENCES.conform(pd.DataFrame(rows, columns=list(SILENCES.columns))) if rows else SILENCES.empty()


def completeness_ratio(silences: pd.DataFrame, *, window: Window, service: str) -> float:
    """The share of the window's minutes in which the service's telemetry is not missing, 0–1.

    ``silences`` are SILENCES; zero_traffic is known to be empty and takes nothing away.
    """
    missing = silences[(silences["service_name"] == service) & silences["kind"].isin(MISSING_KINDS)]
    starts = np.maximum(minute_offsets(missing["started_at"], window.start), 0)
    ends = np.minimum(minute_offsets(missing["ended_at"], window.start), window.minutes)
    return 1.0 - int(np.maximum(ends - starts, 0).sum()) / window.minutes


def data_complete_through(
    service_minutes: pd.DataFrame, silences: pd.DataFrame, *, window: Window
) -> datetime | None:
    """The instant up to which nothing is known to be outstanding; None when no request was seen before the end.

    That is where the earliest silence that reaches to the window's end and may still be filled (late,
    telemetry_gap, unexplained) begins, over all services; without any, the window's end.
    """
    if not (service_minutes["minute"] < pd.Timestamp(window.end)).any():
        return None
    open_end = silences[(silences["ended_at"] >= pd.Timestamp(window.end)) & silences["kind"].isin(MISSING_KINDS)]
    if not len(open_end):
        return window.end
    first = pd.Timestamp(open_end["started_at"].min()).to_pydatetime(warn=False)
    return max(window.start, min(window.end, first.astimezone(UTC)))


@dataclass(frozen=True, eq=False)
class _Traffic:
    """Requests of one service per minute from ``start`` on; it was there from ``first`` to before ``last``."""

    start: datetime
    cumulative: IntArray  # requests before minute n
    first: int
    last: int
    baseline: tuple[int, int]

    @classmethod
    def of(cls, minutes: pd.DataFrame, *, window: Window, baseline: Window) -> _Traffic:
        start = min(window.start, baseline.start).replace(second=0, microsecond=0)
        at = minute_offsets(minutes["minute"], start)
        length = max(minute_offset(max(window.end, baseline.end), start), int(at.max()) + 1)
        inside = at >= 0
        counts = np.zeros(length, dtype=np.int64)
        np.add.at(counts, at[inside], minutes["request_count"].to_numpy()[inside])
        seen = np.flatnonzero(counts)
        first, last = (int(seen[0]), int(seen[-1]) + 1) if len(seen) else (length, length)
        cumulative = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
        reach = (minute_offset(baseline.start, start), minute_offset(baseline.end, start))
        return cls(start, cumulative, first, last, reach)

    @property
    def weeks(self) -> int:
        return len(self.cumulative) // _WEEK + 1

    @property
    def mean_rate(self) -> float:
        """Requests per minute while the service was there."""
        return float(self.cumulative[-1]) / max(1, self.last - self.first)

    def between(self, starts: IntArray, ends: IntArray) -> IntArray:
        """Requests in each span of minutes."""
        highest = len(self.cumulative) - 1
        counts: IntArray = self.cumulative[np.clip(ends, 0, highest)] - self.cumulative[np.clip(starts, 0, highest)]
        return counts

    def covers(self, starts: IntArray, ends: IntArray) -> npt.NDArray[np.bool_]:
        """Whether each span lies in the baseline, with the service there from its start to its end."""
        low, high = max(self.first, self.baseline[0]), min(self.last, self.baseline[1])
        return (starts >= low) & (ends <= high)

    def moved(self, at: IntArray, *, weeks: IntArray, zone: ZoneInfo | None) -> IntArray:
        """The same wall-clock minutes some weeks later: one row per minute, one column per number of weeks."""
        since = np.datetime64(self.start.astimezone(UTC).replace(tzinfo=None), "us")
        instants = pd.DatetimeIndex(since + at * _ONE_MINUTE).tz_localize(UTC)
        wall = instants.tz_convert(zone or UTC).tz_localize(None).to_numpy()
        later = pd.DatetimeIndex((wall[:, np.newaxis] + weeks * _WEEK * _ONE_MINUTE).ravel()).tz_localize(
            zone or UTC, ambiguous=np.ones(len(at) * len(weeks), dtype=np.bool_), nonexistent="shift_forward"
        )
        return minute_offsets(later, self.start).reshape(len(at), len(weeks))

    def zero_runs(self, window: Window) -> tuple[IntArray, IntArray]:
        """Starts and ends of the stretches of ``window`` without requests, after the first one ever."""
        low = max(minute_offset(window.start, self.start), self.first)
        high = minute_offset(window.end, self.start)
        empty = np.diff(self.cumulative[low : high + 1]) == 0 if low < high else np.zeros(0, dtype=np.bool_)
        edges = np.diff(np.concatenate([[False], empty, [False]]).astype(np.int8))
        return np.flatnonzero(edges == 1) + low, np.flatnonzero(edges == -1) + low


@dataclass(frozen=True)
class _Stretch:
    window: Window
    expected: float
    at_end: bool  # nothing was seen up to the window's end, nor after it


def _silent_stretches(
    traffic: _Traffic,
    window: Window,
    *,
    zone: ZoneInfo | None,
    minimum_expected: float,
    minimum_minutes: int,
) -> Iterator[_Stretch]:
    starts, ends = traffic.zero_runs(window)
    kept = ends - starts >= minimum_minutes
    starts, ends = starts[kept], ends[kept]
    other_starts, other_ends, known = _other_weeks(traffic, starts, ends, zone)
    window_end = minute_offset(window.end, traffic.start)
    requests = np.where(known, traffic.between(other_starts, other_ends), np.nan)
    # Most stretches are nights of a quiet service: their own hours of other weeks rule them out, all at once.
    has_past = np.count_nonzero(known, axis=1) > 0
    candidates = ~has_past
    candidates[has_past] = np.nanmedian(requests[has_past], axis=1) >= minimum_expected
    for n in np.flatnonzero(candidates).tolist():
        start, end = int(starts[n]), int(ends[n])
        at_end = end == window_end and traffic.last <= window_end
        elsewhere = other_starts[n][known[n]], other_ends[n][known[n]]
        if not known[n].any() and at_end:
            elsewhere = _other_days(traffic, start, end)
        if len(elsewhere[0]):
            level = _level(traffic, start, end, *elsewhere, at_end=at_end)
            expected = level * float(np.median(traffic.between(*elsewhere)))
        else:
            expected = traffic.mean_rate * (end - start) if at_end else 0.0
        if expected < minimum_expected:
            continue
        head, tail = _quiet_edges(traffic, *elsewhere, length=end - start)
        begin, until = start + head, end if at_end else end - tail
        if until - begin >= minimum_minutes:
            yield _Stretch(Window(traffic.start + begin * MINUTE, traffic.start + until * MINUTE), expected, at_end)


def _other_weeks(
    traffic: _Traffic, starts: IntArray, ends: IntArray, zone: ZoneInfo | None
) -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
    """The same wall-clock hours of other weeks: starts, ends, and whether the service was there all the time.

    One row per stretch, one column per week. Weeks so near that they overlap the stretch say nothing about it.
    """
    weeks = np.array([n for n in range(-traffic.weeks, traffic.weeks + 1) if n], dtype=np.int64)
    moved_starts = traffic.moved(starts, weeks=weeks, zone=zone)
    moved_ends = traffic.moved(ends, weeks=weeks, zone=zone)
    apart = np.where(weeks < 0, moved_ends <= starts[:, np.newaxis], moved_starts >= ends[:, np.newaxis])
    return moved_starts, moved_ends, apart & traffic.covers(moved_starts, moved_ends)


def _other_days(traffic: _Traffic, start: int, end: int) -> tuple[IntArray, IntArray]:
    """The same hours of the days before, where the service was there; clock changes are ignored."""
    nearest = -(-(end - start) // _DAY)
    back = _DAY * np.arange(nearest, nearest + 7, dtype=np.int64)
    known = traffic.covers(start - back, end - back)
    return (start - back)[known], (end - back)[known]


def _level(traffic: _Traffic, start: int, end: int, starts: IntArray, ends: IntArray, *, at_end: bool) -> float:
    """How busy the hours around a stretch were, as a share of what they were elsewhen; at most 1.

    On a public holiday all pauses are longer, and that is no silence.
    """
    after = 0 if at_end else _AROUND
    seen = traffic.between(np.array([start - _AROUND, end]), np.array([start, end + after])).sum()
    usual = np.median(traffic.between(starts - _AROUND, starts) + traffic.between(ends, ends + after))
    return min(1.0, float(seen) / float(usual)) if usual > 0 else 1.0


def _quiet_edges(traffic: _Traffic, starts: IntArray, ends: IntArray, *, length: int) -> tuple[int, int]:
    """Minutes at the head and at the tail of a stretch before and after which one request was to be expected."""
    minutes = np.arange(1, length + 1, dtype=np.int64)[:, np.newaxis]
    if len(starts):
        head = np.median(traffic.between(starts, starts + minutes), axis=1)
        tail = np.median(traffic.between(ends - minutes, ends), axis=1)
    else:
        head = tail = traffic.mean_rate * minutes[:, 0]
    return int(np.argmax(head >= 1)), int(np.argmax(tail >= 1))


@dataclass(frozen=True, eq=False)
class _Heartbeat:
    """Metric samples of one service by hour, and how many an hour usually has."""

    samples: pd.Series  # by hour
    usual: float

    @classmethod
    def of(cls, metric_hours: pd.DataFrame) -> _Heartbeat:
        samples = metric_hours.groupby("hour")["sample_count"].sum()
        samples = samples[samples > 0]
        return cls(samples, float(samples.median()) if len(samples) else 0.0)

    def share(self, stretch: Window, window: Window) -> float | None:
        """The share of the usual samples that the stretch had; None when no metrics of that time are known.

        An hour that lies in the stretch only partly is taken to have had its usual samples outside of it.
        """
        if not len(self.samples):
            return None
        first = pd.Timestamp(self.samples.index.min())
        hours = pd.date_range(
            pd.Timestamp(stretch.start).floor("h"), pd.Timestamp(stretch.end), freq="h", inclusive="left"
        )
        present = usual = 0.0
        for hour in hours[hours >= first]:
            whole = Window(hour.to_pydatetime(warn=False), hour.to_pydatetime(warn=False) + HOUR)
            seen, silent = whole.intersection(window), whole.intersection(stretch)
            if seen is None or silent is None:
                continue
            outside = self.usual * ((seen.duration - silent.duration) / HOUR)
            inside = self.usual * (silent.duration / HOUR)
            present += min(max(float(self.samples.get(hour, 0)) - outside, 0.0), inside)
            usual += inside
        return present / usual if usual else None


def _kind(heartbeat: _Heartbeat, stretch: _Stretch, window: Window) -> SilenceKind:
    share = heartbeat.share(stretch.window, window)
    if share is not None and share < _GOING_ON:
        return "telemetry_gap"
    if stretch.at_end:
        return "late"
    return "unexplained" if share is None else "zero_traffic"
