import dataclasses
import json
import math
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest

from shokubai import demo
from shokubai.config.model import Indicator, Ownership, Slo, SloWindow, Source, Team, Text
from shokubai.core.windows import Duration, Week
from shokubai.demo.generator import connect

SOURCE = Source(Path("by hand"), 1)
MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
W44 = Week(2026, 44)


@pytest.fixture(scope="module")
def truth(demo_directory, parameters, tmp_path_factory):
    directory = tmp_path_factory.mktemp("truth")
    shutil.copytree(demo_directory, directory, dirs_exist_ok=True)
    return json.loads(demo.write_truth(directory, parameters).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(demo_directory):
    """All raw rows, to be counted with pandas instead of SQL."""
    with connect() as connection:
        path = str(demo_directory / "requests/*/*.parquet")
        frame = connection.from_parquet(path, hive_partitioning=False).df()
    frame["status"] = frame["http_response_status_code"].astype("Int64")
    frame["failed"] = frame["status"].between(500, 599).fillna(False).astype(bool)
    return frame


def of_slo(rows, slo, start, end):
    """The valid rows of an SLO with a column ``good``, straight from the definitions."""
    inside = rows[
        (rows["timestamp"] >= pd.Timestamp(start))
        & (rows["timestamp"] < pd.Timestamp(end))
        & (rows["service_name"] == slo.service)
    ]
    if slo.indicator.routes:
        wanted = set(slo.indicator.routes)
        globs = tuple(p.removesuffix("*") for p in wanted if p.endswith("*"))
        route, call = inside["http_route"], inside["http_request_method"] + " " + inside["http_route"]
        mask = route.isin(wanted) | call.isin(wanted)
        if globs:
            mask |= route.str.startswith(globs)
        inside = inside[mask]
    if slo.indicator.kind == "availability":
        valid = inside[inside["status"].notna()]
        return valid.assign(good=~valid["failed"])
    valid = inside[inside["duration_seconds"].notna() & ~inside["failed"]]
    return valid.assign(good=valid["duration_seconds"] <= slo.indicator.threshold_seconds)


@pytest.mark.parametrize("week", ["2026-W43", "2026-W44"])
def test_slo_counts_are_those_of_pandas(truth, rows, parameters, week):
    end = Week.parse(week).window(parameters.organization.zone).end
    checked = 0
    for team in truth["weeks"][week].values():
        for name, counted in team["slos"].items():
            slo = parameters.slos[name]
            window = counted["window"]
            valid = of_slo(rows, slo, window["start"], window["end"])
            if slo.budgeting == "Occurrences":
                expected = (len(valid), valid["good"].sum())
            else:
                length = slo.time_slice_window.timedelta
                slices = valid.groupby(valid["timestamp"].dt.floor(length))["good"].mean()
                good = (slices >= slo.time_slice_target).sum() if slo.budgeting == "Timeslices" else slices.sum()
                expected = (len(slices), good)
            assert counted["valid_count"] == expected[0], name
            assert counted["good_count"] == pytest.approx(expected[1], abs=1e-6), name
            assert pd.Timestamp(window["end"]) == pd.Timestamp(end)
            checked += 1
    assert checked == len(parameters.slos)


def test_route_counts_and_percentiles_are_those_of_pandas(truth, rows, parameters):
    start, end = (
        pd.Timestamp(t)
        for t in (W44.window(parameters.organization.zone).start, W44.window(parameters.organization.zone).end)
    )
    for shift, key in ((0, "routes"), (1, "previous_routes")):
        by = shift * pd.Timedelta(weeks=1)
        week = rows[(rows["timestamp"] >= start - by) & (rows["timestamp"] < end - by)]
        counted = [route for team in truth["weeks"]["2026-W44"].values() for route in team[key]]
        assert sum(route["requests"] for route in counted) == len(week)
        assert sum(route["errors"] for route in counted) == week["failed"].sum()
        for route in counted:
            own = week[
                (week["service_name"] == route["service"])
                & (week["http_request_method"] == route["method"])
                & (week["http_route"] == route["route"])
            ]
            durations = sorted(own["duration_seconds"].dropna())
            assert (route["requests"], route["duration_count"]) == (len(own), len(durations))
            for q, name in ((0.50, "p50_seconds"), (0.95, "p95_seconds"), (0.99, "p99_seconds")):
                assert route[name] == durations[math.floor(q * (len(durations) - 1))]


def test_windows_of_rolling_and_calendar_objectives(truth):
    slos = {name: slo for team in truth["weeks"]["2026-W44"].values() for name, slo in team["slos"].items()}
    assert slos["search-latency"]["window"] == {"start": "2026-10-04T15:00:00Z", "end": "2026-11-01T15:00:00Z"}
    # The week ends with the first day of November in Tokyo.
    assert slos["matching-availability"]["window"] == {"start": "2026-10-31T15:00:00Z", "end": "2026-11-01T15:00:00Z"}
    before = truth["weeks"]["2026-W43"]["matching"]["slos"]["matching-availability"]
    assert before["window"] == {"start": "2026-09-30T15:00:00Z", "end": "2026-10-25T15:00:00Z"}


def test_events_are_all_there_with_their_deployments(truth):
    assert [event["name"] for event in truth["events"]] == [event.name for event in demo.PLANTED]
    by_name = {event["name"]: event for event in truth["events"]}
    assert by_name["search-regression"]["deployment_id"] == "search-api-2026.10.27.1"
    assert by_name["search-regression"]["weeks"] == ["2026-W44"]
    assert by_name["detail-slow-burn"]["weeks"] == ["2026-W43", "2026-W44"]
    assert by_name["auth-outage"]["start"] == "2026-10-28T01:05:00Z"
    assert sum("2026-W44" in event["weeks"] for event in truth["events"]) >= 10


# OpenSLO's budgeting methods on one series of ten slices: good and total requests per minute.
GOOD = (100, 100, 90, 0, 50, 1000, 1000, 9, 10, 100)
TOTAL = (100, 100, 100, 10, 100, 1000, 1000, 10, 10, 100)


@pytest.mark.parametrize(
    ("budgeting", "target", "valid", "good"),
    [
        ("Occurrences", None, 2530, 2459),
        ("Timeslices", 0.95, 10, 6),
        ("Timeslices", 0.9, 10, 8),
        ("RatioTimeslices", None, 10, 8.3),
    ],
)
def test_budgeting_methods_by_hand(tmp_path, parameters, budgeting, target, valid, good):
    stamps, statuses = [], []
    for minute, (ok, total) in enumerate(zip(GOOD, TOTAL, strict=True)):
        for n in range(total):
            stamps.append(MIDNIGHT + timedelta(minutes=minute, milliseconds=n))
            statuses.append(200 if n < ok else 500)
    frame = pd.DataFrame(
        {
            "timestamp": stamps,
            "service_name": "shop",
            "http_route": "/",
            "http_request_method": "GET",
            "http_response_status_code": pd.array(statuses, dtype="Int64"),
            "duration_seconds": 0.1,
        }
    )
    # A hung-up client is not valid; a request outside the window is not counted.
    frame = pd.concat([frame, frame.head(1).assign(http_response_status_code=pd.NA)], ignore_index=True)
    frame = pd.concat([frame, frame.head(1).assign(timestamp=MIDNIGHT - timedelta(days=40))], ignore_index=True)
    folder = tmp_path / "requests" / "day=2026-11-01"
    folder.mkdir(parents=True)
    frame.to_parquet(folder / "part-0.parquet")
    slo = Slo(
        "hand",
        "hand",
        "shop",
        Indicator("availability"),
        SloWindow(Duration(28, "d"), is_rolling=True),
        budgeting,
        0.9,
        SOURCE,
        time_slice_target=target,
        time_slice_window=None if budgeting == "Occurrences" else Duration(1, "m"),
    )
    team = Team("hands", Text("hands"), "en", (Ownership("shop"),), SOURCE)
    by_hand = dataclasses.replace(
        parameters, teams=MappingProxyType({"hands": team}), slos=MappingProxyType({"hand": slo})
    )
    counted = demo.count_weeks(tmp_path, by_hand, weeks=[W44])["2026-W44"]["hands"]
    assert counted["slos"]["hand"]["valid_count"] == valid
    assert counted["slos"]["hand"]["good_count"] == pytest.approx(good, abs=1e-12)
    (route,) = counted["routes"]
    assert (route["requests"], route["errors"]) == (2531, 2530 - 2459)
    assert counted["previous_routes"] == []


def test_late_rows_count_once_they_are_delivered(demo_directory, parameters, tmp_path, truth):
    shutil.copytree(demo_directory, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "late" / "requests").glob("*/*.parquet"):
        shutil.copy(path, tmp_path / "requests" / path.parent.name / path.name)
    late = demo.read_summary(tmp_path).late_count
    after = demo.count_weeks(tmp_path, parameters)["2026-W44"]["partner"]
    before = truth["weeks"]["2026-W44"]["partner"]
    assert sum(r["requests"] for r in after["routes"]) == sum(r["requests"] for r in before["routes"]) + late


def test_truth_is_counted_anew_when_an_objective_changes(demo_directory, parameters, tmp_path):
    shutil.copytree(demo_directory, tmp_path, dirs_exist_ok=True)
    assert not demo.is_truth_current(tmp_path, parameters)
    demo.write_truth(tmp_path, parameters)
    assert demo.is_truth_current(tmp_path, parameters)
    slo = parameters.slos["search-latency"]
    stricter = dataclasses.replace(slo, indicator=dataclasses.replace(slo.indicator, threshold_seconds=0.4))
    changed = dataclasses.replace(parameters, slos=MappingProxyType({**parameters.slos, slo.name: stricter}))
    assert not demo.is_truth_current(tmp_path, changed)
