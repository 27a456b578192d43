"""How near each resource came to its limit: one small chart per metric."""

from __future__ import annotations

import pandas as pd

from shokubai.core.windows import Window
from shokubai.display import axes, hovers
from shokubai.display.exhibit import Figure
from shokubai.display.format import Locale
from shokubai.display.frames import Events
from shokubai.display.tables.metrics import highest_sample, metric_title, metrics
from shokubai.display.template import LIGHT

HEIGHT = 208
_SERIES = ["service_name", "metric_name", "unit"]


def saturation(
    metric_hours: pd.DataFrame, *, window: Window, events: Events, locale: Locale, most: int = 12
) -> tuple[Figure, ...]:
    """A small chart per service and metric (METRIC_HOURS): hourly mean and highest value against the limit.

    Of more than ``most`` series those nearest to their limits are drawn; the table has all.
    """
    mine = metric_hours[(metric_hours["hour"] >= window.start) & (metric_hours["hour"] < window.end)]
    groups = _nearest_to_limit(mine, most).sort_values("hour").groupby(_SERIES, sort=True)
    several = mine["service_name"].nunique() > 1
    return tuple(
        _panel(
            frame, str(key[0]), str(key[1]), str(key[2]), several=several, window=window, events=events, locale=locale
        )
        for key, frame in groups
    )


def _nearest_to_limit(metric_hours: pd.DataFrame, most: int) -> pd.DataFrame:
    """The rows of the ``most`` series that came nearest to their limits; those without a limit come last."""
    share = (metric_hours["max_value"] / metric_hours["limit_value"]).fillna(-1.0)
    highest = metric_hours[_SERIES].assign(share=share).groupby(_SERIES, as_index=False)[["share"]].max()
    chosen = highest.sort_values(["share", *_SERIES], ascending=[False, True, True, True]).head(most)
    return metric_hours.merge(chosen[_SERIES], on=_SERIES)


def _panel(
    frame: pd.DataFrame,
    service: str,
    metric: str,
    unit: str,
    *,
    several: bool,
    window: Window,
    events: Events,
    locale: Locale,
) -> Figure:
    # A row for every hour, so that missing samples break the line.
    every = pd.date_range(window.start, window.end, freq="h", inclusive="left", unit="us")
    line = frame.drop_duplicates("hour").set_index("hour").reindex(every).rename_axis("hour").reset_index()
    x = axes.stamps(line["hour"], locale)
    shapes, markers = axes.draw_events(events, {service}, window, locale)
    highest, at = highest_sample(frame)
    limits = frame["limit_value"].dropna()
    limit = float(limits.iloc[-1]) if len(limits) else None
    annotations = []
    top = highest or 1.0
    if limit is not None and limit <= 4 * top:
        shape, label = axes.horizontal(
            limit, locale.say("figure.saturation.limit", limit=locale.quantity(limit, unit)), colour=LIGHT["bad"]
        )
        label["yanchor"] = "top"  # above the line stand the marks of deployments
        shapes, annotations, top = [*shapes, shape], [label], max(top, limit * 1.1)
    name = f"{service} · {metric_title(metric, locale)}" if several else metric_title(metric, locale)
    values = {"name": name}
    key = "nothing"
    if highest is not None:
        values["peak"] = locale.quantity(highest, unit)
        values["at"] = locale.instant(at)
        key = "peak"
        if limit and (unit, limit) != ("1", 1.0):  # a share of 100% says it already
            key, values["share"] = "share", locale.share(highest / limit)
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": locale.say(f"figure.saturation.{column}"),
            "x": x,
            "y": axes.heights(line[f"{column}_value"]),
            "customdata": said.customdata,
            "line": {"color": colour, "width": width},
            "connectgaps": False,
            "hovertemplate": f"%{{fullData.name}}: {said.template}<extra></extra>",
        }
        for column, colour, width in (("max", LIGHT["series-1-pale"], 1.2), ("mean", LIGHT["series-1"], 2))
        for said in [hovers.quantities(line[f"{column}_value"], unit, locale)]
    ]
    ticks = [0.0, (limit or 0.0) / 2, limit or 0.0] if annotations else _ticks(top, unit)
    return Figure(
        title=locale.say(f"figure.saturation.title.{key}", **values),
        data=[*data, *markers],
        layout={
            "height": HEIGHT,
            "margin": {"b": 28},
            "xaxis": {**axes.time_axis(window, locale), "title": {"text": ""}},
            "yaxis": {
                "range": [0, top * 1.12],
                "tickmode": "array",
                "tickvals": ticks,
                "ticktext": [locale.quantity(t, unit) for t in ticks],
            },
            "yaxis2": axes.events_axis(),
            "shapes": shapes,
            "annotations": annotations,
        },
        alt=locale.say("figure.saturation.alt", name=name, service=service, span=locale.days(window)),
        equivalent=metrics(frame, locale=locale),
        size="third",
    )


def _ticks(top: float, unit: str) -> list[float]:
    """Zero and two to four round values up to the top; of seconds, such as clocks have."""
    steps = [m * 10.0**d for d in range(-6, 15) for m in (1, 2, 5)]
    if unit == "s":
        steps = [s for s in steps if s < 20] + [30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400]
    if unit == "By":
        steps = [2.0**n for n in range(60)]
    step = next((s for s in steps if top / s <= 4), steps[-1])
    return [n * step for n in range(int(top / step) + 1)]
