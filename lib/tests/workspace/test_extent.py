"""What a week's charts show when the data is short, and five-minute steps."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from shokubai.core.windows import Week, Window
from shokubai.workspace import comparison
from shokubai.workspace.detail import detail_window, sli_steps
from shokubai.workspace.extent import seen_window, shown_window

WEEK = Week(2026, 44).window(UTC)
TUESDAY = datetime(2026, 10, 27, tzinfo=UTC)

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-availability}
spec:
  service: shop
  indicator:
    metadata: {name: shop-availability}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: shokubai, spec: {requests: successful}}}
        total: {metricSource: {type: shokubai, spec: {requests: all}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
"""


def test_what_was_seen_lies_in_the_week():
    minutes = pd.Series(pd.to_datetime(["2026-10-25T23:59Z", "2026-10-27T03:52Z", "2026-10-27T07:55Z"]))
    assert seen_window(WEEK, minutes) == Window(
        TUESDAY + timedelta(hours=3, minutes=52), TUESDAY + timedelta(hours=7, minutes=56)
    )
    assert seen_window(WEEK, minutes[:1]) is None


@pytest.mark.parametrize(
    ("hours", "begins", "through", "expected"),
    [
        # The log begins and ends in the week.
        ((3.9, 7.9), (3.9), 7.9, (3, 8)),
        # It ends on a whole hour, and begins on one.
        ((3, 8), 3, 8, (3, 8)),
        # It begins in the week and goes on, or began before and ends in the week.
        ((3.9, 7.9), 3.9, None, (3, 8)),
        ((3.9, 7.9), -900, 7.9, (3, 8)),
        # Known to be quiet for the rest of the week.
        ((3.9, 7.9), -900, None, None),
        # Two days and more are a week's worth of a chart.
        ((0, 47.9), 0, 47.9, (0, 48)),
        ((0, 48), 0, 48, None),
    ],
)
def test_only_short_data_is_shown_over_its_own_hours(hours, begins, through, expected):
    def at(hour):
        return TUESDAY + timedelta(hours=hour)

    shown = shown_window(
        WEEK,
        Window(*map(at, hours)),
        log_begins_at=at(begins),
        data_complete_through=WEEK.end if through is None else at(through),
    )
    assert shown == (WEEK if expected is None else Window(*map(at, expected)))


def test_without_requests_the_week_is_shown():
    assert shown_window(WEEK, None, log_begins_at=None, data_complete_through=None) == WEEK


@pytest.fixture
def short_week(make_workspace, shop, steady_log):
    """A request a minute from 3:52 to 7:56 on Tuesday in UTC; those of ten minutes from 5:18 on fail."""
    frame = steady_log(pd.date_range("2026-10-27T03:52Z", "2026-10-27T07:55Z", freq="min", unit="us"))
    failing = (frame["timestamp"] >= "2026-10-27T05:18Z") & (frame["timestamp"] < "2026-10-27T05:28Z")
    frame.loc[failing, "http_response_status_code"] = 503
    return make_workspace({**shop, "slos/shop.yaml": SLO}, requests=frame).team_week("sales", "2026-W44")


def test_steps_of_five_minutes_count_every_request_once(short_week):
    assert short_week.is_short
    window = detail_window(short_week, "shop-availability")
    assert window == short_week.shown
    steps = sli_steps(short_week, "shop-availability", window)
    assert len(steps) == 5 * 12
    assert steps["valid_count"].sum() == 244
    bad = steps[steps["bad_count"] > 0]
    assert bad["started_at"].dt.strftime("%H:%M").tolist() == ["05:15", "05:20", "05:25"]
    assert bad["bad_count"].tolist() == [2, 5, 3]
    assert bad["bad_ratio"].tolist() == [2 / 5, 1, 3 / 5]
    assert steps["bad_ratio"].isna().sum() == 60 - 50  # before the log begins there is no ratio
    # The episode is the failure.
    (episode,) = short_week.episodes["shop-availability"].to_dict("records")
    assert (episode["started_at"], episode["ended_at"]) == (
        pd.Timestamp("2026-10-27T05:18Z"),
        pd.Timestamp("2026-10-27T05:28Z"),
    )


def test_statuses_are_counted_and_without_them_failures_are_not_known(make_workspace, shop, request_log):
    sk = make_workspace(
        shop,
        requests=request_log(
            ("2026-10-27T00:00Z", "shop", "GET", "/a", 200, None),
            ("2026-10-27T00:01Z", "shop", "GET", "/a", None, None),
            ("2026-10-27T00:02Z", "shop", "GET", "/b", None, None),
        ),
    )
    week = sk.team_week("sales", "2026-W44")
    counts = comparison.status_counts(week)
    assert counts["http_response_status_code"].tolist() == [200, pd.NA]
    assert counts["request_count"].tolist() == [1, 2]
    routes = comparison.route_changes(week).set_index("http_route")
    assert routes["error_count"].tolist() == [0, pd.NA]
    # Some of the service's requests have a status, so its errors are counted among those.
    hours = comparison.hourly_traffic(week)
    assert hours["error_count"].sum() == 0 and hours["error_count"].notna().any()


def test_a_service_without_statuses_has_no_errors_to_count(make_workspace, shop, request_log):
    log = request_log(("2026-10-27T00:00Z", "shop", "GET", "/a", None, None))
    hours = comparison.hourly_traffic(make_workspace(shop, requests=log).team_week("sales", "2026-W44"))
    assert hours["request_count"].sum() == 1
    assert hours["error_count"].isna().all()
