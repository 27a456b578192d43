"""What a week's run made, for programs (``manifest.json``) and readers (the index pages), from what was published."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shokubai import site
from shokubai.runner import fingerprint
from shokubai.runner.journal import Record, digest
from shokubai.runner.plan import Plan
from shokubai.sources.cost import Cost
from shokubai.version import __version__

MANIFEST = "manifest.json"


def manifest(plan: Plan, records: Sequence[Record], costs: Mapping[str, Cost]) -> dict[str, Any]:
    """The manifest of a week: organisation's pages first, then teams by name.

    A shard's also says which part of which teams it is and what it was made from, so that only what belongs together
    is joined. ``costs`` are what the newest run read in warehouses that bill for it, for all its reports together.
    """
    shard = plan.shard and {"index": plan.shard.index, "count": plan.shard.count, "teams": sorted(plan.teams)}
    return {
        "run": plan.run.name,
        "week": str(plan.week),
        "generated_at": plan.now.isoformat(),
        "code_version": __version__,
        # All reports of the run were made, or failed; a run of some teams or one that was stopped leaves others out.
        "is_whole": {record.key for record in records} >= plan.reports,
        "costs": {name: cost.to_json() for name, cost in sorted(costs.items())},
        **({"shard": shard, "made_from": made_from(plan)} if shard else {}),
        "reports": [_entry(record) for record in sorted(records, key=lambda r: r.key)],
    }


def made_from(plan: Plan) -> dict[str, Any]:
    """What team reports are made from: hashes of code, parameters and each notebook, and by team the warehouse."""
    return {
        "code": fingerprint.of_text(fingerprint.library()),
        "parameters": fingerprint.of_parameters(plan.parameters.directory),
        "notebooks": {job.notebook: digest(job.path) for job in plan.jobs if job.team is not None},
        "warehouses": {job.team: job.warehouse for job in plan.jobs if job.team is not None},
    }


def write_manifest(plan: Plan, records: Sequence[Record], costs: Mapping[str, Cost]) -> bool:
    """Write the manifest and the index pages unless they already say the same. Returns whether it wrote."""
    made = manifest(plan, records, costs)
    file = plan.folder / MANIFEST
    front = plan.outputs / "index.html"
    written = read_manifest(plan.folder)
    said = None if written is None else {**written, "generated_at": made["generated_at"]}
    if (plan.folder / "index.html").is_file() and said == made and _is_newer(front, file):
        return False
    text = json.dumps(made, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    # The manifest says that the week's page is there, and the front page lists the weeks that have both.
    site.write_week_index(plan.folder, made, plan.parameters.organization)
    site.write_text(file, text)
    with (plan.outputs / ".lock").open("a") as lock:  # of two weeks that end at once, the second lists both
        fcntl.flock(lock, fcntl.LOCK_EX)
        site.write_front_page(plan.outputs, plan.parameters.organization)
    return True


def _is_newer(page: Path, manifest: Path) -> bool:
    """Whether a page was written after a manifest; a run that ended in between left an older one."""
    return page.is_file() and page.stat().st_mtime_ns >= manifest.stat().st_mtime_ns


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a week's folder; None when it is missing or damaged."""
    try:
        written = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return written if isinstance(written, dict) else None


def _entry(record: Record) -> dict[str, Any]:
    return {
        "notebook": record.notebook,
        "team": record.team,
        "title": dict(record.title),
        "display_name": dict(record.display_name),
        "language": record.language,
        "status": record.status,
        "html": record.html,
        "notebook_file": record.notebook_file,
        "facts": record.facts,
        "last_good": record.last_good,
        "error": record.error,
        "generated_at": record.generated_at,
        "seconds": record.seconds,
        "cost": record.cost,
    }
