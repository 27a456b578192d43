"""The small tables in BigQuery: which days are scanned, what that may cost, and what survives crashes and races.

The service keeps what each job wrote per table and day, as BigQuery does: all of it when the job ends, or nothing.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from shokubai.config.model import Indicator, Slo, SloWindow, Source
from shokubai.core.errors import CostError, DataError, QueryError
from shokubai.core.windows import Duration, Window
from shokubai.tables import (
    read_deployments,
    read_route_counts,
    read_route_latency,
    read_service_minutes,
    read_watermarks,
)
from shokubai.tables.contracts import HOUR_LATENCY, MINUTE_COUNTS
from shokubai.tables.dataset import DatasetTables
from shokubai.tables.snapshot import SnapshotTables, is_snapshot

DAYS = {
    "small_table": "STRING",
    "day": "TIMESTAMP",
    "made_from": "STRING",
    "mark_count": "INTEGER",
    "row_count": "INTEGER",
    "request_count": "INTEGER",
    "first_at": "TIMESTAMP",
    "last_at": "TIMESTAMP",
}
PARTITION = {"id": "STRING", "row_count": "INTEGER", "byte_count": "INTEGER", "changed_us": "INTEGER"}
MINUTES = {"service_name": "STRING", "minute": "TIMESTAMP"} | dict.fromkeys(
    ("request_count", "error_count", "unknown_status_count", "duration_count"), "INTEGER"
)
COUNTS, LATENCY = "AS within_1_count", "AS duration_bucket"  # parts of the statements that scan a day
_MACHINES = count()  # what is opened is opened on another machine each time
ROWS_OF_COUNTS = "-- Days of minute_counts as they are"
TEXTS = {"service_name", "http_request_method", "http_route"}
MIDNIGHT_US = 1_792_972_800_000_000  # 2026-10-26T00:00:00Z
REQUESTS = "aoba-logs.run_logs.run_googleapis_com_requests"
SINK = {
    "timestamp": "TIMESTAMP",
    "resource": {"labels": {"service_name": "STRING", "location": "STRING", "revision_name": "STRING"}},
    "httpRequest": {"requestMethod": "STRING", "requestUrl": "STRING", "status": "INTEGER", "latency": "FLOAT"},
}
SCAN_BYTES = 3 * 2**30
FIRST, LAST = timedelta(hours=9), timedelta(hours=17, minutes=59)  # of each day's requests


def october(*numbers):
    return tuple(date(2026, 10, n) for n in numbers)


def days(first, last=None):
    start = datetime(2026, 10, first, tzinfo=UTC)
    return Window(start, datetime(2026, 10, (last or first), tzinfo=UTC) + timedelta(days=1))


class World:
    """A request log of some days, and what the small tables hold."""

    def __init__(self, service, open_warehouse, folder):
        self.service = service
        self.folder = folder
        self.open_warehouse = open_warehouse
        self.is_restless = False  # whether days change with each look at their rows
        self.log = {}  # YYYYMMDD → how often that day has changed
        service.answer("REGEXP_EXTRACT", {"http_route": "STRING"})
        service.answer("INFORMATION_SCHEMA.PARTITIONS", PARTITION, self.partitions, bytes=10 * 2**20)
        service.answer("AS small_table", DAYS, self.marks, bytes=1000)
        service.answer(COUNTS, bytes=SCAN_BYTES)
        service.answer(LATENCY, bytes=SCAN_BYTES)

    def change(self, *numbers):
        for number in numbers:
            self.log[f"202610{number:02d}"] = self.log.get(f"202610{number:02d}", 0) + 1

    def open(self, *, thresholds=(0.3,), **settings):
        return DatasetTables(
            self.open_warehouse(**settings),
            folder=self.folder / str(next(_MACHINES)),
            slos=[slo(threshold) for threshold in thresholds],
            services=("shop",),
        )

    def partitions(self, _):
        return [[day, 10, 1000, changes] for day, changes in sorted(self.log.items())]

    def marks(self, configuration):
        given = parameters(configuration)
        rows = []
        for address, written in sorted(self.service.written.items()):
            table, _, day = address.rpartition(".")[2].partition("$")
            start = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
            if not given["start"] <= str(start) < given["end"]:
                continue
            is_scan = "FROM requests" in written["query"]["query"]
            counts = (4, 100, start + FIRST, start + LAST) if is_scan else (0, 0, None, None)
            rows.append([table, start, parameters(written)["made_from"], 1, *counts])
        return rows

    def rows_of(self, contract):
        """Per written day four rows of a small table, one an hour from nine, and the row that says what it is of."""

        def rows(configuration):
            found = []
            for row in self.marks(configuration):
                table, day, made_from, _, row_count, *_ = row
                if table != contract.name:
                    continue
                if self.is_restless:
                    made_from = f"{made_from} {len(self.service.requests)}"
                values = dict.fromkeys(contract.columns, 0) | dict.fromkeys(contract.columns.keys() & TEXTS)
                values |= {name: None for name in contract.columns if name.startswith("threshold_")}
                time = next(iter(contract.columns))
                found.append([*(values | {time: day}).values(), made_from])
                for hour in range(row_count):
                    data = {
                        "service_name": "shop",
                        "http_request_method": "GET",
                        "http_route": "/",
                        "request_count": 25,
                    }
                    found.append([*(values | data | {time: day + FIRST + timedelta(hours=hour)}).values(), None])
            return found

        return rows

    def scans(self):
        """The days of the statements that read the log, in order."""
        return sorted(
            configuration["query"]["destinationTable"]["tableId"]
            for configuration in self.service.inserted()
            if "FROM requests" in configuration["query"]["query"] and "destinationTable" in configuration["query"]
        )

    def forget(self):
        self.service.requests.clear()


def parameters(configuration):
    return {p["name"]: p["parameterValue"].get("value") for p in configuration["query"]["queryParameters"]}


def slo(threshold):
    return Slo(
        f"fast-{threshold}",
        "",
        "shop",
        Indicator("latency", threshold_seconds=threshold),
        SloWindow(Duration(28, "d"), is_rolling=True),
        "Occurrences",
        0.99,
        Source(Path("slos/shop.yaml"), 1),
    )


@pytest.fixture
def world(service, open_warehouse, tmp_path):
    made = World(service, open_warehouse, tmp_path / "machines")
    made.change(20, 21, 22)
    return made


# --- what is scanned ----------------------------------------------------------------------------------------


def test_a_day_is_scanned_once(world):
    summary = world.open().build(days(20, 24))
    assert summary.days_scanned == october(20, 21, 22)
    assert summary.days_without_input == october(23, 24)
    assert summary.rows_read == 300
    assert world.scans() == [
        "hour_latency$20261020",
        "hour_latency$20261021",
        "hour_latency$20261022",
        "minute_counts$20261020",
        "minute_counts$20261021",
        "minute_counts$20261022",
    ]
    assert summary.bytes_read == 6 * SCAN_BYTES + 10 * 2**20 + 2 * 1000  # the log, its partitions, the days twice
    world.forget()
    second = world.open().build(days(20, 24))
    assert (second.days_scanned, second.days_unchanged) == ((), october(20, 21, 22))
    assert (second.rows_read, world.scans()) == (0, [])
    assert second.bytes_read == 10 * 2**20 + 1000


def test_a_build_touches_only_the_days_of_its_window(world):
    world.open().build(days(21))
    assert world.scans() == ["hour_latency$20261021", "minute_counts$20261021"]


def test_late_data_and_a_new_day(world):
    world.open().build(days(20, 23))
    world.change(21, 23)
    world.forget()
    summary = world.open().build(days(20, 23))
    assert summary.days_scanned == october(21, 23)
    assert len(world.scans()) == 4


@pytest.mark.parametrize("change", [{"thresholds": (0.3, 1.0)}, {"where": "TRUE"}, {"columns": {}}])
def test_other_rules_scan_everything_again(world, service, change):
    if change == {"columns": {}}:
        names = ("service_name", "http_route", "http_request_method")
        service.add_table(
            "aoba-logs.run_logs.run_googleapis_com_requests",
            {"timestamp": "TIMESTAMP", "http_response_status_code": "INTEGER"} | dict.fromkeys(names, "STRING"),
            timePartitioning={"type": "DAY", "field": "timestamp"},
        )
        change = {"columns": {"region": "NULL"}}
        service.answer("(NULL) AS `region`", {"region": "INTEGER"})
        before = {"columns": {}}
    else:
        before = {}
    world.open(**before).build(days(20, 22))
    world.forget()
    assert world.open(**change).build(days(20, 22)).days_scanned == october(20, 21, 22)
    world.forget()
    assert world.open(**change).build(days(20, 22)).days_scanned == ()


def test_days_that_the_log_no_longer_keeps_stay(world, service):
    world.open().build(days(20, 22))
    del world.log["20261020"], world.log["20261021"]
    world.forget()
    tables = world.open()
    assert tables.build(days(20, 22)).days_scanned == ()
    assert tables.covered_days() == october(20, 21, 22)
    # Also when they cannot be made again by new rules.
    tables = world.open(thresholds=(0.3, 1.0))
    assert tables.build(days(20, 22)).days_scanned == october(22)
    assert tables.covered_days() == october(20, 21, 22)
    world.forget()
    service.answer("unknown_status_count", MINUTES)
    read_service_minutes(tables, ["shop"], days(20, 22))
    assert world.scans() == []


def test_days_of_another_log_do_not_stay(world, service):
    """A warehouse file that now names another table must not mix the two."""
    other = "aoba-logs.run_logs.other"
    world.open().build(days(20, 22))
    service.add_table(other, SINK, timePartitioning={"type": "DAY", "field": "timestamp"})
    del world.log["20261020"], world.log["20261021"]
    tables = world.open(address=other)
    tables.build(days(20, 22))
    assert tables.covered_days() == october(22)


def test_a_day_that_vanished_from_the_middle_loses_its_rows(world):
    world.open().build(days(20, 22))
    del world.log["20261021"]
    world.forget()
    tables = world.open()
    summary = tables.build(days(20, 22))
    assert (summary.days_scanned, summary.days_without_input) == ((), october(21))
    assert tables.covered_days() == october(20, 22)
    removed = [name for name, c in world.service.written.items() if "FROM requests" not in c["query"]["query"]]
    assert sorted(removed) == [f"aoba-sre.shokubai.{table}$20261021" for table in ("hour_latency", "minute_counts")]
    world.forget()
    world.open().build(days(20, 22))
    assert world.scans() == []
    assert len(world.service.inserted()) == 2  # partitions and days: what was removed stays so
    world.change(21)
    assert world.open().build(days(20, 22)).days_scanned == october(21)


# --- what it may cost ---------------------------------------------------------------------------------------


def test_the_cost_is_known_before(world, service):
    service.answer(ROWS_OF_COUNTS, bytes=2 * 2**30)
    estimate = world.open().estimate(days(20, 24), recent=days(20))
    assert estimate.days == october(20, 21, 22)
    assert estimate.scan_bytes == 6 * SCAN_BYTES
    assert estimate.scan_price == "0.11 USD"  # 18 GiB of 1024 for 6.25
    assert estimate.fetch_bytes == 0  # the small tables are not there yet
    assert estimate.caps == "50.0 GiB per statement, 500.0 GiB per run"
    assert estimate.refused is None
    assert world.scans() == [] and service.asked("POST", "/tables") == 0
    world.open().build(days(20, 22))
    after = world.open().estimate(days(20, 24), recent=days(20))
    assert (after.days, after.scan_bytes, after.fetch_bytes) == ((), 0, 2 * 2**30)


def test_an_estimate_of_a_view_reads_nothing(world, service):
    """Only counting the view's rows would tell its days, and that is billed; a dry run says what it would cost."""
    service.tables[REQUESTS] |= {"type": "VIEW", "timePartitioning": None}
    service.answer("AS day_us", {"day_us": "INTEGER"}, bytes=20 * 2**30)
    estimate = world.open().estimate(days(20, 21), recent=days(20))
    assert (estimate.count_bytes, estimate.count_price) == (20 * 2**30, "0.12 USD")
    assert estimate.days == october(20, 21)
    assert estimate.scan_bytes == 4 * SCAN_BYTES
    assert estimate.billed_bytes == 20 * 2**30 + 4 * SCAN_BYTES
    assert service.statements() == []


