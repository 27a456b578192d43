"""Which rows of a frame by route belong to a team."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shokubai.config.model import Team

ROUTE = ["service_name", "http_request_method", "http_route"]


def owned_rows(frame: pd.DataFrame, team: Team) -> pd.DataFrame:
    """The rows of services and routes that a team owns, of any frame with the three route columns."""
    routes = frame[ROUTE].drop_duplicates()
    mine = np.array([team.owns_route(*route) for route in routes.itertuples(index=False, name=None)], dtype=bool)
    return frame.copy(deep=False) if mine.all() else frame.merge(routes[mine], on=ROUTE)
