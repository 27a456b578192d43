"""The words around the exhibits: the verdict in a sentence, cards, honest gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shokubai.config.model import Text
from shokubai.core.windows import Week, Window
from shokubai.display import sections
from shokubai.display.format import Locale
from shokubai.display.tables import verdicts
from shokubai.slo.model import SloStatus

MakeStatus = Callable[..., SloStatus]


def test_headline_counts_verdicts_and_names_the_tightest_budget(
    en: Locale, ja: Locale, make_status: MakeStatus
) -> None:
    missed = make_status(name="b", display_name="B", bad=1_255, verdict="missed", reason="interval_below_objective")
    silent = make_status(name="c", valid=0, bad=0, verdict="not_enough_data", reason="no_traffic")
    assert sections.headline_sentence([make_status()], locale=en) == (
        "The one objective is met. The tightest budget is API availability, with 40% left."
    )
    assert sections.headline_sentence([make_status(), missed, silent], locale=en) == (
        "Of 3 objectives: 1 met, 1 missed, 1 without enough data to tell. The budget of B is overspent by 26%."
    )
    assert sections.headline_sentence([missed, silent], locale=ja) == (
        "SLO 2件のうち、未達が1件、データ不足が1件です。「B」のエラーバジェットは26%超過しています。"
    )
    assert sections.headline_sentence([], locale=en) == "No objectives are defined yet, so there is nothing to judge."


def test_a_card_explains_a_verdict_that_is_not_met(en: Locale, make_status: MakeStatus) -> None:
    met, silent = sections.verdict_cards(
        [make_status(), make_status(valid=0, bad=0, verdict="not_enough_data", reason="no_traffic")], locale=en
    ).cards
    assert (met.word, met.value, met.budget) == (
        "Met",
        "99.94%",
        "40% of the budget left: 400 requests, or 16 min of full outage",
    )
    assert met.lines == ("At the pace of the last 3 days (×0.5) the budget lasts.",)
    assert (silent.word, silent.value, silent.meter) == ("Not enough data", "–", None)
    assert silent.lines[0] == "No valid request was seen, and no traffic is not the same as 100%."


def test_an_objective_of_a_young_log_says_since_when(en: Locale, ja: Locale, make_status: MakeStatus) -> None:
    young = replace(make_status(), data_since=datetime(2026, 10, 29, 3, tzinfo=UTC))
    for locale, words in ((en, "data since Thu 29 Oct"), (ja, "データは10月29日(木)から")):
        assert sections.verdict_cards([young], locale=locale).cards[0].context.endswith(f" · {words}")
        assert words in verdicts([young], locale=locale).plain()
        assert words not in verdicts([make_status()], locale=locale).plain()


def test_a_month_that_has_begun_says_what_is_left_of_all_of_it(en: Locale, make_status: MakeStatus) -> None:
    # 2,000 failures of the 1,000 that 28 days allow, of a period of 112 days with 4,000; 5,000 are too many for it.
    def lines(bad: int) -> tuple[str, ...]:
        status = make_status(bad=bad, verdict="missed", reason="interval_below_objective")
        whole = Window(status.window.start, status.window.start + timedelta(days=112))
        return sections.verdict_cards([replace(status, whole_window=whole)], locale=en).cards[0].lines

    assert any("Of the whole period's budget, 50% is left" in line for line in lines(2000))
    assert any("The whole period's budget is overspent by 25%" in line for line in lines(5000))
    over = make_status(bad=1500, verdict="missed", reason="interval_below_objective")
    assert not any("whole period" in line for line in sections.verdict_cards([over], locale=en).cards[0].lines)


def test_header_says_up_to_when_data_is_complete(en: Locale, ja: Locale, week: Window) -> None:
    shown = sections.header(
        title=Text("Issuing", "請求書発行"),
        week=Week(2026, 44),
        window=week,
        data_complete_through=week.end - timedelta(hours=5),
        locale=ja,
        as_of=week.end,
    )
    assert shown.title == "請求書発行"
    assert shown.subtitle == "2026年10月26日(月)〜11月1日(日)"
    assert dict(shown.facts)["データ反映済み"] == "11月1日(日) 19:00 まで"
    unknown = sections.header(
        title="Issuing", week=Week(2026, 44), window=week, data_complete_through=None, locale=en
    )
    assert dict(unknown.facts)["Data complete through"] == "no data"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_section_callout_and_absence_has_words(language: str, en: Locale) -> None:
    reader = Locale(language, en.zone)  # type: ignore[arg-type]
    values = {"service": "api", "services": "api", "team": "a", "teams": "a", "at": "noon", "days": "Monday"}
    values |= {"count": "7", "requests": "9", "length": "1 h", "span": "a–b", "hours": "a–b"}
    assert all(sections.section(name, locale=reader).plain() for name in sections.SECTIONS)
    assert all("{" not in sections.callout(name, locale=reader, **values).plain() for name in sections.CALLOUTS)
    assert all(sections.nothing(name, locale=reader).plain() for name in sections.NOTHINGS)
