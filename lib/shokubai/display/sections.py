"""The words around the exhibits: headings with a sentence on how to read them, the verdict first, and honest gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args

from shokubai.config.model import Team, Text
from shokubai.core.windows import Week, Window
from shokubai.display.exhibit import Callout, Card, Cards, Heading, Masthead, Paragraph, Prose
from shokubai.display.format import MINUS, Locale
from shokubai.display.tables.slos import (
    budget_amounts,
    forecast_words,
    indicator_words,
    interval_words,
    meter,
    sli_words,
    window_words,
)
from shokubai.findings.model import Severity
from shokubai.slo.model import SloStatus

Section = Literal[
    "verdict",
    "findings",
    "budget",
    "burn",
    "week",
    "traffic",
    "errors",
    "latency",
    "routes",
    "changes",
    "saturation",
    "data_quality",
    "provenance",
    "attention",
    "reading_list",
    "teams",
    "sre_requests",
    "resolved",
    "last_week",
    "agenda",
]
SECTIONS: tuple[Section, ...] = get_args(Section)

CalloutName = Literal[
    "no_latency",
    "no_status",
    "some_status",
    "no_traffic",
    "no_slos",
    "no_data",
    "no_report",
    "no_comparison",
    "late_data",
    "short_data",
    "telemetry_gap",
    "month_turn",
]
CALLOUTS: tuple[CalloutName, ...] = get_args(CalloutName)

Nothing = Literal[
    "findings",
    "routes_by_budget",
    "routes_by_change",
    "busiest_routes",
    "changes",
    "metrics",
    "silences",
    "burn",
    "statuses",
    "episodes",
    "attention",
    "agenda",
    "sre_requests",
    "queries",
]
NOTHINGS: tuple[Nothing, ...] = get_args(Nothing)


def header(
    *,
    title: Text | str,
    week: Week,
    window: Window,
    data_complete_through: datetime | None,
    locale: Locale,
    gaps: Sequence[str] = (),
    as_of: datetime | None = None,
    eyebrow: str = "",
    facts: Mapping[str, str] | None = None,
) -> Masthead:
    """The top of a page: whose week it is and up to when its data is complete.

    ``title`` is a team's or the organisation's name; ``gaps`` say what that instant does not cover; ``as_of`` is
    when the page was made; ``facts`` are further labels and values. Gaps and facts are already in words.
    """
    complete = (
        locale.say("time.until", at=locale.instant(data_complete_through))
        if data_complete_through
        else locale.say("header.no_data")
    )
    shown = {
        locale.say("header.week"): str(week),
        locale.say("header.data_complete_through"): locale.join([complete, *gaps]),
        locale.say("header.zone"): locale.zone_name(),
        **(facts or {}),
    }
    if as_of:
        shown[locale.say("header.as_of")] = locale.instant(as_of, year=True)
    name = title if isinstance(title, str) else locale.text(title)
    return Masthead(
        eyebrow or locale.say("header.eyebrow"), name, locale.days(window, year=True), tuple(shown.items())
    )


def team_header(
    team: Team,
    *,
    week: Week,
    window: Window,
    data_complete_through: datetime | None,
    locale: Locale,
    as_of: datetime | None = None,
) -> Masthead:
    """The top of a team's weekly report: its name, the week, the services it owns."""
    return header(
        title=locale.text(team.display_name) or team.name,
        week=week,
        window=window,
        data_complete_through=data_complete_through,
        locale=locale,
        as_of=as_of,
        facts={locale.say("header.services"): locale.join(list(team.services))},
    )


def section(name: Section, *, locale: Locale) -> Prose:
    """A section's heading and the sentence on how to read it."""
    return Prose(
        (Heading(locale.say(f"section.{name}.title")), Paragraph(locale.say(f"section.{name}.lead"), "quiet")),
        locale.language,
    )


def headline(statuses: Sequence[SloStatus], *, locale: Locale) -> Prose:
    """The verdict on all SLOs in one sentence, and the tightest budget in a second."""
    return Prose((Paragraph(headline_sentence(statuses, locale=locale), "strong"),))


