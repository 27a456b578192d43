"""What right parameters become."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shokubai import config
from shokubai.config.model import Indicator, Ownership, Parameters, Slo, SloWindow, Supporter, Text
from shokubai.config.slos import MOST_LATENCY_THRESHOLDS
from shokubai.config.warehouses import TABLE_COLUMNS
from shokubai.core.errors import ConfigurationError
from shokubai.core.windows import Duration, Week
from shokubai.tables import contracts

Write = Callable[[dict[str, Any]], Path]

AVAILABILITY = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability, displayName: Uptime}
spec:
  service: invoice-api
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {type: shokubai, spec: {requests: failed}}}
        total: {metricSource: {type: shokubai, spec: {requests: all, routes: [/a, /b*], failed_statuses: [5xx, 429]}}}
"""


@pytest.fixture
def loaded(write_parameters: Write) -> Parameters:
    parameters, problems = config.check(write_parameters({}))
    assert problems == []
    assert parameters is not None
    return parameters


def slos_of(directory: Path) -> dict[str, Slo]:
    parameters, problems = config.check(directory)
    assert parameters is not None, problems
    return dict(parameters.slos)


def test_organization(loaded: Parameters) -> None:
    organization = loaded.organization
    assert organization.name == Text("Aoba", "あおば")
    assert organization.vision == Text("The catalyst.", "The catalyst.")
    assert organization.mission.in_language("en") == "しくみをつくる"
    assert organization.zone == ZoneInfo("Asia/Tokyo")
    assert organization.calendar.country == "JP"
    assert str(organization.source).endswith("organization.yaml:1")


def test_team(loaded: Parameters) -> None:
    team = loaded.team("core")
    assert team.display_name == Text("Invoice Core", "請求書基盤")
    assert (team.language, team.site, team.members, team.contact) == ("en", "Tokyo", 4, "#team-core")
    assert team.warehouse == "main"
    assert team.owns == (
        Ownership("invoice-api"),
        Ownership("gateway", ("/v1/invoices*", "POST /v1/uploads")),
    )


def test_team_without_language_speaks_the_organisations(write_parameters: Write) -> None:
    directory = write_parameters({"teams/core.yaml": "name: Core\nowns: [{service: invoice-api}]\n"})
    team = config.load(directory).team("core")
    assert (team.language, team.warehouse, team.members) == ("ja", None, None)


def test_who_of_sre_supports_a_team(write_parameters: Write) -> None:
    directory = write_parameters(
        {
            "organization.yaml": (
                "calendar: {country: JP}",
                'calendar: {country: JP}\nsre: {name: SRE, contact: "#sre"}',
            ),
            "teams/other.yaml": "name: Other\nsre: {name: Sato}\nowns: [{service: other}]\n",
        }
    )
    parameters = config.load(directory)
    assert parameters.supporter_of(parameters.team("core")) == Supporter("SRE", "#sre")
    assert parameters.supporter_of(parameters.team("other")) == Supporter("Sato")


def test_nobody_of_sre_is_made_up(loaded: Parameters) -> None:
    assert loaded.supporter_of(loaded.team("core")) is None


def test_slos(loaded: Parameters) -> None:
    availability = loaded.slos["invoice-availability"]
    assert availability.indicator == Indicator("availability")
    assert availability.window == SloWindow(Duration(28, "d"), is_rolling=True)
    assert (availability.objective, availability.budgeting) == (0.999, "Occurrences")
    assert (availability.service, availability.teams) == ("invoice-api", ("core",))
    assert (availability.display_name, availability.description) == ("請求書の可用性", "Invoices can be read.")
    assert availability.source.line == 1


def test_slo_by_reference_with_defaults(loaded: Parameters) -> None:
    latency = loaded.slos["invoice-latency"]
    assert latency.indicator == Indicator("latency", ("GET /v1/invoices*",), 0.3)
    assert latency.window == SloWindow(Duration(28, "d"), is_rolling=True)
    assert (latency.objective, latency.budgeting) == (0.99, "Occurrences")
    assert (latency.display_name, latency.teams) == ("invoice-latency", ())
    assert latency.source.line == 23


def test_warehouse(loaded: Parameters) -> None:
    warehouse = loaded.warehouse("main")
    assert warehouse.engine == "duckdb"
    requests = warehouse.tables["requests"]
    assert requests.path == "{outputs}/logs/*.parquet"
    assert dict(requests.columns) == {"timestamp": "ts", "http_route": "lower(path)"}
    assert requests.where == "kind = 'SERVER'"


def test_run(loaded: Parameters) -> None:
    run = loaded.run("weekly")
    assert (run.team_notebooks, run.organization_notebooks) == (("weekly_team_report",), ("sre_overview",))
    assert (run.warehouse, run.teams) == ("main", ("core",))
    assert run.as_of is not None
    assert run.as_of == datetime(2026, 11, 2, tzinfo=ZoneInfo("Asia/Tokyo"))


