"""Exhibits escape what they are given, once, and always have words for those who cannot see them."""

from __future__ import annotations

import pytest

from shokubai.display.exhibit import (
    Bullets,
    Callout,
    Card,
    Cards,
    Cell,
    Facts,
    Figure,
    Header,
    Heading,
    Masthead,
    Notice,
    Notices,
    Paragraph,
    Prose,
    Table,
)

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"' & {{ 7*7 }}"
TABLE = Table(HOSTILE, (Header(HOSTILE),), ((Cell(HOSTILE, detail=HOSTILE, is_code=True),),), note=HOSTILE)


@pytest.mark.parametrize(
    "exhibit",
    [
        TABLE,
        Table(HOSTILE, (Header("a"),), (), empty=HOSTILE),
        Table("t", (Header("a"),), ((Cell(HOSTILE, verdict="met"),), (Cell("a", href="x.html" + HOSTILE),))),
        Prose((Heading(HOSTILE), Paragraph(HOSTILE, "strong"), Bullets((HOSTILE, HOSTILE)))),
        Masthead(HOSTILE, HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),)),
        Callout("warning", HOSTILE, HOSTILE),
        Notices((Notice("critical", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),), action_label=HOSTILE),
        Cards((Card("missed", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 0.5, (HOSTILE,)),)),
    ],
    ids=lambda e: type(e).__name__,
)
def test_text_from_data_is_escaped(exhibit: Table) -> None:
    data, _ = exhibit._repr_mimebundle_()
    assert "<script" not in data["text/html"]
    assert "<img" not in data["text/html"]
    assert "&lt;script&gt;alert(1)" in data["text/html"]
    assert "{{ 7*7 }}" in data["text/html"]
    assert HOSTILE in data["text/plain"]


def test_a_table_without_rows_says_so() -> None:
    empty = Table("Routes", (Header("Route"),), (), empty="No route spent any budget.")
    assert "<table" not in empty.html()
    assert "No route spent any budget." in empty.html()


def test_figures_keep_links_out_of_their_title() -> None:
    figure = Figure('<a href="javascript:alert(1)">x</a>', [], {}, "alt", TABLE)
    assert figure.spec()["layout"]["title"]["text"] == '&lt;a href="javascript:alert(1)"&gt;x&lt;/a&gt;'


def test_long_titles_are_broken_into_lines_for_notebooks() -> None:
    figure = Figure("word " * 40, [], {}, "alt", TABLE)
    assert figure.spec()["layout"]["title"]["text"].count("<br>") == 2


def test_facts_are_invisible_json() -> None:
    data, _ = Facts({"team": "issuing"})._repr_mimebundle_()
    assert data["application/vnd.shokubai.facts+json"] == {"team": "issuing"}
    assert "text/html" not in data


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("short", ["short"]),
        ("x" * 60 + " " + "y" * 60, ["x" * 60, "y" * 60]),
        ("あ" * 48 + "い", ["あ" * 48, "い"]),
        ("あ" * 48 + "。い", ["あ" * 48 + "。", "い"]),  # no line begins with a full stop
        ("あ" * 47 + "invoice-api", ["あ" * 47, "invoice-api"]),
    ],
)
def test_long_titles_are_broken_where_the_language_allows(title: str, lines: list[str]) -> None:
    drawn = Figure(title, [], {}, "alt", TABLE).spec()["layout"]["title"]
    assert drawn["text"].split("<br>") == lines
    assert (drawn["pad"]["t"] > 0) == (len(lines) > 1)


def test_the_look_of_a_notebook_comes_with_its_top_and_stays_out_of_pages() -> None:
    top = Masthead("Weekly", "Search", "Mon 26 Oct – Sun 1 Nov")
    html = top._repr_mimebundle_()[0]["text/html"]
    assert html.startswith("<style>")
    assert "--good:#1b6e3c" in html
    assert html.endswith(top.html())
