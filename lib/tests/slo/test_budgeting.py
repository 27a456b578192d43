from datetime import timedelta

import pytest

from shokubai.slo import count_events
from shokubai.slo.budgeting import events_of

# Ten one-minute slices: the worked example for OpenSLO's three budgeting methods.
GOOD = [100, 100, 90, 0, 50, 1000, 1000, 9, 10, 100]
TOTAL = [100, 100, 100, 10, 100, 1000, 1000, 10, 10, 100]


def sli(events) -> float:
    valid, bad = events.between(0, events.minutes)
    return float(1 - bad / valid)


def test_occurrences_weigh_requests(make_series) -> None:
    events = count_events(make_series(TOTAL, GOOD))
    assert (events.unit, int(events.valid.sum()), int(events.bad.sum())) == ("requests", 2530, 71)
    assert sli(events) == pytest.approx(2459 / 2530, abs=1e-15)
    assert round(sli(events), 6) == 0.971937


@pytest.mark.parametrize(("target", "share"), [(0.95, 0.6), (0.9, 0.8)])
def test_timeslices_count_good_slices(make_series, target: float, share: float) -> None:
    events = count_events(make_series(TOTAL, GOOD), budgeting="Timeslices", slice_target=target)
    assert events.unit == "slices"
    assert sli(events) == share


def test_ratio_timeslices_average_the_slices(make_series) -> None:
    events = count_events(make_series(TOTAL, GOOD), budgeting="RatioTimeslices")
    assert sli(events) == pytest.approx(0.83, abs=1e-15)


@pytest.mark.parametrize(
    ("target", "valid", "good"),
    [(0.55, 100, 55), (0.95, 20, 19), (0.999, 1000, 999), (0.7, 10, 7), (0.29, 100, 29), (1.0, 3, 3)],
)
def test_a_slice_exactly_at_its_target_is_good(make_series, target: float, valid: int, good: int) -> None:
    # 0.55 × 100 is 55.00000000000001 in floats.
    series = make_series([valid, valid], [good, good - 1])
    events = count_events(series, budgeting="Timeslices", slice_target=target)
    assert events.bad.tolist() == [0.0, 1.0]


def test_slices_add_minutes_up_before_they_compare(make_series) -> None:
    # Slices of two minutes: 15/20 = .75, 20/20, empty, and half a slice of 1/4.
    series = make_series([10, 10, 20, 0, 0, 0, 4], [5, 10, 20, 0, 0, 0, 1])
    by_slice = count_events(series, budgeting="Timeslices", slice_minutes=2, slice_target=0.8)
    assert by_slice.valid.tolist() == [1, 1, 0, 1]
    assert by_slice.bad.tolist() == [1.0, 0.0, 0.0, 1.0]
    ratios = count_events(series, budgeting="RatioTimeslices", slice_minutes=2)
    assert ratios.bad.tolist() == [0.25, 0.0, 0.0, 0.75]
    assert sli(ratios) == pytest.approx((0.75 + 1 + 0.25) / 3, abs=1e-15)


def test_timeslices_need_a_target(make_series) -> None:
    with pytest.raises(ValueError, match="timeSliceTarget"):
        count_events(make_series(TOTAL, GOOD), budgeting="Timeslices")


def test_spans_hold_whole_slices_and_end_with_the_series(make_series) -> None:
    series = make_series([10, 10, 20, 0, 0, 0, 4], [5, 10, 20, 0, 0, 0, 1])
    events = count_events(series, budgeting="RatioTimeslices", slice_minutes=2)
    valid, bad = events.between([0, 1, 1, -5, 6, 3], [4, 4, 5, 2, 7, 4])
    assert valid.tolist() == [2, 1, 1, 1, 1, 0]
    assert bad.tolist() == [0.25, 0.0, 0.0, 0.25, 0.75, 0.0]
    requests = count_events(series)
    valid, bad = requests.between([0, 2, 6, 90], [2, 99, 6, 99])
    assert (valid.tolist(), bad.tolist()) == ([20, 24, 0, 0], [5.0, 3.0, 0.0, 0.0])


def test_slices_begin_at_the_anchor(make_slo, make_series) -> None:
    slo = make_slo(budgeting="RatioTimeslices", slice_window="3m")
    series = make_series([1, 2, 3, 4, 5, 6, 7, 8], [0, 2, 3, 4, 5, 6, 7, 0])
    # An anchor at minute 4 leaves out the first minute: slices 1–3, 4–6, and 7 alone.
    events = events_of(slo, series, anchor=series.start + timedelta(minutes=4))
    assert events.start == series.start + timedelta(minutes=1)
    assert events.bad.tolist() == [0.0, 0.0, 1.0]
    assert events_of(slo, series, anchor=series.start).bad.tolist() == [pytest.approx(1 / 6), 0.0, 8 / 15]
