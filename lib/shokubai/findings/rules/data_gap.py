"""Where is the report blind, or was nobody there?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from shokubai.findings.evidence import Evidence, instant
from shokubai.findings.model import Finding, Severity
from shokubai.findings.observation import Measure, Observation, Rule

_SEVERITIES: Mapping[str, Severity] = {
    "late": "notice",
    "telemetry_gap": "warning",
    "zero_traffic": "notice",
    "unexplained": "notice",
    "log_ends": "notice",
    "never_seen": "warning",
}


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per service and kind of silence in the week; times are those of the longest stretch.

    Data that has been late for so long that it may not come at all is told as the end of the log (log_ends), and a
    service that the log does not know at all, so that nothing tells how many requests to expect, as never_seen.
    """
    silences = _of_the_week(evidence)
    for (service, kind), rows in silences.groupby(["service_name", "kind"], sort=True):
        longest = rows.iloc[int(rows["duration_seconds"].argmax())]
        case = _case(evidence, str(kind), longest)
        yield Observation(
            Finding(
                "data_gap",
                case,
                str(service),
                _SEVERITIES[case],
                subject=str(kind),
                started_at=instant(longest["started_at"]),
                ended_at=instant(longest["ended_at"]),
                numbers={
                    # Requests that are not in the log are no failures: they do not make a gap outrank one.
                    "affected_count": 0.0,
                    "duration_seconds": float(rows["duration_seconds"].sum()),
                    "longest_seconds": float(longest["duration_seconds"]),
                    "expected_count": None if case == "never_seen" else float(rows["expected_count"].sum()),
                    "stretch_count": float(len(rows)),
                    "other_stretch_count": float(len(rows) - 1) or None,
                },
            )
        )


def _case(evidence: Evidence, kind: str, longest: pd.Series) -> str:
    if pd.isna(longest["expected_count"]):
        return "never_seen"
    log_ends_seconds = 3600 * evidence.thresholds("data_gap")["log_ends_hours"]
    return "log_ends" if kind == "late" and longest["duration_seconds"] >= log_ends_seconds else kind


def _of_the_week(evidence: Evidence) -> pd.DataFrame:
    thresholds = evidence.thresholds("data_gap")
    silences = evidence.silences
    silences = silences.assign(duration_seconds=(silences["ended_at"] - silences["started_at"]).dt.total_seconds())
    return silences[
        (silences["started_at"] < pd.Timestamp(evidence.window.end))
        & (silences["ended_at"] > pd.Timestamp(evidence.window.start))
        & (silences["duration_seconds"] >= 3600 * thresholds["minimum_hours"])
        & ~(silences["expected_count"] < thresholds["minimum_expected_count"])
    ]


RULE = Rule("data_gap", tuple(_SEVERITIES), observe, measure=Measure("duration_seconds"))
