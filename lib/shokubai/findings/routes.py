"""Routes beside their baselines: the rows on which the route rules decide."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast

import pandas as pd

from shokubai.core.windows import HOUR
from shokubai.tables.ownership import ROUTE


class Route(NamedTuple):
    service: str
    method: str
    route: str


def _route(key: Hashable) -> Route:
    service, method, route = cast(tuple[str, str, str], key)
    return Route(service, method, route)


@dataclass(frozen=True)
class Histogram:
    """Durations as DDSketch keys, ascending, with their counts."""

    keys: pd.Series
    counts: pd.Series

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def slower_than(self, key: int) -> int:
        """Requests in buckets beyond ``key``."""
        return int(self.counts[self.keys > key].sum())

    def quantile_key(self, quantile: float) -> int:
        """The bucket that holds the quantile, at rank quantile · (n − 1) as in ``core.sketch``."""
        cumulative = self.counts.cumsum().to_numpy()
        return int(self.keys.iloc[int((cumulative <= quantile * (self.total - 1)).sum())])


def histograms(route_latency: pd.DataFrame) -> dict[Route, Histogram]:
    """ROUTE_LATENCY as one histogram per route."""
    buckets = route_latency.groupby([*ROUTE, "duration_bucket"], sort=True)["request_count"].sum().reset_index()
    return {
        _route(key): Histogram(
            rows["duration_bucket"].reset_index(drop=True), rows["request_count"].reset_index(drop=True)
        )
        for key, rows in buckets.groupby(ROUTE, sort=True)
    }


def by_route(frame: pd.DataFrame) -> dict[Route, pd.DataFrame]:
    """The rows of each route, routes in order."""
    return {_route(key): rows for key, rows in frame.groupby(ROUTE, sort=True)}


def rows_of(frame: pd.DataFrame, route: Route) -> pd.DataFrame:
    """The rows of one route, in a frame with the route columns."""
    of_service = frame["service_name"] == route.service
    return frame[of_service & (frame["http_request_method"] == route.method) & (frame["http_route"] == route.route)]


class Stretch(NamedTuple):
    start: datetime
    end: datetime


def touches(hours: pd.Series, stretches: list[Stretch]) -> pd.Series:
    """Which of the hours (given by their starts) touch one of the stretches."""
    touched = pd.Series(False, index=hours.index)
    for stretch in stretches:
        touched |= (hours < pd.Timestamp(stretch.end)) & (hours + HOUR > pd.Timestamp(stretch.start))
    return touched
