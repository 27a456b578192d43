"""What hovers say of each point: numbers with one template, where it says exactly what ``Locale`` would.

A text per point is most of a chart's size. Plotly formats numbers itself, but has no three figures with units; so the
numbers are rounded here as ``Locale`` rounds them, and the template only writes them out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shokubai.display import axes
from shokubai.display.arrays import Array
from shokubai.display.exhibit import escape_for_plotly
from shokubai.display.format import MOST_PLACES, TIMES, Locale, Scale

# Significant digits that every decimal keeps in these types.
_SINGLE_FIGURES, _DOUBLE_FIGURES = 6, 15


@dataclass(frozen=True)
class Hovers:
    """Plotly's ``customdata`` of a trace, and the part of its template that words them."""

    customdata: Array | list[str]
    template: str


def times(rates: pd.Series, locale: Locale) -> Hovers:
    """Burn rates, as ``Locale.times`` has them."""
    return _hovers(rates, TIMES, locale.times, locale)


def quantities(values: pd.Series, unit: str, locale: Locale) -> Hovers:
    """Values of a metric, as ``Locale.quantity`` has them."""
    return _hovers(values, unit, lambda value: locale.quantity(value, unit), locale)


def shares(values: pd.Series, *, places: int) -> Array:
    """Ratios that a hover shows as percent with so many places after the point, in the smaller type where it may."""
    wide = axes.numbers(values)
    narrow = wide.astype("float32")
    return narrow if _same_digits(wide, narrow.astype("float64"), places) else wide


def counts(*columns: pd.Series) -> Array:
    """Whole numbers that a hover speaks of, a column each; NaN where they are not known."""
    return np.column_stack([axes.numbers(column) for column in columns])


def of_counts(locale: Locale) -> str:
    """The part of a template that words failed requests and all, from ``counts`` of these two."""
    return locale.say("figure.errors.hover", errors="%{customdata[0]:,d}", requests="%{customdata[1]:,d}")


def _hovers(column: pd.Series, unit: str, say: Callable[[float], str], locale: Locale) -> Hovers:
    values = axes.numbers(column)
    known = values[~np.isnan(values)]
    scale = _one_scale(known, unit, locale)
    if scale is None:
        return Hovers([escape_for_plotly(say(value)) for value in values.tolist()], "%{customdata}")
    numbers = _rounded(values, scale, say)
    narrow = numbers.astype("float32")
    fits = (np.abs(numbers[~np.isnan(numbers)]) < 10**_SINGLE_FIGURES).all()
    figures = _SINGLE_FIGURES if fits else _DOUBLE_FIGURES
    template = f"{escape_for_plotly(scale.prefix)}%{{customdata:,.{figures}~r}}{escape_for_plotly(scale.suffix)}"
    return Hovers(narrow if fits else numbers, template)


def _one_scale(known: Array, unit: str, locale: Locale) -> Scale | None:
    """The scale on which all values are written, None when there are several or one is no plain number."""
    if not len(known) or not np.isfinite(known).all() or (known < 0).any():
        return None
    # A larger value never has a smaller unit, so the ends speak for all; zero has its own.
    ends = {float(known.min()), float(known[known > 0].min(initial=np.inf)), float(known.max())} - {np.inf}
    scales = {locale.scale(end, unit) for end in ends}
    scale = scales.pop()
    return scale if not scales and scale is not None and not _is_formula(scale) else None


def _is_formula(scale: Scale) -> bool:
    """Whether its words could be read as a placeholder of a template."""
    return "%{" in scale.prefix + scale.suffix


def _rounded(values: Array, scale: Scale, say: Callable[[float], str]) -> Array:
    """The numbers that ``say`` writes. Where a half might be rounded either way, it is asked."""
    scaled = values * scale.factor
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = np.where(scaled > 0, np.floor(np.log10(scaled)), 0.0)
    figures = np.where(scaled < 10, scale.figures_below_ten, 3)
    powers = 10.0 ** np.clip(figures - 1 - exponents, 0, MOST_PLACES)
    shifted = scaled * powers
    rounded: Array = np.rint(shifted) / powers
    with np.errstate(invalid="ignore"):
        unsure = np.abs(shifted - np.floor(shifted) - 0.5) < 1e-6 + shifted * 1e-15
    for n in np.flatnonzero(unsure):
        text = say(float(values[n])).removeprefix(scale.prefix).removesuffix(scale.suffix)
        rounded[n] = float(text.replace(",", ""))
    return rounded


def _same_digits(wide: Array, narrow: Array, places: int) -> bool:
    """Whether plotly, which multiplies by 100 and cuts, writes the same."""
    power = 10.0**places
    digits: list[Any] = [np.floor(ratios[~np.isnan(ratios)] * 100 * power + 0.5) for ratios in (wide, narrow)]
    return bool((digits[0] == digits[1]).all())
