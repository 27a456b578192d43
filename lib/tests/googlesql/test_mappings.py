"""The ready mappings in GoogleSQL itself: accepted, and the rows are those worked by hand beside each fixture's."""

from __future__ import annotations

import importlib.util
import itertools
import random
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pyarrow as pa
import pytest

from shokubai.config.mappings import ready_mappings
from shokubai.config.mappings.expansion import expand
from shokubai.config.model import BigQuery
from shokubai.ingest.routes import route_of
from shokubai.sources.bigquery_jobs import BigQueryJobs
from shokubai.sources.bigquery_statement import Estimate
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse, schema_of
from shokubai.tables.contracts import RAW_TABLES


def module(*path: str) -> ModuleType:
    """A module of these tests by its path: they are no package."""
    file = Path(__file__).parents[1].joinpath(*path)
    name = "mappings_" + "_".join(path).removesuffix(".py")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


fixtures = module("mappings", "fixtures.py")
routes = module("ingest", "test_routes.py")


@pytest.fixture
def open_fixture(googlesql):
    """A warehouse of one fixture, in which GoogleSQL tells the types that BigQuery's dry run would."""

    def make(fixture):
        settings = BigQuery("aoba-logs", "aoba-sre", "US", "aoba-sre.shokubai", 2**40, 2**40, 6.25, "USD", 60)
        jobs = BigQueryJobs(settings, where="warehouse logs")
        jobs.table = lambda _: SimpleNamespace(schema=fixtures.schema_fields(fixture.schema), time_partitioning=None)
        jobs.estimate = lambda text: Estimate(0, "SELECT", types_of(googlesql, text.sql, fixture))
        return BigQueryWarehouse("logs", [fixture.described()], jobs=jobs)

    return make


def types_of(googlesql, sql, fixture):
    """The types that a statement over an empty table gives.

    The evaluator says them, since the tree that the analyser answers with is nested deeper than protobuf reads.
    """
    names = {arrow: name for name, arrow in googlesql_types().items()}
    midnight = datetime(2026, 10, 26, tzinfo=UTC)
    found = googlesql.evaluate(
        sql,
        nested={fixture.address: (fixture.types, [])},
        parameters={"start": ("TIMESTAMP", midnight), "end": ("TIMESTAMP", midnight)},
    )
    return {field.name: names[field.type] for field in found.schema}


def googlesql_types():
    return module("googlesql", "analyser.py").ARROW_TYPES


def rows_of(googlesql, warehouse, fixture):
    sql = warehouse.definition(fixture.table)
    found = googlesql.evaluate(sql, nested={fixture.address: (fixture.types, fixture.rows)})
    assert found.column_names == list(RAW_TABLES[fixture.table].columns)
    return sorted((tuple(row.values()) for row in found.to_pylist()), key=repr)


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_rows_are_those_worked_by_hand(googlesql, open_fixture, name):
    fixture = fixtures.load(name)
    assert rows_of(googlesql, open_fixture(fixture), fixture) == fixture.expected


def test_every_mapping_has_a_fixture():
    assert {fixtures.load(name).mapping for name in fixtures.NAMES} == {each.name for each in ready_mappings()}


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_a_column_that_never_had_a_value_is_null(googlesql, open_fixture, name):
    """Sinks make a column when its first value comes: without any of the optional ones the others are the same."""
    fixture = fixtures.load(name)
    gone = {
        "cloud_run_sink": ("trace", "httpRequest.latency", "resource.type", "resource.labels.location"),
        "cloud_run_sink_text_latency": ("httpRequest.latency",),
        "gke_sink": ("labels", "httpRequest.latency"),
        "log_analytics": ("trace", "http_request.latency"),
        "log_analytics_text_latency": ("http_request.latency",),
        "load_balancer_sink": ("jsonpayload_type_loadbalancerlogentry", "resource.labels.zone", "trace"),
        "otel_spans": ("duration_nanos", "end_time"),
        "aws_alb": ("target_group_arn", "response_processing_time"),
        "aws_alb_text": ("target_processing_time",),
        "monitoring_export": ("point.value.distribution_value",),
    }[name]
    smaller = fixture.without(*gone)
    rows = rows_of(googlesql, open_fixture(smaller), smaller)
    assert len(rows) >= len(fixture.expected)
    optional = fixture.described().fitted(dict.fromkeys((), "") | schema(smaller)).absent
    columns = list(RAW_TABLES[fixture.table].columns)
    for column in optional:
        assert {row[columns.index(column)] for row in rows} == {None}, column


def schema(fixture):
    return schema_of(SimpleNamespace(schema=fixtures.schema_fields(fixture.schema), time_partitioning=None))


# --- every variant ------------------------------------------------------------------------------------------

VARIANTS = [
    pytest.param(mapping, column, variant.sql, dict(zip(variant.needs, types, strict=True)), id=f"{mapping.name}-{n}")
    for mapping in ready_mappings()
    for n, (column, variant) in enumerate(
        (column, variant)
        for column, variants in [*mapping.columns.items(), *(("", given) for given in mapping.rows)]
        for variant in variants
    )
    for types in itertools.product(*variant.needs.values())
]
TAKEN = {
    "TIMESTAMP": {"TIMESTAMP"},
    "STRING": {"STRING"},
    "NULLABLE_INT64": {"INT64"},
    "FLOAT64": {"FLOAT64", "NUMERIC", "INT64"},
}


