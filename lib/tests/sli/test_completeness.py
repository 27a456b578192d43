"""Silences of a service that has one request a minute in office hours (9–18 h Tokyo), Monday to Friday."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from shokubai.core.windows import DAY, HOUR, MINUTE, Window
from shokubai.sli import SILENCES, completeness_ratio, data_complete_through, find_silences
from shokubai.tables.contracts import METRIC_HOURS, SERVICE_MINUTES

TOKYO = ZoneInfo("Asia/Tokyo")
END = datetime(2026, 11, 2, tzinfo=TOKYO).astimezone(UTC)  # a Monday's midnight
WINDOW = Window(END - 28 * DAY, END)
BASELINE = Window(END - 56 * DAY, END)


def tokyo(day: int, hour: int = 0, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=TOKYO).astimezone(UTC)


def office_minutes(start: datetime = BASELINE.start, end: datetime = END) -> pd.DatetimeIndex:
    minutes = pd.date_range(start, end, freq="min", inclusive="left")
    local = minutes.tz_convert(TOKYO)
    return minutes[(local.hour >= 9) & (local.hour < 18) & (local.day_of_week < 5)]


def without(minutes: pd.DatetimeIndex, *gaps: tuple[datetime, datetime]) -> pd.DatetimeIndex:
    for start, end in gaps:
        minutes = minutes[(minutes < start) | (minutes >= end)]
    return minutes


def requests(minutes: pd.DatetimeIndex, *, service: str = "invoice-api", count: int = 1) -> pd.DataFrame:
    frame = pd.DataFrame({"minute": minutes, "service_name": service, "request_count": count})
    return SERVICE_MINUTES.conform(
        frame.assign(error_count=0, unknown_status_count=0, duration_count=frame["request_count"])
    )


def metrics(*gaps: tuple[datetime, datetime], service: str = "invoice-api") -> pd.DataFrame:
    """Two metrics sampled every minute, except in the gaps; 120 samples in a whole hour."""
    minutes = without(pd.date_range(WINDOW.start, END, freq="min", inclusive="left"), *gaps)
    per_hour = pd.Series(1, index=minutes.floor("h")).groupby(level=0).sum()
    frames = [
        pd.DataFrame({"hour": per_hour.index, "sample_count": per_hour.to_numpy(), "metric_name": name})
        for name in ("process.cpu.utilization", "process.memory.usage")
    ]
    frame = pd.concat(frames).assign(
        service_name=service, unit="1", mean_value=0.5, max_value=0.5, limit_value=np.nan
    )
    return METRIC_HOURS.conform(frame)


def find(service_minutes: pd.DataFrame, metric_hours: pd.DataFrame | None = None, **options: object) -> list[tuple]:
    found = find_silences(
        service_minutes, window=WINDOW, baseline=BASELINE, metric_hours=metric_hours, zone=TOKYO, **options
    )
    SILENCES.conform(found)
    columns = ["service_name", "started_at", "ended_at", "expected_count", "kind"]
    return [tuple(row) for row in found[columns].itertuples(index=False)]


def test_nights_and_weekends_of_an_office_service_are_no_silences() -> None:
    assert find(requests(office_minutes())) == []


# Monday afternoon: two and a half hours, half of the first one.
GAP = (tokyo(26, 13, 30), tokyo(26, 16))


def test_a_gap_with_missing_metrics_is_a_telemetry_gap() -> None:
    found = find(requests(without(office_minutes(), GAP)), metrics(GAP))
    assert found == [("invoice-api", *GAP, 150.0, "telemetry_gap")]


def test_the_same_gap_while_metrics_go_on_is_zero_traffic() -> None:
    assert find(requests(without(office_minutes(), GAP)), metrics())[0][-1] == "zero_traffic"


def test_a_gap_inside_one_hour_is_told_by_the_samples_of_that_hour() -> None:
    gap = (tokyo(27, 10, 15), tokyo(27, 10, 45))
    service = requests(without(office_minutes(), gap))
    assert find(service, metrics(gap)) == [("invoice-api", *gap, 30.0, "telemetry_gap")]
    assert find(service, metrics())[0][-1] == "zero_traffic"
    # A hole in the metrics at another time of that hour explains nothing.
    assert find(service, metrics((tokyo(27, 10), tokyo(27, 10, 10))))[0][-1] == "zero_traffic"


@pytest.mark.parametrize("known", [None, METRIC_HOURS.empty(), metrics(service="auth")])
def test_without_metrics_of_the_service_a_gap_is_unexplained(known: pd.DataFrame | None) -> None:
    assert find(requests(without(office_minutes(), GAP)), known)[0][-1] == "unexplained"


def test_metrics_that_began_later_cannot_be_asked() -> None:
    later = metrics()
    later = later[later["hour"] >= pd.Timestamp(GAP[1])]
    assert find(requests(without(office_minutes(), GAP)), later)[0][-1] == "unexplained"


# Friday from three o'clock on; nothing is expected at the weekend, so the silence lasts to the window's end.
LATE = (tokyo(30, 15), END)


@pytest.mark.parametrize("known", [None, metrics()])
def test_a_silence_at_the_end_is_late(known: pd.DataFrame | None) -> None:
    assert find(requests(without(office_minutes(), LATE)), known) == [("invoice-api", *LATE, 180.0, "late")]


def test_a_silence_at_the_end_without_metrics_of_that_time_is_a_gap() -> None:
    assert find(requests(without(office_minutes(), LATE)), metrics(LATE))[0][-1] == "telemetry_gap"


def test_a_service_that_is_seen_after_the_window_is_not_late() -> None:
    minutes = without(office_minutes(end=END + DAY), LATE)
    found = find(requests(minutes), metrics())
    # The weekend, in which nothing was expected, is cut off: the last expected request is that of 17:59.
    assert found == [("invoice-api", LATE[0], tokyo(30, 18), 180.0, "zero_traffic")]


def test_quiet_hours_before_and_after_a_gap_are_cut_off() -> None:
    morning = (tokyo(26, 9), tokyo(26, 11))
    found = find(requests(without(office_minutes(), morning)))
    assert found == [("invoice-api", *morning, 120.0, "unexplained")]


def test_a_past_outage_does_not_lower_what_is_expected() -> None:
    last_week = (tokyo(19, 13), tokyo(19, 17))
    found = find(requests(without(office_minutes(), GAP, last_week)))
    assert [(start, expected) for _, start, _, expected, _ in found] == [(last_week[0], 240.0), (GAP[0], 150.0)]


def test_longer_pauses_on_a_public_holiday_are_no_silences() -> None:
    # A service around the clock; on one Monday there is one request in half an hour instead of thirty.
    every_minute = pd.date_range(BASELINE.start, END, freq="min", inclusive="left")
    on_holiday = (every_minute >= tokyo(12)) & (every_minute < tokyo(13)) & (every_minute.minute % 30 != 15)
    assert find(requests(every_minute[~on_holiday])) == []
    # On the next day, half an hour without any is one.
    gap = (tokyo(13, 12), tokyo(13, 12, 30))
    assert find(requests(without(every_minute[~on_holiday], gap))) == [("invoice-api", *gap, 30.0, "unexplained")]


def test_a_stray_row_does_not_hide_a_gap() -> None:
    halves = (GAP[0], tokyo(26, 14, 30)), (tokyo(26, 14, 31), GAP[1])
    found = find(requests(without(office_minutes(), *halves)))
    assert [(start, end) for _, start, end, *_ in found] == list(halves)


@pytest.mark.parametrize(("minutes", "silences"), [(19, 0), (20, 1)])
def test_a_silence_needs_twenty_expected_requests(minutes: int, silences: int) -> None:
    gap = (tokyo(28, 10), tokyo(28, 10) + minutes * MINUTE)
    assert len(find(requests(without(office_minutes(), gap)))) == silences


@pytest.mark.parametrize(("minutes", "silences"), [(9, 0), (10, 1)])
def test_a_silence_lasts_ten_minutes(minutes: int, silences: int) -> None:
    gap = (tokyo(28, 10), tokyo(28, 10) + minutes * MINUTE)
    assert len(find(requests(without(office_minutes(), gap), count=50))) == silences


def test_a_service_with_few_requests_is_seldom_silent() -> None:
    # One request on each full hour of each day: an hour without any is ordinary, a day without any is not.
    hourly = pd.date_range(BASELINE.start, END, freq="h", inclusive="left")
    assert find(requests(hourly)) == []
    day = (tokyo(28), tokyo(29))
    found = find(requests(without(hourly, day)), metrics())
    # Nearest requests: 23:00 before and 00:00 after. The first expected one is at 00:00, the last at 23:00.
    assert found == [("invoice-api", tokyo(28), tokyo(28, 23, 1), 24.0, "zero_traffic")]


def test_time_before_a_services_first_request_is_no_silence() -> None:
    # Two weeks old; the two weeks before would be just like them.
    assert find(requests(pd.date_range(tokyo(19), END, freq="min", inclusive="left"))) == []


def test_a_stretch_is_not_compared_with_weeks_that_it_touches() -> None:
    # Ten days without requests. A week earlier, seven of ten days had some; two weeks earlier, all.
    start = END - 25 * DAY
    gap = (END - 11 * DAY, END - DAY)
    minutes = without(pd.date_range(start, END, freq="min", inclusive="left"), gap)
    found = find_silences(requests(minutes), window=WINDOW, baseline=Window(start, END))
    assert found["expected_count"].tolist() == [14_400.0]


def test_a_log_that_ends_early_in_its_first_week_is_late() -> None:
    # Four days of a service around the clock; nothing to compare the rest of the week with but its own days.
    minutes = pd.date_range(tokyo(26), tokyo(29, 21), freq="min", inclusive="left")
    found = find(requests(minutes, count=2))
    assert found == [("invoice-api", tokyo(29, 21), END, 2.0 * 60 * 75, "late")]


def test_an_evening_in_a_services_first_week_is_not_late() -> None:
    early = Window(END - 28 * DAY - 3 * DAY, tokyo(30))
    found = find_silences(
        requests(office_minutes(start=tokyo(27), end=tokyo(30))), window=early, baseline=early, zone=TOKYO
    )
    assert len(found) == 0


def test_hours_are_those_of_the_organisations_clock() -> None:
    # New York's clocks go back on November 1: in UTC its office hours come an hour later from then on.
    new_york = ZoneInfo("America/New_York")
    end = datetime(2026, 11, 5, tzinfo=new_york).astimezone(UTC)
    window = Window(end - 7 * DAY, end)
    minutes = pd.date_range(end - 35 * DAY, end, freq="min", inclusive="left")
    local = minutes.tz_convert(new_york)
    frame = requests(minutes[(local.hour >= 9) & (local.hour < 17) & (local.day_of_week < 5)])
    baseline = Window(end - 35 * DAY, end)
    assert len(find_silences(frame, window=window, baseline=baseline, zone=new_york)) == 0
    # Asked by UTC's clock, the first hour of each day seems to be missing.
    in_utc = find_silences(frame, window=window, baseline=baseline)
    assert in_utc["expected_count"].tolist() == [60.0, 60.0, 60.0]


def test_services_are_looked_at_one_by_one_in_order() -> None:
    frame = pd.concat(
        [
            requests(without(office_minutes(), GAP), service="search-api"),
            requests(without(office_minutes(), GAP), service="auth"),
            requests(office_minutes(), service="billing"),
        ]
    )
    assert [row[0] for row in find(frame)] == ["auth", "search-api"]


def test_a_window_without_any_rows_has_no_silences() -> None:
    assert find(SERVICE_MINUTES.empty()) == []


def silences(*rows: tuple[str, datetime, datetime, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["service_name", "started_at", "ended_at", "kind"])
    return SILENCES.conform(frame.assign(expected_count=100.0)) if rows else SILENCES.empty()


DAY_WINDOW = Window(tokyo(26), tokyo(27))


@pytest.mark.parametrize(
    ("kind", "ratio"), [("late", 0.75), ("telemetry_gap", 0.75), ("unexplained", 0.75), ("zero_traffic", 1.0)]
)
def test_six_missing_hours_of_a_day_leave_three_quarters(kind: str, ratio: float) -> None:
    frame = silences(("auth", tokyo(26, 6), tokyo(26, 12), kind))
    assert completeness_ratio(frame, window=DAY_WINDOW, service="auth") == ratio
    assert completeness_ratio(frame, window=DAY_WINDOW, service="billing") == 1.0


def test_only_what_lies_in_the_window_is_missing_from_it() -> None:
    frame = silences(
        ("auth", tokyo(25, 20), tokyo(26, 3), "late"),
        ("auth", tokyo(26, 21), tokyo(27, 5), "unexplained"),
        ("auth", tokyo(28), tokyo(29), "telemetry_gap"),
    )
    assert completeness_ratio(frame, window=DAY_WINDOW, service="auth") == 0.75
    everything = silences(("auth", tokyo(20), tokyo(30), "late"))
    assert completeness_ratio(everything, window=DAY_WINDOW, service="auth") == 0.0
    assert completeness_ratio(silences(), window=DAY_WINDOW, service="auth") == 1.0


def test_data_is_complete_up_to_the_first_open_end() -> None:
    seen = requests(office_minutes())
    evening = tokyo(1, 18, month=11)
    assert data_complete_through(seen, silences(), window=WINDOW) == END
    assert (
        data_complete_through(
            seen, silences(("auth", evening, END, "late"), ("search", LATE[0], END, "telemetry_gap")), window=WINDOW
        )
        == LATE[0]
    )
    # A gap in the past stays a gap, and a weekend without visitors is known to be empty.
    closed = silences(("auth", *GAP, "telemetry_gap"), ("console", evening, END, "zero_traffic"))
    assert data_complete_through(seen, closed, window=WINDOW) == END


def test_data_that_was_never_seen_is_complete_through_nothing() -> None:
    assert data_complete_through(SERVICE_MINUTES.empty(), silences(), window=WINDOW) is None
    later = requests(pd.DatetimeIndex([END + HOUR]))
    assert data_complete_through(later, silences(), window=WINDOW) is None


def test_a_silence_longer_than_the_window_begins_in_it() -> None:
    gone = requests(office_minutes(end=tokyo(18, month=9)))
    (found,) = find(gone)
    assert found[1] >= WINDOW.start
    assert found[2] == END
    assert found[-1] == "late"
    frame = silences(("invoice-api", WINDOW.start - timedelta(days=1), END, "late"))
    assert data_complete_through(gone, frame, window=WINDOW) == WINDOW.start


def test_an_owned_service_that_the_log_does_not_know_is_unexplained_where_there_is_a_log() -> None:
    known = requests(office_minutes())
    owned = {"services": ["invoice-api", "old-api"], "log": BASELINE}
    (found,) = find(known, **owned)
    assert found[:3] == ("old-api", WINDOW.start, END)
    assert np.isnan(found[3])
    assert found[4] == "unexplained"
    frame = silences(("old-api", WINDOW.start, END, "unexplained"))
    assert completeness_ratio(frame, window=WINDOW, service="old-api") == 0.0
    # A log of the last three days says nothing of the days before; a service may be younger than the log.
    young = Window(END - 3 * DAY, END)
    assert [f[1:3] for f in find(known, services=["old-api"], log=young)] == [(young.start, END)]
    assert find(known, services=["old-api"]) == []
    assert find(requests(office_minutes(start=tokyo(15))), services=["invoice-api"], log=BASELINE) == []


def test_an_owned_service_that_is_first_seen_after_the_window_is_young() -> None:
    later = requests(pd.DatetimeIndex([END + HOUR]))
    assert find(later, services=["invoice-api"], log=Window(BASELINE.start, END + DAY)) == []
