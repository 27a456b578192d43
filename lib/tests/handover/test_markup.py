"""Issue texts: whatever comes from logs and people is shown as it is, and does nothing."""

from __future__ import annotations

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from shokubai.handover.markup import (
    FORMATS,
    Block,
    Bullets,
    Code,
    Format,
    Heading,
    Link,
    Mono,
    Paragraph,
    jira_text,
    markdown_text,
    one_line,
    written,
)


def _payloads() -> tuple[str, ...]:
    file = Path(__file__).parents[1] / "site" / "injections.py"
    spec = importlib.util.spec_from_file_location("injections", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return tuple(module.PAYLOADS)


HOSTILE = (
    "[go](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<img src=x onerror=alert(1)>",
    "<https://evil.example>",
    "https://evil.example/x www.evil.example mailto:a@evil.example",
    "@team @org/team please look, team@example.com",
    "#12 !34 &5 ~bug %1.0 $6 ^alert#7 GH-8 org/repo#9",
    '~"a label" %"a milestone"',
    "/close",
    "/assign @boss",
    "`code` ``` fence",
    "```\n/close\n```",
    "# heading",
    "- item",
    "1. item",
    "| a | b |\n|---|---|",
    "a\n===",
    "> quote",
    "*bold* __bold__ ~~gone~~ $x^2$",
    ":tada: :+1:",
    "&lt;b&gt; &#60;b&#62;",
    "{code}x{code} {noformat} {color:red}x{color}",
    "[~admin] [evil|https://evil.example] !https://evil.example/x.png! !x.png|width=9!",
    "{{mono}} *b* _i_ -gone- +new+ ^up^ ~down~ ??cite?? ----",
    "h1. heading",
    "bq. quote",
    "a \\\\ b \\{code}",
    ":) (y) (!) (*r)",
    "line\u2028break\x07\x1b[31m \u202ereversed",
    *_payloads(),
)


class _Read(HTMLParser):
    """The text of a page, and the elements in it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _rendered(markdown: str) -> _Read:
    """As GitHub's Markdown (CommonMark, tables, strikethrough, bare addresses) with HTML left in."""
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False}).disable("linkify")
    read = _Read()
    read.feed(renderer.render(markdown))
    return read


def _visible(text: str) -> str:
    return text.replace("\u2060", "").strip()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_markdown_shows_the_text_and_nothing_else(hostile: str) -> None:
    read = _rendered(written([Paragraph([hostile])], "github"))
    assert _visible(read.text) == one_line(hostile)
    assert [tag for tag, _ in read.elements] == ["p"]


# What GitHub and GitLab look for in the text once it is rendered, outside of code.
REFERENCES = (
    r"(?<!\w)@[\w\"]",
    r"[#!&~^][\w\"\[]",
    r"%[\w\"]",
    r"\bGH-\d",
    r"(?i):[a-z0-9_+-]+:",
    r"(?i)\w://",
    r"(?i)\bwww\.",
    r"(?i)\b(mailto|xmpp):\w",
    r"[\w.]@\w",
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_rendered_text_is_a_reference_or_an_address(hostile: str) -> None:
    text = _rendered(written([Paragraph([hostile])], "gitlab")).text
    assert [reference for reference in REFERENCES if re.search(reference, text)] == []


def test_no_line_is_a_command() -> None:
    """GitLab carries out lines that begin with a slash and a word."""
    blocks: list[Block] = [
        Paragraph(["/close"]),
        Bullets([["/close"]]),
        Heading("/close"),
        Paragraph([Mono("/close")]),
    ]
    assert not re.search(r"^/", written(blocks, "gitlab"), re.MULTILINE)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_monospaced_text_ends_where_it_ends(hostile: str) -> None:
    read = _rendered(written([Paragraph(["before ", Mono(hostile), " after"])], "github"))
    assert [tag for tag, _ in read.elements] == ["p", "code"]
    assert " ".join(read.text.split()) == " ".join(f"before {one_line(hostile)} after".split())


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_block_of_code_ends_where_it_ends(hostile: str) -> None:
    code = hostile.replace("\x07", "").replace("\x1b", "")
    read = _rendered(written([Code(f"SELECT 1\n{code}\nend"), Paragraph(["after"])], "github"))
    assert [tag for tag, _ in read.elements] == ["pre", "code", "p"]
    assert read.text.split() == f"SELECT 1\n{code}\nend after".split()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_link_leads_where_it_should(hostile: str) -> None:
    read = _rendered(written([Paragraph([Link(hostile, "../a (b)/<c>.html")])], "github"))
    [(_, _), (tag, attributes)] = read.elements
    assert (tag, attributes["href"]) == ("a", "../a%20%28b%29/%3Cc%3E.html")


# Everything that begins something in Jira's wiki markup, as far as it is not inside of a word.
JIRA_MARKUP = re.compile(
    r"[{}\[\]|\\*_+^~?!#@<>&]|^(h[1-6]|bq)\.|(?<!\w)-|-(?!\w)|\w://|\bwww\.|\((/|x|y|n|i|on|off)\)|[:;]-?[()DP](?!\w)",
    re.IGNORECASE,
)
ENTITY = re.compile(r"&#(\d+);")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_jira_text_holds_no_markup_and_reads_as_it_is(hostile: str) -> None:
    text = jira_text(hostile)
    assert not JIRA_MARKUP.search(ENTITY.sub("·", text))
    assert ENTITY.sub(lambda found: chr(int(found[1])), text) == one_line(hostile)


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("SELECT '{route}'", "{code:sql}", "{code}"),
        ("SELECT '{code}'", "{noformat}", "{noformat}"),
        ("SELECT '{CODE:java}'", "{noformat}", "{noformat}"),
    ],
)
def test_a_jira_block_is_of_a_kind_that_its_content_does_not_end(code: str, first: str, last: str) -> None:
    assert written([Code(code)], "jira") == f"{first}\n{code}\n{last}\n"


def test_where_every_jira_block_would_end_lines_are_escaped() -> None:
    text = written([Code("SELECT '{code}'\nFROM '{noformat}'")], "jira")
    assert text == "SELECT '&#123;code&#125;'\nFROM '&#123;noformat&#125;'\n"


DOCUMENT: list[Block] = [
    Heading("It is slow", level=1),
    Bullets([["Route: ", Mono("GET /v1/{id}")], ["Report: ", Link("the report", "../a.html"), " (W44)"]]),
    Heading("Evidence"),
    Paragraph(["Run it: ", Mono("a`b")]),
    Code("SELECT 1"),
]
MARKDOWN = """\
# It is slow

- Route: `GET /v1/{id}`
- Report: [the report](<../a.html>) (W44)

## Evidence

Run it: ``a`b``

```sql
SELECT 1
```
"""
JIRA = """\
h1. It is slow

* Route: {{GET /v1/&#123;id&#125;}}
* Report: [the report|../a.html] (W44)

h2. Evidence

Run it: {{a`b}}

{code:sql}
SELECT 1
{code}
"""


@pytest.mark.parametrize(("form", "text"), [("github", MARKDOWN), ("gitlab", MARKDOWN), ("jira", JIRA)])
def test_a_document(form: Format, text: str) -> None:
    assert written(DOCUMENT, form) == text


def test_every_format_is_written() -> None:
    assert {form: bool(written(DOCUMENT, form)) for form in FORMATS} == dict.fromkeys(FORMATS, True)


def test_ordinary_text_stays_readable() -> None:
    ordinary = "It has been slower since Tue 27 Oct 14:00 (95% interval); p95 was 512 ms, not 970."
    assert markdown_text(ordinary) == jira_text(ordinary) == ordinary
