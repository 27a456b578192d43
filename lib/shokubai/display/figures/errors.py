"""The share of requests that failed, per hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from shokubai.config.model import Slo
from shokubai.display import axes, hovers
from shokubai.display.exhibit import Cell, Figure, Header, Table
from shokubai.display.format import Locale
from shokubai.display.frames import Events, Periods
from shokubai.display.template import LIGHT
from shokubai.slo.model import SloStatus

HEIGHT = 300
ENOUGH_ERRORS = 5  # in an hour: with fewer no hour is worth a title
ENOUGH_REQUESTS = 30  # in an hour: below, one error makes a spike that means nothing; drawn as pale dots

SERVER_ERRORS = ((500, 599),)  # what HOURLY_TRAFFIC counts


def errors(
    hours: pd.DataFrame,
    *,
    service: str,
    periods: Periods,
    statuses: Sequence[SloStatus],
    events: Events,
    locale: Locale,
) -> Figure:
    """Errors / requests per hour of one service (HOURLY_TRAFFIC), with what its availability objectives allow.

    Only objectives that count the same requests are drawn: not those of some routes, other statuses or time slices.
    Hours without requests are gaps, not zeros; hours with few requests are pale dots beside the line.
    """
    mine = hours[hours["service_name"] == service].sort_values("hour")
    requests, failed = mine["request_count"].astype("Float64"), mine["error_count"].astype("Float64")
    ratio = (failed / requests).where(requests > 0)
    steady = ratio.where(requests >= ENOUGH_REQUESTS)
    sparse = ratio.where(requests < ENOUGH_REQUESTS)
    before = mine["comparable_request_count"].astype("Float64")
    comparable = (mine["comparable_error_count"].astype("Float64") / before).where(before >= ENOUGH_REQUESTS)
    x = axes.stamps(mine["hour"], locale)
    counts = hovers.counts(failed, requests)
    hover = f"%{{fullData.name}}: %{{y:.2~%}} {hovers.of_counts(locale)}<extra></extra>"
    data: list[axes.Trace] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": locale.say("period.this_week"),
            "x": x,
            "y": hovers.shares(steady, places=2),
            "customdata": counts,
            "line": {"color": LIGHT["series-2"], "width": 1.8},
            "marker": {"size": 3, "color": LIGHT["series-2"]},
            "connectgaps": False,
            "hovertemplate": hover,
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": locale.say("period.comparable"),
            "x": x,
            "y": hovers.shares(comparable, places=2),
            "line": {"color": LIGHT["past"], "width": 1.2, "dash": "dash"},
            "connectgaps": False,
            "hovertemplate": "%{fullData.name}: %{y:.2~%}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": locale.say("figure.errors.few", count=ENOUGH_REQUESTS),
            "x": x,
            "y": hovers.shares(sparse, places=2),
            "customdata": counts,
            "marker": {"size": 5, "color": LIGHT["silent"]},
            "hovertemplate": hover,
        },
    ]
    data = [trace for trace in data if np.isfinite(trace["y"]).any()]
    shapes, markers = axes.draw_events(events, {service}, periods.window, locale)
    allowed = sorted(
        {
            1 - s.slo.objective
            for s in statuses
            if s.slo.indicator.kind == "availability"
            and s.slo.indicator.error_statuses == SERVER_ERRORS
            and covers_service(s.slo, service)
        }
    )
    names = locale.join([locale.objective(round(a, 9)) for a in allowed])
    lines = [axes.horizontal(a, locale.say("figure.errors.allowed", ratio=names)) for a in allowed]
    tops = [float(v.max()) for v in (steady, comparable) if v.notna().any()]
    high = min(max([*tops, *(a * 2 for a in allowed), 0.001]) * 1.1, 1.05)
    return Figure(
        title=_title(mine, service, locale),
        data=[*data, *markers],
        layout={
            "height": HEIGHT,
            "showlegend": True,
            "xaxis": axes.time_axis(periods.window, locale),
            "yaxis": {"tickformat": ".3~%", "range": [-high * 0.02, high], "nticks": 5},
            "yaxis2": axes.events_axis(),
            "shapes": [*shapes, *(shape for shape, _ in lines)],
            "annotations": [label for _, label in lines[-1:]],  # one label names them all
        },
        alt=locale.say("figure.errors.alt", service=service, span=locale.days(periods.window)),
        equivalent=_equivalent(mine, locale),
        size="half",
    )


def covers_service(slo: Slo, service: str) -> bool:
    """Whether an SLO counts every request of a service as one, as the charts of a service do."""
    return slo.service == service and not slo.indicator.routes and slo.budgeting == "Occurrences"


def _title(mine: pd.DataFrame, service: str, locale: Locale) -> str:
    total = int(mine["request_count"].sum())
    failed = int(mine["error_count"].sum())
    if total == 0:
        return locale.say("figure.errors.title.nothing", service=service)
    if failed == 0:
        return locale.say("figure.errors.title.none", service=service, requests=locale.count(total))
    # The hour with most errors, not the highest ratio: one failure at night is not the week's news.
    worst = int(mine["error_count"].fillna(0).to_numpy(dtype="int64").argmax())
    values = {
        "service": service,
        "errors": locale.count(failed),
        "requests": locale.count(total),
        "ratio": locale.bad_ratio(failed / total),
        "worst_errors": locale.count(mine["error_count"].iloc[worst]),
        "worst_requests": locale.count(mine["request_count"].iloc[worst]),
        "hour": locale.instant(mine["hour"].iloc[worst].to_pydatetime()),
    }
    if mine["error_count"].iloc[worst] < ENOUGH_ERRORS:
        return locale.say("figure.errors.title.few", **values)
    return locale.say("figure.errors.title.some", **values)


def _equivalent(mine: pd.DataFrame, locale: Locale) -> Table:
    columns = ["request_count", "error_count", "comparable_request_count", "comparable_error_count"]
    days = mine.groupby(mine["hour"].dt.tz_convert(locale.zone).dt.normalize())[columns].sum(min_count=1)

    def ratio(failed: Any, requests: Any) -> str:
        known = pd.notna(failed) and pd.notna(requests) and requests
        return locale.bad_ratio(float(failed) / float(requests) if known else None)

    return Table(
        locale.say("figure.errors.caption"),
        (
            Header(locale.say("column.day")),
            Header(locale.say("column.errors"), "end"),
            Header(locale.say("column.requests"), "end"),
            Header(locale.say("column.error_ratio"), "end"),
            Header(locale.say("period.comparable"), "end"),
        ),
        tuple(
            (
                Cell(locale.day(day)),
                Cell(locale.count(failed)),
                Cell(locale.count(requests)),
                Cell(ratio(failed, requests)),
                Cell(ratio(failed_before, before)),
            )
            for day, requests, failed, before, failed_before in zip(
                [d.to_pydatetime() for d in days.index], *(days[c] for c in columns), strict=True
            )
        ),
    )