def headline_sentence(statuses: Sequence[SloStatus], *, locale: Locale) -> str:
    """The sentence of ``headline`` as plain text, for facts and index pages."""
    if not statuses:
        return locale.say("headline.none")
    counts = {v: sum(s.verdict == v for s in statuses) for v in ("met", "missed", "not_enough_data")}
    total = len(statuses)
    if total == 1:
        first = locale.say(f"headline.one.{statuses[0].verdict}")
    elif total == 2 and len({s.verdict for s in statuses}) == 1:
        first = locale.say(f"headline.both.{statuses[0].verdict}")
    elif counts["met"] == total:
        first = locale.say("headline.all_met", count=total)
    elif counts["missed"] == total:
        first = locale.say("headline.all_missed", count=total)
    else:
        parts = [locale.say(f"headline.part.{v}", count=n) for v, n in counts.items() if n]
        first = locale.say("headline.mixed", count=total, parts=locale.join(parts))
    known = [s for s in statuses if s.budget_left_ratio is not None]
    if not known:
        return first
    tightest = min(known, key=lambda s: s.budget_left_ratio or 0.0)
    left = tightest.budget_left_ratio or 0.0
    second = locale.say(
        "headline.overspent" if left < 0 else "headline.tightest",
        name=tightest.slo.display_name or tightest.slo.name,
        amount=locale.share(left).removeprefix(MINUS),
    )
    return first + (" " if locale.language == "en" else "") + second


def verdict_cards(statuses: Sequence[SloStatus], *, locale: Locale) -> Cards:
    """One card per SLO: verdict, SLI against objective, budget left, and why or how long it lasts."""
    return Cards(tuple(_card(status, locale) for status in statuses), locale.language)


def _card(status: SloStatus, locale: Locale) -> Card:
    slo = status.slo
    detail = locale.say("card.objective", objective=locale.objective(slo.objective))
    if interval := interval_words(status, locale):
        detail = locale.say("card.interval", objective=locale.objective(slo.objective), interval=interval)
    left = status.budget_left_ratio
    if left is None:
        budget = locale.say("budget.no_data")
    else:
        budget = locale.say(
            "card.budget_over" if left < 0 else "card.budget_left",
            share=locale.share(left).removeprefix(MINUS),
            amounts=budget_amounts(status, locale),
        )
    lines = [forecast_words(status, locale)]
    projected = status.projected_left_ratio
    if left is not None and projected is not None and left < 0 and projected != left:
        lines.insert(
            0,
            locale.say(
                "card.projected_over" if projected < 0 else "card.projected",
                share=locale.share(projected).removeprefix(MINUS),
            ),
        )
    if status.verdict != "met":
        lines.insert(0, locale.say(f"reason.{status.reason}"))
    if status.completeness_ratio < 1:
        missing = status.window.duration * (1 - status.completeness_ratio)
        lines.append(
            locale.say(
                "card.completeness", missing=locale.span(missing), whole=locale.lookback(status.window.duration)
            )
        )
    return Card(
        verdict=status.verdict,
        word=locale.say(f"verdict.{status.verdict}"),
        name=slo.display_name or slo.name,
        context=f"{slo.service} · {indicator_words(slo, locale)} · {window_words(status, locale)}",
        value=sli_words(status, locale),
        value_detail=detail,
        budget=budget,
        meter=meter(status),
        lines=tuple(lines),
    )


def callout(name: CalloutName, *, locale: Locale, level: Severity = "notice", **values: object) -> Callout:
    """Something to know before reading on.

    Values (formatted text): no_latency, no_status, no_traffic: ``service``; some_status: ``service``, ``count``,
    ``requests``; late_data: ``services``, ``at``; short_data: ``length``, ``span``, ``hours``;
    telemetry_gap: ``services``; no_comparison, month_turn: ``days``; no_slos: ``team``;
    no_report: ``teams``; no_data: none.
    """
    title, body = (locale.say(f"callout.{name}.{part}", **values) for part in ("title", "body"))
    return Callout(level, title, body, locale.language)


def nothing(name: Nothing, *, locale: Locale) -> Callout:
    """Says that there was nothing to show, which is different from not having looked."""
    return Callout("notice" if name == "metrics" else "good", locale.say(f"nothing.{name}"))
