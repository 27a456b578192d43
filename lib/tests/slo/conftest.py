from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from shokubai.config.model import Indicator, Slo, SloWindow, Source
from shokubai.core.windows import Duration
from shokubai.sli import MinuteSeries
from shokubai.tables.contracts import SLI_MINUTES

SloFactory = Callable[..., Slo]
RowsFactory = Callable[..., pd.DataFrame]


@pytest.fixture
def make_slo() -> SloFactory:
    """An availability SLO over 28 rolling days; ``calendar`` names a wall-clock anchor and a zone instead."""

    def make(
        objective: float = 0.999,
        *,
        duration: str = "28d",
        budgeting: str = "Occurrences",
        slice_target: float | None = None,
        slice_window: str | None = None,
        calendar: tuple[datetime, str] | None = None,
    ) -> Slo:
        anchor, zone = (calendar[0], ZoneInfo(calendar[1])) if calendar else (None, None)
        return Slo(
            name="auth-availability",
            display_name="",
            service="auth",
            indicator=Indicator("availability"),
            window=SloWindow(Duration.parse(duration), calendar is None, anchor, zone),
            budgeting=budgeting,  # type: ignore[arg-type]
            objective=objective,
            source=Source(Path("slos/auth.yaml"), 1),
            time_slice_target=slice_target,
            time_slice_window=Duration.parse(slice_window) if slice_window else None,
        )

    return make


@pytest.fixture
def make_rows() -> RowsFactory:
    """SLI_MINUTES of consecutive minutes that end at ``end``; valid and bad are numbers or one per minute."""

    def make(
        end: datetime, minutes: int, *, valid: int | Sequence[int] = 0, bad: int | Sequence[int] = 0
    ) -> pd.DataFrame:
        valid_counts = np.broadcast_to(np.asarray(valid), minutes)
        start = end - timedelta(minutes=minutes)
        return SLI_MINUTES.conform(
            pd.DataFrame(
                {
                    "minute": pd.date_range(start, periods=minutes, freq="min"),
                    "valid_count": valid_counts,
                    "good_count": valid_counts - np.broadcast_to(np.asarray(bad), minutes),
                }
            )
        )

    return make


@pytest.fixture
def make_series() -> Callable[..., MinuteSeries]:
    """A series from ``start`` on (default: a Monday's midnight in UTC) of valid and good counts."""

    def make(
        valid: Sequence[int], good: Sequence[int], *, start: datetime = datetime(2026, 10, 26, tzinfo=UTC)
    ) -> MinuteSeries:
        return MinuteSeries(start, np.asarray(valid, dtype=np.int64), np.asarray(good, dtype=np.int64))

    return make
