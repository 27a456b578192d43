from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from shokubai.core.windows import Window
from shokubai.display import tables
from shokubai.display.format import Locale
from shokubai.display.frames import Events
from shokubai.tables.contracts import ALERTS

NOON = datetime(2026, 10, 29, 3, tzinfo=UTC)  # Thursday 12:00 in Tokyo


def alerts(*rows: tuple[float, float | None, str]) -> pd.DataFrame:
    """Alerts from hours after noon: fired, resolved (None: still firing), name."""

    def at(hours: float | None) -> datetime | None:
        return None if hours is None else NOON + timedelta(hours=hours)

    return ALERTS.conform(
        pd.DataFrame(
            {
                "fired_at": pd.to_datetime([at(fired) for fired, _, _ in rows]),
                "resolved_at": pd.to_datetime([at(resolved) for _, resolved, _ in rows], utc=True),
                "service_name": "api",
                "alert_name": [name for *_, name in rows],
                "severity": "ticket",
            }
        )
    )


def shown(frame: pd.DataFrame, *, window: Window, locale: Locale) -> list[tuple[str, str]]:
    table = tables.changes(Events.none(), alerts=frame, window=window, locale=locale)
    return [(row[0].text, row[3].text) for row in table.rows]


def test_an_alert_that_fired_often_is_one_row_with_its_count(en: Locale, week: Window) -> None:
    frame = alerts((0, 1, "CpuHigh"), (3, 5, "CpuHigh"), (4, 6, "QueueOld"), (7, 7.5, "CpuHigh"))
    assert shown(frame, window=week, locale=en) == [
        ("Thu 29 Oct 12:00–19:30", "CpuHigh ×3"),
        ("Thu 29 Oct 16:00–18:00", "QueueOld"),
    ]


def test_two_alerts_keep_their_own_times(en: Locale, week: Window) -> None:
    assert shown(alerts((0, 1, "CpuHigh"), (3, 5, "CpuHigh")), window=week, locale=en) == [
        ("Thu 29 Oct 12:00–13:00", "CpuHigh"),
        ("Thu 29 Oct 15:00–17:00", "CpuHigh"),
    ]


def test_a_repeated_alert_that_still_fires_has_no_end(en: Locale, week: Window) -> None:
    frame = alerts((0, 1, "CpuHigh"), (2, None, "CpuHigh"), (3, 4, "CpuHigh"))
    assert shown(frame, window=week, locale=en) == [("since Thu 29 Oct 12:00", "CpuHigh ×3")]


def test_alerts_outside_the_window_are_not_counted(en: Locale, week: Window) -> None:
    frame = alerts((-24 * 7, -24 * 7 + 1, "CpuHigh"), (0, 1, "CpuHigh"), (2, 3, "CpuHigh"))
    assert [text for _, text in shown(frame, window=week, locale=en)] == ["CpuHigh", "CpuHigh"]
