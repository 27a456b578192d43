"""Every SLO on one scale: how much of its error budget is spent, with the interval that the counts allow."""

from __future__ import annotations

from collections.abc import Sequence

from shokubai.display.exhibit import Figure, escape_for_plotly
from shokubai.display.format import Locale
from shokubai.display.tables.slos import sli_words, verdicts
from shokubai.display.template import LIGHT
from shokubai.slo.model import SloStatus

ROW = 54
FURTHEST = 2.0  # budgets; what lies beyond is drawn at the edge, with its number
_LOOKS = {
    "met": (LIGHT["good"], "circle"),
    "missed": (LIGHT["bad"], "x"),
    "not_enough_data": (LIGHT["unknown"], "circle-open"),
}


def objectives(statuses: Sequence[SloStatus], *, locale: Locale) -> Figure:
    """One row per SLO: a dot at (1 − SLI) / (1 − objective), its 95 % interval as a line; 100 % is the objective."""
    data, shapes, annotations = [], [], []
    furthest = 1.25
    for n, status in enumerate(statuses):
        y = len(statuses) - 1 - n
        spent, low, high = (
            _spent(status, ratio) for ratio in (status.sli_ratio, status.interval_high, status.interval_low)
        )
        colour, symbol = _LOOKS[status.verdict]
        name = status.slo.display_name or status.slo.name
        sli = sli_words(status, locale)
        annotations.append(
            {
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "y": y,
                "yanchor": "bottom",
                "yshift": 7,
                "showarrow": False,
                "align": "left",
                "text": escape_for_plotly(f"{name}: {locale.say(f'verdict.{status.verdict}')}"),
                "font": {"size": 13},
            }
        )
        if spent is None:
            continue
        if low is not None and high is not None:
            furthest = max(furthest, min(high, FURTHEST))
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [min(low, FURTHEST), min(high, FURTHEST)],
                    "y": [y, y],
                    "line": {"color": colour, "width": 6},
                    "opacity": 0.35,
                    "hoverinfo": "skip",
                }
            )
        furthest = max(furthest, min(spent, FURTHEST))
        data.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": [min(spent, FURTHEST)],
                "y": [y],
                "text": [("▸ " if spent > FURTHEST else "") + locale.share(spent)],
                "textposition": "bottom center" if spent < FURTHEST * 0.9 else "bottom left",
                "textfont": {"size": 12, "color": LIGHT["muted"]},
                "cliponaxis": False,
                "marker": {"size": 11, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
                "hovertext": escape_for_plotly(
                    f"{name}: {sli} ({locale.interval(status.interval_low, status.interval_high)})"
                ),
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    shapes.append(
        {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": 1,
            "x1": 1,
            "line": {"width": 1.4, "dash": "dash", "color": LIGHT["ink"]},
        }
    )
    met = sum(s.verdict == "met" for s in statuses)
    judged = [s for s in statuses if s.verdict != "not_enough_data"]
    return Figure(
        title=locale.say(
            "figure.objectives.title" if judged else "figure.objectives.not_judged", met=met, count=len(statuses)
        ),
        data=data,
        layout={
            "height": 110 + ROW * max(len(statuses), 1),
            "hovermode": "closest",
            "margin": {"l": 12},
            "xaxis": {
                "range": [-0.02, furthest * 1.06],
                "tickformat": ",.0%",
                "showgrid": True,
                "title": {"text": locale.say("figure.objectives.axis")},
            },
            "yaxis": {"visible": False, "range": [-0.6, max(len(statuses), 1) - 0.1]},
            "shapes": shapes,
            "annotations": annotations,
        },
        alt=locale.say("figure.objectives.alt", count=len(statuses)),
        equivalent=verdicts(statuses, locale=locale),
    )


def _spent(status: SloStatus, ratio: float | None) -> float | None:
    return None if ratio is None else (1 - ratio) / (1 - status.slo.objective)
