"""What a warehouse can do for the stages above; one file per engine implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from shokubai.core.frames import FrameContract
from shokubai.core.windows import Window
from shokubai.sources.query import Query


@dataclass(frozen=True)
class Statement:
    """A statement that was run.

    ``sha256`` is of the text as it was written, ``tables`` are those that it reads. ``bytes`` is the size of the
    files that were opened, an upper bound of what was read of them, or what BigQuery read; None where the engine
    cannot say. ``bytes_billed`` and ``job_id`` are BigQuery's.
    """

    name: str
    sha256: str
    milliseconds: float
    row_count: int
    bytes: int | None
    tables: tuple[str, ...] = ()
    bytes_billed: int | None = None
    job_id: str = ""


@dataclass(frozen=True)
class ServiceRows:
    """The rows of some services in some files, for a table of which much will be asked about few services."""

    files: tuple[Path, ...]
    services: frozenset[str]


Files = Mapping[str, Sequence[Path] | ServiceRows]  # what to read of each table


@dataclass(frozen=True)
class Part:
    """A piece of a table that changes as a whole, such as a file.

    ``version`` differs after every change. ``first_us`` and ``last_us`` are the earliest and the latest
    timestamp in it, in microseconds since 1970 UTC, None without rows; ``days`` the UTC days that its rows may
    fall on, as inclusive stretches.
    """

    path: Path
    version: str
    bytes: int
    first_us: int | None
    last_us: int | None
    days: tuple[tuple[date, date], ...]

    def holds(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.days)


class Warehouse(Protocol):
    """An engine with the tables of one ``parameters/warehouses/<name>.yaml``."""

    name: str
    queries: list[Statement]

    def parts(self, table: str, *, known: Sequence[Part] = ()) -> tuple[Part, ...]:
        """What a table is made of now; a part of ``known`` that has not changed is taken from there."""
        ...

    def version(self, table: str, *, window: Window | None = None) -> str:
        """Text that changes whenever the contents of a table may have changed, in ``window`` at least."""
        ...

    def mapping(self, table: str) -> str:
        """What the rows and columns of a table are taken from, as text that changes when that does."""
        ...

    def use_threads(self, threads: int) -> None:
        """How many threads a statement may use from now on, where that is ours to say."""
        ...

    def select(
        self, query: Query, contract: FrameContract, parameters: Mapping[str, Any], *, files: Files | None = None
    ) -> pa.Table:
        """The rows of a query with the columns of ``contract``, reading only ``files`` of the tables named there."""
        ...

    def sql(self, text: str, **parameters: Any) -> pd.DataFrame:
        """The rows of ad-hoc SQL in the engine's own dialect."""
        ...
