from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

Request = tuple[str, str, str, str, int | None, float | None]
COLUMNS = (
    "timestamp",
    "service_name",
    "http_request_method",
    "http_route",
    "http_response_status_code",
    "duration_seconds",
)


@pytest.fixture
def request_log() -> Callable[..., pd.DataFrame]:
    """A function that gives the request log of (timestamp, service, method, route, status, seconds) rows."""

    def log(*rows: Request) -> pd.DataFrame:
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        frame["timestamp"] = pd.to_datetime(frame["timestamp"], format="ISO8601", utc=True)
        return frame.astype({"http_response_status_code": "Int64", "duration_seconds": "float64"})

    return log


@pytest.fixture
def steady_log() -> Callable[..., pd.DataFrame]:
    """A function that gives one successful request to ``shop`` at each of the given instants."""

    def log(instants: pd.DatetimeIndex) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "timestamp": instants,
                "service_name": "shop",
                "http_request_method": "GET",
                "http_route": "/items",
                "http_response_status_code": pd.array([200] * len(instants), dtype="Int64"),
                "duration_seconds": 0.1,
            }
        )

    return log


@pytest.fixture
def shop() -> dict[str, str]:
    """A team called sales that owns the service ``shop``, without objectives."""
    return {"teams/sales.yaml": "name: {en: Sales, ja: 販売}\nlanguage: en\nowns: [{service: shop}]\n"}
