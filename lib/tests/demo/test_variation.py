"""What is planted for another seed than the default one."""

import pytest

from shokubai import demo
from shokubai.core.calendar import BusinessCalendar
from shokubai.demo import events
from shokubai.demo.events import Plants
from shokubai.demo.generator import connect
from shokubai.demo.organization import TOKYO, WINDOW

SEEDS = range(1, 40)


def test_the_default_seed_has_the_events_that_are_written_out():
    assert demo.plants_of(demo.DEFAULT_SEED) == Plants(events.PLANTED, (events.CONSOLE_RETURNS,))


def test_every_seed_has_the_same_kinds_at_places_times_and_sizes_of_its_own():
    drawn = [demo.plants_of(seed) for seed in SEEDS]
    assert demo.plants_of(7) == drawn[6]
    assert {tuple(e.kind for e in plants.events) for plants in drawn} == {tuple(e.kind for e in events.PLANTED)}
    for kind, places in (("outage", 7), ("latency_regression", 7), ("memory_leak", 4), ("telemetry_gap", 7)):
        found = [event for plants in drawn for event in plants.of_kind(kind)]
        assert len({event.service for event in found}) >= places
        assert len({event.start for event in found}) >= 0.9 * len(found)
    assert len({event.latency_factor for plants in drawn for event in plants.of_kind("latency_regression")}) == len(
        drawn
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_events_can_be_told_apart(seed):
    plants = demo.plants_of(seed)
    assert len({event.name for event in plants.events}) == len(plants.events)
    # Only the earlier outage and the gap share a service, and no two change its requests at the same time.
    changing = [e for e in plants.events if e.kind not in ("memory_leak", "queue_lag", "month_end_peak")]
    for event in changing:
        others = [e for e in changing if e is not event and e.service == event.service]
        assert not [e for e in others if e.window.intersection(event.window) and e.kind != "untrusted_text"]
    assert len({e.service for e in plants.events if e.kind in ("outage", "latency_regression", "retry_storm")}) == 4


@pytest.mark.parametrize("seed", SEEDS)
def test_events_lie_on_the_grain_and_begin_on_business_days(seed):
    for event in demo.plants_of(seed).events:
        assert event.start.timestamp() % 300 == event.end.timestamp() % 300 == 0
        assert WINDOW.start <= event.start < event.end <= WINDOW.end
        if event.kind not in ("late_data", "zero_traffic", "untrusted_text"):
            assert BusinessCalendar("JP").is_business_day(event.start.astimezone(TOKYO).date())


def test_a_quiet_demo_has_nothing_planted(tmp_path):
    demo.build(tmp_path / "demo", rows=50_000, quiet=True)
    assert demo.read_summary(tmp_path / "demo").quiet
    assert not demo.is_current(tmp_path / "demo", rows=50_000)
    with connect() as connection:
        (worst,) = connection.execute(
            "SELECT max(value / limit_value) FROM read_parquet($path)",
            {"path": str(tmp_path / "demo" / "metrics.parquet")},
        ).fetchall()[0]
        (failed,) = connection.execute(
            "SELECT max(failed) FROM (SELECT count(*) AS failed FROM read_parquet($path, hive_partitioning = false) "
            "WHERE http_response_status_code >= 500 GROUP BY service_name, time_bucket(INTERVAL 1 hour, timestamp))",
            {"path": str(tmp_path / "demo" / "requests" / "*" / "*.parquet")},
        ).fetchall()[0]
    assert worst < 0.9
    assert failed <= 3
    assert not list((tmp_path / "demo" / "late").glob("*/*/*.parquet"))
