"""One look for all figures: a small plotly template and the palette, which a page recolours for dark screens.

Figures use the light colours below literally, so that they look right in a notebook. The page's script replaces each
of them by the CSS variable of the same name (``--ink``, ``--series-1``, …), light or dark.
"""

from __future__ import annotations

from typing import Any

# name -> (light, dark). Series colours keep apart for the colour-blind (blue, vermilion, teal, purple differ in
# lightness too); lines are also told apart by dash and label.
PALETTE: dict[str, tuple[str, str]] = {
    "surface": ("#ffffff", "#14181d"),
    "veil": ("rgba(255,255,255,0.78)", "rgba(20,24,29,0.78)"),  # behind words that stand on lines
    "ink": ("#1d2329", "#e4e8ec"),
    "muted": ("#5c6670", "#9aa5b1"),
    "rule": ("#e3e7eb", "#2b323a"),
    "axis": ("#b9c1c9", "#47515b"),
    "series-1": ("#0b62a8", "#5eb1f2"),
    "series-2": ("#c2500a", "#f5965c"),
    "series-3": ("#00796d", "#4cc4b4"),
    "series-4": ("#7d4fa0", "#c69be6"),
    "series-5": ("#8a6d00", "#dcc04a"),
    "series-6": ("#a8326a", "#f08db8"),
    "series-1-fill": ("#e3eef7", "#173044"),
    "series-1-pale": ("#8fb9dc", "#3c6f99"),
    "past": ("#8a949e", "#77828d"),
    "bad": ("#b3261e", "#ff8a80"),
    "bad-fill": ("#f8dcd8", "#47211f"),
    "good": ("#1b6e3c", "#6fce93"),
    "unknown": ("#6a5acd", "#b0a6ff"),
    "silent": ("#d5dae0", "#3a434d"),
}
LIGHT = {name: light for name, (light, _) in PALETTE.items()}

SERIES = tuple(LIGHT[f"series-{n}"] for n in range(1, 7))
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Hiragino Sans", "Hiragino Kaku Gothic ProN", "Noto Sans JP", '
    '"Noto Sans CJK JP", "Yu Gothic UI", Meiryo, sans-serif'
)

_AXIS: dict[str, Any] = {
    "automargin": True,
    "gridcolor": LIGHT["rule"],
    "gridwidth": 1,
    "linecolor": LIGHT["axis"],
    "zeroline": False,
    "ticks": "",
    "tickfont": {"color": LIGHT["muted"], "size": 12},
    "title": {"font": {"color": LIGHT["muted"], "size": 12}, "standoff": 8},
}

TEMPLATE: dict[str, Any] = {
    "layout": {
        "colorway": list(SERIES),
        "font": {"family": FONT, "size": 13, "color": LIGHT["ink"]},
        "paper_bgcolor": LIGHT["surface"],
        "plot_bgcolor": LIGHT["surface"],
        "margin": {"l": 56, "r": 16, "t": 64, "b": 40},
        "title": {
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 8},
            "y": 0.97,
            "yanchor": "top",
            "font": {"size": 15, "color": LIGHT["ink"]},
        },
        "xaxis": {**_AXIS, "showgrid": False, "showline": True},
        "yaxis": {**_AXIS, "rangemode": "tozero"},
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": LIGHT["surface"],
            "bordercolor": LIGHT["axis"],
            "font": {"size": 12, "color": LIGHT["ink"]},
            "align": "left",
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12, "color": LIGHT["muted"]},
            "itemclick": False,
            "itemdoubleclick": False,
        },
        "showlegend": False,
        "bargap": 0.2,
    }
}
