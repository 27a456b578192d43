"""Requests per hour this week, against the comparable week and the same business days of last month."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shokubai.display import axes
from shokubai.display.arrays import Array
from shokubai.display.exhibit import Cell, Figure, Header, Table, escape_for_plotly
from shokubai.display.format import Locale
from shokubai.display.frames import Events, Periods
from shokubai.display.template import LIGHT

HEIGHT = 300


def traffic(hours: pd.DataFrame, *, service: str, periods: Periods, events: Events, locale: Locale) -> Figure:
    """Requests per hour of one service (HOURLY_TRAFFIC).

    The title compares sums over the hours that both periods have. Hours without telemetry are gaps.
    """
    mine = hours[hours["service_name"] == service].sort_values("hour")
    x = axes.stamps(mine["hour"], locale)
    data: list[axes.Trace] = [
        _line(x, mine["last_month_request_count"], locale.say("period.last_month"), dash="dot"),
        _line(x, mine["comparable_request_count"], comparable_name(periods, locale), dash="dash"),
        {
            **_line(x, mine["request_count"], locale.say("period.this_week"), dash="solid"),
            "line": {"color": LIGHT["series-1"], "width": 2},
            "fill": "tozeroy",
            "fillcolor": LIGHT["series-1-fill"],
        },
    ]
    # Drawn under the lines of the past, listed first.
    data = [trace for trace in (data[2], data[1], data[0]) if np.isfinite(trace["y"]).any()]
    shapes, markers = axes.draw_events(events, {service}, periods.window, locale)
    return Figure(
        title=_title(mine, service, locale),
        data=[*data, *markers],
        layout={
            "height": HEIGHT,
            "showlegend": True,
            "xaxis": axes.time_axis(periods.window, locale),
            "yaxis": {"tickformat": ",d", "nticks": 5, "title": {"text": locale.say("axis.requests_per_hour")}},
            "yaxis2": axes.events_axis(),
            "shapes": shapes,
        },
        alt=locale.say("figure.traffic.alt", service=service, span=locale.days(periods.window)),
        equivalent=_equivalent(mine, locale),
        note=axes.events_note(shapes, locale),
    )


def comparable_name(periods: Periods, locale: Locale) -> str:
    if periods.comparable is None:
        return locale.say("period.comparable")
    return locale.say("period.comparable_of", days=locale.days(periods.comparable))


def _line(x: Array, values: pd.Series, name: str, *, dash: str) -> axes.Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape_for_plotly(name),
        "x": x,
        "y": axes.numbers(values),
        "line": {"color": LIGHT["past"], "width": 1.4, "dash": dash},
        "connectgaps": False,
        "hovertemplate": "%{fullData.name}: %{y:,d}<extra></extra>",
    }


def _title(mine: pd.DataFrame, service: str, locale: Locale) -> str:
    if not mine["request_count"].notna().any():
        return locale.say("figure.traffic.title.nothing", service=service)
    total = int(mine["request_count"].sum())
    if total == 0:
        return locale.say("figure.traffic.title.zero", service=service)
    changes = []
    for period in ("comparable", "last_month"):
        both = mine.dropna(subset=["request_count", f"{period}_request_count"])
        now, before = int(both["request_count"].sum()), int(both[f"{period}_request_count"].sum())
        if before:
            changes.append(locale.say(f"figure.traffic.change.{period}", change=locale.change(now, before)))
    if not changes:
        return locale.say("figure.traffic.title.alone", service=service, count=locale.count(total))
    return locale.say(
        "figure.traffic.title.compared", service=service, count=locale.count(total), changes=locale.join(changes)
    )


def _equivalent(mine: pd.DataFrame, locale: Locale) -> Table:
    columns = ["request_count", "comparable_request_count", "last_month_request_count"]
    days = mine.groupby(mine["hour"].dt.tz_convert(locale.zone).dt.normalize())[columns].sum(min_count=1)
    peaks = mine.groupby(mine["hour"].dt.tz_convert(locale.zone).dt.normalize())["request_count"].max()
    return Table(
        locale.say("figure.traffic.caption"),
        (
            Header(locale.say("column.day")),
            Header(locale.say("period.this_week"), "end"),
            Header(locale.say("column.busiest_hour"), "end"),
            Header(locale.say("period.comparable"), "end"),
            Header(locale.say("period.last_month"), "end"),
        ),
        tuple(
            (
                Cell(locale.day(day)),
                Cell(locale.count(now)),
                Cell(locale.count(peak)),
                Cell(locale.count(before)),
                Cell(locale.count(month)),
            )
            for day, now, before, month, peak in zip(
                [d.to_pydatetime() for d in days.index], *(days[c] for c in columns), peaks, strict=True
            )
        ),
    )
