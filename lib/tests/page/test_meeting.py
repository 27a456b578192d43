"""The meeting pack: made from facts that are written by hand here, as a run leaves them."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from shokubai.core.errors import ReportError
from shokubai.display.exhibit import AgendaList, Bullets, Callout, Prose
from shokubai.page import meeting_pack, sre_overview

WEEK = "2026-W44"
TEAM = "name: {{en: {0}, ja: {1}}}\nlanguage: {2}\ncontact: '#team-{0}'\nowns: [{{service: shop}}]\n"
TEXTS = {
    "teams/core.yaml": TEAM.format("Core", "基盤", "en")
    + "agenda_when: {severities: [critical]}\nagenda_minutes: 20\n",
    "teams/mail.yaml": TEAM.format("Mail", "通知", "ja"),
    "runs/weekly.yaml": "team_notebooks: [weekly_team_report, meeting_pack]\nwarehouse: main\n",
    "replies/core.yaml": '"shop|GET /over|route_failing": {owner: Kato, reply: it was the migration}\n',
}


def finding(name: str, severity: str = "critical", affected: float = 10.0, **more: Any) -> dict[str, Any]:
    told = {"label": f"{severity} · new", "body": "", "action": f"Look at {name}.", "when": "Tue 27 Oct"}
    return {
        "id": f"shop|GET /{name}|route_failing",
        "rule": "route_failing",
        "case": "failing_more",
        "service": "shop",
        "method": "GET",
        "route": f"/{name}",
        "severity": severity,
        "state": "new",
        "numbers": {
            "affected_count": affected,
            "errors_count": 40.0,
            "requests_count": 4000.0,
            "extra_errors_count": affected,
            "error_ratio": 0.01,
            "reference_error_ratio": 0.001,
            "difference_low_ratio": 0.006,
            "difference_high_ratio": 0.012,
        },
        "text": {"en": {**told, "title": f"{name} fails"}, "ja": {**told, "title": f"{name} の失敗"}},
        **more,
    }


def answered(owner: str, reply: str, until: str | None = None) -> dict[str, Any]:
    return {"owner": owner, "reply": reply, "accepted_until": until, "handed_over": None}


SLO = {
    "service_name": "shop",
    "name": "shop-availability",
    "display_name": "Shopping",
    "verdict": "met",
    "valid_count": 100_000,
    "bad_count": 88.0,
    "sli_ratio": 0.99912,
    "interval": {"low": 0.9989, "high": 0.9993, "confidence": 0.95},
    "objective": 0.999,
    "budget": {"left_ratio": 0.12},
}


@pytest.fixture
def opened(make_workspace):
    requests = pd.DataFrame({"timestamp": pd.date_range("2026-10-25T15:00Z", "2026-11-01T15:00Z", freq="h")}).assign(
        service_name="shop", http_request_method="GET", http_route="/", http_response_status_code=200
    )
    return make_workspace(TEXTS, requests=requests)


@pytest.fixture
def state(opened):
    """Writes what a team's report stated."""

    def write(team, *findings, slos=(), status="made"):
        folder = opened.outputs / "weekly" / WEEK / team
        folder.mkdir(parents=True, exist_ok=True)
        facts = {
            "schema": "shokubai/weekly_team_report/v1",
            "status": status,
            "data_complete_through": "2026-11-01T15:00:00Z",
            "findings": list(findings),
            "slos": list(slos),
        }
        (folder / "weekly_team_report.facts.json").write_text(json.dumps(facts))
        (folder / "weekly_team_report.html").touch()

    return write


@pytest.fixture
def pack(opened):
    def read(team="core", **more):
        return meeting_pack(
            team=team,
            week=WEEK,
            parameters_dir=str(opened.parameters.directory),
            outputs_dir=str(opened.outputs),
            **more,
        )

    return read


SECTIONS = ("header", "last_week", "agenda", "report")


def exhibits(page):
    return [exhibit for name in SECTIONS for exhibit in getattr(page, name)().exhibits]


def words(page):
    return "\n".join(exhibit._repr_mimebundle_()[0]["text/plain"] for exhibit in exhibits(page))


def agenda(page):
    (found,) = [exhibit for exhibit in exhibits(page) if isinstance(exhibit, AgendaList)]
    return found


def test_each_topic_has_its_minutes_and_one_line_each(state, pack):
    answer = answered("Sato", "index on Thursday", until="2026-11-30")
    state(
        "core", finding("few", affected=5.0), finding("many", affected=700.0, reply=answer), finding("x", "warning")
    )
    page = pack()
    first, second = agenda(page).items
    assert (first.label, first.title, first.when) == ("10 min · critical · new", "many fails", "Tue 27 Oct")
    assert first.lines == (
        ("How sure:", "The rise is 0.6 to 1.2 percentage points (95% interval)."),
        ("Next step:", "Look at many."),
        ("Owner and reply:", "Sato: index on Thursday (accepted until Mon 30 Nov)"),
    )
    assert second.title == "few fails"
    assert second.lines[2] == ("Owner and reply:", "no answer yet")
    assert "20 of 20 min" in words(page)
    assert "findings marked Urgent, less than 25% of a budget left, continuing for 3 weeks or longer." in words(page)


def test_a_low_budget_is_told_with_its_interval(state, pack):
    state("core", slos=[SLO])
    (item,) = agenda(pack()).items
    assert (item.label, item.title) == (
        "10 min · less than 25% of a budget left",
        "12% of the error budget of Shopping is left",
    )
    assert item.lines[0] == (
        "How sure:",
        "88 of 100,000 were bad; 99.912% were good (95% interval 99.89%–99.93%), objective 99.9%.",
    )
    state("mail", slos=[{**SLO, "budget": {"left_ratio": -0.5}}])
    (item,) = agenda(pack("mail")).items
    assert item.title == "「Shopping」のエラーバジェットを50%超過しています"


