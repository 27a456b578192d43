"""Where a project's folders are, and how a person may write a window."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from shokubai.core.errors import UsageError
from shokubai.core.windows import Week, Window, local_day

WindowLike = Window | Week | str | tuple[str | datetime, str | datetime]


def find_project(start: Path) -> Path:
    """The nearest folder at or above ``start`` that holds ``parameters/organization.yaml``.

    Raises UsageError when there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "parameters" / "organization.yaml").is_file():
            return folder
    raise UsageError(
        f"no parameters/organization.yaml at or above {start}; start JupyterLab inside the project, "
        "or name the folder: shokubai.open(parameters='…/parameters')"
    )


def parse_instant(text: str | datetime, zone: ZoneInfo) -> datetime:
    """An instant; without an offset of its own it is a wall-clock time in ``zone``.

    Raises UsageError for text that is not ISO 8601.
    """
    try:
        instant = text if isinstance(text, datetime) else datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} is not a time; write 2026-10-27, 2026-10-27 14:00 or with an offset") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def parse_window(window: WindowLike, zone: ZoneInfo) -> Window:
    """A window from what a person writes.

    ``"2026-W44"`` an ISO week, ``"2026-10-27"`` a day, ``"2026-10-27 14:00/2026-10-28"`` from–to, or a pair of
    times. Times without an offset are wall-clock times in ``zone``. Raises UsageError for anything else.

    >>> str(parse_window("2026-10-27", ZoneInfo("Asia/Tokyo")))
    '2026-10-26T15:00Z/2026-10-27T15:00Z'
    """
    if isinstance(window, Window):
        return window
    if isinstance(window, Week):
        return window.window(zone)
    try:
        if isinstance(window, tuple):
            start, end = window
            return Window(parse_instant(start, zone), parse_instant(end, zone))
        if "/" in window:
            start_text, _, end_text = window.partition("/")
            return Window(parse_instant(start_text, zone), parse_instant(end_text, zone))
        if "W" in window:
            return Week.parse(window).window(zone)
        return local_day(date.fromisoformat(window), zone)
    except ValueError as error:
        raise UsageError(
            f"{window!r} is not a window; write a week (2026-W44), a day (2026-10-27), "
            "from/to (2026-10-27 14:00/2026-10-28) or a pair of times, the first one earlier"
        ) from error
