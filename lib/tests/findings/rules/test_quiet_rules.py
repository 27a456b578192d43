"""Rules that state facts: old messages, gaps in the data, needless pages, objectives met again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shokubai.config.model import Ownership
from shokubai.findings.rules import alert_noise, data_gap, queue_age, recovered

AGE = "queue.oldest_message.age"


def findings(rule, evidence):
    return [o.finding for o in rule.RULE.observe(evidence) if o.finding]


# --- queue_age ------------------------------------------------------------------------------------------------


def ages(build, values, *, limit=300.0, unit="s"):
    return build.evidence(metric_hours=build.metric_hours(build.start, values, name=AGE, limit=limit, unit=unit))


def test_messages_older_than_agreed_are_told_with_peak_and_time(build):
    [found] = findings(queue_age, ages(build, [20.0] * 80 + [400.0, 1500.0, 900.0] + [20.0] * 85))
    assert (found.case, found.severity, found.subject) == ("above_limit", "warning", AGE)
    assert (found.started_at, found.ended_at) == (build.at("10-29 08:00"), build.at("10-29 11:00"))
    assert found.numbers["peak_seconds"] == 1500
    assert found.numbers["limit_seconds"] == 300
    assert found.numbers["above_seconds"] == 3 * 3600
    assert found.numbers["over_limit_factor"] == 5


def test_the_unit_of_the_metric_is_kept_in_mind(build):
    [found] = findings(queue_age, ages(build, [400_000.0, 500_000.0], limit=300_000.0, unit="ms"))
    assert (found.numbers["peak_seconds"], found.numbers["limit_seconds"]) == (500, 300)


@pytest.mark.parametrize(
    ("values", "limit"),
    [([20.0] * 168, 300.0), ([20.0] * 100 + [900.0], 300.0), ([900.0] * 168, None), ([300.0] * 168, 300.0)],
)
def test_no_old_messages(build, values, limit):
    assert findings(queue_age, ages(build, values, limit=limit)) == []


def test_old_messages_of_an_earlier_week_are_not_this_weeks(build):
    hours = build.metric_hours(build.before, [900.0] * 100, name=AGE, limit=300.0)
    assert findings(queue_age, build.evidence(metric_hours=hours)) == []


def test_a_queue_is_resolved_only_when_it_was_measured(build):
    [past] = findings(queue_age, ages(build, [900.0] * 10))
    healed = queue_age.RULE.follow_up(ages(build, [20.0] * 168), past)
    assert (healed.case, healed.severity, healed.numbers["peak_seconds"]) == ("resolved", "good", 20)
    assert queue_age.RULE.follow_up(build.evidence(), past) is None


# --- data_gap -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("late", "notice"), ("telemetry_gap", "warning"), ("zero_traffic", "notice"), ("unexplained", "notice")],
)
def test_every_kind_of_silence_is_told(build, kind, severity):
    silences = build.silences((build.at("10-26 13:30"), build.at("10-26 16:00"), 900.0, kind))
    [found] = findings(data_gap, build.evidence(silences=silences))
    assert (found.case, found.severity) == (kind, severity)
    assert (found.started_at, found.ended_at) == (build.at("10-26 13:30"), build.at("10-26 16:00"))
    assert (found.numbers["expected_count"], found.numbers["duration_seconds"]) == (900, 9000)


def test_data_that_is_a_day_late_is_the_end_of_the_log(build):
    end = build.at("11-02 00:00")
    hours_before = build.at("11-01 00:01"), build.at("11-01 00:00")
    cases = []
    for start in hours_before:
        [found] = findings(data_gap, build.evidence(silences=build.silences((start, end, 900.0, "late"))))
        cases.append((found.case, found.subject))
    assert cases == [("late", "late"), ("log_ends", "late")]


def test_a_service_that_the_log_does_not_know_may_have_another_name(build):
    unseen = build.silences((build.at("10-05 00:00"), build.at("11-02 00:00"), float("nan"), "unexplained"))
    [found] = findings(data_gap, build.evidence(silences=unseen))
    assert (found.case, found.severity, found.subject) == ("never_seen", "warning", "unexplained")
    assert found.numbers["expected_count"] is None
    assert found.numbers["longest_seconds"] == 28 * 86_400


def test_several_silences_of_a_kind_are_one_finding_about_the_longest(build):
    silences = build.silences(
        (build.at("10-26 13:00"), build.at("10-26 14:00"), 100.0, "telemetry_gap"),
        (build.at("10-28 10:00"), build.at("10-28 13:00"), 300.0, "telemetry_gap"),
    )
    [found] = findings(data_gap, build.evidence(silences=silences))
    assert found.started_at == build.at("10-28 10:00")
    assert (found.numbers["stretch_count"], found.numbers["other_stretch_count"]) == (2, 1)
    assert (found.numbers["longest_seconds"], found.numbers["duration_seconds"]) == (3 * 3600, 4 * 3600)


def test_short_expected_and_past_silences_are_left_out(build):
    silences = build.silences(
        (build.at("10-26 13:00"), build.at("10-26 13:59"), 500.0, "telemetry_gap"),
        (build.at("10-27 02:00"), build.at("10-27 05:00"), 10.0, "zero_traffic"),
        (build.at("10-20 02:00"), build.at("10-20 05:00"), 900.0, "telemetry_gap"),
    )
    assert findings(data_gap, build.evidence(silences=silences)) == []


# --- alert_noise ----------------------------------------------------------------------------------------------


def paged(build, *fired, **more):
    frames = {
        "statuses": (build.status(),),
        "alerts": build.alerts(*fired),
        "route_hours": build.route_hours(build.start, [1000] * 168),
    }
    return build.evidence(**(frames | more))


def test_pages_without_any_budget_spent_are_noise(build):
    evidence = paged(build, build.at("10-27 03:00"), build.at("10-28 03:00"))
    [found] = findings(alert_noise, evidence)
    assert (found.case, found.severity, found.subject) == ("no_budget_spent", "notice", "HighCpu")
    assert (found.numbers["fired_count"], found.numbers["noisy_count"]) == (2, 2)


def test_pages_during_an_episode_an_incident_a_gap_or_errors_are_no_noise(build):
    moments = build.at("10-27 03:00"), build.at("10-28 03:00")
    both = [(m - timedelta(minutes=5), m + timedelta(minutes=20)) for m in moments]
    episodes = {"availability": build.episodes(*((s, e, 100, 50, 0.001) for s, e in both))}
    assert findings(alert_noise, paged(build, *moments, episodes=episodes)) == []
    gaps = build.silences(*((s, e, 10.0, "telemetry_gap") for s, e in both))
    assert findings(alert_noise, paged(build, *moments, silences=gaps)) == []
    incident = build.incidents(moments[0], moments[0], moments[1])
    assert findings(alert_noise, paged(build, *moments, incidents=incident)) == []
    failing = build.route_hours(build.start, [1000] * 168, [2] * 168)
    assert findings(alert_noise, paged(build, *moments, route_hours=failing)) == []


def test_once_tickets_and_services_without_objectives_are_not_judged(build):
    moments = build.at("10-27 03:00"), build.at("10-28 03:00")
    assert findings(alert_noise, paged(build, moments[0])) == []
    assert findings(alert_noise, paged(build, alerts=build.alerts(*moments, severity="ticket"))) == []
    assert findings(alert_noise, paged(build, *moments, statuses=())) == []


def test_an_alert_that_is_mostly_right_is_kept_as_it_is(build):
    right = [build.at(f"10-28 {hour:02d}:00") for hour in (6, 9, 12)]
    episodes = {"availability": build.episodes((build.at("10-28 05:00"), build.at("10-28 13:00"), 100, 50, 0.1))}
    wrong = build.at("10-26 03:00"), build.at("10-27 03:00")
    assert findings(alert_noise, paged(build, *wrong, *right, episodes=episodes)) == []


def test_an_alert_of_a_shared_service_may_be_about_another_teams_routes(build):
    noisy = paged(build, build.at("10-27 03:00"), build.at("10-28 03:00"))
    [past] = findings(alert_noise, noisy)
    shared = replace(noisy, team=replace(noisy.team, owns=(Ownership(build.service, ("/v1/inv*",)),)))
    assert findings(alert_noise, shared) == []
    assert alert_noise.RULE.follow_up(shared, past) is None
    both = replace(noisy.team, owns=(Ownership(build.service, ("/v1/inv*",)), Ownership(build.service)))
    assert len(findings(alert_noise, replace(noisy, team=both))) == 1


# --- recovered ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "count"),
    [("missed", "met", 1), ("met", "met", 0), ("missed", "not_enough_data", 0), ("not_enough_data", "met", 0)],
)
def test_only_missed_last_week_and_met_now_is_a_recovery(build, before, now, count):
    evidence = build.evidence(statuses=(build.status(verdict=now),), previous_verdicts={"availability": before})
    found = findings(recovered, evidence)
    assert [(f.case, f.severity) for f in found] == [("met_again", "good")] * count


def test_without_last_weeks_facts_nothing_has_recovered(build):
    assert findings(recovered, build.evidence(statuses=(build.status(),))) == []
