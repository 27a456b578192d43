"""An executed notebook as one HTML page: outputs in order, code left out, charts drawn by the page itself."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote

from markupsafe import Markup

from shokubai.config.model import Language
from shokubai.core.errors import ReportError
from shokubai.display.exhibit import FACTS_MIME, METADATA_KEY, PLOTLY_MIME
from shokubai.site import sanitize
from shokubai.site.document import render, render_with_figures
from shokubai.site.packing import pack

Notebook = Mapping[str, Any]
LinkName = Literal["week", "previous"]

# Cells for those who open the notebook, and the banners papermill writes above a failed cell.
LEFT_OUT = frozenset({"notebook-only", "papermill-error-cell-tag"})
_HEADING = re.compile(r"<h2(?: class=\"[^\"]*\")?>(.*?)</h2>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_IMAGES = ("image/png", "image/jpeg")
_SIZES = ("full", "half", "third")
_TITLE_SPACE = 44  # pixels of a figure's height that its title takes in a notebook; here it stands above, as text


@dataclass(frozen=True)
class Block:
    """One piece of the page. ``kind`` picks the markup in the template."""

    kind: Literal["html", "text", "error", "image", "figure"]
    html: Markup | None = None  # sanitised
    text: str = ""  # plain
    detail: str = ""
    figure: Chart | None = None


@dataclass(frozen=True)
class Chart:
    """One chart: what a reader of text gets. The script draws it from the figure with the same number."""

    number: int
    title: str
    alt: str
    note: str
    size: str
    height: int
    equivalent: Markup


def render_page(
    notebook: Notebook | Path,
    *,
    title: str,
    language: Language,
    description: str = "",
    links: Mapping[LinkName, str] = MappingProxyType({}),
) -> str:
    """The page of an executed notebook, given as nbformat 4 JSON or as its path.

    Cells tagged ``notebook-only`` are left out. ``links`` are relative links to the pages around this one: the
    ``week`` it belongs to and the same report of the ``previous`` week. Facts (mime
    ``application/vnd.shokubai.facts+json``) stand in the page as a JSON block with the id ``facts``. Raises
    ReportError when the file is not a notebook.
    """
    loaded = _load(notebook)
    specs: list[dict[str, Any]] = []
    blocks = list(_blocks(loaded, specs))
    contents, anchored = _anchor(blocks)
    facts = extract_facts(loaded)
    values: dict[str, Any] = {
        "title": title,
        "description": description,
        "groups": list(_groups(anchored)),
        "contents": contents,
        "links": {name: quote(href) for name, href in links.items()},
        "facts": None if facts is None else sanitize.json_block(facts),
    }
    if specs:
        figures, shared = pack(specs)
        values["figures"] = [sanitize.json_block(figure) for figure in figures]
        return render_with_figures("report.html", language, shared=shared, **values)
    return render("report.html", language, **values)


def extract_facts(notebook: Notebook | Path) -> dict[str, Any] | None:
    """The facts that a notebook recorded; the last ones when it recorded several times, None when it never did."""
    facts = None
    for cell in _load(notebook).get("cells", []):
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(FACTS_MIME)
            if isinstance(found, Mapping):
                facts = dict(found)
    return facts


def _load(notebook: Notebook | Path) -> Notebook:
    if isinstance(notebook, Mapping):
        return notebook
    try:
        loaded = json.loads(notebook.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(f"{notebook}: cannot be read as a notebook: {error}") from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get("cells"), list):
        raise ReportError(f"{notebook}: is not a notebook: there is no list of cells in it")
    return loaded


def _blocks(notebook: Notebook, specs: list[dict[str, Any]]) -> Iterator[Block]:
    """The page in pieces; the figures of charts are put into ``specs``."""
    for cell in notebook.get("cells", []):
        if LEFT_OUT & set(cell.get("metadata", {}).get("tags", [])):
            continue
        if cell.get("cell_type") == "markdown":
            yield Block("html", html=sanitize.render_markdown(_text(cell.get("source", ""))))
        elif cell.get("cell_type") == "code":
            for output in cell.get("outputs", []):
                yield from _output(output, specs)


def _output(output: Mapping[str, Any], specs: list[dict[str, Any]]) -> Iterator[Block]:
    kind = output.get("output_type")
    if kind == "stream":
        yield Block("text", text=sanitize.plain_text(_text(output.get("text", ""))))
    elif kind == "error":
        said = sanitize.plain_text(f"{output.get('ename', '')}: {output.get('evalue', '')}")
        trace = sanitize.plain_text("\n".join(map(str, output.get("traceback", []))))
        yield Block("error", text=said, detail=trace)
    elif kind in {"display_data", "execute_result"}:
        data, metadata = output.get("data", {}), output.get("metadata", {})
        if FACTS_MIME in data:
            return
        if isinstance(data.get(PLOTLY_MIME), Mapping):
            yield _chart(data[PLOTLY_MIME], metadata.get(METADATA_KEY, {}), specs)
        elif "text/html" in data:
            yield Block("html", html=sanitize.clean_html(_text(data["text/html"])))
        elif "text/markdown" in data:
            yield Block("html", html=sanitize.render_markdown(_text(data["text/markdown"])))
        elif image := next((m for m in _IMAGES if m in data and _is_base64(_text(data[m]))), None):
            source = f"data:{image};base64,{''.join(_text(data[image]).split())}"
            yield Block("image", text=source, detail=_text(data.get("text/plain", "")))
        elif "text/plain" in data:
            yield Block("text", text=sanitize.plain_text(_text(data["text/plain"])))


def _chart(spec: Mapping[str, Any], about: Mapping[str, Any], specs: list[dict[str, Any]]) -> Block:
    clean = sanitize.clean_figure(spec)
    layout = clean["layout"]
    titled = layout.pop("title", None)
    drawn_title = titled.get("text") if isinstance(titled, Mapping) else titled
    title = str(about.get("title") or html.unescape(_TAG.sub(" ", str(drawn_title or ""))))
    height = layout.pop("height", None)
    height = (height if isinstance(height, int | float) else 360) - (_TITLE_SPACE if title else 0)
    for key in ("width", "autosize"):
        layout.pop(key, None)
    margin = layout.get("margin")
    top = 34 if layout.get("showlegend") else 18
    layout["margin"] = {**(margin if isinstance(margin, Mapping) else {}), "t": top}
    size = about.get("size")
    chart = Chart(
        number=len(specs),
        title=title,
        alt=str(about.get("alt") or title),
        note=str(about.get("note") or ""),
        size=size if size in _SIZES else "full",
        height=int(min(max(height, 80), 1_200)),
        equivalent=sanitize.clean_html(str(about.get("equivalent") or "")),
    )
    specs.append(clean)
    return Block("figure", figure=chart)


def _groups(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Blocks in order; small charts that follow each other stand side by side on a wide page."""
    group: list[Block] = []
    size = "full"
    for block in blocks:
        mine = block.figure.size if block.figure else "full"
        if group and (mine != size or mine == "full"):
            yield size, group
            group = []
        size = mine
        group.append(block)
    if group:
        yield size, group


def _anchor(blocks: Sequence[Block]) -> tuple[list[tuple[str, str]], list[Block]]:
    """The headings of the page as anchor and text, and the blocks with the anchors put in."""
    contents: list[tuple[str, str]] = []

    def mark(match: re.Match[str]) -> str:
        anchor = f"section-{len(contents) + 1}"
        contents.append((anchor, html.unescape(_TAG.sub("", match[1])).strip()))
        return f'<h2 id="{anchor}">{match[1]}</h2>'

    anchored = [
        Block("html", html=Markup(_HEADING.sub(mark, str(block.html)))) if block.kind == "html" else block
        for block in blocks
    ]
    return contents, anchored


def _text(value: object) -> str:
    """nbformat keeps long texts as a list of lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
