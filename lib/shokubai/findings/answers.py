"""Whether teams' answers are to rules that there are; the form of answers is checked in ``config``."""

from __future__ import annotations

from shokubai.config.model import Parameters
from shokubai.core.errors import Problem, nearest_spelling
from shokubai.findings.rules import rule_names


def answers_to_unknown_rules(parameters: Parameters) -> tuple[Problem, ...]:
    """A warning for each reply to a finding of a rule that does not exist: no report would show it."""
    known = rule_names()
    return tuple(
        Problem(
            reply.source.file,
            reply.source.line,
            reply.finding,
            "no finding has this id, because there is no such rule",
            found=repr(rule),
            allowed=", ".join(known),
            nearest=nearest_spelling(rule, known),
            level="warning",
        )
        for replies in parameters.replies.values()
        for reply in replies.values()
        if (rule := reply.finding.rpartition("|")[2]) not in known and reply.source is not None
    )
