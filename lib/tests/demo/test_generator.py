import json

import pytest

from shokubai import demo
from shokubai.core.errors import UsageError
from shokubai.demo.generator import connect
from shokubai.tables.contracts import RAW_TABLES, REQUESTS

TABLES = {
    "requests": "requests/*/*.parquet",
    "late": "late/requests/*/*.parquet",
    **{name: f"{name}.parquet" for name in RAW_TABLES if name != "requests"},
}


def contents(directory):
    """Per table its number of rows and a hash that does not depend on their order."""
    with connect() as connection:
        return {
            name: connection.execute(
                "SELECT count(*), bit_xor(hash(t)), sum(hash(t)) "
                "FROM read_parquet($path, hive_partitioning = false) AS t",
                {"path": str(directory / path)},
            ).fetchone()
            for name, path in TABLES.items()
        }


def test_same_seed_gives_the_same_data_on_one_thread_and_on_two(tmp_path):
    for threads in (1, 2):
        demo.build(tmp_path / str(threads), rows=50_000, seed=7, threads=threads)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_another_seed_gives_other_data(demo_directory, tmp_path):
    demo.build(tmp_path / "demo", rows=60_000, seed=1)
    assert contents(tmp_path / "demo")["requests"] != contents(demo_directory)["requests"]


def test_every_row_keeps_the_contract(connection):
    for name, contract in RAW_TABLES.items():
        frame = connection.execute(f"SELECT * FROM {name}").df()
        assert list(frame.columns) == list(contract.columns)
        contract.conform(frame)
    assert list(connection.execute("SELECT * FROM late LIMIT 0").df().columns) == list(REQUESTS.columns)
    types = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE requests)").fetchall())
    assert types["timestamp"] == "TIMESTAMP WITH TIME ZONE"
    assert types["http_response_status_code"] == "BIGINT"


def test_values_are_plausible(one):
    assert one("SELECT count(*) FROM requests WHERE duration_seconds <= 0 OR duration_seconds > 120") == 0
    assert one("SELECT count(*) FROM requests WHERE http_response_status_code NOT BETWEEN 200 AND 599") == 0
    assert one("SELECT count(*) FROM requests WHERE NOT regexp_full_match(user_key, '[0-9a-f]{16}')") == 0
    assert one("SELECT count(*) FROM requests WHERE NOT regexp_full_match(trace_id, '[0-9a-f]{32}')") == 0
    assert one("SELECT count(*) FROM requests WHERE timestamp IS NULL OR service_version IS NULL") == 0
    # Hung-up clients leave neither status nor duration; a few answers were logged without a duration.
    assert one("SELECT count(*) FROM requests WHERE http_response_status_code IS NULL") > 0
    assert one("SELECT count(*) FROM requests WHERE http_response_status_code IS NULL AND duration_seconds > 0") == 0
    assert one("SELECT count(*) FROM requests WHERE http_response_status_code > 0 AND duration_seconds IS NULL") > 0


def test_files_hold_their_utc_day_in_order_of_time(demo_directory):
    folders = sorted((demo_directory / "requests").iterdir())
    assert [folders[0].name, folders[-1].name, len(folders)] == ["day=2026-08-02", "day=2026-11-01", 92]
    with connect() as connection:
        for folder in folders[::13]:
            days, unordered = connection.execute(
                "SELECT list(DISTINCT strftime(timestamp, '%Y-%m-%d')), count(*) FILTER (WHERE timestamp < before) "
                "FROM (SELECT timestamp, lag(timestamp) OVER () AS before FROM read_parquet($path))",
                {"path": str(folder / "part-0.parquet")},
            ).fetchone()
            assert (days, unordered) == ([folder.name.removeprefix("day=")], 0)


def test_a_version_changes_with_its_deployment(connection):
    # In a five-minute slot the version is that of the newest deployment before the slot.
    assert connection.execute(
        """
        SELECT count(*) FROM (
            SELECT requests.service_version AS used, deployments.service_version AS deployed
            FROM (SELECT *, time_bucket(INTERVAL 5 minutes, timestamp) AS slot FROM requests) AS requests
            ASOF JOIN deployments
                ON requests.service_name = deployments.service_name AND requests.slot >= deployments.deployed_at
        ) WHERE used <> deployed
        """
    ).fetchone() == (0,)


def test_office_hours_lunch_and_weekends(one):
    local = "timestamp AT TIME ZONE 'Asia/Tokyo'"
    busiest, lunch, night = (
        one(
            f"SELECT count(*) FROM requests WHERE service_name = 'invoice-api' AND hour({local}) = $hour "
            f"AND isodow({local}) <= 5",
            hour=hour,
        )
        for hour in (10, 12, 3)
    )
    assert 0.5 < lunch / busiest < 0.8
    assert night / busiest < 0.05
    weekday, weekend = (
        one(
            "SELECT count(*) FROM requests WHERE service_name = 'invoice-api' "
            f"AND CAST({local} AS DATE) IN (CAST($first AS DATE), CAST($second AS DATE))",
            first=first,
            second=second,
        )
        for first, second in (("2026-10-20", "2026-10-21"), ("2026-10-24", "2026-10-25"))
    )
    assert weekend / weekday < 0.25


def test_the_low_traffic_service_has_a_few_hundred_requests_a_week_at_any_size(one):
    assert 250 < one("SELECT count(*) / 13 FROM requests WHERE service_name = 'billing'") < 450


def test_an_interrupted_build_leaves_what_was_there(tmp_path):
    directory = tmp_path / "demo"
    demo.build(directory, rows=50_000, seed=1)
    before = contents(directory)

    def interrupt(done, total, what):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.build(directory, rows=50_000, seed=2, progress=interrupt)
    assert contents(directory) == before
    assert demo.is_current(directory, rows=50_000, seed=1)
    assert not demo.is_current(directory, rows=50_000, seed=2)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_what_a_killed_build_left_is_cleared_away(tmp_path):
    # 2^22 + 1 is above the largest process id of Linux.
    (tmp_path / ".demo.4194305.0badcafe").mkdir()
    demo.build(tmp_path / "demo", rows=50_000)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_current_means_this_size_seed_and_generator(demo_directory, tmp_path):
    assert demo.is_current(demo_directory, rows=60_000)
    assert not demo.is_current(demo_directory, rows=60_001)
    assert not demo.is_current(demo_directory, rows=60_000, seed=3)
    assert not demo.is_current(tmp_path, rows=60_000)
    marker = json.loads((demo_directory / "demo.json").read_text())
    (tmp_path / "demo.json").write_text(json.dumps(marker | {"generator": "older"}))
    assert not demo.is_current(tmp_path, rows=60_000)


def test_the_summary_counts_what_was_written(demo_directory, one):
    summary = demo.read_summary(demo_directory)
    assert summary.request_count == one("SELECT count(*) FROM requests")
    assert summary.late_count == one("SELECT count(*) FROM late")


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(UsageError, match="needs at least 50000 rows"):
        demo.build(tmp_path / "demo", rows=1000)


def test_no_demo_is_said_so(tmp_path):
    with pytest.raises(UsageError, match="run `shokubai demo`"):
        demo.read_summary(tmp_path)
