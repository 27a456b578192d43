"""Noting in the team's replies that something was handed over: one line more, everything else as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from shokubai import site
from shokubai.config.located import Node, Problems, read_documents, read_text
from shokubai.config.model import Parameters, Team
from shokubai.core.errors import UsageError
from shokubai.core.windows import Week
from shokubai.display.words import say
from shokubai.handover.markup import one_line

REPLIES = "replies"
HANDED_OVER = "handed_over"
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # what YAML wants escaped and JSON does not


def replies_file(parameters: Parameters, team: Team) -> Path:
    return parameters.directory / REPLIES / f"{team.name}.yaml"


def reply_line(finding: str, team: Team, week: Week) -> str:
    """The line of the team's replies that says that a finding was handed over with the report of ``week``."""
    owner = one_line(team.display_name.in_language(team.language)) or team.name
    reply = say(team.language, "handover.reply")
    return f"{_quoted(finding)}: {{owner: {_quoted(owner)}, reply: {_quoted(reply)}, {HANDED_OVER}: {week}}}"


def record_handover(finding: str, parameters: Parameters, team: Team, week: Week) -> bool:
    """Add the line to the team's replies; False when the file says the same already.

    Comments and all other lines stay as they are; the file is replaced as a whole or not at all. Raises UsageError
    when the finding has a reply that says otherwise, and when the file is not one to which a line can be added, with
    what to write by hand.
    """
    file = replies_file(parameters, team)
    line = reply_line(finding, team, week)
    before = _read(file)
    text = file.read_bytes().decode("utf-8") if file.exists() else ""
    known = before.mapping.get(finding)
    if known is not None:
        said = known.at(HANDED_OVER).text
        if said == str(week):
            return False
        place = f"{known.file}:{known.line}"
        if said:
            raise UsageError(
                f"{place}: {finding} was handed over with the report of {said}; nothing was changed. If that is no "
                f"longer so, write there {HANDED_OVER}: {week}"
            )
        raise UsageError(
            f"{place}: {finding} has a reply already; nothing was changed. Add to it there: {HANDED_OVER}: {week}"
        )
    newline = "\r\n" if "\r\n" in text else "\n"
    joined = text if not text or text.endswith("\n") else text + newline
    after = joined + line + newline
    if not _adds_only(before, after, file, finding):
        raise UsageError(
            f"{file}: a line at its end would not be one more reply (it must be one YAML document, a mapping in "
            f"block style); nothing was changed. Add by hand:\n{line}"
        )
    site.write_text(file.resolve(), after)
    return True


def _adds_only(before: Node, after: str, file: Path, finding: str) -> bool:
    """Whether the text holds what was there before, and one reply more."""
    problems = Problems()
    read = read_text(after.removeprefix("\ufeff"), file, problems)
    if problems.error_count or len(read) != 1:
        return False
    replies, known = read[0].mapping, before.mapping
    others = {name: _plain(reply) for name, reply in replies.items() if name != finding}
    is_like_before = before.value is None or isinstance(before.value, Mapping)
    return is_like_before and finding in replies and others == {name: _plain(reply) for name, reply in known.items()}


def _read(file: Path) -> Node:
    """The replies that are there. Raises UsageError when the file cannot be read as YAML."""
    if not file.exists():
        return Node(file, 1)
    problems = Problems()
    documents = read_documents(file, problems)
    if problems.error_count:
        raise UsageError("\n".join(str(problem) for problem in problems.found))
    return documents[0] if documents else Node(file, 1)


def _plain(node: Node) -> object:
    if isinstance(node.value, Mapping):
        return {name: _plain(part) for name, part in node.mapping.items()}
    if isinstance(node.value, tuple):
        return [_plain(item) for item in node.items]
    return node.value, node.text


def _quoted(text: str) -> str:
    """The text in double quotes, as YAML reads it back."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
