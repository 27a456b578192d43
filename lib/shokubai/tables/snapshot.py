"""What the reports of one run read, fetched once for all of them from a warehouse that bills for each statement.

A folder of files: a Parquet file per small table and day, one per companion, and ``snapshot.json``, which says what
they hold. Reports read them as they read files of the embedded engine. What a notebook asks for beyond them is asked
of the warehouse itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from shokubai.config.model import Slo
from shokubai.core.frames import FrameContract
from shokubai.core.windows import Window
from shokubai.sources import DuckDbWarehouse, FileTable, Query, Statement, load_query
from shokubai.sources.cost import Cost
from shokubai.tables.contracts import ALERTS, DEPLOYMENTS, INCIDENTS, METRIC_HOURS, SMALL_TABLES, SRE_REQUESTS
from shokubai.tables.day_files import write_day
from shokubai.tables.state import DayRecord, State
from shokubai.tables.store import QUERY_PACKAGE, BuildSummary, Progress, Tables, statement_rows

# What is fetched besides the small tables: the rows of the query of the same name, of all services.
COMPANIONS: Mapping[str, FrameContract] = {
    "metric_hours": METRIC_HOURS,
    "deployments": DEPLOYMENTS,
    "incidents": INCIDENTS,
    "alerts": ALERTS,
    "sre_requests": SRE_REQUESTS,
}
_OWN_QUERIES = "shokubai.tables.snapshot_queries"
_CONTENTS = "snapshot.json"


@dataclass(frozen=True)
class Contents:
    """What a snapshot holds.

    ``recent`` is the window of the companions, ``span`` that of all the log. ``statements`` and ``cost`` are of the
    whole run: its days built, and what was fetched.
    """

    recent: Window
    services: tuple[str, ...]
    span: Window | None
    statements: tuple[Statement, ...]
    cost: Cost

    def write(self, folder: Path) -> None:
        text = json.dumps(
            {
                "recent": _times(self.recent),
                "services": list(self.services),
                "span": self.span and _times(self.span),
                "statements": [asdict(statement) for statement in self.statements],
                "cost": self.cost.to_json(),
            }
        )
        (folder / _CONTENTS).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Contents:
        values = json.loads((folder / _CONTENTS).read_text(encoding="utf-8"))
        return cls(
            recent=_window(values["recent"]),
            services=tuple(values["services"]),
            span=values["span"] and _window(values["span"]),
            statements=tuple(Statement(**{**s, "tables": tuple(s["tables"])}) for s in values["statements"]),
            cost=Cost.from_json(values["cost"]),
        )


class SnapshotWriter:
    """Puts what was fetched into a folder; ``finish`` is what makes it a snapshot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._days: dict[date, DayRecord] = {}
        for table in SMALL_TABLES:
            (folder / table).mkdir(parents=True)

    def add_day(self, day: date, record: DayRecord, rows: Mapping[str, Any]) -> None:
        """A day's rows of each small table, in order, empty ones left out."""
        for table, part in rows.items():
            write_day(part, self.folder / table / f"{day.isoformat()}.parquet")
        self._days[day] = record

    def add_companion(self, name: str, rows: Any) -> None:
        pq.write_table(rows, self.folder / f"{name}.parquet", compression="zstd")

    def finish(self, contents: Contents) -> None:
        State(self._days).save(self.folder / "state.json")
        contents.write(self.folder)


def is_snapshot(folder: Path) -> bool:
    """Whether a folder holds a whole snapshot."""
    return (folder / _CONTENTS).is_file()


