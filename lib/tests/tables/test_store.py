"""Building the small tables: what is scanned, what is left alone, and what survives a crash."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from shokubai.config.model import TableSource
from shokubai.core.errors import DataError, UsageError
from shokubai.core.windows import Window
from shokubai.sources import Part
from shokubai.tables import plan, read_route_latency, read_service_minutes, read_sli_minutes


def october(*numbers):
    return tuple(date(2026, 10, n) for n in numbers)


def one(day, *, hour="00:00", service="shop", seconds=0.1):
    return (f"2026-10-{day:02d}T{hour}:00Z", service, "GET", "/", 200, seconds)


def counts(project, window):
    """Requests per UTC day, as a fresh process would read them."""
    frame = read_service_minutes(project.open(), ["shop"], window)
    return frame.groupby(frame["minute"].dt.day)["request_count"].sum().to_dict()


# --- what is scanned ----------------------------------------------------------------------------------------


def test_a_day_is_scanned_once(project, days):
    for day in (20, 21, 23):
        project.log(f"{day}", [one(day), one(day)])
    first = project.open().build(days(20, 24))
    assert first.days_scanned == october(20, 21, 23)
    assert first.days_without_input == october(22, 24)
    assert first.days_unchanged == ()
    assert first.rows_read == 6
    size = sum(path.stat().st_size for path in (project.folder / "logs").iterdir())
    assert first.bytes_read == size  # both tables are one scan
    tables = project.open()
    second = tables.build(days(20, 24))
    assert second.days_scanned == ()
    assert second.days_unchanged == october(20, 21, 23)
    assert second.days_without_input == october(22, 24)
    assert (second.rows_read, second.bytes_read, len(tables.queries())) == (0, 0, 0)
    assert counts(project, days(20, 24)) == {20: 2, 21: 2, 23: 2}


def test_a_build_touches_only_the_days_of_its_window(project, days):
    project.log("a", [one(20), one(21), one(22)])
    assert project.open().build(days(21)).days_scanned == october(21)
    assert project.open().build(days(20, 22)).days_scanned == october(20, 22)
    assert counts(project, days(20, 22)) == {20: 1, 21: 1, 22: 1}


def test_a_file_that_grows_a_new_file_and_a_vanished_one(project, days):
    for day in (20, 21, 22, 23):
        project.log(f"{day}", [one(day)])
    project.open().build(days(20, 23))
    project.log("21", [one(21), one(21)])
    project.log("late", [one(22, hour="23:59")])
    (project.folder / "logs" / "23.parquet").unlink()
    summary = project.open().build(days(20, 23))
    assert summary.days_scanned == october(21, 22)
    assert summary.days_unchanged == october(20)
    assert summary.days_without_input == october(23)
    assert summary.rows_read == 4
    assert counts(project, days(20, 23)) == {20: 1, 21: 2, 22: 2}
    assert not (project.folder_of_tables / "minute_counts" / "2026-10-23.parquet").exists()
    assert not (project.folder_of_tables / "hour_latency" / "2026-10-23.parquet").exists()


def test_rows_in_memory_go_when_their_days_are_built_anew(project, days):
    project.log("20", [one(20)])
    tables = project.open()
    tables.build(days(20))
    tables.hold(["shop"], days(20))

    def requests():
        minutes = read_service_minutes(tables, ["shop"], days(20))["request_count"].sum()
        return int(minutes), int(read_route_latency(tables, ["shop"], days(20))["request_count"].sum())

    assert requests() == (1, 1)
    project.log("20", [one(20), one(20)])
    assert requests() == (1, 1)  # one report sees one state of the log
    tables.build(days(20))
    assert requests() == (2, 2)


def test_late_rows_of_two_days_in_one_file_rescan_just_those(project, days):
    for day in range(20, 27):
        project.log(f"{day}", [one(day)])
    project.open().build(days(20, 26))
    late = project.log(
        "late", pd.concat([pd.read_parquet(project.folder / "logs" / f"{d}.parquet") for d in (21, 25)])
    )
    # Written as one row group, the file may hold any day from the 21st to the 25th.
    assert project.open().build(days(20, 26)).days_scanned == october(21, 22, 23, 24, 25)
    assert counts(project, days(20, 26)) == {20: 1, 21: 2, 22: 1, 23: 1, 24: 1, 25: 2, 26: 1}
    frame = pd.read_parquet(late)
    late.unlink()
    frame.to_parquet(late, row_group_size=1)
    assert project.open().build(days(20, 26)).days_scanned == october(21, 22, 23, 24, 25)
    os.utime(late, ns=(1, 1))
    assert project.open().build(days(20, 26)).days_scanned == october(21, 25)


def test_rows_at_midnight_belong_to_one_day(project, days):
    project.log("a", [("2026-10-20T23:59:59.999999Z", *one(20)[1:]), ("2026-10-21T00:00:00Z", *one(21)[1:])])
    summary = project.open().build(days(20, 21))
    assert summary.rows_read == 2
    assert counts(project, days(20, 21)) == {20: 1, 21: 1}


def test_changed_thresholds_rescan_every_day(project, days):
    project.log("a", [one(20, seconds=0.25), one(21, seconds=0.25)])
    project.open().build(days(20, 21))
    slo = project.slo("shop-latency")
    stricter = replace(slo, indicator=replace(slo.indicator, threshold_seconds=0.2))
    project.slos[project.slos.index(slo)] = stricter
    assert project.open().build(days(20, 21)).days_scanned == october(20, 21)
    assert read_sli_minutes(project.open(), stricter, days(20, 21))["good_count"].tolist() == [0, 0]
    renamed = replace(stricter, name="another", objective=0.5)
    project.slos[project.slos.index(stricter)] = renamed
    assert project.open().build(days(20, 21)).days_scanned == ()


def test_a_reader_never_sees_days_made_for_other_thresholds(project, days):
    project.log("a", [one(20, seconds=0.25)])
    project.open().build(days(20))
    slo = project.slo("shop-latency")
    stricter = replace(slo, indicator=replace(slo.indicator, threshold_seconds=0.2))
    project.slos[project.slos.index(slo)] = stricter
    assert read_sli_minutes(project.open(), stricter, days(20))["good_count"].tolist() == [0]


def test_a_changed_mapping_rescans_every_day(project, days):
    project.log("a", [one(20), one(20, service="mail")])
    project.open().build(days(20))
    project.sources["requests"] = TableSource("logs/*.parquet", columns={"service_name": "'shop'"})
    assert project.open().build(days(20)).days_scanned == october(20)
    assert counts(project, days(20)) == {20: 2}
    project.sources["requests"] = TableSource("logs/*.parquet", where="service_name = 'shop'")
    assert project.open().build(days(20)).days_scanned == october(20)
    assert counts(project, days(20)) == {20: 1}


def test_a_changed_query_rescans_every_day(project, days):
    project.log("a", [one(20)])
    project.open().build(days(20))
    state_path = project.folder_of_tables / "state.json"
    state = json.loads(state_path.read_text())
    state["days"]["2026-10-20"]["recipe"] = "of an older version"
    state_path.write_text(json.dumps(state))
    assert project.open().build(days(20)).days_scanned == october(20)


def test_timestamps_made_by_an_expression_are_built_by_day_too(project, days, make_requests):
    frame = make_requests([one(20), one(21), one(21)])
    epoch = frame["timestamp"].astype("int64") // 1_000_000
    project.log("a", frame.drop(columns="timestamp").assign(epoch=epoch))
    project.sources["requests"] = TableSource("logs/*.parquet", columns={"timestamp": "to_timestamp(epoch)"})
    summary = project.open().build(days(19, 22))
    assert summary.days_scanned == october(20, 21)
    assert counts(project, days(19, 22)) == {20: 1, 21: 2}


def test_readers_build_what_no_build_has_covered(project, days):
    project.log("a", [one(20), one(21)])
    tables = project.open()
    assert len(read_service_minutes(tables, ["shop"], days(20))) == 1
    tables.build(days(20))
    assert tables.covered_days() == october(20)
    assert len(read_service_minutes(tables, ["shop"], days(19, 23))) == 2
    assert tables.covered_days() == october(20, 21)


def test_a_deleted_day_file_is_made_again(project, days):
    project.log("a", [one(20), one(21)])
    project.open().build(days(20, 21))
    (project.folder_of_tables / "hour_latency" / "2026-10-20.parquet").unlink()
    assert read_route_latency(project.open(), ["shop"], days(20, 21))["request_count"].tolist() == [2]
    (project.folder_of_tables / "hour_latency" / "2026-10-21.parquet").unlink()
    assert project.open().build(days(20, 21)).days_scanned == october(21)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 999, "days": {}, "files": [], "mapping": ""}'])
def test_a_damaged_state_costs_a_scan_and_nothing_else(project, days, text):
    project.log("a", [one(20)])
    project.open().build(days(20))
    (project.folder_of_tables / "state.json").write_text(text)
    assert project.open().build(days(20)).days_scanned == october(20)
    assert counts(project, days(20)) == {20: 1}


def test_no_input_at_all_is_an_error_and_loses_nothing(project, days):
    path = project.log("a", [one(20)])
    project.open().build(days(20))
    path.unlink()
    with pytest.raises(DataError, match=r"table requests: no file matches .*logs"):
        project.open().build(days(20))
    assert counts(project, days(20)) == {20: 1}


def test_a_file_that_lacks_a_column_is_named_and_loses_nothing(project, days, make_requests):
    project.log("a", [one(20)])
    project.open().build(days(20))
    project.log("b", make_requests([one(20)]).drop(columns="http_route"))
    with pytest.raises(DataError, match=r"no column 'http_route' in .*b\.parquet"):
        project.open().build(days(20))
    assert counts(project, days(20)) == {20: 1}


def test_more_thresholds_than_slots_are_refused(project, make_slo):
    project.slos = [
        make_slo(f"s{n}", "shop", kind="latency", threshold_seconds=n / 10, routes=()) for n in range(1, 6)
    ]
    with pytest.raises(UsageError, match=r"service shop: 5 different latency thresholds .*shop\.yaml:3.* at most 4"):
        project.open()


def test_progress_is_told(project, days):
    project.log("a", [one(20), one(21)])
    told = []
    project.open().build(days(20, 21), progress=lambda *step: told.append(step))
    assert told == [(0, 2, "2026-10-20 to 2026-10-21"), (2, 2, "up to date")]


def test_the_fingerprint_follows_what_a_report_reads(project, days):
    project.log("a", [one(20), one(25)])
    project.companion(
        "deployments", pd.DataFrame({"deployed_at": pd.to_datetime([]).tz_localize("UTC"), "service_name": []})
    )

    def fingerprint(window):
        tables = project.open()
        tables.build(days(19, 26))
        return tables.fingerprint(window)

    before, elsewhere = fingerprint(days(19, 21)), fingerprint(days(25))
    assert fingerprint(days(19, 21)) == before != elsewhere
    project.log("b", [one(20)])
    late = fingerprint(days(19, 21))
    assert late != before and fingerprint(days(25)) == elsewhere
    os.utime(project.folder / "outputs" / "deployments.parquet", ns=(1, 1))
    assert fingerprint(days(19, 21)) != late


def test_ad_hoc_sql_sees_the_small_tables_and_the_log(project, days):
    project.log("a", [one(20), one(20, seconds=None)])
    tables = project.open()
    assert len(tables.warehouse.sql("SELECT * FROM minute_counts")) == 0
    tables.build(days(20))
    got = tables.warehouse.sql(
        "SELECT (SELECT sum(request_count) FROM minute_counts) a, (SELECT sum(request_count) FROM hour_latency) b, "
        "(SELECT count(*) FROM requests WHERE service_name = $name) c, (SELECT count(*) FROM incidents) d",
        name="shop",
    )
    assert got.to_numpy().tolist() == [[2, 1, 2, 0]]


# --- batches ------------------------------------------------------------------------------------------------


def part(name, size, first, last):
    return Part(name, "1", size, 0, 0, ((date(2026, 10, first), date(2026, 10, last)),))


@pytest.mark.parametrize(
    ("days", "parts", "expected"),
    [
        ((1, 2, 3, 4), [part(str(d), 40, d, d) for d in (1, 2, 3, 4)], [(1, 2), (3, 4)]),
        ((1, 2, 4, 5), [part(str(d), 1, d, d) for d in (1, 2, 4, 5)], [(1, 2), (4, 5)]),
        ((1, 2, 3, 4), [part("all", 200, 1, 4)], [(1, 2), (3, 4)]),
        ((1, 2), [part("1", 1000, 1, 1), part("2", 1, 2, 2)], [(1,), (2,)]),
        ((), [], []),
    ],
)
def test_days_are_scanned_in_batches_of_about_the_same_size(days, parts, expected):
    got = list(plan.batches(october(*days), parts, size=100))
    assert got == [list(october(*batch)) for batch in expected]


# --- crashes and company ------------------------------------------------------------------------------------

DAYS = 12
PROGRAM = textwrap.dedent(
    """
    import os
    import signal
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from shokubai.core.windows import Window
    from shokubai.sources import DuckDbWarehouse, FileTable
    from shokubai.tables import Tables
    from shokubai.tables.contracts import HOUR_LATENCY, MINUTE_COUNTS, OPTIONAL_COLUMNS, REQUESTS

    folder = Path(sys.argv[1])
    small = [FileTable(c, lambda: (), "test") for c in (MINUTE_COUNTS, HOUR_LATENCY)]
    find = lambda: tuple(sorted((folder / "logs").glob("*.parquet")))
    requests = FileTable(REQUESTS, find, "test", optional=OPTIONAL_COLUMNS["requests"])
    warehouse = DuckDbWarehouse("w", [requests, *small], spill=folder / "spill", threads=1)
    tables = Tables(warehouse, folder=folder / "outputs" / "tables" / "w", scan_bytes=1)
    if len(sys.argv) > 2:  # die before the n-th file takes its place
        replacements, replace = iter(range(int(sys.argv[2]))), Path.replace
        def replace_or_die(path, target):
            if next(replacements, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return replace(path, target)
        Path.replace = replace_or_die
    print("ready", flush=True)
    sys.stdin.readline()
    summary = tables.build(Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 13, tzinfo=UTC)))
    print("scanned", len(summary.days_scanned), flush=True)
    """
)


def start(project, *arguments):
    """A process that has imported everything and waits for a line before it builds."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(project.folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def write_log(project, make_requests, *, per_day):
    stamps = pd.date_range("2026-10-01", "2026-10-13", periods=per_day * DAYS + 1, tz="UTC", unit="us")[:-1]
    n = len(stamps)
    base = make_requests([one(1)])
    frame = base.loc[np.zeros(n, dtype=int)].assign(timestamp=stamps, duration_seconds=np.linspace(0, 2, n))
    for day, rows in frame.groupby(frame["timestamp"].dt.day):
        project.log(f"{day:02d}", rows.reset_index(drop=True))


