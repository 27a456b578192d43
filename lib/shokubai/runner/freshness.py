"""Whether a report is up to date: what it would be made from now, and what the journal says it was made from."""

from __future__ import annotations

from pathlib import Path

from shokubai.runner.fingerprint import fingerprint
from shokubai.runner.journal import Journal, Record
from shokubai.runner.plan import Job, Plan


def current_records(plan: Plan, journal: Journal) -> list[Record]:
    """What is known of the run's reports; those of teams and notebooks that it no longer has are history."""
    return [record for key, record in journal.records.items() if key in plan.reports]


def fingerprint_of(job: Job, plan: Plan, journal: Journal, *, parameters: str, data: str) -> str:
    """What a report is made from now. ``parameters`` and ``data`` are fingerprints themselves."""
    reads = _reads_of(job, plan, journal)
    return fingerprint(job.path, values=job.values, parameters=parameters, data=data, reads=reads)


def is_up_to_date(job: Job, plan: Plan, journal: Journal, made_from: str) -> bool:
    """Whether the report that is there was made from just that, and is whole."""
    record = journal.records.get((job.team or "", job.notebook))
    return record is not None and record.fingerprint == made_from and record.is_whole(plan.folder)


def _reads_of(job: Job, plan: Plan, journal: Journal) -> list[Path]:
    """What a report may read of other reports: their facts, or why there are none."""
    records = [
        record
        for record in current_records(plan, journal)
        if record.team and (job.team is None or (record.team == job.team and record.notebook in job.reads))
    ]
    names = [record.html if record.status == "failed" else record.facts for record in records]
    files = [plan.folder / name for name in names if name]
    if previous := job.values.get("previous_facts"):
        files.append(Path(previous))
    return [file for file in files if file.is_file()]
