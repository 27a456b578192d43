"""A log with everything that is awkward, and all questions that the readers ask of it through DuckDB."""

from __future__ import annotations

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shokubai.config.model import Indicator, Slo, SloWindow, Source
from shokubai.core.errors import ShokubaiError
from shokubai.core.frames import FrameContract
from shokubai.core.sketch import GAMMA, SMALLEST_SECONDS
from shokubai.core.windows import Duration, Window
from shokubai.sources import DuckDbWarehouse, FileTable, Query, load_query, to_frame
from shokubai.sources.results import ARROW_TYPES
from shokubai.tables import (
    SampleRequests,
    SpanKind,
    Tables,
    read_alerts,
    read_bad_requests,
    read_deployments,
    read_incidents,
    read_latency_hours,
    read_metric_hours,
    read_route_counts,
    read_route_hours,
    read_route_latency,
    read_sample_requests,
    read_service_minutes,
    read_sli_minutes,
    read_sli_routes,
    read_spans,
    read_sre_requests,
    read_watermarks,
)
from shokubai.tables.contracts import OPTIONAL_COLUMNS, RAW_TABLES, SMALL_TABLES
from shokubai.tables.samples import NO_DURATION, NO_STATUS

TABLES = {**RAW_TABLES, **SMALL_TABLES}
MIDNIGHT = datetime(2026, 10, 26, tzinfo=UTC)
WINDOWS = (
    Window(MIDNIGHT - timedelta(days=1), MIDNIGHT + timedelta(days=2)),
    # From the fraction of a second in a minute with requests, to a minute with requests.
    Window(MIDNIGHT + timedelta(seconds=60, microseconds=500_000), MIDNIGHT + timedelta(hours=23, minutes=59)),
    Window(MIDNIGHT + timedelta(hours=2), MIDNIGHT + timedelta(hours=9)),  # when nobody asked for anything
)
# U+FB01 sorts before U+1F600 by code point, after it in UTF-16.
SERVICES = ("shop", "mail", "表示-api", "😀", "ﬁ")
ASKED = (SERVICES, ("mail", "nobody", "shop'; DROP TABLE requests; --"), ())
THRESHOLDS = {"shop": (0.1, 0.3, 1.0, 2.5), "表示-api": (0.3,)}  # mail has none


@dataclass(frozen=True)
class Answer:
    """What DuckDB answered to a query of a reader, or why it did not, and what the tables held."""

    query: Query
    contract: FrameContract
    parameters: Mapping[str, Any]
    given: pa.Table | ShokubaiError
    held: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def result(self) -> pa.Table:
        if isinstance(self.given, ShokubaiError):
            raise self.given
        return self.given


@dataclass
class Recorder:
    """A warehouse that remembers what it was asked and what it answered, the same question once."""

    warehouse: DuckDbWarehouse
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def select(self, query, contract, parameters, *, files=None):
        given = None
        try:
            given = self.warehouse.select(query, contract, parameters, files=files)
        except ShokubaiError as error:
            given = error
            raise
        finally:
            self.answers[query.name, repr(parameters)] = Answer(query, contract, parameters, given)
        return given

    def __getattr__(self, name):
        return getattr(self.warehouse, name)


def ask_everything(folder: Path) -> dict[str, list[Answer]]:
    """The answers to each shipped query, by its name."""
    answers = defaultdict(list)
    for project in (awkward_project(folder / "awkward"), bare_project(folder / "bare")):
        for read, arguments in questions(project):
            # One that fails is told of by its answer. Readers also refuse thresholds that were not counted.
            with suppress(ShokubaiError):
                read(*arguments)
        held = {name: contents(project.warehouse.warehouse, contract) for name, contract in TABLES.items()}
        for answer in project.warehouse.answers.values():
            tables = {name: held[name] for name in answer.query.translation.tables}
            answers[answer.query.name].append(replace(answer, held=tables))
    return dict(answers)


