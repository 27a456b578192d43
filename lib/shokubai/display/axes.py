"""What all charts over time share: the axis on the organisation's clock, events drawn on it, labels at line ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log10
from typing import Any

import pandas as pd

from shokubai.core.windows import DAY, HOUR, Window, local_midnight
from shokubai.display.arrays import STAMP, Array
from shokubai.display.exhibit import escape_for_plotly
from shokubai.display.format import Locale
from shokubai.display.frames import Events
from shokubai.display.template import LIGHT

MANY_DEPLOYMENTS = 12  # more lines than these would hide the data: ticks at the foot then

Layout = dict[str, Any]
Trace = dict[str, Any]


def stamps(instants: pd.Series, locale: Locale) -> Array:
    """Instants as wall-clock times: plotly knows no zones."""
    local: Array = instants.dt.tz_convert(locale.zone).dt.tz_localize(None).to_numpy("datetime64[ms]")
    return local


def stamp(instant: Any, locale: Locale) -> str:
    return f"{pd.Timestamp(instant).tz_convert(locale.zone):{STAMP}}"


def numbers(values: pd.Series) -> Array:
    """Values as they are, gaps as NaN."""
    floats: Array = values.to_numpy(dtype="float64", na_value=float("nan"))
    return floats


def heights(values: pd.Series) -> Array:
    """Values that are only drawn: seven figures are more than a screen can show."""
    return numbers(values).astype("float32")


def time_axis(window: Window, locale: Locale) -> Layout:
    """An x axis over the window with a tick each local midnight.

    Longer than ten days: each Monday. Up to two days: whole hours, at most eight, the day said at the first one
    and at midnight.
    """
    ticks, position = _ticks(window, locale)
    return {
        "type": "date",
        "range": [stamp(window.start, locale), stamp(window.end, locale)],
        "tickmode": "array",
        "tickvals": [value for value, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "ticklabelposition": position,
        "ticklabeloverflow": "allow",
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": LIGHT["axis"],
        "showgrid": True,
        "hoverformat": "%Y-%m-%d %H:%M",
        "title": {"text": locale.say("axis.zone", zone=locale.zone_name())},
    }


def _ticks(window: Window, locale: Locale) -> tuple[list[tuple[str, str]], str]:
    """Wall-clock times with their labels, and where the labels stand."""
    if window.duration <= 2 * DAY:
        step = next(hours for hours in (1, 2, 3, 6, 12) if window.duration <= 8 * hours * HOUR or hours == 12)
        hours = [at for at in _whole_hours(window, locale) if at.hour % step == 0]
        return [
            (
                f"{at:{STAMP}}",
                f"{at:%H:%M}" + (f"<br>{locale.short_day(at.date())}" if n == 0 or at.hour == 0 else ""),
            )
            for n, at in enumerate(hours)
        ], "outside"
    days = []
    day = locale.local(window.start).date()
    while local_midnight(day, locale.zone) < window.end:
        days.append(day)
        day += DAY
    if len(days) > 10:
        return [(f"{d:%Y-%m-%d} 00:00:00", locale.month_day(d)) for d in days if d.weekday() == 0], "outside"
    return [(f"{d:%Y-%m-%d} 00:00:00", locale.short_day(d)) for d in days], "outside right"


def _whole_hours(window: Window, locale: Locale) -> list[datetime]:
    """The whole hours of the local clock in the window, both ends included."""
    at = locale.local(window.start).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    hours = []
    while at <= window.end:
        if at >= window.start:
            hours.append(locale.local(at))
        at += HOUR
    return hours


def draw_events(
    events: Events, services: set[str] | None, window: Window, locale: Locale
) -> tuple[list[Layout], list[Trace]]:
    """Incidents as shaded spans and deployments as thin dashed lines, with markers that tell more on hovering.

    The markers sit on a second, invisible y axis (``events_axis``) so that they stay at the top at any scale.
    """
    mine = events.of(services, window)
    shapes: list[Layout] = []
    traces: list[Trace] = []
    start, end = pd.Timestamp(window.start), pd.Timestamp(window.end)
    incidents = mine.incidents.to_dict("records")
    deployments = mine.deployments.to_dict("records")
    for row in incidents:
        ended = row["mitigated_at"] if pd.notna(row["mitigated_at"]) else row["resolved_at"]
        shapes.append(
            {
                "type": "rect",
                "layer": "below",
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "x0": stamp(max(row["started_at"], start), locale),
                "x1": stamp(min(ended, end) if pd.notna(ended) else end, locale),
                "fillcolor": LIGHT["bad-fill"],
                "line": {"width": 1, "color": LIGHT["bad-fill"]},
            }
        )
    for row in deployments:
        at = stamp(row["deployed_at"], locale)
        shapes.append(
            {
                "type": "line",
                "layer": "below",
                "yref": "paper",
                "y0": 0,
                "y1": 1 if len(deployments) <= MANY_DEPLOYMENTS else 0.06,
                "x0": at,
                "x1": at,
                "line": {"width": 1, "dash": "dot", "color": LIGHT["muted"]},
            }
        )
    if incidents:
        traces.append(
            _markers(
                [stamp(max(row["started_at"], start), locale) for row in incidents],
                [
                    locale.say(
                        "event.incident",
                        id=row["incident_id"],
                        title=row["title"],
                        span=locale.instants(
                            row["started_at"],
                            row["mitigated_at"] if pd.notna(row["mitigated_at"]) else row["resolved_at"],
                        ),
                    )
                    for row in incidents
                ],
                symbol="diamond",
                colour=LIGHT["bad"],
            )
        )
    if deployments:
        traces.append(
            _markers(
                [stamp(row["deployed_at"], locale) for row in deployments],
                [
                    locale.say(
                        "event.deployment",
                        service=row["service_name"],
                        version=row["service_version"],
                        description=row["description"],
                        at=locale.instant(row["deployed_at"]),
                    )
                    for row in deployments
                ],
                symbol="triangle-down",
                colour=LIGHT["muted"],
                size=8 if len(deployments) <= MANY_DEPLOYMENTS else 5,
            )
        )
    return shapes, traces


def events_axis() -> Layout:
    return {
        "overlaying": "y",
        "range": [0, 1],
        "fixedrange": True,
        "visible": False,
        "automargin": False,
    }


def events_note(shapes: Sequence[Layout], locale: Locale) -> str:
    """What the marks mean, said only of those that are drawn."""
    kinds = {shape["type"] for shape in shapes if shape.get("yref") == "paper"}
    parts = [locale.say(f"event.note.{kind}") for kind in ("line", "rect") if kind in kinds]
    return (" " if locale.language == "en" else "").join(parts)


def _markers(x: list[str], texts: list[str], *, symbol: str, colour: str, size: int = 8) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": [1] * len(x),
        "yaxis": "y2",
        "cliponaxis": False,
        "showlegend": False,
        "marker": {"symbol": symbol, "size": size, "color": colour},
        "text": [escape_for_plotly(text) for text in texts],
        "hovertemplate": "%{text}<extra></extra>",
    }


@dataclass(frozen=True)
class EndLabel:
    """A line's name beside its last point."""

    text: str
    y: float
    colour: str


