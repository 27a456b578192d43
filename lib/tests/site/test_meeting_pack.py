"""The meeting pack on paper: one side of A4, in both languages, also in a bad week."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shokubai.config.model import LANGUAGES, Language
from shokubai.page import meeting_pack
from shokubai.page.meeting import MeetingPack
from shokubai.site import render_page
from shokubai.site.document import write_text

pytestmark = pytest.mark.browser

WEEK = "2026-W44"
# As long as the longest that rules say, and an answer that a person would still call one line.
TITLES = {
    "en": "POST /v1/invoices/{invoice_id}/approvals (invoice-api) fails more often: 12.4% instead of 0.15%, day {n}",
    "ja": "POST /v1/invoices/{invoice_id}/approvals (invoice-api) の失敗が増えました:"
    "エラー率は0.15%から12.4%へ、{n}日目",
}
ACTIONS = {
    "en": "Compare a slow trace with one from before Tue 27 Oct 14:00, and look at what 2026.10.27.1 changed in the "
    "query that joins invoices with approvals.",
    "ja": "10月27日(火) 14:00より前のトレースと遅いトレースを見比べ、2026.10.27.1 の変更点を確認してください。"
    "特に請求書と承認を結合するクエリーをご覧ください。",
}
REPLIES = {
    "en": "The index is built on a copy since Monday; if the copy holds its latency we switch over on Thursday.",
    "ja": "月曜日から複製でインデックスを作成しています。複製のレイテンシーが保たれれば、木曜日に切り替えます。",
}


def finding(number: int, **more: Any) -> dict[str, Any]:
    told = {
        language: {
            "label": {"en": "Attention · week 3", "ja": "注意 · 3週目"}[language],
            "title": TITLES[language].replace("{n}", str(number)),
            "body": "",
            "action": ACTIONS[language],
            "when": {"en": "Tue 27 Oct 14:00 – Fri 30 Oct 17:15", "ja": "10月27日(火) 14:00〜10月30日(金) 17:15"}[
                language
            ],
        }
        for language in LANGUAGES
    }
    return {
        "id": f"invoice-api|POST /{number}|route_failing",
        "rule": "route_failing",
        "case": "failing_more",
        "service": "invoice-api",
        "severity": "warning",
        "state": "continuing",
        "weeks": 3,
        "numbers": {"affected_count": 900.0 - number, "difference_low_ratio": 0.1, "difference_high_ratio": 0.14},
        "text": told,
        "reply": {"owner": "Sato", "reply": REPLIES["ja"], "accepted_until": None, "handed_over": None},
        **more,
    }


@pytest.fixture
def pages(make_workspace: Callable[..., Any], tmp_path: Path) -> Callable[..., Path]:
    """A function that gives the page of a team's pack, made from the findings of its report."""
    import pandas as pd

    team = "name: {{en: Invoice Issuing, ja: 請求書発行・承認}}\nlanguage: {}\nowns: [{{service: invoice-api}}]\n"
    texts = {f"teams/{language}.yaml": team.format(language) for language in LANGUAGES}
    requests = pd.DataFrame({"timestamp": pd.date_range("2026-10-26", periods=2, freq="h", tz="UTC")}).assign(
        service_name="invoice-api", http_request_method="GET", http_route="/", http_response_status_code=200
    )
    opened = make_workspace(texts, requests=requests)

    def page(language: Language, findings: list[dict[str, Any]], raised: list[dict[str, Any]]) -> Path:
        folder = opened.outputs / "weekly" / WEEK / language
        folder.mkdir(parents=True)
        facts = {
            "schema": "shokubai/weekly_team_report/v1",
            "status": "made",
            "data_complete_through": "2026-11-01T15:00:00Z",
            "findings": findings,
            "slos": [],
        }
        (folder / "weekly_team_report.facts.json").write_text(json.dumps(facts))
        (folder / "weekly_team_report.html").touch()
        before = write_text(
            folder / "before.json", json.dumps({"schema": "shokubai/meeting_pack/v1", "agenda": raised})
        )
        pack = meeting_pack(
            team=language,
            week=WEEK,
            parameters_dir=str(opened.parameters.directory),
            outputs_dir=str(opened.outputs),
            previous_facts=str(before),
        )
        html = render_page(notebook_of(pack), title="Pack", language=language, links={"week": "../index.html"})
        return write_text(folder / "meeting_pack.html", html)

    return page