def test_an_estimate_refuses_what_cannot_be_fetched(world, service):
    world.open().build(days(20, 22))
    service.answer(ROWS_OF_COUNTS, bytes=51 * 2**30)
    estimate = world.open().estimate(days(20, 22), recent=days(20))
    assert "query minute_counts_rows was not run" in str(estimate.refused)


def test_an_estimate_says_what_a_build_would_refuse(world, service):
    service.answer(LATENCY, bytes=51 * 2**30)
    estimate = world.open().estimate(days(20), recent=days(20))
    assert estimate.scan_bytes == SCAN_BYTES + 51 * 2**30
    with pytest.raises(CostError, match="query hour_latency was not run") as raised:
        world.open().build(days(20))
    assert str(estimate.refused) == str(raised.value)


def test_nothing_is_written_when_one_day_costs_too_much(world, service):
    service.answer(LATENCY, bytes=51 * 2**30)
    with pytest.raises(CostError) as raised:
        world.open().build(days(20, 22))
    assert str(raised.value).startswith(
        "query hour_latency was not run in warehouse logs (parameters/warehouses/logs.yaml:1): it would read 51.0 "
        "GiB (0.31 USD at 6.25 USD per TiB), more than byte_cap allows, 50.0 GiB\nEach day of the log is read once. "
    )
    assert world.scans() == []
    assert service.written == {}


