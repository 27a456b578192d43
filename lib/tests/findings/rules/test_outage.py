"""Outages and what they cost."""

import pytest

from shokubai.findings.rules.outage import RULE


def findings(build, *rows, **more):
    evidence = build.evidence(statuses=(build.status(),), episodes={"availability": build.episodes(*rows)}, **more)
    return [o.finding for o in RULE.observe(evidence)]


def test_an_outage_that_spent_a_third_of_the_budget_is_due_a_postmortem(build):
    start, end = build.at("10-28 10:05"), build.at("10-28 10:30")
    [found] = findings(build, (start, end, 2000, 400, 0.33), deployments=build.deployments(build.at("10-28 09:58")))
    assert (found.case, found.severity) == ("postmortem_due", "critical")
    assert (found.started_at, found.ended_at) == (start, end)
    assert found.numbers["bad_count"] == 400
    assert found.numbers["bad_ratio"] == 0.2
    assert found.numbers["duration_seconds"] == 25 * 60
    assert found.numbers["declared_count"] == 0
    assert found.numbers["detected_after_seconds"] is None
    assert found.candidate is not None and found.candidate.at == build.at("10-28 09:58")


@pytest.mark.parametrize(("share", "case"), [(0.2, "spent"), (0.2001, "postmortem_due"), (0.05, "spent")])
def test_the_threshold_is_more_than_twenty_percent(build, share, case):
    [found] = findings(build, (build.at("10-28 10:00"), build.at("10-28 11:00"), 500, 100, share))
    assert found.case == case


def test_two_outages_of_one_objective_are_two_findings_with_ids_of_their_own(build):
    found = findings(
        build,
        (build.at("10-27 10:00"), build.at("10-27 10:20"), 500, 100, 0.1),
        (build.at("10-29 10:00"), build.at("10-29 10:20"), 500, 100, 0.1),
    )
    assert len({f.id for f in found}) == 2


def test_outages_of_other_weeks_and_small_ones_are_left_out(build):
    assert (
        findings(
            build,
            (build.at("10-25 22:00"), build.at("10-26 00:00"), 500, 100, 0.3),
            (build.at("11-02 00:00"), build.at("11-02 01:00"), 500, 100, 0.3),
            (build.at("10-28 10:00"), build.at("10-28 11:00"), 500, 100, 0.049),
            (build.at("10-28 12:00"), build.at("10-28 13:00"), 20, 9, 0.5),
        )
        == []
    )


def test_an_outage_over_sunday_midnight_belongs_to_the_week_it_reaches_into(build):
    assert len(findings(build, (build.at("10-25 23:30"), build.at("10-26 00:10"), 500, 100, 0.3))) == 1


def test_a_declared_incident_says_how_late_it_was_noticed(build):
    row = (build.at("10-28 10:05"), build.at("10-28 10:30"), 2000, 400, 0.33)
    incident = build.incidents(build.at("10-28 10:05"), build.at("10-28 10:12"), build.at("10-28 10:31"))
    [found] = findings(build, row, incidents=incident)
    assert (found.numbers["declared_count"], found.numbers["detected_after_seconds"]) == (1, 7 * 60)
    other = build.incidents(build.at("10-28 12:05"), build.at("10-28 12:12"), build.at("10-28 12:31"))
    [found] = findings(build, row, incidents=other)
    assert found.numbers["declared_count"] == 0


def test_one_outage_that_several_objectives_saw_is_told_once_by_the_one_that_counted_most(build):
    start, end = build.at("10-28 10:05"), build.at("10-28 10:30")
    statuses = tuple(build.status(name=name) for name in ("all-routes", "one-route", "other"))
    evidence = build.evidence(
        statuses=(*statuses, build.status(name="latency", kind="latency")),
        episodes={
            "all-routes": build.episodes((start, end, 2000, 400, 0.3)),
            "one-route": build.episodes((start, end, 500, 150, 0.9)),
            "other": build.episodes((build.at("10-28 12:00"), build.at("10-28 12:20"), 500, 150, 0.3)),
            "latency": build.episodes((start, end, 500, 150, 0.3)),
        },
    )
    found = [o.finding for o in RULE.observe(evidence)]
    assert [f.subject.partition("@")[0] for f in found] == ["all-routes", "latency", "other"]


def test_a_failure_that_comes_and_goes_is_told_as_one(build):
    small = [(build.at(f"10-{day} 10:00"), build.at(f"10-{day} 11:00"), 1000, 10, 0.1) for day in (26, 27, 28)]
    large = (build.at("10-29 10:00"), build.at("10-29 11:00"), 1000, 500, 0.8)
    found = {f.case: f for f in findings(build, *small, large)}
    assert set(found) == {"postmortem_due", "repeated"}
    repeated = found["repeated"]
    assert (repeated.started_at, repeated.ended_at) == (build.at("10-26 10:00"), build.at("10-28 11:00"))
    assert repeated.numbers["stretch_count"] == 3
    assert (repeated.numbers["bad_count"], repeated.numbers["bad_ratio"]) == (30, 0.01)
    assert repeated.numbers["budget_spent_ratio"] == pytest.approx(0.3)
    assert repeated.numbers["duration_seconds"] == 3 * 3600


def test_two_small_outages_are_still_told_one_by_one(build):
    small = [(build.at(f"10-{day} 10:00"), build.at(f"10-{day} 11:00"), 1000, 10, 0.1) for day in (26, 27)]
    assert [f.case for f in findings(build, *small)] == ["spent", "spent"]
