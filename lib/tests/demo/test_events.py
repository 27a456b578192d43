"""Each planted event, looked for in the raw rows of a small demo."""

from datetime import timedelta
from itertools import pairwise

import pytest

from shokubai.demo import events
from shokubai.demo.organization import BY_NAME

IN_WINDOW = "timestamp >= $start AND timestamp < $end AND service_name = $service"
ERROR_RATIO = "avg(CAST(http_response_status_code BETWEEN 500 AND 599 AS INTEGER))"
WEEK = timedelta(weeks=1)


def during(event, by=timedelta(0)):
    return {"start": event.start + by, "end": event.end + by, "service": event.service}


@pytest.mark.parametrize("event", [events.OUTAGE, events.OUTAGE_EARLIER])
def test_outage(one, event):
    count, ratio = one(f"SELECT count(*), {ERROR_RATIO} FROM requests WHERE {IN_WINDOW}", **during(event))
    assert count >= 30
    assert 0.5 < ratio <= 1.0
    for by in (-WEEK, event.start - event.end, event.end - event.start):
        assert one(f"SELECT coalesce({ERROR_RATIO}, 0) FROM requests WHERE {IN_WINDOW}", **during(event, by)) < 0.2
    assert (
        one(
            "SELECT count(*) FROM incidents WHERE service_name = $s AND started_at = $t",
            s=event.service,
            t=event.start,
        )
        == 1
    )


def test_latency_regression_is_on_one_route_and_follows_its_deployment(one):
    event = events.LATENCY_REGRESSION
    quantile = f"SELECT quantile_cont(duration_seconds, 0.95) FROM requests WHERE {IN_WINDOW} AND http_route = $route"
    before = {**during(event), "start": event.start - WEEK, "end": event.start}
    assert one(quantile, route="/v1/search", **during(event)) / one(quantile, route="/v1/search", **before) > 1.6
    assert one(quantile, route="/v1/suggest", **during(event)) / one(quantile, route="/v1/suggest", **before) < 1.3
    gap = one(
        "SELECT min($start - deployed_at) FROM deployments WHERE service_name = $service AND deployed_at <= $start",
        start=event.start,
        service=event.service,
    )
    assert gap == timedelta(minutes=5)


def test_memory_leak_reaches_nearly_the_limit(one):
    ratio = f"SELECT avg(value / limit_value) FROM metrics WHERE metric_name = 'process.memory.usage' AND {IN_WINDOW}"
    event = events.MEMORY_LEAK
    days = [
        one(ratio, service=event.service, start=event.start + n * WEEK / 7, end=event.start + (n + 1) * WEEK / 7)
        for n in range(26)
    ]
    assert all(later > earlier for earlier, later in pairwise(days))
    assert days[0] < 0.45
    assert days[-1] > 0.90
    # Nobody else's memory comes near.
    assert (
        one(
            "SELECT max(value / limit_value) FROM metrics "
            "WHERE metric_name = 'process.memory.usage' AND service_name <> $s",
            s=event.service,
        )
        < 0.8
    )


def test_month_end_is_busy_as_last_month_and_within_the_objective(one):
    event = events.MONTH_END
    count = f"SELECT count(*) FROM requests WHERE {IN_WINDOW}"
    now, week_before = one(count, **during(event)), one(count, **during(event, -WEEK))
    month_before = one(count, **during(event, timedelta(days=-30)))  # 28 to 30 September
    assert now / week_before > 1.4
    assert 0.75 < now / month_before < 1.25
    slow = f"SELECT avg(CAST(duration_seconds > 2.0 AS INTEGER)) FROM requests WHERE {IN_WINDOW}"
    assert one(slow, **during(event)) < 0.01
    quantile = f"SELECT quantile_cont(duration_seconds, 0.5) FROM requests WHERE {IN_WINDOW}"
    assert one(quantile, **during(event)) / one(quantile, **during(event, -WEEK)) < 1.35


def test_late_rows_are_missing_while_metrics_go_on(one):
    event = events.LATE_DATA
    assert one(f"SELECT count(*) FROM requests WHERE {IN_WINDOW}", **during(event)) == 0
    assert one(f"SELECT count(*) FROM requests WHERE {IN_WINDOW}", **during(event, -WEEK)) > 0
    late, inside = one(f"SELECT count(*), count(*) FILTER (WHERE {IN_WINDOW}) FROM late", **during(event))
    assert late == inside > 0
    assert one(f"SELECT count(DISTINCT timestamp) FROM metrics WHERE {IN_WINDOW}", **during(event)) == 84
    busy = "SELECT avg(value) FROM metrics WHERE metric_name = 'process.cpu.utilization' AND " + IN_WINDOW
    assert one(busy, **during(event)) > 0.15


