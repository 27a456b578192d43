"""What the SLO stage gives: unrounded numbers, a verdict with its reason, and series over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shokubai.config.model import Slo
from shokubai.core.frames import Column, FrameContract
from shokubai.core.windows import Window
from shokubai.sli.model import SILENCES
from shokubai.slo.budget import TIE

__all__ = [
    "BUDGET_HISTORY",
    "BUDGET_PARTS",
    "BURN_HISTORY",
    "EPISODES",
    "OBJECTIVE_PERIODS",
    "SILENCES",
    "BurnRate",
    "DeploymentWindow",
    "Forecast",
    "PartKind",
    "Reason",
    "SloStatus",
    "Verdict",
]

Verdict = Literal["met", "missed", "not_enough_data"]
Reason = Literal[
    "interval_above_objective",  # met
    "interval_below_objective",  # missed
    "interval_holds_objective",  # not enough data: the interval lies on both sides
    "no_traffic",  # not enough data: nothing valid was seen, and zero traffic is not 100 %
    "incomplete",  # not enough data: too much telemetry is missing
]

# What a bad request was: failed, or slower than the objective allows; the rest stands for all parts that have no row.
PartKind = Literal["error", "slow", "rest"]
# When it was: after a deployment and before the next one, before the first one known, or none is known.
DeploymentWindow = Literal["after", "before", "none"]


@dataclass(frozen=True)
class BurnRate:
    """How fast the budget burns over one lookback, in multiples of the pace that spends it exactly in the window.

    ``threshold`` is budget_fraction × window / lookback (SRE Workbook ch. 5), derived for the SLO's own window.
    ``rate`` is at the end of the window, ``peak_rate`` the highest in the week before; None without traffic.
    ``peak_bad_count`` are the bad events of the lookback that gave the peak. ``crossed_at`` is the first instant
    of that week at which both lookbacks were above the threshold, with enough bad events to mean something; None
    when there was none.
    """

    lookback: timedelta
    short_lookback: timedelta
    budget_fraction: float
    severity: Literal["page", "ticket"]
    threshold: float
    rate: float | None
    peak_rate: float | None
    peak_at: datetime | None
    peak_bad_count: float | None = None
    crossed_at: datetime | None = None


@dataclass(frozen=True)
class Forecast:
    """When the budget will be spent if the last days' pace goes on.

    outcome: exhausted (it is spent already; in a calendar period that is not over, all of the budget that the
    whole period is likely to have), exhausts (at ``exhausted_at``), lasts, unknown (no traffic).
    """

    outcome: Literal["exhausted", "exhausts", "lasts", "unknown"]
    exhausted_at: datetime | None
    pace_burn_rate: float | None  # burn rate over the lookback that the forecast carries forward
    lookback: timedelta


@dataclass(frozen=True)
class SloStatus:
    """One SLO judged at one instant. Counts are requests, or slices where the budgeting method is by slices.

    For RatioTimeslices ``good_count`` is the sum of the slices' ratios, hence not whole.
    ``window`` is the judged part; ``whole_window`` reaches to the period's end for calendar windows.
    ``budget_allowed_count`` = (1 − objective) × valid_count, unrounded; ``budget_left_ratio`` is 1 − spent /
    allowed, negative when overspent, None without traffic; ``budget_left_minutes`` = that ratio × the whole
    window's minutes × (1 − objective).
    ``data_since`` is when the first valid event was seen, if that is more than a day after the window's start and
    nothing older is known: the window is then judged by the part of it that there is.
    """

    slo: Slo
    window: Window
    whole_window: Window
    unit: Literal["requests", "slices"]
    valid_count: int
    good_count: float
    bad_count: float
    empty_slice_count: int
    sli_ratio: float | None
    interval_low: float | None
    interval_high: float | None
    verdict: Verdict
    reason: Reason
    completeness_ratio: float
    budget_allowed_count: float
    budget_spent_count: float
    budget_left_count: float
    budget_left_ratio: float | None
    budget_allowed_minutes: float
    budget_left_minutes: float | None
    burn_rates: tuple[BurnRate, ...]
    forecast: Forecast
    data_since: datetime | None = None

    @property
    def projected_left_ratio(self) -> float | None:
        """``budget_left_ratio`` of the budget that the whole window is likely to have.

        1 − spent / (allowed × whole window / window): the same for rolling windows, and for a calendar period what
        is left if traffic goes on as so far. None without traffic.
        """
        if self.budget_left_ratio is None or self.window.duration >= self.whole_window.duration:
            return self.budget_left_ratio
        left = 1.0 - (1.0 - self.budget_left_ratio) * (self.window.duration / self.whole_window.duration)
        return 0.0 if abs(left) < TIE else left


BUDGET_HISTORY = FrameContract(
    "budget_history",
    "hour end at which one SLO is judged",
    {
        "at": Column("TIMESTAMP", "the end of the judged window"),
        "sli_ratio": Column("FLOAT64", "NaN without traffic"),
        "budget_left_ratio": Column("FLOAT64", "1 = untouched, 0 = spent, negative = overspent, NaN without traffic"),
    },
)

BUDGET_PARTS = FrameContract(
    "budget_parts",
    "route × kind × status code × deployment window that spent some of one SLO's budget, and one for the rest",
    {
        "service_name": Column("STRING", "empty in the rest, as are all that say what a part is"),
        "http_request_method": Column("STRING", ""),
        "http_route": Column("STRING", ""),
        "kind": Column("STRING", "one of PartKind"),
        "http_response_status_code": Column("NULLABLE_INT64", "NULL when none was logged"),
        "deployment_window": Column("STRING", "one of DeploymentWindow; empty in the rest"),
        "deployed_at": Column("TIMESTAMP", "of the deployment after or before which it was; NaT without"),
        "service_version": Column("STRING", "of that deployment; empty when unknown"),
        "part_count": Column("INT64", "how many parts the row stands for: 1, in the rest more"),
        "bad_request_count": Column("INT64", "bad requests; of Timeslices only those in bad slices"),
        "spent_count": Column(
            "FLOAT64", "in the unit of the SLO; in any order the rows sum to exactly the budget spent"
        ),
        "spent_ratio": Column("FLOAT64", "that / the budget allowed"),
    },
)

BURN_HISTORY = FrameContract(
    "burn_history",
    "lookback × instant",
    {
        "at": Column("TIMESTAMP", "the end of the lookback"),
        "lookback_seconds": Column("INT64", ""),
        "burn_rate": Column("FLOAT64", "NaN without traffic"),
    },
)

OBJECTIVE_PERIODS = FrameContract(
    "objective_periods",
    "four weeks of one SLO",
    {
        "ended_at": Column("TIMESTAMP", "end of the four weeks"),
        "valid_count": Column("INT64", "requests, also where the SLO counts slices"),
        "bad_count": Column("INT64", "those of them that were not good"),
    },
)

EPISODES = FrameContract(
    "episodes",
    "stretch of minutes in which one SLO's budget burned above the page threshold",
    {
        "started_at": Column("TIMESTAMP", "first bad minute"),
        "ended_at": Column("TIMESTAMP", "end of the last bad minute"),
        "valid_count": Column("INT64", "requests, also where the SLO counts slices"),
        "bad_count": Column("INT64", "those of them that were not good"),
        "budget_spent_ratio": Column(
            "FLOAT64", "what they spent / the budget of the SLO's window, or of their calendar period"
        ),
    },
)
