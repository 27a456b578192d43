"""Where an error budget went: what each part spent, one after the other, up to all that was spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from shokubai.display.axes import Layout, Trace
from shokubai.display.exhibit import Figure, escape_for_plotly
from shokubai.display.format import Locale
from shokubai.display.tables.budget_parts import endpoint_name, part_detail, part_name
from shokubai.display.template import LIGHT
from shokubai.slo import by_route, name_parts
from shokubai.slo.model import SloStatus

ROW = 50
LONGEST_NAME = 44  # of a route above its bar, in letters: what a phone has room for; the table has all of it
NEAR = 0.5  # from this share of the budget on, all of it is on the axis


def waterfall(parts: pd.DataFrame, *, status: SloStatus, locale: Locale) -> Figure:
    """A bar for each of the largest parts of what one SLO spent (BUDGET_PARTS, all of them), and one for the rest.

    Each begins where the last one ended; the last bar is all that was spent. The axis is the share of the budget; a
    line marks all of it. A table of the named parts stands with the chart.
    """
    named = name_parts(parts)
    rows = named.to_dict("records")
    spent = status.budget_spent_count / status.budget_allowed_count
    lengths = [*named["spent_ratio"].tolist(), spent]
    ends = [*named["spent_ratio"].cumsum().tolist(), spent]
    bases = [0.0, *ends[:-2], 0.0]
    labels = [*((part_name(row, locale), part_detail(row, locale)) for row in rows), (locale.say("part.all"), "")]
    amounts = [locale.share(length) for length in lengths]
    y = list(range(len(labels) - 1, -1, -1))
    furthest = max(spent, 1.0 if spent >= NEAR else 0.0)
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "y": y,
        "x": lengths,
        "base": bases,
        "width": 0.34,
        "marker": {"color": [_colour(row) for row in rows] + [LIGHT["ink"]]},
        "text": amounts,
        "textposition": "outside",
        "textfont": {"size": 12},
        "cliponaxis": False,
        "hovertext": [
            escape_for_plotly(": ".join((" · ".join(filter(None, label)), amount)))
            for label, amount in zip(labels, amounts, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    shapes = [_connector(end, n) for n, end in zip(y, ends[:-1], strict=False)]
    annotations = [line for label, n in zip(labels, y, strict=True) for line in _label(label, n)]
    if furthest >= 1:
        shapes.append(_budget_line())
        annotations.append(_budget_label(furthest, locale))
    name = status.slo.display_name or status.slo.name
    return Figure(
        title=_title(parts, spent, name, locale),
        data=[bars],
        layout={
            "height": 96 + ROW * len(labels),
            "hovermode": "closest",
            "margin": {"l": 12, "r": 16},
            "xaxis": {
                "range": [0, furthest * 1.16],
                "tickformat": ",.0%" if furthest >= 0.1 else ",.1%",
                "nticks": 6,
                "showgrid": True,
                "title": {"text": locale.say("figure.waterfall.axis")},
            },
            "yaxis": {"visible": False, "range": [-0.45, len(labels) - 0.25]},
            "shapes": shapes,
            "annotations": annotations,
        },
        alt=locale.say("figure.waterfall.alt", name=name),
        equivalent=None,
    )


def _title(parts: pd.DataFrame, spent: float, name: str, locale: Locale) -> str:
    """The part on which most was spent; where none is half of it, the route."""
    values = {"name": name, "spent": locale.share(spent)}
    part, route = parts.iloc[0].to_dict(), by_route(parts).iloc[0].to_dict()
    if part["spent_ratio"] < spent / 2 and route["part_count"] > 1:
        return locale.say(
            "figure.waterfall.title.route",
            share=locale.share(route["spent_ratio"] / spent),
            route=endpoint_name(route),
            count=locale.count(route["part_count"]),
            **values,
        )
    return locale.say(
        "figure.waterfall.title.part",
        share=locale.share(part["spent_ratio"] / spent),
        part=locale.join([part_name(part, locale), part_detail(part, locale)]),
        **values,
    )


def _colour(row: Mapping[Any, Any]) -> str:
    return LIGHT["past"] if row["kind"] == "rest" else LIGHT["series-2"]


def _connector(x: float, y: int) -> Layout:
    """From the end of a bar down to the next one."""
    line = {"width": 1, "color": LIGHT["axis"]}
    return {"type": "line", "x0": x, "x1": x, "y0": y, "y1": y - 1, "line": line, "layer": "below"}


def _label(label: tuple[str, str], y: int) -> list[Layout]:
    """The name above a bar, and between them what it is beside its route."""
    name, detail = label
    if len(name) > LONGEST_NAME:
        name = name[: LONGEST_NAME // 2] + "…" + name[-LONGEST_NAME // 2 + 1 :]
    return [
        {
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "y": y,
            "yanchor": "bottom",
            "yshift": shift,
            "showarrow": False,
            "align": "left",
            "text": escape_for_plotly(text),
            "font": {"size": size, "color": colour},
            "bgcolor": LIGHT["veil"],
        }
        for text, shift, size, colour in (
            (name, 21 if detail else 7, 12, LIGHT["ink"]),
            (detail, 7, 11, LIGHT["muted"]),
        )
        if text
    ]


def _budget_line() -> Layout:
    line = {"width": 1.2, "dash": "dash", "color": LIGHT["ink"]}
    return {"type": "line", "x0": 1, "x1": 1, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def _budget_label(furthest: float, locale: Locale) -> Layout:
    """The line's name, on the side where the axis has more room."""
    side, shift = ("right", -4) if furthest < 2 else ("left", 4)
    return {
        "x": 1,
        "xanchor": side,
        "xshift": shift,
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "showarrow": False,
        "text": escape_for_plotly(locale.say("figure.waterfall.budget")),
        "font": {"size": 12},
        "bgcolor": LIGHT["veil"],
    }