class SnapshotTables(Tables):
    """A warehouse of which one run's copy lies in ``folder``.

    ``live`` opens the warehouse itself, for what is not in the copy: other days, other services, ad-hoc SQL.
    """

    def __init__(
        self,
        name: str,
        *,
        folder: Path,
        slos: Sequence[Slo] = (),
        services: Sequence[str] = (),
        live: Callable[[], Tables],
        threads: int | None = None,
        memory: str | None = None,
    ) -> None:
        self._contents = Contents.read(folder)
        small = [_of_files(contract, folder / table, "*.parquet") for table, contract in SMALL_TABLES.items()]
        companions = [_of_files(contract, folder, f"{table}.parquet") for table, contract in COMPANIONS.items()]
        warehouse = DuckDbWarehouse(
            name, [*small, *companions], spill=folder / ".spill", threads=threads, memory=memory
        )
        super().__init__(warehouse, folder=folder, slos=slos, services=services)
        self._open_live = live
        self._opened: Tables | None = None

    @property
    def _live(self) -> Tables:
        if self._opened is None:
            self._opened = self._open_live()
        return self._opened

    def _is_usable(self, day: date) -> bool:
        """Whatever is in the copy: the run looked at it when it was fetched."""
        return day in self._state.days

    def _holds_days(self, window: Window) -> bool:
        return all(day in self._state.days for day in window.utc_days())

    def build(self, window: Window, *, progress: Progress | None = None, jobs: int | None = None) -> BuildSummary:
        """Nothing for days that are in the snapshot: the run brought them up to date."""
        if not self._holds_days(window):
            return self._live.build(window, progress=progress, jobs=jobs)
        started = time.perf_counter()
        days = list(window.utc_days())
        without = tuple(day for day in days if not self._state.days[day].input)
        unchanged = tuple(day for day in days if day not in without)
        return BuildSummary((), unchanged, without, 0, 0, time.perf_counter() - started)

    def read(self, query: str, contract: FrameContract, window: Window, **parameters: Any) -> pd.DataFrame:
        """The frame of a query of ours over a window, from the snapshot where it holds all that is asked for."""
        if not self._holds(query, window, parameters):
            return self._live.read(query, contract, window, **parameters)
        if query in COMPANIONS:
            parameters.pop("grain_us", None)  # metrics were fetched by the hour
        return super().read(query, contract, window, **parameters)

    def read_log(self, query: str, contract: FrameContract, window: Window, **parameters: Any) -> pd.DataFrame:
        return contract.empty()

    def _holds(self, query: str, window: Window, parameters: Mapping[str, Any]) -> bool:
        if query not in COMPANIONS:
            return self._holds_days(window)
        recent = self._contents.recent
        is_recent = recent.start <= window.start and window.end <= recent.end
        return is_recent and set(parameters.get("services", ())) <= set(self._contents.services)

    def _query(self, name: str) -> Query:
        return load_query(_OWN_QUERIES if name == "metric_hours" else QUERY_PACKAGE, name)

    def span(self) -> Window | None:
        """From the first minute with requests in the log to the end of the last, when the snapshot was taken."""
        return self._contents.span

    def sql(self, statement: str, **parameters: Any) -> pd.DataFrame:
        """The rows of ad-hoc SQL, asked of the warehouse itself."""
        return self._live.sql(statement, **parameters)

    def fingerprint(self, window: Window, *, recent: Window | None = None) -> str:
        return self._live.fingerprint(window, recent=recent)

    def queries(self) -> pd.DataFrame:
        """QUERIES: the statements run so far, on the copy and on the warehouse itself."""
        own = super().queries()
        return own if self._opened is None else pd.concat([own, self._opened.queries()], ignore_index=True)

    def shared_queries(self) -> pd.DataFrame:
        """QUERIES: the statements that ran once for all reports of the run."""
        return statement_rows(self._contents.statements)

    def cost(self) -> Cost:
        """What statements on the warehouse itself have cost that were run for this report alone."""
        live = self._opened.cost() if self._opened else None
        return live or Cost(0, 0, 0, 0, 0.0, self._contents.cost.currency)

    def shared_cost(self) -> Cost:
        """What the statements have cost that ran once for all reports of the run."""
        return self._contents.cost


def _of_files(contract: FrameContract, folder: Path, pattern: str) -> FileTable:
    return FileTable(contract, lambda: tuple(sorted(folder.glob(pattern))), "the run's own copy")


def _times(window: Window) -> dict[str, str]:
    return {"start": window.start.isoformat(), "end": window.end.isoformat()}


def _window(values: Mapping[str, str]) -> Window:
    return Window(datetime.fromisoformat(values["start"]), datetime.fromisoformat(values["end"]))
