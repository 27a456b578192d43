"""Tables for logs that have only a week: responses by status and the busiest routes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from shokubai.display import tables
from shokubai.display.exhibit import Table
from shokubai.display.format import Locale
from shokubai.display.frames import ROUTE_CHANGES, STATUS_COUNTS


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def routes(*rows: dict[str, Any]) -> pd.DataFrame:
    """Route rows; numbers that are not given are missing."""
    whole = []
    for row in rows:
        filled: dict[str, Any] = {
            name: "" if c.type == "STRING" else pd.NA if c.type == "NULLABLE_INT64" else float("nan")
            for name, c in ROUTE_CHANGES.columns.items()
        }
        whole.append(filled | {"service_name": "api", "http_request_method": "GET"} | row)
    return ROUTE_CHANGES.conform(pd.DataFrame(whole))


def test_busiest_routes_say_nothing_of_failures_that_are_not_known(en: Locale) -> None:
    frame = routes(
        {"http_route": "/a", "request_count": 5, "error_count": 1},
        {"http_route": "shop.Cart/Add", "http_request_method": "_OTHER", "request_count": 9},
        {"http_route": "/gone"},
    )
    assert texts(tables.busiest_routes(frame, locale=en)) == [
        ["shop.Cart/Add", "9", "–", "–", "–", "–", "–"],
        ["GET /a", "5", "1", "20%", "–", "–", "–"],
    ]
    assert tables.busiest_routes(frame, locale=en, limit=1).note == "and 1 more"


def test_statuses_are_in_order_and_those_without_one_come_last(en: Locale, ja: Locale) -> None:
    counts = STATUS_COUNTS.conform(
        pd.DataFrame(
            {
                "service_name": ["api", "api", "api", "web"],
                "http_response_status_code": pd.array([None, 503, 200, 299], dtype="Int64"),
                "request_count": [1, 99, 900, 4],
            }
        )
    )
    alone = tables.statuses(counts[counts["service_name"] == "api"], services=["api"], locale=en)
    assert texts(alone) == [
        ["200 OK", "900", "90%"],
        ["503 Service Unavailable", "99", "9.9%"],
        ["No status", "1", "0.1%"],
    ]
    assert [h.text for h in alone.headers] == ["Status", "Requests", "Share"]
    both = tables.statuses(counts, services=["web", "api", "idle"], locale=ja)
    assert [h.text for h in both.headers] == ["ステータス", "web", "api"]
    assert texts(both) == [
        ["200 OK", "–", "900"],
        ["299", "4", "–"],
        ["503 Service Unavailable", "–", "99"],
        ["ステータスなし", "–", "1"],
    ]
