"""What a section shows: figures, tables, prose, cards and notices that Jupyter displays by themselves.

Strings in exhibits are plain text from anywhere, hostile log lines included; they are escaped here, once, when
they become HTML (autoescaping templates) or plotly's pseudo-HTML (``escape_for_plotly``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from shokubai.config.model import Language
from shokubai.display.arrays import encode_trace
from shokubai.display.format import NO_VALUE
from shokubai.display.glossary import Explained
from shokubai.display.template import PALETTE, TEMPLATE
from shokubai.findings.model import Severity, State
from shokubai.slo.model import Verdict

PLOTLY_MIME = "application/vnd.plotly.v1+json"
FACTS_MIME = "application/vnd.shokubai.facts+json"
METADATA_KEY = "shokubai"

_WORD = re.compile(r"\s+|[^\s\u2e80-\uffff]+|[\u2e80-\uffff]")  # a wide character is a word of its own
_NOT_FIRST = frozenset("、。」』)）・ーっゃゅょッャュョ")

Bundle = tuple[dict[str, Any], dict[str, Any]]
Align = Literal["start", "end"]


@cache
def _macros() -> Any:
    environment = Environment(
        loader=PackageLoader("shokubai.display", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("exhibits.html").module


@cache
def notebook_style() -> str:
    """The look of exhibits in JupyterLab, in the colours of its light and dark themes."""
    light, dark = ("".join(f"--{name}:{pair[n]};" for name, pair in PALETTE.items()) for n in (0, 1))
    rules = files("shokubai.display").joinpath("notebook.css").read_text(encoding="utf-8")
    output = ".jp-OutputArea-output"
    return f'<style>{output}{{{light}}}[data-jp-theme-light="false"] {output}{{{dark}}}{rules}</style>'


def warm_up() -> None:
    """Read and compile what all exhibits have in common."""
    _macros()
    notebook_style()


def escape_for_plotly(text: str) -> str:
    """Text that plotly shows as it is: its labels understand a little HTML, links among it."""
    return escape(text, quote=False)


@dataclass(frozen=True)
class Cell:
    """One cell of a table, already formatted. ``detail`` is a second, quieter line."""

    text: str
    detail: str = ""
    verdict: Verdict | None = None  # shown with its sign before the text
    meter: float | None = None  # 0–1, a small bar under the text
    href: str = ""
    is_code: bool = False  # routes, names and hashes: set in a fixed-width font, broken anywhere


@dataclass(frozen=True)
class Header:
    """One column's heading; numbers are aligned at the end."""

    text: str
    align: Align = "start"


@dataclass(frozen=True)
class Table:
    """A table with a caption that says what is to be seen. Cells are text or ``Cell``."""

    caption: str
    headers: tuple[Header, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    empty: str = NO_VALUE  # said instead of a table without rows

    def html(self) -> str:
        return str(_macros().table(self))

    def plain(self) -> str:
        if not self.rows:
            return f"{self.caption}: {self.empty}"
        lines = [self.caption, " | ".join(h.text for h in self.headers)]
        lines += [" | ".join(" ".join(filter(None, (c.text, c.detail))) for c in row) for row in self.rows]
        return "\n".join(lines + ([self.note] if self.note else []))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        return {"text/html": self.html(), "text/plain": self.plain()}, {}


@dataclass(frozen=True)
class Figure:
    """A chart as plain plotly JSON, arrays as numpy's.

    ``title`` and ``alt`` are plain text; ``equivalent`` says the same in words, None where a table that does so is
    shown with it. ``size`` is how much of a wide page's width it wants.
    """

    title: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    alt: str
    equivalent: Table | None
    size: Literal["full", "half", "third"] = "full"
    note: str = ""

    def spec(self) -> dict[str, Any]:
        """The chart in plotly's schema, title and template included, arrays as bytes in base64."""
        lines = _wrap(self.title)
        layout = {"template": TEMPLATE, **self.layout}
        # Plotly puts the first of several lines one line higher, out of the picture.
        layout["title"] = {"text": "<br>".join(map(escape_for_plotly, lines)), "pad": {"t": 11 * (len(lines) > 1)}}
        return {
            "data": [encode_trace(trace) for trace in self.data],
            "layout": layout,
            # Not "responsive": in JupyterLab, which resizes charts itself, they would lose their height.
            "config": {"displayModeBar": False, "displaylogo": False},
        }

    def to_plotly(self) -> Any:
        """The same chart as ``plotly.graph_objects.Figure``, to go on working with."""
        import plotly.graph_objects as go

        return go.Figure({"data": [dict(trace) for trace in self.data], "layout": self.spec()["layout"]})

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        about = {
            "title": self.title,
            "alt": self.alt,
            "note": self.note,
            "size": self.size,
            "equivalent": self.equivalent.html() if self.equivalent else "",
        }
        plain = f"{self.title}\n{self.equivalent.plain()}" if self.equivalent else self.title
        return {PLOTLY_MIME: self.spec(), "text/plain": plain}, {METADATA_KEY: about}


@dataclass(frozen=True)
class Heading:
    text: str
    level: Literal[1, 2, 3] = 2


@dataclass(frozen=True)
class Paragraph:
    """``quiet`` for words that help reading; ``strong`` for the one sentence that must be read."""

    text: str
    tone: Literal["normal", "quiet", "strong"] = "normal"
    href: str = ""


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Prose:
    """Headings, paragraphs and lists. ``language``: in which terms are explained; None for no explanations."""

    blocks: tuple[Heading | Paragraph | Bullets, ...]
    language: Language | None = None

    def html(self) -> str:
        return str(_macros().prose([(type(b).__name__, b) for b in self.blocks], Explained(self.language)))

    def plain(self) -> str:
        texts: list[str] = []
        for block in self.blocks:
            texts += [f"- {item}" for item in block.items] if isinstance(block, Bullets) else [block.text]
        return "\n".join(texts)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        return {"text/html": self.html(), "text/plain": self.plain()}, {}


@dataclass(frozen=True)
class Masthead:
    """The top of a report: whose it is, for when, and a line of labelled facts."""

    eyebrow: str
    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...] = ()

    def html(self) -> str:
        return str(_macros().masthead(self))

    def plain(self) -> str:
        return "\n".join([self.title, self.subtitle, *(f"{label}: {value}" for label, value in self.facts)])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        # In a notebook the look of everything below comes with the top; a page has its own and drops this one.
        return {"text/html": notebook_style() + self.html(), "text/plain": self.plain()}, {}


