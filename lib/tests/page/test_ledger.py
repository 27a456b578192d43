"""A finding's life over weekly runs: answered, accepted until a day, fixed, and returning; on tables of a real log.

The log is made by hand: ten requests an hour, of which those to /search are slow in some weeks. Reports are made as
the runner makes them: the plan hands in what it finds of earlier weeks, and each report leaves its facts.
"""

import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from shokubai import config
from shokubai.core.windows import Week
from shokubai.page import weekly_team_report
from shokubai.runner import make_plan

PROJECT = Path(__file__).parents[3]
TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2027, 1, 4, tzinfo=TOKYO)
TEAM = {"teams/sales.yaml": "name: {en: Sales, ja: 販売}\nlanguage: en\nowns: [{service: shop}]\n"}
ID = "shop|GET /search|route_slower"
USUAL, SLOW, LESS_SLOW, VERY_SLOW = 0.2, 0.6, 0.35, 1.2
SLOW_FROM_44_TO_47 = {44: SLOW, 45: SLOW, 46: SLOW, 47: SLOW}


def log(p95_by_week):
    """Requests of 2026-W34 to W52. A tenth of those to /search take as long as its week says; the others 0.1 s."""
    hours = pd.date_range("2026-08-17", "2026-12-28", freq="h", tz="Asia/Tokyo", inclusive="left")
    weeks = hours.isocalendar().week.to_numpy()
    slow = pd.Series(weeks).map(lambda week: p95_by_week.get(week, USUAL)).to_numpy()
    parts = [
        pd.DataFrame(
            {
                "timestamp": (hours + pd.Timedelta(minutes=minute)).tz_convert("UTC").as_unit("us"),
                "service_name": "shop",
                "http_request_method": "GET",
                "http_route": "/search" if minute % 12 == 0 else "/items",
                "http_response_status_code": pd.array([200] * len(hours), dtype="Int64"),
                "duration_seconds": 0.1,
            }
        )
        for minute in range(0, 60, 6)
    ]
    # One of the five to /search in every second hour.
    parts[0]["duration_seconds"] = pd.Series(slow).where(hours.hour % 2 == 0, 0.1)
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def project(make_workspace):
    """A function that gives a project with that log, and ways to answer and to make weeks."""

    def make(p95_by_week):
        opened = make_workspace(TEAM, requests=log(p95_by_week))
        directory, outputs = opened.parameters.directory, opened.outputs

        def answer(text=""):
            file = directory / "replies" / "sales.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f'"{ID}": {{{text}}}\n' if text else "")

        def report(week):
            plan = make_plan(
                config.load(directory),
                "weekly",
                now=NOW,
                outputs=outputs,
                notebooks=PROJECT / "notebooks",
                week=Week(2026, week),
            )
            [job] = plan.jobs
            page = weekly_team_report(**job.values)
            facts = json.loads(json.dumps(page.record().facts))
            file = plan.folder / "sales" / "weekly_team_report.facts.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(facts))
            return page, facts

        def run(week):
            """Make a week, and tell how it finds /search: its state, weeks and first week, or None."""
            return told(report(week)[1])

        return SimpleNamespace(answer=answer, report=report, run=run)

    return make


def told(facts):
    found = [f for f in facts["findings"] if f["id"] == ID]
    return [(f["state"], f["weeks"], f["first_week"]) for f in found]


def the_finding(facts):
    [finding] = [f for f in facts["findings"] if f["id"] == ID]
    return finding


def without_provenance(facts):
    return {name: value for name, value in facts.items() if name != "provenance"}


def test_answered_accepted_until_a_day_better_fixed_and_back(project):
    made = project({**SLOW_FROM_44_TO_47, 48: LESS_SLOW, 51: SLOW})
    assert made.run(43) == []
    assert made.run(44) == [("new", 1, "2026-W44")]

    made.answer("owner: Sato, reply: the index comes on Thursday")
    _, second = made.report(45)
    assert told(second) == [("continuing", 2, "2026-W44")]
    assert the_finding(second)["reply"]["owner"] == "Sato"
    assert the_finding(second)["text"]["en"]["answer"] == "Sato: “the index comes on Thursday”"

    made.answer("owner: Sato, reply: only after the sale, accepted_until: 2026-11-15")  # the last day of W46
    page, third = made.report(46)
    assert told(third) == [("accepted", 3, "2026-W44")]
    assert the_finding(third)["text"]["en"]["answer"] == (
        "Sato: “only after the sale” Accepted until Sun 15 Nov 2026."
    )
    assert "Nothing crossed the rules this week." in shown(page)

    page, fourth = made.report(47)  # by itself: the answer is still the same
    assert told(fourth) == [("continuing", 4, "2026-W44")]
    assert the_finding(fourth)["text"]["en"]["answer"].endswith("It was accepted until Sun 15 Nov 2026.")
    assert "Nothing crossed the rules this week." not in shown(page)

    assert made.run(48) == [("improving", 5, "2026-W44")]

    _, sixth = made.report(49)
    assert told(sixth) == [("resolved", 5, "2026-W44")]
    assert (sixth["findings"][0]["id"], sixth["findings"][0]["severity"]) == (ID, "good")

    page, seventh = made.report(50)  # told once; the answer has nothing to answer any more
    assert told(seventh) == []
    assert [orphan["finding"] for orphan in seventh["orphaned_replies"]] == [ID]
    assert "replies/sales.yaml" in shown(page)

    # The same days of last month are slow ones, so the rule itself does not see it come back.
    _, eighth = made.report(51)
    assert told(eighth) == [("new", 1, "2026-W51")]
    back = the_finding(eighth)
    assert back["returned_after"] == "2026-W48"
    assert "it was there until 2026-W48" in back["text"]["en"]["label"]
    assert back["text"]["en"]["title"].startswith("GET /search (shop) is slow again")
    assert "2026-W48" in back["text"]["ja"]["label"]
    assert eighth["orphaned_replies"] == []