@pytest.mark.parametrize(("mapping", "column", "sql", "needs"), VARIANTS)
def test_a_variant_works_on_just_what_it_says_it_needs(googlesql, mapping, column, sql, needs):
    """It names every field that it reads, and gives a type that the contract's column takes."""
    found = googlesql.evaluate(f"SELECT {sql} AS value FROM log", nested={"log": (nested_types(needs), [])})
    names = {arrow: name for name, arrow in googlesql_types().items()}
    wanted = TAKEN[RAW_TABLES[mapping.table].columns[column].type] if column else {"BOOL"}
    assert names[found.schema.field("value").type] in wanted


def nested_types(needs):
    """The columns of a table that has these paths and nothing else."""
    tree = {}
    for path, type_ in needs.items():
        *outer, last = path.split(".")
        place = tree
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = type_.replace("ARRAY<STRUCT>", "ARRAY<STRUCT<key STRING, value STRING>>")
    return {name: written(type_) for name, type_ in tree.items()} or {"nothing": "INT64"}


def written(type_):
    if isinstance(type_, str):
        return type_
    return f"STRUCT<{', '.join(f'{name} {written(inner)}' for name, inner in type_.items())}>"


@pytest.mark.parametrize(("type_", "server"), [("INT64", 2), ("STRING", "SERVER"), ("STRING", "SPAN_KIND_SERVER")])
def test_a_spans_kind_is_a_number_or_a_name(googlesql, open_fixture, type_, server):
    fixture = fixtures.load("otel_spans").retyped("kind", type_)
    other = 3 if type_ == "INT64" else "SPAN_KIND_CLIENT"
    for row in fixture.rows:
        if "kind" in row:
            row["kind"] = server if row["kind"]["name"] == "SPAN_KIND_SERVER" else other
    assert rows_of(googlesql, open_fixture(fixture), fixture) == fixture.expected


@pytest.mark.parametrize(
    ("gone", "services"),
    [
        ((), ["server", "shop", "shop-web"]),
        (("labels.k8s_pod_app",), ["server", "server", "shop-web"]),
        (("labels.k8s_pod_app_kubernetes_io_name",), ["server", "shop", "shop"]),
        (("labels",), ["server", "server", "server"]),
    ],
)
def test_where_a_service_on_gke_has_its_name_from(googlesql, open_fixture, gone, services):
    fixture = fixtures.load("gke_sink").without(*gone)
    assert sorted(row[1] for row in rows_of(googlesql, open_fixture(fixture), fixture)) == services


def test_a_load_balancers_latency_as_text(googlesql, open_fixture):
    fixture = fixtures.load("load_balancer_sink").retyped("httpRequest.latency", "STRING")
    for row in fixture.rows:
        if "latency" in row["httpRequest"]:
            row["httpRequest"]["latency"] = f"{row['httpRequest']['latency']}s"
    assert rows_of(googlesql, open_fixture(fixture), fixture) == fixture.expected


# --- routes -------------------------------------------------------------------------------------------------

URLS = [
    *(case[0] for mark in routes.test_template.pytestmark for case in mark.args[1]),
    "https://shop.example.com/v1/orders/55008400-e29b-41d4-a716-446655440000?a=1",
    "/a/2026-10-01_2026-10-31/b",  # dates that share a neighbour
    "/a/2026-10-01,2026-10-31,2026-11-01",
    "/x/2026/10/2026/11/a",
    "/a/12:30/b/01-02-2026.pdf/2026-10",
    "/a%zz/b%",
    "/%E8%AB%8B%E6%B1%82/%FF",
    ";x",
    "  ",
    "/files/v1alpha1/a-b-c/1.2",
    "/a/abcdefghijklmnop=",
    "http://www.example.com:80-",
]


def test_routes_are_those_of_the_import(googlesql):
    """The same cases, and what nobody may find in a route, at eight places of a path, plain and encoded."""
    urls = list(URLS)
    draw = random.Random(20261124)
    for _ in range(3):
        for secret in routes._secrets(draw):
            encoded = "".join(f"%{byte:02X}" for byte in secret.encode())
            urls += [frame.format(written) for frame in routes.FRAMES for written in (secret, encoded)]
    log = pa.table({"n": pa.array(range(len(urls)), pa.int64()), "url": pa.array(urls, pa.string())})
    found = googlesql.evaluate(f"SELECT n, {expand('{route:url}')} AS route FROM log", tables={"log": log})
    got = {urls[row["n"]]: row["route"] for row in found.to_pylist()}
    wanted = {url: None if url is None else route_of(url) for url in urls}  # a log without a URL counts as _OTHER
    assert {url: (got[url], wanted[url]) for url in urls if got[url] != wanted[url]} == {}


def test_where_routes_differ_from_those_of_the_import(googlesql):
    """Of Unicode's compatibility forms only full-width ASCII is folded here; the import folds them all."""
    log = pa.table({"url": pa.array(["/a/①", "/a/１"], pa.string())})
    found = googlesql.evaluate(f"SELECT {expand('{route:url}')} AS route FROM log", tables={"log": log})
    assert [row["route"] for row in found.to_pylist()] == ["/a/①", "/a/{id}"]
    assert [route_of("/a/①"), route_of("/a/１")] == ["/a/{id}", "/a/{id}"]


def test_a_numeric_goes_in_and_out(googlesql):
    numbers = ["-0.000000001", "0", "127.999999999", "-128", "9999999999999999999.999999999"]
    columns = {"n": "INT64", "x": "NUMERIC"}
    rows = [{"n": n, "x": text} for n, text in enumerate(numbers)]
    found = googlesql.evaluate("SELECT n, x, CAST(x AS STRING) AS said FROM t", nested={"t": (columns, rows)})
    by_n = {row["n"]: row for row in found.to_pylist()}
    assert [by_n[n]["said"] for n in range(len(numbers))] == numbers
    assert [by_n[n]["x"] for n in range(len(numbers))] == [Decimal(text) for text in numbers]
