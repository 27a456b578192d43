"""All rules together: order, tests of many comparisons, life from week to week, facts."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from shokubai.config.model import Ownership, Reply, Rules, Source
from shokubai.core.windows import Week
from shokubai.findings import (
    Candidate,
    Finding,
    default_rules,
    default_rules_text,
    find,
    finding_facts,
    finding_from_facts,
    foremost,
    unknown_among,
)
from shokubai.findings.model import Acceptance, TeamThreshold
from shokubai.findings.rules import all_rules

ROOT = Path(__file__).parents[3]
USUAL = {0.1: 949, 0.2: 51}
SLOW = {0.1: 700, 0.2: 50, 0.6: 250}


def slower(build, route="/v1/invoices", week=SLOW, before=USUAL):
    return {
        "route_latency": build.route_latency(week, route=route),
        "comparable_route_latency": build.route_latency(before, route=route),
        "last_month_route_latency": build.route_latency(before, route=route),
    }


def missed(build):
    return build.status(budget_left_ratio=-0.3, bad_count=1300.0, verdict="missed")


def test_no_evidence_gives_no_finding(build):
    assert find(build.evidence()) == ()


def test_good_news_comes_first_then_severity_then_affected_requests(build):
    gap = build.silences((build.at("10-26 13:30"), build.at("10-26 16:00"), 900.0, "late"))
    statuses = (missed(build), build.status(name="latency", kind="latency"))
    evidence = build.evidence(
        statuses=statuses, previous_verdicts={"latency": "missed"}, silences=gap, **slower(build)
    )
    found = find(evidence)
    assert [(f.rule, f.severity) for f in found] == [
        ("recovered", "good"),
        ("budget", "critical"),
        ("route_slower", "warning"),
        ("data_gap", "notice"),
    ]
    small, large = slower(build, "/a", week={0.1: 900, 0.6: 100}), slower(build, "/b")
    both = build.evidence(**{name: pd.concat([small[name], large[name]]) for name in small})
    assert [f.route for f in find(both)] == ["/b", "/a"]


def test_the_order_of_rows_does_not_matter(build):
    frames = {
        name: pd.concat([frame, build.route_latency(SLOW, route="/v1/other")])
        for name, frame in slower(build).items()
    }
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in frames.items()}
    assert find(build.evidence(**frames)) == find(build.evidence(**shuffled))


def test_only_what_the_team_owns_is_looked_at(build):
    evidence = build.evidence(**slower(build))
    assert len(find(evidence)) == 1
    elsewhere = replace(evidence.team, owns=(Ownership("auth"),))
    assert find(replace(evidence, team=elsewhere)) == ()
    other_route = replace(evidence.team, owns=(Ownership(build.service, ("/v1/approvals",)),))
    assert find(replace(evidence, team=other_route)) == ()
    this_route = replace(evidence.team, owns=(Ownership(build.service, ("GET /v1/inv*",)),))
    assert len(find(replace(evidence, team=this_route))) == 1


def test_one_borderline_comparison_among_many_is_left_out(build):
    """A p-value of 0.001 among 100 comparisons is no finding; alone it is one."""
    # 6 of 220 requests beyond the baseline's p95 bucket, where 0 of 220 were, have p = 0.013 (z = 2.47).
    lenient = Rules({"route_slower": {"minimum_slower_share_ratio": 0.0, "minimum_change_factor": 1.0}})
    week, before = {0.1: 205, 0.2: 3, 0.6: 12}, {0.1: 206, 0.2: 14}
    alone = build.evidence(rules=lenient, **slower(build, "/odd", week, before))
    [found] = find(alone)
    assert found.route == "/odd"
    many = {
        name: pd.concat([frame, *(build.route_latency({0.1: 206, 0.2: 14}, route=f"/same/{n}") for n in range(200))])
        for name, frame in slower(build, "/odd", week, before).items()
    }
    assert find(build.evidence(rules=lenient, **many)) == ()


def test_the_traffic_of_days_does_not_let_chance_pass_among_the_routes(build):
    """p = 0.00044 among 201 routes is no finding, whatever the p-values of seven days' traffic are.

    12 of 220 requests beyond the baseline's p95 bucket, where 0 of 220 were, are z = 3.51. Of 201 the smallest must
    be below 0.05/201 = 0.00025; together with the days it would be the eighth of 208, and 0.0019 enough.
    """
    lenient = Rules({"route_slower": {"minimum_slower_share_ratio": 0.0, "minimum_change_factor": 1.0}})
    week, before = {0.1: 205, 0.2: 3, 0.6: 12}, {0.1: 206, 0.2: 14}
    frames = {
        name: pd.concat([frame, *(build.route_latency({0.1: 206, 0.2: 14}, route=f"/same/{n}") for n in range(200))])
        for name, frame in slower(build, "/odd", week, before).items()
    }
    traffic = {
        "route_hours": build.route_hours(build.start, [1000] * 168),
        "comparable_route_hours": build.route_hours(build.before, [800] * 168),
    }
    assert find(build.evidence(rules=lenient, **frames, **traffic)) == ()


def test_what_matters_most_is_not_the_good_news_that_is_read_first():
    good, critical, notice = ({"severity": severity} for severity in ("good", "critical", "notice"))
    assert foremost([good, critical, notice]) is critical
    assert foremost([notice]) is notice
    assert foremost([good]) is good
    assert foremost([]) is None


def weeks_later(evidence, weeks):
    """The same evidence, called that of a later week: the frames that these tests need have no times."""
    return replace(evidence, week=evidence.week.plus(weeks))


def test_a_finding_lives_on_and_is_told_once_when_it_is_gone(build):
    first = find(build.evidence(**slower(build)))
    assert [(f.state, f.weeks) for f in first] == [("new", 1)]
    # The slow week has become the comparable one; the route is still slow.
    frames = slower(build) | {"comparable_route_latency": build.route_latency(SLOW)}
    second = find(weeks_later(build.evidence(**frames), 1), previous=[finding_facts(f) for f in first])
    assert [(f.case, f.state, f.weeks) for f in second] == [("still_slower", "continuing", 2)]
    healed = slower(build, week=USUAL, before=SLOW)
    third = find(weeks_later(build.evidence(**healed), 2), previous=[finding_facts(f) for f in second])
    assert [(f.case, f.state, f.severity, f.weeks) for f in third] == [("resolved", "resolved", "good", 2)]
    assert {f.id for f in (*first, *second, *third)} == {first[0].id}
    assert find(weeks_later(build.evidence(**healed), 3), previous=[finding_facts(f) for f in third]) == ()


def test_the_same_finding_in_a_row_counts_its_weeks(build):
    burning = replace(missed(build), forecast=replace(missed(build).forecast, pace_burn_rate=1.5))
    evidence = build.evidence(statuses=(burning,))
    previous = None
    for week in (1, 2, 3):
        [found] = find(weeks_later(evidence, week - 1), previous=previous)
        assert (found.state, found.weeks) == ("new" if week == 1 else "continuing", week)
        previous = [finding_facts(found)]


def test_a_worse_case_of_the_same_thing_continues(build):
    burning = build.status(
        budget_left_ratio=0.4, bad_count=600.0, forecast=replace(missed(build).forecast, pace_burn_rate=1.5)
    )
    first = find(build.evidence(statuses=(burning,)))
    worse = weeks_later(build.evidence(statuses=(missed(build),)), 1)
    [second] = find(worse, previous=[finding_facts(f) for f in first])
    assert (first[0].case, second.case, second.state, second.weeks) == ("slow_burn", "exhausted", "continuing", 2)


def test_events_do_not_live_on(build):
    gap = build.silences((build.at("10-26 13:30"), build.at("10-26 16:00"), 900.0, "telemetry_gap"))
    first = find(build.evidence(silences=gap))
    assert find(weeks_later(build.evidence(), 1), previous=[finding_facts(f) for f in first]) == ()
    # The same week again: what it stated itself is no memory.
    [again] = find(build.evidence(silences=gap), previous=[finding_facts(f) for f in first])
    assert (again.state, again.weeks) == ("new", 1)


def test_facts_round_trip_through_json():
    finding = Finding(
        "route_slower",
        "slower",
        "search-api",
        "warning",
        method="GET",
        route="/v1/search",
        started_at=pd.Timestamp("2026-10-27T05:00Z").to_pydatetime(),
        numbers={"p95_seconds": 0.5, "last_month_p95_seconds": None},
        candidate=Candidate("deployment", pd.Timestamp("2026-10-27T05:02Z").to_pydatetime(), "v7", "faster sorting"),
        state="continuing",
        weeks=3,
        first_week=Week(2026, 42),
        returned_after=Week(2026, 40),
        reply=Reply("search-api|GET /v1/search|route_slower", "Sato", "index", date(2026, 11, 30), Week(2026, 43)),
        acceptance=Acceptance("notice", {"p95_seconds": 0.4, "reference_p95_seconds": None}, ended="worse"),
        check="no_effect",
    )
    facts = json.loads(json.dumps(finding_facts(finding)))
    assert finding_from_facts(facts) == finding
    assert facts["started_at"] == "2026-10-27T05:00:00Z"
    assert finding_facts(replace(finding, numbers={"x_factor": float("inf")}))["numbers"] == {"x_factor": None}


def test_the_packaged_rules_and_the_parameters_agree():
    assert (ROOT / "parameters/rules.yaml").read_text(encoding="utf-8") == default_rules_text()


def test_every_threshold_has_a_value_and_a_reason_and_is_used():
    document = yaml.safe_load(default_rules_text())
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "lib/shokubai/findings").rglob("*.py"))
    for rule, thresholds in document.items():
        assert f'"{rule}"' in source
        for name, entry in thresholds.items():
            assert set(entry) == {"value", "reason"}
            assert len(entry["reason"]) > 20
            assert f'"{name}"' in source
    assert set(document) - {rule.name for rule in all_rules()} == {"candidate", "comparisons", "life"}


def test_thresholds_of_the_organisation_win_and_the_rest_stays(build):
    evidence = build.evidence(rules=Rules({"route_slower": {"minimum_change_factor": 4.0}}))
    assert evidence.thresholds("route_slower")["minimum_change_factor"] == 4.0
    assert evidence.thresholds("route_slower")["minimum_requests_count"] == 200
    assert evidence.thresholds("outage") == default_rules()["outage"]
    assert find(replace(evidence, **slower(build))) == ()


def test_thresholds_of_the_team_win_over_those_of_the_organisation_and_are_told(build):
    common = Rules({"route_slower": {"minimum_change_factor": 4.0, "minimum_change_seconds": 0.05}})
    evidence = build.evidence(rules=common, **slower(build))
    assert find(evidence) == ()
    own = Rules(
        {"route_slower": {"minimum_change_factor": 1.5}, "outage": {"minimum_bad_count": 5.0}},
        reasons={"route_slower.minimum_change_factor": "Search has to feel instant."},
    )
    mine = replace(evidence, team=replace(evidence.team, rules=own))
    assert mine.thresholds("route_slower")["minimum_change_factor"] == 1.5
    assert mine.thresholds("route_slower")["minimum_change_seconds"] == 0.05
    assert mine.thresholds("route_slower")["minimum_requests_count"] == 200
    [found] = find(mine)
    [threshold] = found.team_thresholds
    assert threshold == TeamThreshold(
        "route_slower", "minimum_change_factor", 1.5, 4.0, "Search has to feel instant."
    )
    assert finding_from_facts(json.loads(json.dumps(finding_facts(found)))) == found


def test_a_misspelt_rule_or_threshold_is_named_with_file_and_line():
    assert unknown_among(default_rules()) == ()
    file = Path("rules.yaml")
    wrong = Rules(
        {"route_slow": {"minimum_change_factor": 2}, "budget": {"slow_burn": 2}},
        {"route_slow": Source(file, 3), "budget": Source(file, 7), "budget.slow_burn": Source(file, 8)},
    )
    rule, threshold = unknown_among(wrong)
    assert (rule.line, rule.where, rule.nearest) == (3, "route_slow", "route_slower")
    assert (threshold.line, threshold.where) == (8, "budget.slow_burn")
    assert "slow_burn_factor" in threshold.allowed


def test_weeks_without_change_are_quiet(build):
    """A/A over whole reports: 12 routes, three weeks drawn from the same distributions, 10 times."""
    rng = np.random.default_rng(21)
    with_findings = 0
    for _ in range(10):
        frames: dict[str, list[pd.DataFrame]] = {}
        for n in range(12):
            route, sigma, ratio = f"/r/{n}", rng.uniform(0.4, 0.9), 10 ** rng.uniform(-4, -2)
            hourly = int(rng.integers(2, 40))
            for prefix, start in (("", build.start), ("comparable_", build.before), ("last_month_", None)):
                requests = rng.poisson(hourly, 168)
                errors = rng.binomial(requests, ratio)
                durations = np.round(rng.lognormal(-2, sigma, int(requests.sum())), 3)
                values, counts = np.unique(durations, return_counts=True)
                histogram = dict(zip(values.tolist(), counts.tolist(), strict=True))
                made = {
                    f"{prefix}route_latency": build.route_latency(histogram, route=route),
                    f"{prefix}route_counts": build.route_counts(int(requests.sum()), int(errors.sum()), route=route),
                }
                if start is not None:
                    made[f"{prefix}route_hours"] = build.route_hours(
                        start, requests.tolist(), errors.tolist(), route=route
                    )
                for name, frame in made.items():
                    frames.setdefault(name, []).append(frame)
        evidence = build.evidence(**{name: pd.concat(parts) for name, parts in frames.items()})
        with_findings += bool(find(evidence))
    assert with_findings == 0


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
def test_each_rule_is_silent_without_evidence(build, rule):
    assert list(rule.observe(build.evidence())) == []
