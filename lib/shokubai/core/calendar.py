"""Business days, and which past days a day should be compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays

from shokubai.core.windows import DAY, Week

# 五十日: days on which Japanese companies settle accounts.
SETTLEMENT_DAYS = frozenset({5, 10, 15, 20, 25, 30})


@cache
def _public_holidays(country: str, year: int) -> dict[date, str]:
    # Without a language the names would follow the environment's locale.
    language = holidays.country_holidays(country).default_language
    return dict(holidays.country_holidays(country, years=year, language=language))


@dataclass(frozen=True)
class BusinessCalendar:
    """Public holidays of one country (ISO 3166 code, such as JP or PH) and business-day arithmetic."""

    country: str

    def holiday(self, day: date) -> str:
        """The public holiday's name in the country's own language, or an empty string."""
        return _public_holidays(self.country, day.year).get(day, "")

    def is_business_day(self, day: date) -> bool:
        return day.weekday() < 5 and not self.holiday(day)

    def business_days(self, year: int, month: int) -> tuple[date, ...]:
        day = date(year, month, 1)
        days = []
        while day.month == month:
            if self.is_business_day(day):
                days.append(day)
            day += DAY
        return tuple(days)

    def from_month_start(self, day: date) -> int:
        """1 for the month's first business day; for other days the number of business days before, plus one."""
        return 1 + sum(d < day for d in self.business_days(day.year, day.month))

    def from_month_end(self, day: date) -> int:
        """-1 for the month's last business day, -2 for the one before."""
        return -1 - sum(d > day for d in self.business_days(day.year, day.month))

    def is_month_turn(self, day: date) -> bool:
        """One of the last three or first two business days of a month: 月末月初."""
        return self.is_business_day(day) and (self.from_month_end(day) >= -3 or self.from_month_start(day) <= 2)

    def same_day_last_month(self, day: date) -> date:
        """The day of the previous month that plays the same part.

        A business day is matched by its place counted from the nearer end of the month; any other day by
        the nearest day off to four weeks before.
        """
        previous = date(day.year, day.month, 1) - DAY
        if self.is_business_day(day):
            candidates = self.business_days(previous.year, previous.month)
            from_end, from_start = self.from_month_end(day), self.from_month_start(day)
            if -from_end <= from_start:
                return candidates[max(from_end, -len(candidates))]
            return candidates[min(from_start, len(candidates)) - 1]
        around = day - timedelta(days=28)
        offsets = (n * sign for n in range(8) for sign in (1, -1))
        return next(around + n * DAY for n in offsets if not self.is_business_day(around + n * DAY))

    def comparable_week(self, week: Week, *, weeks_back: int = 4) -> Week:
        """The newest earlier week with as many business days and as many month-turn days, else the week before."""

        def shape(w: Week) -> tuple[int, int]:
            return (
                sum(self.is_business_day(d) for d in w.days()),
                sum(self.is_month_turn(d) for d in w.days()),
            )

        earlier = [week.plus(-n) for n in range(1, weeks_back + 1)]
        return next((w for w in earlier if shape(w) == shape(week)), earlier[0])
