"""Numbers and instants as readers see them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from shokubai.core.windows import Week, Window
from shokubai.display.format import Locale


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0, "100%"),
        (0.9995, "99.95%"),
        (0.99954321, "99.954%"),
        (0.9996, "99.96%"),
        (0.99999999, "99.999999%"),
        (0.9999999999999, "99.99999999%"),
        (0.998999999, "99.89%"),  # never rounded up to the objective it missed
        (0.5, "50.00%"),
        (0.0, "0.00%"),
        (None, "–"),
        (float("nan"), "–"),
        (pd.NA, "–"),
    ],
)
def test_a_good_ratio_is_cut_and_never_becomes_100_percent(en: Locale, ratio: float | None, text: str) -> None:
    assert en.good_ratio(ratio) == text


def test_a_missed_ratio_never_reads_like_its_objective(en: Locale) -> None:
    assert en.good_ratio(0.9994999, digits=2) != en.objective(0.9995)
    assert (en.objective(0.999), en.objective(0.9995), en.objective(0.95)) == ("99.9%", "99.95%", "95%")


def test_both_ends_of_an_interval_have_the_same_digits(en: Locale, ja: Locale) -> None:
    assert en.interval(0.9991, 0.9995) == "99.91–99.95%"
    assert en.interval(0.999335, 0.99940) == "99.933–99.940%"
    assert en.interval(0.98, 1.0) == "98.00–100%"
    assert en.interval(None, 0.9) == "–"
    assert ja.interval(0.9991, 0.9995) == "99.91〜99.95%"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.0, "0%"),
        (0.001, "0.10%"),
        (0.00042, "0.042%"),
        (0.0012345, "0.12%"),
        (0.0101, "1.0%"),
        (1e-7, "0.000010%"),
        (1e-11, "0.00000001%"),
        (0.186, "19%"),
        (0.504, "50%"),
        (0.9996, "99.96%"),
        (1 - 1e-11, "99.99999999%"),
        (1.0, "100%"),
    ],
)
def test_a_bad_ratio_is_rounded_but_never_to_nothing_or_all(en: Locale, ratio: float, text: str) -> None:
    assert en.bad_ratio(ratio) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.374, "37%"),
        (0.379, "38%"),
        (0.375, "38%"),  # half to even, so that 37.5 and 62.5 are 38 and 62
        (0.625, "62%"),
        (0.9996, "99.96%"),
        (1.0, "100%"),
        (1.0004, "100.04%"),
        (0.0, "0%"),
        (-0.0, "0%"),
        (0.034, "3.4%"),
        (0.0004, "0.04%"),
        (-0.0004, "−0.04%"),
        (-1e-11, "−0.00000001%"),
        (1e-15, "0%"),  # what is left of 1 − 0.9 − 0.1
        (-1 + 2e-15, "−100%"),
        (-0.8919, "−89%"),
        (-0.9996, "−99.96%"),
        (-1.0, "−100%"),
        (-5.12, "−512%"),
        (-5.121, "−512%"),
        (7.474, "747%"),
    ],
)
def test_shares_are_rounded_and_never_to_nothing_or_all(en: Locale, ratio: float, text: str) -> None:
    assert en.share(ratio) == text


@pytest.mark.parametrize("left", [0.374, 0.375, 0.385, 0.9996, 0.0004, -0.255, -0.0004])
def test_what_is_left_and_what_is_spent_add_up_to_the_whole(en: Locale, left: float) -> None:
    shares = [en.share(left), en.share(round(1 - left, 9))]
    assert round(sum(float(text.removesuffix("%").replace("−", "-")) for text in shares), 6) == 100


def test_changes_against_the_past(en: Locale) -> None:
    assert [en.change(*pair) for pair in ((112, 100), (97, 100), (100.2, 100), (840, 200), (5, 0), (None, 1))] == [
        "+12%",
        "−3%",
        "±0%",
        "×4.2",
        "–",
        "–",
    ]


def test_counts_and_numbers(en: Locale) -> None:
    assert en.count(1234567) == "1,234,567"
    assert en.count(2.5) == "2.5"
    assert en.count(-0.0) == "0"
    assert (en.number(13.44), en.number(0.9333), en.number(1234.5)) == ("13.4", "0.933", "1,234")
    assert en.counted(1, "request") == "1 request"
    assert en.counted(2000, "request") == "2,000 requests"


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (0.087, "87 ms", "87 ms"),
        (0.0004, "0.4 ms", "0.4 ms"),
        (0.9996, "1 s", "1秒"),
        (1.2345, "1.23 s", "1.23秒"),
        (0.0, "0 s", "0秒"),
        (125.0, "2 min 5 s", "2分5秒"),
        (7800.0, "2 h 10 min", "2時間10分"),
        (None, "–", "–"),
    ],
)
def test_latencies_take_the_unit_that_fits(
    en: Locale, ja: Locale, seconds: float | None, english: str, japanese: str
) -> None:
    assert (en.seconds(seconds), ja.seconds(seconds)) == (english, japanese)


@pytest.mark.parametrize(
    ("span", "english", "japanese"),
    [
        (timedelta(), "0 s", "0秒"),
        (timedelta(minutes=47), "47 min", "47分"),
        (timedelta(minutes=-90), "−1 h 30 min", "−1時間30分"),
        (timedelta(hours=2, minutes=30), "2 h 30 min", "2時間30分"),
        (timedelta(hours=23, minutes=59, seconds=40), "24 h", "24時間"),
        (timedelta(hours=43, minutes=50), "44 h", "44時間"),
        (timedelta(hours=71, minutes=20), "71 h", "71時間"),
        (timedelta(hours=71, minutes=40), "3 days", "3日"),
        (timedelta(days=3, hours=4, minutes=20), "3 days 4 h", "3日と4時間"),
        (timedelta(days=28), "28 days", "28日"),
        (timedelta(days=-4), "−4 days", "−4日"),
    ],
)
def test_lengths_of_time(en: Locale, ja: Locale, span: timedelta, english: str, japanese: str) -> None:
    assert (en.span(span), ja.span(span)) == (english, japanese)


def test_lengths_that_are_names(en: Locale, ja: Locale) -> None:
    assert (en.lookback(timedelta(days=28)), ja.lookback(timedelta(hours=6))) == ("28 days", "6時間")
    assert en.lookback(timedelta(hours=1)) == "1 hour"
    assert en.minutes(15.1) == "15 min"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.843, "1", "84.3%"),
        (0.0, "1", "0%"),
        (1.5 * 1024**3, "By", "1.5 GiB"),
        (1023.9, "By", "1 KiB"),
        (87.0, "s", "1 min 27 s"),
        (42.0, "{connection}", "42"),
        (3.0, "Cel", "3 Cel"),
    ],
)
def test_metrics_are_shown_in_their_unit(en: Locale, value: float, unit: str, text: str) -> None:
    assert en.quantity(value, unit) == text


def test_bytes_read_are_counted_in_powers_of_1000(en: Locale) -> None:
    assert [en.bytes(v) for v in (81_234_567, 999_600, 12, None)] == ["81.2 MB", "1 MB", "12 B", "–"]


def test_instants_stand_on_the_organisations_clock(en: Locale, ja: Locale) -> None:
    at = datetime(2026, 10, 29, 5, 5, tzinfo=UTC)
    assert (en.instant(at), ja.instant(at)) == ("Thu 29 Oct 14:05", "10月29日(木) 14:05")
    assert en.instant(datetime(2026, 10, 29, 15, 0, tzinfo=UTC)) == "Fri 30 Oct 00:00"
    assert (en.instant(None), en.instant(pd.NaT)) == ("–", "–")
    assert Locale("en", ZoneInfo("America/New_York")).instant(at) == "Thu 29 Oct 01:05"
    assert ja.day(date(2026, 11, 1), year=True) == "2026年11月1日(日)"


def test_spans_of_time_say_a_common_day_once(en: Locale, ja: Locale) -> None:
    start = datetime(2026, 10, 29, 5, 5, tzinfo=UTC)
    assert en.instants(start, start + timedelta(minutes=47)) == "Thu 29 Oct 14:05–14:52"
    assert en.instants(start, start + timedelta(days=1)) == "Thu 29 Oct 14:05 – Fri 30 Oct 14:05"
    assert en.instants(start, None) == "since Thu 29 Oct 14:05"
    assert ja.instants(start, start + timedelta(minutes=47)) == "10月29日(木) 14:05〜14:52"
    assert ja.instants(start, start + timedelta(days=1)) == "10月29日(木) 14:05〜10月30日(金) 14:05"
    assert ja.instants(start, pd.NaT) == "10月29日(木) 14:05 から継続中"


def test_a_week_is_its_first_and_last_day(en: Locale, ja: Locale) -> None:
    window: Window = Week(2026, 44).window(en.zone)
    assert en.days(window, year=True) == "Mon 26 Oct – Sun 1 Nov 2026"
    assert ja.days(window, year=True) == "2026年10月26日(月)〜11月1日(日)"