def test_run_for_all_teams_by_the_real_clock(write_parameters: Write) -> None:
    run = config.load(
        write_parameters({"runs/weekly.yaml": "team_notebooks: [weekly_team_report]\nwarehouse: main\nteams: all\n"})
    ).run("weekly")
    assert (run.teams, run.as_of, run.organization_notebooks) == ((), None, ())


def test_without_a_word_the_packages_agenda_is_agreed(loaded: Parameters) -> None:
    agenda = loaded.team("core").agenda
    assert (agenda.severities, agenda.budget_left_below_ratio) == (("critical", "warning"), 0.25)
    assert (agenda.continuing_weeks, agenda.always, agenda.never, agenda.minutes) == (3, (), (), 30)


def test_a_teams_agenda_goes_before_the_organisations_key_by_key(write_parameters: Write) -> None:
    organization = "\nagenda_when: {severities: [critical], always: [outage, data_gap], never: [traffic]}\n"
    team = "members: 4\nagenda_when: {never: [outage], continuing_weeks: off, budget_left_below_ratio: 0.5}\n"
    directory = write_parameters(
        {
            "organization.yaml": ("language: ja\n", f"language: ja{organization}agenda_minutes: 45\n"),
            "teams/core.yaml": ("members: 4\n", team),
        }
    )
    of_all, of_team = (lambda p: (p.organization.agenda, p.team("core").agenda))(config.load(directory))
    assert (of_all.severities, of_all.always, of_all.never, of_all.minutes) == (
        ("critical",),
        ("outage", "data_gap"),
        ("traffic",),
        45,
    )
    assert of_all.continuing_weeks == 3
    # What the team never wants is no longer always wanted; the rest is inherited.
    assert (of_team.severities, of_team.always, of_team.never) == (("critical",), ("data_gap",), ("outage",))
    assert (of_team.continuing_weeks, of_team.budget_left_below_ratio, of_team.minutes) == (None, 0.5, 45)
    path, source = of_team.sources["outage"]
    assert (path, source.file.name, source.line) == ("agenda_when.never[0]", "core.yaml", 5)


def test_rules(loaded: Parameters) -> None:
    assert loaded.rules["route_slower"]["minimum_change_factor"] == 1.2


def test_rules_may_be_left_out(write_parameters: Write) -> None:
    assert dict(config.load(write_parameters({"rules.yaml": None})).rules.values) == {}


def test_replies(loaded: Parameters, write_parameters: Write) -> None:
    replies = loaded.replies_of(loaded.team("core"))
    first, second = replies.values()
    assert list(replies) == [first.finding, second.finding]
    assert first.finding == "invoice-api|GET /v1/invoices|route_slower"
    assert (first.owner, first.reply) == ("Sato", "the index comes on Thursday")
    assert (first.accepted_until, first.handed_over) == (date(2026, 11, 30), None)
    assert (second.accepted_until, second.handed_over) == (None, Week(2026, 43))
    assert (second.source.file.name, second.source.line) == ("core.yaml", 5)


@pytest.mark.parametrize("text", [None, "", "# all are answered for\n", "{}\n"])
def test_a_team_need_not_reply(write_parameters: Write, text: str | None) -> None:
    parameters, problems = config.check(write_parameters({"replies/core.yaml": text}))
    assert parameters is not None and not problems
    assert dict(parameters.replies_of(parameters.team("core"))) == {}


def test_a_team_has_thresholds_of_its_own(write_parameters: Write) -> None:
    text = """\
name: Core
owns: [{service: invoice-api}]
rules:
  route_failing:
    minimum_extra_errors_count: {value: 5, reason: Each failure is an invoice that is not sent.}
"""
    rules = config.load(write_parameters({"teams/core.yaml": text})).team("core").rules
    assert rules["route_failing"] == {"minimum_extra_errors_count": 5}
    name = "route_failing.minimum_extra_errors_count"
    assert rules.reasons == {name: "Each failure is an invoice that is not sent."}
    assert (rules.sources["route_failing"].line, rules.sources[name].line, rules.place) == (4, 5, "rules")


def test_a_team_may_leave_its_thresholds_out(loaded: Parameters) -> None:
    assert dict(loaded.team("core").rules.values) == {}


def test_several_objectives_give_several_slos(write_parameters: Write) -> None:
    objectives = """\
  objectives:
    - {displayName: Internal Goal, target: 0.999}
    - {displayName: 契約, target: 0.99}
    - {target: 0.98}
"""
    slos = slos_of(write_parameters({"slos/more.yaml": AVAILABILITY + objectives}))
    assert [(name, slos[name].objective, slos[name].display_name) for name in slos if name.startswith("avail")] == [
        ("availability-internal-goal", 0.999, "Uptime: Internal Goal"),
        ("availability-2", 0.99, "Uptime: 契約"),
        ("availability-3", 0.98, "Uptime: 3"),
    ]