def test_nothing_is_written_when_all_days_cost_too_much(world, service):
    with pytest.raises(CostError) as raised:
        world.open(byte_cap=4 * 2**30, run_byte_cap=16 * 2**30).build(days(20, 22))
    assert "scanning 3 day(s) of the log was not run" in str(raised.value)
    assert "it would read 18.0 GiB (0.11 USD at 6.25 USD per TiB), more than run_byte_cap allows, 16.0 GiB" in str(
        raised.value
    )
    assert service.written == {}


def test_the_service_has_the_cap_too(world, service):
    world.open(byte_cap=4 * 2**30).build(days(20))
    limits = [c["query"]["maximumBytesBilled"] for c in service.inserted() if "destinationTable" in c["query"]]
    assert limits == [str(4 * 2**30)] * 2


# --- crashes, races and failures ----------------------------------------------------------------------------


@pytest.mark.parametrize("part", [COUNTS, LATENCY])
def test_a_job_that_fails_for_good_leaves_the_day_to_the_next_build(world, service, part):
    world.open().build(days(20, 22))
    world.change(21)
    broken = service.answer(part, bytes=SCAN_BYTES, error=("invalidQuery", "Division by zero"))
    with pytest.raises(QueryError, match="Division by zero"):
        world.open().build(days(20, 22))
    service.answers.remove(broken)
    world.forget()
    assert world.open().build(days(20, 22)).days_scanned == october(21)
    assert len(world.scans()) == 2
    world.forget()
    world.open().build(days(20, 22))
    assert world.scans() == []


