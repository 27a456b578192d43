"""Nothing in a notebook's outputs may run in a reader's browser: HTML, Markdown and figures are made harmless.

Three fences stand one behind the other: what is here, escaping templates, and the page's Content-Security-Policy.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from shokubai.display.arrays import DTYPES

_TAGS = """
a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 header hr i kbd li
meter ol p pre s samp section small span strong sub summary sup table tbody td tfoot th thead tr ul
"""
# The classes that the stylesheet knows; an output cannot borrow others.
_CLASSES = """
accepted action agenda answer budget callout card cards context critical detail empty end eyebrow good identifier
improving label line masthead meter met missed name normal not_enough_data notice notices quiet resolved start strong
subtitle table title value verdict warning when write
"""
TAGS = frozenset(_TAGS.split())
CLASSES = frozenset(_CLASSES.split())
_ATTRIBUTES = {
    "*": {"title"},
    "a": {"href"},
    "meter": {"min", "max", "low", "high", "optimum", "value"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "data-label"},
    "th": {"colspan", "rowspan", "scope"},
}
# Elsewhere by http, https or mail; else a place relative to the page: no other host ("//…"), nothing disguised.
_LINK = re.compile(
    r"(?:https?://|mailto:)[^\s\x00-\x1f\\]+|(?!//)[^\s\x00-\x1f\\:/?#]*(?:[/?#][^\s\x00-\x1f\\]*)?", re.IGNORECASE
)


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    return None if name == "href" and not _LINK.fullmatch(value) else value


_cleaner = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags={"script", "style"},
    attributes=_ATTRIBUTES,
    tag_attribute_values={"div": {"role": {"note"}}},
    allowed_classes={tag: set(CLASSES) for tag in TAGS},
    attribute_filter=_filter_attribute,
    url_schemes={"http", "https", "mailto"},
    strip_comments=True,
    link_rel="noopener noreferrer",
)
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# What plotly's labels may keep of its little HTML: marks without attributes. Links and styles are shown as text.
_LABEL_MARKUP = re.compile(r"<(?!/?(?:b|i|em|sub|sup|br|extra)\s*/?>)", re.IGNORECASE)
# Parts of a figure that load something from elsewhere or draw controls of their own.
_REFUSED_LAYOUT = frozenset({"images", "updatemenus", "sliders", "mapbox", "map", "geo"})
_NO_KEYS = frozenset({"__proto__"})  # a script that copies it changes what all objects are
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_SHAPE = re.compile(r"\d{1,9}(?:, ?\d{1,9}){0,2}")
_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def clean_html(html: str) -> Markup:
    """HTML with the tags and classes of reports only; scripts, styles, handlers, ids and odd links are gone."""
    return Markup(_cleaner.clean(html))


def render_markdown(text: str) -> Markup:
    """Markdown as HTML; raw HTML in it stays text, and so do links with other schemes than http, https and mailto."""
    return clean_html(_markdown.render(text))


def plain_text(text: str) -> str:
    """Terminal output without its colour codes. Not escaped: the template does that."""
    return _ANSI.sub("", text)


def clean_figure(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A plotly figure with harmless labels, and nothing in it that loads or controls."""
    layout = {k: v for k, v in _mapping(spec.get("layout")).items() if k not in _REFUSED_LAYOUT}
    data = spec.get("data")
    cleaned = {
        "data": [t for t in data if isinstance(t, Mapping)] if isinstance(data, list | tuple) else [],
        "layout": layout,
    }
    result: dict[str, Any] = _clean_value(cleaned)
    return result


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return _LABEL_MARKUP.sub("&lt;", value) if "<" in value else value
    if isinstance(value, Mapping):
        if "dtype" in value or "bdata" in value:
            return _encoded_array(value)
        return {_clean_value(str(key)): _clean_value(item) for key, item in value.items() if key not in _NO_KEYS}
    if isinstance(value, list | tuple):
        return [_clean_value(item) for item in value]
    return value


def _encoded_array(value: Mapping[str, Any]) -> dict[str, str] | list[Any]:
    """Numbers as plotly encodes them, nothing beside; an empty list where plotly could not read them."""
    dtype, bdata, shape = value.get("dtype"), value.get("bdata"), value.get("shape")
    if not (isinstance(dtype, str) and dtype in DTYPES and isinstance(bdata, str) and _BASE64.fullmatch(bdata)):
        return []
    count, rest = divmod(len(bdata) // 4 * 3 - bdata[-2:].count("="), DTYPES[dtype])
    if len(bdata) % 4 or rest:
        return []
    if shape is None:
        return {"dtype": dtype, "bdata": bdata}
    sides = [int(side) for side in shape.split(",")] if isinstance(shape, str) and _SHAPE.fullmatch(shape) else []
    if not sides or math.prod(sides) != count:
        return []
    return {"dtype": dtype, "bdata": bdata, "shape": shape}


def _finite(value: Any) -> Any:
    """The same with None where JSON has no word for a number."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)


def json_block(value: object) -> Markup:
    """JSON that can stand inside a script element: it cannot close it. Numbers that JSON lacks become null."""
    try:
        text = _json(value)
    except ValueError:
        text = _json(_finite(value))
    for character, escaped in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(character, escaped)
    return Markup(text)
