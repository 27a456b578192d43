"""Instants, durations and half-open windows. Every instant is timezone-aware; a window is kept in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shokubai.core.errors import UsageError

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span of time, ``start <= t < end``, in UTC.

    >>> Window(datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC)).minutes
    1440
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            instant = getattr(self, name)
            if instant.tzinfo is None:
                raise ValueError(f"Window.{name} has no time zone: {instant!r}")
            object.__setattr__(self, name, instant.astimezone(UTC))
        if self.end <= self.start:
            raise ValueError(f"a window ends after it starts, got {self.start} .. {self.end}")

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    @property
    def minutes(self) -> int:
        return int(self.duration / MINUTE)

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def intersection(self, other: Window) -> Window | None:
        """The common part of two windows, or None when they only touch or lie apart."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def utc_days(self) -> Iterator[date]:
        """The UTC dates that the window touches, in order."""
        day = self.start.date()
        last = (self.end - timedelta(microseconds=1)).date()
        while day <= last:
            yield day
            day += DAY

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%MZ}/{self.end:%Y-%m-%dT%H:%MZ}"


def next_hour(instant: datetime) -> datetime:
    """The whole hour UTC at or after an instant."""
    hour = instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if hour == instant else hour + HOUR


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which ``day`` begins in ``zone``."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def local_day(day: date, zone: ZoneInfo) -> Window:
    """One calendar day in ``zone``: 23, 24 or 25 hours where clocks change."""
    return Window(local_midnight(day, zone), local_midnight(day + DAY, zone))


@dataclass(frozen=True, order=True)
class Week:
    """An ISO week, Monday to Sunday, as ``2026-W44``."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Week:
        """Read ``2026-W44``.

        Raises UsageError for any other form and for weeks the year does not have.
        """
        match = re.fullmatch(r"(\d{4})-W(\d{2})", text.strip())
        try:
            if match:
                week = cls(int(match[1]), int(match[2]))
                _ = week.monday
                return week
        except ValueError:
            pass
        raise UsageError(f"week {text!r} is not an ISO week; write it as 2026-W44 (W01 to W52 or W53)")

    @classmethod
    def of(cls, day: date) -> Week:
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @classmethod
    def last_complete(cls, now: datetime, zone: ZoneInfo) -> Week:
        """The newest week that is wholly past at ``now`` in ``zone``."""
        return cls.of(now.astimezone(zone).date() - timedelta(days=7))

    @property
    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    def days(self) -> tuple[date, ...]:
        return tuple(self.monday + timedelta(days=n) for n in range(7))

    def window(self, zone: ZoneInfo) -> Window:
        return Window(local_midnight(self.monday, zone), local_midnight(self.monday + timedelta(days=7), zone))

    def plus(self, weeks: int) -> Week:
        return Week.of(self.monday + timedelta(weeks=weeks))

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02d}"


DURATION_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "M": timedelta(days=30),
    "Q": timedelta(days=90),
    "Y": timedelta(days=365),
}


@dataclass(frozen=True)
class Duration:
    """OpenSLO's duration shorthand: a count and one of m h d w M Q Y, where case matters (1m is a minute)."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read ``28d``. Raises ValueError for anything else, and above a hundred years."""
        match = re.fullmatch(r"([1-9][0-9]*)([mhdwMQY])", str(text).strip())
        if not match:
            raise ValueError(f"{text!r} is not a duration such as 28d, 1w, 1M (units: m h d w M Q Y)")
        count, unit = int(match[1]), match[2]
        if count > 100 * DURATION_UNITS["Y"] // DURATION_UNITS[unit]:
            raise ValueError(f"{text!r} is longer than a hundred years")
        return cls(count, unit)

    @property
    def timedelta(self) -> timedelta:
        """The nominal length: a month counts 30 days, a quarter 90, a year 365."""
        return self.count * DURATION_UNITS[self.unit]

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def rolling_window(end: datetime, duration: Duration) -> Window:
    """The window of ``duration`` that ends at ``end``."""
    return Window(end - duration.timedelta, end)


def calendar_window(at: datetime, duration: Duration, anchor: datetime, zone: ZoneInfo) -> Window:
    """The whole calendar period that holds ``at``, counted from ``anchor`` in steps of ``duration``.

    ``anchor`` is OpenSLO's ``calendar.startTime``, a wall-clock time in ``zone``. Months, quarters and years
    are calendar ones here, with their real lengths; the period's start keeps the anchor's wall-clock time
    across clock changes. An anchor on the 31st falls on the last day of shorter months.
    """
    local = at.astimezone(zone).replace(tzinfo=None)
    wall = anchor.replace(tzinfo=None)
    months = {"M": 1, "Q": 3, "Y": 12}.get(duration.unit)

    def nth(n: int) -> datetime:
        if months is None:
            return wall + n * duration.timedelta
        total = wall.year * 12 + wall.month - 1 + n * duration.count * months
        year, month = divmod(total, 12)
        following = datetime(year + (month == 11), (month + 1) % 12 + 1, 1)  # noqa: DTZ001 - wall clock
        return wall.replace(year=year, month=month + 1, day=min(wall.day, (following - DAY).day))

    def instant(n: int) -> datetime:
        return nth(n).replace(tzinfo=zone).astimezone(UTC)

    if months is None:
        n = (local - wall) // duration.timedelta
    else:
        n = ((local.year - wall.year) * 12 + local.month - wall.month) // (duration.count * months)
    # Compared as instants: wall-clock times repeat or are left out where clocks change.
    while instant(n) > at:
        n -= 1
    while instant(n + 1) <= at:
        n += 1
    return Window(instant(n), instant(n + 1))
