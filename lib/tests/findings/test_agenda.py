"""What a team agreed to talk about, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from shokubai.config.model import Agenda
from shokubai.findings.agenda import actions_of, minutes_each, topics_of
from shokubai.findings.rules import all_rules, rule_names

AGREED = Agenda()  # critical and warning, below a quarter of the budget, three weeks


def finding(name: str, severity: str = "notice", affected: float | None = 0.0, **more: Any) -> dict[str, Any]:
    rule = more.pop("rule", "route_slower")
    return {
        "id": f"shop|{name}|{rule}",
        "rule": rule,
        "severity": severity,
        "subject": name,
        "numbers": {"affected_count": affected},
        "text": {"en": {"title": f"{name} in English"}, "ja": {"title": f"{name} in Japanese"}},
        **more,
    }


def slo(name: str, left: float | None, bad: float = 5.0) -> dict[str, Any]:
    return {"service_name": "shop", "name": name, "bad_count": bad, "budget": {"left_ratio": left}}


def told(facts: dict[str, Any], agenda: Agenda = AGREED) -> list[tuple[str, str]]:
    return [(topic.id.removeprefix("shop|"), topic.reason) for topic in topics_of(facts, agenda)]


def test_what_crossed_the_rules_stands_in_order_of_user_impact() -> None:
    facts = {
        "findings": [
            finding("met again", "good", 900.0, state="resolved"),
            finding("few", "critical", 20.0),
            finding("limit near", "warning", 0.0),
            finding("gap", "critical", None),
            finding("many", "warning", 300.5),
            finding("as many", "critical", 300.5),
            finding("month end", "notice", 5000.0),
        ]
    }
    assert told(facts) == [
        ("as many|route_slower", "severity"),
        ("many|route_slower", "severity"),
        ("few|route_slower", "severity"),
        ("gap|route_slower", "severity"),
        ("limit near|route_slower", "severity"),
    ]


def test_rules_by_name_go_before_severity_and_never_before_all() -> None:
    facts = {
        "findings": [
            finding("a", "critical", 2.0, rule="outage"),
            finding("b", "notice", 1.0, rule="traffic"),
            finding("c", "critical", 3.0, rule="alert_noise", weeks=9),
        ]
    }
    agenda = Agenda(severities=("critical",), always=("traffic", "outage"), never=("alert_noise",))
    assert told(facts, agenda) == [("a|outage", "always"), ("b|traffic", "always")]


@pytest.mark.parametrize(
    ("weeks", "agreed", "is_topic"), [(2, 3, False), (3, 3, True), (4, 3, True), (9, None, False)]
)
def test_what_continues_is_a_topic_from_the_agreed_week_on(weeks: int, agreed: int | None, is_topic: bool) -> None:
    facts = {"findings": [finding("a", state="continuing", weeks=weeks)]}
    expected = [("a|route_slower", "continuing")] if is_topic else []
    assert told(facts, Agenda(continuing_weeks=agreed)) == expected
    improving = {"findings": [finding("a", state="improving", weeks=weeks)]}
    assert told(improving, Agenda(continuing_weeks=agreed)) == []


def test_what_is_accepted_or_resolved_is_no_topic() -> None:
    facts = {
        "findings": [
            finding("a", "critical", state="accepted", weeks=5),
            finding("b", "critical", state="resolved", weeks=5),
        ]
    }
    assert told(facts, Agenda(always=("route_slower",))) == []


def test_a_low_budget_is_a_topic_of_its_own_only_without_another_about_it() -> None:
    facts = {
        "findings": [
            finding("spent", "critical", 70.0, rule="budget"),
            finding("eased", "notice", 40.0, rule="budget"),
            finding("agreed", "critical", 60.0, rule="budget", state="accepted"),
        ],
        "slos": [
            slo("spent", -0.5, 70.0),
            slo("eased", 0.1, 40.0),
            slo("agreed", -0.1, 60.0),
            slo("quiet", 0.2499, 12.0),
            slo("enough", 0.25, 30.0),
            slo("unknown", None),
        ],
    }
    assert told(facts) == [("spent|budget", "severity"), ("eased|budget", "budget"), ("quiet|budget", "budget")]
    assert told(facts, Agenda(budget_left_below_ratio=None)) == [("spent|budget", "severity")]
    assert told(facts, Agenda(never=("budget",))) == []


def test_good_news_about_a_budget_does_not_hide_that_it_is_low() -> None:
    facts = {
        "findings": [finding("a", "good", 1.0, rule="budget", state="resolved")],
        "slos": [slo("a", 0.2)],
    }
    assert told(facts) == [("a|budget", "budget")]


@pytest.mark.parametrize(
    ("count", "minutes", "has_review", "expected"),
    [
        (0, 30, True, ()),
        (1, 30, False, (10,)),  # what needs more is a meeting of its own
        (3, 30, False, (10, 10, 10)),
        (4, 30, False, (7, 7, 7, 7)),
        (4, 30, True, (6, 6, 6, 6)),
        (9, 30, True, (5, 5, 5, 5, 5)),  # no more on a page
        (9, 15, True, (3, 3, 3)),  # no less than three minutes each
        (2, 10, True, (5,)),
    ],
)
def test_the_whole_is_never_longer_than_agreed(
    count: int, minutes: int, has_review: bool, expected: tuple[int, ...]
) -> None:
    each = minutes_each(count, minutes=minutes, has_review=has_review, room=5)
    assert each == expected
    assert sum(each) + 5 * has_review <= minutes


def test_last_weeks_actions_have_their_state_and_resolved_ones_come_first() -> None:
    answer = {"owner": "Sato", "reply": "index on Thursday"}
    raised = [
        {"id": "shop|a|route_slower", "title": {"en": "A then", "ja": "A then"}},
        {"id": "shop|b@then|outage", "title": {"en": "B then", "ja": "B then"}},
        {"id": "shop|c|route_slower", "title": {"en": "C then", "ja": "C then"}},
        {"id": "shop|low|budget", "reason": "budget", "title": {"en": "Low then", "ja": "Low then"}},
        {"id": "shop|told|budget", "reason": "severity", "title": {"en": "Told then", "ja": "Told then"}},
        {"id": "shop|up|budget", "reason": "budget", "title": {"en": "Up then", "ja": "Up then"}},
    ]
    facts = {
        "findings": [
            finding("met again", "good", rule="recovered"),
            finding("c", "good", state="resolved"),
            finding("a", "warning", state="improving", weeks=2, reply=answer),
            finding("new", "critical", state="new", weeks=1, reply=answer),
            finding("old", "warning", state="accepted", weeks=4, reply=answer),
            finding("unanswered", "warning", state="continuing", weeks=2, reply=None),
            finding("handed over", "warning", state="continuing", reply=answer, check="recovered"),
        ],
        "slos": [slo("low", 0.1), slo("up", 0.9), slo("told", 0.9)],
    }
    actions = actions_of(facts, raised, topics_of(facts, AGREED))
    assert [(action.id.split("|")[1], action.state) for action in actions] == [
        ("c", "resolved"),
        ("up", "resolved"),
        ("met again", "resolved"),
        ("handed over", "continuing"),
        ("a", "improving"),
        ("b@then", "gone"),
        ("low", "continuing"),
        ("told", "gone"),  # whether what a finding said is over is for the finding to say
        ("old", "accepted"),
    ]
    by_id = {action.id.split("|")[1]: action for action in actions}
    assert (by_id["a"].title["en"], by_id["a"].reply, by_id["a"].weeks) == ("a in English", answer, 2)
    assert by_id["b@then"].title["en"] == "B then"
    assert by_id["handed over"].is_resolved


def test_without_last_weeks_agenda_only_what_lives_on_is_an_action() -> None:
    assert actions_of({"findings": [finding("a", "critical")]}, [], ()) == ()
    assert actions_of({}, [], ()) == ()


def test_a_rules_file_has_the_rules_name() -> None:
    assert rule_names() == tuple(rule.name for rule in all_rules())
