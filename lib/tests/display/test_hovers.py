"""Hovers made of numbers and a template say what ``Locale`` says of each value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shokubai.display import hovers
from shokubai.display.arrays import decode, encode
from shokubai.display.format import Locale


def as_plotly_writes(said: hovers.Hovers) -> list[Any]:
    """The hover of each point, from what is sent; the format ``,.Nr`` with ``~`` as d3 defines it."""
    sent = decode(encode(said.customdata)) if isinstance(said.customdata, np.ndarray) else said.customdata
    if said.template == "%{customdata}":
        return list(sent)
    before, _, rest = said.template.partition("%{customdata:,.")
    figures, _, after = rest.partition("~r}")
    return [None if v is None else before + written(float(v), int(figures)) + after for v in sent]


def written(value: float, figures: int) -> str:
    exact = Decimal(value)
    if exact == 0:
        return "0"
    text = f"{exact.quantize(Decimal(1).scaleb(exact.adjusted() - figures + 1), rounding=ROUND_HALF_UP):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def some(low: float, high: float, *ends: float) -> pd.Series:
    """Values of all sizes between two, many of them at a half of the third figure, and a gap."""
    random = np.random.default_rng(3)
    spread = np.exp(random.uniform(np.log(low), np.log(high), 3_000))
    halves = np.array([float(f"{v:.2e}".replace("e", "5e")) for v in spread])
    return pd.Series([*ends, *spread, *halves[(halves >= low) & (halves <= high)], float("nan")])


@pytest.mark.parametrize(
    ("values", "template"),
    [
        (some(0.0004, 900.0, 0.0, 1.0, 13.44, 99.95), "×%{customdata:,.6~r}"),
        (some(0.5, 900_000.0, 999_999.0), "×%{customdata:,.6~r}"),
        (some(0.5, 9e9, 1_234_567.0), "×%{customdata:,.15~r}"),
        (some(1e-12, 1e-3), "×%{customdata:,.6~r}"),
    ],
)
def test_burn_rates(en: Locale, values: pd.Series, template: str) -> None:
    said = hovers.times(values, en)
    assert said.template == template
    assert as_plotly_writes(said) == [None if v != v else en.times(v) for v in values]


@pytest.mark.parametrize(
    ("unit", "values", "template"),
    [
        ("1", some(0.0001, 3.0, 0.0, 0.07, 0.0999, 0.09995, 0.1), "%{customdata:,.6~r}%"),
        ("By", some(870 * 1024.0**2, 1023 * 1024.0**2), "%{customdata:,.6~r} MiB"),
        ("By", some(1000.0 * 1024**2, 1100 * 1024.0**2), "%{customdata}"),
        ("s", some(0.001, 0.9994), "%{customdata:,.6~r} ms"),
        ("s", some(0.001, 0.9994, 0.0), "%{customdata}"),  # zero is told in seconds
        ("s", some(1.0, 59.0, 0.0), "%{customdata:,.6~r} s"),
        ("s", some(1.0, 90.0), "%{customdata}"),
        ("ms", some(1.0, 900.0), "%{customdata:,.6~r} ms"),
        ("{item}", some(0.1, 5_000.0, 0.0), "%{customdata:,.6~r}"),
        ("By/s", some(1.0, 99.0), "%{customdata:,.6~r} By/s"),
        ("%{x}", some(1.0, 99.0), "%{customdata}"),
        ("{item}", pd.Series([-1.0, 2.0]), "%{customdata}"),
        ("{item}", pd.Series([float("inf"), 2.0]), "%{customdata}"),
    ],
)
def test_metrics(en: Locale, ja: Locale, unit: str, values: pd.Series, template: str) -> None:
    for locale in (en, ja):
        said = hovers.quantities(values, unit, locale)
        if template == "%{customdata}":
            assert as_plotly_writes(said) == [locale.quantity(v, unit) for v in values]
            continue
        assert as_plotly_writes(said) == [None if v != v else locale.quantity(v, unit) for v in values]
    assert hovers.quantities(values, unit, en).template == template


def test_a_unit_from_outside_is_text(en: Locale) -> None:
    values = pd.Series([1.0, 2.0])
    assert hovers.quantities(values, "<a href='x'>", en).template.endswith(" &lt;a href='x'&gt;")
    assert hovers.quantities(-values, "<b>", en).customdata == ["−1 &lt;b&gt;", "−2 &lt;b&gt;"]


def test_no_value_at_all_has_a_hover_that_nobody_sees(en: Locale) -> None:
    assert hovers.times(pd.Series([float("nan")]), en).customdata == ["–"]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0.854_17, 0.5, float("nan")], "float32"),
        ([0.854_17, 0.001_500_000_01, 0.001_499_999_99], "float64"),  # 0.2% and 0.1%; one and the same as float32
    ],
)
def test_shares_take_half_the_room_where_they_show_the_same(values: list[float], dtype: str) -> None:
    assert hovers.shares(pd.Series(values), places=1).dtype == dtype


def test_counts_of_two_columns_keep_what_is_not_known(drawn: Callable[[Any], list[Any]], en: Locale) -> None:
    found = hovers.counts(pd.Series([1, pd.NA], dtype="Int64"), pd.Series([10, 20], dtype="Int64"))
    assert drawn(found) == [[1.0, 10.0], [None, 20.0]]
    assert hovers.of_counts(en) == "(%{customdata[0]:,d} of %{customdata[1]:,d})"
