from datetime import date

import pytest

from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import Week

JAPAN = BusinessCalendar("JP")
PHILIPPINES = BusinessCalendar("PH")


def test_public_holidays_are_no_business_days() -> None:
    assert JAPAN.holiday(date(2026, 11, 3)) == "文化の日"
    assert not JAPAN.is_business_day(date(2026, 11, 3))
    assert JAPAN.holiday(date(2026, 11, 4)) == ""
    assert JAPAN.is_business_day(date(2026, 11, 4))
    assert not JAPAN.is_business_day(date(2026, 11, 1))  # a Sunday
    # 2026-09-22 lies between two holidays and so is one itself.
    assert not JAPAN.is_business_day(date(2026, 9, 22))
    assert PHILIPPINES.is_business_day(date(2026, 11, 3))


def test_business_days_of_november_2026() -> None:
    # 21 weekdays less Culture Day (3rd) and Labour Thanksgiving Day (23rd).
    days = JAPAN.business_days(2026, 11)
    assert len(days) == 19
    assert (days[0], days[1], days[-1]) == (date(2026, 11, 2), date(2026, 11, 4), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("day", "from_start", "from_end", "turn"),
    [
        (date(2026, 10, 1), 1, -21, True),
        (date(2026, 10, 2), 2, -20, True),
        (date(2026, 10, 5), 3, -19, False),
        (date(2026, 10, 27), 18, -4, False),
        (date(2026, 10, 28), 19, -3, True),
        (date(2026, 10, 30), 21, -1, True),  # the 31st is a Saturday
        (date(2026, 10, 31), 22, -1, False),
    ],
)
def test_places_in_october_2026_which_has_21_business_days(
    day: date, from_start: int, from_end: int, turn: bool
) -> None:
    assert JAPAN.from_month_start(day) == from_start
    assert JAPAN.from_month_end(day) == from_end
    assert JAPAN.is_month_turn(day) is turn


@pytest.mark.parametrize(
    ("day", "counterpart"),
    [
        (date(2026, 10, 30), date(2026, 9, 30)),  # last business day
        (date(2026, 10, 29), date(2026, 9, 29)),
        (date(2026, 10, 1), date(2026, 9, 1)),  # first
        (date(2026, 10, 26), date(2026, 9, 24)),  # fifth from the end; 21st to 23rd were holidays
        (date(2026, 11, 4), date(2026, 10, 2)),  # second; the 3rd is a holiday
        (date(2026, 1, 5), date(2025, 12, 2)),  # second, after Friday the 2nd, which is no public holiday
        (date(2026, 11, 1), date(2026, 10, 4)),  # a Sunday: four weeks before
        (date(2026, 11, 3), date(2026, 10, 4)),  # a holiday on a Tuesday: the nearest day off to October 6th
    ],
)
def test_the_day_that_played_the_same_part_last_month(day: date, counterpart: date) -> None:
    assert JAPAN.same_day_last_month(day) == counterpart


def test_the_comparable_week_has_as_many_business_and_month_turn_days() -> None:
    # W44 of 2026 holds October 28, 29, 30: five business days, three of them at the month's turn. Of the four weeks
    # before, W40 alone has five and more than none, but it has five at the turn; so the week before it is.
    assert JAPAN.comparable_week(Week(2026, 44)) == Week(2026, 43)
    # W45 (November 2 and 4 at the turn, the 3rd a holiday) has no equal either.
    assert JAPAN.comparable_week(Week(2026, 45)) == Week(2026, 44)
    # W42 has four business days (October 12 is a holiday) and no month turn; none of the four weeks before has.
    assert JAPAN.comparable_week(Week(2026, 42)) == Week(2026, 41)
    # W33 has: August 11 is a holiday in the middle of a month, too.
    assert JAPAN.comparable_week(Week(2026, 42), weeks_back=10) == Week(2026, 33)