def contents(project):
    """The rows of each day file, by table and day; any unreadable file fails here."""
    files = sorted(project.folder_of_tables.glob("*/????-??-??.parquet"))
    return {f"{p.parent.name}/{p.stem}": pd.read_parquet(p) for p in files}


@pytest.fixture
def rebuild(project, make_requests, tmp_path_factory):
    """A project whose log has changed since it was built; its day files before, and as they must become."""
    window = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 13, tzinfo=UTC))
    clean = type(project)(tmp_path_factory.mktemp("clean"))
    for folder in (project, clean):
        folder.slos = []
    write_log(project, make_requests, per_day=200)
    project.open().build(window)
    for folder in (project, clean):
        write_log(folder, make_requests, per_day=300)
    clean.open().build(window)
    old, new = contents(project), contents(clean)
    assert set(old) == set(new) and not any(old[name].equals(new[name]) for name in new)
    return project, window, old, new


def new_files(project, old, new):
    """Which day files are new; every other one must be old, and days that the state knows of one piece."""
    found = contents(project)
    assert set(found) == set(new)
    is_new = {name for name, frame in found.items() if frame.equals(new[name])}
    assert all(name in is_new or frame.equals(old[name]) for name, frame in found.items())
    for day in json.loads((project.folder_of_tables / "state.json").read_text())["days"]:
        assert (f"minute_counts/{day}" in is_new) == (f"hour_latency/{day}" in is_new)
    return is_new


