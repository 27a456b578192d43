"""What was scanned: ``state.json`` beside the small tables, replaced as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from shokubai.sources import Part

_VERSION = 1


@dataclass(frozen=True)
class DayRecord:
    """One scanned day.

    ``input`` is the fingerprint of the files it was read from, ``recipe`` of how they were read. ``rows`` are
    the rows written per small table; a table without rows has no file.
    """

    input: str
    recipe: str
    rows: dict[str, int]


@dataclass
class State:
    """The days in the small tables, and what is known of the input files.

    ``mapping`` is the column mapping under which ``parts`` were looked at.
    """

    days: dict[date, DayRecord] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    mapping: str = ""

    @classmethod
    def load(cls, path: Path) -> State:
        """What the file says; an empty state when it is missing, damaged or of another version."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["version"] != _VERSION:
                return cls()
            return cls(
                {date.fromisoformat(day): DayRecord(**record) for day, record in data["days"].items()},
                tuple(_part(entry) for entry in data["files"]),
                data["mapping"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def save(self, path: Path) -> None:
        data = {
            "version": _VERSION,
            "mapping": self.mapping,
            "days": {day.isoformat(): asdict(self.days[day]) for day in sorted(self.days)},
            "files": [_entry(part) for part in self.parts],
        }
        with replaced([path]) as (temporary,):
            temporary.write_text(json.dumps(data, indent=0), encoding="utf-8")


@contextmanager
def replaced(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Write files under temporary names; on success they take their places, on failure nothing changes.

    A reader sees each file old or new, never half of one, whenever the process or the machine stops.
    """
    targets = list(paths)
    temporaries = [path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in targets]
    try:
        yield temporaries
        for temporary in temporaries:
            _flush(temporary)
    except BaseException:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
        raise
    for temporary, path in zip(temporaries, targets, strict=True):
        temporary.replace(path)
    for folder in {path.parent for path in targets}:
        _flush(folder)


def clear_left_overs(folder: Path) -> None:
    """Remove what was being written when a process was killed. Only for the one who holds the lock."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entry(part: Part) -> dict[str, Any]:
    return {
        "path": str(part.path),
        "version": part.version,
        "bytes": part.bytes,
        "first_us": part.first_us,
        "last_us": part.last_us,
        "days": [[first.isoformat(), last.isoformat()] for first, last in part.days],
    }


def _part(entry: dict[str, Any]) -> Part:
    days = tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in entry["days"])
    return Part(**{**entry, "path": Path(entry["path"]), "days": days})