def test_telemetry_gap_has_neither_rows_nor_metrics(one):
    event = events.TELEMETRY_GAP
    for table in ("requests", "metrics"):
        assert one(f"SELECT count(*) FROM {table} WHERE {IN_WINDOW}", **during(event)) == 0
        assert one(f"SELECT count(*) FROM {table} WHERE {IN_WINDOW}", **during(event, -WEEK)) > 10


def test_retry_storm_is_few_users_failing_often(one):
    event = events.RETRY_STORM
    statement = (
        f"SELECT count(*), count(DISTINCT user_key), {ERROR_RATIO} FROM requests "
        f"WHERE {IN_WINDOW} AND http_request_method = $method AND http_route = $route"
    )
    method, route = event.route
    count, users, ratio = one(statement, method=method, route=route, **during(event))
    usual, _, _ = one(statement, method=method, route=route, **during(event, -WEEK))
    assert count >= 120
    assert count > 15 * usual
    assert users <= 5
    assert ratio > 0.7


def test_an_empty_weekend_with_idle_instances_and_people_back_before_its_end(one):
    event = events.ZERO_TRAFFIC
    count = f"SELECT count(*) FROM requests WHERE {IN_WINDOW}"
    assert one(count, **during(event)) == 0
    assert one(count, **during(event, -WEEK)) >= 10
    assert one(count, **during(events.CONSOLE_RETURNS)) >= 20
    metric = f"SELECT {{}}(value) FROM metrics WHERE metric_name = $metric AND {IN_WINDOW}"
    assert one(metric.format("min"), metric="service.instance.count", **during(event)) == 2
    assert one(metric.format("max"), metric="process.cpu.utilization", **during(event)) < 0.12


def test_outbox_lags_on_one_day_and_drains(one):
    event = events.QUEUE_LAG
    over = (
        "SELECT count(*), coalesce(max(value), 0) FROM metrics "
        f"WHERE metric_name = 'queue.oldest_message.age' AND value > limit_value AND {IN_WINDOW}"
    )
    samples, worst = one(over, **during(event))
    assert samples > 24  # two hours
    assert worst == pytest.approx(1500, abs=100)
    assert one(over, service=event.service, start=event.end, end=event.end + 4 * WEEK) == (0, 0)
    assert one(over, service=event.service, start=event.start - 12 * WEEK, end=event.start) == (0, 0)


def test_slow_burn_fails_day_after_day(one):
    event = events.SLOW_BURN
    method, route = event.route
    failed = (
        "SELECT count(*) FILTER (WHERE http_response_status_code >= 500), count(*) FROM requests "
        f"WHERE {IN_WINDOW} AND http_request_method = $method AND http_route = $route"
    )
    bad, count = one(failed, method=method, route=route, **during(event))
    assert bad >= 4
    assert bad / count > 0.003
    bad, count = one(
        failed, method=method, route=route, **{**during(event), "start": event.start - 8 * WEEK, "end": event.start}
    )
    assert bad / count < 0.003


def test_text_that_must_be_escaped_and_scrubbed(one):
    routes = one("SELECT list(DISTINCT http_route) FROM requests WHERE service_name = 'archive'")
    titles = one("SELECT string_agg(title) FROM incidents")
    descriptions = one("SELECT string_agg(description) FROM deployments")
    for text in ("<script>alert(1)</script>", "@example.co.jp", "203.0.113.24", "2001:db8::"):
        assert any(text in route for route in routes)
    assert "<script>alert(1)</script>" in titles
    assert "@example.co.jp" in titles
    assert "203.0.113.24" in titles
    assert "<img src=x onerror=" in descriptions
    assert "198.51.100.7" in descriptions
    # Everybody else's routes are templates.
    assert one("SELECT count(DISTINCT http_route) FROM requests WHERE service_name <> 'archive'") == sum(
        len({route.path for route in service.routes}) for service in BY_NAME.values() if service.name != "archive"
    )


@pytest.mark.parametrize("event", events.EFFECTS, ids=lambda event: event.name)
def test_events_lie_on_the_generators_grain(event):
    five_minutes = 300
    assert event.start.timestamp() % five_minutes == 0
    assert event.end.timestamp() % five_minutes == 0
    assert event.service in BY_NAME