def notebook_of(pack: MeetingPack) -> dict[str, Any]:
    outputs = []
    for section in (pack.header(), pack.last_week(), pack.agenda(), pack.report()):
        for exhibit in section.exhibits:
            data, metadata = exhibit._repr_mimebundle_()
            outputs.append({"output_type": "display_data", "data": data, "metadata": metadata})
    cell = {"cell_type": "code", "source": "", "metadata": {}, "execution_count": 1, "outputs": outputs}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}


def sheets(browser: Any, file: Path) -> tuple[int, set[tuple[int, int]]]:
    """How many pages a file prints on, and their sizes in points."""
    context = browser.new_context(offline=True, color_scheme="dark")
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        paper = page.pdf(prefer_css_page_size=True)
    finally:
        context.close()
    boxes = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", paper)
    return max(int(n) for n in re.findall(rb"/Count (\d+)", paper)), {
        (round(float(width)), round(float(height))) for width, height in boxes
    }


A4 = {(595, 842)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bad_week_is_one_page_that_says_how_much_it_leaves_out(
    browser: Any, pages: Callable[..., Path], language: Language
) -> None:
    reply = {"owner": "Sato Hanako", "reply": REPLIES[language], "accepted_until": None, "handed_over": None}
    findings = [finding(n, reply=reply) for n in range(12)]
    findings += [finding(n, severity="notice", state="improving", reply=reply) for n in range(20, 26)]
    findings += [finding(n, severity="good", state="resolved") for n in range(30, 36)]
    file = pages(language, findings, [])
    assert sheets(browser, file) == (1, A4)
    text = file.read_text(encoding="utf-8")
    assert text.count('class="write"') == 3  # two topics less, for all that is told of last week
    assert {"en": "9 more crossed", "ja": "ほかに9件"}[language] in text
    assert text.count({"en": "and 3 more", "ja": "ほか3件"}[language]) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_as_many_topics_as_there_is_room_for_are_one_page(
    browser: Any, pages: Callable[..., Path], language: Language
) -> None:
    reply = {"owner": "Sato Hanako", "reply": REPLIES[language], "accepted_until": "2026-11-30", "handed_over": None}
    raised = [{"id": f"invoice-api|POST /{n}|route_failing", "minutes": 5, "title": {}} for n in range(5)]
    file = pages(language, [finding(n, reply=reply) for n in range(6)], raised)
    assert sheets(browser, file) == (1, A4)
    assert file.read_text(encoding="utf-8").count('class="write"') == 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_quiet_week_is_one_page_with_nothing_to_write_on(
    browser: Any, pages: Callable[..., Path], language: Language
) -> None:
    file = pages(language, [], [])
    assert sheets(browser, file) == (1, A4)
    assert 'class="write"' not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_on_a_screen_it_fits_and_shows_no_lines_to_write_on(
    browser: Any, pages: Callable[..., Path], width: int, scheme: str
) -> None:
    file = pages("en", [finding(n) for n in range(5)], [])
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".agenda .notice").count() == 5
    assert page.locator(".write:visible").count() == 0
    page.emulate_media(media="print")
    assert page.locator(".write:visible").count() == 5
    context.close()


def test_the_count_of_sheets_can_be_more_than_one(browser: Any, tmp_path: Path) -> None:
    """Without it, the tests above could not fail."""
    rows = "<p>row</p>" * 200
    assert sheets(browser, write_text(tmp_path / "long.html", f"<style>@page{{size:A4}}</style>{rows}"))[0] > 1
