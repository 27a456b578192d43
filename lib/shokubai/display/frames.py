"""The frames that exhibits are drawn from, beside those of ``tables.contracts`` and ``slo.model``.

Whoever calls ``display`` computes every number; exhibits only show them. Comparisons lie on this week's axis:
a ``comparable_`` or ``last_month_`` value stands in the row of the hour of this week it is compared with
(same weekday and wall-clock hour, or the same business day of last month). NULL means "not known", never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from shokubai.core.frames import Column, FrameContract
from shokubai.core.windows import Window
from shokubai.tables.contracts import DEPLOYMENTS, INCIDENTS

HOURLY_TRAFFIC = FrameContract(
    "hourly_traffic",
    "service × hour of the week, every hour present",
    {
        "service_name": Column("STRING", ""),
        "hour": Column("TIMESTAMP", "start of the hour"),
        "request_count": Column("NULLABLE_INT64", "0 = nobody came; NULL = telemetry is missing"),
        "error_count": Column("NULLABLE_INT64", "status 500–599; NULL where request_count is, or without statuses"),
        "comparable_request_count": Column("NULLABLE_INT64", "same hour of the comparable week"),
        "comparable_error_count": Column("NULLABLE_INT64", ""),
        "last_month_request_count": Column("NULLABLE_INT64", "same hour of the same business day of last month"),
        "last_month_error_count": Column("NULLABLE_INT64", ""),
    },
)

HOURLY_LATENCY = FrameContract(
    "hourly_latency",
    "service × hour of the week, every hour present",
    {
        "service_name": Column("STRING", ""),
        "hour": Column("TIMESTAMP", "start of the hour"),
        "duration_count": Column("INT64", "requests with a duration"),
        "p50_seconds": Column("FLOAT64", "NaN without requests"),
        "p95_seconds": Column("FLOAT64", ""),
        "p99_seconds": Column("FLOAT64", ""),
        "comparable_p95_seconds": Column("FLOAT64", "same hour of the comparable week; NaN with few requests"),
        "last_month_p95_seconds": Column("FLOAT64", "same hour of the same business day of last month"),
    },
)

_ROUTE_NUMBERS = {
    "request_count": ("NULLABLE_INT64", "NULL when the period has no data at all"),
    "error_count": ("NULLABLE_INT64", "status 500–599; NULL too when no request had a status"),
    "p50_seconds": ("FLOAT64", "NaN without durations"),
    "p95_seconds": ("FLOAT64", ""),
    "p99_seconds": ("FLOAT64", ""),
}

ROUTE_CHANGES = FrameContract(
    "route_changes",
    "service × method × route seen this week or in a comparison",
    {
        "service_name": Column("STRING", ""),
        "http_request_method": Column("STRING", ""),
        "http_route": Column("STRING", ""),
        **{name: Column(type_, meaning) for name, (type_, meaning) in _ROUTE_NUMBERS.items()},
        **{f"comparable_{name}": Column(type_, meaning) for name, (type_, meaning) in _ROUTE_NUMBERS.items()},
        **{f"last_month_{name}": Column(type_, meaning) for name, (type_, meaning) in _ROUTE_NUMBERS.items()},
        "slo_name": Column("STRING", "the SLO whose budget the route spent most of this week; empty when none"),
        "budget_spent_count": Column("FLOAT64", "bad events of that SLO this week on this route; 0 when none"),
        "budget_valid_count": Column("FLOAT64", "events of the route that that SLO counts; NaN when there is no SLO"),
        "budget_spent_ratio": Column("FLOAT64", "that count / the budget allowed in the SLO's window; NaN unknown"),
    },
)

STATUS_COUNTS = FrameContract(
    "status_counts",
    "service × status code of the week's requests",
    {
        "service_name": Column("STRING", ""),
        "http_response_status_code": Column("NULLABLE_INT64", "NULL when none was logged"),
        "request_count": Column("INT64", "requests"),
    },
)

SLI_STEPS = FrameContract(
    "sli_steps",
    "step of five minutes, every step of a window present",
    {
        "started_at": Column("TIMESTAMP", ""),
        "valid_count": Column("INT64", "requests that the SLO counts"),
        "bad_count": Column("INT64", "those that were not good"),
        "bad_ratio": Column("FLOAT64", "bad / valid; NaN without requests"),
    },
)

# data: requests were seen. quiet: none seen and none expected. before_log: the log of any service begins later.
# The other four are slo.model.SILENCES' kinds.
CompletenessState = Literal["data", "quiet", "before_log", "zero_traffic", "late", "telemetry_gap", "unexplained"]
COMPLETENESS_STATES: tuple[CompletenessState, ...] = (
    "data",
    "quiet",
    "before_log",
    "zero_traffic",
    "late",
    "telemetry_gap",
    "unexplained",
)

HOURLY_COMPLETENESS = FrameContract(
    "hourly_completeness",
    "service × hour of the week, every hour present",
    {
        "service_name": Column("STRING", ""),
        "hour": Column("TIMESTAMP", "start of the hour"),
        "request_count": Column("INT64", "requests seen"),
        "state": Column("STRING", "one of COMPLETENESS_STATES"),
    },
)

TEAM_WEEKS = FrameContract(
    "team_weeks",
    "team, in alphabetical order: what its week looks like from outside, never a ranking",
    {
        "team": Column("STRING", "name"),
        "display_name": Column("STRING", "in the reader's language"),
        "href": Column("STRING", "relative link to its report; empty when there is none"),
        "met_count": Column("NULLABLE_INT64", "SLOs met; NULL when there is no report or no data"),
        "missed_count": Column("NULLABLE_INT64", ""),
        "not_enough_data_count": Column("NULLABLE_INT64", ""),
        "sentence": Column("STRING", "what matters most this week, or why nothing is known; may be empty"),
        "contact": Column("STRING", "with whom to talk; may be empty"),
    },
)


@dataclass(frozen=True)
class Events:
    """What happened meanwhile; drawn on every time axis. Rows outside the axis or of other services are left out."""

    deployments: pd.DataFrame  # tables.contracts.DEPLOYMENTS
    incidents: pd.DataFrame  # tables.contracts.INCIDENTS

    @classmethod
    def none(cls) -> Events:
        return cls(DEPLOYMENTS.empty(), INCIDENTS.empty())

    def of(self, services: set[str] | None, window: Window) -> Events:
        """Those of some services (None: all) that touch the window."""

        def mine(frame: pd.DataFrame) -> pd.DataFrame:
            return frame if services is None else frame[frame["service_name"].isin(services)]

        deployments, incidents = mine(self.deployments), mine(self.incidents)
        at = deployments["deployed_at"]
        started = incidents["started_at"]
        ended = incidents["mitigated_at"].fillna(incidents["resolved_at"])
        return Events(
            deployments[(at >= window.start) & (at < window.end)].sort_values("deployed_at"),
            incidents[(started < window.end) & ~(ended <= window.start)].sort_values("started_at"),
        )


@dataclass(frozen=True)
class Periods:
    """The week shown and what it is compared with; None when there is nothing to compare with."""

    window: Window
    comparable: Window | None
    # First and last day of last month's matching business days, which need not be consecutive.
    last_month: Window | None = None
