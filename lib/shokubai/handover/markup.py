"""Issue texts in Markdown (GitHub, GitLab) and in Jira's wiki markup.

Whatever comes from logs and people is text here: nothing in it becomes a link, an image, HTML, a mention, a
reference, a command or a macro.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Format = Literal["github", "gitlab", "jira"]
FORMATS: tuple[Format, ...] = ("github", "gitlab", "jira")


@dataclass(frozen=True)
class Mono:
    """Text in a typewriter's letters: ids, routes, versions."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link to an address of ours."""

    text: str
    address: str


Inline = str | Mono | Link
Words = Sequence[Inline]  # put side by side, as they are


@dataclass(frozen=True)
class Heading:
    text: str
    level: Literal[1, 2] = 2


@dataclass(frozen=True)
class Paragraph:
    words: Words


@dataclass(frozen=True)
class Bullets:
    items: Sequence[Words]


@dataclass(frozen=True)
class Code:
    """Lines that are shown as they are."""

    text: str
    language: str = "sql"


Block = Heading | Paragraph | Bullets | Code


def written(blocks: Sequence[Block], form: Format) -> str:
    """The blocks as the text of an issue, ending with a newline."""
    return "\n\n".join(_WRITERS[form](block) for block in blocks) + "\n"


# Control characters and line ends of all kinds, and those that change the order of others or take no room.
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def one_line(text: str) -> str:
    """The text on one line, with nothing in it that a reader does not see."""
    return _UNSEEN.sub(" ", _INVISIBLE.sub("", text)).strip()


# --- Markdown -------------------------------------------------------------------------------------------------------

# Takes no room and no line end; what looks for a mention or an address after rendering does not look across it.
_JOINER = "\u2060"
_MARKDOWN = re.compile(r"[\\`*_{}\[\]|]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "~": "&#126;", "#": "&#35;"}
# @team, #12, !12, %1.2, &3, ~label, ^alert, $7, GH-12 and :smile: become links or pictures once they are text.
_REFERENCE = re.compile(r"([@#!%&~^$])(?=[\w\"\[])|(?<=\bGH)()(?=-\d)|(:)(?=[a-z0-9+_-]+:)", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<=\w)(:)(?=//)|(?<=\bwww)()(?=\.)|(\b(?:mailto|xmpp|tel|javascript|data)):", re.IGNORECASE)
_LINE_START = re.compile(r"^(?:([-+=/])|(\d+)([.)]))")


def markdown_text(text: str) -> str:
    """The text so that GitHub and GitLab show it and nothing else.

    >>> markdown_text("*a* <b> [c](d)")
    '\\\\*a\\\\* &lt;b&gt; \\\\[c\\\\](d)'
    """
    text = _ADDRESS.sub(lambda found: f"{found[0]}{_JOINER}", _REFERENCE.sub(_joined, one_line(text)))
    text = re.sub(r"[&<>$~#]", lambda found: _ENTITIES[found[0]], text)
    text = _MARKDOWN.sub(r"\\\g<0>", text)
    return _LINE_START.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", text)


def _joined(found: re.Match[str]) -> str:
    return f"{found[0]}{_JOINER}"


def _markdown_words(words: Words) -> str:
    return "".join(_markdown_inline(each) for each in words)


def _markdown_inline(each: Inline) -> str:
    if isinstance(each, Mono):
        return _markdown_mono(one_line(each.text))
    if isinstance(each, Link):
        return f"[{markdown_text(each.text)}](<{_address(each.address)}>)"
    # The space beside a Mono is part of the sentence.
    before, after = (" " if each[:1].isspace() else ""), (" " if each[-1:].isspace() else "")
    return f"{before}{markdown_text(each)}{after}" if each.strip() else " "


def _markdown_mono(text: str) -> str:
    fence = "`" * (_longest_run(text, "`") + 1)
    inside = f" {text} " if text.startswith("`") or text.endswith("`") else text
    return f"{fence}{inside}{fence}" if text else ""


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {markdown_text(block.text)}"
        case Paragraph():
            return _markdown_words(block.words)
        case Bullets():
            return "\n".join(f"- {_markdown_words(item)}" for item in block.items)
        case Code():
            fence = "`" * max(3, _longest_run(block.text, "`") + 1)
            return f"{fence}{block.language}\n{block.text.rstrip()}\n{fence}"


def _longest_run(text: str, character: str) -> int:
    return max((len(run) for run in re.findall(f"{re.escape(character)}+", text)), default=0)


def _address(address: str) -> str:
    """An address of which no part ends the link it stands in."""
    return re.sub(r"[\s\x00-\x1f<>()\[\]{}|\\^`\"!*]", lambda found: f"%{ord(found[0]):02X}", address)


# --- Jira -----------------------------------------------------------------------------------------------------------

# Jira hands HTML's numeric entities on to the browser unread; its own backslash would be a line end when doubled.
_JIRA = re.compile(r"[\\{}\[\]*_+^~?!|#@<>&]|(?<!\w)-|-(?!\w)")
_JIRA_FACES = re.compile(
    r"\((?=(?:[!/?x+\-iny*]|\*[rgby]|on|off|flag|flagoff)\))|[:;](?=-?[()PD/|*](?!\w))", re.IGNORECASE
)
_JIRA_START = re.compile(r"^(h[1-6]|bq|\d+)(\.)")
_JIRA_ENDS = {"code": "{code", "noformat": "{noformat"}


def jira_text(text: str) -> str:
    """The text so that Jira shows it and nothing else.

    >>> jira_text("{code} search-api")
    '&#123;code&#125; search-api'
    """
    text = one_line(text)
    special = [*_JIRA.finditer(text), *_JIRA_FACES.finditer(text), *re.finditer(r":(?=//)|(?<=\bwww)\.", text)]
    places = {found.start() for found in special}
    if start := _JIRA_START.match(text):
        places.add(start.start(2))
    return "".join(_entity(character) if n in places else character for n, character in enumerate(text))


def _entity(character: str) -> str:
    return f"&#{ord(character)};"


def _jira_words(words: Words) -> str:
    return "".join(_jira_inline(each) for each in words)


def _jira_inline(each: Inline) -> str:
    if isinstance(each, Mono):
        text = jira_text(each.text)
        return f"{{{{{text}}}}}" if text else ""
    if isinstance(each, Link):
        return f"[{jira_text(each.text)}|{_address(each.address)}]"
    before, after = (" " if each[:1].isspace() else ""), (" " if each[-1:].isspace() else "")
    return f"{before}{jira_text(each)}{after}" if each.strip() else " "


def _jira(block: Block) -> str:
    match block:
        case Heading():
            return f"h{block.level}. {jira_text(block.text)}"
        case Paragraph():
            return _jira_words(block.words)
        case Bullets():
            return "\n".join(f"* {_jira_words(item)}" for item in block.items)
        case Code():
            return _jira_code(block)


def _jira_code(block: Code) -> str:
    """A block that its content cannot end; where it could end each kind of block, lines of escaped text."""
    text = block.text.rstrip()
    for macro, end in _JIRA_ENDS.items():
        if end not in text.lower():
            head = f"{{code:{block.language}}}" if macro == "code" else f"{{{macro}}}"
            return f"{head}\n{text}\n{{{macro}}}"
    return "\n".join(jira_text(line) for line in text.splitlines())


_WRITERS: Mapping[Format, Callable[[Block], str]] = {"github": _markdown, "gitlab": _markdown, "jira": _jira}
