"""What the rules see: one team's week as pure frames, the baselines it is compared with, and the thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, wraps
from types import MappingProxyType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import pandas as pd

from shokubai.config.model import Reply, Rules, Team
from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import Week, Window
from shokubai.findings.defaults import default_rules
from shokubai.findings.model import TeamThreshold
from shokubai.sli import SILENCES
from shokubai.slo.model import SloStatus, Verdict
from shokubai.tables.contracts import (
    ALERTS,
    DEPLOYMENTS,
    INCIDENTS,
    LATENCY_HOURS,
    METRIC_HOURS,
    ROUTE_COUNTS,
    ROUTE_HOURS,
    ROUTE_LATENCY,
)
from shokubai.tables.ownership import owned_rows

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Evidence:
    """One team's week, ready for the rules.

    A baseline that the data does not cover as a whole is left empty: half a week is no baseline. Every frame may
    stay empty; the rules that need it then say nothing. Frames may hold more services and routes than the team
    owns; ``owned`` drops them.

    The two baselines of every comparison with the past are

    - ``comparable_*``: the newest earlier week with as many business days, ``calendar.comparable_week(week)``;
    - ``last_month_*``: for each day of the week the day that plays the same part in the previous month,
      ``calendar.same_day_last_month(day)``, together.
    """

    team: Team
    week: Week
    zone: ZoneInfo  # the organisation's; the week is a local one
    calendar: BusinessCalendar

    # The SLOs of the team, judged at the week's end.
    statuses: tuple[SloStatus, ...] = ()
    # SLO name → EPISODES that touch the week.
    episodes: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    # SLO name → OBJECTIVE_PERIODS of the last eight weeks; only where the data holds them all.
    objective_periods: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    # SLO name → SLI_ROUTES of the part of the week that lies in the SLO's window.
    slo_routes: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    # SLO name → verdict in the facts of the newest earlier week; empty without them.
    previous_verdicts: Mapping[str, Verdict] = field(default_factory=lambda: MappingProxyType({}))
    # SILENCES of the team's services that touch the week.
    silences: pd.DataFrame = field(default_factory=SILENCES.empty)

    # ROUTE_COUNTS of the week and of the two baselines.
    route_counts: pd.DataFrame = field(default_factory=ROUTE_COUNTS.empty)
    comparable_route_counts: pd.DataFrame = field(default_factory=ROUTE_COUNTS.empty)
    last_month_route_counts: pd.DataFrame = field(default_factory=ROUTE_COUNTS.empty)
    # ROUTE_LATENCY of the week and of the two baselines.
    route_latency: pd.DataFrame = field(default_factory=ROUTE_LATENCY.empty)
    comparable_route_latency: pd.DataFrame = field(default_factory=ROUTE_LATENCY.empty)
    last_month_route_latency: pd.DataFrame = field(default_factory=ROUTE_LATENCY.empty)
    # ROUTE_HOURS of the week and of the two baselines (their own hours, not moved to the week).
    route_hours: pd.DataFrame = field(default_factory=ROUTE_HOURS.empty)
    comparable_route_hours: pd.DataFrame = field(default_factory=ROUTE_HOURS.empty)
    last_month_route_hours: pd.DataFrame = field(default_factory=ROUTE_HOURS.empty)
    # LATENCY_HOURS of the week: the hour in which a route became slower.
    latency_hours: pd.DataFrame = field(default_factory=LATENCY_HOURS.empty)
    # METRIC_HOURS of the 28 days that end with the week.
    metric_hours: pd.DataFrame = field(default_factory=METRIC_HOURS.empty)

    # DEPLOYMENTS, INCIDENTS and ALERTS of the team's services; deployments from six hours before the week on.
    deployments: pd.DataFrame = field(default_factory=DEPLOYMENTS.empty)
    incidents: pd.DataFrame = field(default_factory=INCIDENTS.empty)
    alerts: pd.DataFrame = field(default_factory=ALERTS.empty)

    # The organisation's thresholds; the team's own go before them, and where neither sets any the packaged ones hold.
    rules: Rules = field(default_factory=default_rules)
    # What the team answers, by finding id.
    replies: Mapping[str, Reply] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def window(self) -> Window:
        """The local week in UTC."""
        return self.week.window(self.zone)

    @cached_property
    def comparable_week(self) -> Week:
        return self.calendar.comparable_week(self.week)

    def thresholds(self, rule: str) -> Mapping[str, float]:
        """The thresholds of a rule: the team's, else the organisation's, else the packaged ones."""
        return {**self._common_thresholds(rule), **self.team.rules.values.get(rule, {})}

    def _common_thresholds(self, rule: str) -> Mapping[str, float]:
        return {**default_rules().values.get(rule, {}), **self.rules.values.get(rule, {})}

    def team_thresholds(self, rule: str) -> tuple[TeamThreshold, ...]:
        """Which thresholds of a rule the team has set for itself, by name."""
        common = self._common_thresholds(rule)
        return tuple(
            TeamThreshold(rule, name, value, common.get(name), self.team.rules.reasons.get(f"{rule}.{name}", ""))
            for name, value in sorted(self.team.rules.values.get(rule, {}).items())
        )

    def status(self, slo_name: str) -> SloStatus | None:
        return next((s for s in self.statuses if s.slo.name == slo_name), None)

    def owned(self) -> Evidence:
        """The same evidence with only the services and routes that the team owns."""
        services = set(self.team.services)
        by_route = (
            "route_counts",
            "comparable_route_counts",
            "last_month_route_counts",
            "route_latency",
            "comparable_route_latency",
            "last_month_route_latency",
            "route_hours",
            "comparable_route_hours",
            "last_month_route_hours",
            "latency_hours",
        )
        by_service = ("silences", "metric_hours", "deployments", "incidents", "alerts")
        kept: dict[str, Any] = {name: owned_rows(getattr(self, name), self.team) for name in by_route}
        kept |= {name: _of_services(getattr(self, name), services) for name in by_service}
        return replace(self, **kept)


def once(compute: Callable[[Evidence], T]) -> Callable[[Evidence], T]:
    """A function of the evidence that several rules ask for, computed once per evidence and forgotten with it."""
    known: WeakKeyDictionary[Evidence, T] = WeakKeyDictionary()

    @wraps(compute)
    def recall(evidence: Evidence) -> T:
        if evidence not in known:
            known[evidence] = compute(evidence)
        return known[evidence]

    return recall


def _of_services(frame: pd.DataFrame, services: set[str]) -> pd.DataFrame:
    return frame[frame["service_name"].isin(services)].reset_index(drop=True)


def instant(value: object) -> datetime | None:
    """A cell of a TIMESTAMP column as a datetime, None for a missing one."""
    stamp = pd.Timestamp(value)  # type: ignore[arg-type]
    return None if pd.isna(stamp) else stamp.to_pydatetime(warn=False)
