"""Which days had unusual traffic, and is it only the calendar?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

import pandas as pd

from shokubai.core.calendar import SETTLEMENT_DAYS
from shokubai.core.windows import local_day
from shokubai.findings.evidence import Evidence
from shokubai.findings.model import Finding
from shokubai.findings.observation import Observation, Rule
from shokubai.findings.statistics import Interval, rate_ratio
from shokubai.tables.ownership import ROUTE


@dataclass(frozen=True)
class Day:
    """A day of the week beside the same weekday of the comparable week and the same day of last month."""

    day: date
    requests: float
    comparable: float
    last_month: float | None
    interval: Interval
    p_value: float

    @property
    def factor(self) -> float:
        return self.requests / self.comparable


def observe(evidence: Evidence) -> Iterable[Observation]:
    """Per service at most one month_turn and one unusual; every compared day is an observation.

    A day stands out when its requests differ from the comparable week's day by the minimum factor, up or down.
    month_turn: they are as many as on the same business day of last month, at month end or a settlement day: the
    calendar, not a regression. unusual: they differ from last month's day too. Days that a silence explains are
    left out, a public holiday is never too quiet, and without last month's day nothing is said.
    """
    for service in sorted(set(evidence.route_hours["service_name"])):
        days = _days(evidence, service)
        turn = [d for d in days if _stands_out(evidence, d) and _agrees(evidence, d) and _is_turn(evidence, d)]
        odd = [d for d in days if _stands_out(evidence, d) and _is_unusual(evidence, d)]
        for case, found in (("month_turn", turn), ("unusual", odd)):
            if found:
                yield Observation(_finding(evidence, service, case, found), max(d.p_value for d in found))
        told = {d.day for d in turn + odd}
        yield from (Observation(None, d.p_value) for d in days if d.day not in told)


def _days(evidence: Evidence, service: str) -> list[Day]:
    """The days of the week that can be compared, without those on which the service was silent."""
    week = _daily(evidence, evidence.route_hours, service)
    comparable = _daily(evidence, evidence.comparable_route_hours, service)
    last_month = _daily(evidence, evidence.last_month_route_hours, service)
    silences = evidence.silences[evidence.silences["service_name"] == service]
    minimum = evidence.thresholds("traffic")["minimum_requests_count"]
    calendar = evidence.calendar
    days = []
    for day, before in zip(evidence.week.days(), evidence.comparable_week.days(), strict=True):
        requests, base = week.get(day, 0.0), comparable.get(before, 0.0)
        matching = last_month.get(calendar.same_day_last_month(day))
        if calendar.is_business_day(day) != calendar.is_business_day(before):
            # A holiday is no yardstick for a business day, unless the team's users keep other holidays.
            base = _nearer(requests, base, matching)
        if base <= 0 or max(requests, base) < minimum or _is_silent(evidence, silences, day):
            continue
        _, interval, p_value = rate_ratio(requests, base)
        days.append(Day(day, requests, base, matching, interval, p_value))
    return days


def _nearer(requests: float, *baselines: float | None) -> float:
    known = [b for b in baselines if b]
    return min(known, key=lambda b: abs(math.log(max(requests, 1.0) / b)), default=0.0)


def _daily(evidence: Evidence, route_hours: pd.DataFrame, service: str) -> dict[date, float]:
    # Two days may have the same counterpart last month; its hours are then there twice.
    mine = route_hours[route_hours["service_name"] == service].drop_duplicates([*ROUTE, "hour"])
    days = mine["hour"].dt.tz_convert(evidence.zone).dt.date
    return {cast(date, day): float(count) for day, count in mine.groupby(days)["request_count"].sum().items()}


def _is_silent(evidence: Evidence, silences: pd.DataFrame, day: date) -> bool:
    span = local_day(day, evidence.zone)
    touching = (silences["started_at"] < pd.Timestamp(span.end)) & (silences["ended_at"] > pd.Timestamp(span.start))
    return bool(touching.any())


def _stands_out(evidence: Evidence, day: Day) -> bool:
    factor = evidence.thresholds("traffic")["minimum_change_factor"]
    if day.factor >= factor:
        return day.interval.low > 1
    return day.factor <= 1 / factor and day.interval.high < 1


def _agrees(evidence: Evidence, day: Day) -> bool:
    if not day.last_month:
        return False
    same = evidence.thresholds("traffic")["same_factor"]
    return 1 / same <= day.requests / day.last_month <= same


def _is_turn(evidence: Evidence, day: Day) -> bool:
    """Month end or start, or a settlement day (五十日), which falls on the business day before when it is off."""
    calendar = evidence.calendar
    return calendar.is_month_turn(day.day) or (calendar.is_business_day(day.day) and _settles(evidence, day.day))


def _settles(evidence: Evidence, day: date) -> bool:
    following = day
    while True:
        if following.day in SETTLEMENT_DAYS:
            return True
        following += timedelta(days=1)
        if evidence.calendar.is_business_day(following):
            return False


def _is_unusual(evidence: Evidence, day: Day) -> bool:
    # With one baseline alone the odd week may be the other one, such as Obon.
    if day.last_month is None or (day.factor < 1 and evidence.calendar.holiday(day.day)):
        return False
    return not _agrees(evidence, day)


def _finding(evidence: Evidence, service: str, case: str, days: list[Day]) -> Finding:
    peak = max(days, key=lambda d: abs(d.factor - 1))
    last_month = [d.last_month for d in days if d.last_month is not None]
    return Finding(
        "traffic",
        case,
        service,
        "notice",
        subject=case,
        started_at=local_day(days[0].day, evidence.zone).start,
        ended_at=local_day(days[-1].day, evidence.zone).end,
        numbers={
            "affected_count": 0.0,
            "day_count": float(len(days)),
            "requests_count": sum(d.requests for d in days),
            "comparable_requests_count": sum(d.comparable for d in days),
            "last_month_requests_count": sum(last_month) if len(last_month) == len(days) else None,
            "change_factor": sum(d.requests for d in days) / sum(d.comparable for d in days),
            "peak_factor": peak.factor,
            "peak_low_factor": peak.interval.low,
            "peak_high_factor": peak.interval.high,
        },
    )


RULE = Rule("traffic", ("month_turn", "unusual"), observe)
