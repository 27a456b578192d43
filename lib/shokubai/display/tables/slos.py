"""SLO verdicts, burn rates against their thresholds, and stretches in which budget burned fast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import pandas as pd

from shokubai.config.model import Slo
from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import MINUS, Locale
from shokubai.slo.model import BurnRate, SloStatus


def verdicts(statuses: Sequence[SloStatus], *, locale: Locale) -> Table:
    """One row per SLO: verdict and reason, SLI with its counts and interval, objective, budget left, forecast."""
    return Table(
        locale.say("table.verdicts.caption"),
        (
            Header(locale.say("column.slo")),
            Header(locale.say("column.verdict")),
            Header(locale.say("column.sli"), "end"),
            Header(locale.say("column.objective"), "end"),
            Header(locale.say("column.events"), "end"),
            Header(locale.say("column.budget_left"), "end"),
            Header(locale.say("column.forecast")),
        ),
        tuple(
            (
                Cell(s.slo.display_name or s.slo.name, detail=f"{s.slo.service} · {window_words(s, locale)}"),
                Cell(locale.say(f"verdict.{s.verdict}"), detail=locale.say(f"reason.{s.reason}"), verdict=s.verdict),
                Cell(sli_words(s, locale), detail=interval_words(s, locale)),
                Cell(locale.objective(s.slo.objective), detail=indicator_words(s.slo, locale)),
                Cell(
                    f"{locale.count(s.bad_count)} / {locale.count(s.valid_count)}",
                    detail=locale.say("unit.slices") if s.unit == "slices" else "",
                ),
                Cell(locale.share(s.budget_left_ratio), detail=_budget_left(s, locale), meter=meter(s)),
                Cell(forecast_words(s, locale)),
            )
            for s in statuses
        ),
        note=locale.say("table.verdicts.note"),
        empty=locale.say("headline.none"),
    )


def burn_rates(statuses: Sequence[SloStatus], *, locale: Locale) -> Table:
    """One row per SLO and lookback: the rate at the end of the window, the week's highest, and the threshold.

    Lookbacks over which the budget never burned faster than it lasts are only counted.
    """
    rows = [(s, b) for s in statuses for b in s.burn_rates]
    listed = [(s, b) for s, b in rows if b.peak_rate is None or max(b.peak_rate, b.rate or 0.0) >= 1]
    note = [locale.say("table.burn.note")]
    if rest := len(rows) - len(listed):
        note.append(locale.say("table.burn.rest", count=locale.count(rest)))
    return Table(
        locale.say("table.burn.caption"),
        (
            Header(locale.say("column.slo")),
            Header(locale.say("column.lookback"), "end"),
            Header(locale.say("column.rate_now"), "end"),
            Header(locale.say("column.rate_peak"), "end"),
            Header(locale.say("column.peak_at"), "end"),
            Header(locale.say("column.threshold"), "end"),
            Header(locale.say("column.crossed")),
        ),
        tuple(
            (
                Cell(s.slo.display_name or s.slo.name),
                Cell(locale.lookback(b.lookback)),
                Cell(locale.times(b.rate)),
                Cell(locale.times(b.peak_rate)),
                Cell(locale.instant(b.peak_at)),
                Cell(f"{locale.times(b.threshold)} · {locale.say(f'severity.{b.severity}')}"),
                Cell(locale.say(f"crossed.{state}")),
            )
            for s, b in listed
            for state in (crossing(b),)
        ),
        note=(" " if locale.language == "en" else "").join(note) if listed else "",
        empty=locale.say("nothing.burn" if rows else "headline.none"),
    )


def crossing(burn_rate: BurnRate) -> Literal["yes", "no", "hardly", "unknown"]:
    """Whether a threshold was crossed; ``hardly``: over one of the two lookbacks, or by too few bad events."""
    if burn_rate.peak_rate is None:
        return "unknown"
    if burn_rate.crossed_at is not None:
        return "yes"
    return "hardly" if burn_rate.peak_rate >= burn_rate.threshold else "no"


def episodes(episodes: pd.DataFrame, *, slo: Slo, locale: Locale, limit: int = 10) -> Table:
    """The stretches (EPISODES) in which one SLO's budget burned above the page threshold, in order of time.

    Of more than ``limit``, those that spent most.
    """
    largest = episodes.sort_values(["budget_spent_ratio", "started_at"], ascending=[False, True]).head(limit)
    return Table(
        locale.say("table.episodes.caption", name=slo.display_name or slo.name),
        (
            Header(locale.say("column.when")),
            Header(locale.say("column.length"), "end"),
            Header(locale.say("column.events"), "end"),
            Header(locale.say("column.budget_spent"), "end"),
        ),
        tuple(
            (
                Cell(locale.instants(start.to_pydatetime(), end.to_pydatetime())),
                Cell(locale.span((end - start).to_pytimedelta())),
                Cell(f"{locale.count(bad)} / {locale.count(valid)}"),
                Cell(locale.share(spent)),
            )
            for start, end, valid, bad, spent in largest.sort_values("started_at").itertuples(index=False, name=None)
        ),
        note=locale.say("table.rest", count=locale.count(rest)) if (rest := len(episodes) - len(largest)) else "",
        empty=locale.say("nothing.episodes"),
    )


def meter(status: SloStatus) -> float | None:
    """The budget left as a bar, 0–1."""
    return None if status.budget_left_ratio is None else min(max(status.budget_left_ratio, 0.0), 1.0)


def sli_words(status: SloStatus, locale: Locale) -> str:
    """The SLI with at least as many digits as its objective, so that cutting never turns a verdict round."""
    return locale.good_ratio(status.sli_ratio, digits=_digits(status, locale))


def interval_words(status: SloStatus, locale: Locale) -> str:
    if status.interval_low is None or status.interval_high is None:
        return ""
    return locale.interval(status.interval_low, status.interval_high, digits=_digits(status, locale))


def _digits(status: SloStatus, locale: Locale) -> int:
    return max(2, len(locale.objective(status.slo.objective).removesuffix("%").partition(".")[2]))


def indicator_words(slo: Slo, locale: Locale) -> str:
    if slo.indicator.kind == "latency":
        return locale.say("indicator.latency", threshold=locale.seconds(slo.indicator.threshold_seconds))
    return locale.say("indicator.availability")


def window_words(status: SloStatus, locale: Locale) -> str:
    """``28 days rolling``, or the calendar period's first and last day; since when there is data, if it is young."""
    if status.slo.window.is_rolling:
        words = locale.say("window.rolling", span=locale.lookback(status.slo.window.duration.timedelta))
    else:
        words = locale.say("window.calendar", days=locale.days(status.whole_window))
    if status.data_since:
        words += " · " + locale.say("window.data_since", day=locale.day(status.data_since))
    return words


