"""When something began, and which deployment is near."""

import numpy as np
import pandas as pd
import pytest

from shokubai.findings.onset import hourly, nearest_deployment, rising_stretch, stretch_times


def test_the_stretch_of_a_step_is_found_exactly():
    totals = [100] * 48
    events = [5] * 20 + [60] * 28
    assert rising_stretch(events, totals, baseline_ratio=0.05) == (20, 47)


def test_a_stretch_that_ends_is_found_with_its_end():
    assert rising_stretch([1] * 10 + [40] * 5 + [1] * 10, [100] * 25, baseline_ratio=0.01) == (10, 14)


def test_quiet_hours_do_not_break_a_stretch():
    events = [5] * 10 + [50] * 5 + [0] * 6 + [50] * 5
    totals = [100] * 15 + [0] * 6 + [100] * 5
    assert rising_stretch(events, totals, baseline_ratio=0.05) == (10, 25)


def test_a_single_odd_hour_before_the_step_does_not_move_the_onset():
    events = [5] * 4 + [12] + [5] * 15 + [50] * 28
    assert rising_stretch(events, [100] * 48, baseline_ratio=0.05) == (20, 47)


def test_hours_too_quiet_to_contradict_belong_to_the_stretch():
    # Two requests an hour at night say nothing against a failure that was there all the time.
    totals = [2] * 6 + [500] * 12 + [2] * 6
    assert rising_stretch([0] * 6 + [25] * 12 + [0] * 6, totals, baseline_ratio=0.01) == (0, 23)
    busy = [500] * 24
    assert rising_stretch([5] * 6 + [25] * 12 + [5] * 6, busy, baseline_ratio=0.01) == (6, 17)


@pytest.mark.parametrize("events", [[5] * 24, [0] * 24, [2] * 24])
def test_nothing_rose(events):
    assert rising_stretch(events, [100] * 24, baseline_ratio=0.05) is None


def test_no_requests_at_all():
    assert rising_stretch([0, 0], [0, 0], baseline_ratio=0.05) is None


def test_a_baseline_without_events_needs_more_than_one_event_in_many_requests():
    found = rising_stretch([0] * 10 + [30] * 4 + [0] * 10, [1000] * 24, baseline_ratio=0.0)
    assert found == (10, 13)


def test_the_step_is_found_within_one_hour_at_every_position_in_noise():
    rng = np.random.default_rng(3)
    totals = rng.poisson(80, 168)
    for onset in range(5, 160, 7):
        ratio = np.where(np.arange(168) >= onset, 0.35, 0.05)
        found = rising_stretch(rng.binomial(totals, ratio), totals, baseline_ratio=0.05)
        assert found is not None
        assert abs(found[0] - onset) <= 1


def test_hours_without_rows_are_zero_and_open_ends_are_none(build):
    frame = build.route_hours(build.start, [0, 3, 0, 4])
    table = hourly(frame, ["request_count"], start=build.start, end=build.at("10-26 06:00"))
    assert list(table["request_count"]) == [0, 3, 0, 4, 0, 0]
    assert stretch_times(table, (1, 3)) == (None, None)
    assert stretch_times(table, (2, 2)) == (build.at("10-26 02:00"), build.at("10-26 03:00"))


def test_the_nearest_deployment_within_reach_is_the_candidate(build):
    deployments = build.deployments(build.at("10-27 09:00"), build.at("10-27 13:40"), build.at("10-27 15:30"))
    found = nearest_deployment(build.evidence(deployments=deployments), build.service, build.at("10-27 14:00"))
    assert found is not None
    assert (found.kind, found.at, found.identifier) == ("deployment", build.at("10-27 13:40"), "v2")


@pytest.mark.parametrize("moment", ["10-27 07:59", "10-27 15:01"])
def test_a_deployment_out_of_reach_is_no_candidate(build, moment):
    evidence = build.evidence(deployments=build.deployments(build.at(moment)))
    assert nearest_deployment(evidence, build.service, build.at("10-27 14:00")) is None


def test_a_deployment_of_another_service_is_no_candidate(build):
    evidence = build.evidence(deployments=build.deployments(build.at("10-27 13:40"), service="auth"))
    assert nearest_deployment(evidence, build.service, build.at("10-27 14:00")) is None
    assert nearest_deployment(evidence, "auth", None) is None


def test_a_deployment_just_after_the_start_of_the_onset_hour_counts(build):
    evidence = build.evidence(deployments=build.deployments(build.at("10-27 14:20")))
    found = nearest_deployment(evidence, build.service, build.at("10-27 14:00"))
    assert found is not None and pd.Timestamp(found.at) == pd.Timestamp(build.at("10-27 14:20"))
