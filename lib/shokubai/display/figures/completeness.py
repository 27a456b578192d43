"""Which hours the report's data covers, and why the others are empty."""

from __future__ import annotations

import pandas as pd

from shokubai.core.windows import HOUR, Window
from shokubai.display import axes
from shokubai.display.exhibit import Cell, Figure, Header, Table, escape_for_plotly
from shokubai.display.format import Locale
from shokubai.display.frames import COMPLETENESS_STATES
from shokubai.display.template import LIGHT

# Colour and pattern: the states must be told apart in grey, too.
_LOOKS = {
    "data": (LIGHT["series-1-pale"], ""),
    "quiet": (LIGHT["silent"], ""),
    "before_log": (LIGHT["rule"], "|"),
    "zero_traffic": (LIGHT["silent"], "."),
    "late": (LIGHT["series-2"], "/"),
    "telemetry_gap": (LIGHT["bad"], "x"),
    "unexplained": (LIGHT["unknown"], "-"),
}


_MISSING = ("late", "telemetry_gap", "unexplained")


def completeness(hours: pd.DataFrame, *, silences: pd.DataFrame, window: Window, locale: Locale) -> Figure:
    """A strip per service, coloured by what is known of each hour (HOURLY_COMPLETENESS).

    The title has the lengths of ``silences`` (SILENCES) to the minute.
    """
    stretches = _stretches(hours)
    services = sorted(hours["service_name"].unique())
    data = []
    for state in COMPLETENESS_STATES:
        mine = stretches[stretches["state"] == state]
        if mine.empty:
            continue
        colour, pattern = _LOOKS[state]
        starts = [at.to_pydatetime() for at in mine["start"]]
        ends = [at.to_pydatetime() for at in mine["end"]]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": locale.say(f"completeness.{state}"),
                "y": [escape_for_plotly(name) for name in mine["service_name"]],
                "base": [axes.stamp(start, locale) for start in starts],
                "x": [(end - start).total_seconds() * 1000 for start, end in zip(starts, ends, strict=True)],
                "text": [locale.instants(start, end) for start, end in zip(starts, ends, strict=True)],
                "textposition": "none",
                "marker": {
                    "color": colour,
                    "line": {"width": 0},
                    "pattern": {
                        "shape": pattern,
                        "fillmode": "overlay",
                        "fgcolor": LIGHT["surface"],
                        "size": 6,
                        "solidity": 0.25,
                    },
                },
                "hovertemplate": "%{y}: %{fullData.name}<br>%{text}<extra></extra>",
            }
        )
    return Figure(
        title=_title(silences, window, locale),
        data=data,
        layout={
            "height": 130 + 34 * len(services),
            "barmode": "overlay",
            "bargap": 0.35,
            "showlegend": True,
            "hovermode": "closest",
            "xaxis": axes.time_axis(window, locale),
            "yaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [escape_for_plotly(name) for name in reversed(services)],
                "showgrid": False,
            },
        },
        alt=locale.say("figure.completeness.alt", span=locale.days(window)),
        equivalent=_equivalent(hours, locale),
    )


def _stretches(hours: pd.DataFrame) -> pd.DataFrame:
    """Consecutive hours of one service in one state, as service_name, state, start, end."""
    ordered = hours.sort_values(["service_name", "hour"])
    changed = (
        (ordered["service_name"] != ordered["service_name"].shift())
        | (ordered["state"] != ordered["state"].shift())
        | (ordered["hour"] - ordered["hour"].shift() != HOUR)
    )
    grouped = ordered.groupby(changed.cumsum())
    return pd.DataFrame(
        {
            "service_name": grouped["service_name"].first(),
            "state": grouped["state"].first(),
            "start": grouped["hour"].min(),
            "end": grouped["hour"].max() + HOUR,
        }
    )


def _title(silences: pd.DataFrame, window: Window, locale: Locale) -> str:
    missing = silences[silences["kind"].isin(_MISSING)]
    start, end = pd.Timestamp(window.start), pd.Timestamp(window.end)
    started, ended = missing["started_at"], missing["ended_at"]
    lasted = ended.where(ended < end, end) - started.where(started > start, start)
    lengths = lasted[lasted > pd.Timedelta(0)].groupby(missing["service_name"]).sum()
    if lengths.empty:
        return locale.say("figure.completeness.title.complete")
    services = [f"{service} {locale.span(length.to_pytimedelta())}" for service, length in lengths.items()]
    return locale.say("figure.completeness.title.missing", services=locale.join(services))


def _equivalent(hours: pd.DataFrame, locale: Locale) -> Table:
    counts = hours.groupby(["service_name", "state"]).size().unstack(fill_value=0)
    states = [state for state in COMPLETENESS_STATES if state in counts]
    return Table(
        locale.say("figure.completeness.caption"),
        (
            Header(locale.say("column.service")),
            *(Header(locale.say(f"completeness.{state}"), "end") for state in states),
        ),
        tuple(
            (Cell(str(service), is_code=True), *(Cell(locale.count(int(row[state]))) for state in states))
            for service, row in counts.iterrows()
        ),
    )