def test_failed_statuses_and_routes(write_parameters: Write) -> None:
    slos = slos_of(write_parameters({"slos/more.yaml": AVAILABILITY + "  objectives: [{target: 0.999}]\n"}))
    indicator = slos["availability"].indicator
    assert indicator.error_statuses == ((429, 429), (500, 599))
    assert [indicator.is_error(status) for status in (200, 404, 429, 500, 599)] == [False, False, True, True, True]
    assert indicator.routes == ("/a", "/b*")


# 99.9 / 100 is 0.9990000000000001 in binary; the objective must be the very 0.999.
@pytest.mark.parametrize(
    ("percent", "ratio"), [("99.9", 0.999), ("99.95", 0.9995), ("99", 0.99), ("99.999", 0.99999)]
)
def test_target_percent_is_exact(write_parameters: Write, percent: str, ratio: float) -> None:
    slos = slos_of(
        write_parameters({"slos/more.yaml": AVAILABILITY + f"  objectives: [{{targetPercent: {percent}}}]\n"})
    )
    assert slos["availability"].objective == ratio


def test_calendar_window_with_slices(write_parameters: Write) -> None:
    text = (
        AVAILABILITY
        + """\
  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: {startTime: 2026-01-01 09:00:00, timeZone: Asia/Tokyo}
  budgetingMethod: Timeslices
  objectives: [{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]
"""
    )
    slo = slos_of(write_parameters({"slos/more.yaml": text}))["availability"]
    assert slo.window.anchor == datetime(2026, 1, 1, 9)  # noqa: DTZ001 - wall clock
    assert slo.window.zone == ZoneInfo("Asia/Tokyo")
    assert (slo.budgeting, slo.time_slice_target) == ("Timeslices", 0.95)
    assert slo.time_slice_window is not None
    assert slo.time_slice_window.timedelta == timedelta(minutes=5)


def test_label_with_several_teams(write_parameters: Write) -> None:
    directory = write_parameters(
        {
            "slos/invoice-api.yaml": ("labels: {team: core}", "labels: {team: [core, more], env: prod}"),
            "teams/more.yaml": "name: More\nowns: [{service: invoice-api}]\n",
        }
    )
    assert slos_of(directory)["invoice-availability"].teams == ("core", "more")


def test_two_teams_may_own_the_same_service(write_parameters: Write) -> None:
    directory = write_parameters({"teams/more.yaml": "name: More\nowns: [{service: invoice-api}]\n"})
    parameters, problems = config.check(directory)
    assert problems == []
    assert parameters is not None
    assert [slo.name for slo in parameters.slos_of(parameters.team("more"))] == ["invoice-latency"]


def test_other_kinds_are_accepted(write_parameters: Write) -> None:
    text = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: invoice-api, annotations: {example.com/folder: ./here}}
spec: {description: Invoices.}
---
# A document with nothing in it is nothing.
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: prometheus}
spec: {type: Prometheus, connectionDetails: [{url: "http://prometheus.example.com"}]}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast-burn}
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: {name: fast}
      spec: {severity: page, condition: {kind: burnrate, op: gt, threshold: 13.44, lookbackWindow: 1h}}
  notificationTargets: [{targetRef: on-call}]
"""
    _, problems = config.check(write_parameters({"slos/more.yaml": text}))
    assert problems == []


def test_load_raises_every_problem_at_once(write_parameters: Write) -> None:
    directory = write_parameters(
        {"organization.yaml": ("language: ja", "language: fr"), "teams/core.yaml": ("members: 4", "members: -1")}
    )
    with pytest.raises(ConfigurationError) as caught:
        config.load(directory)
    assert [problem.file.name for problem in caught.value.problems] == ["organization.yaml", "core.yaml"]
    assert caught.value.exit_status == 2


def test_warnings_do_not_stop_loading(write_parameters: Write) -> None:
    directory = write_parameters({"teams/more.yaml": "name: More\nowns: [{service: other}]\n"})
    assert set(config.load(directory).teams) == {"core", "more"}


def test_columns_that_may_be_mapped_are_those_of_the_contracts() -> None:
    assert {name: tuple(contract.columns) for name, contract in contracts.RAW_TABLES.items()} == dict(TABLE_COLUMNS)


def test_latency_thresholds_are_as_many_as_the_minute_counts_hold() -> None:
    assert MOST_LATENCY_THRESHOLDS == contracts.MAX_LATENCY_THRESHOLDS
