"""How long requests took, per hour."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

import pandas as pd

from shokubai.display import axes, hovers
from shokubai.display.exhibit import Cell, Figure, Header, Table, escape_for_plotly
from shokubai.display.figures.errors import ENOUGH_REQUESTS, covers_service
from shokubai.display.format import Locale
from shokubai.display.frames import Events, Periods
from shokubai.display.template import LIGHT
from shokubai.slo.model import SloStatus

HEIGHT = 300
_LINES = (
    ("p99_seconds", "p99", LIGHT["series-1-pale"], 1.4, "solid"),
    ("p95_seconds", "p95", LIGHT["series-1"], 2.2, "solid"),
    ("p50_seconds", "p50", LIGHT["series-3"], 1.6, "solid"),
)


def latency(
    hours: pd.DataFrame,
    *,
    service: str,
    periods: Periods,
    statuses: Sequence[SloStatus],
    events: Events,
    locale: Locale,
) -> Figure:
    """p50, p95 and p99 per hour of one service (HOURLY_LATENCY) on a logarithmic scale, with its latency objectives.

    Hours with few requests are gaps. The title speaks of the median over the hours drawn. Objectives of some routes
    or by time slices are left out: they are about other requests than the lines.
    """
    mine = hours[hours["service_name"] == service].sort_values("hour")
    shown = mine.where(mine["duration_count"] >= ENOUGH_REQUESTS)
    x = axes.stamps(mine["hour"], locale)
    data: list[axes.Trace] = []
    labels: list[axes.EndLabel] = []
    drawn: list[float] = []
    for column, name, colour, width, dash in (
        *_LINES,
        ("comparable_p95_seconds", f"p95 {locale.say('period.comparable')}", LIGHT["past"], 1.2, "dash"),
    ):
        is_past = column.startswith("comparable")
        values = (mine if is_past else shown)[column]
        if values.isna().all():
            continue
        said = hovers.quantities(values, "s", locale)
        drawn += [float(value) for value in (values.min(), values.max()) if value > 0]
        if not is_past:
            labels.append(axes.EndLabel(name, float(values.dropna().iloc[-1]), colour))
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": escape_for_plotly(name),
                "x": x,
                "y": axes.heights(values),
                "customdata": said.customdata,
                "line": {"color": colour, "width": width, "dash": dash},
                "showlegend": is_past,  # the others are named at their ends
                "connectgaps": False,
                "hovertemplate": f"%{{fullData.name}}: {said.template}<extra></extra>",
            }
        )
    shapes, markers = axes.draw_events(events, {service}, periods.window, locale)
    thresholds = sorted(
        {
            s.slo.indicator.threshold_seconds
            for s in statuses
            if s.slo.indicator.threshold_seconds is not None and covers_service(s.slo, service)
        }
    )
    annotations = []
    for threshold in thresholds:
        shape, label = axes.horizontal(
            threshold, locale.say("figure.latency.objective", threshold=locale.seconds(threshold))
        )
        label["y"] = log10(threshold)  # annotations on a logarithmic axis stand at the exponent
        shapes.append(shape)
        annotations.append(label)
    drawn += thresholds
    low, high = (log10(min(drawn)) - 0.1, log10(max(drawn)) + 0.15) if drawn else (-3.0, 1.0)
    annotations += axes.end_labels(labels, low=low, high=high, height=HEIGHT - 104, is_log=True)
    ticks = _ticks(low, high)
    return Figure(
        title=_title(mine, shown, service, locale),
        data=[*data, *markers],
        layout={
            "height": HEIGHT,
            "showlegend": True,
            "margin": {"r": axes.label_margin(labels)},
            "xaxis": axes.time_axis(periods.window, locale),
            "yaxis": {
                "type": "log",
                "range": [low, high],
                "tickmode": "array",
                "tickvals": ticks,
                "ticktext": [locale.seconds(t) for t in ticks],
            },
            "yaxis2": axes.events_axis(),
            "shapes": shapes,
            "annotations": annotations,
        },
        alt=locale.say("figure.latency.alt", service=service, span=locale.days(periods.window)),
        equivalent=_equivalent(mine, locale),
        size="half",
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round values on a logarithmic axis: 1, 2, 5 per decade while they are few, else whole decades."""
    decades = range(floor(low), ceil(high) + 1)
    fine = [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= log10(m) + d <= high]
    return fine if len(fine) <= 7 else [10.0**d for d in decades if low <= d <= high]


def _title(mine: pd.DataFrame, shown: pd.DataFrame, service: str, locale: Locale) -> str:
    p95 = shown["p95_seconds"].dropna()
    if p95.empty:
        key = "few" if mine["duration_count"].sum() else "nothing"
        return locale.say(f"figure.latency.title.{key}", service=service)
    worst = int(p95.to_numpy().argmax())
    values = {
        "service": service,
        "typical": locale.seconds(float(p95.median())),
        "worst": locale.seconds(float(p95.iloc[worst])),
        "hour": locale.instant(mine.loc[p95.index, "hour"].iloc[worst].to_pydatetime()),
    }
    before = mine["comparable_p95_seconds"].dropna()
    if before.empty:
        return locale.say("figure.latency.title.alone", **values)
    return locale.say("figure.latency.title.compared", before=locale.seconds(float(before.median())), **values)


def _equivalent(mine: pd.DataFrame, locale: Locale) -> Table:
    columns = ["p50_seconds", "p95_seconds", "p99_seconds", "comparable_p95_seconds", "last_month_p95_seconds"]
    days = mine.groupby(mine["hour"].dt.tz_convert(locale.zone).dt.normalize())[columns].median()
    return Table(
        locale.say("figure.latency.caption"),
        (
            Header(locale.say("column.day")),
            Header("p50", "end"),
            Header("p95", "end"),
            Header("p99", "end"),
            Header(f"p95 {locale.say('period.comparable')}", "end"),
            Header(f"p95 {locale.say('period.last_month')}", "end"),
        ),
        tuple(
            (Cell(locale.day(day)), *(Cell(locale.seconds(v)) for v in values))
            for day, values in zip(
                [d.to_pydatetime() for d in days.index], days.itertuples(index=False, name=None), strict=True
            )
        ),
    )
