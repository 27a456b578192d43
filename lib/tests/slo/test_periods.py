from datetime import UTC, datetime, timedelta

import pytest

from shokubai.core.windows import DAY, Window
from shokubai.sli import fill_minutes
from shokubai.slo import objective_periods

AT = datetime(2026, 11, 1, 15, tzinfo=UTC)


def test_requests_are_counted_in_the_four_weeks_in_which_they_came(make_rows) -> None:
    """Ten minutes around the turn of the periods: six of them in the older one, one request each bad."""
    turn = AT - 28 * DAY
    rows = make_rows(turn + timedelta(minutes=4), 10, valid=3, bad=1)
    series = fill_minutes(rows, Window(AT - 60 * DAY, AT))
    periods = objective_periods(series, at=AT)
    assert periods["ended_at"].tolist() == [turn, AT]
    assert periods["valid_count"].tolist() == [18, 12]
    assert periods["bad_count"].tolist() == [6, 4]


def test_a_series_that_is_too_short_is_refused(make_rows) -> None:
    series = fill_minutes(make_rows(AT, 10, valid=1), Window(AT - 55 * DAY, AT))
    with pytest.raises(ValueError, match="the series covers"):
        objective_periods(series, at=AT)
