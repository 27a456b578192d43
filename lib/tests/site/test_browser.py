"""Pages in a real Chromium, from file://, with the network off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shokubai.config.model import Organization, Source, Text
from shokubai.core.calendar import BusinessCalendar
from shokubai.display.exhibit import PLOTLY_MIME
from shokubai.site import render_page, write_week_index
from shokubai.site.document import write_text

pytestmark = pytest.mark.browser

# The sample's week on the clock of its organisation, which plotly takes for UTC: 26 October to 2 November 2026.
WINDOW_MS = (1_792_972_800_000, 1_793_577_600_000)
PAYLOAD = "window.ran=(window.ran||0)+1"
HOSTILE_HTML = [
    f"<script>{PAYLOAD}</script>",
    f'<img src="x" onerror="{PAYLOAD}">',
    f'<svg onload="{PAYLOAD}"></svg>',
    f'<table><tr><th onmouseover="{PAYLOAD}"><img src=x onerror="{PAYLOAD}">column</th></tr></table>',
    f'<details open ontoggle="{PAYLOAD}"><summary>x</summary></details>',
    f'<a href="javascript:{PAYLOAD}" class="hostile-link">x</a>',
    f'<iframe srcdoc="<script>parent.{PAYLOAD}</script>"></iframe>',
    f'<math><mtext></table><mglyph><style><img src=x onerror="{PAYLOAD}">',
    "<style>body{display:none}</style>",
    '<p style="position:fixed;inset:0;background:red">over everything</p>',
    '<meta http-equiv="refresh" content="0;url=data:text/html,gone"><base href="https://example.com/">',
]


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """A page on a file without a network, and everything that went wrong in it so far."""
    context = browser.new_context(offline=True, **{"viewport": {"width": 1400, "height": 900}, **options})
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or wrong.append(request.url))
    page.goto(path.as_uri())
    yield page, wrong
    context.close()


def draw_all(page: Any) -> int:
    count = int(page.locator(".plot").count())
    for n in range(count):
        page.locator(f"#chart-{n}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#chart-{n}[data-drawn] .main-svg", timeout=20_000)
    return count


@pytest.fixture(scope="module", params=["en", "ja"])
def report(request: Any, make_notebook: Callable[[Any], dict[str, Any]], tmp_path_factory: Any) -> Path:
    html = render_page(make_notebook(request.param), title="Weekly report", language=request.param)
    return write_text(tmp_path_factory.mktemp("site") / f"{request.param}.html", html)


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_a_report_opens_without_errors_and_fits(browser: Any, report: Path, width: int, scheme: str) -> None:
    with opened(browser, report, viewport={"width": width, "height": 900}, color_scheme=scheme) as (page, wrong):
        assert draw_all(page) == 12
        assert wrong == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        too_wide = "[...document.querySelectorAll('.plot')].filter(p => p.scrollWidth > p.clientWidth + 1).length"
        assert page.evaluate(too_wide) == 0
        background = page.evaluate("document.querySelector('#chart-0')._fullLayout.paper_bgcolor")
        assert background == {"light": "#ffffff", "dark": "#14181d"}[scheme]
        labels = page.evaluate(
            "document.querySelector('#chart-0')._fullLayout.annotations.filter(a => a.name === 'direct-label').length"
        )
        assert labels == (3 if width == 1400 else 0)


def test_the_verdict_is_on_the_first_screen(browser: Any, report: Path) -> None:
    with opened(browser, report) as (page, _):
        bottoms = page.evaluate("[...document.querySelectorAll('.card')].map(c => c.getBoundingClientRect().bottom)")
        assert len(bottoms) == 3
        assert max(bottoms) < 900


def test_charts_wait_until_they_come_into_view(browser: Any, report: Path) -> None:
    with opened(browser, report) as (page, _):
        page.locator("#chart-0").scroll_into_view_if_needed()
        page.wait_for_selector("#chart-0[data-drawn]")
        assert page.locator("#chart-11[data-drawn]").count() == 0


def test_a_change_of_theme_recolours_what_is_drawn(browser: Any, report: Path) -> None:
    with opened(browser, report, color_scheme="light") as (page, wrong):
        page.locator("#chart-0").scroll_into_view_if_needed()
        page.wait_for_selector("#chart-0[data-drawn]")
        page.emulate_media(color_scheme="dark")
        page.wait_for_selector('#chart-0[data-drawn="dark"]')
        assert page.evaluate("document.querySelector('#chart-0')._fullLayout.font.color") == "#e4e8ec"
        assert wrong == []


def test_the_same_points_are_drawn_on_every_screen_and_on_paper(browser: Any, report: Path) -> None:
    points = """() => [...document.querySelectorAll(".plot")].map(plot => plot.calcdata.map(
        points => points.map(point => [point.x ?? point.p, point.y ?? point.s])))"""
    found = {}
    for name, options in {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "narrow": {"color_scheme": "dark", "viewport": {"width": 400, "height": 900}},
    }.items():
        with opened(browser, report, **options) as (page, _):
            draw_all(page)
            found[name] = page.evaluate(points)
            page.emulate_media(color_scheme="light" if options["color_scheme"] == "dark" else "dark")
            page.wait_for_timeout(500)
            found[f"{name}, then the other"] = page.evaluate(points)
    rates = found["light"][2][0]
    assert len(rates) == 505  # of 1,009 rates, the higher of each two
    assert all(WINDOW_MS[0] <= x <= WINDOW_MS[1] for x, _ in rates)
    assert [name for name, drawn in found.items() if drawn != found["light"]] == []


def test_printing_draws_every_chart_in_light_colours(browser: Any, report: Path) -> None:
    with opened(browser, report, color_scheme="dark") as (page, wrong):
        page.evaluate(
            """() => addEventListener("beforeprint", () => {
                window.printed = [...document.querySelectorAll(".plot")].map(
                    (p) => [p._fullLayout?.paper_bgcolor, p.scrollWidth <= p.clientWidth + 1]);
            })"""
        )
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
        assert page.evaluate("window.printed") == [["#ffffff", True]] * 12
        assert wrong == []


@pytest.mark.parametrize("with_policy", [True, False])
def test_nothing_that_outputs_hold_runs_and_charts_are_drawn(
    browser: Any, as_notebook: Callable[..., dict[str, Any]], tmp_path: Path, with_policy: bool
) -> None:
    link = (
        f'<a href="javascript:{PAYLOAD}">click</a><img src=x onerror="{PAYLOAD}"></script><script>{PAYLOAD}</script>'
    )
    figure = {
        "data": [
            {"type": "bar", "x": [link, "b"], "y": [1, 2], "name": link, "text": [link, link], "hovertemplate": link},
            {"type": "pie", "labels": [link], "values": [1], "domain": {"x": [0.8, 1]}},
        ],
        "layout": {
            "title": {"text": link},
            "annotations": [{"text": link, "x": 0, "y": 1, "hovertext": link}],
            "xaxis": {"title": {"text": link}},
            "images": [{"source": "https://example.com/x.png", "x": 0, "y": 1, "sizex": 1, "sizey": 1}],
            "template": {
                "layout": {"title": {"text": link}, "font": {"family": f"x;}}</style><script>{PAYLOAD}</script>"}}
            },
        },
    }
    about = {"title": link, "alt": f'" onclick="{PAYLOAD}', "note": link, "equivalent": link, "size": link}
    outputs: list[dict[str, Any]] = [
        {"output_type": "display_data", "data": {"text/html": html, "text/plain": ""}, "metadata": {}}
        for html in HOSTILE_HTML
    ]
    outputs += [
        {"output_type": "display_data", "data": {"text/markdown": html}, "metadata": {}} for html in HOSTILE_HTML
    ]
    outputs += [
        {"output_type": "display_data", "data": {PLOTLY_MIME: figure}, "metadata": {}},
        {"output_type": "display_data", "data": {PLOTLY_MIME: figure}, "metadata": {"shokubai": about}},
        {"output_type": "stream", "name": "stdout", "text": link},
        {"output_type": "error", "ename": link, "evalue": link, "traceback": [link]},
        {
            "output_type": "display_data",
            "data": {"application/vnd.shokubai.facts+json": {link: link}, "text/plain": ""},
            "metadata": {},
        },
        {"output_type": "display_data", "data": {"application/javascript": PAYLOAD}, "metadata": {}},
    ]
    html = render_page(as_notebook(*outputs), title=link, language="en", description=link)
    if not with_policy:
        html, removed = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
        assert removed == 1
    path = write_text(tmp_path / "hostile.html", html)
    with opened(browser, path) as (page, wrong):
        assert draw_all(page) == 2
        assert page.locator("#chart-0 .bars .point").count() == 2
        page.locator("#chart-0 .bars .point").first.hover(force=True)
        for anchor in page.locator("main a").all():
            assert not (anchor.get_attribute("href") or "").startswith("javascript")
        assert page.evaluate("document.querySelectorAll('svg a').length") == 0
        assert page.evaluate("document.querySelectorAll('[onclick], [onerror], [onload], iframe, base').length") == 0
        assert page.evaluate("window.ran") is None
        assert page.evaluate("getComputedStyle(document.body).display") == "block"
        assert page.url == path.as_uri()
        assert wrong == []


def test_a_chart_that_cannot_be_drawn_holds_up_no_other(
    browser: Any, as_notebook: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    good = {"data": [{"type": "bar", "x": ["a"], "y": [1]}], "layout": {"title": {"text": "good"}}}
    bad = {**good, "layout": {"shapes": [{"type": "path", "path": "no path"}]}}
    outputs = [
        {"output_type": "display_data", "data": {PLOTLY_MIME: figure}, "metadata": {}} for figure in (bad, good)
    ]
    path = write_text(tmp_path / "bad.html", render_page(as_notebook(*outputs), title="t", language="en"))
    with opened(browser, path) as (page, wrong):
        page.wait_for_selector("#chart-1[data-drawn] .bars .point")
        assert page.pdf().startswith(b"%PDF")
        assert page.locator("#chart-0[data-drawn]").count() == 0
        assert {message.partition(":")[0] for message in wrong} == {"error"}


def test_the_policy_stops_scripts_that_got_in(browser: Any, report: Path, tmp_path: Path) -> None:
    html = report.read_text(encoding="utf-8").replace("</main>", f"<script>{PAYLOAD}</script></main>")
    with opened(browser, write_text(tmp_path / "broken.html", html)) as (page, wrong):
        assert page.evaluate("window.ran") is None
        assert any("Content Security Policy" in message for message in wrong)


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_a_long_week_can_be_filtered_and_is_whole_without_a_script(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    reports = [
        {"notebook": "report", "team": f"team-{n:03}", "title": {"en": "R", "ja": "R"}, "status": "made"}
        for n in range(200)
    ]
    organization = Organization(
        name=Text("Aoba", "あおば"),
        vision=Text("", ""),
        mission=Text("", ""),
        zone=ZoneInfo("Asia/Tokyo"),
        language="ja",
        calendar=BusinessCalendar("JP"),
        source=Source(Path("organization.yaml"), 1),
    )
    path = write_week_index(tmp_path, {"week": "2026-W44", "reports": reports}, organization)
    size = {"width": width, "height": 900}
    with opened(browser, path, viewport=size, color_scheme=scheme) as (page, wrong):
        page.fill("#filter", "TEAM-０１")  # full-width 01
        assert page.locator("#teams > li:visible").count() == 10
        assert page.text_content("#filtered") == "10 / 200"
        page.fill("#filter", "")
        assert page.locator("#teams > li:visible").count() == 200
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert wrong == []
    with opened(browser, path, java_script_enabled=False) as (page, _):
        assert page.locator("#teams > li:visible").count() == 200
        assert page.locator(".filter:visible").count() == 0
