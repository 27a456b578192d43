"""Terms are explained where they first stand, and only there."""

import re

import pytest

from shokubai.config.model import LANGUAGES
from shokubai.display.exhibit import Notice, Notices, Paragraph, Prose
from shokubai.display.glossary import TERMS, Explained, glossary
from shokubai.display.prose.findings import vocabulary as told
from shokubai.display.words import vocabulary
from shokubai.site.sanitize import clean_html


def test_a_term_is_explained_once_an_exhibit_and_keeps_its_spelling():
    explain = Explained("en")
    html = explain("Error budget left; the error budget and error budgets.") + explain(" Error budget.")
    assert html.count("<abbr") == 1
    assert html.startswith('<abbr title="What an objective leaves for failures:')
    assert re.sub("<[^>]*>", "", html) == "Error budget left; the error budget and error budgets. Error budget."


def test_terms_inside_of_other_words_are_left_alone():
    assert "<abbr" not in Explained("en")("slo-availability, /p95/x-p95-y, SLOW, p955, burn rates_total")


def test_japanese_needs_no_spaces():
    html = Explained("ja")("残りのエラーバジェットは37%、p95は512 msでした。")
    assert re.findall(r">([^<>]+)</abbr>", html) == ["エラーバジェット", "p95"]


def test_hostile_text_stays_text():
    text = "\"><script>alert(1)</script> SLO <b>p95</b> & 'x'"
    html = str(Explained("en")(text))
    assert "<script" not in html and "<b>" not in html
    assert html.count("<abbr") == 2
    assert clean_html(html) == clean_html(str(clean_html(html)))


def test_without_a_language_nothing_is_explained():
    assert str(Explained(None)("SLO & p95")) == "SLO &amp; p95"


def test_the_explanations_of_an_exhibit_survive_the_pages_cleaning():
    items = (Notice("warning", "", "p95 rose", "The SLO …"), Notice("notice", "", "p95 fell"))
    for exhibit in (Notices(items, language="en"), Prose((Paragraph("The SLO and its p95"),), "en")):
        cleaned = clean_html(exhibit.html())
        assert re.findall(r'<abbr title="([^"]{20,120})">(\w+)</abbr>', cleaned) == re.findall(
            r'<abbr title="([^"]+)">(\w+)</abbr>', exhibit.html()
        )
        assert sorted(re.findall(r">(\w+)</abbr>", cleaned)) == ["SLO", "p95"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_stands_somewhere_in_the_words_of_reports(language):
    written = glossary(language)
    assert len(set(written.values())) == len(TERMS)
    words = [text for key, text in vocabulary(language).items() if not key.startswith("glossary.")]
    said = " ".join([*words, str(told(language))]).lower()
    meanings = {meaning for term, meaning in written.items() if term in said}
    assert meanings == set(written.values())
