"""One objective in steps of five minutes, where its budget burned: when it began, how bad it was, when it ended."""

from __future__ import annotations

import pandas as pd

from shokubai.core.windows import Window
from shokubai.display import axes, hovers
from shokubai.display.exhibit import Cell, Figure, Header, Table
from shokubai.display.format import Locale
from shokubai.display.frames import Events
from shokubai.display.template import LIGHT
from shokubai.slo.model import SloStatus

HEIGHT = 300
ENOUGH_REQUESTS = 10  # in five minutes: below, one failure makes a bar that means nothing; drawn pale
_STEP_MS = 5 * 60 * 1000


def sli_minutes(
    steps: pd.DataFrame,
    *,
    status: SloStatus,
    episodes: pd.DataFrame,
    window: Window,
    events: Events,
    locale: Locale,
) -> Figure:
    """The share of bad requests of one SLO per five minutes (SLI_STEPS), with its EPISODES and what is allowed.

    Five minutes without requests are gaps, not zeros. The title names the worst five minutes.
    """
    name = status.slo.display_name or status.slo.name
    shown = steps[(steps["started_at"] >= window.start) & (steps["started_at"] < window.end)]
    is_known = shown["valid_count"] > 0
    drawn = shown[is_known]
    few = drawn["valid_count"] < ENOUGH_REQUESTS
    data: list[axes.Trace] = [
        _bars(part, text, colour, locale)
        for part, text, colour in (
            (drawn[~few], locale.say("figure.sli_minutes.bars"), LIGHT["series-2"]),
            (drawn[few], locale.say("figure.sli_minutes.few", count=ENOUGH_REQUESTS), LIGHT["silent"]),
        )
        if len(part)
    ]
    shapes, markers = axes.draw_events(events, {status.slo.service}, window, locale)
    bands = _bands(episodes, window, locale)
    allowed = 1 - status.slo.objective
    limit, limit_label = axes.horizontal(
        allowed, locale.say("figure.sli_minutes.allowed", ratio=locale.objective(round(allowed, 9)))
    )
    highest = float(drawn["bad_ratio"].max()) if len(drawn) else 0.0
    high = min(max(highest, allowed * 2) * 1.15, 1.1)
    note = [axes.events_note(shapes, locale)]
    if bands:
        note.insert(0, locale.say("figure.sli_minutes.note"))
    return Figure(
        title=_title(drawn, name, locale),
        data=[*data, *markers],
        layout={
            "height": HEIGHT,
            "barmode": "overlay",
            "bargap": 0,
            "showlegend": len(data) > 1,
            "hovermode": "closest",
            "xaxis": axes.time_axis(window, locale),
            "yaxis": {"tickformat": ".3~%", "range": [0, high], "nticks": 5},
            "yaxis2": axes.events_axis(),
            "shapes": [*shapes, *bands, limit],
            "annotations": [limit_label],
        },
        alt=locale.say("figure.sli_minutes.alt", name=name, span=locale.instants(window.start, window.end)),
        equivalent=_equivalent(shown, locale),
        note=(" " if locale.language == "en" else "").join(filter(None, note)),
    )


def _bars(part: pd.DataFrame, name: str, colour: str, locale: Locale) -> axes.Trace:
    return {
        "type": "bar",
        "name": name,
        "x": axes.stamps(part["started_at"], locale),
        "y": hovers.shares(part["bad_ratio"], places=2),
        "width": _STEP_MS,
        "offset": 0,
        "customdata": hovers.counts(part["bad_count"], part["valid_count"]),
        "marker": {"color": colour, "line": {"width": 0.5, "color": LIGHT["surface"]}},
        "hovertemplate": f"%{{x|%H:%M}} %{{y:.2~%}} {hovers.of_counts(locale)}<extra></extra>",
    }


def _bands(episodes: pd.DataFrame, window: Window, locale: Locale) -> list[axes.Layout]:
    """A strip along the top over each episode: the same stretches as in the table of episodes."""
    inside = episodes[(episodes["started_at"] < window.end) & (episodes["ended_at"] > window.start)]
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "y2",
            "x0": axes.stamp(max(started_at, pd.Timestamp(window.start)), locale),
            "x1": axes.stamp(min(ended_at, pd.Timestamp(window.end)), locale),
            "y0": 0.93,
            "y1": 0.97,
            "fillcolor": LIGHT["bad"],
            "line": {"width": 0},
        }
        for started_at, ended_at in zip(inside["started_at"], inside["ended_at"], strict=True)
    ]


def _title(drawn: pd.DataFrame, name: str, locale: Locale) -> str:
    if drawn.empty:
        return locale.say("figure.sli_minutes.title.nothing", name=name)
    if not drawn["bad_count"].any():
        return locale.say("figure.sli_minutes.title.none", name=name)
    # The five minutes with most bad requests, not the highest share: a quiet minute's only failure is no news.
    worst = drawn.iloc[int(drawn["bad_count"].to_numpy().argmax())]
    return locale.say(
        "figure.sli_minutes.title.some",
        name=name,
        ratio=locale.bad_ratio(float(worst["bad_ratio"])),
        bad=locale.count(worst["bad_count"]),
        valid=locale.count(worst["valid_count"]),
        at=locale.instant(worst["started_at"].to_pydatetime()),
    )


def _equivalent(shown: pd.DataFrame, locale: Locale) -> Table:
    hours = shown.groupby(shown["started_at"].dt.floor("h"))
    rows = []
    for hour, part in hours:
        valid, bad = int(part["valid_count"].sum()), int(part["bad_count"].sum())
        worst = part.iloc[int(part["bad_count"].to_numpy().argmax())]
        rows.append(
            (
                Cell(locale.instant(pd.Timestamp(str(hour)).to_pydatetime())),
                Cell(f"{locale.count(bad)} / {locale.count(valid)}"),
                Cell(locale.bad_ratio(bad / valid if valid else None)),
                Cell(
                    locale.bad_ratio(float(worst["bad_ratio"])) if bad else "–",
                    detail=locale.clock(worst["started_at"].to_pydatetime()) if bad else "",
                ),
            )
        )
    return Table(
        locale.say("figure.sli_minutes.caption"),
        (
            Header(locale.say("column.hour")),
            Header(locale.say("column.events"), "end"),
            Header(locale.say("column.bad_ratio"), "end"),
            Header(locale.say("column.worst_step"), "end"),
        ),
        tuple(rows),
    )