def assert_the_next_build_finishes(project, window, new):
    project.open().build(window)
    after = contents(project)
    assert all(after[name].equals(new[name]) for name in new)
    assert not list(project.folder_of_tables.rglob(".*.tmp"))
    assert project.open().build(window).days_scanned == ()


def test_a_build_killed_at_random_moments_leaves_each_day_old_or_new(rebuild):
    project, window, old, new = rebuild
    done = set()
    rng = np.random.default_rng(7)
    for _ in range(6):
        process = start(project)
        process.stdin.write("go\n")
        process.stdin.flush()
        time.sleep(rng.uniform(0.02, 0.4))
        process.kill()
        process.communicate()
        before, done = done, new_files(project, old, new)
        assert done >= before
        if len(done) == len(new):
            break
    assert_the_next_build_finishes(project, window, new)


@pytest.mark.parametrize("moment", range(6))
def test_a_build_killed_between_files_leaves_each_day_old_or_new(rebuild, moment):
    # A day's files take their places in this order: state without the day, two tables, state with the day.
    project, window, old, new = rebuild
    process = start(project, str(moment))
    process.communicate("go\n")
    assert process.returncode == -signal.SIGKILL
    assert len(new_files(project, old, new)) == [0, 0, 1, 2, 2, 2][moment]
    # A reader of the half-made state builds what is missing instead of mixing old and new.
    tables = project.open()
    first = Window(window.start, datetime(2026, 10, 2, tzinfo=UTC))
    requests = read_service_minutes(tables, ["shop"], first)["request_count"].sum()
    measured = read_route_latency(tables, ["shop"], first)["request_count"].sum()
    assert requests == measured == (200 if moment == 0 else 300)
    assert_the_next_build_finishes(project, window, new)


