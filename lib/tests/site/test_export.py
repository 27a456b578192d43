"""An executed notebook becomes one page: what is in it, in which order, and what is left out."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shokubai.core.errors import ReportError
from shokubai.display.exhibit import Cell, Header, Table
from shokubai.site import extract_facts, render_page
from shokubai.site.document import write_text

PLOTLY = "application/vnd.plotly.v1+json"


def code(*outputs: dict[str, Any], tags: tuple[str, ...] = (), source: str = "secret_code()") -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}, "outputs": list(outputs)}


def markdown(text: str, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": text, "metadata": {"tags": list(tags)}}


def shown(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}}


def page(*cells: dict[str, Any], language: Any = "en") -> str:
    return render_page({"cells": list(cells), "nbformat": 4}, title="T <b>", language=language)


def test_a_page_leads_to_the_pages_around_it() -> None:
    notebook = {"cells": [], "nbformat": 4}
    links = {"week": "../index.html", "previous": "../../2026-W43/<x>/report.html"}
    html = render_page(notebook, title="T", language="ja", links=links)
    assert '<a href="../index.html">この週のレポート一覧</a>' in html
    assert '<a href="../../2026-W43/%3Cx%3E/report.html">前の週のレポート</a>' in html
    assert 'class="around"' not in render_page(notebook, title="T", language="ja")


def test_cells_of_a_table_keep_the_heading_of_their_column() -> None:
    table = Table("t", (Header("Route"), Header('"<Requests>', "end")), ((Cell("/a"), Cell("5")),)).html()
    html = page(code(shown({"text/html": table})))
    assert '<td class="end" data-label="&quot;&lt;Requests&gt;"><div>5' in html.replace("\n", "")


def chart(title: str = "Requests", **layout: Any) -> dict[str, Any]:
    template = {"layout": {"font": {"size": 13}}}
    return shown(
        {
            PLOTLY: {
                "data": [{"type": "scatter", "y": [1, 2]}],
                "layout": {"title": title, "template": template, **layout},
            }
        }
    )


def test_outputs_stand_in_order_and_code_is_left_out() -> None:
    html = page(
        markdown("# First"),
        code({"output_type": "stream", "name": "stdout", "text": ["second ", "<i>"]}),
        code(shown({"text/html": "<p>third</p>", "text/plain": "no"})),
        code(shown({"text/markdown": "**fourth**"})),
        code(shown({"text/plain": "fifth"})),
        code({"output_type": "error", "ename": "DataError", "evalue": "sixth", "traceback": ["\x1b[31mline 1"]}),
    )
    shown_part = html.partition("<main")[2]
    places = [
        shown_part.index(word)
        for word in ("First", "second &lt;i&gt;", "third", "fourth", "fifth", "DataError: sixth")
    ]
    assert places == sorted(places)
    assert "secret_code" not in html
    assert "\x1b" not in html
    assert "<title>T &lt;b&gt;</title>" in html


def test_cells_for_notebook_readers_are_left_out() -> None:
    html = page(
        markdown("how to run", tags=("notebook-only",)),
        code({"output_type": "stream", "name": "stdout", "text": "provenance printed"}, tags=("notebook-only",)),
        markdown("<span>papermill banner</span>", tags=("papermill-error-cell-tag",)),
    )
    assert "how to run" not in html and "provenance printed" not in html and "banner" not in html


def test_plotly_is_there_once_and_only_when_something_is_drawn() -> None:
    without = page(markdown("words only"))
    assert len(without) < 60_000 and "<script" not in without
    with_charts = page(code(chart()), code(chart()))
    [packed] = re.findall(r'<script type="application/octet-stream" id="plotly" [^>]*>([^<]*)</script>', with_charts)
    unpacked = zlib.decompress(base64.b64decode(packed), wbits=-15)
    assert unpacked.startswith(b"/**\n* plotly.js (basic - minified)")
    assert f'data-bytes="{len(unpacked)}"' in with_charts
    assert with_charts.count('class="plot"') == 2


def test_what_charts_have_in_common_is_kept_once() -> None:
    template = {"layout": {"font": {"size": 13, "family": "a" * 100}}}
    mine = {"type": "scatter", "y": list(range(100)), "name": "mine"}
    yours = {**mine, "name": "yours"}
    charts = [
        shown({PLOTLY: {"data": data, "layout": {"template": template, "xaxis": {"range": [n, 9]}}}})
        for n, data in enumerate(([mine], [mine, yours]))
    ]
    html = page(*(code(chart) for chart in charts))
    shared = json.loads(re.search(r'id="shared">(.*?)</script>', html)[1])  # type: ignore[index]
    assert shared["parts"] == [template, mine]
    first, second = (json.loads(text) for text in re.findall(r'id="chart-\d-json">(.*?)</script>', html))
    margin = {"t": 18}
    assert first == {
        "data": [None],
        "layout": {"template": None, "xaxis": {"range": [0, 9]}, "margin": margin},
        "shared": [[0, "layout", "template"], [1, "data", 0]],
        "times": [],
    }
    assert second == {
        "data": [None, yours],
        "layout": {"template": None, "xaxis": {"range": [1, 9]}, "margin": margin},
        "shared": [[0, "layout", "template"], [1, "data", 0]],
        "times": [],
    }


def test_a_chart_has_its_title_as_text_and_its_words_beside_it() -> None:
    about = {
        "title": "37 % left & <falling>",
        "alt": "alt <text>",
        "note": "n",
        "equivalent": "<table></table>",
        "size": "half",
    }
    html = page(code(shown({PLOTLY: {"data": [], "layout": {"height": 300}}}, {"shokubai": about})))
    assert "<figcaption>37 % left &amp; &lt;falling&gt;</figcaption>" in html
    assert 'aria-label="alt &lt;text&gt;"' in html
    assert "The same as a table" in html
    assert '<div class="grid half">' in html
    assert "同じ内容を表で見る" in page(code(shown({PLOTLY: {"data": []}}, {"shokubai": about})), language="ja")


def test_a_chart_of_somebody_else_gets_its_own_title_as_words() -> None:
    html = page(code(chart("Slow <b>routes</b> &lt; 5")))
    assert re.search(r"<figcaption>Slow  ?routes  ?&lt; 5</figcaption>", html)


def test_headings_make_the_contents_when_there_are_several() -> None:
    html = page(markdown("## One"), code(shown({"text/html": "<h2>Two &amp; more</h2>"})), markdown("## Three"))
    assert '<a href="#section-2">Two &amp; more</a>' in html
    assert '<h2 id="section-2">Two &amp; more</h2>' in html
    assert "<nav" not in page(markdown("## One"))


def test_images_pass_only_as_base64() -> None:
    png = base64.b64encode(b"\x89PNG").decode()
    assert f'src="data:image/png;base64,{png}"' in page(code(shown({"image/png": png + "\n", "text/plain": "plot"})))
    assert "evil" not in page(code(shown({"image/png": '"><script>evil</script>', "text/plain": "plot"})))


def test_mime_types_that_could_run_are_not_shown() -> None:
    html = page(
        code(
            shown({"application/javascript": "alert(1)", "text/plain": "js"}),
            shown({"image/svg+xml": "<svg onload=alert(1)>", "text/plain": "svg"}),
        )
    )
    assert "alert(1)" not in html


def test_facts_are_a_json_block_and_nothing_visible() -> None:
    facts = {"team": "</script><script>alert(1)</script>", "slos": [], "bad": float("nan")}
    notebook = {
        "cells": [
            code(shown({"application/vnd.shokubai.facts+json": {"team": "older"}, "text/plain": "facts"})),
            code(shown({"application/vnd.shokubai.facts+json": facts, "text/plain": "facts recorded"})),
        ]
    }
    html = render_page(notebook, title="T", language="en")
    block = re.search(r'<script type="application/json" id="facts">(.*?)</script>', html)
    assert block is not None
    assert json.loads(block[1]) == facts | {"bad": None}
    assert "facts recorded" not in html
    assert extract_facts(notebook) == facts
    assert extract_facts({"cells": []}) is None


def test_the_policy_admits_the_pages_own_scripts_only() -> None:
    html = page(code(chart()))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]  # type: ignore[index]
    assert "default-src &#39;none&#39;" in policy
    assert "script-src &#39;sha256-" in policy
    assert "unsafe-eval" not in policy and "script-src &#39;unsafe-inline" not in policy
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_the_sample_report_is_small_enough(make_notebook: Callable[[Any], dict[str, Any]]) -> None:
    for language in ("en", "ja"):
        html = render_page(make_notebook(language), title="Weekly report", language=language)
        assert len(html.encode()) <= 1_500_000
        assert f'<html lang="{language}">' in html


def test_a_warm_process_reads_and_compiles_nothing_more(make_notebook: Callable[[Any], dict[str, Any]]) -> None:
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from shokubai import site
from shokubai.display import exhibit, figures, tables
site.warm_up()
def stop(event, arguments):
    if event == "compile" or (event == "open" and "shokubai" in str(arguments[0])):
        raise RuntimeError(f"{{event}} {{arguments}}")
sys.addaudithook(stop)
import json
notebook = json.load(sys.stdin)
for language in ("en", "ja"):
    assert 'id="plotly"' in site.render_page(notebook, title="T", language=language)
    assert "<h1" in site.render_failure_page(title="T", language=language, message="m")
shown = exhibit.Table("t", (), ()).html() + exhibit.Prose((exhibit.Heading("h"),)).html() + exhibit.notebook_style()
print(len(shown))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(make_notebook("en"), default=str),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_a_notebook_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a{b}.ipynb"
    path.write_text(json.dumps({"cells": [markdown("hello")], "nbformat": 4}), encoding="utf-8")
    assert "hello" in render_page(path, title="T", language="en")
    path.write_text("not json", encoding="utf-8")
    with pytest.raises(ReportError, match="cannot be read as a notebook"):
        render_page(path, title="T", language="en")
    with pytest.raises(ReportError, match="cannot be read"):
        extract_facts(tmp_path / "missing.ipynb")
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ReportError, match="not a notebook"):
        extract_facts(path)


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "index.html"
    write_text(target, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(target, "half \ud800")
    assert target.read_text(encoding="utf-8") == "old"
    assert [p.name for p in target.parent.iterdir()] == ["index.html"]