def test_what_does_not_fit_is_counted(state, pack):
    state("core", *[finding(f"r{n}", affected=100.0 - n) for n in range(8)])
    page = pack()
    assert [item.title for item in agenda(page).items] == [f"r{n} fails" for n in range(5)]
    assert "3 more crossed the agreed rules" in words(page)
    assert [topic["minutes"] for topic in page.record().facts["agenda"]] == [4, 4, 4, 4, 4, 0, 0, 0]


def test_with_nothing_to_discuss_the_page_ends(state, pack):
    state("core", finding("x", "notice"))
    page = pack()
    masthead, callout, link = exhibits(page)
    assert isinstance(callout, Callout)
    assert callout.plain() == "Nothing to discuss this week."
    assert link.blocks[0].href == "weekly_team_report.html"
    assert "min" not in masthead.plain()
    assert page.record().facts["headline"] == {
        "en": "Nothing to discuss this week.",
        "ja": "今週、話し合うことはありません。",
    }


def previous(tmp_path, *raised):
    agenda = [
        {"id": f"shop|GET /{name}|route_failing", "minutes": minutes, "title": {"en": f"{name} then", "ja": name}}
        for name, minutes in raised
    ]
    file = tmp_path / "meeting_pack.facts.json"
    file.write_text(json.dumps({"schema": "shokubai/meeting_pack/v1", "agenda": agenda}))
    return str(file)


def lists(page):
    return [
        list(block.items)
        for exhibit in exhibits(page)
        if isinstance(exhibit, Prose)
        for block in exhibit.blocks
        if isinstance(block, Bullets)
    ]


def test_what_was_resolved_is_celebrated_first_then_comes_the_rest_of_last_week(state, pack, tmp_path):
    answer = answered("Sato", "index on Thursday")
    state(
        "core",
        finding("fixed", "good", state="resolved"),
        finding("better", "notice", state="improving", weeks=3, reply=answer),
        finding("worse", state="continuing", weeks=2),
    )
    raised = previous(tmp_path, ("better", 10), ("over", 5), ("worse", 5), ("fixed", 5), ("left out", 0))
    page = pack(previous_facts=raised)
    assert lists(page) == [
        ["fixed fails"],
        [
            "Improving (week 3): better fails (Sato: index on Thursday)",
            "Over, or not seen this week: over then (Kato: it was the migration)",
        ],
    ]
    said = words(page)
    assert said.index("Resolved, well done") < said.index("Last week's actions") < said.index("To discuss")
    # What is a topic again says so itself. Five minutes of the twenty are for the rest of last week's.
    (item,) = agenda(page).items
    assert (item.label, item.title) == ("10 min · critical · new · raised last week too", "worse fails")
    assert page.total_minutes == 15


def test_what_was_resolved_is_said_even_when_nothing_is_to_be_discussed(state, pack, tmp_path):
    state("core", finding("fixed", "good", state="resolved"))
    page = pack(previous_facts=previous(tmp_path, ("fixed", 10)))
    assert lists(page) == [["fixed fails"]]
    assert page.agenda().exhibits[0].plain() == "Nothing to discuss this week."


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "shokubai/meeting_pack/v0", "agenda": 3}'])
def test_facts_of_another_kind_count_as_none(state, pack, tmp_path, content):
    state("core", finding("x"))
    file = tmp_path / "meeting_pack.facts.json"
    file.write_text(content)
    assert pack(previous_facts=str(file)).actions == ()


def test_without_data_nothing_is_said_of_the_week(state, pack):
    state("core", status="no_data")
    page = pack()
    assert "There is no data for this week." in words(page)
    assert "Nothing to discuss" not in words(page)
    assert page.record().facts["status"] == "no_data"


def test_there_is_no_pack_of_a_report_that_failed(state, pack, opened):
    state("core", finding("x"))
    line = {"notebook": "weekly_team_report", "team": "core", "status": "failed", "error": {"message": "no memory"}}
    (opened.outputs / "weekly" / WEEK / "journal.jsonl").write_text(json.dumps(line))
    with pytest.raises(ReportError, match=r"weekly report of core in 2026-W44, and there is none: .*no memory"):
        pack().header()


def test_without_a_report_its_facts_are_computed(pack):
    page = pack()
    assert page.has_data
    assert page.report().exhibits == ()


def test_the_reading_list_of_all_teams_goes_by_impact_and_says_with_whom(state, opened):
    state("core", finding("a", affected=5.0), finding("b", affected=50.0), finding("c", "warning", affected=900.0))
    state("mail", finding("d", "warning", affected=20.0, reply=answered("Ito", "今週直します")))
    page = sre_overview(week=WEEK, parameters_dir=str(opened.parameters.directory), outputs_dir=str(opened.outputs))
    (table,) = [exhibit for exhibit in page.reading_list().exhibits if hasattr(exhibit, "rows")]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["b fails", "50", "Core", "#team-Core", "no answer yet"],
        ["d fails", "20", "Mail", "#team-Mail", "Ito: 今週直します"],
        ["a fails", "5", "Core", "#team-Core", "no answer yet"],
    ]
    assert {row[2].href for row in table.rows} == {
        "../core/weekly_team_report.html",
        "../mail/weekly_team_report.html",
    }
    assert page.record().facts["reading_list"][0] == {"team": "core", "id": "shop|GET /b|route_failing"}
