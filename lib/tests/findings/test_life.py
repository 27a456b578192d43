"""How states are decided, on small evidence made by hand. Whole lives are in ``page/test_ledger.py``."""

from dataclasses import replace
from datetime import date

import pytest

from shokubai.config.model import Reply
from shokubai.core.windows import Week
from shokubai.findings import count_states, find, finding_facts, foremost, keep_ledger, keep_without_data
from shokubai.findings.observation import Measure
from shokubai.findings.rules import all_rules

AVAILABILITY = "invoice-api|availability|budget"


def budget(build, week, *, spent=1.3, pace=2.0, verdict="missed", **evidence):
    """A week of 2026 with an SLO whose budget is spent, if not told otherwise, and burned at a pace of late."""
    status = build.status(budget_left_ratio=1 - spent, bad_count=1300.0, verdict=verdict)
    status = replace(status, forecast=replace(status.forecast, pace_burn_rate=pace))
    return replace(build.evidence(statuses=(status,), **evidence), week=Week(2026, week))


def facts_of(findings):
    return [finding_facts(finding) for finding in findings]


def states(weeks, previous=()):
    """(state, weeks) of the only finding in each of the weeks, each given the facts of the one before."""
    lived = []
    for evidence in weeks:
        [found] = find(evidence, previous=previous)
        lived.append((found.state, found.weeks))
        previous = facts_of([found])
    return lived


def test_a_third_less_than_in_the_report_before_is_improving(build):
    shares = (3.0, 2.1, 2.0, 1.34, 1.34)  # 0.7, 0.95, 0.67 and 1 times the one before
    assert states(budget(build, 44 + n, spent=spent) for n, spent in enumerate(shares)) == [
        ("new", 1),
        ("continuing", 2),
        ("continuing", 3),
        ("improving", 4),
        ("continuing", 5),
    ]


def test_a_spent_budget_that_is_hardly_burned_any_more_is_improving(build):
    assert states(budget(build, 44 + n, pace=pace) for n, pace in enumerate((0.5, 0.5, None))) == [
        ("new", 1),
        ("improving", 2),
        ("continuing", 3),
    ]


def test_a_budget_on_its_way_to_be_spent_is_not_improving_whatever_the_pace_of_the_last_days(build):
    weeks = []
    for n, (spent, pace) in enumerate([(0.25, 1.7), (0.7, 0.9)]):
        evidence = budget(build, 44 + n, spent=spent, pace=pace, verdict="met")
        [status] = evidence.statuses
        forecast = replace(status.forecast, outcome="exhausts", exhausted_at=build.at("11-05 00:00"))
        weeks.append(replace(evidence, statuses=(replace(status, forecast=forecast),)))
    assert states(weeks) == [("new", 1), ("continuing", 2)]


def test_what_became_more_severe_is_not_improving(build):
    first = budget(build, 44, pace=1.5, spent=0.6, verdict="met")
    assert states([first, budget(build, 45, pace=0.5)]) == [("new", 1), ("continuing", 2)]


def test_the_measure_of_a_route_is_what_lies_above_the_earlier_reference():
    measure = Measure("p95_seconds", above="reference_p95_seconds")
    before = {"p95_seconds": 0.6, "reference_p95_seconds": 0.2}
    assert measure.factor(before, {"p95_seconds": 0.3, "reference_p95_seconds": 0.6}) == pytest.approx(0.25)
    assert measure.factor(before, {"p95_seconds": None}) is None
    assert measure.factor({"p95_seconds": 0.2, "reference_p95_seconds": 0.2}, {"p95_seconds": 0.3}) is None


def latency(build, week, now, comparable=0.1, last_month=0.1):
    """A week in which a tenth of the requests took ``now`` seconds, and as much before as the others say."""

    def histogram(seconds):
        return build.route_latency({0.1: 900, seconds: 100} if seconds != 0.1 else {0.1: 1000})

    frames = {
        "route_latency": histogram(now),
        "comparable_route_latency": histogram(comparable),
        "last_month_route_latency": histogram(last_month),
    }
    return replace(build.evidence(**frames), week=Week(2026, week))


def test_what_became_slower_twice_is_healed_when_it_is_back_at_its_first_reference(build):
    first = find(latency(build, 44, 0.5))
    # Against weeks that are slow already the rule sees it become slower again, with those as its reference.
    second = find(latency(build, 45, 2.0, comparable=0.5, last_month=0.5), previous=facts_of(first))
    assert [(f.case, f.state) for f in second] == [("slower", "continuing")]
    third = find(latency(build, 46, 0.5, comparable=2.0, last_month=0.5), previous=facts_of(second))
    assert [(f.case, f.state) for f in third] == [("still_slower", "improving")]
    fourth = find(latency(build, 47, 0.1, comparable=0.5, last_month=0.5), previous=facts_of(third))
    assert [(f.case, f.state, f.weeks) for f in fourth] == [("resolved", "resolved", 3)]


def test_what_was_resolved_is_back_only_when_it_is_nearly_as_bad_as_it_was(build):
    first = find(latency(build, 44, 0.5))
    resolved = find(latency(build, 45, 0.1, comparable=0.5, last_month=0.5), previous=facts_of(first))
    ledger = keep_ledger(latency(build, 46, 0.3, comparable=0.5, last_month=0.5), previous=facts_of(resolved))
    assert (ledger.findings, [f.id for f in ledger.remembered]) == ((), [first[0].id])
    [back] = find(latency(build, 47, 0.5, comparable=0.5, last_month=0.5), previous=facts_of(ledger.remembered))
    assert (back.state, back.weeks, back.first_week, back.returned_after) == (
        "new",
        1,
        Week(2026, 47),
        Week(2026, 44),
    )


