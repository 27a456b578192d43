"""What a team's week knows of its data: how complete it is, and what comes after it."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from shokubai.workspace import comparison
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
    assert "request_groups" in before
    assert "request_groups" not in after
    assert {"service_minutes", "route_counts", "route_hours", "latency_hours", "metric_hours"} <= set(after)


OBJECTIVE = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: mail
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: shokubai, spec: {{requests: successful}}}}}}
        total: {{metricSource: {{type: shokubai, spec: {{requests: all}}}}}}
  timeWindow: [{{duration: {duration}, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.99}}]
"""


@pytest.fixture
def week_of_shop_and_mail(make_workspace, shop, steady_log):
    """A week of a team that owns two services and has objectives over the given days for ``mail``."""

    def make(mail, *days):
        logs = [steady_log(minutes("2026-06-20T00:00Z", "2026-11-01T15:00Z"))]
        if len(mail):
            logs.append(steady_log(mail).assign(service_name="mail"))
        files = {"teams/both.yaml": "name: {en: Both}\nlanguage: en\nowns: [{service: shop}, {service: mail}]\n"}
        for n in days:
            files[f"slos/mail-{n}.yaml"] = OBJECTIVE.format(name=f"mail-{n}", duration=f"{n}d")
        return make_workspace({**shop, **files}, requests=pd.concat(logs)).team_week("both", "2026-W44")

    return make


@pytest.mark.parametrize("last_seen", ["2026-08-30T00:00Z", "2026-06-20T00:00Z"])
def test_a_service_that_vanished_or_was_renamed_is_not_judged(week_of_shop_and_mail, last_seen):
    week = week_of_shop_and_mail(minutes("2026-06-20T00:00Z", last_seen), 28)
    (silence,) = week.silences.to_dict("records")
    assert (silence["service_name"], silence["kind"]) == ("mail", "unexplained")
    assert (silence["started_at"], silence["ended_at"]) == (
        pd.Timestamp(END) - pd.Timedelta(days=28),
        pd.Timestamp(END),
    )
    (status,) = week.statuses
    assert (status.verdict, status.reason, status.completeness_ratio) == ("not_enough_data", "incomplete", 0.0)
    assert week.has_data
    told = {(finding.service, finding.rule, finding.case) for finding in week.findings}
    assert ("mail", "data_gap", "never_seen") in told
    assert comparison.hourly_traffic(week).set_index("service_name").loc["mail", "request_count"].isna().all()


def test_silences_are_looked_for_in_all_of_the_longest_window(week_of_shop_and_mail):
    # Seen until 63 days and 15 hours before the week's end, of 90 days.
    week = week_of_shop_and_mail(minutes("2026-06-20T00:00Z", "2026-08-30T00:00Z"), 28, 90)
    (silence,) = week.silences.to_dict("records")
    assert (silence["service_name"], silence["kind"]) == ("mail", "late")
    assert silence["started_at"] == pd.Timestamp("2026-08-30T00:00Z")
    month, quarter = sorted(week.statuses, key=lambda status: status.window.duration)
    assert (month.reason, month.completeness_ratio) == ("incomplete", 0.0)
    assert (quarter.verdict, quarter.reason) == ("not_enough_data", "incomplete")
    assert quarter.completeness_ratio == pytest.approx(1 - (63 + 15 / 24) / 90)
    # A gap of September counts in the quarter alone.
    gap = minutes("2026-06-20T00:00Z", "2026-09-01T00:00Z").append(minutes("2026-09-19T00:00Z", "2026-11-01T15:00Z"))
    month, quarter = sorted(week_of_shop_and_mail(gap, 28, 90).statuses, key=lambda status: status.window.duration)
    assert (month.verdict, month.completeness_ratio) == ("met", 1.0)
    assert (quarter.verdict, quarter.reason) == ("not_enough_data", "incomplete")
    assert quarter.completeness_ratio == pytest.approx(1 - 18 / 90)


def test_a_young_service_is_no_gap_but_says_since_when_it_is_known(week_of_shop_and_mail):
    week = week_of_shop_and_mail(minutes("2026-10-29T00:00Z", "2026-11-01T15:00Z"), 28)
    assert len(week.silences) == 0
    (status,) = week.statuses
    assert (status.verdict, status.completeness_ratio) == ("met", 1.0)
    assert status.data_since == datetime(2026, 10, 29, tzinfo=UTC)