def test_a_job_that_dies_half_way_is_run_again(world, service):
    service.answer(COUNTS, bytes=SCAN_BYTES, error=("backendError", "the worker died"), times=1)
    summary = world.open().build(days(20))
    assert summary.days_scanned == october(20)
    assert len(world.scans()) == 3
    assert sorted(service.written) == [
        "aoba-sre.shokubai.hour_latency$20261020",
        "aoba-sre.shokubai.minute_counts$20261020",
    ]


def test_a_builder_that_is_gone_before_its_second_table(world, service):
    """Its day is half new and half old, which the marks tell."""
    world.open().build(days(20))
    world.change(20)
    half = service.answer(LATENCY, bytes=SCAN_BYTES, polls=10**6)
    tables = world.open(timeout_seconds=0.3)
    with pytest.raises(QueryError, match="took longer than"):
        tables.build(days(20))
    made = {parameters(c)["made_from"] for c in service.written.values()}
    assert len(made) == 2
    service.answers.remove(half)
    world.forget()
    assert world.open().build(days(20)).days_scanned == october(20)
    assert len({parameters(c)["made_from"] for c in service.written.values()}) == 1


def test_a_job_that_ends_after_its_builder_is_gone(world, service):
    """It puts older rows in place of newer ones, and says so itself."""
    world.open().build(days(20))
    old = service.written["aoba-sre.shokubai.minute_counts$20261020"]
    world.change(20)
    world.open().build(days(20))
    service.written["aoba-sre.shokubai.minute_counts$20261020"] = old
    world.forget()
    assert world.open().build(days(20)).days_scanned == october(20)