def end_labels(
    labels: Sequence[EndLabel], *, low: float, high: float, height: int, is_log: bool = False
) -> list[Layout]:
    """Labels at the right edge of the plot, moved apart where they would touch.

    ``low``, ``high`` are the axis' range (exponents of ten when ``is_log``), ``height`` the plot's in pixels.
    A page hides these on a narrow screen and shows the legend instead; it knows them by their name.
    """
    gap = 16
    placed = sorted(((log10(max(label.y, 1e-12)) if is_log else label.y), n, label) for n, label in enumerate(labels))
    pixels = [(min(max(y, low), high) - low) / (high - low) * height for y, _, _ in placed]
    for n in range(1, len(pixels)):
        pixels[n] = max(pixels[n], pixels[n - 1] + gap)
    # Pushed past the top: come back down, keeping the gap.
    top = float(height)
    for n in range(len(pixels) - 1, -1, -1):
        pixels[n] = min(pixels[n], top)
        top = pixels[n] - gap
    return [
        {
            "name": "direct-label",
            "xref": "paper",
            "x": 1,
            "xanchor": "left",
            "xshift": 6,
            "yref": "paper",
            "y": pixel / height,
            "yanchor": "middle",
            "showarrow": False,
            "align": "left",
            "text": escape_for_plotly(label.text),
            "font": {"size": 12, "color": label.colour},
        }
        for pixel, (_, _, label) in zip(pixels, placed, strict=True)
    ]


def label_margin(labels: Sequence[EndLabel]) -> int:
    """Room at the right for the longest label, in pixels."""
    widths = [sum(13 if ord(c) > 0x2E7F else 7 for c in label.text) for label in labels]
    return min(max(widths, default=0) + 14, 220)


def horizontal(y: float, text: str, *, colour: str = LIGHT["ink"], dash: str = "dash") -> tuple[Layout, Layout]:
    """A reference line across the plot with its name above its left end: an objective, a limit, a threshold."""
    shape = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"width": 1.2, "dash": dash, "color": colour},
    }
    label = {
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "xshift": 4,
        "y": y,
        "yanchor": "bottom",
        "showarrow": False,
        "text": escape_for_plotly(text),
        "bgcolor": LIGHT["veil"],
        "borderpad": 1,
        "font": {"size": 12, "color": colour},
    }
    return shape, label
