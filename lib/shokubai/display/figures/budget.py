"""How much of each error budget was left, hour by hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from shokubai.core.windows import DAY, Window
from shokubai.display import axes, hovers
from shokubai.display.exhibit import Cell, Figure, Header, Table, escape_for_plotly
from shokubai.display.format import MINUS, Locale
from shokubai.display.frames import Events
from shokubai.display.template import DASHES, SERIES
from shokubai.slo.model import SloStatus

HEIGHT = 320
NOTABLE_DROP = 0.05  # of the budget in one day: smaller steps are not worth a title
DEEPEST = -1.5  # an axis that reaches further down makes everything else flat


@dataclass(frozen=True)
class Drop:
    """The local day on which most budget went."""

    day: datetime
    ratio: float


def budget(
    histories: Mapping[str, pd.DataFrame], *, statuses: Sequence[SloStatus], events: Events, locale: Locale
) -> Figure:
    """The budget left over time, one line per SLO that has a history.

    ``histories`` maps an SLO's name to its BUDGET_HISTORY. The title speaks of the SLO with the least budget left.
    """
    shown = [
        s for s in statuses if s.slo.name in histories and histories[s.slo.name]["budget_left_ratio"].notna().any()
    ]
    if not shown:
        return _nothing(statuses, locale)
    frames = [histories[s.slo.name] for s in shown]
    window = Window(
        min(f["at"].min() for f in frames).to_pydatetime(), max(f["at"].max() for f in frames).to_pydatetime()
    )
    lowest = min(float(f["budget_left_ratio"].min()) for f in frames)
    low = max(min(-0.08, lowest - 0.05), DEEPEST)
    high = 1.05
    data, labels = [], []
    for n, (status, frame) in enumerate(zip(shown, frames, strict=True)):
        colour, name = SERIES[n % len(SERIES)], status.slo.display_name or status.slo.name
        last = frame["budget_left_ratio"].dropna().iloc[-1]
        labels.append(axes.EndLabel(f"{name} {locale.share(last)}", float(last), colour))
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": escape_for_plotly(name),
                "x": axes.stamps(frame["at"], locale),
                "y": hovers.shares(frame["budget_left_ratio"], places=1),
                "line": {"color": colour, "width": 2, "dash": DASHES[n % len(DASHES)], "shape": "linear"},
                "connectgaps": False,
                "hovertemplate": "%{fullData.name}: %{y:.1%}<extra></extra>",
            }
        )
    shapes, markers = axes.draw_events(events, {s.slo.service for s in shown}, window, locale)
    zero, zero_label = axes.horizontal(0, locale.say("figure.budget.zero"), dash="solid")
    title = _title(shown, histories, locale)
    layout = {
        "height": HEIGHT,
        "margin": {"r": axes.label_margin(labels)},
        "xaxis": axes.time_axis(window, locale),
        "yaxis": {"range": [low, high], "tickformat": ",.0%", "nticks": 6},
        "yaxis2": axes.events_axis(),
        "shapes": [*shapes, zero],
        "annotations": [
            zero_label,
            *axes.end_labels(labels, low=low, high=high, height=HEIGHT - 104),
        ],
    }
    note = axes.events_note(shapes, locale)
    if lowest < DEEPEST:
        note = locale.say("figure.budget.clipped", lowest=locale.share(lowest)) + " " + note
    return Figure(
        title=title,
        data=[*data, *markers],
        layout=layout,
        alt=locale.say("figure.budget.alt", count=len(shown), span=locale.days(window)),
        equivalent=_equivalent(shown, histories, window, locale),
        note=note.strip(),
    )


def _title(shown: Sequence[SloStatus], histories: Mapping[str, pd.DataFrame], locale: Locale) -> str:
    worst = min(shown, key=lambda s: float(histories[s.slo.name]["budget_left_ratio"].dropna().iloc[-1]))
    history = histories[worst.slo.name].dropna(subset=["budget_left_ratio"])
    left = float(history["budget_left_ratio"].iloc[-1])
    name = worst.slo.display_name or worst.slo.name
    drop = steepest_day(history, locale)
    state = "overspent" if left < 0 else "left"
    amount = locale.share(left).removeprefix(MINUS)
    if drop is None or drop.ratio < NOTABLE_DROP:
        return locale.say(f"figure.budget.title.{state}", name=name, amount=amount)
    return locale.say(
        f"figure.budget.title.{state}_drop",
        name=name,
        amount=amount,
        drop=locale.points(drop.ratio),
        day=locale.day(drop.day),
    )


def steepest_day(history: pd.DataFrame, locale: Locale) -> Drop | None:
    """The local day over which the budget left fell most, and by how much; None when it never fell."""
    known = history.dropna(subset=["budget_left_ratio"])
    if len(known) < 2:
        return None
    # The value at an instant counts for the day that ends there.
    day = (known["at"] - pd.Timedelta("1us")).dt.tz_convert(locale.zone).dt.normalize()
    falls = (-known["budget_left_ratio"].diff()).groupby(day).sum()
    steepest = int(falls.to_numpy().argmax())
    fall = float(falls.iloc[steepest])
    return Drop(falls.index[steepest].to_pydatetime(), fall) if fall > 0 else None


def _equivalent(
    shown: Sequence[SloStatus], histories: Mapping[str, pd.DataFrame], window: Window, locale: Locale
) -> Table:
    rows = []
    for status in shown:
        known = histories[status.slo.name].dropna(subset=["budget_left_ratio"])
        at = [instant.to_pydatetime() for instant in known["at"]]
        left = known["budget_left_ratio"].tolist()
        week_ago = [value for instant, value in zip(at, left, strict=True) if instant <= at[-1] - 7 * DAY]
        lowest = left.index(min(left))
        rows.append(
            (
                Cell(status.slo.display_name or status.slo.name),
                Cell(locale.share(left[0]), locale.instant(at[0])),
                Cell(locale.share(week_ago[-1] if week_ago else None)),
                Cell(locale.share(left[-1]), locale.instant(at[-1])),
                Cell(locale.share(left[lowest]), locale.instant(at[lowest])),
            )
        )
    return Table(
        locale.say("figure.budget.caption"),
        (
            Header(locale.say("column.slo")),
            Header(locale.say("column.first"), "end"),
            Header(locale.say("column.week_ago"), "end"),
            Header(locale.say("column.last"), "end"),
            Header(locale.say("column.lowest"), "end"),
        ),
        tuple(rows),
    )


def _nothing(statuses: Sequence[SloStatus], locale: Locale) -> Figure:
    names = Table(
        locale.say("figure.budget.caption"),
        (Header(locale.say("column.slo")), Header(locale.say("column.last"), "end")),
        tuple((Cell(s.slo.display_name or s.slo.name), Cell(locale.share(None))) for s in statuses),
    )
    return Figure(
        title=locale.say("figure.budget.title.nothing"),
        data=[],
        layout={"height": 120, "xaxis": {"visible": False}, "yaxis": {"visible": False}},
        alt=locale.say("figure.budget.title.nothing"),
        equivalent=names,
    )
