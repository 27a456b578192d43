"""The shipped parameters and the generated data speak of the same organisation."""

import pytest

from shokubai.config.model import route_matches
from shokubai.demo import plants_of, records
from shokubai.demo.events import DEFAULT_SEED
from shokubai.demo.organization import BY_NAME, ROUTES, SERVICES, WINDOW
from shokubai.tables.contracts import MAX_LATENCY_THRESHOLDS


def test_twelve_teams_in_five_sites_and_two_languages(parameters):
    assert sorted(parameters.teams) == sorted(records.TEAMS)
    assert len(parameters.teams) == 12
    assert len({team.site for team in parameters.teams.values()}) == 5
    assert [t.name for t in parameters.teams.values() if t.language == "en"] == ["operations", "recognition"]


@pytest.mark.parametrize(("service", "route"), ROUTES, ids=lambda part: getattr(part, "path", ""))
def test_every_route_has_exactly_one_owner(parameters, service, route):
    owners = [t for t in parameters.teams.values() if t.owns_route(service.name, route.method, route.path)]
    assert len(owners) == 1


def test_every_slo_counts_some_route_of_its_teams(parameters):
    for slo in parameters.slos.values():
        matched = [
            r for s, r in ROUTES if s.name == slo.service and route_matches(slo.indicator.routes, r.method, r.path)
        ]
        teams = [t for t in parameters.teams.values() if slo in parameters.slos_of(t)]
        assert len(teams) == 1, slo.name
        assert matched, slo.name
        assert all(teams[0].owns_route(slo.service, r.method, r.path) for r in matched), slo.name


def test_the_slos_show_every_kind(parameters):
    slos = parameters.slos.values()
    assert {slo.service for slo in slos} == set(BY_NAME)
    assert {slo.budgeting for slo in slos} == {"Occurrences", "Timeslices", "RatioTimeslices"}
    assert {slo.indicator.kind for slo in slos} == {"availability", "latency"}
    assert {str(slo.window) for slo in slos} == {"28d rolling", "7d rolling", "1M calendar"}
    for service in SERVICES:
        thresholds = {s.indicator.threshold_seconds for s in slos if s.service == service.name} - {None}
        assert len(thresholds) <= MAX_LATENCY_THRESHOLDS


def test_the_demo_run_stands_at_the_end_of_the_data(parameters):
    run = parameters.run("weekly")
    assert run.as_of == WINDOW.end
    assert set(parameters.warehouse(run.warehouse).tables) == {
        "requests",
        "metrics",
        "deployments",
        "incidents",
        "alerts",
        "sre_requests",
    }


@pytest.mark.parametrize("seed", [DEFAULT_SEED, *range(1, 30)])
def test_events_belong_to_the_teams_that_own_the_place(parameters, seed):
    for event in plants_of(seed).events:
        owners = {team.name for team in parameters.teams.values() if event.service in team.services}
        if event.route:
            owners = {name for name in owners if parameters.team(name).owns_route(event.service, *event.route)}
        assert set(event.teams) == owners
