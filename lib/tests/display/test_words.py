"""The languages say the same things, every sentence is said somewhere, and every word needed is there."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import shokubai.display
from shokubai.config.model import LANGUAGES, Language
from shokubai.display import sections
from shokubai.display.frames import COMPLETENESS_STATES
from shokubai.display.tables import PROVENANCE_LABELS
from shokubai.display.words import say, vocabulary
from shokubai.slo.model import Reason, Verdict

PACKAGE = Path(shokubai.display.__file__).parent.parent


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_languages_have_the_same_keys_and_placeholders() -> None:
    english, japanese = vocabulary("en"), vocabulary("ja")
    assert english.keys() == japanese.keys()
    assert {k for k in english if placeholders(english[k]) != placeholders(japanese[k])} == set()


def test_japanese_is_written_in_japanese() -> None:
    same = {k for k, sentence in vocabulary("ja").items() if sentence == vocabulary("en")[k]}
    assert same == {"metric.cpu", "window.calendar", "glossary.percentile.written"}


def test_every_sentence_is_said_somewhere() -> None:
    sources = "\n".join(
        p.read_text(encoding="utf-8") for p in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("templates/*.html")]
    )
    literal = set(re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)+)"', sources))
    patterns = [
        re.compile(re.sub(r"\\\{.*?\\\}", r"[^.]+", re.escape(text)))
        for text in re.findall(r'f"([a-z_]+\.[^"]*\{[^"]*)"', sources)
    ]
    patterns += [re.compile(re.escape(text) + r"[^.]+") for text in re.findall(r'"([a-z_.]+\.)" ~', sources)]
    unsaid = {k for k in vocabulary("en") if k not in literal and not any(p.fullmatch(k) for p in patterns)}
    assert unsaid == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_closed_sets_have_exactly_their_words(language: Language) -> None:
    words = vocabulary(language)

    def below(prefix: str) -> set[str]:
        return {key.removeprefix(prefix).split(".")[0] for key in words if key.startswith(prefix)}

    assert below("section.") == set(sections.SECTIONS)
    assert below("callout.") == set(sections.CALLOUTS)
    assert below("nothing.") == set(sections.NOTHINGS)
    assert below("verdict.") == set(get_args(Verdict))
    assert below("reason.") == set(get_args(Reason))
    assert below("completeness.") == set(COMPLETENESS_STATES)
    assert below("silence.") == set(COMPLETENESS_STATES) - {"data", "quiet", "before_log"}
    assert below("provenance.") == set(PROVENANCE_LABELS)


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("en", "verdict.perhaps")
