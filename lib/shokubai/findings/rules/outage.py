"""When did users fail in numbers, and what did it cost?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from shokubai.config.model import Slo, route_matches
from shokubai.core.windows import MINUTE
from shokubai.findings.evidence import Evidence, instant, once
from shokubai.findings.model import Finding
from shokubai.findings.observation import Observation, Rule
from shokubai.findings.onset import nearest_deployment
from shokubai.findings.routes import Route, Stretch
from shokubai.slo.model import EPISODES


@dataclass(frozen=True)
class Outage:
    """One episode of one SLO, large enough to be told."""

    slo: Slo
    start: datetime
    end: datetime
    valid_count: float
    bad_count: float
    budget_ratio: float

    def is_the_same_as(self, other: Outage) -> bool:
        """Whether users would call the two one outage: the same service failing the same way at the same time."""
        return (
            self.slo.service == other.slo.service
            and self.slo.indicator.kind == other.slo.indicator.kind
            and self.start < other.end
            and other.start < self.end
        )


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per outage in the week.

    Where several SLOs saw the same outage, the one that counted most failures tells it. The subject is
    ``slo@start`` (UTC), so that two outages of a week are two findings. postmortem_due: it spent more of the
    SLO's budget than the organisation's policy lets pass. spent: less than that. repeated: many of the latter of
    one SLO, told as one; a failure that comes and goes is not ten outages.
    """
    single, repeated = told(evidence)
    for outage in single:
        yield Observation(_finding(evidence, outage))
    for outages in repeated:
        yield Observation(_repeated(outages))


@once
def told(evidence: Evidence) -> tuple[list[Outage], list[list[Outage]]]:
    """The outages told one by one, and those told together, by SLO."""
    thresholds = evidence.thresholds("outage")
    found = sorted(
        (outage for status in evidence.statuses for outage in _outages(evidence, status.slo)),
        key=lambda o: (-o.bad_count, -o.budget_ratio, o.start, o.slo.name),
    )
    distinct: list[Outage] = []
    for outage in found:
        if not any(outage.is_the_same_as(other) for other in distinct):
            distinct.append(outage)
    single, repeated = [], []
    for name in sorted({o.slo.name for o in distinct}):
        mine = sorted((o for o in distinct if o.slo.name == name), key=lambda o: o.start)
        large = [o for o in mine if o.budget_ratio > thresholds["postmortem_budget_ratio"]]
        small = [o for o in mine if o not in large]
        if len(small) >= thresholds["repeated_count"]:
            repeated.append(small)
            small = []
        single += large + small
    return single, repeated


def outages_of(evidence: Evidence, route: Route) -> list[Stretch]:
    """The outages told one by one of the service's availability SLOs that hold the route."""
    single, _ = told(evidence)
    return [
        Stretch(outage.start, outage.end)
        for outage in single
        if outage.slo.service == route.service
        and outage.slo.indicator.kind == "availability"
        and route_matches(outage.slo.indicator.routes, route.method, route.route)
    ]


def _outages(evidence: Evidence, slo: Slo) -> Iterable[Outage]:
    thresholds = evidence.thresholds("outage")
    for row in evidence.episodes.get(slo.name, EPISODES.empty()).to_dict("records"):
        start, end = instant(row["started_at"]), instant(row["ended_at"])
        assert start is not None and end is not None
        outage = Outage(
            slo, start, end, float(row["valid_count"]), float(row["bad_count"]), float(row["budget_spent_ratio"])
        )
        if (
            start < evidence.window.end
            and end > evidence.window.start
            and outage.budget_ratio >= thresholds["minimum_budget_ratio"]
            and outage.bad_count >= thresholds["minimum_bad_count"]
        ):
            yield outage


def _finding(evidence: Evidence, outage: Outage) -> Finding:
    due = outage.budget_ratio > evidence.thresholds("outage")["postmortem_budget_ratio"]
    declared = _declared(evidence.incidents, outage)
    return Finding(
        "outage",
        "postmortem_due" if due else "spent",
        outage.slo.service,
        "critical" if due else "warning",
        subject=f"{outage.slo.name}@{outage.start:%Y-%m-%dT%H:%MZ}",
        subject_name=outage.slo.display_name,
        started_at=outage.start,
        ended_at=outage.end,
        numbers=_numbers([outage])
        | {
            "declared_count": float(len(declared)),
            "detected_after_seconds": _detected_after(declared, outage.start),
        },
        candidate=nearest_deployment(evidence, outage.slo.service, outage.start),
    )


def _repeated(outages: list[Outage]) -> Finding:
    return Finding(
        "outage",
        "repeated",
        outages[0].slo.service,
        "warning",
        subject=f"{outages[0].slo.name}@repeated",
        subject_name=outages[0].slo.display_name,
        started_at=outages[0].start,
        ended_at=outages[-1].end,
        numbers=_numbers(outages),
    )


def _numbers(outages: list[Outage]) -> dict[str, float | None]:
    bad, valid = sum(o.bad_count for o in outages), sum(o.valid_count for o in outages)
    return {
        "affected_count": bad,
        "bad_count": bad,
        "valid_count": valid,
        "bad_ratio": bad / valid if valid else None,
        "by_latency": float(outages[0].slo.indicator.kind == "latency"),
        "threshold_seconds": outages[0].slo.indicator.threshold_seconds,
        "duration_seconds": sum((o.end - o.start).total_seconds() for o in outages),
        "budget_spent_ratio": sum(o.budget_ratio for o in outages),
        "stretch_count": float(len(outages)),
    }


def _declared(incidents: pd.DataFrame, outage: Outage) -> pd.DataFrame:
    """The incidents that people declared for it: those whose impact overlaps, give or take 15 minutes."""
    mine = incidents[incidents["service_name"] == outage.slo.service]
    finished = mine["mitigated_at"].fillna(mine["resolved_at"])
    start, end = pd.Timestamp(outage.start - 15 * MINUTE), pd.Timestamp(outage.end + 15 * MINUTE)
    return mine[(mine["started_at"] < end) & ~(finished <= start)]


def _detected_after(declared: pd.DataFrame, start: datetime) -> float | None:
    detected = instant(declared["detected_at"].min())
    return None if detected is None else max(0.0, (detected - start).total_seconds())


RULE = Rule("outage", ("postmortem_due", "spent", "repeated"), observe)
