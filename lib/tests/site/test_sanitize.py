"""Markup and figures from anywhere come out harmless, and still say what they said."""

from __future__ import annotations

import json

import pytest

from shokubai.site.sanitize import clean_figure, clean_html, json_block, plain_text, render_markdown


@pytest.mark.parametrize(
    ("html", "gone"),
    [
        ("<table><tr><td><script>alert(1)</script>9</td></tr></table>", "script"),
        ('<td onclick="alert(1)">9</td>', "onclick"),
        ('<p style="background:url(https://example.com/x)">9</p>', "style"),
        ('<a href="javascript:alert(1)">9</a>', "javascript"),
        ('<a href="data:text/html,<script>alert(1)</script>">9</a>', "data:"),
        ('<a href=" java\tscript:alert(1)">9</a>', "script"),
        ("<style>@import 'https://example.com'</style>9", "import"),
        ('<svg onload="alert(1)"><p>9</p></svg>', "svg"),
        ('<iframe src="https://example.com"></iframe>9', "iframe"),
        ('<form action="https://example.com"><input name=a>9</form>', "form"),
        ('<p id="facts">9</p>', "id="),
        ('<p class="page skip">9</p>', "page"),
        ("<!-- x --><p>9</p>", "<!--"),
        ('<math><mtext></table><mglyph><style><img src onerror="alert(1)">9', "onerror"),
    ],
)
def test_what_could_run_load_or_pretend_is_gone(html: str, gone: str) -> None:
    cleaned = clean_html(html)
    assert gone not in cleaned
    if "mglyph" not in html:
        assert "9" in cleaned


def test_tables_of_reports_pass_as_they_are() -> None:
    html = '<table><caption>Routes</caption><tbody><tr><th scope="row" class="end">a</th></tr></tbody></table>'
    assert clean_html(html) == html
    assert 'href="identity/report.html"' in clean_html('<a href="identity/report.html">x</a>')


def test_markdown_shows_raw_html_as_text_and_drops_odd_links() -> None:
    html = render_markdown(
        "# Title\n\n<script>alert(1)</script> **bold** [x](javascript:alert(1)) [y](https://example.com)"
    )
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<strong>bold</strong>" in html
    assert 'href="javascript' not in html
    assert 'href="https://example.com"' in html


def test_terminal_colours_are_taken_out() -> None:
    assert plain_text("\x1b[31mred\x1b[0m \x1b]8;;https://example.com\x07link\x1b]8;;\x07") == "red link"
    assert plain_text("\x1b]8;;https://example.com\x1b\\a\x1b]8;;\x1b\\ b \x1b]8;;x\x1b\\c\x1b]8;;\x1b\\") == "a b c"


def test_figures_lose_links_images_and_controls_but_keep_their_data() -> None:
    spec = {
        "data": [
            {"type": "scatter", "y": [1, float("nan")], "name": '<a href="javascript:alert(1)">n</a> <b>b</b> 1<2'}
        ],
        "layout": {
            "title": {"text": '<span style="color:red">t</span>'},
            "images": [{"source": "https://example.com/x.png"}],
            "updatemenus": [{}],
        },
        "config": {"plotlyServerURL": "https://example.com"},
        "frames": [{"data": []}],
    }
    cleaned = clean_figure(spec)
    assert set(cleaned) == {"data", "layout"}
    assert cleaned["data"][0]["name"] == '&lt;a href="javascript:alert(1)">n&lt;/a> <b>b</b> 1&lt;2'
    assert cleaned["layout"] == {"title": {"text": '&lt;span style="color:red">t&lt;/span>'}}
    assert json.loads(json_block(cleaned))["data"][0]["y"] == [1, None]


@pytest.mark.parametrize(
    "array",
    [
        {"dtype": "f4", "bdata": "AAAAAAAAgD8="},
        {"dtype": "u1", "bdata": ""},
        {"dtype": "u1", "bdata": "AQIDBAUG", "shape": "3, 2"},
        {"dtype": "i2", "bdata": "AQIDBAUG", "shape": "3"},
    ],
)
def test_encoded_arrays_pass_as_they_are(array: dict[str, str]) -> None:
    assert clean_figure({"data": [{"y": array}]})["data"] == [{"y": array}]
    assert clean_figure({"data": [{"y": {**array, "onload": "<a>"}}]})["data"] == [{"y": array}]


@pytest.mark.parametrize(
    "array",
    [
        {"dtype": "f4"},
        {"bdata": "AAAA"},
        {"dtype": "f2", "bdata": "AAAA"},
        {"dtype": "<script>", "bdata": "AAAA"},
        {"dtype": ["u1"], "bdata": "AAAA"},
        {"dtype": "u1", "bdata": ["AAAA"]},
        {"dtype": "u1", "bdata": "AAA"},
        {"dtype": "u1", "bdata": "=AAA"},
        {"dtype": "u1", "bdata": "A\n=="},
        {"dtype": "u1", "bdata": "</script>"},
        {"dtype": "f4", "bdata": "AAAA"},
        {"dtype": "u1", "bdata": "AAAA", "shape": "2"},
        {"dtype": "u1", "bdata": "AAAA", "shape": "1,1,1,3"},
        {"dtype": "u1", "bdata": "AAAA", "shape": "-1,-3"},
        {"dtype": "u1", "bdata": "AAAA", "shape": 3},
        {"dtype": "u1", "bdata": "AAAA", "shape": ["3"]},
    ],
)
def test_arrays_that_plotly_could_not_read_are_empty(array: dict[str, object]) -> None:
    assert clean_figure({"data": [{"y": array}]})["data"] == [{"y": []}]


def test_a_figure_cannot_change_what_all_objects_are() -> None:
    spec = json.loads('{"data": [{"y": [1], "__proto__": {"a": 1}}], "layout": {"__proto__": [1], "b": 2}}')
    assert clean_figure(spec) == {"data": [{"y": [1]}], "layout": {"b": 2}}


@pytest.mark.parametrize(
    "spec", [{}, {"data": None, "layout": None}, {"data": {"a": 1}, "layout": []}, {"data": ["x"]}]
)
def test_figures_that_are_none_come_out_empty(spec: dict[str, object]) -> None:
    assert clean_figure(spec) == {"data": [], "layout": {}}


def test_json_cannot_close_its_script_element() -> None:
    value = {"</script><script>alert(1)": ["<!--", "\u2028", "&amp;", float("inf")]}
    text = json_block(value)
    assert "<" not in text and ">" not in text and "\u2028" not in text
    assert json.loads(text) == {"</script><script>alert(1)": ["<!--", "\u2028", "&amp;", None]}
