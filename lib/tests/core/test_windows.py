from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shokubai.core.errors import UsageError
from shokubai.core.windows import (
    DAY,
    HOUR,
    Duration,
    Week,
    Window,
    calendar_window,
    local_day,
    local_midnight,
    rolling_window,
)

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def wall(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A wall-clock time, as OpenSLO's calendar.startTime."""
    return datetime(year, month, day, hour, minute)  # noqa: DTZ001


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_a_window_is_kept_in_utc_and_is_half_open() -> None:
    window = Window(datetime(2026, 10, 26, tzinfo=TOKYO), datetime(2026, 10, 27, tzinfo=TOKYO))
    assert (window.start, window.end) == (utc(2026, 10, 25, 15), utc(2026, 10, 26, 15))
    assert window.start.tzinfo is UTC
    assert window.start in window
    assert window.end not in window
    assert window.minutes == 1440
    assert str(window) == "2026-10-25T15:00Z/2026-10-26T15:00Z"


def test_a_window_refuses_naive_times_and_a_wrong_order() -> None:
    with pytest.raises(ValueError, match=r"Window\.end has no time zone"):
        Window(utc(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="ends after it starts"):
        Window(utc(2026, 1, 1), utc(2026, 1, 1))


def test_windows_that_only_touch_have_no_common_part() -> None:
    first, second = Window(utc(2026, 1, 1), utc(2026, 1, 3)), Window(utc(2026, 1, 2), utc(2026, 1, 4))
    assert first.intersection(second) == Window(utc(2026, 1, 2), utc(2026, 1, 3))
    assert first.intersection(Window(utc(2026, 1, 3), utc(2026, 1, 4))) is None


def test_utc_days_leave_out_a_day_that_the_window_only_touches() -> None:
    assert list(Window(utc(2026, 1, 1, 23), utc(2026, 1, 3)).utc_days()) == [date(2026, 1, 1), date(2026, 1, 2)]
    assert list(Window(utc(2026, 1, 1), utc(2026, 1, 1, 0, 1)).utc_days()) == [date(2026, 1, 1)]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 11, 2), 24)])
def test_a_local_day_is_as_long_as_the_clocks_make_it(day: date, hours: int) -> None:
    assert local_day(day, NEW_YORK).duration == hours * HOUR


def test_a_day_without_midnight_begins_when_the_clocks_have_gone_forward() -> None:
    # In 2018 Brazil's summer time began at 00:00, which became 01:00 (UTC-2).
    assert local_midnight(date(2018, 11, 4), SAO_PAULO) == utc(2018, 11, 4, 3)
    assert local_day(date(2018, 11, 4), SAO_PAULO).duration == 23 * HOUR


def test_a_week_reads_and_writes_iso() -> None:
    week = Week.parse(" 2026-W44 ")
    assert (week.monday, str(week)) == (date(2026, 10, 26), "2026-W44")
    assert week.days()[-1] == date(2026, 11, 1)
    assert week.window(TOKYO) == Window(utc(2026, 10, 25, 15), utc(2026, 11, 1, 15))
    # ISO 8601: 2026 has 53 weeks, and its first begins in December 2025.
    assert Week.parse("2026-W53").plus(1) == Week(2027, 1)
    assert Week.parse("2026-W01").monday == date(2025, 12, 29)
    assert Week.of(date(2027, 1, 3)) == Week(2026, 53)


@pytest.mark.parametrize("text", ["2026-44", "2026-W5", "2026-W00", "2025-W53", "2026W44", "", "last"])
def test_a_week_that_does_not_exist_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="2026-W44"):
        Week.parse(text)


def test_the_last_complete_week_is_of_the_local_clock() -> None:
    monday = datetime(2026, 11, 2, tzinfo=TOKYO)
    assert Week.last_complete(monday, TOKYO) == Week(2026, 44)
    assert Week.last_complete(monday - timedelta(seconds=1), TOKYO) == Week(2026, 43)
    # The same instant is still Sunday in New York.
    assert Week.last_complete(monday, NEW_YORK) == Week(2026, 43)


