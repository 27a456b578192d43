"""A statement for BigQuery, and what is known of it before it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Target:
    """The day of a table of ours that a statement's rows replace."""

    table: str  # project.dataset.table
    partition: str  # YYYYMMDD
    partitioned_by: str
    clustered_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """A statement to run.

    ``name`` is what messages and job labels call it, ``written`` the part of it that a person wrote; ``hint`` says
    how to make it read less, ``tables`` are those of the contract and of ours that it reads.
    """

    name: str
    sql: str
    parameters: tuple[Any, ...] = ()
    target: Target | None = None
    hint: str = ""
    written: str = ""
    tables: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"query {self.name}" if self.sql else self.name

    @property
    def sha256(self) -> str:
        """The hash of the text as it was written."""
        return hashlib.sha256((self.written or self.sql).encode()).hexdigest()


@dataclass(frozen=True)
class Estimate:
    """What a dry run says of a statement: bytes, what kind it is, and the types of its result by column."""

    bytes: int
    kind: str
    types: Mapping[str, str] = field(default_factory=dict)