def test_two_builds_at_once(world, service):
    together = threading.Barrier(2, timeout=20)
    service.answer(COUNTS, bytes=SCAN_BYTES, polls=3)

    def build():
        tables = world.open()
        together.wait()
        return tables.build(days(20, 22))

    with ThreadPoolExecutor(2) as pool:
        summaries = [future.result() for future in [pool.submit(build), pool.submit(build)]]
    assert [s.rows_read for s in summaries if s.days_scanned]  # at least one of them did it
    assert all(s.rows_read == 100 * len(s.days_scanned) for s in summaries)
    world.forget()
    assert world.open().build(days(20, 22)).days_unchanged == october(20, 21, 22)
    assert world.scans() == []


def test_others_are_left_to_build(world, monkeypatch):
    """Three shards start at once; one builds, and another waits and has nothing to scan then."""
    monkeypatch.setattr("shokubai.tables.dataset.LOOK_AGAIN_SECONDS", 0.01)
    told = []

    def tell(done, total, what):
        told.append((done, total, what))
        if len(told) == 2:
            world.open().build(days(20, 22))

    waiting = world.open()
    waiting.let_others_build(days(20, 24), progress=tell)
    assert told == [(2, 5, "another shard scans the log")] * 2
    world.forget()
    assert waiting.build(days(20, 24)).days_scanned == ()
    assert world.scans() == []


def test_a_day_that_still_grows_is_not_waited_for_again(world, monkeypatch):
    """On Monday the week after is being written; what another shard made of it a moment ago will do."""
    monkeypatch.setattr("shokubai.tables.dataset.LOOK_AGAIN_SECONDS", 0.01)
    looks = []

    def tell(done, total, what):
        looks.append(done)
        world.change(22)
        if len(looks) == 2:
            world.open().build(days(20, 22))
            world.change(22)

    waiting = world.open()
    assert waiting.let_others_build(days(20, 22), progress=tell)
    assert len(looks) == 2
    world.forget()
    assert waiting.fingerprint(days(20, 22))
    assert world.scans() == []


def test_waiting_counts_the_rows_of_a_view_just_once(world, service, monkeypatch):
    """It is billed, each time."""
    monkeypatch.setattr("shokubai.tables.dataset.LOOK_AGAIN_SECONDS", 0.001)
    service.tables[REQUESTS] |= {"type": "VIEW", "timePartitioning": None}
    counted = {"day_us": "INTEGER"} | dict.fromkeys(("row_count", "first_us", "last_us"), "INTEGER")
    service.answer("AS day_us", counted, [[MIDNIGHT_US, 5, MIDNIGHT_US, MIDNIGHT_US]], bytes=20 * 2**30)
    waiting = world.open(timeout_seconds=0.5)
    assert not waiting.let_others_build(days(26))
    assert len([text for text in service.statements() if "AS day_us" in text]) == 1