def test_durations_tell_a_minute_from_a_month() -> None:
    assert Duration.parse("1m").timedelta == timedelta(minutes=1)
    assert Duration.parse("1M").timedelta == timedelta(days=30)
    assert [Duration.parse(t).timedelta.days for t in ("28d", "4w", "1Q", "1Y")] == [28, 28, 90, 365]
    assert str(Duration.parse("28d")) == "28d"


@pytest.mark.parametrize(
    "text", ["28", "0d", "-1d", "1.5h", "28 d", "28D", "d", "", "２8d", "101Y", "99999999999999d"]
)
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|longer than"):
        Duration.parse(text)


def test_a_rolling_window_ends_at_the_instant() -> None:
    assert rolling_window(utc(2026, 3, 1), Duration.parse("28d")) == Window(utc(2026, 2, 1), utc(2026, 3, 1))


@pytest.mark.parametrize(
    ("at", "duration", "anchor", "start", "end"),
    [
        # A calendar month in Tokyo, in the middle, at its first and at its last minute.
        (utc(2026, 10, 15), "1M", wall(2026, 1, 1), utc(2026, 9, 30, 15), utc(2026, 10, 31, 15)),
        (utc(2026, 9, 30, 15), "1M", wall(2026, 1, 1), utc(2026, 9, 30, 15), utc(2026, 10, 31, 15)),
        (utc(2026, 9, 30, 14, 59), "1M", wall(2026, 1, 1), utc(2026, 8, 31, 15), utc(2026, 9, 30, 15)),
        # December turns the year; an anchor in the future counts backwards.
        (utc(2026, 12, 20), "1M", wall(2026, 1, 1), utc(2026, 11, 30, 15), utc(2026, 12, 31, 15)),
        (utc(2026, 5, 5), "1M", wall(2030, 1, 1), utc(2026, 4, 30, 15), utc(2026, 5, 31, 15)),
        # An anchor on the 31st: February ends earlier, March is whole again.
        (utc(2026, 2, 27), "1M", wall(2026, 1, 31), utc(2026, 1, 30, 15), utc(2026, 2, 27, 15)),
        (utc(2026, 3, 1), "1M", wall(2026, 1, 31), utc(2026, 2, 27, 15), utc(2026, 3, 30, 15)),
        # Quarters of a business year that begins in April; weeks from a Monday; two-week sprints.
        (utc(2026, 8, 1), "1Q", wall(2025, 4, 1), utc(2026, 6, 30, 15), utc(2026, 9, 30, 15)),
        (utc(2026, 10, 28), "1w", wall(2026, 1, 5), utc(2026, 10, 25, 15), utc(2026, 11, 1, 15)),
        (utc(2026, 1, 4), "2w", wall(2026, 1, 5), utc(2025, 12, 21, 15), utc(2026, 1, 4, 15)),
        (utc(2028, 2, 29, 3), "1Y", wall(2024, 2, 29), utc(2028, 2, 28, 15), utc(2029, 2, 27, 15)),
    ],
)
def test_calendar_windows(at: datetime, duration: str, anchor: datetime, start: datetime, end: datetime) -> None:
    assert calendar_window(at, Duration.parse(duration), anchor, TOKYO) == Window(start, end)


def test_a_calendar_window_keeps_its_wall_clock_time_when_clocks_change() -> None:
    march = calendar_window(utc(2026, 3, 20), Duration.parse("1M"), wall(2026, 1, 1), NEW_YORK)
    assert march == Window(utc(2026, 3, 1, 5), utc(2026, 4, 1, 4))
    assert march.duration == 31 * DAY - HOUR


@pytest.mark.parametrize(
    "at",
    [
        utc(2026, 3, 8, 7, 15),  # 03:15 New York, while the period's 02:30 is left out and falls on 03:30
        utc(2026, 11, 1, 6, 15),  # the second 01:15, after the first 01:30
    ],
)
@pytest.mark.parametrize("anchor", [wall(2026, 1, 1, 2, 30), wall(2026, 1, 1, 1, 30)])
def test_a_calendar_window_holds_its_instant_also_where_clocks_change(at: datetime, anchor: datetime) -> None:
    assert at in calendar_window(at, Duration.parse("1d"), anchor, NEW_YORK)
