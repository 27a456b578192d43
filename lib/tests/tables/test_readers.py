"""Readers against a log small enough to count by hand (see HAND_MADE in conftest), and against pandas on a large one.

2026-10-26, shop: 00:00 two requests, 200, of 0.3 s (exactly the threshold) and a hair more; 00:01 one 500 of
0.1 s, one without status of 0.2 s on /items; on /orders 201 without duration, 404 of 0 s, 200 of −1 s (unknown);
23:59 one 503 of 2 s. 2026-10-27 00:00 one 200 of 1 s. mail: one request each on the 25th and the 26th.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from shokubai.core import sketch
from shokubai.core.errors import DataError
from shokubai.core.windows import Window
from shokubai.tables import (
    SampleRequests,
    read_bad_requests,
    read_latency_hours,
    read_route_counts,
    read_route_hours,
    read_route_latency,
    read_sample_requests,
    read_service_minutes,
    read_sli_minutes,
    read_sli_routes,
    read_spans,
    read_watermarks,
)
from shokubai.tables import contracts as c

ROUTE = ["service_name", "http_request_method", "http_route"]


def minute(text):
    return pd.Timestamp(f"2026-10-{text}Z")


def rows(frame):
    return [tuple(row) for row in frame.itertuples(index=False, name=None)]


def test_service_minutes(hand_made, days):
    frame = read_service_minutes(hand_made.open(), ["shop", "mail", "nobody"], days(25, 27))
    assert rows(frame) == [
        ("mail", minute("25T23:59"), 1, 0, 0, 1),
        ("mail", minute("26T12:00"), 1, 0, 0, 1),
        ("shop", minute("26T00:00"), 2, 0, 0, 2),
        ("shop", minute("26T00:01"), 5, 1, 1, 3),
        ("shop", minute("26T23:59"), 1, 1, 0, 1),
        ("shop", minute("27T00:00"), 1, 0, 0, 1),
    ]


def test_only_the_services_asked_for(hand_made, days):
    tables = hand_made.open()
    assert set(read_service_minutes(tables, ["mail"], days(25, 27))["service_name"]) == {"mail"}
    assert len(read_service_minutes(tables, [], days(25, 27))) == 0
    assert len(read_service_minutes(tables, ["shop'; DROP TABLE minute_counts; --"], days(25, 27))) == 0
    assert len(read_service_minutes(tables, ["mail"], days(25, 27))) == 2


def test_a_window_is_half_open_and_may_cut_days(hand_made):
    tables = hand_made.open()
    start = datetime(2026, 10, 26, 0, 1, tzinfo=UTC)
    frame = read_service_minutes(tables, ["shop"], Window(start, datetime(2026, 10, 27, tzinfo=UTC)))
    assert list(frame["minute"]) == [minute("26T00:01"), minute("26T23:59")]


def test_route_counts_keep_the_unknown_status(hand_made, days):
    frame = read_route_counts(hand_made.open(), ["shop"], days(26))
    assert [(*r[1:3], None if r[3] is pd.NA else r[3], *r[4:]) for r in rows(frame)] == [
        ("GET", "/items/{id}", None, 1, 1),
        ("GET", "/items/{id}", 200, 2, 2),
        ("GET", "/items/{id}", 500, 1, 1),
        ("POST", "/orders", 200, 1, 0),
        ("POST", "/orders", 201, 1, 0),
        ("POST", "/orders", 404, 1, 1),
        ("POST", "/orders", 503, 1, 1),
    ]


def test_route_hours(hand_made, days):
    frame = read_route_hours(hand_made.open(), ["shop"], days(26, 27))
    assert rows(frame) == [
        (minute("26T00:00"), "shop", "GET", "/items/{id}", 4, 1),
        (minute("26T00:00"), "shop", "POST", "/orders", 3, 0),
        (minute("26T23:00"), "shop", "POST", "/orders", 1, 1),
        (minute("27T00:00"), "shop", "POST", "/orders", 1, 0),
    ]


def test_spans_are_read_together_and_may_overlap(hand_made, days):
    tables = hand_made.open()
    half = Window(datetime(2026, 10, 26, 0, 1, tzinfo=UTC), datetime(2026, 10, 26, 23, 59, tzinfo=UTC))
    spans = [days(26), days(27), half, days(28)]
    for kind, read in (
        ("route_counts", read_route_counts),
        ("route_hours", read_route_hours),
        ("latency_hours", read_latency_hours),
    ):
        together = read_spans(tables, kind, ["shop"], spans)
        for number, span in enumerate(spans):
            alone = read(tables, ["shop"], span)
            assert rows(together[together["span"] == number].drop(columns="span")) == rows(alone)
    # The half day has the five requests of 00:01 alone: it ends before 23:59.
    counts = read_spans(tables, "route_counts", ["shop"], spans).groupby("span")["request_count"].sum()
    assert counts.to_dict() == {0: 8, 1: 1, 2: 5}


def test_rows_in_memory_answer_as_files_do(hand_made, days):
    services = list(hand_made.open().services())
    window = days(25, 27)

    def answers(tables):
        return [
            rows(read_service_minutes(tables, services, window)),
            rows(read_service_minutes(tables, services[:1], days(26))),
            rows(read_latency_hours(tables, services, window)),
            rows(read_service_minutes(tables, services, days(26, 27))),
            rows(read_service_minutes(tables, services, days(24, 28))),  # beyond what is held
        ]

    from_files = hand_made.open()
    expected = answers(from_files)
    for mine in (services, services[:1], services[1:]):
        tables = hand_made.open()
        tables.build(days(24, 28))
        tables.hold(mine, window)
        before = len(tables.warehouse.queries)
        assert answers(tables) == expected
        read = [s.name for s in tables.warehouse.queries[before:] if s.bytes]
        if mine == services:
            assert read == ["minute_counts of services", "hour_latency of services", "service_minutes"]


def test_histograms_hold_zero_but_neither_unknown_nor_negative_durations(hand_made, days):
    tables = hand_made.open()
    frame = read_latency_hours(tables, ["shop"], days(26, 27))
    orders = frame[frame["http_route"] == "/orders"]
    # 0 s has its own bucket; 2 s and 1 s: ceil(ln 2 / ln(1.01 / 0.99)) = ceil(34.656) = 35, ln 1 = 0.
    assert rows(orders[["hour", "duration_bucket", "request_count"]]) == [
        (minute("26T00:00"), sketch.ZERO_KEY, 1),
        (minute("26T23:00"), 35, 1),
        (minute("27T00:00"), 0, 1),
    ]
    items = frame[frame["http_route"] == "/items/{id}"]
    expected = sorted(sketch.key(v) for v in (0.1, 0.2, 0.3))
    # 0.3000000001 falls into the bucket of 0.3: they differ by far less than 1 %.
    assert rows(items[["duration_bucket", "request_count"]]) == [(expected[0], 1), (expected[1], 1), (expected[2], 2)]
    whole = read_route_latency(tables, ["shop"], days(26, 27))
    assert whole["request_count"].sum() == frame["request_count"].sum() == 7


def test_availability_counts_requests_with_a_status(hand_made, days):
    frame = read_sli_minutes(hand_made.open(), hand_made.slo("shop-availability"), days(26, 27))
    assert rows(frame) == [
        (minute("26T00:00"), 2, 2),
        (minute("26T00:01"), 4, 3),
        (minute("26T23:59"), 1, 0),
        (minute("27T00:00"), 1, 1),
    ]


def test_error_statuses_are_the_indicators(hand_made, days):
    slo = hand_made.slo("shop-availability")
    strict = replace(slo, indicator=replace(slo.indicator, error_statuses=((404, 404), (501, 599))))
    frame = read_sli_minutes(hand_made.open(), strict, days(26))
    assert rows(frame) == [(minute("26T00:00"), 2, 2), (minute("26T00:01"), 4, 3), (minute("26T23:59"), 1, 0)]


def test_a_status_outside_100_to_599_is_not_valid(project, days):
    project.log(
        "a", [(f"2026-10-26T00:00:0{n}Z", "shop", "GET", "/", s, None) for n, s in enumerate((0, 99, 100, 599, 600))]
    )
    frame = read_sli_minutes(project.open(), project.slo("shop-availability"), days(26))
    assert rows(frame) == [(minute("26T00:00"), 2, 1)]


def test_latency_counts_measured_requests_that_did_not_fail(hand_made, days):
    frame = read_sli_minutes(hand_made.open(), hand_made.slo("shop-latency"), days(26, 27))
    # 00:00: 0.3 is good (at most), a hair more is not; 00:01: the 500 is left out, no status and 404 count.
    assert rows(frame) == [(minute("26T00:00"), 2, 1), (minute("26T00:01"), 2, 2), (minute("27T00:00"), 1, 0)]


def test_latency_of_matching_routes_only(hand_made, days):
    frame = read_sli_minutes(hand_made.open(), hand_made.slo("orders-latency"), days(26, 27))
    assert rows(frame) == [(minute("26T00:01"), 1, 1), (minute("27T00:00"), 1, 1)]


@pytest.mark.parametrize(
    ("patterns", "valid"),
    [
        (("/orders",), 5),
        (("POST /orders",), 5),
        (("GET /orders",), 0),
        (("GET *",), 3),
        (("/items/*", "POST /ord*"), 8),
        (("/nothing", "' OR 1=1 --"), 0),
    ],
)
def test_routes_are_matched_by_pattern(hand_made, days, patterns, valid):
    slo = hand_made.slo("shop-availability")
    some = replace(slo, indicator=replace(slo.indicator, routes=patterns))
    tables = hand_made.open()
    assert read_sli_minutes(tables, some, days(26, 27))["valid_count"].sum() == valid
    assert read_sli_routes(tables, some, days(26, 27))["valid_count"].sum() == valid


def test_sli_by_route(hand_made, days):
    tables = hand_made.open()
    assert rows(read_sli_routes(tables, hand_made.slo("shop-availability"), days(26, 27))) == [
        ("shop", "GET", "/items/{id}", 3, 2),
        ("shop", "POST", "/orders", 5, 4),
    ]
    assert rows(read_sli_routes(tables, hand_made.slo("shop-latency"), days(26, 27))) == [
        ("shop", "GET", "/items/{id}", 3, 2),
        ("shop", "POST", "/orders", 2, 1),
    ]


def bad_requests(tables, slo, window, *, cut="26T00:00:30", length=timedelta(days=3)):
    """What is bad as (span, slice, method, route, status, count), with a cut between two spans."""
    middle = datetime.fromisoformat(f"2026-10-{cut}Z")
    spans = [Window(window.start, middle), Window(middle, window.end)]
    frame = read_bad_requests(tables, slo, window, spans=spans, slice_length=length)
    assert set(frame["service_name"]) <= {"shop"}
    return [(*r[:2], *r[3:5], None if r[5] is pd.NA else r[5], r[6]) for r in rows(frame)]


def test_bad_requests_by_what_they_were(hand_made, days):
    tables, window = hand_made.open(), days(26, 27)
    items, orders = ("GET", "/items/{id}"), ("POST", "/orders")
    first = minute("26T00:00")
    assert bad_requests(tables, hand_made.slo("shop-availability"), window) == [
        (1, first, *items, 500, 1),
        (1, first, *orders, 503, 1),
    ]
    # 00:00 begins before the cut: a hair more than 0.3 s. The failed ones are not slow.
    assert bad_requests(tables, hand_made.slo("shop-latency"), window) == [
        (0, first, *items, 200, 1),
        (1, first, *orders, 200, 1),
    ]
    assert bad_requests(tables, hand_made.slo("shop-availability"), window, length=timedelta(hours=5)) == [
        (1, first, *items, 500, 1),
        (1, minute("26T20:00"), *orders, 503, 1),
    ]


def test_bad_requests_are_those_that_the_minutes_leave(hand_made, days):
    tables, window = hand_made.open(), days(26, 27)
    for slo in (hand_made.slo(name) for name in ("shop-availability", "shop-latency", "orders-latency")):
        minutes = read_sli_minutes(tables, slo, window)
        bad = (minutes["valid_count"] - minutes["good_count"]).sum()
        assert sum(row[-1] for row in bad_requests(tables, slo, window)) == bad


def test_bad_requests_of_the_statuses_and_routes_of_the_indicator(hand_made, days):
    slo, tables = hand_made.slo("shop-availability"), hand_made.open()
    strict = replace(slo, indicator=replace(slo.indicator, error_statuses=((404, 404), (501, 599))))
    assert [row[3:] for row in bad_requests(tables, strict, days(26))] == [("/orders", 404, 1), ("/orders", 503, 1)]
    some = replace(slo, indicator=replace(slo.indicator, routes=("GET /items/*",)))
    assert [row[3:] for row in bad_requests(tables, some, days(26))] == [("/items/{id}", 500, 1)]
    none = replace(slo, indicator=replace(slo.indicator, routes=("/nothing", "' OR 1=1 --")))
    assert bad_requests(tables, none, days(26)) == []


def test_a_threshold_that_was_not_counted_is_an_error_not_a_zero(hand_made, days):
    slo = hand_made.slo("shop-latency")
    other = replace(slo, indicator=replace(slo.indicator, threshold_seconds=0.25))
    tables = hand_made.open()
    with pytest.raises(DataError, match=r"shop-latency .*shop\.yaml:3.*not built for the threshold 0\.25 s"):
        read_sli_minutes(tables, other, days(26))
    with pytest.raises(DataError, match="not built for the threshold"):
        read_sli_routes(tables, other, days(26))
    with pytest.raises(DataError, match="not built for the threshold"):
        bad_requests(tables, other, days(26))


def test_a_log_without_durations_has_no_valid_latency(project, days, make_requests):
    frame = make_requests([("2026-10-26T00:00:00Z", "shop", "GET", "/", 200, None)])
    project.log("a", frame.drop(columns="duration_seconds"))
    tables = project.open()
    assert rows(read_sli_minutes(tables, project.slo("shop-latency"), days(26))) == []
    assert rows(read_sli_minutes(tables, project.slo("shop-availability"), days(26))) == [(minute("26T00:00"), 1, 1)]
    assert len(read_latency_hours(tables, ["shop"], days(26))) == 0


def test_a_request_without_method_or_route_counts_as_other(project, days):
    project.log(
        "a",
        [
            ("2026-10-26T00:00:00Z", "shop", None, None, 404, 0.1),
            ("2026-10-26T00:00:01Z", "shop", "GET", "/", 200, 0.1),
        ],
    )
    tables = project.open()
    assert rows(read_route_hours(tables, ["shop"], days(26)))[1][2:] == ("_OTHER", "_OTHER", 1, 0)
    assert read_sli_minutes(tables, project.slo("shop-availability"), days(26))["valid_count"].tolist() == [2]
    assert set(read_route_latency(tables, ["shop"], days(26))["http_route"]) == {"_OTHER", "/"}


def test_watermarks_span_and_services(hand_made, days):
    tables = hand_made.open()
    assert str(tables.span()) == "2026-10-25T23:59Z/2026-10-27T00:01Z"
    assert tables.services() == ("shop",)
    assert tables.covered_days() == ()
    tables.build(days(25, 28))
    assert [day.day for day in tables.covered_days()] == [25, 26, 27]
    assert tables.services() == ("mail", "shop")
    assert rows(read_watermarks(tables, ["shop", "mail"])) == [
        ("mail", minute("25T23:59"), minute("26T12:00")),
        ("shop", minute("26T00:00"), minute("27T00:00")),
    ]


@pytest.mark.parametrize(
    ("reader", "contract"),
    [
        (read_service_minutes, c.SERVICE_MINUTES),
        (read_route_counts, c.ROUTE_COUNTS),
        (read_route_hours, c.ROUTE_HOURS),
        (read_route_latency, c.ROUTE_LATENCY),
        (read_latency_hours, c.LATENCY_HOURS),
    ],
)
def test_readers_keep_their_contracts_with_rows_and_without(hand_made, days, reader, contract):
    tables = hand_made.open()
    full, empty = reader(tables, ["shop"], days(26)), reader(tables, ["shop"], days(1, 3))
    assert len(full) and not len(empty)
    for frame in (full, empty):
        pd.testing.assert_series_equal(frame.dtypes, contract.empty().dtypes)


@pytest.fixture(scope="module")
def random_log():
    """40,000 requests over three days, many of them exactly at a threshold or at a border of minutes or days."""
    rng = np.random.default_rng(20261026)
    n = 40_000
    start = pd.Timestamp("2026-10-26", tz="UTC").as_unit("us")
    offset = rng.integers(0, 3 * 86_400_000_000, n)
    border = rng.random(n) < 0.2
    offset[border] = offset[border] // 60_000_000 * 60_000_000 - rng.integers(0, 2, border.sum())
    duration = np.exp(rng.normal(-1.5, 1.2, n))
    duration[rng.random(n) < 0.05] = 0.3
    duration[rng.random(n) < 0.02] = np.nan
    duration[rng.random(n) < 0.01] = -1.0
    status = pd.array(rng.choice([200, 201, 404, 500, 503], n, p=[0.7, 0.1, 0.1, 0.05, 0.05]), dtype="Int64")
    status[rng.random(n) < 0.01] = pd.NA
    return pd.DataFrame(
        {
            "timestamp": start + pd.to_timedelta(np.maximum(offset, 0), unit="us"),
            "service_name": rng.choice(["shop", "mail"], n),
            "http_request_method": rng.choice(["GET", "POST"], n),
            "http_route": rng.choice(["/a", "/b/{id}", "/c"], n),
            "http_response_status_code": status,
            "duration_seconds": duration,
        }
    )


@pytest.fixture
def random_project(project, random_log):
    for n, part in enumerate(np.array_split(random_log.sample(frac=1, random_state=1), 3)):
        project.log(f"part-{n}", part)
    return project


def test_counts_equal_those_of_pandas(random_project, random_log, days):
    tables = random_project.open()
    window = days(26, 28)
    log = random_log.assign(
        minute=random_log["timestamp"].dt.floor("min"),
        error=random_log["http_response_status_code"].between(500, 599).fillna(False).astype(int),
        unknown=random_log["http_response_status_code"].isna().astype(int),
        measured=(random_log["duration_seconds"] >= 0).astype(int),
        one=1,
    )
    expected = log.groupby(["service_name", "minute"])[["one", "error", "unknown", "measured"]].sum().reset_index()
    got = read_service_minutes(tables, ["shop", "mail"], window)
    assert got.to_numpy().tolist() == expected.to_numpy().tolist()
    by_route = (
        log.groupby([*ROUTE, "http_response_status_code"], dropna=False)[["one", "measured"]].sum().reset_index()
    )
    got = read_route_counts(tables, ["shop", "mail"], window)
    keys = [*ROUTE, "http_response_status_code"]
    both = got.merge(by_route, on=keys)
    assert len(both) == len(got) == len(by_route)
    assert (both["request_count"] == both["one"]).all() and (both["duration_count"] == both["measured"]).all()


def test_sli_counts_equal_those_of_pandas(random_project, random_log, days):
    tables = random_project.open()
    log = random_log[random_log["service_name"] == "shop"]
    failed = log["http_response_status_code"].between(500, 599).fillna(False).astype(bool)
    known = log["http_response_status_code"].notna()
    available = read_sli_minutes(tables, random_project.slo("shop-availability"), days(26, 28))
    assert available["valid_count"].sum() == known.sum()
    assert available["good_count"].sum() == (known & ~failed).sum()
    measured = log[~failed & (log["duration_seconds"] >= 0)]
    expected = (
        measured.assign(minute=measured["timestamp"].dt.floor("min"), good=measured["duration_seconds"] <= 0.3, one=1)
        .groupby("minute")[["one", "good"]]
        .sum()
        .reset_index()
    )
    latency = read_sli_minutes(tables, random_project.slo("shop-latency"), days(26, 28))
    assert latency.to_numpy().tolist() == expected.to_numpy().tolist()


def test_percentiles_are_within_one_percent_of_the_exact_ones(random_project, random_log, days):
    frame = read_route_latency(random_project.open(), ["shop", "mail"], days(26, 28))
    measured = random_log[random_log["duration_seconds"] >= 0]
    assert len(frame.groupby(ROUTE)) == 12
    for route, histogram in frame.groupby(ROUTE):
        exact = measured.set_index(ROUTE).loc[[route], "duration_seconds"].sort_values().to_numpy()
        assert histogram["request_count"].sum() == len(exact)
        qs = [0.5, 0.9, 0.95, 0.99]
        for q, estimate in zip(
            qs, sketch.quantiles(histogram["duration_bucket"], histogram["request_count"], qs), strict=True
        ):
            true = exact[int(q * (len(exact) - 1))]
            assert abs(estimate - true) <= 0.01 * true * (1 + 1e-9)


def test_the_bucket_of_sql_is_the_bucket_of_python(project, days, make_requests):
    powers = [sketch.GAMMA**k for k in range(-600, 600, 7)]
    values = [*powers, *(v * (1 + 1e-12) for v in powers), 1e-9, 9.9e-10, 1e-300, 0.0, 86_400.0]
    start = datetime(2026, 10, 26, tzinfo=UTC)
    stamps = [(start + timedelta(seconds=n)).isoformat() for n in range(len(values))]
    project.log(
        "a", [(t, "shop", "GET", f"/{n}", 200, v) for n, (t, v) in enumerate(zip(stamps, values, strict=True))]
    )
    frame = read_route_latency(project.open(), ["shop"], days(26))
    got = dict(zip(frame["http_route"], frame["duration_bucket"], strict=True))
    assert got == {f"/{n}": sketch.key(v) for n, v in enumerate(values)}


# --- the log itself -------------------------------------------------------------------------------------------


def with_traces(make_requests):
    """Half past midnight: 500 with traces c and b in one minute, b of a 200 that took 2 s; others have none."""
    rows = [
        ("2026-10-26T00:30:10.000000Z", "shop", "GET", "/items/{id}", 500, 0.1),
        ("2026-10-26T00:30:20.000000Z", "shop", "GET", "/items/{id}", 503, None),
        ("2026-10-26T00:31:00.000000Z", "shop", "GET", "/items/{id}", 200, 2.0),
        ("2026-10-26T00:31:10.000000Z", "shop", "GET", "/items/{id}", 200, 1.0),
        ("2026-10-26T00:32:00.000000Z", "shop", "GET", "/items/{id}", 500, 0.1),
        ("2026-10-26T00:33:00.000000Z", "shop", "POST", "/orders", 500, 0.1),
        ("2026-10-26T01:00:00.000000Z", "shop", "GET", "/items/{id}", 500, 0.1),
    ]
    return make_requests(rows).assign(trace_id=["c", "b", "d", "e", None, "f", "g"])


def wanted(days, **values):
    hour = Window(days(26).start, days(26).start + timedelta(hours=1))
    return SampleRequests(hour, "shop", "GET", "/items/{id}", **values)


def test_samples_of_each_minute_one_request_with_a_trace(project, make_requests, days):
    project.log("a", with_traces(make_requests))
    tables = project.open()
    failed = read_sample_requests(tables, wanted(days, statuses=(500, 599)))
    assert rows(failed) == [(minute("26T00:30"), "b", 2)]
    slow = read_sample_requests(tables, wanted(days, over_seconds=1.0))
    assert rows(slow) == [(minute("26T00:31"), "d", 1)]
    assert rows(read_sample_requests(tables, wanted(days))) == []


def test_of_the_log_only_the_files_of_the_hours_day_are_opened(project, make_requests, days):
    small = project.log("a", with_traces(make_requests))
    later = make_requests([("2026-10-28T00:30:00.000000Z", "shop", "GET", "/items/{id}", 500, 0.1)] * 1000)
    project.log("b", later.assign(trace_id="z"))
    tables = project.open()
    read_sample_requests(tables, wanted(days, statuses=(500, 599)))
    [statement] = [s for s in tables.warehouse.queries if s.name == "sample_requests"]
    assert statement.bytes == small.stat().st_size


def test_a_log_without_traces_or_without_the_day_has_no_samples(hand_made, days):
    tables = hand_made.open()
    assert rows(read_sample_requests(tables, wanted(days, statuses=(500, 599)))) == []
    far = Window(days(1).start, days(1).start + timedelta(hours=1))
    before = len(tables.warehouse.queries)
    assert rows(read_sample_requests(tables, replace(wanted(days), window=far))) == []
    assert [s.name for s in tables.warehouse.queries[before:] if s.name == "sample_requests"] == []
