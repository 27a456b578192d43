from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shokubai.core.windows import DAY, HOUR, MINUTE, Window
from shokubai.sli import MinuteSeries
from shokubai.slo import find_episodes, judge
from shokubai.slo.model import EPISODES
from shokubai.tables.contracts import SLI_MINUTES

END = datetime(2026, 11, 1, 15, tzinfo=UTC)
MINUTES = 28 * 1440
NOON = END - 4 * DAY - 12 * HOUR  # a Wednesday's noon in Tokyo


def service(*failing: tuple[datetime, int, float], rate: int = 100, background: int = 0) -> MinuteSeries:
    """Four weeks of ``rate`` requests a minute; in (start, minutes, ratio) that share of them fails.

    ``background`` is how many minutes lie between single failures at all other times; 0 means none.
    """
    valid = np.full(MINUTES, rate, dtype=np.int64)
    bad = np.zeros(MINUTES, dtype=np.int64)
    if background:
        bad[::background] = 1
    for start, minutes, ratio in failing:
        first = (start - (END - 28 * DAY)) // MINUTE
        bad[first : first + minutes] = round(rate * ratio)
    return MinuteSeries(END - 28 * DAY, valid, valid - bad)


def spans(episodes) -> list[tuple[datetime, datetime]]:
    return list(zip(episodes["started_at"], episodes["ended_at"], strict=True))


def test_a_total_outage_of_25_minutes_is_one_episode(make_slo) -> None:
    # At 99.9 %, 4,032,000 requests allow 4,032 failures; the outage has 2,500.
    episodes = find_episodes(make_slo(), service((NOON, 25, 1.0)))
    EPISODES.conform(episodes)
    assert spans(episodes) == [(NOON, NOON + 25 * MINUTE)]
    assert episodes[["valid_count", "bad_count"]].to_numpy().tolist() == [[2500, 2500]]
    assert episodes["budget_spent_ratio"].tolist() == pytest.approx([2500 / 4032], abs=1e-12)


def test_ordinary_failures_around_it_do_not_stretch_it(make_slo) -> None:
    # One failure each seven minutes is 1.4 times the budget, and no reason to page anybody.
    quiet = service(background=7)
    assert len(find_episodes(make_slo(), quiet)) == 0
    ((started, ended),) = spans(find_episodes(make_slo(), service((NOON, 25, 1.0), background=7)))
    assert abs(started - NOON) <= timedelta(minutes=2)
    assert abs(ended - NOON - 25 * MINUTE) <= timedelta(minutes=2)


def test_a_partial_outage_begins_before_its_alarm(make_slo) -> None:
    # 5 % for 40 minutes: the hour's burn passes 13.44 after 16 minutes, but it began at noon.
    assert spans(find_episodes(make_slo(), service((NOON, 40, 0.05)))) == [(NOON, NOON + 40 * MINUTE)]
    # For 16 minutes (80 failures of 6,000, a burn of 13.33) it is not enough; for 17 it is.
    assert len(find_episodes(make_slo(), service((NOON, 16, 0.05)))) == 0
    assert len(find_episodes(make_slo(), service((NOON, 17, 0.05)))) == 1


def test_a_short_failure_is_paged_for_when_six_hours_burned_fast(make_slo) -> None:
    # 180 failures in the morning, at a burn of 10, and 60 at noon: over the hour that is a burn of 10 again, but
    # over six hours 240 of 36,000, 6.7, and over half an hour 20. Both are above 5.6, the second page's threshold.
    slow = (NOON - 5 * HOUR, 180, 0.01)
    short = (NOON, 3, 0.2)
    (episode,) = spans(find_episodes(make_slo(), service(slow, short)))
    assert episode == (NOON, NOON + 3 * MINUTE)
    # Without that morning nobody is paged.
    assert len(find_episodes(make_slo(), service(short))) == 0


def test_a_burn_exactly_at_the_threshold_is_not_above_it(make_slo) -> None:
    # 1.344 % of 1,000 a minute would be 13.44; an hour of 60,000 allows 806.4 failures before the alarm.
    at_30_days = make_slo(duration="30d")  # threshold 14.4: 864 of 60,000
    exactly = service((NOON, 54, 0.016), rate=1000)  # 54 × 16 = 864
    assert len(find_episodes(at_30_days, exactly)) == 0
    assert len(find_episodes(at_30_days, service((NOON, 55, 0.016), rate=1000))) == 1


def test_outages_less_than_a_quarter_of_an_hour_apart_are_one(make_slo) -> None:
    later = NOON + 10 * MINUTE
    near = find_episodes(make_slo(), service((NOON, 10, 1.0), (later + 14 * MINUTE, 10, 1.0)))
    assert spans(near) == [(NOON, later + 24 * MINUTE)]
    assert near["bad_count"].tolist() == [2000]
    assert near["valid_count"].tolist() == [3400]
    apart = find_episodes(make_slo(), service((NOON, 10, 1.0), (later + 15 * MINUTE, 10, 1.0)))
    assert spans(apart) == [(NOON, later), (later + 15 * MINUTE, later + 25 * MINUTE)]


