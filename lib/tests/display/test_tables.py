"""Tables as rows of text: order, units, and nothing invented where data is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from shokubai.core.windows import Duration, Window
from shokubai.display import tables
from shokubai.display.exhibit import Table
from shokubai.display.format import Locale
from shokubai.display.frames import ROUTE_CHANGES, TEAM_WEEKS, Events
from shokubai.display.tables.slos import budget_amounts
from shokubai.slo.model import EPISODES, SILENCES, SloStatus
from shokubai.tables.contracts import ALERTS, DEPLOYMENTS, INCIDENTS, METRIC_HOURS, QUERIES, SRE_REQUESTS

MakeStatus = Callable[..., SloStatus]
NOON = datetime(2026, 10, 29, 3, 0, tzinfo=UTC)


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def routes(*rows: dict[str, Any]) -> pd.DataFrame:
    """Route rows; numbers that are not given are missing."""
    whole = []
    for row in rows:
        filled: dict[str, Any] = {
            name: "" if c.type == "STRING" else pd.NA if c.type == "NULLABLE_INT64" else float("nan")
            for name, c in ROUTE_CHANGES.columns.items()
        }
        whole.append(filled | {"service_name": "api", "http_request_method": "GET", "budget_spent_count": 0.0} | row)
    return ROUTE_CHANGES.conform(pd.DataFrame(whole))


def test_verdicts_carry_counts_interval_and_reason(en: Locale, make_status: MakeStatus) -> None:
    table = tables.verdicts([make_status()], locale=en)
    row = table.rows[0]
    assert [c.text for c in row] == [
        "API availability",
        "Met",
        "99.94%",
        "99.9%",
        "600 / 1,000,000",
        "40%",
        "At the pace of the last 3 days (×0.5) the budget lasts.",
    ]
    assert row[1].detail == "The whole 95% interval lies above the objective."
    assert row[2].detail == "99.935–99.944%"
    assert row[5].detail == "400 requests · 16 min"  # 0.4 × 40.32 minutes


def test_an_overspent_budget_never_reads_like_one_spent_twice(en: Locale, make_status: MakeStatus) -> None:
    row = tables.verdicts([make_status(valid=1_000_500, bad=2_000)], locale=en).rows[0]
    # 1,000.5 allowed, 2,000 spent: less than 1,000 over, 99.9 % of the budget.
    assert (row[5].text, row[5].detail) == ("−99.9%", "−999 requests")
    assert row[5].meter == 0.0


def test_no_traffic_shows_no_number(ja: Locale, make_status: MakeStatus) -> None:
    status = make_status(valid=0, bad=0, verdict="not_enough_data", reason="no_traffic")
    row = tables.verdicts([status], locale=ja).rows[0]
    assert [c.text for c in row[1:6]] == ["データ不足", "–", "99.9%", "0 / 0", "–"]
    assert row[5].meter is None


def test_burn_rates_say_what_was_crossed_and_what_is_unknown(en: Locale, make_status: MakeStatus) -> None:
    statuses = [make_status(peak_rates=(2.0, 2.8)), make_status(peak_rates=(None, 0.1))]
    table = tables.burn_rates(statuses, locale=en)
    rows = texts(table)
    assert [row[-1] for row in rows] == ["not crossed", "crossed", "no data"]
    assert rows[0][1:6] == ["1 hour", "×0.5", "×2", "Thu 29 Oct 14:05", "×13.4 · page"]
    assert table.note.endswith("faster than it lasts (×1) are not listed (1).")
    quiet = tables.burn_rates([make_status(peak_rates=(0.2, 0.9))], locale=en)
    assert (quiet.rows, quiet.note) == ((), "")
    assert quiet.empty == "Over no lookback did a budget burn faster than it lasts (×1)."


def test_a_rate_above_its_threshold_that_was_not_crossed_says_so(en: Locale, make_status: MakeStatus) -> None:
    hardly = tables.burn_rates([make_status(peak_rates=(20.8, 2.8), is_crossed=False)], locale=en)
    assert [row[-1] for row in texts(hardly)] == ["briefly, or by few requests"] * 2


def test_budgets_are_told_in_what_their_objective_counts(en: Locale, ja: Locale, make_status: MakeStatus) -> None:
    def amounts(locale: Locale, **changes: Any) -> str:
        return budget_amounts(make_status(**changes), locale)

    assert amounts(en) == "400 requests, or 16 min of full outage"
    assert amounts(en, bad=1_400) == "400 requests too many failed"
    assert amounts(en, threshold_seconds=0.8) == "400 requests may still be slow"
    assert amounts(ja, threshold_seconds=0.8, bad=1_400) == "遅いリクエスト400件"
    # 0.36 of a request over is not none.
    assert amounts(en, valid=1_640, bad=2) == "0.4 requests too many failed"

    status = make_status(valid=10_000, bad=36, objective=0.99)
    slices = replace(
        status,
        slo=replace(status.slo, budgeting="Timeslices", time_slice_window=Duration(1, "m")),
        unit="slices",
    )
    assert budget_amounts(slices, en) == "64 one-minute slices"
    assert budget_amounts(slices, ja) == "あと1分単位で64回"
    row = tables.verdicts([slices], locale=en).rows[0]
    assert row[5].detail == "64 one-minute slices"
    five = replace(slices, slo=replace(slices.slo, time_slice_window=Duration(5, "m")), budget_left_count=-1.0)
    assert budget_amounts(five, en) == "1 slice of 5 minutes too many"


def test_episodes_are_in_order_of_time(en: Locale, make_status: MakeStatus) -> None:
    frame = EPISODES.conform(
        pd.DataFrame(
            {
                "started_at": pd.to_datetime([NOON, NOON - timedelta(days=1)]),
                "ended_at": pd.to_datetime([NOON + timedelta(minutes=47), NOON - timedelta(hours=23)]),
                "valid_count": [1000, 500],
                "bad_count": [190, 50],
                "budget_spent_ratio": [0.19, 0.05],
            }
        )
    )
    assert texts(tables.episodes(frame, slo=make_status().slo, locale=en)) == [
        ["Wed 28 Oct 12:00–13:00", "1 h", "50 / 500", "5.0%"],
        ["Thu 29 Oct 12:00–12:47", "47 min", "190 / 1,000", "19%"],
    ]
    short = tables.episodes(frame, slo=make_status().slo, locale=en, limit=1)
    assert (texts(short)[0][3], short.note) == ("19%", "and 1 more")


def test_routes_by_budget_show_what_their_objective_counts(en: Locale, ja: Locale, make_status: MakeStatus) -> None:
    slow = make_status(name="api-latency", display_name="API latency", threshold_seconds=0.8)
    status = make_status(name="api-minutes", display_name="API minutes")
    slices = replace(status, slo=replace(status.slo, budgeting="Timeslices"), unit="slices")
    frame = routes(
        {
            "http_route": "/a",
            "request_count": 100,
            "error_count": 1,
            "slo_name": "api-availability",
            "budget_spent_count": 1.0,
            "budget_valid_count": 100.0,
            "budget_spent_ratio": 0.01,
        },
        {"http_route": "/b", "request_count": 50, "error_count": 0},
        {
            # Of 60,000 requests 13 failed; the budget went to the slow ones of the others.
            "http_route": "/c",
            "request_count": 60_000,
            "error_count": 13,
            "slo_name": "api-latency",
            "budget_spent_count": 5_733.0,
            "budget_valid_count": 59_987.0,
            "budget_spent_ratio": 1.68,
        },
        {"http_route": "/d", "slo_name": "api-minutes", "budget_spent_count": 3.0, "budget_valid_count": 30.0},
    )
    statuses = [make_status(), slow, slices]
    table = tables.routes_by_budget(frame, statuses=statuses, locale=en)
    assert texts(table) == [
        ["GET /c", "168%", "5,733 / 59,987", "9.6%", "–", "–", "–"],
        ["GET /a", "1.0%", "1 / 100", "1.0%", "–", "–", "–"],
        ["GET /d", "by time slices, not by route", "3 / 30", "10%", "–", "–", "–"],
    ]
    assert [(row[1].detail, row[2].detail) for row in table.rows] == [
        ("API latency", "slow"),
        ("API availability", "failed"),
        ("API minutes", "failed"),
    ]
    assert tables.routes_by_budget(frame, statuses=statuses, locale=ja).rows[0][2].detail == "遅い"
    short = tables.routes_by_budget(frame, statuses=statuses, locale=en, limit=1)
    assert (texts(short)[0][0], short.note) == ("GET /c", "and 2 more")
    none = tables.routes_by_budget(frame.iloc[[1]], statuses=statuses, locale=en)
    assert none.plain().endswith("No route spent any error budget this week.")


def test_routes_by_change_put_the_slower_and_the_failing_first(en: Locale) -> None:
    same = {"request_count": 1000, "comparable_request_count": 1000, "error_count": 0, "comparable_error_count": 0}
    frame = routes(
        {"http_route": "/steady", **same, "p95_seconds": 0.2, "comparable_p95_seconds": 0.2},
        {"http_route": "/slower", **same, "p95_seconds": 0.6, "comparable_p95_seconds": 0.2},
        {"http_route": "/failing", **same, "error_count": 90, "p95_seconds": 0.2, "comparable_p95_seconds": 0.2},
        {"http_route": "/new", "request_count": 10, "error_count": 0, "p95_seconds": 9.0},
    )
    table = tables.routes_by_change(frame, locale=en)
    assert [row[0] for row in texts(table)] == ["GET /failing", "GET /slower", "GET /steady"]
    assert texts(table)[1][1:4] == ["600 ms", "200 ms", "×3.0"]


def test_personal_data_in_routes_is_scrubbed(en: Locale) -> None:
    frame = routes(
        {"http_route": "/users/taro@example.com", "request_count": 1, "error_count": 1, "budget_spent_count": 1.0}
    )
    assert texts(tables.routes_by_budget(frame, statuses=[], locale=en))[0][0] == "GET /users/[email]"


def test_changes_are_one_list_in_order_of_time(en: Locale, week: Window) -> None:
    def at(hours: float) -> pd.DatetimeIndex:
        return pd.to_datetime([NOON + timedelta(hours=hours)])

    events = Events(
        DEPLOYMENTS.conform(
            pd.DataFrame(
                {
                    "deployed_at": at(2),
                    "service_name": "api",
                    "service_version": "7",
                    "deployment_id": "a",
                    "description": "",
                }
            )
        ),
        INCIDENTS.conform(
            pd.DataFrame(
                {
                    "incident_id": "INC-1",
                    "service_name": "api",
                    "title": "503",
                    "severity": "SEV2",
                    "started_at": at(0),
                    "detected_at": at(0),
                    "mitigated_at": pd.to_datetime([pd.NaT]).tz_localize("UTC"),
                    "resolved_at": pd.to_datetime([pd.NaT]).tz_localize("UTC"),
                }
            )
        ),
    )
    alerts = ALERTS.conform(
        pd.DataFrame(
            {
                "fired_at": at(1),
                "resolved_at": at(1.5),
                "service_name": "api",
                "alert_name": "burn",
                "severity": "page",
            }
        )
    )
    assert texts(tables.changes(events, alerts=alerts, window=week, locale=en)) == [
        ["since Thu 29 Oct 12:00", "Incident", "api", "503"],
        ["Thu 29 Oct 13:00–13:30", "Alert", "api", "burn"],
        ["Thu 29 Oct 14:00", "Deployment", "api", "7"],
    ]
    later = Window(week.end, week.end + timedelta(days=7))
    # An incident that is still open touches every later week; the rest is past.
    assert [row[1] for row in texts(tables.changes(events, alerts=alerts, window=later, locale=en))] == ["Incident"]


def test_metrics_weigh_the_mean_by_samples(en: Locale) -> None:
    frame = METRIC_HOURS.conform(
        pd.DataFrame(
            {
                "hour": pd.to_datetime([NOON, NOON + timedelta(hours=1)]),
                "service_name": "api",
                "metric_name": "process.cpu.utilization",
                "unit": "1",
                "sample_count": [1, 3],
                "mean_value": [0.1, 0.5],
                "max_value": [0.9, 0.6],
                "limit_value": [1.0, 1.0],
            }
        )
    )
    table = tables.metrics(frame, locale=en)
    assert texts(table) == [["CPU", "40%", "90%", "100%", "90%", "2"]]
    assert table.rows[0][2].detail == "Thu 29 Oct 12:00"


def test_silences_say_what_is_known(ja: Locale) -> None:
    frame = SILENCES.conform(
        pd.DataFrame(
            {
                "service_name": ["api"],
                "started_at": pd.to_datetime([NOON]),
                "ended_at": pd.to_datetime([NOON + timedelta(hours=3)]),
                "expected_count": [1234.4],
                "kind": ["late"],
            }
        )
    )
    assert texts(tables.silences(frame, locale=ja)) == [
        ["10月29日(木) 12:00〜15:00", "api", "3時間", "1,234", "データ未着"]
    ]


def test_provenance_formats_by_kind(en: Locale, week: Window) -> None:
    table = tables.provenance(
        {
            "window": week,
            "data_complete_through": None,
            "bytes_read": 81_234_567,
            "query_count": 2,
            "code_version": "1",
        },
        locale=en,
    )
    assert [row[1] for row in texts(table)] == ["Mon 26 Oct – Sun 1 Nov 2026", "–", "81.2 MB", "2", "1"]


def test_statements_are_listed_once_with_the_sum_of_their_runs(en: Locale) -> None:
    queries = QUERIES.conform(
        pd.DataFrame(
            {
                "name": ["minute_counts", "hour_latency", "minute_counts"],
                "sha256": ["ab" * 32, "cd" * 32, "ab" * 32],
                "milliseconds": [1500.0, 20.0, 500.0],
                "bytes": pd.array([2_000, pd.NA, 1_000], dtype="Int64"),
                "row_count": pd.array([5, 1, 6], dtype="Int64"),
            }
        )
    )
    assert texts(tables.queries(queries, locale=en)) == [
        ["minute_counts", "abababababab", "2", "2 s", "3 kB", "11"],
        ["hour_latency", "cdcdcdcdcdcd", "1", "20 ms", "–", "1"],
    ]
    assert tables.queries(QUERIES.empty(), locale=en).plain() == "Statements run: No statement was run."


def test_teams_stand_in_alphabetical_order_whatever_their_numbers(en: Locale) -> None:
    frame = TEAM_WEEKS.conform(
        pd.DataFrame(
            {
                "team": ["search", "billing"],
                "display_name": ["Search", "Billing"],
                "href": ["search/weekly_team_report.html", ""],
                "met_count": [9, 0],
                "missed_count": [0, 3],
                "not_enough_data_count": [0, 1],
                "sentence": "",
                "contact": "#sre",
            }
        )
    )
    assert [row[:4] for row in texts(tables.teams(frame, locale=en))] == [
        ["Billing", "0", "3", "1"],
        ["Search", "9", "0", "0"],
    ]


def test_requests_to_sre_show_the_wait(en: Locale) -> None:
    frame = SRE_REQUESTS.conform(
        pd.DataFrame(
            {
                "request_id": ["R-1"],
                "team": ["billing"],
                "kind": ["consultation"],
                "summary": ["help with a dashboard"],
                "opened_at": pd.to_datetime([NOON]),
                "first_response_at": pd.to_datetime([NOON + timedelta(hours=2)]),
                "closed_at": pd.to_datetime([pd.NaT]).tz_localize("UTC"),
            }
        )
    )
    assert texts(tables.sre_requests(frame, locale=en)) == [
        ["Thu 29 Oct 12:00", "billing", "consultation", "help with a dashboard", "2 h", "open"]
    ]
