"""The overview across teams reads what the teams' reports stated."""

import json
import re

import pytest

from shokubai.page import sre_overview

WEEK = "2026-W44"


@pytest.fixture
def outputs(demo_outputs, demo_facts, parameters, tmp_path):
    """Reports of the week for all teams but one, whose report could not be made."""
    (tmp_path / "demo").symlink_to(demo_outputs / "demo")
    for team in parameters.teams:
        folder = tmp_path / "weekly" / WEEK / team
        folder.mkdir(parents=True)
        if team != "billing":
            (folder / "weekly_team_report.facts.json").write_text(json.dumps(demo_facts(team, WEEK)))
            (folder / "weekly_team_report.html").touch()
    return tmp_path


@pytest.fixture
def page(outputs, parameters):
    return sre_overview(week=WEEK, parameters_dir=str(parameters.directory), outputs_dir=str(outputs))


def html(section):
    """The section without the marks of terms that are explained."""
    shown = "".join(exhibit._repr_mimebundle_()[0].get("text/html", "") for exhibit in section.exhibits)
    return re.sub("</?abbr[^>]*>", "", shown)


def test_teams_stand_in_alphabetical_order(page, parameters):
    facts = page.record().facts
    assert [team["team"] for team in facts["teams"]] == sorted(parameters.teams)
    shown = html(page.teams())
    names = [parameters.team(name).display_name.ja for name in sorted(parameters.teams)]
    places = [shown.index(name) for name in names]
    assert places == sorted(places)


def test_verdicts_are_those_of_the_reports(page, demo_facts):
    for team in page.record().facts["teams"]:
        verdicts = [slo["verdict"] for slo in demo_facts(team["team"], WEEK)["slos"]]
        for verdict in ("met", "missed", "not_enough_data"):
            assert team[f"{verdict}_count"] == verdicts.count(verdict), team


def test_only_reports_that_are_there_are_linked(page):
    shown = html(page.teams())
    assert shown.count('href="../') >= 11
    assert "../search/weekly_team_report.html" in shown
    assert "../billing/" not in shown


def test_what_needs_attention_names_the_team_and_nothing_ordinary(page, demo_facts, parameters):
    shown = html(page.attention())
    urgent = 0
    for team in parameters.teams:
        for finding in demo_facts(team, WEEK)["findings"]:
            is_urgent = finding["severity"] in ("critical", "warning")
            urgent += is_urgent
            if finding["rule"] == "traffic":
                assert finding["text"]["ja"]["title"] not in shown
    assert shown.count("<li") >= urgent > 8
    for team in ("approval", "archive", "identity", "search"):
        assert parameters.team(team).contact in shown


def test_what_needs_attention_stands_team_by_team_the_most_urgent_first(page, parameters):
    shown = html(page.attention())
    names = {team.display_name.ja: team.name for team in parameters.teams.values()}
    found = re.findall(r'<li class="notice (\w+) \w+"><p class="label">([^·<]+?) ·', shown)
    order = [(names[name], level != "critical") for level, name in found]
    assert len({team for team, _ in order}) >= 5
    assert order == sorted(order)


def test_what_a_team_has_accepted_is_counted_and_not_told(outputs, parameters, demo_facts):
    file = outputs / "weekly" / WEEK / "search" / "weekly_team_report.facts.json"
    facts = json.loads(file.read_text())
    [slower] = [finding for finding in facts["findings"] if finding["rule"] == "route_slower"]
    before = sre_overview(week=WEEK, parameters_dir=str(parameters.directory), outputs_dir=str(outputs))
    assert slower["text"]["ja"]["title"] in html(before.attention())
    slower["state"] = "accepted"
    file.write_text(json.dumps(facts))
    page = sre_overview(week=WEEK, parameters_dir=str(parameters.directory), outputs_dir=str(outputs))
    assert slower["text"]["ja"]["title"] not in html(page.attention())
    assert "受容中 1" in html(page.attention())
    [search] = [team for team in page.record().facts["teams"] if team["team"] == "search"]
    assert slower["id"] not in search["findings"]
    assert search["findings_by_state"]["accepted"] == 1


def test_the_teams_answer_is_shown_across_teams(page, demo_facts):
    assert "関連度順の並べ替えに使うインデックス" in html(page.attention())


def test_requests_to_sre_and_the_header_are_shown(page):
    assert html(page.requests_to_sre())
    header = html(page.header())
    assert "あおば請求書" in header
    assert "チーム横断" in header
