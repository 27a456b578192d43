"""Numbers, durations and instants as a reader reads them, in English and Japanese.

Nothing here is compared with anything afterwards. One rule for ratios: what was achieved is cut down, so that it
never looks like the objective it missed; every other share is rounded half to even, with more digits where fewer
would turn it into 0% or 100%: 99.96% is never shown as 100%, and a budget overspent by a hair never as 0% left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shokubai.config.model import Language, Text
from shokubai.core.windows import Window
from shokubai.display import words

NO_VALUE = "–"
MINUS = "−"
TIMES = "×"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ja": ("月", "火", "水", "木", "金", "土", "日"),
}
_BINARY_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")  # memory is sized in these
_BYTES = ("B", "kB", "MB", "GB", "TB", "PB")


def endpoint(method: str, route: str) -> str:
    """A route after its method, or alone where the method is not known.

    >>> endpoint("GET", "/orders"), endpoint("_OTHER", "shop.Cart/Add")
    ('GET /orders', 'shop.Cart/Add')
    """
    return route if method in ("", "_OTHER") else f"{method} {route}".strip()


def _absent(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA, without importing pandas."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # pandas.NA refuses to be a truth value
        return True


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _cut(value: Decimal, digits: int, rounding: str) -> str:
    """A decimal with so many digits after the point, thousands separated, no negative zero, a real minus sign."""
    quantum = Decimal(1).scaleb(-digits)
    rounded = value.quantize(quantum, rounding=rounding)
    if rounded == 0:
        rounded = abs(rounded)
    return f"{rounded:,f}".replace("-", MINUS)


def _significant(value: Decimal, figures: int) -> int:
    """How many digits after the point show ``figures`` significant ones of a value."""
    return 0 if value == 0 else max(0, figures - 1 - value.adjusted())


_MOST_PLACES = 8  # of percents
MOST_PLACES = 9  # of quantities


_FLOAT_NOISE = Decimal("1e-10")  # percents: what subtracting two ratios may leave behind


def _percent(ratio: float) -> Decimal:
    return (_decimal(ratio) * 100).quantize(_FLOAT_NOISE)


def _share(percent: Decimal, digits: int) -> str:
    """Percents rounded to so many digits after the point, or as many more as tell them from 0 and ±100."""
    for places in range(digits, _MOST_PLACES + 1):
        rounded = percent.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
        if rounded == percent or abs(rounded) not in (0, 100):
            return _cut(percent, places, ROUND_HALF_EVEN)
    return _cut(percent, _MOST_PLACES, ROUND_DOWN if 50 < abs(percent) < 100 else ROUND_UP)


def _good_places(percent: Decimal, digits: int) -> int:
    """Digits after the point that show two figures of what is missing to 100 %."""
    return min(max(digits, _significant(100 - percent, 2)), 8)


@dataclass(frozen=True)
class Scale:
    """How quantities of one size are written: ``number(value * factor)`` with something before and after it."""

    factor: float
    suffix: str
    prefix: str = ""
    figures_below_ten: int = 3


def _size(value: float, base: int, names: tuple[str, ...]) -> Scale:
    power = 0
    while abs(value) / base**power >= base - 0.5 and power < len(names) - 1:
        power += 1
    return Scale(base**-power, f" {names[power]}")


@dataclass(frozen=True)
class Locale:
    """A reader's language and the organisation's time zone; everything is formatted for one of these.

    >>> reader = Locale("en", ZoneInfo("Asia/Tokyo"))
    >>> reader.good_ratio(0.99954321), reader.good_ratio(0.99999), reader.count(1234567)
    ('99.954%', '99.999%', '1,234,567')
    >>> reader.day(date(2026, 10, 29))
    'Thu 29 Oct'
    """

    language: Language
    zone: ZoneInfo

    # --- words ------------------------------------------------------------------------------------------------

    def say(self, key: str, **values: object) -> str:
        """The sentence called ``key`` in this language with its placeholders filled. Plain text, not HTML."""
        return words.say(self.language, key, **values)

    def text(self, text: Text) -> str:
        return text.in_language(self.language)

    def join(self, parts: list[str]) -> str:
        return ("、" if self.language == "ja" else ", ").join(parts)

    # --- ratios -----------------------------------------------------------------------------------------------

    def good_ratio(self, ratio: float | None, *, digits: int = 2) -> str:
        """A ratio of good events as percent: cut downwards, with two figures of what is missing to 100%.

        At least ``digits`` digits after the point, more where it is close to 100%; 100% only when nothing is bad.
        """
        if _absent(ratio):
            return NO_VALUE
        percent = _decimal(ratio) * 100  # type: ignore[arg-type]
        if percent == 100:
            return "100%"
        text = _cut(percent, _good_places(percent, digits), ROUND_FLOOR)
        while text.endswith("0") and len(text) - text.index(".") - 1 > digits:
            text = text[:-1]
        return f"{text}%"

    def objective(self, objective: float) -> str:
        """An objective as it was written: 99.9%, 99.95%, 95%."""
        text = f"{(_decimal(objective) * 100).normalize():f}"
        return f"{text}%"

    def interval(self, low: float | None, high: float | None, *, digits: int = 2) -> str:
        """An interval of good ratios, both ends with the same digits: ``99.91–99.95%``."""
        if _absent(low) or _absent(high):
            return NO_VALUE
        ends = [_decimal(low) * 100, _decimal(high) * 100]  # type: ignore[arg-type]
        places = max((_good_places(end, digits) for end in ends if end != 100), default=0)
        texts = ["100" if end == 100 else _cut(end, places, ROUND_FLOOR) for end in ends]
        while places > digits and all(text == "100" or text.endswith("0") for text in texts):
            places, texts = places - 1, [text if text == "100" else text[:-1] for text in texts]
        return ("〜" if self.language == "ja" else "–").join(texts) + "%"

    def bad_ratio(self, ratio: float | None) -> str:
        """A ratio of bad events as percent: two significant figures, 0% only when there is none."""
        if _absent(ratio):
            return NO_VALUE
        percent = _percent(ratio)  # type: ignore[arg-type]
        places = 0 if abs(percent) >= 10 else min(_significant(percent, 2), _MOST_PLACES)
        return f"{_share(percent, places)}%"

    def share(self, ratio: float | None) -> str:
        """A part of a whole, such as budget left or spent: whole percents, finer near zero."""
        if _absent(ratio):
            return NO_VALUE
        percent = _percent(ratio)  # type: ignore[arg-type]
        places = 0 if abs(percent) >= 10 or percent == 0 else min(max(1, _significant(percent, 1)), 4)
        return f"{_share(percent, places)}%"

    def points(self, ratio: float | None) -> str:
        """A difference of two shares: ``41 points``, 「41ポイント」."""
        return NO_VALUE if _absent(ratio) else self.say("unit.points", count=self.share(ratio).removesuffix("%"))

    def change(self, now: float | None, before: float | None) -> str:
        """How a quantity changed: ``+12%``, ``−3%``, ``×4.2`` when it more than doubled; – when not comparable."""
        if _absent(now) or _absent(before) or before == 0:
            return NO_VALUE
        factor = _decimal(now) / _decimal(before)  # type: ignore[arg-type]
        if factor >= 2:
            return f"×{_cut(factor, 0 if factor >= 10 else 1, ROUND_HALF_EVEN)}"
        text = _cut((factor - 1) * 100, 0, ROUND_HALF_EVEN)
        if text == "0":
            return "±0%"
        return f"{text}%" if text.startswith(MINUS) else f"+{text}%"

    # --- quantities -------------------------------------------------------------------------------------------

    def count(self, count: float | None) -> str:
        """A count with thousands separators; one digit after the point when it is not whole."""
        if _absent(count):
            return NO_VALUE
        value = _decimal(count)  # type: ignore[arg-type]
        return _cut(value, 0 if value == value.to_integral_value() else 1, ROUND_HALF_EVEN)

    def number(self, value: float | None, *, figures: int = 3) -> str:
        """Any quantity with three significant figures and thousands separators."""
        if _absent(value):
            return NO_VALUE
        if math.isinf(value):  # type: ignore[arg-type]
            return "∞" if value > 0 else f"{MINUS}∞"  # type: ignore[operator]
        decimal = _decimal(value)  # type: ignore[arg-type]
        text = _cut(decimal, min(_significant(decimal, figures), MOST_PLACES), ROUND_HALF_EVEN)
        return text.rstrip("0").rstrip(".") if "." in text else text

    def times(self, rate: float | None) -> str:
        """A burn rate: ``×13.4``."""
        return NO_VALUE if _absent(rate) else f"{TIMES}{self.number(rate)}"

    def seconds(self, seconds: float | None) -> str:
        """A latency: ``87 ms``, ``1.24 s``, ``2 min 5 s``; 「87 ms」「1.24秒」「2分5秒」."""
        if _absent(seconds):
            return NO_VALUE
        value = float(seconds)  # type: ignore[arg-type]
        scale = self.scale(value, "s")
        return self.span(timedelta(seconds=round(value))) if scale is None else self._on(scale, value)

    def scale(self, value: float, unit: str) -> Scale | None:
        """On which scale ``quantity`` (of the unit ``×``: ``times``) writes a value; None: not as one number.

        The larger the value, the larger the scale.
        """
        if unit == TIMES:
            return Scale(1, "", prefix=TIMES)
        if unit == "1":
            return Scale(100, "%", figures_below_ten=2)
        if unit == "By":
            return _size(value, 1024, _BINARY_BYTES)
        if unit in {"s", "ms"}:
            seconds = value / (1000 if unit == "ms" else 1)
            if 0 < abs(seconds) < 0.9995:
                return Scale(1 if unit == "ms" else 1000, " ms")
            if abs(seconds) < 60:
                return Scale(0.001 if unit == "ms" else 1, "秒" if self.language == "ja" else " s")
            return None
        return Scale(1, "" if unit.startswith("{") else f" {unit}".rstrip())

    def _on(self, scale: Scale, value: float) -> str:
        return f"{scale.prefix}{self.number(value * scale.factor)}{scale.suffix}"

    def span(self, span: timedelta | None) -> str:
        """A length of time by its two largest units: ``2 h 10 min``, ``44 h``, ``3 days 4 h``; 「3日と4時間」.

        From a day on without minutes; up to three days in hours, which say more than "1 day 20 h" does.
        """
        if _absent(span):
            return NO_VALUE
        assert span is not None
        total = round(abs(span).total_seconds())
        # Whole minutes from ten minutes on, whole hours from a day on: what is smaller means nothing there.
        for least, unit in ((600, 60), (86_400, 3_600)):
            if total >= least:
                total = round(total / unit) * unit
        if total >= 259_200:
            days, hours = self.counted(total // 86_400, "day"), total % 86_400 // 3_600
            text = self.say("unit.days_and_hours", days=days, hours=hours) if hours else days
            return f"{MINUS}{text}" if span < timedelta(0) else text
        names = ("時間", "分", "秒") if self.language == "ja" else (" h", " min", " s")
        sizes = (3_600, 60, 1)
        first = next((n for n, size in enumerate(sizes) if total >= size), 2)
        parts: list[str] = []
        for size, name in list(zip(sizes, names, strict=True))[first : first + 2]:
            amount, total = divmod(total, size)
            if amount or not parts:
                parts.append(f"{amount}{name}")
        text = ("" if self.language == "ja" else " ").join(parts)
        return f"{MINUS}{text}" if span < timedelta(0) and not text.startswith("0") else text

    def lookback(self, span: timedelta) -> str:
        """A length that is a name, in one unit where it is whole: ``1 hour``, ``28 days``; 「28日」."""
        for unit, size in (
            ("day", timedelta(days=1)),
            ("hour", timedelta(hours=1)),
            ("minute", timedelta(minutes=1)),
        ):
            count, rest = divmod(span, size)
            if count and not rest:
                return self.counted(count, unit)
        return self.span(span)

    def counted(self, count: float | None, unit: str) -> str:
        """A count with its noun, one or many: ``1 request``, ``2,000 requests``; 「1件のリクエスト」."""
        return self.say(f"counted.{unit}.{'one' if count == 1 else 'many'}", count=self.count(count))

    def minutes(self, minutes: float | None) -> str:
        """A budget in minutes of full outage, as a length of time."""
        return NO_VALUE if _absent(minutes) else self.span(timedelta(minutes=float(minutes)))  # type: ignore[arg-type]

    def bytes(self, size: float | None) -> str:
        """``1.2 GB``, in powers of 1000."""
        if _absent(size):
            return NO_VALUE
        return self._on(_size(float(size), 1000, _BYTES), float(size))  # type: ignore[arg-type]

    def quantity(self, value: float | None, unit: str) -> str:
        """A metric by its UCUM unit: ``1`` as percent, ``By`` in powers of 1024, ``s`` as time, ``{thing}`` bare."""
        if _absent(value):
            return NO_VALUE
        if unit == "1":
            percent = _decimal(value) * 100  # type: ignore[arg-type]
            return f"{self.number(float(percent), figures=2 if abs(percent) < 10 else 3)}%"
        if unit in {"s", "ms"}:
            return self.seconds(float(value) / (1000 if unit == "ms" else 1))  # type: ignore[arg-type]
        scale = self.scale(float(value), unit)  # type: ignore[arg-type]
        assert scale is not None
        return self._on(scale, float(value))  # type: ignore[arg-type]

    # --- time -------------------------------------------------------------------------------------------------

    def local(self, instant: datetime) -> datetime:
        """The wall-clock time in the organisation's zone."""
        return instant.astimezone(self.zone)

    def day(self, day: date | datetime, *, year: bool = False) -> str:
        """``Thu 29 Oct``, 「10月29日(木)」. An instant is taken on the organisation's clock."""
        if isinstance(day, datetime):
            day = self.local(day).date()
        weekday = _WEEKDAYS[self.language][day.weekday()]
        if self.language == "ja":
            return (f"{day.year}年" if year else "") + f"{day.month}月{day.day}日({weekday})"
        return f"{weekday} {day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")

    def short_day(self, day: date) -> str:
        """For axes: ``Thu 29``, 「29(木)」."""
        weekday = _WEEKDAYS[self.language][day.weekday()]
        return f"{day.day}({weekday})" if self.language == "ja" else f"{weekday} {day.day}"

    def month_day(self, day: date) -> str:
        """For axes: ``29 Oct``, 「10/29」."""
        return f"{day.month}/{day.day}" if self.language == "ja" else f"{day.day} {_MONTHS[day.month - 1]}"

    def clock(self, instant: datetime) -> str:
        return f"{self.local(instant):%H:%M}"

    def instant(self, instant: datetime | None, *, year: bool = False) -> str:
        """``Thu 29 Oct 14:05``, 「10月29日(木) 14:05」."""
        if _absent(instant):
            return NO_VALUE
        assert instant is not None
        return f"{self.day(instant, year=year)} {self.clock(instant)}"

    def instants(self, start: datetime | None, end: datetime | None) -> str:
        """From one instant to another, the day said once when it is the same; an open end is said."""
        if _absent(start):
            return NO_VALUE
        assert start is not None
        if _absent(end):
            return self.say("time.since", at=self.instant(start))
        assert end is not None
        between = "〜" if self.language == "ja" else "–"
        if self.local(start).date() == self.local(end).date():
            return f"{self.instant(start)}{between}{self.clock(end)}"
        return f"{self.instant(start)}{between if self.language == 'ja' else f' {between} '}{self.instant(end)}"

    def days(self, window: Window, *, year: bool = False) -> str:
        """A window's first and last day: ``Mon 26 Oct – Sun 1 Nov 2026``."""
        first, last = window.start, window.end - timedelta(microseconds=1)
        if self.local(first).date() == self.local(last).date():
            return self.day(first, year=year)
        if self.language == "ja":
            return f"{self.day(first, year=year)}〜{self.day(last)}"
        return f"{self.day(first)} – {self.day(last, year=year)}"

    def zone_name(self) -> str:
        """What an axis says of its clock: ``Asia/Tokyo``."""
        return self.zone.key
