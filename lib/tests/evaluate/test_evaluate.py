"""The evaluation's own arithmetic, and a small evaluation; ``make evaluate`` is the long one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shokubai import workspace
from shokubai.core.windows import Week

HERE = Path(__file__).parent
PARAMETERS = HERE.parents[2] / "parameters"
MONDAY = datetime(2026, 10, 25, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scripts import each other by name, as they do where they are run."""
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture
def slow_search() -> Any:
    """GET /v1/search is slower from Tuesday on; its rows show it within two hours."""
    from matching import Planted

    start = MONDAY + 38 * HOUR
    return Planted(
        "search-regression",
        "latency_regression",
        "search",
        "search-api",
        "GET",
        "/v1/search",
        start,
        MONDAY + 168 * HOUR,
        report="2026-W44",
        rules=frozenset({"route_slower"}),
        shown=(start, start + 2 * HOUR),
    )


def report(*findings: dict[str, Any], team: str = "search", weeks_later: int = 0) -> Any:
    from matching import Report

    start = MONDAY + timedelta(weeks=weeks_later)
    return Report(team, f"2026-W{44 + weeks_later}", start, start + timedelta(weeks=1), findings)


def finding(rule: str, **values: Any) -> dict[str, Any]:
    usual = {
        "rule": rule,
        "severity": "warning",
        "state": "new",
        "service": "search-api",
        "method": "GET",
        "route": "/v1/search",
        "started_at": (MONDAY + 38 * HOUR).isoformat(),
        "ended_at": None,
    }
    return usual | values


@pytest.mark.parametrize(
    ("values", "told", "found"),
    [
        ({}, True, True),
        ({"started_at": (MONDAY + 37 * HOUR).isoformat()}, True, True),
        ({"started_at": (MONDAY + 36.5 * HOUR).isoformat()}, True, False),
        ({"started_at": (MONDAY + 41 * HOUR).isoformat()}, True, True),
        ({"started_at": (MONDAY + 41.5 * HOUR).isoformat()}, True, False),
        ({"started_at": None}, True, False),
        ({"route": "/v1/suggest"}, False, False),
        ({"service": "auth"}, False, False),
        ({"rule": "route_failing"}, False, False),
        ({"severity": "good"}, False, False),
    ],
)
def test_an_event_is_found_by_its_rule_at_its_place_within_an_hour(slow_search, values, told, found):
    from matching import answer

    answered = answer(slow_search, [report(finding("route_slower") | values)])
    assert (answered.is_told, answered.is_found) == (told, found)


def test_a_later_report_and_another_teams_do_not_count(slow_search):
    from matching import answer

    assert not answer(slow_search, [report(finding("route_slower"), weeks_later=1)]).is_told
    assert not answer(slow_search, [report(finding("route_slower"), team="auth")]).is_told
    assert answer(replace(slow_search, report="2026-W45"), [report(finding("route_slower"), weeks_later=1)]).is_told


def test_a_budget_states_no_onset_and_needs_none():
    from matching import Planted, answer

    burn = Planted(
        "burn", "slow_burn", "search", "search-api", "GET", "/v1/search", MONDAY, MONDAY + 168 * HOUR,
        report="2026-W44", rules=frozenset({"budget"}),
    )  # fmt: skip
    assert answer(burn, [report(finding("budget", route="", method="", started_at=None))]).is_found


def test_an_alarm_is_explained_by_what_was_planted_at_its_place_and_time(slow_search):
    from matching import explains

    assert explains(slow_search, report(), finding("route_slower"))
    assert explains(slow_search, report(), finding("budget", route="", method=""))
    assert not explains(slow_search, report(), finding("route_failing"))
    assert not explains(slow_search, report(), finding("route_slower", route="/v1/suggest"))
    assert not explains(slow_search, report(weeks_later=-1), finding("route_slower"))
    assert explains(slow_search, report(weeks_later=3), finding("budget", route=""))
    assert not explains(slow_search, report(weeks_later=4), finding("budget", route=""))
    # An outage is about its moment: one that began on Monday is not what the regression of Tuesday brought about.
    assert not explains(slow_search, report(), finding("outage", route="", started_at=MONDAY.isoformat()))


def test_alarms_are_counted_where_they_are_raised():
    from matching import alarms

    new, old = finding("budget"), finding("budget", state="continuing")
    notice, good = finding("traffic", severity="notice"), finding("budget", severity="good")
    assert [f for _, f in alarms([report(new, old, notice, good)])] == [new]


def test_days_out_of_the_ordinary_have_names():
    from calendar_days import mistaken

    told = {"started_at": "2026-09-20T15:00:00+00:00", "ended_at": "2026-09-22T15:00:00+00:00"}
    assert mistaken(report(), told) == ["2026-09-21 敬老の日", "2026-09-22 国民の休日"]
    assert [day.split()[0] for day in mistaken(report(), {"started_at": None, "ended_at": None})] == [
        "2026-10-28", "2026-10-29", "2026-10-30", "2026-11-01",
    ]  # fmt: skip


def test_what_is_promised_and_missed_is_said():
    import importlib.util

    spec = importlib.util.spec_from_file_location("evaluate_main", HERE / "__main__.py")
    assert spec is not None and spec.loader is not None
    main = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(main)
    answers = [{"is_found": n > 0, "is_found_by_threshold": n > 9} for n in range(20)]
    seed = {
        "answers": answers,
        "alarms": [{"causes": ["x"]}] * 9 + [{"causes": []}],
        "threshold": {"true": 1, "alarms": 4},
        "calendar": [],
    }
    runs = [{"alarms": [], "notices": []}] * 19 + [{"alarms": [], "notices": ["x"]}]
    summary = main.summarize([seed], {"quiet": runs})
    assert summary["recall"] == [19, 20]
    assert summary["precision"] == [9, 10]
    assert summary["threshold_recall"] == [10, 20]
    assert summary["quiet_runs_with_findings"] == [1, 20]
    assert summary["missed_targets"] == []
    worse = seed | {"answers": answers[:19], "alarms": [{"causes": []}], "calendar": ["2026-10-30"]}
    assert len(main.summarize([worse], {"quiet": runs[1:]})["missed_targets"]) == 4


def test_small_evaluation_of_the_default_seed(demo_outputs: Path):
    """All that matters is found by the two last reports, nothing else is, and a fixed threshold does worse."""
    from seeds import compare

    found = compare(workspace.open(PARAMETERS, demo_outputs), [Week(2026, 43), Week(2026, 44)])
    assert [a for a in found["answers"] if not a["is_found"]] == []
    kinds = {a["kind"] for a in found["answers"]}
    assert kinds == {
        "late_data", "latency_regression", "memory_leak", "outage", "queue_lag", "retry_storm", "slow_burn",
        "telemetry_gap", "zero_traffic",
    }  # fmt: skip
    assert [a["finding"] for a in found["alarms"] if not a["causes"]] == []
    assert len(found["alarms"]) >= len(kinds) - 2  # the leak and the empty weekend may be notices
    assert found["calendar"] == []
    assert found["threshold"]["true"] < found["threshold"]["alarms"]


def test_small_pairs_are_quiet(tmp_path: Path):
    from pairs import measure

    runs = measure(1, tmp_path, rows=200_000, weeks=[Week(2026, 43), Week(2026, 44)])
    assert [run["kind"] for run in runs] == ["quiet", "quiet", "halves", "halves"]
    assert [run["reports"] for run in runs] == [12] * 4
    assert [told["finding"] for run in runs for told in (*run["alarms"], *run["notices"])] == []
    assert runs[1]["month_turns"] > 0  # it was looked at