def bad_kind(slo: Slo) -> Literal["failed", "slow", "slices"]:
    """What a bad event of an SLO is called."""
    if slo.budgeting != "Occurrences":
        return "slices"
    return "slow" if slo.indicator.kind == "latency" else "failed"


def budget_amounts(status: SloStatus, locale: Locale) -> str:
    """The budget left or overspent as events; of failures that are left also as a full outage."""
    if status.budget_left_ratio is None:
        return locale.say("budget.no_data")
    kind, events = bad_kind(status.slo), _events(status, locale)
    if status.budget_left_count < 0:
        return locale.say(f"budget.over.{kind}", events=events)
    if kind == "failed":
        return locale.say("budget.left.failed", events=events, minutes=locale.minutes(status.budget_left_minutes))
    return locale.say(f"budget.left.{kind}", events=events)


def _budget_left(status: SloStatus, locale: Locale) -> str:
    if status.budget_left_ratio is None:
        return ""
    events = _events(status, locale)
    if status.budget_left_count < 0:
        return f"{MINUS}{events}"
    return f"{events} · {locale.minutes(status.budget_left_minutes)}" if bad_kind(status.slo) == "failed" else events


def _events(status: SloStatus, locale: Locale) -> str:
    """Whole events of the budget left or overspent; a tenth where rounding would make none of some."""
    left = abs(status.budget_left_count)
    shown = round(left) or (max(round(left, 1), 0.1) if left else 0)
    if status.unit == "requests":
        return locale.counted(shown, "request")
    slice_ = status.slo.time_slice_window
    minutes = slice_.timedelta / timedelta(minutes=1) if slice_ else 1
    return locale.say(
        f"slices.{'minute' if minutes == 1 else 'minutes'}.{'one' if shown == 1 else 'many'}",
        count=locale.count(shown),
        length=locale.count(minutes),
    )


def forecast_words(status: SloStatus, locale: Locale) -> str:
    """When the budget will be spent at the pace of the last days."""
    forecast = status.forecast
    return locale.say(
        f"forecast.{forecast.outcome}",
        at=locale.instant(forecast.exhausted_at),
        pace=locale.times(forecast.pace_burn_rate),
        lookback=locale.lookback(forecast.lookback),
    )
