"""One seed of the demo: what its reports say beside what was planted, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from baselines import fixed_threshold, tells
from calendar_days import mistaken
from matching import ALARMS, Planted, Report, alarms, answer, explains
from organization import ROWS, WEEKS, build, reports
from sizes import Log, ordinary, planted

from shokubai.core.windows import Week
from shokubai.workspace.adhoc import Workspace

Result = dict[str, Any]
CHANGES_TRAFFIC = ("outage", "retry_storm", "telemetry_gap", "zero_traffic", "late_data")


def measure(seed: int, folder: Path, *, rows: int = ROWS, weeks: Sequence[Week] = WEEKS) -> Result:
    """Build the demo of a seed in ``folder`` and compare what is planted with the reports of all teams."""
    return compare(build(folder, seed=seed, rows=rows), weeks)


def compare(opened: Workspace, weeks: Sequence[Week]) -> Result:
    """What is planted in a demo beside the reports of all teams; its sizes are counted before a finding is made."""
    log = Log(opened.outputs / "demo", opened.parameters)
    events = planted(log, weeks)
    matter = [event for event in events if event.report]
    made = reports(opened, weeks)
    answers = [answer(event, made) for event in matter]
    raised = [(report, finding, _causes(events, report, finding)) for report, finding in alarms(made)]
    simple = fixed_threshold(log, weeks)
    true = [alarm for alarm in simple if any(tells(alarm, event, weeks, log) for event in events)]
    found_simply = [
        event
        for event in matter
        if any(alarm.week == event.report and tells(alarm, event, weeks, log) for alarm in simple)
    ]
    return {
        "seed": log.seed,
        "requests": int(log.hours["requests"].sum()),
        "answers": [
            _named(a.planted)
            | {
                "report": a.planted.report,
                "size": a.planted.size,
                "rules": sorted(a.planted.rules),
                "is_told": a.is_told,
                "is_found": a.is_found,
                "off_hours": a.off_hours,
                "is_found_by_threshold": a.planted in found_simply,
            }
            for a in answers
        ],
        "too_small": [_named(event) | {"size": event.size} for event in events if not event.report],
        "ordinary": [
            {
                "event": event.name,
                "kind": event.kind,
                "alarms": sum(
                    not causes
                    and finding["service"] == event.service
                    and (event.start < report.end and event.end > report.start)
                    for report, finding, causes in raised
                ),
            }
            for event in ordinary(log)
        ],
        "alarms": [
            {
                "team": report.team,
                "week": report.week,
                "finding": finding["id"],
                "case": finding["case"],
                "severity": finding["severity"],
                "started_at": finding["started_at"],
                "numbers": finding["numbers"],
                "causes": causes,
            }
            for report, finding, causes in raised
        ],
        "calendar": [
            {"team": report.team, "week": report.week, "finding": finding["id"], "days": days}
            for report in made
            for finding in report.findings
            if _is_about_days(report, finding, events)
            for days in [mistaken(report, finding)]
            if days
        ],
        "notices": sum(f["severity"] not in (*ALARMS, "good") for report in made for f in report.findings),
        "reports": len(made),
        "threshold": {"alarms": len(simple), "true": len(true)},
    }


def _causes(events: Sequence[Planted], report: Report, finding: Mapping[str, Any]) -> list[str]:
    return sorted({event.event for event in events if explains(event, report, finding)})


def _is_about_days(report: Report, finding: Mapping[str, Any], events: Sequence[Planted]) -> bool:
    """Whether it is an alarm that nothing planted explains, or calls traffic unusual that nothing planted changed."""
    if finding["severity"] in ALARMS:
        return finding["state"] == "new" and not _causes(events, report, finding)
    if (finding["rule"], finding["case"]) != ("traffic", "unusual"):
        return False
    start, end = datetime.fromisoformat(finding["started_at"]), datetime.fromisoformat(finding["ended_at"])
    changed = [e for e in events if e.service == finding["service"] and e.kind in CHANGES_TRAFFIC]
    return not any(event.start < end and event.end > start for event in changed)


def _named(event: Planted) -> Result:
    place = " ".join(part for part in (event.service, event.method, event.route) if part)
    return {"event": event.event, "kind": event.kind, "team": event.team, "place": place, "start": str(event.start)}
