"""The two small tables of a warehouse: built from the request log day by day, each day scanned once.

``{outputs}/tables/<warehouse>/minute_counts/2026-10-26.parquet`` and ``hour_latency/…`` hold one UTC day each,
``state.json`` says from which input and by which rules they were made.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from shokubai.config.model import Slo
from shokubai.core import sketch
from shokubai.core.errors import ShokubaiError
from shokubai.core.frames import FrameContract
from shokubai.core.windows import DAY, HOUR, MINUTE, Window
from shokubai.sources import Files, Part, Query, ServiceRows, Statement, Warehouse, load_query, to_frame
from shokubai.sources.cost import Cost
from shokubai.tables import plan
from shokubai.tables.contracts import MINUTE_COUNTS, QUERIES, RAW_TABLES, SMALL_TABLES
from shokubai.tables.counting import REQUEST_GROUPS, count
from shokubai.tables.day_files import TIME_COLUMNS, by_day, in_order, write_day
from shokubai.tables.state import DayRecord, State, clear_left_overs, replaced

Progress = Callable[[int, int, str], None]  # days done, days to do, what is being done

QUERY_PACKAGE = "shokubai.tables.queries"
LOG_QUERY_PACKAGE = "shokubai.tables.log_queries"
MICROSECOND = timedelta(microseconds=1)
MINUTE_US = MINUTE // MICROSECOND
HOUR_US = HOUR // MICROSECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class BuildSummary:
    """What a build did. ``rows_read`` are requests counted, ``bytes_read`` the size of the files opened for it."""

    days_scanned: tuple[date, ...]
    days_unchanged: tuple[date, ...]
    days_without_input: tuple[date, ...]
    rows_read: int
    bytes_read: int
    seconds: float


@dataclass(frozen=True)
class _Held:
    """Whose rows of which time are in memory, by table once they are."""

    services: frozenset[str]
    window: Window
    rows: dict[str, ServiceRows] = field(default_factory=dict)

    def includes(self, services: Sequence[Any], window: Window) -> bool:
        days = self.window.utc_days()
        return self.services.issuperset(services) and set(window.utc_days()) <= set(days)


@dataclass(frozen=True)
class BuildEstimate:
    """What bringing days up to date would read, and what reports would then read, without doing it.

    ``days`` are those to scan. ``count_bytes`` is what finding the log's days reads, None where they are known
    without; which of them have changed is known only then. ``fetch_bytes`` is what is fetched once for all reports,
    of what is there now; None where reports read the tables directly. ``billed_bytes`` and ``price`` are of all
    ``statement_count`` statements, with the least that is billed for each. Prices are empty where reading costs
    nothing, ``caps`` says what is allowed, ``refused`` what the run would refuse.
    """

    warehouse: str
    days: tuple[date, ...]
    scan_bytes: int
    scan_price: str = ""
    count_bytes: int | None = None
    count_price: str = ""
    fetch_bytes: int | None = None
    fetch_price: str = ""
    statement_count: int = 0
    billed_bytes: int = 0
    price: str = ""
    caps: str = ""
    refused: ShokubaiError | None = None


class Tables:
    """A warehouse with its small tables.

    ``folder`` holds the small tables; ``slos`` say which latency thresholds are counted; ``services`` are those
    the parameters speak of; one scan reads about ``scan_bytes`` of input.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        folder: Path,
        slos: Sequence[Slo] = (),
        services: Sequence[str] = (),
        scan_bytes: int = plan.SCAN_BYTES,
    ) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self._scan_bytes = scan_bytes
        self._thresholds = plan.latency_thresholds(slos)
        self._declared_services = frozenset(services)
        self._state = State.load(self._state_path)
        self._held: _Held | None = None

    @property
    def name(self) -> str:
        """The warehouse's name."""
        return self.warehouse.name

    # --- building -------------------------------------------------------------------------------------------

    def build(self, window: Window, *, progress: Progress | None = None, jobs: int | None = None) -> BuildSummary:
        """Bring every UTC day that ``window`` touches up to date.

        A day is scanned when it never was, or when its input, the latency thresholds, the column mapping or
        the queries have changed since; otherwise nothing of it is read. A day whose input has vanished loses
        its rows. Each day is replaced as a whole: interrupted at any moment, it is old or new, and the next
        build does the rest. Of two builds at once the second waits. ``jobs`` is the number of threads.

        Raises DataError when the input cannot be read or lacks a column.
        """
        if jobs:
            self.warehouse.use_threads(jobs)
        return self._build(list(window.utc_days()), progress or (lambda *_: None))

    def _build(self, days: Sequence[date], progress: Progress) -> BuildSummary:
        started = time.perf_counter()
        with self._locked():
            self._state = State.load(self._state_path)
            clear_left_overs(self.folder)
            parts = self._look_at_input()
            inputs = {day: plan.input_of(day, parts) for day in days}
            stale = [day for day in days if not self._is_made_from(day, inputs[day])]
            to_scan = [day for day in stale if inputs[day]]
            self._drop([day for day in stale if not inputs[day]])
            if stale and self._held:
                self._held = replace(self._held, rows={})  # they were of the days as they were
            first_statement = len(self.warehouse.queries)
            rows_read = self._scan(self._batches(to_scan, parts, progress), inputs, parts)
            self._save()
        progress(len(to_scan), len(to_scan), "up to date")
        return BuildSummary(
            days_scanned=tuple(to_scan),
            days_unchanged=tuple(day for day in days if inputs[day] and day not in set(to_scan)),
            days_without_input=tuple(day for day in days if not inputs[day]),
            rows_read=rows_read,
            bytes_read=sum(s.bytes or 0 for s in self.warehouse.queries[first_statement:]),
            seconds=time.perf_counter() - started,
        )

    def let_others_build(self, window: Window, *, progress: Progress | None = None) -> bool:
        """Where others see these tables too, wait while one of them brings the window's days up to date.

        Whether they are. Here nobody else does: files are of this machine.
        """
        return False

    def estimate(self, window: Window, *, recent: Window) -> BuildEstimate:
        """What ``build`` would read of the log now. Nothing is written, and of the log only its extent is read.

        ``recent`` is what reports read of metrics and the other companions.
        """
        parts = self._look_at_input()
        inputs = {day: plan.input_of(day, parts) for day in window.utc_days()}
        stale = tuple(
            day for day, made_from in inputs.items() if made_from and not self._is_made_from(day, made_from)
        )
        size = sum(part.bytes for part in parts if any(map(part.holds, stale)))
        return BuildEstimate(self.name, stale, size)

    @cached_property
    def _recipe(self) -> str:
        """The fingerprint of everything but the input that a day's rows depend on."""
        queries = [query.sha256 for query in self._scan_queries()]
        columns = [[name, [[n, c.type] for n, c in t.columns.items()]] for name, t in SMALL_TABLES.items()]
        settings = [sketch.GAMMA, sketch.SMALLEST_SECONDS, sketch.ZERO_KEY]
        return plan.fingerprint(queries, columns, settings, self._thresholds, self.warehouse.mapping("requests"))

    def _scan_queries(self) -> list[Query]:
        """The queries that a day's rows depend on."""
        small = [load_query(QUERY_PACKAGE, name) for name in SMALL_TABLES]
        return [*small, load_query(LOG_QUERY_PACKAGE, "request_groups")]

    @property
    def _state_path(self) -> Path:
        return self.folder / "state.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from building the same tables; the lock ends with the process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _look_at_input(self) -> tuple[Part, ...]:
        mapping = self.warehouse.mapping("requests")
        known = self._state.parts if self._state.mapping == mapping else ()
        parts = self.warehouse.parts("requests", known=known)
        self._state.parts, self._state.mapping = parts, mapping
        return parts

    def _is_made_from(self, day: date, input_fingerprint: str) -> bool:
        record = self._state.days.get(day)
        if record is None or record.input != input_fingerprint:
            return False
        return self._is_usable(day)

    def _is_usable(self, day: date) -> bool:
        """Whether a day's rows are there and were made by today's rules, from whatever input."""
        record = self._state.days.get(day)
        if record is None or (record.input and record.recipe != self._recipe):
            return False
        return all(self._path(table, day).is_file() for table, rows in record.rows.items() if rows)

    def _path(self, table: str, day: date) -> Path:
        return self.folder / table / f"{day.isoformat()}.parquet"

    def _save(self) -> None:
        self._state.save(self._state_path)

    def _drop(self, days: Sequence[date]) -> None:
        """Remember that days have no input."""
        for day in days:
            for table in SMALL_TABLES:
                self._path(table, day).unlink(missing_ok=True)
            self._state.days[day] = DayRecord("", "", dict.fromkeys(SMALL_TABLES, 0))

    def _batches(self, days: Sequence[date], parts: Sequence[Part], progress: Progress) -> Iterator[list[date]]:
        """Days that are scanned together; progress is told of each batch when its turn comes."""
        done = 0
        for batch in plan.batches(days, parts, size=self._scan_bytes):
            progress(done, len(days), f"{batch[0].isoformat()} to {batch[-1].isoformat()}")
            yield batch
            done += len(batch)

    def _scan(self, batches: Iterable[Sequence[date]], inputs: Mapping[date, str], parts: Sequence[Part]) -> int:
        """Read the log of batches of days, replace their rows, and count the requests.

        While DuckDB reads on, what it has read is counted and written.
        """
        requests: list[Future[int]] = []
        last: Sequence[Future[Any]] = ()
        with ThreadPoolExecutor(1, "count") as others:
            for days in batches:
                counted: list[Future[dict[str, Any]]] = []
                for groups in self._read_groups(days, parts):
                    wait(last)  # not more in memory than two
                    counted.append(others.submit(count, groups, days, self._thresholds))
                    last = counted[-1:]
                requests.append(others.submit(self._keep, counted, days, inputs))
                last = requests[-1:]
                for kept in requests:
                    if kept.done():
                        kept.result()
        return sum(kept.result() for kept in requests)

    def _read_groups(self, days: Sequence[date], parts: Sequence[Part]) -> Iterator[Any]:
        """REQUEST_GROUPS of days that follow one another, in slices of the time."""
        query = load_query(LOG_QUERY_PACKAGE, "request_groups")
        files = {"requests": [part.path for part in parts if any(part.holds(day) for day in days)]}
        given = {name: value for few in self._scan_parameters(days).values() for name, value in few.items()}
        for window in plan.slices(days, parts, size=self._scan_bytes):
            given |= {"start": window.start, "end": window.end, "grain_us": MINUTE_US}
            yield self.warehouse.select(query, REQUEST_GROUPS, given, files=files)

    def _keep(
        self, counted: Sequence[Future[dict[str, Any]]], days: Sequence[date], inputs: Mapping[date, str]
    ) -> int:
        """Replace the rows of days with what was counted, and say how many requests it was."""
        slices = [tables.result() for tables in counted]
        small = slices[0]
        if len(slices) > 1:
            small = {name: in_order(pa.concat_tables([tables[name] for tables in slices])) for name in small}
        self._replace(
            {name: by_day(small[name], column, days) for name, column in TIME_COLUMNS.items()},
            {day: inputs[day] for day in days},
        )
        return int(pc.sum(small["minute_counts"].column("request_count")).as_py() or 0)

    def _scan_parameters(self, days: Sequence[date]) -> dict[str, dict[str, Any]]:
        """What the query of each small table is given to read days that follow one another."""
        span = {"start": plan.midnight(days[0]), "end": plan.midnight(days[-1] + DAY)}
        return {
            "minute_counts": {**span, "grain_us": MINUTE_US, "latency_thresholds": self._thresholds},
            "hour_latency": {
                **span,
                "grain_us": HOUR_US,
                "gamma": sketch.GAMMA,
                "smallest_seconds": sketch.SMALLEST_SECONDS,
                "zero_key": sketch.ZERO_KEY,
            },
        }

    def _replace(self, rows: Mapping[str, Mapping[date, Any]], inputs: Mapping[date, str]) -> None:
        """Put days into place. Until both of a day's files are there, the state does not know the day."""
        for table in rows:
            (self.folder / table).mkdir(exist_ok=True)
        written = {self._path(t, day): part for t, parts in rows.items() for day, part in parts.items() if len(part)}
        emptied = [self._path(t, day) for t, parts in rows.items() for day, part in parts.items() if not len(part)]
        with replaced(written) as temporaries:
            for temporary, part in zip(temporaries, written.values(), strict=True):
                write_day(part, temporary)
            if [day for day in inputs if self._state.days.pop(day, None)]:
                self._save()
        for path in emptied:
            path.unlink(missing_ok=True)
        for day, input_fingerprint in inputs.items():
            counts = {table: len(parts[day]) for table, parts in rows.items()}
            self._state.days[day] = DayRecord(input_fingerprint, self._recipe, counts)
        self._save()

    # --- reading --------------------------------------------------------------------------------------------

    def _query(self, name: str) -> Query:
        return load_query(QUERY_PACKAGE, name)

    def read(self, query: str, contract: FrameContract, window: Window, **parameters: Any) -> pd.DataFrame:
        """The frame of a query of ours over the days of ``window``.

        Days that no build has covered yet, or that were made by other rules, are built first.
        """
        loaded = self._query(query)
        read = [name for name in loaded.translation.tables if name in SMALL_TABLES]
        asked = parameters.get("services") or [parameters.get("service")]
        held = self._held if self._held and self._held.includes(asked, window) else None
        if held:
            sources: Files = {name: self._held_rows(held, name) for name in read}
        else:
            sources = {name: self.day_files(name, window) for name in read}
        if read and not any(s.files if isinstance(s, ServiceRows) else s for s in sources.values()):
            return contract.empty()
        span = {"start": window.start, "end": window.end}
        return to_frame(self.warehouse.select(loaded, contract, {**span, **parameters}, files=sources), contract)

    def hold(self, services: Sequence[str], window: Window) -> None:
        """Keep the rows of some services in memory once they are read: many questions about them will follow."""
        self._held = _Held(frozenset(services), window)

    def _held_rows(self, held: _Held, table: str) -> ServiceRows:
        if table not in held.rows:
            held.rows[table] = ServiceRows(tuple(self.day_files(table, held.window)), held.services)
        return held.rows[table]

    def read_all(self, query: str, contract: FrameContract, **parameters: Any) -> pd.DataFrame:
        """The frame of a query of ours over all days that were built."""
        loaded = self._query(query)
        files = {name: self.all_files(name) for name in loaded.translation.tables if name in SMALL_TABLES}
        return to_frame(self.warehouse.select(loaded, contract, parameters, files=files), contract)

    def read_log(self, query: str, contract: FrameContract, window: Window, **parameters: Any) -> pd.DataFrame:
        """The frame of a query over the log itself, of which the files of the window's days are opened.

        Empty where reading the log costs money: there a report reads the small tables only.
        """
        days = list(window.utc_days())
        parts = [part.path for part in self._look_at_input() if any(part.holds(day) for day in days)]
        if not parts:
            return contract.empty()
        given = {"start": window.start, "end": window.end, **parameters}
        loaded = load_query(LOG_QUERY_PACKAGE, query)
        return to_frame(self.warehouse.select(loaded, contract, given, files={"requests": parts}), contract)

    def day_files(self, table: str, window: Window) -> list[Path]:
        """The files of a small table that hold the days of ``window``, built where they are missing."""
        days = list(window.utc_days())
        missing = [day for day in days if not self._is_usable(day)]
        if missing:
            self._build(missing, lambda *_: None)
        return [self._path(table, day) for day in days if self._state.days[day].rows.get(table)]

    def all_files(self, table: str) -> tuple[Path, ...]:
        """The files of a small table, of all days that were built."""
        return tuple(
            self._path(table, day) for day in sorted(self._state.days) if self._state.days[day].rows.get(table)
        )

    def covered_days(self) -> tuple[date, ...]:
        """The UTC days with requests that were built."""
        return tuple(sorted(day for day, record in self._state.days.items() if record.rows.get("minute_counts")))

    def span(self) -> Window | None:
        """From the first minute with requests in the log to the end of the last; None when it is empty.

        This is of all the input, built or not. Raises DataError when the input cannot be read.
        """
        parts = [part for part in self._look_at_input() if part.first_us is not None]
        first = min((part.first_us for part in parts if part.first_us is not None), default=None)
        last = max((part.last_us for part in parts if part.last_us is not None), default=None)
        if first is None or last is None:
            return None
        return Window(_instant(first - first % MINUTE_US), _instant(last - last % MINUTE_US) + MINUTE)

    def log_begins_at(self) -> datetime | None:
        """An instant before which the log surely has no requests; None where nobody can tell without reading it.

        Raises DataError when the input cannot be read.
        """
        span = self.span()
        return span.start if span else None

    def services(self) -> tuple[str, ...]:
        """The services that the parameters speak of or that were seen in the days built, sorted."""
        seen = self.read_all("services", _SERVICES)["service_name"] if self.covered_days() else ()
        return tuple(sorted(self._declared_services | set(seen)))

    def fingerprint(self, window: Window, *, recent: Window | None = None) -> str:
        """A hash that changes when anything a report over ``window`` reads from this warehouse does.

        Of metrics, deployments and the other companions reports read only ``recent``.
        """
        days = [
            [day.isoformat(), record.input, record.recipe]
            for day in window.utc_days()
            if (record := self._state.days.get(day))
        ]
        companions = [
            [table, self.warehouse.mapping(table), self.warehouse.version(table, window=recent or window)]
            for table in RAW_TABLES
            if table != "requests"
        ]
        return plan.fingerprint(self._recipe, days, companions)

    def fingerprint_as_built(self, window: Window, *, recent: Window) -> str | None:
        """The same of what is there now, with nothing read or built for it; None where that tells nothing."""
        return self.fingerprint(window, recent=recent)

    def sql(self, statement: str, **parameters: Any) -> pd.DataFrame:
        """The rows of ad-hoc SQL in the warehouse's own dialect."""
        return self.warehouse.sql(statement, **parameters)

    # --- what was run, and what it cost ---------------------------------------------------------------------

    def queries(self) -> pd.DataFrame:
        """QUERIES: the statements run so far, oldest first."""
        return statement_rows(self.warehouse.queries)

    def shared_queries(self) -> pd.DataFrame:
        """QUERIES: statements that ran once for all reports of a run; none where each report runs its own."""
        return QUERIES.empty()

    def cost(self) -> Cost | None:
        """What the statements run so far have cost, None where reading costs nothing."""
        return None

    def shared_cost(self) -> Cost | None:
        """What the statements have cost that ran once for all reports of a run."""
        return None

    def take_snapshot(self, folder: Path, *, window: Window, recent: Window) -> bool:
        """Put what reports over ``window`` read into a new ``folder``; False where they read the tables directly.

        Of metrics, deployments and the other companions only ``recent`` is read.
        """
        return False


def warm_up() -> None:
    """Translate every shipped query, once for this process and those forked from it."""
    for package in (QUERY_PACKAGE, LOG_QUERY_PACKAGE):
        for file in resources.files(package).iterdir():
            if file.name.endswith(".sql"):
                load_query(package, file.name.removesuffix(".sql"))


def statement_rows(statements: Sequence[Statement]) -> pd.DataFrame:
    """QUERIES: one row per statement, in the order given."""
    columns = {name: [getattr(statement, name) for statement in statements] for name in QUERIES.columns}
    return QUERIES.conform(pd.DataFrame(columns)) if statements else QUERIES.empty()


_SERVICES = FrameContract("services", "service", {"service_name": MINUTE_COUNTS.columns["service_name"]})


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