def questions(tables: Tables) -> Iterator[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Readers with what they are asked."""
    yield tables.build, (WINDOWS[0],)
    for name in SMALL_TABLES:
        yield small_table, (tables, name)
    yield tables.services, ()
    for services in ASKED:
        yield read_watermarks, (tables, services)
        for window in WINDOWS:
            for read in (
                read_service_minutes,
                read_route_counts,
                read_route_hours,
                read_route_latency,
                read_latency_hours,
                read_metric_hours,
                read_deployments,
                read_incidents,
                read_alerts,
            ):
                yield read, (tables, services, window)
        for kind in get_args(SpanKind):
            yield read_spans, (tables, kind, services, WINDOWS)
    for window in WINDOWS:
        yield read_sre_requests, (tables, window)
        for statuses, seconds in (((500, 599), NO_DURATION), (NO_STATUS, 0.3), ((400, 599), 0.3)):
            for method, route in (("GET", "/items/{id}"), ("POST", "/orders")):
                asked = SampleRequests(window, "shop", method, route, statuses, seconds)
                yield read_sample_requests, (tables, asked)
    not_counted = objective("not counted", "shop", kind="latency", threshold_seconds=0.25)
    for window in WINDOWS[:2]:
        for slo in [*objectives(), not_counted]:
            yield read_sli_minutes, (tables, slo, window)
            yield read_sli_routes, (tables, slo, window)
            for length in (window.duration, timedelta(minutes=7)):
                yield bad_requests, (tables, slo, window, length)


def small_table(tables: Tables, name: str) -> pd.DataFrame:
    """What the statement that defines a small table answers; the build itself takes the log apart first."""
    days = list(WINDOWS[0].utc_days())
    query, contract = load_query("shokubai.tables.queries", name), SMALL_TABLES[name]
    return to_frame(tables.warehouse.select(query, contract, tables._scan_parameters(days)[name]), contract)


def bad_requests(tables: Tables, slo: Slo, window: Window, slice_length: timedelta) -> pd.DataFrame:
    """The bad requests in spans cut where a minute with requests begins, and in the middle of the next one."""
    cuts = [window.start, MIDNIGHT + timedelta(minutes=60), MIDNIGHT + timedelta(minutes=690.5), window.end]
    spans = [Window(start, end) for start, end in itertools.pairwise(cuts)]
    return read_bad_requests(tables, slo, window, spans=spans, slice_length=slice_length)


def objectives() -> list[Slo]:
    some = ("GET /items/*", "POST *")
    return [
        objective("availability", "shop", kind="availability"),
        objective("availability of some", "shop", kind="availability", routes=some),
        objective("availability of none", "shop", kind="availability", routes=("/nothing",)),
        objective("everything is good", "表示-api", kind="availability", error_statuses=()),
        objective("strict", "😀", kind="availability", error_statuses=((404, 404), (500, 599))),
        *(
            objective(f"latency {seconds} s", service, kind="latency", threshold_seconds=seconds)
            for service, thresholds in THRESHOLDS.items()
            for seconds in thresholds
        ),
        objective("latency of some", "shop", kind="latency", threshold_seconds=0.3, routes=some, error_statuses=()),
    ]


def objective(name: str, service: str, **indicator: Any) -> Slo:
    return Slo(
        name=name,
        display_name=name,
        service=service,
        indicator=Indicator(**indicator),
        window=SloWindow(Duration(28, "d"), is_rolling=True),
        budgeting="Occurrences",
        objective=0.99,
        source=Source(Path("slos.yaml"), 1),
    )


# --- the data -----------------------------------------------------------------------------------------------


def awkward_project(folder: Path) -> Tables:
    """All columns, in two files that share days, and every companion."""
    folder.mkdir()
    log = requests()
    for n in (0, 1):
        pq.write_table(log.take(list(range(n, len(log), 2))), folder / f"requests-{n}.parquet")
    for name, table in companions().items():
        pq.write_table(table, folder / f"{name}.parquet")
    return opened(folder, objectives())


def bare_project(folder: Path) -> Tables:
    """Only the columns that must be there, no companions, no thresholds."""
    folder.mkdir()
    log = requests().drop_columns(list(OPTIONAL_COLUMNS["requests"]))
    pq.write_table(log.slice(0, 200), folder / "requests.parquet")
    return opened(folder, ())


def opened(folder: Path, slos: Sequence[Slo]) -> Tables:
    def table(contract: FrameContract) -> FileTable:
        small = contract.name in SMALL_TABLES
        pattern = f"tables/{contract.name}/*.parquet" if small else f"{contract.name}*.parquet"
        optional = () if small else OPTIONAL_COLUMNS[contract.name]
        return FileTable(contract, lambda: tuple(sorted(folder.glob(pattern))), "here", optional=optional)

    warehouse = DuckDbWarehouse("w", [table(contract) for contract in TABLES.values()], spill=folder / "spill")
    return Tables(Recorder(warehouse), folder=folder / "tables", slos=slos)


def contents(warehouse: DuckDbWarehouse, contract: FrameContract) -> pa.Table:
    """All rows of a table as queries see them."""
    everything = Query("all", f"SELECT {', '.join(contract.columns)} FROM {contract.name}", "all.sql")
    return warehouse.select(everything, contract, {})


def requests() -> pa.Table:
    """500 requests, most of them at a border: of a minute, a day, a threshold, a bucket, a range of statuses."""
    chance = random.Random(20261026)
    minutes = [-24 * 60, -1, 0, 0, 1, 1, 60, 690, 23 * 60 + 59, 47 * 60, 48 * 60]
    seconds = [0.0, 0.000001, 0.5, 29.6, 30.0, 59.5, 59.999999]
    borders = [0.1, 0.3, 1.0, 2.5, SMALLEST_SECONDS, *(GAMMA**k for k in (-900, -46, -1, 0, 1, 7, 46, 460))]
    neighbours = [math.nextafter(border, towards) for border in borders for towards in (0, math.inf)]
    durations = [*borders, *neighbours, 0.0, -0.0, 5e-324, 1e300, -1.0, math.nan, math.inf, None, None]
    choices = {
        "service_name": [*SERVICES, *["shop"] * 5, "mail", "表示-api", None],
        "http_route": ["/items/{id}", "/items/{id}", "/orders", "/注文/{id}", '/it\'s "x"', "", None],
        "http_request_method": ["GET", "GET", "POST", "_OTHER", None],
        "http_response_status_code": [
            *(None, None, -1, 0, 99, 100, 200, 200, 201, 299, 404, 404, 499, 500, 503, 599, 600)
        ],
        "duration_seconds": durations,
        **{name: ["a", "", None] for name in ("user_key", "region", "service_version", "trace_id")},
    }
    rows = []
    for _ in range(500):
        at = MIDNIGHT + timedelta(minutes=chance.choice(minutes), seconds=chance.choice(seconds))
        rows.append({"timestamp": at, **{name: chance.choice(values) for name, values in choices.items()}})
    return declared("requests", rows)


def companions() -> dict[str, pa.Table]:
    """Metrics, and events before, in and after the windows; what may be missing is missing somewhere."""
    day, hour, tick = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
    offsets = (-day - tick, -day, 0 * day, 3 * hour, day - tick, day, 2 * day - tick, 2 * day)
    instants = [MIDNIGHT + offset for offset in offsets]
    values = [0.1, 0.2, 0.3, 1e16, 1.0, 7.7, None, 5e-324, -0.0, 1 / 3, math.nan]
    samples = [
        (t + k * tick, s, m) for t in instants for s in SERVICES[:3] for m in ("cpu", "待ち行列") for k in range(3)
    ]
    metrics = [
        {
            "timestamp": instant,
            "service_name": service,
            "metric_name": metric,
            "unit": ("1", "1", None)[n % 3],
            "value": values[n % len(values)],
            "limit_value": (1.0, None, 2.5, None, math.nan)[n % 5],
        }
        for n, (instant, service, metric) in enumerate(samples)
    ]
    # Every start with every end of impact, noted as mitigation, as resolution, or not at all.
    impacts = [
        (t, end, noted) for t in instants for end in [None, *instants] for noted in (0, 1) if not end or end >= t
    ]
    incidents = [
        {
            "incident_id": f"i{n:03}",
            "service_name": SERVICES[n % 2],
            "title": ("障害", None)[n % 2],
            "severity": ("SEV1", "", None)[n % 3],
            "started_at": start,
            "detected_at": (start, None)[n % 2],
            "mitigated_at": end if noted else None,
            "resolved_at": MIDNIGHT + 9 * day if noted and n % 3 else end,
        }
        for n, (start, end, noted) in enumerate(impacts)
    ]
    events = [(n, instant, (instant + hour, None)[n % 2]) for n, instant in enumerate(instants)]
    return {
        "metrics": declared("metrics", metrics),
        "incidents": declared("incidents", incidents),
        "deployments": declared(
            "deployments",
            [
                {
                    "deployed_at": instant,
                    "service_name": SERVICES[n % 3],
                    "service_version": ("1.0", None)[n % 2],
                    "deployment_id": f"d{n}",
                    "description": ("修正", None, "it's", "")[n % 4],
                }
                for n, instant, _ in events
            ],
        ),
        "alerts": declared(
            "alerts",
            [
                {
                    "fired_at": instant,
                    "resolved_at": end,
                    "service_name": SERVICES[n % 3],
                    "alert_name": f"alert {n}",
                    "severity": ("page", None)[n % 2],
                }
                for n, instant, end in events
            ],
        ),
        "sre_requests": declared(
            "sre_requests",
            [
                {
                    "request_id": f"r{n}",
                    "team": ("sales", None)[n % 2],
                    "kind": ("相談", None, "")[n % 3],
                    "summary": (None, "x")[n % 2],
                    "opened_at": instant,
                    "first_response_at": end,
                    "closed_at": None if n % 3 else end,
                }
                for n, instant, end in events
            ],
        ),
    }


def declared(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """A raw table with the columns of its contract."""
    types = {column: ARROW_TYPES[c.type] for column, c in RAW_TABLES[name].columns.items()}
    return pa.Table.from_pylist(rows, pa.schema(types.items()))
