"""The small tables in BigQuery: built from the request log there, each day replaced as a whole.

What a day was made from stands in the day itself, in one row of each table that no reader counts. It is written
together with the rows it speaks of, in one atomic step, so it is true whatever happens: a build that is killed, two
builds at once, a job that ends after its builder is gone. There is no other state, on no machine.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow.compute as pc

from shokubai.config.model import Slo
from shokubai.core.errors import CostError, DataError
from shokubai.core.frames import Column, FrameContract
from shokubai.core.windows import DAY, HOUR, MINUTE, Window, next_hour
from shokubai.sources import Part, Query, load_query, to_frame
from shokubai.sources.bigquery_cost import billable, in_units
from shokubai.sources.bigquery_statement import Estimate, Text
from shokubai.sources.bigquery_warehouse import MADE_FROM, BigQueryWarehouse
from shokubai.sources.cost import Cost
from shokubai.tables import plan
from shokubai.tables.contracts import SMALL_TABLES
from shokubai.tables.day_files import by_day, in_order
from shokubai.tables.snapshot import COMPANIONS, Contents, SnapshotWriter
from shokubai.tables.state import DayRecord, State
from shokubai.tables.store import (
    HOUR_US,
    MICROSECOND,
    QUERY_PACKAGE,
    BuildEstimate,
    BuildSummary,
    Progress,
    Tables,
)

AT_ONCE = 8  # statements under way at the same time
LOOK_AGAIN_SECONDS = 15.0  # while another build is waited for
ROWS_AT_ONCE = 2_000_000  # fetched by one statement; they must fit into memory
_T = TypeVar("_T")
NO_INPUT = "no input"  # what a day without input is made from

DAYS = FrameContract(
    "days",
    "small table × day",
    {
        "small_table": Column("STRING", ""),
        "day": Column("TIMESTAMP", "start of the day"),
        "made_from": Column("STRING", "fingerprints of the input and of the recipe"),
        "mark_count": Column("INT64", "rows that say what the day was made from; one"),
        "row_count": Column("INT64", "all other rows"),
        "request_count": Column("NULLABLE_INT64", "requests in them"),
        "first_at": Column("TIMESTAMP", "the first minute or hour"),
        "last_at": Column("TIMESTAMP", "the last minute or hour"),
    },
)


@dataclass(frozen=True)
class Write:
    """A statement that replaces one day of one table."""

    day: date
    text: Text
    estimate: Estimate | None = None


class DatasetTables(Tables):
    """A warehouse in BigQuery with its small tables, which lie in a dataset of ours.

    ``folder`` is for a lock only; ``slos`` and ``services`` are those of ``Tables``. What is known of days holds
    for this object's life or until the next build.
    """

    warehouse: BigQueryWarehouse

    def __init__(
        self,
        warehouse: BigQueryWarehouse,
        *,
        folder: Path,
        slos: Sequence[Slo] = (),
        services: Sequence[str] = (),
    ) -> None:
        super().__init__(warehouse, folder=folder, slos=slos, services=services)
        self._state = State()  # what other warehouses of this name left in the folder is not ours
        self._at_once = AT_ONCE
        self._looked_at: set[date] = set()
        self._requests: dict[date, int] = {}
        self._minutes: dict[date, tuple[datetime, datetime]] = {}  # the first and the last with requests
        self._kept: set[date] = set()  # days that the log no longer has
        self._parts: tuple[Part, ...] | None = None  # of all the log, where they were looked at

    def read_log(self, query: str, contract: FrameContract, window: Window, **parameters: Any) -> pd.DataFrame:
        return contract.empty()

    def over(self, warehouse: BigQueryWarehouse) -> DatasetTables:
        """The tables of another warehouse with the same objectives."""
        other = DatasetTables(warehouse, folder=self.folder)
        other._thresholds, other._declared_services = self._thresholds, self._declared_services
        return other

    # --- building -------------------------------------------------------------------------------------------

    def build(self, window: Window, *, progress: Progress | None = None, jobs: int | None = None) -> BuildSummary:
        """Bring every UTC day that ``window`` touches up to date.

        A day is scanned when it never was, or when its part of the log, the latency thresholds, the column mapping
        or the queries have changed since; otherwise nothing of the log is read. Days that are older than anything
        the log still has keep their rows; other days whose input has vanished lose them. ``jobs`` is the number of
        statements at once.

        All statements are estimated before the first is run. Raises CostError, with nothing written, when one of
        them or all together would read too much; DataError when the log lacks a column.
        """
        self._at_once = jobs or self._at_once
        return self._build(list(window.utc_days()), progress or (lambda *_: None))

    def let_others_build(self, window: Window, *, progress: Progress | None = None) -> bool:
        """Wait while another build brings the window's days up to date; several at once would all scan them.

        True when all days are: as the log was when the wait began, or written since, as the day that the log still
        grows in. Not longer than a statement may take without a day becoming so: whoever should build may be gone.
        """
        days = list(window.utc_days())
        tell = progress or (lambda *_: None)
        inputs, _ = self._inputs(days)
        before: dict[date, DayRecord] | None = None
        since, left = time.monotonic(), len(days)
        while True:
            if self.warehouse.has_small_tables():
                self._look_at(days)
            before = dict(self._state.days) if before is None else before
            waited_for = [
                day
                for day in self._stale(days, inputs)
                if not self._is_usable(day) or self._state.days[day] == before.get(day)
            ]
            if not waited_for:
                self._let_be([day for day in days if not inputs[day]])
                return True
            if len(waited_for) < left:
                since, left = time.monotonic(), len(waited_for)
            if time.monotonic() - since >= self.warehouse.jobs.settings.timeout_seconds:
                return False
            tell(len(days) - len(waited_for), len(days), "another shard scans the log")
            time.sleep(LOOK_AGAIN_SECONDS)

    def estimate(self, window: Window, *, recent: Window) -> BuildEstimate:
        """What ``build`` would read of the log now, and ``take_snapshot`` of what is there.

        No row of it is read, and nothing is written: not even tables are made. Where only counting its rows tells
        the days of the log, that is not done either; all days are taken to be there then, and none to have changed.
        """
        jobs, days = self.warehouse.jobs, list(window.utc_days())
        counting = self.warehouse.counting("requests", window)
        inputs = dict.fromkeys(days, "unknown") if counting else self._inputs(days)[0]
        has_tables = self.warehouse.has_small_tables()
        if has_tables:
            self._look_at(days)
        to_scan = [d for d in days if not self._is_usable(d)] if counting else self._stale(days, inputs)
        scans = self._scans(to_scan, inputs)
        scanned = self._estimates(scans if has_tables else _without_targets(scans))
        texts = [self.warehouse.text_of(query, given) for query, _, given in self._companion_queries(recent)]
        if has_tables:
            bounds = {"start": plan.midnight(days[0]), "end": plan.midnight(days[-1] + DAY)}
            texts += [self.warehouse.text_of(_query(f"{name}_rows"), bounds) for name in SMALL_TABLES]
        fetched = [(text, jobs.estimate(text)) for text in texts if text]
        counted = [(counting, jobs.estimate(counting))] if counting else []
        settings, all_of_them = jobs.settings, [*counted, *scanned, *fetched]
        return BuildEstimate(
            warehouse=self.name,
            days=tuple(to_scan),
            scan_bytes=_bytes_of(scanned),
            scan_price=jobs.cost.price(_billed_of(scanned)),
            count_bytes=_bytes_of(counted) if counting else None,
            count_price=jobs.cost.price(_billed_of(counted)),
            fetch_bytes=_bytes_of(fetched),
            fetch_price=jobs.cost.price(_billed_of(fetched)),
            statement_count=len(all_of_them),
            billed_bytes=_billed_of(all_of_them),
            price=jobs.cost.price(_billed_of(all_of_them)),
            caps=f"{in_units(settings.byte_cap)} per statement, {in_units(settings.run_byte_cap)} per run",
            refused=self._refusal([*counted, *scanned], what=_scanning(len(to_scan)))
            or self._refusal(all_of_them, what="scanning the log and fetching what reports read"),
        )

    def estimate_scan(self, day: date) -> BuildEstimate:
        """What scanning one day of the log would read, whether or not it is up to date.

        Free, and nothing is made for it: the small tables need not be there.
        """
        scanned = self._estimates(_without_targets(self._scans([day], {day: ""})))
        price = self.warehouse.jobs.cost.price(_billed_of(scanned))
        refused = self._refusal(scanned, what=_scanning(1))
        return BuildEstimate(self.name, (day,), _bytes_of(scanned), price, refused=refused)

    def _refusal(self, estimates: Sequence[tuple[Text, Estimate]], *, what: str) -> CostError | None:
        """Why statements would not be run, None when they are allowed."""
        try:
            self.warehouse.jobs.cost.allow(estimates, what=what)
        except CostError as error:
            return error
        return None

    def _build(self, days: Sequence[date], progress: Progress) -> BuildSummary:
        """One process of a machine at a time; the next one finds what is up to date then."""
        with self._locked():
            return self._build_alone(days, progress)

    def _build_alone(self, days: Sequence[date], progress: Progress) -> BuildSummary:
        started = time.perf_counter()
        first_statement = len(self.warehouse.queries)
        self.warehouse.ensure_small_tables()
        inputs, oldest = self._inputs(days)
        self._look_at(days)
        self._kept |= {
            day for day in days if not inputs[day] and (oldest is None or day < oldest) and self._is_of_this_log(day)
        }
        to_scan = self._stale(days, inputs)
        vanished = [day for day in days if not inputs[day] and day not in self._kept and self._has_rows(day)]
        self._write(self._scans(to_scan, inputs), progress)
        self._write(self._removals(vanished), lambda *_: None)
        if to_scan or vanished:
            self._look_at([*to_scan, *vanished])
            self._settle(self._stale(to_scan, inputs))
        self._let_be([day for day in days if not inputs[day]])
        progress(len(to_scan), len(to_scan), "up to date")
        scanned = set(to_scan)
        return BuildSummary(
            days_scanned=tuple(to_scan),
            days_unchanged=tuple(day for day in days if inputs[day] and day not in scanned),
            days_without_input=tuple(day for day in days if not inputs[day]),
            rows_read=sum(self._requests.get(day, 0) for day in to_scan),
            bytes_read=sum(s.bytes or 0 for s in self.warehouse.queries[first_statement:]),
            seconds=time.perf_counter() - started,
        )

    def _let_be(self, days: Iterable[date]) -> None:
        """Take days without input as they are; those of which the tables know nothing are empty."""
        for day in days:
            self._state.days.setdefault(day, DayRecord("", "", dict.fromkeys(SMALL_TABLES, 0)))

    def _stale(self, days: Iterable[date], inputs: Mapping[date, str]) -> list[date]:
        return [day for day in days if inputs[day] and not self._is_made_from(day, inputs[day])]

    def _settle(self, days: Sequence[date]) -> None:
        """Scan days once more that another build wrote in the meantime from an older state of the log.

        Raises DataError where that does not help either, as when the other build has other parameters.
        """
        if not days:
            return
        inputs, _ = self._inputs(days)
        if again := self._stale(days, inputs):
            self._write(self._scans(again, inputs), lambda *_: None)
            self._look_at(again)
        if wrong := [day.isoformat() for day in days if not self._is_usable(day)]:
            raise DataError(
                f"{self.warehouse.jobs.where}: {self.warehouse.dataset}: {', '.join(wrong)} is not what was written: "
                "another build with other parameters writes it at the same time\n"
                "Let one of them end and run the same again; parameters that differ need datasets that differ."
            )

    def _inputs(self, days: Sequence[date]) -> tuple[Mapping[date, str], date | None]:
        """The fingerprint of each day's part of the log, empty without one; and the oldest day that the log has."""
        window = Window(plan.midnight(min(days)), plan.midnight(max(days) + DAY))
        parts = self.warehouse.parts("requests", window=window)
        if self.warehouse.knows_its_days("requests"):
            self._parts = parts
        oldest = min((first for part in parts for first, _ in part.days), default=None)
        return {day: plan.input_of(day, parts) for day in days}, oldest

    def _scans(self, days: Iterable[date], inputs: Mapping[date, str]) -> list[Write]:
        return [
            Write(day, self.warehouse.day_of(query, name, day, given, made_from=f"{inputs[day]} {self._recipe}"))
            for day in days
            for name, given in self._scan_parameters([day]).items()
            for query in [load_query(QUERY_PACKAGE, name)]
        ]

    def _removals(self, days: Iterable[date]) -> list[Write]:
        return [
            Write(day, self.warehouse.no_day_of(name, day, made_from=NO_INPUT))
            for day in days
            for name in SMALL_TABLES
        ]

    def _write(self, writes: Sequence[Write], progress: Progress) -> None:
        """Run the statements of days, several at once, when all of them together are allowed."""
        if not writes:
            return
        left = Counter(write.day for write in writes)
        total = len(left)
        progress(0, total, f"{min(left).isoformat()} to {max(left).isoformat()}: estimating")
        estimated = self._estimated(writes)
        self.warehouse.jobs.cost.allow(_with_estimates(estimated), what=_scanning(total))

        def run(write: Write) -> date:
            self.warehouse.run(write.text, estimate=write.estimate)
            return write.day

        for day in self._at_the_same_time(run, estimated):
            left[day] -= 1
            progress(sum(count == 0 for count in left.values()), total, day.isoformat())

    def _estimated(self, writes: Sequence[Write]) -> list[Write]:
        def estimate(write: Write) -> Write:
            return replace(write, estimate=self.warehouse.jobs.estimate(write.text))

        return list(self._at_the_same_time(estimate, writes))

    def _estimates(self, writes: Sequence[Write]) -> list[tuple[Text, Estimate]]:
        return _with_estimates(self._estimated(writes))

    def _at_the_same_time(self, do: Callable[[Write], _T], writes: Sequence[Write]) -> Iterator[_T]:
        """What ``do`` gives for each write, as they end. The first failure, or an interruption, ends the others."""
        with ThreadPoolExecutor(self._at_once) as pool:
            futures = [pool.submit(do, write) for write in writes]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BaseException:
                with self.warehouse.jobs.stopped():
                    pool.shutdown(wait=True, cancel_futures=True)
                raise

    # --- what the tables say of themselves ------------------------------------------------------------------

    def _look_at(self, days: Iterable[date]) -> None:
        """Read what days say of themselves."""
        asked = set(days)
        window = Window(plan.midnight(min(asked)), plan.midnight(max(asked) + DAY))
        given = {"start": window.start, "end": window.end}
        found = self.warehouse.select(_query("days"), DAYS, given).to_pylist()
        marks: dict[date, dict[str, Any]] = {}
        for row in found:
            marks.setdefault(row["day"].date(), {})[row["small_table"]] = row
        for day in asked:
            self._looked_at.add(day)
            self._state.days.pop(day, None)
            self._requests.pop(day, None)
            self._minutes.pop(day, None)
            self._remember(day, marks.get(day, {}))

    def _remember(self, day: date, marks: Mapping[str, Any]) -> None:
        """Take down a day that both tables have, made from the same."""
        made_from = {row["made_from"] for row in marks.values()}
        if (
            set(marks) != set(SMALL_TABLES)
            or len(made_from) != 1
            or any(r["mark_count"] != 1 for r in marks.values())
        ):
            return
        said = str(made_from.pop())
        rows = {name: int(row["row_count"]) for name, row in marks.items()}
        input_, _, recipe = ("", "", "") if said == NO_INPUT else said.partition(" ")
        self._state.days[day] = DayRecord(input_, recipe, rows)
        counts = marks["minute_counts"]
        self._requests[day] = int(counts["request_count"] or 0)
        if counts["first_at"] is not None:
            self._minutes[day] = (counts["first_at"], counts["last_at"])

    def _has_rows(self, day: date) -> bool:
        record = self._state.days.get(day)
        return record is not None and any(record.rows.values())

    @cached_property
    def _recipe(self) -> str:
        """As elsewhere, and what the rows are taken from: days outlive the log, but not a change of it."""
        return f"{super()._recipe} {plan.fingerprint(self.warehouse.mapping('requests'))}"

    def _scan_queries(self) -> list[Query]:
        return [load_query(QUERY_PACKAGE, name) for name in SMALL_TABLES]

    def _is_of_this_log(self, day: date) -> bool:
        record = self._state.days.get(day)
        return record is not None and record.recipe.rpartition(" ")[2] == self._recipe.rpartition(" ")[2]

    def _is_usable(self, day: date) -> bool:
        record = self._state.days.get(day)
        if record is None:
            return False
        return not record.input or record.recipe == self._recipe or day in self._kept

    def _cover(self, days: Sequence[date]) -> None:
        """Make sure that days are there, made by today's rules."""
        if unknown := [day for day in days if day not in self._looked_at]:
            self.warehouse.ensure_small_tables()
            self._look_at(unknown)
        if missing := [day for day in days if not self._is_usable(day)]:
            self._build(missing, lambda *_: None)

    # --- reading --------------------------------------------------------------------------------------------

    def read(self, query: str, contract: FrameContract, window: Window, **parameters: Any) -> pd.DataFrame:
        """The frame of a query of ours over the days of ``window``.

        Days that no build has covered yet, or that were made by other rules, are built first.
        """
        loaded = load_query(QUERY_PACKAGE, query)
        if read := [name for name in loaded.translation.tables if name in SMALL_TABLES]:
            days = list(window.utc_days())
            self._cover(days)
            if not any(self._state.days[day].rows.get(name) for day in days for name in read):
                return contract.empty()
        given = {"start": window.start, "end": window.end, **parameters}
        return to_frame(self.warehouse.select(loaded, contract, given), contract)

    def read_all(self, query: str, contract: FrameContract, **parameters: Any) -> pd.DataFrame:
        """The frame of a query of ours over all days that were built or looked at through this object."""
        days = self.covered_days()
        if not days:
            return contract.empty()
        window = Window(plan.midnight(days[0]), plan.midnight(days[-1] + DAY))
        loaded = load_query(QUERY_PACKAGE, query)
        return to_frame(self.warehouse.select(loaded, contract, parameters, days=window), contract)

    def span(self) -> Window | None:
        """From the first minute with requests in the log to the end of the last; None when it is empty.

        Of the log's first and last day the minutes are known where they were looked at. Of others only what is
        certain is claimed: that the log goes on after the first day's end, and up to the last day's start.
        """
        if not self.warehouse.knows_its_days("requests"):
            return self._span_of_minutes()
        parts = self.warehouse.parts("requests") if self._parts is None else self._parts
        stretches = [stretch for part in parts for stretch in part.days]
        if not stretches or any(first != last for first, last in stretches):  # a month tells of no day for certain
            return self._span_of_minutes()
        first = min([*(first for first, _ in stretches), *(self._kept & self._minutes.keys())])
        last = max(last for _, last in stretches)
        start = self._minutes[first][0] if first in self._minutes else plan.midnight(first + DAY)
        end = self._minutes[last][1] + MINUTE if last in self._minutes else plan.midnight(last)
        return Window(start, end) if start < end else self._span_of_minutes()

    def log_begins_at(self) -> datetime | None:
        """An instant before which the log surely has no requests; None where only counting its rows would tell."""
        if not self.warehouse.knows_its_days("requests"):
            return None
        parts = self.warehouse.parts("requests") if self._parts is None else self._parts
        first = min((first for part in parts for first, _ in part.days), default=None)
        return plan.midnight(first) if first else None

    def _span_of_minutes(self) -> Window | None:
        if not self._minutes:
            return None
        return Window(
            min(first for first, _ in self._minutes.values()),
            max(last for _, last in self._minutes.values()) + MINUTE,
        )

    def fingerprint(self, window: Window, *, recent: Window | None = None) -> str:
        """A hash that changes when anything a report over ``window`` reads from this warehouse does."""
        self._cover(list(window.utc_days()))
        return super().fingerprint(window, recent=recent)

    def fingerprint_as_built(self, window: Window, *, recent: Window) -> str | None:
        """Not known: which days have no requests is found out by a build."""
        return None

    def cost(self) -> Cost:
        """What the statements run so far have cost."""
        jobs = self.warehouse.jobs
        return Cost.of(self.warehouse.queries, jobs.settings, billed=jobs.cost.bytes_billed)

    # --- a copy for the reports of a run --------------------------------------------------------------------

    def take_snapshot(self, folder: Path, *, window: Window, recent: Window) -> bool:
        """Fetch what reports over ``window`` read into a new ``folder``, however many reports there are.

        Of the companions only ``recent``, in whole hours, of the services that the parameters speak of. Raises
        CostError when it would read too much, DataError when days change all the time while they are read.
        """
        days = list(window.utc_days())
        self._cover(days)
        writer = SnapshotWriter(folder)
        for batch in self._fetchable(days):
            if not self._fetch(batch, writer):
                self._look_at(batch)  # another build has replaced one of them in the meantime
                self._cover(batch)
                if not self._fetch(batch, writer):
                    raise DataError(
                        f"{self.warehouse.jobs.where}: {self.warehouse.dataset}: days between {batch[0]} and "
                        f"{batch[-1]} were replaced while they were read; let the other build end, and run again"
                    )
        for query, contract, given in self._companion_queries(recent):
            writer.add_companion(query.name, self.warehouse.select(query, contract, given))
        span = self.span()
        writer.finish(
            Contents(
                recent=_whole_hours(recent),
                services=tuple(sorted(self._declared_services)),
                span=span,
                statements=tuple(self.warehouse.queries),
                cost=self.cost(),
            )
        )
        return True

    def _companion_queries(self, recent: Window) -> Iterator[tuple[Query, FrameContract, dict[str, Any]]]:
        """The query of each companion with its contract and parameters."""
        hours = _whole_hours(recent)
        services = sorted(self._declared_services)
        given = {"start": hours.start, "end": hours.end, "services": services, "grain_us": HOUR_US}
        for name, contract in COMPANIONS.items():
            query = load_query(QUERY_PACKAGE, name)
            yield query, contract, {parameter: given[parameter] for parameter in query.types}

    def _fetchable(self, days: Sequence[date]) -> Iterator[list[date]]:
        """Days that follow one another, together not too many rows."""
        batch: list[date] = []
        rows = 0
        for day in days:
            more = max(self._state.days[day].rows.values())
            if batch and rows + more > ROWS_AT_ONCE:
                yield batch
                batch, rows = [], 0
            batch.append(day)
            rows += more
        if batch:
            yield batch

    def _fetch(self, days: Sequence[date], writer: SnapshotWriter) -> bool:
        """Fetch days; False when one of them is not what it said of itself."""
        fetched: dict[date, dict[str, Any]] = {day: {} for day in days}
        given = {"start": plan.midnight(days[0]), "end": plan.midnight(days[-1] + DAY)}
        for name, contract in SMALL_TABLES.items():
            if not any(self._state.days[day].rows.get(name) for day in days):
                continue
            marked = FrameContract(name, contract.grain, {**contract.columns, MADE_FROM: Column("STRING", "")})
            table = self.warehouse.select(_query(f"{name}_rows"), marked, given)
            time_column = next(iter(contract.columns))
            is_mark = pc.is_valid(table.column(MADE_FROM))
            marks = table.filter(is_mark)
            rows = table.filter(pc.invert(is_mark)).drop_columns(MADE_FROM)
            rows = rows.sort_by(time_column)
            said = dict(
                zip(
                    (t.date() for t in marks.column(time_column).to_pylist()),
                    marks.column(MADE_FROM).to_pylist(),
                    strict=True,
                )
            )
            for day, part in by_day(rows, time_column, days).items():
                record = self._state.days[day]
                if len(part) != record.rows.get(name, 0) or said.get(day, NO_INPUT) != _said_of(record):
                    return False
                if len(part):
                    fetched[day][name] = in_order(part)
        for day, parts in fetched.items():
            writer.add_day(day, self._state.days[day], parts)
        return True


def _without_targets(writes: Sequence[Write]) -> list[Write]:
    """The same statements into no table: a dry run asks for the table to be there."""
    return [replace(write, text=replace(write.text, target=None)) for write in writes]


def _with_estimates(writes: Sequence[Write]) -> list[tuple[Text, Estimate]]:
    return [(write.text, write.estimate) for write in writes if write.estimate]


def _bytes_of(estimates: Sequence[tuple[Text, Estimate]]) -> int:
    return sum(estimate.bytes for _, estimate in estimates)


def _billed_of(estimates: Sequence[tuple[Text, Estimate]]) -> int:
    return sum(billable(text, estimate) for text, estimate in estimates)


def _whole_hours(window: Window) -> Window:
    return Window(next_hour(window.start + MICROSECOND) - HOUR, next_hour(window.end))


def _scanning(days: int) -> str:
    return f"scanning {days} day(s) of the log"


def _said_of(record: DayRecord) -> str:
    """What a day says of itself."""
    return f"{record.input} {record.recipe}" if record.input else NO_INPUT


@lru_cache(maxsize=8)
def _query(name: str) -> Query:
    package = f"{__package__}.dataset_queries"
    text = files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return Query(name, text, f"{package.replace('.', '/')}/{name}.sql")