def test_a_builder_that_never_comes_is_not_waited_for(world, monkeypatch):
    monkeypatch.setattr("shokubai.tables.dataset.LOOK_AGAIN_SECONDS", 0.01)
    waiting = world.open(timeout_seconds=0.2)
    waiting.let_others_build(days(20, 22))
    assert world.scans() == []
    assert waiting.build(days(20, 22)).days_scanned == october(20, 21, 22)


def test_another_build_wrote_a_newer_day_in_the_meantime(world, service):
    interfere = [True]

    def newer():
        if interfere:
            interfere.clear()
            world.change(20)
            world.open().build(days(20))

    service.answer(LATENCY, bytes=SCAN_BYTES, before_done=newer)
    world.open().build(days(20))
    assert world.open().build(days(20)).days_scanned == ()


def test_a_build_with_other_parameters_at_the_same_time(world, service):
    """Each undoes what the other does; neither reads what the other wrote."""

    def other():
        for written in service.written.values():
            for parameter in written["query"]["queryParameters"]:
                if parameter["name"] == "made_from":
                    parameter["parameterValue"]["value"] = "input other-recipe"

    service.answer("AS small_table", DAYS, lambda c: (other(), world.marks(c))[1])
    with pytest.raises(DataError, match="another build with other parameters writes it at the same time"):
        world.open().build(days(20))


def test_a_column_is_gone(world, service):
    world.open().build(days(20))
    fields = service.tables["aoba-logs.run_logs.run_googleapis_com_requests"]["schema"]["fields"]
    fields[:] = [f for f in fields if f["name"] != "httpRequest"]
    world.change(20)
    before = dict(service.written)
    world.forget()
    with pytest.raises(DataError, match=r"has no column httpRequest\.requestMethod"):
        world.open().build(days(20))
    assert world.scans() == []
    assert service.written == before