def test_a_failure_that_costs_next_to_nothing_is_no_episode(make_slo) -> None:
    # Thirty requests before dawn, ten fail: 333 times the budget's pace, and ten of 4,032 failures allowed.
    series = service()
    dawn = MINUTES - 10 * 60
    series.valid[dawn - 60 : dawn + 60] = 0
    series.valid[dawn], series.good[dawn - 60 : dawn + 60] = 30, 0
    series.good[dawn] = 20
    assert len(find_episodes(make_slo(), series)) == 0
    assert len(find_episodes(make_slo(), series, minimum_budget_ratio=0.0)) == 1
    # A service whose budget is 40 failures loses 12 % of it with five; one alone is no episode, whatever its share.
    few = service((NOON, 5, 1.0), rate=1)
    assert find_episodes(make_slo(), few)["budget_spent_ratio"].tolist() == pytest.approx([5 / 40.32], abs=1e-12)
    assert len(find_episodes(make_slo(), service((NOON, 4, 1.0), rate=1))) == 0


def test_an_outage_that_goes_on_at_the_end(make_slo) -> None:
    assert spans(find_episodes(make_slo(), service((END - 10 * MINUTE, 10, 1.0)))) == [(END - 10 * MINUTE, END)]


def test_an_objective_that_cannot_burn_that_fast_has_no_episodes(make_slo) -> None:
    # At 90 % a total outage burns at 10, below 13.44.
    assert len(find_episodes(make_slo(0.9), service((NOON, 300, 1.0)))) == 0


def test_without_traffic_there_are_no_episodes(make_slo) -> None:
    assert len(find_episodes(make_slo(), service(rate=0))) == 0


def test_slices_are_paged_for_too(make_slo) -> None:
    slo = make_slo(0.99, budgeting="Timeslices", slice_target=0.95, slice_window="5m")
    # 12:02 to 12:27: six slices hold failures; those of 12:00 (3 of 5 minutes) and 12:25 (2 of 5) as well.
    episodes = find_episodes(slo, service((NOON + 2 * MINUTE, 25, 1.0)))
    assert spans(episodes) == [(NOON, NOON + 30 * MINUTE)]
    assert episodes[["valid_count", "bad_count"]].to_numpy().tolist() == [[3000, 2500]]
    # Six of the 80.64 bad slices that 8,064 allow.
    assert episodes["budget_spent_ratio"].tolist() == pytest.approx([6 / 80.64], abs=1e-12)


def test_slices_longer_than_the_lookback_stand_for_it(make_slo) -> None:
    slo = make_slo(0.99, budgeting="RatioTimeslices", slice_window="10m")
    assert spans(find_episodes(slo, service((NOON, 30, 1.0)))) == [(NOON, NOON + 30 * MINUTE)]


def test_the_share_is_of_the_budget_that_the_status_shows(make_slo) -> None:
    series = service((NOON, 25, 0.8), background=50)
    rows = SLI_MINUTES.empty().reindex(range(MINUTES))
    rows = rows.assign(
        minute=[series.start + n * MINUTE for n in range(MINUTES)], valid_count=series.valid, good_count=series.good
    )
    status = judge(make_slo(), rows, at=END)
    episodes = find_episodes(make_slo(), series, at=END)
    assert episodes["budget_spent_ratio"].tolist() == pytest.approx(
        [float(episodes["bad_count"].iloc[0]) / status.budget_allowed_count], abs=1e-12
    )
    assert status.window == Window(END - 28 * DAY, END)


def month(make_slo):
    anchor = datetime(2026, 1, 1)  # noqa: DTZ001 - OpenSLO's startTime is a wall-clock time
    return make_slo(duration="1M", calendar=(anchor, "Asia/Tokyo"))


def test_an_outage_of_last_month_is_charged_to_last_months_budget(make_slo) -> None:
    # October 5 to November 1, 24:00 in Tokyo. The outage of October 28 spent 2,500 of what the 27 days of October
    # that the series holds allow, 3,888; November's first day alone would allow 144.
    ((share,),) = find_episodes(month(make_slo), service((NOON, 25, 1.0)))[["budget_spent_ratio"]].to_numpy()
    assert share == pytest.approx(2500 / 3888, abs=1e-12)


def test_an_outage_at_the_beginning_of_a_month_is_charged_to_the_whole_months_budget(make_slo) -> None:
    # November's first day had 144,000 requests; its 30 days will have 4,320,000 and allow 4,320 failures.
    first_of_november = END - 12 * HOUR
    episodes = find_episodes(month(make_slo), service((first_of_november, 25, 1.0)))
    assert spans(episodes) == [(first_of_november, first_of_november + 25 * MINUTE)]
    assert episodes["budget_spent_ratio"].tolist() == pytest.approx([2500 / 4320], abs=1e-12)


def test_each_of_two_months_has_its_own_budget(make_slo) -> None:
    both = service((NOON, 25, 1.0), (END - 12 * HOUR, 25, 1.0))
    shares = find_episodes(month(make_slo), both)["budget_spent_ratio"].tolist()
    assert shares == pytest.approx([2500 / 3888, 2500 / 4320], abs=1e-12)


def test_only_what_is_judged_makes_the_budget(make_slo) -> None:
    # A window of a week in a series of four: 1,008,000 requests allow 1,008 failures.
    episodes = find_episodes(make_slo(duration="7d"), service((NOON, 5, 1.0)))
    assert episodes["budget_spent_ratio"].tolist() == pytest.approx([500 / 1008], abs=1e-12)