def test_what_the_data_cannot_tell_of_is_remembered_as_open(build):
    first = find(latency(build, 44, 0.5))
    blind = replace(build.evidence(), week=Week(2026, 45))
    ledger = keep_ledger(blind, previous=facts_of(first))
    assert ledger.findings == ()
    assert [(f.id, f.state) for f in ledger.remembered] == [(first[0].id, "new")]
    # A week without any data at all forgets nothing either.
    empty = keep_without_data(Week(2026, 46), previous=facts_of(ledger.remembered))
    [third] = find(latency(build, 47, 0.5, comparable=0.5), previous=facts_of(empty.remembered))
    assert (third.state, third.weeks, third.first_week) == ("continuing", 4, Week(2026, 44))


def test_what_was_last_seen_more_than_a_quarter_ago_begins_anew(build):
    first = find(budget(build, 30))
    [late] = find(budget(build, 43), previous=facts_of(first))
    assert (late.state, late.weeks) == ("continuing", 14)
    [anew] = find(budget(build, 44), previous=facts_of(first))
    assert (anew.state, anew.weeks) == ("new", 1)


def test_facts_without_a_first_week_are_taken_for_last_weeks(build):
    [facts] = facts_of(find(budget(build, 44)))
    older = {
        name: value for name, value in facts.items() if name in ("rule", "case", "service", "severity", "subject")
    }
    [found] = find(budget(build, 45), previous=[older | {"state": "continuing", "weeks": 2}])
    assert (found.state, found.weeks, found.first_week) == ("continuing", 3, Week(2026, 43))


def replies(until, words="not now"):
    return {AVAILABILITY: Reply(AVAILABILITY, "Sato", words, accepted_until=until)}


@pytest.mark.parametrize(
    ("until", "state"),
    [(date(2026, 11, 7), "continuing"), (date(2026, 11, 8), "accepted"), (date(2026, 11, 9), "accepted")],
)
def test_a_day_counts_for_weeks_that_end_on_it_or_before(build, until, state):
    """2026-W45 ends on Sunday 8 November."""
    first = find(budget(build, 44))
    [found] = find(budget(build, 45, replies=replies(until)), previous=facts_of(first))
    assert (found.state, found.weeks) == (state, 2)


def test_an_acceptance_ends_when_the_severity_rises(build):
    slow_burn = budget(build, 44, pace=1.5, spent=0.6, verdict="met", replies=replies(date(2026, 12, 31)))
    assert states([slow_burn, budget(build, 45, pace=1.5, replies=replies(date(2026, 12, 31)))]) == [
        ("accepted", 1),
        ("continuing", 2),
    ]


def test_an_acceptance_is_about_the_report_by_which_it_was_given(build):
    """A creeping rise ends it, too: each week a fifth more is half as much again in the third."""
    first = find(budget(build, 44, spent=2.0))
    crept = [
        budget(build, 45 + n, spent=spent, replies=replies(date(2026, 12, 31)))
        for n, spent in enumerate((2.4, 2.9, 3.5))
    ]
    assert states(crept, facts_of(first)) == [("accepted", 2), ("accepted", 3), ("continuing", 4)]


def test_the_order_is_resolved_good_news_attention_accepted(build):
    resolved = facts_of(find(latency(build, 44, 0.5)))
    statuses = (
        build.status(budget_left_ratio=-0.3, bad_count=1300.0, verdict="missed"),
        build.status(name="latency", kind="latency"),
    )
    evidence = replace(
        latency(build, 45, 0.1, comparable=0.5, last_month=0.5),
        statuses=statuses,
        previous_verdicts={"latency": "missed"},
        replies=replies(date(2026, 12, 31)),
        silences=build.silences((build.at("10-26 13:30"), build.at("10-26 16:00"), 900.0, "late")),
    )
    evidence = replace(evidence, week=Week(2026, 44))
    found = find(evidence, previous=[fact | {"first_week": "2026-W43"} for fact in resolved])
    assert [(f.rule, f.state) for f in found] == [
        ("route_slower", "resolved"),
        ("recovered", "new"),
        ("data_gap", "new"),
        ("budget", "accepted"),
    ]
    assert [f.needs_attention for f in found] == [False, False, True, False]
    facts = facts_of(found)
    assert foremost(facts)["rule"] == "data_gap"
    assert foremost(facts[3:]) is None
    assert count_states(facts) == {"new": 1, "continuing": 0, "improving": 0, "resolved": 1, "accepted": 1}


def test_answers_without_a_finding_are_handed_back(build):
    other = Reply("invoice-api|GET /gone|route_slower", "Sato", "done")
    evidence = budget(build, 44, replies={**replies(None), other.finding: other})
    ledger = keep_ledger(evidence)
    assert [f.reply.owner for f in ledger.findings] == ["Sato"]
    assert ledger.orphaned == (other,)


def test_facts_hold_answers_without_personal_data_and_know_them_again(build):
    told = replies(date(2026, 12, 31), words="ask taro@example.com")
    first = find(budget(build, 44, spent=2.0, replies=told))
    assert finding_facts(first[0])["reply"]["reply"] == "ask [email]"
    [second] = find(budget(build, 45, spent=2.8, replies=told), previous=facts_of(first))
    [third] = find(budget(build, 46, spent=3.1, replies=told), previous=facts_of([second]))
    # 3.1 is half as much again as what was accepted; of an answer taken for a new one it would be 1.1 times.
    assert [second.state, third.state] == ["accepted", "continuing"]


def test_every_rule_that_lasts_has_a_measure():
    assert {rule.name for rule in all_rules() if rule.follow_up and not rule.measure} == set()