def shown(page):
    return "\n".join(exhibit.plain() for exhibit in page.verdict().exhibits)


def test_weeks_are_counted_by_the_calendar_when_some_are_skipped(project):
    made = project({**SLOW_FROM_44_TO_47, 48: SLOW})
    assert made.run(44) == [("new", 1, "2026-W44")]
    assert made.run(47) == [("continuing", 4, "2026-W44")]
    # Not made in W48, in which it was still there: what is known is that it was there up to W47.
    assert made.run(50) == [("resolved", 4, "2026-W44")]
    assert made.run(51) == []


def test_a_week_made_again_comes_out_as_it_did(project):
    made = project(SLOW_FROM_44_TO_47)
    answers = {
        44: "",
        45: "owner: Sato, reply: we look into it",
        46: "owner: Sato, reply: only after the sale, accepted_until: 2026-11-22",
        47: "owner: Sato, reply: only after the sale, accepted_until: 2026-11-22",
        48: "",
        49: "",
    }
    first = {}
    for week, text in answers.items():
        made.answer(text)
        first[week] = without_provenance(made.report(week)[1])
    assert [told(facts) for facts in first.values()] == [
        [("new", 1, "2026-W44")],
        [("continuing", 2, "2026-W44")],
        [("accepted", 3, "2026-W44")],
        [("accepted", 4, "2026-W44")],
        [("resolved", 4, "2026-W44")],
        [],
    ]
    # In any order: facts of later weeks are there, and are no memory.
    for week in (47, 44, 49, 46, 48, 45):
        made.answer(answers[week])
        assert without_provenance(made.report(week)[1]) == first[week], week


def test_an_acceptance_hides_nothing_that_became_much_worse(project):
    made = project({44: SLOW, 45: SLOW, 46: VERY_SLOW, 47: VERY_SLOW, 48: VERY_SLOW})
    made.run(44)
    made.answer("owner: Sato, reply: next quarter, accepted_until: 2026-12-31")
    assert made.run(45) == [("accepted", 2, "2026-W44")]
    page, facts = made.report(46)
    assert told(facts) == [("continuing", 3, "2026-W44")]
    assert the_finding(facts)["text"]["en"]["answer"].endswith("but has become much worse since then.")
    assert the_finding(facts)["severity"] == "warning"
    assert ID in [notice.identifier for notice in notices_of(page)]
    # It is told until the team answers anew.
    assert made.run(47) == [("continuing", 4, "2026-W44")]
    made.answer("owner: Sato, reply: still next quarter, accepted_until: 2026-12-31")
    assert made.run(48) == [("accepted", 5, "2026-W44")]


def notices_of(page):
    return [item for exhibit in page.verdict().exhibits for item in getattr(exhibit, "items", ())]


def test_what_was_accepted_resolved_and_is_back_is_news(project):
    made = project({44: SLOW, 45: SLOW, 46: USUAL, 48: SLOW, 49: SLOW})
    made.run(44)
    made.answer("owner: Sato, reply: next quarter, accepted_until: 2026-12-31")
    assert made.run(45) == [("accepted", 2, "2026-W44")]
    assert made.run(46) == [("resolved", 2, "2026-W44")]
    assert made.run(47) == []
    _, facts = made.report(48)
    assert told(facts) == [("new", 1, "2026-W48")]
    assert the_finding(facts)["acceptance"]["ended"] == "returned"
    assert "that it is back is news" in the_finding(facts)["text"]["en"]["answer"]
    assert made.run(49) == [("continuing", 2, "2026-W48")]


def test_what_was_handed_over_recovers_or_has_no_effect(project):
    made = project({44: SLOW, 45: SLOW, 46: SLOW, 47: SLOW, 48: LESS_SLOW})
    made.run(44)
    made.answer("owner: Sato, reply: handed to the platform team, handed_over: 2026-W44")
    checks = {week: the_finding(made.report(week)[1])["check"] for week in (45, 46, 47, 48, 49)}
    assert checks == {45: "", 46: "no_effect", 47: "no_effect", 48: "", 49: "recovered"}
    _, facts = made.report(49)
    assert the_finding(facts)["text"]["en"]["answer"] == (
        "Sato: “handed to the platform team” "
        "Handed over with the report of 2026-W44, and recovered in production after 2026-W48."
    )
