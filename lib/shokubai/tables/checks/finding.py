"""What one check found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shokubai.config.model import Warehouse
from shokubai.tables.contracts import RAW_TABLES

Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """``error`` must be fixed, ``warning`` should be, ``note`` is to be known; ``subject`` is what was looked at."""

    level: Level
    subject: str
    message: str

    def __str__(self) -> str:
        first, *others = f"{self.level}: {self.subject}: {self.message}".splitlines()
        return "\n".join([first, *(f"  {line}" for line in others)])


def not_mapped(described: Warehouse) -> Iterator[Finding]:
    """A note of the contract's tables that a warehouse does not map."""
    if absent := [name for name in RAW_TABLES if name not in described.tables]:
        yield Finding("note", "tables", f"not mapped, so reports go without: {', '.join(absent)}")
