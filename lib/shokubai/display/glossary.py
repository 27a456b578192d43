"""What the reports' own terms mean: said where a term first stands in an exhibit, when a reader points at it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from markupsafe import Markup

from shokubai.config.model import Language
from shokubai.display.words import say

TERMS = (
    "slo",
    "error_budget",
    "burn_rate",
    "percentile",
    "interval",
    "comparable_week",
    "settlement_day",
    "telemetry",
    "postmortem",
)


@cache
def glossary(language: Language) -> Mapping[str, str]:
    """Terms in small letters, with their meanings; a term may be written in several ways."""
    return {
        written.lower(): say(language, f"glossary.{term}.meaning")
        for term in TERMS
        for written in say(language, f"glossary.{term}.written").split(" | ")
    }


class Explained:
    """Texts of one exhibit as HTML, in which a term is explained where it first stands.

    >>> "<abbr title=" in Explained("en")("Write a postmortem.")
    True
    """

    def __init__(self, language: Language | None) -> None:
        self._language = language
        self._said: set[str] = set()

    def __call__(self, text: str) -> Markup:
        if self._language is None:
            return Markup.escape(text)
        html, done = Markup(), 0
        for found in _form(self._language).finditer(text):
            meaning = glossary(self._language)[found[0].lower()]
            if meaning in self._said:
                continue
            self._said.add(meaning)
            html += text[done : found.start()] + Markup('<abbr title="{}">{}</abbr>').format(meaning, found[0])
            done = found.end()
        return html + text[done:]


@cache
def _form(language: Language) -> re.Pattern[str]:
    """Any term, longer ones first; none inside of a Latin word or number."""
    terms = sorted(glossary(language), key=len, reverse=True)
    return re.compile(rf"(?<![0-9A-Za-z_/-])(?:{'|'.join(map(re.escape, terms))})(?![0-9A-Za-z_-])", re.IGNORECASE)