@dataclass(frozen=True)
class Callout:
    """One thing the reader must know before trusting what follows, or that there is nothing to see."""

    level: Severity
    title: str
    body: str = ""
    language: Language | None = None  # in which terms are explained

    def html(self) -> str:
        return str(_macros().callout(self, Explained(self.language)))

    def plain(self) -> str:
        return f"{self.title}\n{self.body}".strip()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        return {"text/html": self.html(), "text/plain": self.plain()}, {}


@dataclass(frozen=True)
class Notice:
    """One finding in words.

    ``label`` says level and state, ``action`` is the one next step, ``answer`` what the team said to it, and
    ``identifier`` is what it is called in parameters and commands.
    """

    level: Severity
    label: str
    title: str
    body: str = ""
    action: str = ""
    when: str = ""
    answer: str = ""
    identifier: str = ""
    state: State = "new"
    traces: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True)
class Notices:
    """Findings, in the order given."""

    items: tuple[Notice, ...]
    action_label: str = ""  # stands before each next step
    traces_label: str = ""  # stands before traces
    query_label: str = ""  # unfolds a query
    language: Language | None = None  # in which terms are explained

    def html(self) -> str:
        return str(_macros().notices(self, Explained(self.language)))

    def plain(self) -> str:
        return "\n".join(
            " ".join(filter(None, (f"[{n.label}]", n.title, n.body, n.action, n.when, n.answer, *n.traces)))
            for n in self.items
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        return {"text/html": self.html(), "text/plain": self.plain()}, {}


@dataclass(frozen=True)
class AgendaItem:
    """One thing to talk about. ``lines`` are names and texts that stand below its title, one line each."""

    level: Severity
    label: str
    title: str
    lines: tuple[tuple[str, str], ...]
    when: str = ""


@dataclass(frozen=True)
class AgendaList:
    """What to talk about, in the order given; on paper with room to write below each, after ``write_label``."""

    items: tuple[AgendaItem, ...]
    write_label: str

    def html(self) -> str:
        return str(_macros().agenda(self))

    def plain(self) -> str:
        lines = []
        for item in self.items:
            lines.append(" ".join(filter(None, (f"[{item.label}]", item.title, item.when))))
            lines += [f"  {name} {text}" for name, text in item.lines]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        return {"text/html": self.html(), "text/plain": self.plain()}, {}


@dataclass(frozen=True)
class Card:
    """One SLO's verdict at a glance."""

    verdict: Verdict
    word: str
    name: str
    context: str  # service and window
    value: str  # the SLI
    value_detail: str  # objective and interval
    budget: str
    meter: float | None  # budget left, clipped to 0–1; None when there is no data
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cards:
    """The verdicts of all SLOs, one screen."""

    cards: tuple[Card, ...]
    language: Language | None = None  # in which terms are explained

    def html(self) -> str:
        return str(_macros().cards(self, Explained(self.language)))

    def plain(self) -> str:
        return "\n".join(
            " · ".join(filter(None, (c.word, c.name, c.value, c.value_detail, c.budget, *c.lines)))
            for c in self.cards
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        return {"text/html": self.html(), "text/plain": self.plain()}, {}


@dataclass(frozen=True)
class Facts:
    """The facts of a page as JSON; invisible in the page, read by the site and by next week's report."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    message: str = "facts recorded"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        return {FACTS_MIME: dict(self.facts), "text/plain": self.message}, {}


def _wrap(title: str, width: int = 96) -> list[str]:
    """A title in lines for notebooks, where plotly does not wrap; wide characters count double, break anywhere."""
    lines: list[str] = []
    line, used = "", 0
    for word in _WORD.findall(title):
        length = sum(2 if ord(c) > 0x2E7F else 1 for c in word)
        if line and used + length > width and word[0] not in _NOT_FIRST:
            lines, line, used = [*lines, line.rstrip()], "", 0
        if line or not word.isspace():
            line, used = line + word, used + length
    return [*lines, line.rstrip()]
