"""The reports of a whole run, as readers open them: from file://, without a network, on any screen, on paper."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.notebooks]

PROJECT = Path(__file__).resolve().parents[3]
TEAMS = sorted(file.stem for file in (PROJECT / "parameters" / "teams").glob("*.yaml"))
WEEK = "weekly/2026-W44"
REPORTS = [f"{WEEK}/{team}/weekly_team_report.html" for team in TEAMS]
PACKS = [f"{WEEK}/{team}/meeting_pack.html" for team in TEAMS]
OVERVIEW = f"{WEEK}/organization/sre_overview.html"
INDEXES = [f"{WEEK}/index.html", "index.html"]
PAGES = [*REPORTS, *PACKS, OVERVIEW, *INDEXES]
MOST_BYTES = 1_500_000  # 0.53 million of them are plotly's
PLOTLY = 'id="plotly"'

E_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """A page without a network, and everything that went wrong in it."""
    context = browser.new_context(offline=True, **{"viewport": {"width": 1400, "height": 1000}, **options})
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or wrong.append(request.url))
    try:
        page.goto(path.as_uri())
        yield page, wrong
    finally:
        context.close()


def scroll_through(page: Any) -> None:
    """As a hurried reader does; then wait for the charts."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for y in range(0, height, 600):
        page.evaluate("y => scrollTo(0, y)", y)
        page.wait_for_timeout(40)
    page.wait_for_function("[...document.querySelectorAll('.plot')].every(p => p.dataset.drawn)", timeout=30_000)


def sizes(page: Any) -> list[list[float]]:
    found: list[list[float]] = page.evaluate(
        """() => [...document.querySelectorAll(".plot")].map(plot => {
            const svg = plot.querySelector(".main-svg").getBoundingClientRect();
            return [svg.width, svg.height, plot.scrollWidth - plot.clientWidth];
        })"""
    )
    return found


@pytest.fixture(scope="module")
def published(weekly_outputs: Path) -> list[Path]:
    """Every file that the run made for readers and programs."""
    files = [*(weekly_outputs / "weekly").rglob("*"), weekly_outputs / "index.html"]
    return [file for file in files if file.is_file() and file.name != ".lock"]


def test_the_run_made_what_this_file_looks_at(weekly_outputs: Path, published: list[Path]) -> None:
    assert len(TEAMS) == 12
    html = {str(file.relative_to(weekly_outputs)) for file in published if file.suffix == ".html"}
    assert html == set(PAGES)
    assert sum(file.name.endswith(".facts.json") for file in published) == 25
    assert sum(file.suffix == ".ipynb" for file in published) == 25


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_offline_on_any_screen(browser: Any, weekly_outputs: Path, name: str) -> None:
    for width, scheme, other in ((1400, "light", "dark"), (400, "dark", "light")):
        view = {"width": width, "height": 1000}
        with opened(browser, weekly_outputs / name, viewport=view, color_scheme=scheme) as (page, wrong):
            scroll_through(page)
            check(page, width, scheme, is_report=name in REPORTS)
            page.emulate_media(color_scheme=other)
            page.wait_for_function(
                "scheme => [...document.querySelectorAll('.plot')].every(p => p.dataset.drawn === scheme)", arg=other
            )
            check(page, width, other, is_report=name in REPORTS)
            assert wrong == []


def check(page: Any, width: int, scheme: str, *, is_report: bool) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    drawn = sizes(page)
    assert len(drawn) >= (6 if is_report else 0)
    assert all(across > 150 and high > 60 and over <= 1 for across, high, over in drawn)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[scheme]
    assert page.evaluate("document.documentElement.lang") in ("en", "ja")


@pytest.mark.parametrize("name", [REPORTS[0], REPORTS[-1]])
def test_a_window_on_its_way_to_another_size_breaks_no_chart(browser: Any, weekly_outputs: Path, name: str) -> None:
    with opened(browser, weekly_outputs / name) as (page, wrong):
        scroll_through(page)
        for width in (1, 4, 8, 10, 12, 60, 119, 400):
            page.evaluate("width => { document.querySelector('main').style.width = `${width}px`; }", width)
            page.wait_for_timeout(150)
        page.evaluate("document.querySelector('main').style.width = ''")
        scroll_through(page)
        assert wrong == []
        assert all(across > 250 and over <= 1 for across, _, over in sizes(page))


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_prints_with_all_its_charts(browser: Any, weekly_outputs: Path, name: str) -> None:
    with opened(browser, weekly_outputs / name, color_scheme="dark") as (page, wrong):
        page.evaluate(
            """() => addEventListener("beforeprint", () => {
                window.printed = [...document.querySelectorAll(".plot")].map(p =>
                    [p.querySelector(".main-svg")?.getBoundingClientRect().width, p._fullLayout?.paper_bgcolor]);
            })"""
        )
        paper = page.pdf(prefer_css_page_size=True)
        pages = max(int(n) for n in re.findall(rb"/Count (\d+)", paper))
        assert pages > 1
        printed = page.evaluate("window.printed")
        assert len(printed) >= 6
        assert {colour for _, colour in printed} == {"#ffffff"}
        # As wide as their places on A4 less its margins, although they are drawn while the window is still wide.
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 703, "height": 1000})
        page.evaluate("document.documentElement.classList.add('printing')")
        places = page.evaluate("[...document.querySelectorAll('.plot')].map(p => p.clientWidth)")
        assert [w for (w, _), place in zip(printed, places, strict=True) if not 0.9 * place < w <= place + 1] == []
        assert wrong == []


