"""A run's events as JSON lines, for agents that read them and for whoever asks later what a run did."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shokubai.cli.terminal import status
from shokubai.runner import Job, Plan, Progress, Summary
from shokubai.runner.journal import Record
from shokubai.runner.lock import RunUnderWayError
from shokubai.version import __version__

STDERR = "-"


def _now() -> datetime:
    return datetime.now(UTC)


class Log(Progress):
    """One JSON object per line and event, appended to a file in one write, or on stderr (``-``).

    ``severity``, ``message`` and ``time`` are what Google Cloud's agents look for. A torn last line of a run that
    was killed does not spoil the next. A log that cannot be written is said once and stops no run. Reports that are
    up to date have no line, only their count, so that a run that does nothing adds little.
    """

    def __init__(self, where: str, *, clock: Callable[[], datetime] = _now) -> None:
        self.clock = clock
        self.week: dict[str, str] = {}
        self.file: Path | None = None if where == STDERR else Path(where)
        self.is_open = True
        if self.file is not None:
            is_torn = False
            with suppress(OSError):  # the first line finds the same and says it
                self.file.parent.mkdir(parents=True, exist_ok=True)
                is_torn = _is_torn(self.file)
            if is_torn:
                self._write(b"\n")

    def begun(self, plan: Plan) -> None:
        self.week = {"run": plan.run.name, "week": str(plan.week)}
        shard = {"shard": str(plan.shard)} if plan.shard else {}
        self.add(
            "INFO",
            "run.started",
            f"{plan.run.name} {plan.week}: {len(plan.jobs)} reports",
            reports=len(plan.jobs),
            **{"service.name": "shokubai", "service.version": __version__, "process.pid": os.getpid()},
            **shard,
        )

    def built(self, states: Mapping[str, str | Exception]) -> None:
        for warehouse, state in states.items():
            if isinstance(state, Exception):
                self.add("ERROR", "tables.failed", f"{warehouse}: {state}", warehouse=warehouse, **_type(state))
            else:
                self.add("INFO", "tables.built", f"{warehouse}: up to date", warehouse=warehouse, fingerprint=state)

    def started(self, job: Job) -> None:
        self.add("INFO", "report.started", f"{job.name}: started", **_report(job.team, job.notebook))

    def retrying(self, job: Job, why: str) -> None:
        said = f"{job.name}: {why}; it is tried again at the end"
        self.add("WARNING", "report.retrying", said, **_report(job.team, job.notebook))

    def finished(self, job: Job, record: Record) -> None:
        error = record.error or {}
        cell = f"cell {error['cell']}: " if error.get("cell") else ""
        self.add(
            "ERROR" if record.status == "failed" else "INFO",
            "report.finished",
            f"{job.name}: {cell}{error['message']}" if error else f"{job.name}: {record.status}",
            **_report(job.team, job.notebook),
            status=record.status,
            seconds=record.seconds,
            retried=record.retried,
            fingerprint=record.fingerprint or None,
            cell=error.get("cell"),
            error=error.get("message"),
            cost=record.cost,
        )

    def noted(self, text: str) -> None:
        self.add("WARNING", "run.noted", text)

    def ended(self, summary: Summary) -> None:
        counts = {name: summary.count(name) for name in ("made", "no_data", "failed")}
        counts["up_to_date"] = len(summary.up_to_date)
        self.add(
            "WARNING" if counts["failed"] else "INFO",
            "run.ended",
            " · ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()),
            **counts,
            costs={name: cost.to_json() for name, cost in summary.costs.items()} or None,
        )

    def stopped(self, error: BaseException) -> None:
        severity = "WARNING" if isinstance(error, RunUnderWayError) else "ERROR"
        self.add(severity, "run.stopped", str(error) or type(error).__name__, **_type(error))

    def add(self, severity: str, event: str, message: str, **more: Any) -> None:
        """Write an event; values that are None are left out."""
        said = {"time": self.clock().isoformat(), "severity": severity, "message": message, "event": event}
        line = {**said, **self.week, **{name: value for name, value in more.items() if value is not None}}
        self._write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        if not self.is_open:
            return
        try:
            if self.file is None:
                sys.stderr.write(data.decode())
                sys.stderr.flush()
                return
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                written = os.write(handle, data)
            finally:
                os.close(handle)
            if written < len(data):
                raise OSError(None, "no room for a whole line")
        except OSError as error:
            self.is_open = False
            if self.file is not None:  # else stderr is gone, and nobody to tell
                status.print(f"{self.file}: {error.strerror}; the run goes on without this log")


def _report(team: str | None, notebook: str) -> Mapping[str, str | None]:
    return {"team": team, "notebook": notebook}


def _type(error: BaseException) -> Mapping[str, str]:
    return {"exception.type": type(error).__name__}


def _is_torn(file: Path) -> bool:
    """Whether a file's last line has no end."""
    if not file.is_file() or file.stat().st_size == 0:
        return False
    with file.open("rb") as handle:
        handle.seek(-1, os.SEEK_END)
        return handle.read(1) != b"\n"
