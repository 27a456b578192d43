"""The contract of ``facts.json``: its schema, and what joins one week's facts with the next one's."""

import json
import math
from datetime import UTC, date, datetime
from importlib.resources import files

import jsonschema
import numpy as np
import pandas as pd
import pytest

from shokubai import workspace
from shokubai.page.facts import plain, weekly_facts

TEAMS = (
    "approval",
    "archive",
    "billing",
    "identity",
    "intake",
    "issuing",
    "matching",
    "messaging",
    "operations",
    "partner",
    "recognition",
    "search",
)


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(files("shokubai.page").joinpath("facts.schema.json").read_text(encoding="utf-8"))
    made = jsonschema.validators.validator_for(schema)
    made.check_schema(schema)
    return made(schema, format_checker=made.FORMAT_CHECKER)


@pytest.mark.parametrize("week", ["2026-W43", "2026-W44"])
@pytest.mark.parametrize("team", TEAMS)
def test_facts_keep_their_contract(demo_facts, validator, team, week):
    facts = demo_facts(team, week)
    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(facts)] == []
    assert (facts["team"], facts["week"], facts["status"]) == (team, week, "made")


def test_the_contract_refuses_what_is_not_in_it(demo_facts, validator):
    facts = demo_facts("search", "2026-W44")
    without = {name: value for name, value in facts.items() if name != "data_complete_through"}
    assert not validator.is_valid(without)
    assert not validator.is_valid({**facts, "rank": 1})
    slo = {**facts["slos"][0], "verdict": "fine"}
    assert not validator.is_valid({**facts, "slos": [slo]})


def every_value(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from every_value(item)
    else:
        yield value


def test_facts_are_json_and_the_same_when_computed_again(demo_outputs, parameters, demo_facts):
    before = demo_facts("search", "2026-W43")
    stated = demo_facts("search", "2026-W44")
    opened = workspace.open(parameters.directory, demo_outputs)
    again = weekly_facts(opened.team_week("search", "2026-W44", previous_facts=before))
    assert json.loads(json.dumps(again, allow_nan=False)) == again
    assert all(value is None or isinstance(value, str | int | float | bool) for value in every_value(again))
    assert not any(isinstance(value, float) and math.isnan(value) for value in every_value(again))
    own = ("provenance",)  # how many statements were run depends on who else asked
    assert {k: v for k, v in again.items() if k not in own} == {k: v for k, v in stated.items() if k not in own}
    ids = [finding["id"] for finding in again["findings"]]
    assert len(set(ids)) == len(ids) > 0


@pytest.mark.parametrize(
    ("team", "rule", "subject"),
    [
        ("issuing", "budget", "issuing-availability"),  # the slow burn
        ("archive", "saturation", "process.memory.usage"),  # the leak
    ],
)
def test_what_lasts_is_continued_in_the_next_week(demo_facts, team, rule, subject):
    def the_finding(week):
        (found,) = (f for f in demo_facts(team, week)["findings"] if (f["rule"], f["subject"]) == (rule, subject))
        return found

    first, second = the_finding("2026-W43"), the_finding("2026-W44")
    assert first["id"] == second["id"]
    assert (first["state"], first["weeks"]) == ("new", 1)
    assert (second["state"], second["weeks"]) == ("continuing", 2)
    assert "week 2" in second["text"]["en"]["label"]
    assert "2週目" in second["text"]["ja"]["label"]


def test_without_last_weeks_facts_everything_is_new(demo_workspace):
    findings = demo_workspace.team_week("archive", "2026-W44").findings
    assert {(f.state, f.weeks) for f in findings} == {("new", 1)}


VALUES = [
    (float("nan"), None),
    (math.inf, None),
    (np.float64("nan"), None),
    (pd.NA, None),
    (pd.NaT, None),
    (np.int64(3), 3),
    (np.float64(0.1), 0.1),
    (np.bool_(True), True),
    (pd.Timestamp("2026-10-27T01:00:00+09:00"), "2026-10-26T16:00:00Z"),
    (datetime(2026, 10, 27, 0, 0, 0, 500_000, tzinfo=UTC), "2026-10-27T00:00:00.500000Z"),
    (date(2026, 10, 27), "2026-10-27"),
    ({"a": (1, [float("nan")])}, {"a": [1, [None]]}),
    ("文", "文"),
    (None, None),
]


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_plain_values(value, expected):
    made = plain(value)
    assert made == expected
    assert type(made) is type(expected)
