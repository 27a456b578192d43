"""Readers, and SLO statuses written out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shokubai.config.model import Indicator, Slo, SloWindow, Source
from shokubai.core.windows import DAY, HOUR, MINUTE, Duration, Week, Window
from shokubai.display.arrays import decode
from shokubai.display.format import Locale
from shokubai.slo.model import BurnRate, Forecast, SloStatus

TOKYO = ZoneInfo("Asia/Tokyo")
WINDOW = Week(2026, 44).window(TOKYO)


@pytest.fixture
def drawn() -> Callable[[Any], list[Any]]:
    """A function that gives the values of an array in a figure as a list: times as text, gaps as None."""
    return _drawn


def _drawn(array: Any) -> list[Any]:
    return [float(f"{v:.6g}") if isinstance(v, float) else v for v in decode(array)]


@pytest.fixture
def en() -> Locale:
    return Locale("en", TOKYO)


@pytest.fixture
def ja() -> Locale:
    return Locale("ja", TOKYO)


@pytest.fixture
def week() -> Window:
    """2026-W44 in Tokyo: 26 October 00:00 to 2 November 00:00."""
    return WINDOW


@pytest.fixture
def make_status() -> Callable[..., SloStatus]:
    """A status over 28 days: by default 1,000,000 requests of which 600 were bad, against 99.9 %."""
    return _status


def _status(
    *,
    name: str = "api-availability",
    display_name: str = "API availability",
    service: str = "api",
    objective: float = 0.999,
    threshold_seconds: float | None = None,
    valid: int = 1_000_000,
    bad: int = 600,
    verdict: Any = "met",
    reason: Any = "interval_above_objective",
    peak_rates: tuple[float | None, float | None] = (2.0, 3.0),
    is_crossed: bool = True,
) -> SloStatus:
    window = Window(WINDOW.end - timedelta(days=28), WINDOW.end)
    allowed = (1 - objective) * valid
    left = (1 - bad / allowed) if valid else None
    minutes = 28 * 1440 * (1 - objective)
    return SloStatus(
        slo=Slo(
            name=name,
            display_name=display_name,
            service=service,
            indicator=Indicator(
                "availability" if threshold_seconds is None else "latency", threshold_seconds=threshold_seconds
            ),
            window=SloWindow(Duration(28, "d"), is_rolling=True),
            budgeting="Occurrences",
            objective=objective,
            source=Source(Path("slos/api.yaml"), 1),
        ),
        window=window,
        whole_window=window,
        unit="requests",
        valid_count=valid,
        good_count=valid - bad,
        bad_count=bad,
        empty_slice_count=0,
        sli_ratio=(valid - bad) / valid if valid else None,
        interval_low=0.99935 if valid else None,
        interval_high=0.99944 if valid else None,
        verdict=verdict,
        reason=reason,
        completeness_ratio=1.0,
        budget_allowed_count=allowed,
        budget_spent_count=bad,
        budget_left_count=allowed - bad,
        budget_left_ratio=left,
        budget_allowed_minutes=minutes,
        budget_left_minutes=None if left is None else left * minutes,
        burn_rates=tuple(
            BurnRate(
                lookback,
                short_lookback,
                fraction,
                severity,
                threshold,
                0.5 if valid else None,
                peak,
                None if peak is None else at,
                peak_bad_count=3.0,
                crossed_at=at if is_crossed and peak is not None and peak >= threshold else None,
            )
            for lookback, short_lookback, fraction, severity, threshold, peak, at in (
                (HOUR, 5 * MINUTE, 0.02, "page", 13.44, peak_rates[0], datetime(2026, 10, 29, 5, 5, tzinfo=UTC)),
                (DAY, 2 * HOUR, 0.1, "ticket", 2.8, peak_rates[1], datetime(2026, 10, 29, 15, 0, tzinfo=UTC)),
            )
        ),
        forecast=Forecast("lasts" if valid else "unknown", None, 0.5 if valid else None, timedelta(days=3)),
    )