@pytest.mark.parametrize("name", PACKS)
def test_a_meeting_pack_is_one_side_of_a4(browser: Any, weekly_outputs: Path, name: str) -> None:
    with opened(browser, weekly_outputs / name, color_scheme="dark") as (page, wrong):
        paper = page.pdf(prefer_css_page_size=True)
        assert wrong == []
    assert max(int(n) for n in re.findall(rb"/Count (\d+)", paper)) == 1
    (box,) = set(re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", paper))
    assert tuple(round(float(length)) for length in box) == (595, 842)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_small_file_that_asks_for_nothing(weekly_outputs: Path, name: str) -> None:
    file = weekly_outputs / name
    html = file.read_text(encoding="utf-8")
    assert file.stat().st_size <= MOST_BYTES
    assert html.count(PLOTLY) == (1 if name in REPORTS else 0)
    own = html.split("<script>")[0]  # without what runs
    assert re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?\s*(?:https?:)?//", own) == []


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(browser: Any, weekly_outputs: Path, name: str) -> None:
    file = weekly_outputs / name
    with opened(browser, file) as (page, _):
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))")
        ids = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
    assert links or name in REPORTS
    for link in links:
        parts = urlsplit(link)
        assert (parts.scheme, parts.netloc) == ("", ""), link
        if parts.path:
            assert (file.parent / unquote(parts.path)).resolve().is_file(), link
        elif parts.fragment:
            assert parts.fragment in ids, link
    if name == f"{WEEK}/index.html":
        pages = ("weekly_team_report", "meeting_pack")
        assert {f"{team}/{page}.html" for team in TEAMS for page in pages} <= set(links)
    if name in PACKS:
        assert "weekly_team_report.html" in links


def test_nothing_published_names_a_place_on_this_machine(weekly_outputs: Path, published: list[Path]) -> None:
    places = {str(PROJECT), str(weekly_outputs), str(weekly_outputs.parent), sys.prefix, str(Path.home()) + "/"}
    for file in published:
        text = file.read_text(encoding="utf-8")
        for place in places:
            assert place not in text, (file, place)
            assert place.lstrip("/") not in text, (file, place)


def test_nothing_published_names_a_person(published: list[Path]) -> None:
    for file in published:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".html":
            text = text.split("<script>")[0]  # plotly's own source holds addresses of its authors
        assert E_MAIL.findall(text) == [], file
        versions = {v for v in ADDRESS.findall(text) if re.fullmatch(r"20\d\d\.\d+\.\d+\.\d+", v)}
        assert set(ADDRESS.findall(text)) - versions == set(), file


def test_the_planted_text_was_there_to_be_found(weekly_outputs: Path) -> None:
    """Without it, the two tests above could not fail."""
    import duckdb

    routes = weekly_outputs / "demo" / "requests" / "*" / "*.parquet"
    values = duckdb.connect().execute(f"SELECT DISTINCT http_route FROM '{routes}'").fetchall()
    text = " ".join(str(value) for (value,) in values)
    assert "<script>" in text
    assert E_MAIL.search(text)
    assert ADDRESS.search(text)


@pytest.mark.parametrize("team", TEAMS)
def test_the_page_says_what_its_facts_say(browser: Any, weekly_outputs: Path, team: str) -> None:
    folder = weekly_outputs / WEEK / team
    facts = json.loads((folder / "weekly_team_report.facts.json").read_text(encoding="utf-8"))
    with opened(browser, folder / "weekly_team_report.html") as (page, _):
        assert page.locator("h1").inner_text() == facts["team_display_name"][facts["language"]]
        cards = page.locator(".card .verdict").evaluate_all("all => all.map(c => c.classList[1])")
        judged = [*facts["slos"], *facts.get("closed_slos", [])]  # calendar periods that ended within the week
        assert sorted(cards) == sorted(slo["verdict"] for slo in judged)
        titles = page.locator(".notice .title").all_inner_texts()
        assert titles == [finding["text"][facts["language"]]["title"] for finding in facts["findings"]]


@pytest.mark.parametrize("team", TEAMS)
def test_the_meeting_pack_says_what_its_facts_say(browser: Any, weekly_outputs: Path, team: str) -> None:
    folder = weekly_outputs / WEEK / team
    facts = json.loads((folder / "meeting_pack.facts.json").read_text(encoding="utf-8"))
    report = json.loads((folder / "weekly_team_report.facts.json").read_text(encoding="utf-8"))
    with opened(browser, folder / "meeting_pack.html") as (page, _):
        titles = page.locator(".agenda .title").all_inner_texts()
        assert titles == [topic["title"][facts["language"]] for topic in facts["agenda"] if topic["minutes"]]
        assert page.locator(".callout.good").count() == (0 if titles else 1)
    urgent = {f["id"] for f in report["findings"] if f["severity"] in ("critical", "warning")}
    assert urgent <= {topic["id"] for topic in facts["agenda"]}
    affected = [topic["affected_count"] for topic in facts["agenda"]]
    assert affected == sorted(affected, reverse=True)
    assert facts["total_minutes"] <= 30
