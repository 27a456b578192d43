"""The notebooks run cell by cell in a real JupyterLab, driven in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.notebooks]

ERRORS = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
PATIENCE = 90_000  # milliseconds
NUMBER = """number => {
    const cell = document.querySelectorAll(".jp-Notebook .jp-Cell")[number];
    if (!cell.classList.contains("jp-CodeCell")) return Infinity;
    return Number(cell.querySelector(".jp-InputPrompt")?.textContent.match(/\\[(\\d+)\\]/)?.[1] ?? 0);
}"""


@dataclass
class Opened:
    """A notebook in JupyterLab, and what went wrong in its page."""

    page: Any
    wrong: list[str]
    count: int  # of the cells in the file; running the last one adds another

    @property
    def cells(self) -> Any:
        return self.page.locator(".jp-Notebook .jp-Cell")

    def run(self) -> None:
        """Every cell as by Shift+Enter, each one only after the one before it has ended."""
        self.cells.first.click(position={"x": 20, "y": 8})
        step = self.page.locator('jp-button[data-command="notebook:run-cell-and-select-next"]')
        done = 0
        for number in range(self.count):
            before = self.page.evaluate(NUMBER, number)
            step.click()
            if before != float("inf"):
                has_run = f"([number, done]) => ({NUMBER})(number) > done"
                self.page.wait_for_function(has_run, arg=[number, max(before, done)], timeout=PATIENCE)
                done = self.page.evaluate(NUMBER, number)

    def charts(self) -> list[tuple[float, float, str]]:
        """Width, height and title of every chart that is drawn."""
        self.page.wait_for_function(
            """() => [...document.querySelectorAll(".jp-RenderedPlotly")].every(p => p.querySelector(".main-svg"))""",
            timeout=PATIENCE,
        )
        found: list[list[Any]] = self.page.evaluate(
            """() => [...document.querySelectorAll(".jp-RenderedPlotly")].map(plot => {
                const box = plot.querySelector(".main-svg").getBoundingClientRect();
                return [box.width, box.height, plot.querySelector(".gtitle")?.textContent ?? ""];
            })"""
        )
        return [(float(width), float(height), str(title)) for width, height, title in found]

    def errors(self) -> list[str]:
        return [*self.page.locator(ERRORS).all_inner_texts(), *self.wrong]


@contextmanager
def opened(browser: Any, lab: Any, name: str, **options: Any) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, **options)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request", lambda request: request.url.startswith((lab.url, "data:", "blob:")) or wrong.append(request.url)
    )
    try:
        page.goto(lab.notebook(name))
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=PATIENCE)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=PATIENCE)
        yield Opened(page, wrong, page.locator(".jp-Notebook .jp-Cell").count())
    finally:
        context.close()


def test_the_weekly_report_runs_and_is_run_again_for_another_team(browser: Any, lab: Any) -> None:
    with opened(browser, lab, "weekly_team_report") as notebook:
        notebook.run()
        assert notebook.errors() == []
        charts = notebook.charts()
        assert len(charts) >= 8
        assert all(width > 600 and height > 100 for width, height, _ in charts)
        assert all(title for *_, title in charts)
        page = notebook.page
        assert page.locator(".masthead h1").inner_text() == "検索"
        assert page.locator(".jp-OutputArea-output .table table").count() >= 5
        assert page.locator(".card").count() == 3
        columns = page.evaluate("getComputedStyle(document.querySelector('.cards')).gridTemplateColumns")
        assert len(columns.split()) == 3  # side by side, not one below the other

        # A window that only becomes taller leaves the charts their size.
        before = [(width, height) for width, height, _ in charts]
        page.set_viewport_size({"width": 1400, "height": 1300})
        page.wait_for_timeout(500)
        assert [(width, height) for width, height, _ in notebook.charts()] == before
        page.set_viewport_size({"width": 1400, "height": 1000})

        cell = notebook.cells.nth(1)
        source = "\n".join(cell.locator(".cm-line").all_inner_texts())
        changed, replaced = re.subn(r'team: str = "search"', 'team: str = "issuing"', source)
        assert replaced == 1
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(changed)
        notebook.run()
        assert notebook.errors() == []
        assert page.locator(".masthead h1").inner_text() == "請求書発行"
        assert len(notebook.charts()) >= 8
        assert not any(title.startswith("search-api") for *_, title in notebook.charts())


def test_explore_answers_its_question(browser: Any, lab: Any) -> None:
    with opened(browser, lab, "explore") as notebook:
        notebook.run()
        assert notebook.errors() == []
        ((width, height, title),) = notebook.charts()
        assert width > 600
        assert height > 300
        assert title == "search-api /v1/search"
        page = notebook.page
        assert page.locator(".js-plotly-plot .scatterlayer .trace").count() == 2
        slower = page.locator(".jp-OutputArea-output table").nth(1)
        first = slower.locator("tbody tr").first.locator("td").all_inner_texts()
        assert first[:2] == ["search-api", "/v1/search"]
        assert 1.8 < float(first[-1]) < 2.3  # planted: twice as slow
        second = slower.locator("tbody tr").nth(1).locator("td").last.inner_text()
        assert float(second) < 1.3
        (cost,) = [row for row in page.locator("tbody tr").all_inner_texts() if "search-latency" in row]
        assert "missed" in cost


def test_the_overview_runs_in_the_dark(browser: Any, lab: Any) -> None:
    with opened(browser, lab, "sre_overview", color_scheme="dark") as notebook:
        notebook.run()
        assert notebook.errors() == []
        page = notebook.page
        assert page.locator(".notice").count() >= 4
        # The first is what to raise with whom; the teams' follows.
        assert 12 in [table.locator("tbody tr").count() for table in page.locator(".table").all()]
        assert page.evaluate("document.body.dataset.jpThemeLight") == "false"
        colours = page.evaluate(
            """() => [".notice .title", ".notice"].map(s => getComputedStyle(document.querySelector(s)))
                .map((style, n) => n ? style.borderLeftColor : style.color)"""
        )
        assert colours == ["rgb(228, 232, 236)", "rgb(255, 138, 128)"]  # ink and bad of the dark palette
