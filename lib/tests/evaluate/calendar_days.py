"""Days that are out of the ordinary by the calendar alone, and the findings that mistake them for something else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from matching import Report

from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import DAY
from shokubai.demo.organization import TOKYO

MONTH_TURN = "月末月初"


def named_days(first: date, last: date) -> list[str]:
    """The month turns, and the holidays of Japan and the Philippines, from ``first`` to ``last``."""
    japan, philippines = BusinessCalendar("JP"), BusinessCalendar("PH")
    found = []
    day = first
    while day <= last:
        name = japan.holiday(day) or philippines.holiday(day) or (MONTH_TURN if japan.is_month_turn(day) else "")
        if name:
            found.append(f"{day} {name}")
        day += DAY
    return found


def mistaken(report: Report, finding: Mapping[str, Any]) -> list[str]:
    """The days by name that a finding without a planted cause may have mistaken; none when it touches none.

    Asked of alarms, and of traffic that is called unusual. A finding without times is about its whole week.
    """
    start = _instant(finding["started_at"]) or report.start
    end = _instant(finding["ended_at"]) or report.end
    return named_days(start.astimezone(TOKYO).date(), (end.astimezone(TOKYO) - DAY / 86_400).date())


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