def test_two_builds_at_once_do_the_work_once(project, make_requests):
    project.slos = []
    write_log(project, make_requests, per_day=200)
    processes = [start(project) for _ in range(2)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = sorted(process.communicate(timeout=120)[0] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs == ["scanned 0\n", f"scanned {DAYS}\n"]
    found = contents(project)
    assert len(found) == 2 * DAYS
    assert sum(frame["request_count"].sum() for name, frame in found.items() if "minute" in name) == 200 * DAYS


def test_results_do_not_depend_on_the_machines_time_zone(project, make_requests):
    project.slos = []
    write_log(project, make_requests, per_day=50)
    found = []
    for zone in ("America/New_York", "UTC"):
        process = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(project.folder)],
            input="go\n",
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        assert process.stdout == f"ready\nscanned {DAYS}\n"
        found.append(contents(project))
        (project.folder_of_tables / "state.json").unlink()
    assert found[0].keys() == found[1].keys()
    assert all(found[0][name].equals(found[1][name]) for name in found[0])
    first = found[0]["minute_counts/2026-10-01"]["minute"]
    assert first.min() == pd.Timestamp("2026-10-01T00:00Z") and first.max() < pd.Timestamp("2026-10-02T00:00Z")


@pytest.mark.parametrize("path", ["logs/*.parquet", "{parameters}/../logs/*.parquet"])
def test_folders_may_have_brackets_in_their_names(project, days, path):
    project.folder = project.folder / "team [a-z] *"
    (project.folder / "parameters").mkdir(parents=True)
    project.log("a", [one(20)])
    project.sources["requests"] = TableSource(path)
    assert counts(project, days(20)) == {20: 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [("SHOKUBAI_THREADS", "0"), ("SHOKUBAI_THREADS", "many"), ("SHOKUBAI_MEMORY", "2"), ("SHOKUBAI_MEMORY", "all")],
)
def test_limits_in_the_environment_are_checked(project, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=f"{name} in the environment is '{value}'; allowed is"):
        project.open()


def test_limits_in_the_environment_hold(project, monkeypatch):
    monkeypatch.setenv("SHOKUBAI_THREADS", "3")
    monkeypatch.setenv("SHOKUBAI_MEMORY", "512MiB")
    project.log("a", [one(20)])
    settings = "SELECT current_setting('threads') AS threads, current_setting('memory_limit') AS memory"
    assert project.open().warehouse.sql(settings).to_dict("records") == [{"threads": 3, "memory": "512.0 MiB"}]
