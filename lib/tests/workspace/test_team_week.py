"""What a team's week knows of its data: how complete it is, and what comes after it."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from shokubai.workspace.team_week import TeamWeek

END = datetime(2026, 11, 1, 15, tzinfo=UTC)  # of 2026-W44 in Tokyo


def minutes(first, end):
    return pd.date_range(first, end, freq="min", unit="us", inclusive="left")


@pytest.fixture
def week_of(make_workspace, shop, steady_log):
    def make(*spans):
        instants = spans[0].append(list(spans[1:]))
        return make_workspace(shop, requests=steady_log(instants)).team_week("sales", "2026-W44")

    return make


def test_a_log_that_ends_before_the_week_does_is_late(week_of):
    week = week_of(minutes("2026-09-20T00:00Z", "2026-11-01T09:00Z"))
    (silence,) = week.silences.to_dict("records")
    assert (silence["kind"], silence["started_at"], silence["ended_at"]) == (
        "late",
        pd.Timestamp("2026-11-01T09:00Z"),
        pd.Timestamp(END),
    )
    assert silence["expected_count"] == pytest.approx(360, rel=0.01)
    assert week.data_complete_through == datetime(2026, 11, 1, 9, tzinfo=UTC)
    (service,) = week.services.to_dict("records")
    assert service["completeness_ratio"] == pytest.approx(1 - 6 / (7 * 24))
    assert service["request_count"] == (7 * 24 - 6) * 60


def test_a_service_that_is_seen_the_day_after_was_silent(week_of):
    week = week_of(
        minutes("2026-09-20T00:00Z", "2026-11-01T09:00Z"), minutes("2026-11-02T01:00Z", "2026-11-02T02:00Z")
    )
    (silence,) = week.silences.to_dict("records")
    assert silence["kind"] == "unexplained"
    # What comes after the week says no more than that.
    assert week.service_minutes["minute"].max() == pd.Timestamp("2026-11-01T08:59Z")
    (service,) = week.services.to_dict("records")
    assert service["request_count"] == (7 * 24 - 6) * 60


def test_what_comes_long_after_the_week_changes_nothing(week_of):
    week = week_of(
        minutes("2026-09-20T00:00Z", "2026-11-01T09:00Z"), minutes("2026-11-05T00:00Z", "2026-11-06T00:00Z")
    )
    assert week.silences["kind"].to_list() == ["late"]


def test_data_after_the_week_alone_is_no_data(week_of):
    week = week_of(minutes("2026-11-01T15:00Z", "2026-11-02T00:00Z"))
    assert not week.has_data
    assert week.data_complete_through is None
    assert len(week.service_minutes) == 0
    assert len(week.silences) == 0
    assert week.services["request_count"].to_list() == [0]


def test_data_of_the_weeks_before_is_data(week_of):
    last = minutes("2026-10-04T15:00Z", "2026-10-04T15:01Z")  # the first minute of the 28 days
    assert week_of(last).has_data
    assert not week_of(last - pd.Timedelta(minutes=1)).has_data


def test_complete_data_is_complete_through_the_weeks_end(week_of):
    week = week_of(minutes("2026-10-05T00:00Z", "2026-11-01T15:00Z"))
    assert week.data_complete_through == END == week.at
    assert week.services["completeness_ratio"].to_list() == [1.0]


def test_the_least_complete_service_says_how_far_the_data_reaches(make_workspace, shop, steady_log):
    both = [
        steady_log(minutes("2026-09-20T00:00Z", "2026-11-01T15:00Z")),
        steady_log(minutes("2026-09-20T00:00Z", "2026-11-01T09:00Z")).assign(service_name="mail"),
    ]
    team = "name: {en: Both}\nlanguage: en\nowns: [{service: shop}, {service: mail}]\n"
    sk = make_workspace({**shop, "teams/both.yaml": team}, requests=pd.concat(both))
    assert sk.team_week("both", "2026-W44").data_complete_through == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert sk.team_week("sales", "2026-W44").data_complete_through == END


def test_the_comparable_week_is_read_only_when_the_log_holds_all_of_it(week_of):
    # 2026-W43 begins on 2026-10-18 at 15:00 UTC.
    assert week_of(minutes("2026-10-18T15:30Z", "2026-11-01T15:00Z")).comparable is not None
    week = week_of(minutes("2026-10-18T17:00Z", "2026-11-01T15:00Z"))
    assert week.comparable is None
    assert len(week.comparable_route_hours) == 0
    assert week.last_month_days == ()


def test_everything_a_report_reads_is_needed(week_of, monkeypatch):
    week = week_of(minutes("2026-09-20T00:00Z", "2026-11-01T15:00Z"))
    # 56 days before the week's end, and a day after it.
    assert str(week.needed) == "2026-09-06T15:00Z/2026-11-02T15:00Z"
    week.tables.build(week.needed)
    before = list(week.tables.queries()["name"])
    for name, of_class in vars(TeamWeek).items():
        if not name.startswith("_") and not callable(of_class):
            getattr(week, name)
    after = list(week.tables.queries()["name"])[len(before) :]
    assert "minute_counts" in before
    assert "minute_counts" not in after
    assert len(after) > 10
