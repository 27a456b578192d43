"""Week and front pages: everything accounted for, what is missing first, made from what is on disk."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shokubai.config.model import Language, Organization, Source, Text
from shokubai.core.calendar import BusinessCalendar
from shokubai.site import render_failure_page, write_front_page, write_week_index


def organization(language: Language = "en") -> Organization:
    return Organization(
        name=Text("Aoba <Invoice>", "あおば請求書"),
        vision=Text("Be the catalyst", "触媒になる"),
        mission=Text("Build mechanisms", "仕組みをつくる"),
        zone=ZoneInfo("Asia/Tokyo"),
        language=language,
        calendar=BusinessCalendar("JP"),
        source=Source(Path("organization.yaml"), 1),
    )


def report(team: str | None, status: str, **more: Any) -> dict[str, Any]:
    notebook = "weekly_team_report" if team else "sre_overview"
    return {
        "notebook": notebook,
        "team": team,
        "title": {"en": "Weekly team report" if team else "SRE overview", "ja": "週次"},
        "language": "en",
        "status": status,
        "html": f"{team}/{notebook}.html" if team else f"{notebook}.html",
        "facts": None,
        "error": None,
        "seconds": 1.0,
        **more,
    }


def manifest(*reports: dict[str, Any], week: str = "2026-W44") -> dict[str, Any]:
    return {
        "run": "weekly",
        "week": week,
        "generated_at": "2026-11-02T00:04:00+09:00",
        "code_version": "0.1.0",
        "reports": list(reports),
    }


def told(title: str, severity: str = "warning", state: str = "new") -> dict[str, Any]:
    text = {"en": {"title": title}, "ja": {"title": f"{title}(日本語)"}}
    return {"severity": severity, "state": state, "text": text}


def write_facts(folder: Path, team: str, verdicts: list[str], *findings: dict[str, Any]) -> str:
    facts = {
        "team_display_name": {"en": team.title(), "ja": f"{team}チーム"},
        "slos": [{"verdict": v} for v in verdicts],
        "findings": list(findings),
    }
    name = f"{team}/weekly_team_report.facts.json"
    (folder / team).mkdir(parents=True)
    (folder / name).write_text(json.dumps(facts), encoding="utf-8")
    return name


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.partition("<body")[2]))


def test_a_week_lists_what_is_missing_then_teams_alphabetically_with_verdicts_and_the_main_finding(
    tmp_path: Path,
) -> None:
    facts = write_facts(
        tmp_path, "search", ["met", "missed", "missed", "not_enough_data"], told("p95 of <GET /x> rose")
    )
    path = write_week_index(
        tmp_path,
        manifest(report("search", "made", facts=facts), report("billing", "no_data"), report(None, "made")),
        organization(),
    )
    html = path.read_text(encoding="utf-8")
    assert path == tmp_path / "index.html"
    text = words(html)
    assert text.index("billing") < text.index("SRE overview") < text.index("Search")
    assert "Missed 2 Not enough data 1 Met 1" in text
    assert "p95 of &lt;GET /x&gt; rose" in html
    assert "Made 2 No data 1" in text
    assert (
        "No data Neither requests nor metrics arrived. This says nothing about how the services did. billing" in text
    )
    assert "Be the catalyst" in text and "Build mechanisms" in text
    assert "Aoba &lt;Invoice&gt;" in html
    assert "Mon 26 Oct – Sun 1 Nov 2026" in text
    assert "Made Mon 2 Nov 2026 00:04" in text
    assert 'href="search/weekly_team_report.html"' in html
    assert "<script" not in html


def test_a_page_without_verdicts_stands_with_its_teams_report(tmp_path: Path) -> None:
    facts = write_facts(tmp_path, "search", ["missed"], told("p95 rose"))
    (tmp_path / "search" / "pack.json").write_text(
        json.dumps({"headline": {"en": "2 to discuss, 20 min", "ja": "2件"}}), encoding="utf-8"
    )
    pack = report(
        "search", "made", notebook="meeting_pack", html="search/meeting_pack.html", facts="search/pack.json"
    )
    lone = report("billing", "made", notebook="meeting_pack", html="billing/meeting_pack.html")
    failed = report("mail", "failed", notebook="meeting_pack", error={"cell": 3, "message": "no report"})
    reports = manifest(report("search", "made", facts=facts), pack, lone, failed)
    html = write_week_index(tmp_path, reports, organization()).read_text("utf-8")
    teams = html.partition('id="teams"')[2].partition("</ul>")[0]
    assert re.findall(r'<li class="entry \w+"', teams) == ['<li class="entry made"'] * 2
    assert re.search(r'p95 rose <a class="also" href="search/meeting_pack.html"[^>]*>2 to discuss, 20 min</a>', teams)
    assert 'href="billing/meeting_pack.html"' in teams
    assert "Made 3 Failed 1" in words(html)


def test_good_news_does_not_stand_before_what_is_wrong(tmp_path: Path) -> None:
    news = told("The budget recovered", "good"), told("Sign-in failed for an hour", "critical")
    facts = write_facts(tmp_path, "search", ["missed"], *news)
    html = write_week_index(tmp_path, manifest(report("search", "made", facts=facts)), organization()).read_text(
        "utf-8"
    )
    assert "Sign-in failed for an hour" in html
    assert "The budget recovered" not in html


def test_a_week_without_findings_says_so(tmp_path: Path) -> None:
    (tmp_path / "search").mkdir()
    facts = {"status": "made", "slos": [{"verdict": "met"}], "findings": []}
    (tmp_path / "search" / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    reports = [report("search", "made", facts="search/facts.json"), report("billing", "no_data")]
    text = words(write_week_index(tmp_path, manifest(*reports), organization()).read_text("utf-8"))
    assert text.count("Nothing crossed the rules this week.") == 1


def test_the_organisations_language_is_spoken(tmp_path: Path) -> None:
    facts = write_facts(tmp_path, "search", ["met"], told("p95 rose"))
    html = write_week_index(tmp_path, manifest(report("search", "made", facts=facts)), organization("ja")).read_text(
        encoding="utf-8"
    )
    assert '<html lang="ja">' in html
    assert "searchチーム" in html and "p95 rose(日本語)" in html and "達成 1" in words(html)


def test_a_failed_report_is_named_with_its_reason_and_never_shows_old_facts(tmp_path: Path) -> None:
    facts = write_facts(tmp_path, "search", ["met"], told("old news"))
    error = {"cell": 7, "message": "QueryError: <b>no files</b>"}
    html = write_week_index(
        tmp_path,
        manifest(report("search", "failed", facts=facts, error=error), report("billing", "made")),
        organization(),
    ).read_text(encoding="utf-8")
    assert "1 of 2 reports could not be made" in html
    assert "QueryError: &lt;b&gt;no files&lt;/b&gt;" in html
    assert "old news" not in html


def test_failures_come_first_together_where_they_have_one_cause(tmp_path: Path) -> None:
    same = {"cell": 7, "message": "DataError: no files"}
    reports = [report(f"team-{n:02}", "failed", error=same) for n in range(3)]
    reports += [
        report("a", "failed", error={"cell": None, "message": "DataError: no files"}),
        report("b", "failed", error={"cell": 8, "message": "DataError: no files"}),
        report("c", "made"),
        report("d", "no_data"),
        report(None, "failed", error=same),
    ]
    text = words(write_week_index(tmp_path, manifest(*reports), organization()).read_text("utf-8"))
    assert "Made 1 No data 1 Failed 6" in text
    assert text.count("DataError: no files") == 3
    listed = "SRE overview team-00 team-01 team-02"
    assert f"4 reports, for one cause Cell 7 of the notebook failed. DataError: no files {listed}" in text
    assert text.index("6 of 8 reports could not be made") < text.index("Cell 8") < text.index("Neither requests")
    for name in ("team-00", "team-01", "team-02", "SRE overview"):
        assert text.count(name) == 1


def test_findings_are_counted_by_state_and_accepted_ones_are_not_the_main_one(tmp_path: Path) -> None:
    facts = write_facts(
        tmp_path,
        "search",
        ["met"],
        told("it is fast again", "good", "resolved"),
        told("memory grows", "notice", "continuing"),
        told("p95 rose", "critical", "accepted"),
    )
    other = write_facts(tmp_path, "billing", ["met"], told("p99 rose", "critical", "accepted"))
    reports = manifest(report("search", "made", facts=facts), report("billing", "made", facts=other))
    text = words(write_week_index(tmp_path, reports, organization()).read_text("utf-8"))
    assert "Findings of all teams: 1 resolved · 1 continuing · 2 accepted" in text
    assert "memory grows" in text
    assert "p95 rose" not in text and "p99 rose" not in text
    japanese = words(write_week_index(tmp_path, reports, organization("ja")).read_text("utf-8"))
    assert "全チームの検出事項: 解消 1 · 継続 1 · 受容中 2" in japanese


def test_an_older_report_beside_a_failure_is_of_its_own_week(tmp_path: Path) -> None:
    failed = report("a", "failed", error={"cell": 1, "message": "x"}, last_good="a/report.last_good.html")
    html = write_week_index(tmp_path, manifest(failed), organization()).read_text("utf-8")
    assert '<a href="a/report.last_good.html">older report of 2026-W44</a>' in html


@pytest.mark.parametrize(("count", "has_filter"), [(30, False), (31, True)])
def test_a_long_list_has_a_filter_and_no_other_script(tmp_path: Path, count: int, has_filter: bool) -> None:
    reports = [report(f"team-{n:04}", "made") for n in range(count)]
    html = write_week_index(tmp_path, manifest(*reports), organization()).read_text("utf-8")
    assert html.count("<script>") == html.count('id="filter"') == has_filter
    allowed = re.findall(r"script-src ([^;]*)", html.replace("&#39;", "'"))
    assert [said.startswith("'sha256-") for said in allowed] == [has_filter]
    assert has_filter or allowed == ["'none'"]
    assert html.count('<li class="entry made">') == count


def test_a_thousand_teams_are_a_small_page(tmp_path: Path) -> None:
    reports = []
    for n in range(1000):
        facts = write_facts(
            tmp_path, f"team-{n:04}", ["met", "missed", "not_enough_data"], told("p95 of GET /x rose")
        )
        reports.append(report(f"team-{n:04}", "made", facts=facts))
    page = write_week_index(tmp_path, manifest(*reports), organization())
    assert page.stat().st_size < 600_000


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "//example.com/x", "../../etc/passwd", "https://example.com"]
)
def test_links_lead_only_below_the_page(tmp_path: Path, href: str) -> None:
    html = write_week_index(tmp_path, manifest(report("a", "made", html=href)), organization()).read_text("utf-8")
    assert re.findall(r'<li class="entry made">.*?</li>', html, re.DOTALL)
    assert href not in html


def test_broken_facts_do_not_stop_the_index(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"slos": [', encoding="utf-8")
    (tmp_path / "b.json").write_text('{"slos": 3, "findings": {"x": 1}}', encoding="utf-8")
    html = write_week_index(
        tmp_path,
        manifest(report("a", "made", facts="a.json"), report("b", "made", facts="b.json")),
        organization(),
    ).read_text("utf-8")
    assert html.count('<li class="entry made">') == 2


def test_the_front_page_lists_the_weeks_on_disk_newest_first(tmp_path: Path) -> None:
    for week, reports in (
        ("2026-W43", [report("a", "made")]),
        ("2026-W44", [report("a", "failed"), report("b", "made")]),
    ):
        folder = tmp_path / "weekly" / week
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps(manifest(*reports, week=week)), encoding="utf-8")
        write_week_index(folder, manifest(*reports, week=week), organization())
    half_made = tmp_path / "weekly" / "2026-W45"
    half_made.mkdir()
    (half_made / "manifest.json").write_text("{", encoding="utf-8")
    (tmp_path / "demo" / "requests").mkdir(parents=True)

    html = write_front_page(tmp_path, organization()).read_text(encoding="utf-8")
    hrefs = re.findall(r'href="(weekly/[^"]*)"', html)
    assert hrefs == [f"weekly/2026-W{n}/index.html" for n in (44, 44, 43)]  # the latest stands at the top, too
    assert "2026-W45" not in html
    assert "Failed 1" in words(html)


def test_a_front_page_without_weeks_says_so(tmp_path: Path) -> None:
    html = write_front_page(tmp_path / "outputs", organization()).read_text(encoding="utf-8")
    assert "No report has been made yet." in html


def test_a_failure_page_says_why_in_the_readers_language() -> None:
    html = render_failure_page(title="検索", language="ja", message="DataError: <x>\x1b[0m", cell=7, detail="")
    assert "このレポートは作成できませんでした" in html
    assert "ノートブックの7番目のセルで失敗しました。" in html
    assert "DataError: &lt;x&gt;" in html and "\x1b" not in html
    assert 'href="../index.html"' in html
    assert "<a href=" not in render_failure_page(title="t", language="en", message="m", back="").partition("<main")[2]
