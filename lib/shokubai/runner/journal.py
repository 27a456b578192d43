"""What is known of every report of a week: one line per report made, which a crash cannot take back."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Status = Literal["made", "no_data", "failed"]


@dataclass(frozen=True)
class Record:
    """One report as it was published. ``files`` maps paths inside the week's folder to their SHA-256."""

    notebook: str
    team: str | None
    status: Status
    fingerprint: str
    generated_at: str
    code_version: str
    title: Mapping[str, str]
    display_name: Mapping[str, str]
    language: str
    html: str
    notebook_file: str | None
    facts: str | None
    seconds: float
    error: Mapping[str, Any] | None = None  # {"cell": 7 or None, "message": "…"}
    last_good: str | None = None  # HTML of an older good report, kept because this attempt failed
    files: Mapping[str, str] = field(default_factory=dict)
    retried: bool = False  # whether a signal from outside had ended the first attempt
    cost: Mapping[str, Any] | None = None  # of statements run for this report alone, where reading costs

    @property
    def key(self) -> tuple[str, str]:
        """Organisation's pages first, then teams by name."""
        return (self.team or "", self.notebook)

    def is_whole(self, folder: Path) -> bool:
        """Whether the published files are there, exactly as this record describes them."""
        return all((folder / name).is_file() and digest(folder / name) == sha for name, sha in self.files.items())


class Journal:
    """``journal.jsonl`` of one week: the newest line about a report holds."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "journal.jsonl"
        self.records: dict[tuple[str, str], Record] = {}
        for line in self._lines():
            try:
                record = Record(**json.loads(line))
            except (ValueError, TypeError):
                continue  # torn by a crash, or of another version: that report is made again
            self.records[record.key] = record

    def _lines(self) -> list[str]:
        if not self.file.is_file():
            return []
        return self.file.read_text(encoding="utf-8", errors="replace").splitlines()

    def add(self, record: Record) -> None:
        """Remember a published report, on disk before this returns."""
        line = json.dumps(asdict(record), ensure_ascii=False, allow_nan=False)
        with self.file.open("ab") as handle:
            # A torn last line has no end of its own.
            handle.write(b"\n" * (handle.tell() > 0 and not self._ends_with_newline()) + line.encode() + b"\n")
            handle.flush()
            os.fsync(handle.fileno())
        self.records[record.key] = record

    def _ends_with_newline(self) -> bool:
        with self.file.open("rb") as handle:
            handle.seek(-1, os.SEEK_END)
            return handle.read(1) == b"\n"


def digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
