"""What a team's budgets were spent on, from the log on: one query per objective, no personal data, late rows."""

from __future__ import annotations

import json
from datetime import datetime

import pandas as pd
import pytest

from shokubai import workspace
from shokubai.page.facts import weekly_facts

WEEK = "2026-W44"  # in Tokyo until 2026-11-01T15:00Z
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: shokubai, spec: {{requests: successful}}}}}}
        total: {{metricSource: {{type: shokubai, spec: {{requests: all{more}}}}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: {method}
  objectives: [{{target: 0.5{slices}}}]
"""
SLOS = {
    "slos/all.yaml": SLO.format(name="all", method="Occurrences", more="", slices=""),
    "slos/some.yaml": SLO.format(
        name="some",
        method="RatioTimeslices",
        more=', routes: ["GET /u/*"], failed_statuses: [404, 5xx]',
        slices=", timeSliceWindow: 5m",
    ),
}
LOG = [
    ("2026-10-20T00:00:01Z", "shop", "GET", "/u/a@example.com", 500, 0.1),
    ("2026-10-20T00:00:02Z", "shop", "GET", "/u/b@example.com", 500, 0.1),
    ("2026-10-20T00:00:03Z", "shop", "GET", "/u/b@example.com", 200, 0.1),
    ("2026-10-20T00:01:00Z", "shop", "GET", "/u/c@example.com", 404, 0.1),
    ("2026-10-20T00:01:01Z", "shop", "POST", "/orders", 503, 0.1),
    ("2026-10-28T00:00:00Z", "shop", "GET", "/u/c@example.com", 500, 0.1),
]


@pytest.fixture
def deployments():
    return pd.DataFrame(
        {
            "deployed_at": pd.to_datetime(["2026-10-26T05:00:00Z"]),
            "service_name": "shop",
            "service_version": "v2",
            "deployment_id": "d2",
            "description": "for a@example.com",
        }
    )


def told(parts, *columns):
    return list(parts[list(columns)].itertuples(index=False, name=None))


def test_routes_that_differ_in_personal_data_alone_are_one_part(make_workspace, shop, request_log, deployments):
    sk = make_workspace({**shop, **SLOS}, requests=request_log(*LOG), deployments=deployments)
    week = sk.team_week("sales", WEEK)
    columns = ("http_route", "http_response_status_code", "deployment_window", "spent_count")
    assert told(week.budget_parts["all"], *columns) == [
        ("/u/[email]", 500, "before", 2.0),
        ("/u/[email]", 500, "after", 1.0),
        ("/orders", 503, "before", 1.0),
    ]
    # Slices of five minutes: 3 of 4 are bad, a 404 among them, and 1 of 1.
    some = week.budget_parts["some"]
    assert told(some, *columns) == [
        ("/u/[email]", 500, "after", 1.0),
        ("/u/[email]", 500, "before", 0.5),
        ("/u/[email]", 404, "before", 0.25),
    ]
    assert {status.slo.name: status.budget_spent_count for status in week.statuses} == {"all": 4, "some": 1.75}
    assert "example.com" not in json.dumps(weekly_facts(week), default=str)


def test_one_statement_per_objective_is_enough(make_workspace, shop, request_log):
    week = make_workspace({**shop, **SLOS}, requests=request_log(*LOG)).team_week("sales", WEEK)
    assert week.statuses
    assert len(week.deployments) == 0
    before = len(week.tables.queries())
    assert set(week.budget_parts["all"]["deployment_window"]) == {"none"}
    assert week.tables.queries()["name"].iloc[before:].tolist() == ["availability_bad"] * 2


def test_late_rows_are_in_the_next_report(make_workspace, shop, request_log):
    sk = make_workspace({**shop, **SLOS}, requests=request_log(*LOG))
    assert sk.team_week("sales", WEEK).budget_parts["all"]["spent_count"].sum() == 4
    late = [*LOG, ("2026-10-20T00:02:00Z", "shop", "DELETE", "/orders", 500, 0.1)]
    request_log(*late).to_parquet(sk.outputs / "requests.parquet")
    week = workspace.open(sk.parameters.directory).team_week("sales", WEEK)
    (status,) = (s for s in week.statuses if s.slo.name == "all")
    assert week.budget_parts["all"]["spent_count"].sum() == status.budget_spent_count == 5
    assert "DELETE" in set(week.budget_parts["all"]["http_request_method"])


def test_a_month_that_ended_in_the_week_has_its_own_parts(make_workspace, shop, request_log):
    month = SLOS["slos/all.yaml"].replace(
        "{duration: 28d, isRolling: true}",
        '{duration: 1M, isRolling: false, calendar: {startTime: "2026-01-01 00:00:00", timeZone: Asia/Tokyo}}',
    )
    after = ("2026-10-31T16:00:00Z", "shop", "GET", "/november", 500, 0.1)
    week = make_workspace({**shop, "slos/all.yaml": month}, requests=request_log(*LOG, after)).team_week(
        "sales", WEEK
    )
    (october,), (november,) = week.closed_statuses, week.statuses
    assert october.window.end == datetime.fromisoformat("2026-10-31T15:00:00Z") == november.window.start
    assert week.closed_budget_parts["all"]["spent_count"].sum() == october.budget_spent_count == 4
    assert told(week.budget_parts["all"], "http_route", "spent_count") == [("/november", 1.0)]
