"""Where a budget went, read as data: the chart and the table of the same parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from shokubai.core.windows import Duration
from shokubai.display import figures, tables
from shokubai.display.exhibit import Figure
from shokubai.display.format import Locale
from shokubai.slo import name_parts
from shokubai.slo.model import BUDGET_PARTS, SloStatus

MakeStatus = Callable[..., SloStatus]
NOON = datetime(2026, 10, 29, 3, 0, tzinfo=UTC)  # Thursday 12:00 in Tokyo
LONG = "/v1/organizations/{organization_id}/invoices/{invoice_id}/approvals"


def parts(*rows: tuple[Any, ...], allowed: float) -> pd.DataFrame:
    """BUDGET_PARTS of (method, route, kind, status, deployment window, version, parts, bad requests, spent)."""
    columns = ["http_request_method", "http_route", "kind", "http_response_status_code", "deployment_window"]
    columns += ["service_version", "part_count", "bad_request_count", "spent_count"]
    frame = pd.DataFrame(rows, columns=columns).astype({"http_response_status_code": "Int64"})
    known = frame["deployment_window"].isin(["after", "before"])
    frame["deployed_at"] = pd.Series([NOON if k else None for k in known], dtype="datetime64[us, UTC]")
    return BUDGET_PARTS.conform(
        frame.assign(service_name="api", spent_ratio=frame["spent_count"] / allowed),
    )


# 600 of 1,000 failures that are allowed, in nine parts: six are named.
SPENT = parts(
    ("POST", "/login", "error", 503, "after", "v7", 1, 310, 310.0),
    ("GET", "/<b>x</b>/taro@example.com", "error", None, "before", "", 1, 150, 150.0),
    ("_OTHER", LONG, "error", 500, "none", "", 1, 80, 80.0),
    ("POST", "/login", "error", 502, "after", "v7", 1, 20, 20.0),
    *(("GET", f"/{n}", "error", 503, "none", "", 1, 8, 8.0) for n in range(5)),
    allowed=1000,
)


@pytest.fixture
def figure(en: Locale, make_status: MakeStatus) -> Figure:
    return figures.waterfall(SPENT, status=make_status(), locale=en)


def test_bars_begin_where_the_last_one_ended(figure: Figure) -> None:
    (bars,) = figure.data
    assert bars["x"] == pytest.approx([0.31, 0.15, 0.08, 0.02, 0.008, 0.008, 0.024, 0.6])
    assert bars["base"] == pytest.approx([0, 0.31, 0.46, 0.54, 0.56, 0.568, 0.576, 0])
    assert bars["base"][-2] + bars["x"][-2] == pytest.approx(bars["x"][-1])
    assert bars["y"] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert bars["text"] == ["31%", "15%", "8.0%", "2.0%", "0.8%", "0.8%", "2.4%", "60%"]
    colours = bars["marker"]["color"]
    assert len(set(colours[:6])) == 1
    assert len(set(colours[5:])) == 3  # a part, the rest, all of it
    connectors = [s["x0"] for s in figure.layout["shapes"] if s["x0"] != 1]
    assert connectors == pytest.approx([0.31, 0.46, 0.54, 0.56, 0.568, 0.576, 0.6])


def test_each_bar_says_above_it_what_it_is(figure: Figure) -> None:
    texts = {(a["y"], a["text"]) for a in figure.layout["annotations"] if a.get("xref") == "paper"}
    assert {text for text in texts if text[0] in (7, 6, 5, 1, 0)} == {
        (7, "POST /login"),
        (7, "error 503, after v7 (Thu 29 Oct 12:00)"),
        (6, "GET /&lt;b&gt;x&lt;/b&gt;/[email]"),
        (6, "error without status, before Thu 29 Oct 12:00"),
        (5, f"{LONG[:22]}…{LONG[-21:]}"),
        (5, "error 500, no deployment"),
        (1, "the rest (3 more)"),
        (0, "Budget spent"),
    }
    hover = figure.data[0]["hovertext"]
    assert hover[0] == "POST /login · error 503, after v7 (Thu 29 Oct 12:00): 31%"
    assert hover[2] == f"{LONG} · error 500, no deployment: 8.0%"


def test_title_names_the_part_on_which_half_was_spent(figure: Figure) -> None:
    assert figure.title == (
        "API availability: 60% of the budget spent, 52% of that on POST /login, error 503, "
        "after v7 (Thu 29 Oct 12:00)"
    )


def test_title_names_the_route_where_its_parts_are_small(en: Locale, make_status: MakeStatus) -> None:
    apart = parts(
        ("GET", "/", "error", 500, "none", "", 1, 200, 200.0),
        ("POST", "/login", "error", 503, "none", "", 1, 150, 150.0),
        ("POST", "/login", "error", 502, "none", "", 1, 130, 130.0),
        ("POST", "/login", "error", 504, "none", "", 1, 120, 120.0),
        allowed=1000,
    )
    figure = figures.waterfall(apart, status=make_status(), locale=en)
    assert figure.title == (
        "API availability: 60% of the budget spent, 67% of that on POST /login, with 3 pairs of status and deployment"
    )


def test_the_whole_budget_is_marked_when_it_is_near(en: Locale, make_status: MakeStatus, figure: Figure) -> None:
    def marks(drawn: Figure) -> int:
        return sum(a["text"] == "the whole budget" for a in drawn.layout["annotations"])

    assert marks(figure) == 1
    assert figure.layout["xaxis"]["range"][1] > 1
    little = parts(("GET", "/", "error", 500, "none", "", 1, 200, 200.0), allowed=1000)
    drawn = figures.waterfall(little, status=make_status(bad=200), locale=en)
    assert marks(drawn) == 0
    assert drawn.layout["xaxis"]["range"][1] < 0.5
    much = parts(("GET", "/", "error", 500, "none", "", 1, 50_000, 50_000.0), allowed=1000)
    drawn = figures.waterfall(much, status=make_status(bad=50_000), locale=en)
    assert marks(drawn) == 1
    assert drawn.layout["xaxis"]["range"][1] > 50


def test_plotly_takes_it_and_it_is_small(figure: Figure) -> None:
    spec = json.loads(json.dumps(figure.spec(), allow_nan=False))
    go.Figure({"data": spec["data"], "layout": spec["layout"]})
    own = {**spec, "layout": {k: v for k, v in spec["layout"].items() if k != "template"}}
    assert len(json.dumps(own)) < 7_000


def test_labels_keep_apart(figure: Figure) -> None:
    """A name and its detail fit between two bars, with as many pixels as a row has."""
    heights = sorted({a["yshift"] for a in figure.layout["annotations"] if a.get("xref") == "paper"})
    assert all(above - below >= 14 for below, above in pairwise(heights))
    assert heights[-1] + 15 < 50


def test_table_has_every_part_and_all_of_them(en: Locale, make_status: MakeStatus) -> None:
    table = tables.budget_parts(name_parts(SPENT), status=make_status(), locale=en)
    assert table.caption == "Where the budget of API availability went (last 28 days)"
    assert [h.text for h in table.headers] == [
        "Route",
        "Kind",
        "Status",
        "Deployment",
        "Bad requests",
        "Budget spent",
    ]
    assert [tuple(cell.text for cell in row) for row in table.rows] == [
        ("POST /login", "error", "503", "after v7 (Thu 29 Oct 12:00)", "310", "31%"),
        ("GET /<b>x</b>/[email]", "error", "No status", "before Thu 29 Oct 12:00", "150", "15%"),
        (LONG, "error", "500", "no deployment", "80", "8.0%"),
        ("POST /login", "error", "502", "after v7 (Thu 29 Oct 12:00)", "20", "2.0%"),
        ("GET /0", "error", "503", "no deployment", "8", "0.8%"),
        ("GET /1", "error", "503", "no deployment", "8", "0.8%"),
        ("the rest (3 more)", "–", "–", "–", "24", "2.4%"),
        ("Budget spent", "–", "–", "–", "600", "60%"),
    ]
    assert "<b>x</b>" not in table.html()


def test_slices_stand_beside_the_requests_that_made_them_bad(en: Locale, make_status: MakeStatus) -> None:
    status = make_status(bad=3, valid=10_000)
    slo = replace(status.slo, budgeting="Timeslices", time_slice_target=0.9, time_slice_window=Duration(5, "m"))
    status = replace(status, slo=slo, unit="slices")
    frame = parts(
        ("POST", "/login", "error", 503, "none", "", 1, 40, 2.75),
        ("GET", "/", "error", 503, "none", "", 1, 2, 0.25),
        allowed=10,
    )
    table = tables.budget_parts(frame, status=status, locale=en)
    assert [tuple(cell.text for cell in row[-3:]) for row in table.rows] == [
        ("40", "2.75", "28%"),
        ("2", "0.25", "2.5%"),
        ("42", "3", "30%"),
    ]
    assert table.headers[-2].text == "Bad slices"
    assert "shared among its bad requests" in table.note


def test_in_japanese(ja: Locale, make_status: MakeStatus) -> None:
    figure = figures.waterfall(SPENT, status=make_status(), locale=ja)
    assert figure.title == (
        "API availability: エラーバジェットの60%を使用。"
        "そのうち52%がPOST /login、エラー 503、v7(10月29日(木) 12:00)の後"
    )
    table = tables.budget_parts(name_parts(SPENT), status=make_status(), locale=ja)
    assert [cell.text for cell in table.rows[-2]] == ["その他(3件)", "–", "–", "–", "24", "2.4%"]