FAULTS = {
    "permission": (QueryError, 403, "accessDenied", "Access Denied: Dataset aoba-sre:shokubai"),
    "dataset": (QueryError, 404, "notFound", "Not found: Dataset aoba-sre:shokubai"),
    "statement": (QueryError, 400, "invalidQuery", "Unrecognized name: minute at [3:5]"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_clear_message_and_nothing_written(world, service, fault):
    kind, status, reason, message = FAULTS[fault]
    service.fail("POST", "/jobs$", times=10**6, status=status, reason=reason, message=message)
    with pytest.raises(kind) as raised:
        world.open().build(days(20, 22))
    assert message in str(raised.value)
    assert service.written == {}


# --- reading ------------------------------------------------------------------------------------------------


def test_readers_read_the_small_tables_only(world, service):
    tables = world.open()
    tables.build(days(20, 22))
    minute = datetime(2026, 10, 20, 9, tzinfo=UTC)
    service.answer("unknown_status_count", MINUTES, [["shop", minute, 3, 0, 0, 3]], bytes=500)
    world.forget()
    frame = read_service_minutes(tables, ["shop"], days(20, 22))
    assert frame["request_count"].tolist() == [3]
    assert str(frame["minute"].dtype) == "datetime64[us, UTC]"
    assert len(service.inserted()) == 1  # what the days hold is known
    fresh = world.open()
    world.forget()
    read_service_minutes(fresh, ["shop"], days(20, 22))
    read_service_minutes(fresh, ["shop"], days(20, 22))
    assert len(service.inserted()) == 3  # once the days, then the query each time
    assert world.scans() == []


def test_a_day_that_no_build_has_covered_is_built_when_it_is_read(world, service):
    service.answer("unknown_status_count", MINUTES)
    read_service_minutes(world.open(), ["shop"], days(21))
    assert world.scans() == ["hour_latency$20261021", "minute_counts$20261021"]


def test_where_there_are_no_requests_nothing_is_asked(world, service):
    tables = world.open()
    tables.build(days(23, 24))
    world.forget()
    assert read_route_counts(tables, ["shop"], days(23, 24)).empty
    assert read_watermarks(tables, ["shop"]).empty
    assert read_deployments(tables, ["shop"], days(23, 24)).empty
    assert service.requests == []


def test_from_when_to_when_the_log_goes(world, service):
    tables = world.open()
    assert str(tables.span()) == "2026-10-21T00:00Z/2026-10-22T00:00Z"  # what is certain without a look
    tables.build(days(22))
    assert str(tables.span()) == "2026-10-21T00:00Z/2026-10-22T18:00Z"
    tables.build(days(20, 22))
    assert str(tables.span()) == "2026-10-20T09:00Z/2026-10-22T18:00Z"
    world.log.clear()
    assert world.open().span() is None


def test_a_log_by_the_month_says_only_what_was_seen(world):
    world.log = {"202610": 1}
    tables = world.open()
    tables.build(days(20, 22))
    assert str(tables.span()) == "2026-10-20T09:00Z/2026-10-22T18:00Z"


def test_the_fingerprint_changes_with_what_a_report_reads(world, service):
    def fingerprint(window, **options):
        tables = world.open(**options)
        tables.build(days(20, 22))
        return tables.fingerprint(window)

    first = fingerprint(days(20, 22))
    assert fingerprint(days(20, 22)) == first
    only = fingerprint(days(20))
    world.change(22)
    assert fingerprint(days(20, 22)) != first
    assert fingerprint(days(20)) == only
    assert fingerprint(days(20), thresholds=(0.3, 1.0)) != only


# --- a copy for the reports of a run ------------------------------------------------------------------------


@pytest.fixture
def copied(world, service):
    """A world whose small tables' rows can be fetched: per day, table and hour one row of the shop."""
    contracts = {ROWS_OF_COUNTS: MINUTE_COUNTS, "-- Days of hour_latency as they are": HOUR_LATENCY}
    for part, contract in contracts.items():
        schema = {
            n: {"INT64": "INTEGER", "NULLABLE_INT64": "INTEGER"}.get(c.type, c.type)
            for n, c in contract.columns.items()
        }
        service.answer(part, {**schema, "made_from": "STRING"}, world.rows_of(contract), bytes=700)
    return world


def snapshot_of(tables, folder, window=None):
    window = window or days(20, 23)
    assert tables.take_snapshot(folder, window=window, recent=window)
    return SnapshotTables(
        "logs", folder=folder, slos=[slo(0.3)], services=("shop",), live=lambda: pytest.fail("asked the warehouse")
    )


def test_reports_read_a_copy_that_is_fetched_once(copied, service, tmp_path):
    tables = copied.open()
    tables.build(days(20, 23))
    copied.forget()
    copy = snapshot_of(tables, tmp_path)
    sent = [configuration["query"]["query"] for configuration in service.inserted()]
    assert len([text for text in sent if "as they are" in text]) == 2
    assert copied.scans() == []
    copied.forget()
    assert copy.build(days(20, 23)).days_without_input == october(23)
    for window, requests in ((days(20), 100), (days(20, 23), 300), (days(23), 0)):
        assert read_service_minutes(copy, ["shop"], window)["request_count"].sum() == requests
        assert read_route_latency(copy, ["shop"], window)["request_count"].sum() == requests
    assert read_deployments(copy, ["shop"], days(20)).empty
    assert read_watermarks(copy, ["shop"])["last_minute"].tolist() == [datetime(2026, 10, 22, 12, tzinfo=UTC)]
    assert copy.span() == tables.span()
    assert service.requests == []
    cost = copy.shared_cost()
    assert cost == tables.cost()
    assert cost.log_bytes == 6 * SCAN_BYTES
    assert cost.bytes_processed == 6 * SCAN_BYTES + 2 * 700 + 10 * 2**20 + 2 * 1000  # rows, partitions, marks
    assert copy.cost().statement_count == 0
    assert len(copy.shared_queries()) == len(tables.queries()) == cost.statement_count


def test_days_that_the_log_no_longer_keeps_are_in_the_copy(copied, service, tmp_path):
    """They were made by other rules, which nobody can change any more."""
    copied.open().build(days(20, 22))
    del copied.log["20261020"]
    tables = copied.open(thresholds=(0.3, 1.0))
    tables.build(days(20, 22))
    copy = snapshot_of(tables, tmp_path, days(20, 22))
    assert read_service_minutes(copy, ["shop"], days(20, 22))["request_count"].sum() == 300
    assert str(copy.span().start) == "2026-10-20 09:00:00+00:00"  # what is kept can still be compared with


def test_many_rows_are_fetched_in_several_steps(copied, service, tmp_path, monkeypatch):
    monkeypatch.setattr("shokubai.tables.dataset.ROWS_AT_ONCE", 8)
    tables = copied.open()
    tables.build(days(20, 22))
    copied.forget()
    copy = snapshot_of(tables, tmp_path, days(20, 22))
    assert len([text for text in service.statements() if ROWS_OF_COUNTS in text]) == 2  # 4 rows a day
    assert read_service_minutes(copy, ["shop"], days(20, 22))["request_count"].sum() == 300


def test_a_day_that_was_replaced_in_the_meantime_is_fetched_as_it_is_then(copied, service, tmp_path):
    tables = copied.open()
    tables.build(days(20, 22))
    copied.change(21)
    copied.open().build(days(21))  # another run, a moment later
    snapshot_of(tables, tmp_path, days(20, 22))
    assert len([text for text in service.statements() if ROWS_OF_COUNTS in text]) == 2


def test_days_that_change_all_the_time_are_no_copy(copied, service, tmp_path):
    tables = copied.open()
    tables.build(days(20, 22))
    copied.is_restless = True
    with pytest.raises(DataError, match="days between 2026-10-20 and 2026-10-22 were replaced while they were read"):
        tables.take_snapshot(tmp_path, window=days(20, 22), recent=days(20, 22))
    assert not is_snapshot(tmp_path)


def test_a_copy_costs_no_more_than_is_allowed(copied, service, tmp_path):
    tables = copied.open()
    tables.build(days(20, 22))
    service.answer(ROWS_OF_COUNTS, bytes=51 * 2**30)
    with pytest.raises(CostError, match="query minute_counts_rows was not run"):
        tables.take_snapshot(tmp_path, window=days(20, 22), recent=days(20, 22))


def test_what_is_not_in_the_copy_is_asked_of_the_warehouse(copied, service, tmp_path):
    tables = copied.open()
    tables.build(days(20, 22))
    tables.take_snapshot(tmp_path, window=days(20, 21), recent=days(21))
    opened = []

    def live():
        opened.append(copied.open())
        return opened[-1]

    copy = SnapshotTables("logs", folder=tmp_path, slos=[slo(0.3)], services=("shop",), live=live)
    service.answer(
        "unknown_status_count", MINUTES, [["shop", datetime(2026, 10, 22, 9, tzinfo=UTC), 3, 0, 0, 3]], bytes=500
    )
    assert read_service_minutes(copy, ["shop"], days(21))["request_count"].sum() == 100
    assert not opened
    assert read_service_minutes(copy, ["shop"], days(21, 22))["request_count"].sum() == 3
    assert read_deployments(copy, ["shop"], days(20, 21)).empty
    assert read_deployments(copy, ["mail"], days(21)).empty
    assert len(opened) == 1
    assert copy.cost().bytes_processed == 500 + 1000  # the rows, and what the days say of themselves
    assert copy.cost().log_bytes == 0
    assert "service_minutes" in copy.queries()["name"].tolist()


def test_services_that_were_seen(world, service):
    service.answer("SELECT DISTINCT service_name", {"service_name": "STRING"}, [["mail"], ["shop"]])
    tables = world.open()
    assert tables.services() == ("shop",)
    tables.build(days(20))
    assert tables.services() == ("mail", "shop")
