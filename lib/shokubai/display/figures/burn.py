"""How fast one SLO's budget burned, over the lookbacks of its burn-rate thresholds."""

from __future__ import annotations

from datetime import timedelta
from math import log10

import pandas as pd

from shokubai.core.windows import Window
from shokubai.display import axes, hovers
from shokubai.display.exhibit import Figure
from shokubai.display.format import Locale
from shokubai.display.frames import Events
from shokubai.display.tables.slos import burn_rates, crossing
from shokubai.display.template import LIGHT
from shokubai.slo.model import BurnRate, SloStatus

HEIGHT = 300
FLOOR = 0.1  # a tenth of the pace that just lasts; everything slower is drawn there
MOST_POINTS = 1_000  # per line; above, the highest of each stretch is drawn
_COLOURS = (LIGHT["series-1"], LIGHT["series-2"], LIGHT["series-3"], LIGHT["series-4"])
_WIDTHS = (1.2, 1.8, 2.2, 2.6)


def burn(history: pd.DataFrame, *, status: SloStatus, window: Window, events: Events, locale: Locale) -> Figure:
    """Burn rates of one SLO in the window (BURN_HISTORY), with the thresholds at which one should act.

    The title names the lookback that went furthest beyond its threshold, a page threshold first, or says that none
    did.
    """
    name = status.slo.display_name or status.slo.name
    shown = history[(history["at"] >= window.start) & (history["at"] <= window.end)]
    lookbacks = sorted(shown["lookback_seconds"].unique())
    thresholds = {int(b.lookback.total_seconds()): b for b in status.burn_rates}
    known = shown["burn_rate"].dropna()
    tops = [float(known.max())] if len(known) else []
    tops += [b.threshold for b in status.burn_rates]
    low, high = log10(FLOOR), log10(max([*tops, 2.0])) + 0.25
    data, labels, shapes = [], [], []
    for n, lookback in enumerate(lookbacks):
        colour = _COLOURS[n % len(_COLOURS)]
        line = _thinned(shown[shown["lookback_seconds"] == lookback])
        text = locale.lookback(timedelta(seconds=int(lookback)))
        rates = line["burn_rate"]
        said = hovers.times(rates, locale)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": text,
                "x": axes.stamps(line["at"], locale),
                "y": axes.heights(rates.clip(lower=FLOOR)),
                "customdata": said.customdata,
                "line": {"color": colour, "width": _WIDTHS[n % len(_WIDTHS)]},
                "hovertemplate": f"%{{fullData.name}}: {said.template}<extra></extra>",
            }
        )
        if rates.notna().any():
            labels.append(axes.EndLabel(text, max(float(rates.dropna().iloc[-1]), FLOOR), colour))
        if burn_rate := thresholds.get(int(lookback)):
            y = burn_rate.threshold
            shapes.append(
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": y,
                    "y1": y,
                    "line": {"width": 1, "dash": "dash", "color": colour},
                }
            )
    event_shapes, markers = axes.draw_events(events, {status.slo.service}, window, locale)
    decades = range(int(low), int(high) + 1)
    layout = {
        "height": HEIGHT,
        "margin": {"r": axes.label_margin(labels)},
        "xaxis": axes.time_axis(window, locale),
        "yaxis": {
            "type": "log",
            "range": [low - 0.05, high],
            "tickmode": "array",
            "tickvals": [10.0**d for d in decades],
            "ticktext": [("≤ " if 10.0**d <= FLOOR else "") + locale.times(10.0**d) for d in decades],
        },
        "yaxis2": axes.events_axis(),
        "shapes": [*event_shapes, *shapes],
        "annotations": axes.end_labels(labels, low=low - 0.05, high=high, height=HEIGHT - 104, is_log=True),
    }
    return Figure(
        title=_title(status, name, locale),
        data=[*data, *markers],
        layout=layout,
        alt=locale.say("figure.burn.alt", name=name, span=locale.days(window)),
        equivalent=burn_rates([status], locale=locale),
        size="half",
        note=locale.say("figure.burn.note"),
    )


def _title(status: SloStatus, name: str, locale: Locale) -> str:
    peaks = [b for b in status.burn_rates if b.peak_rate is not None]
    if not peaks:
        return locale.say("figure.burn.title.nothing", name=name)
    crossings = {b: crossing(b) for b in peaks}
    ranks = ("no", "hardly", "yes")  # what was crossed comes before what was not, a page before a ticket
    worst = max(
        peaks,
        key=lambda b: (ranks.index(crossings[b]), crossings[b] != "no" and b.severity == "page", _excess(b)),
    )
    values = {
        "name": name,
        "lookback": locale.lookback(worst.lookback),
        "rate": locale.times(worst.peak_rate),
        "threshold": locale.times(worst.threshold),
        "at": locale.instant(worst.peak_at),
        "crossed": locale.instant(worst.crossed_at),
        "bad": locale.count(worst.peak_bad_count),
    }
    key = {"no": "below", "hardly": "hardly"}.get(crossings[worst], worst.severity)
    return locale.say(f"figure.burn.title.{key}", **values)


def _excess(burn_rate: BurnRate) -> float:
    return (burn_rate.peak_rate or 0.0) / burn_rate.threshold


def _thinned(line: pd.DataFrame) -> pd.DataFrame:
    """At most MOST_POINTS rows, each the highest of its stretch, so that no peak is lost."""
    line = line.sort_values("at")
    if len(line) <= MOST_POINTS:
        return line
    stretch = pd.Series(range(len(line)), index=line.index) // (-(-len(line) // MOST_POINTS))
    highest = line["burn_rate"].fillna(-1.0).groupby(stretch).idxmax()
    return line.loc[highest]
