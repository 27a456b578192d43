from pathlib import Path
from types import SimpleNamespace

import pytest

from shokubai.core.errors import UsageError
from shokubai.runner import Plan, Shard, choose_shard


@pytest.mark.parametrize(
    ("said", "environment", "shard"),
    [
        (None, {}, None),
        ("1/1", {}, Shard(1, 1)),
        ("2/3", {}, Shard(2, 3)),
        ("*/3", {"JOB_COMPLETION_INDEX": "0"}, Shard(1, 3)),
        ("*/3", {"JOB_COMPLETION_INDEX": "2"}, Shard(3, 3)),
        # An index without a count divides nothing by itself.
        (None, {"JOB_COMPLETION_INDEX": "2"}, None),
        (None, {"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "1"}, None),
        (None, {"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "4"}, Shard(1, 4)),
        (None, {"CLOUD_RUN_TASK_INDEX": "3", "CLOUD_RUN_TASK_COUNT": "4"}, Shard(4, 4)),
        ("2/3", {"CLOUD_RUN_TASK_INDEX": "3", "CLOUD_RUN_TASK_COUNT": "4"}, Shard(2, 3)),
        ("2/3", {"CLOUD_RUN_TASK_INDEX": "x", "CLOUD_RUN_TASK_COUNT": "y"}, Shard(2, 3)),
    ],
)
def test_the_command_line_wins_over_the_scheduler(said, environment, shard):
    assert choose_shard(said, environment) == shard


IS_NO_SHARD = "not a shard; allowed is K/N such as 2/3 (K from 1 to N), or */N"
OR_NAME = "or name the shard: --shard K/N"


@pytest.mark.parametrize(
    ("said", "environment", "message"),
    [
        ("a/b", {}, f"--shard a/b: {IS_NO_SHARD}"),
        ("2", {}, f"--shard 2: {IS_NO_SHARD}"),
        ("", {}, f"--shard : {IS_NO_SHARD}"),
        ("1/0", {}, f"--shard 1/0: {IS_NO_SHARD}"),
        ("-1/3", {}, f"--shard -1/3: {IS_NO_SHARD}"),
        ("1/3\n", {}, f"--shard 1/3\n: {IS_NO_SHARD}"),
        ("0/3", {}, "--shard 0/3: there is no shard 0 of 3; allowed: 1/3 to 3/3"),
        ("4/3", {}, "--shard 4/3: there is no shard 4 of 3; allowed: 1/3 to 3/3"),
        (
            "*/3",
            {"CLOUD_RUN_TASK_INDEX": "1"},
            "--shard */3: K comes from JOB_COMPLETION_INDEX, which is not set; a Kubernetes Job sets it with "
            "completionMode: Indexed; elsewhere name the shard, such as 1/3",
        ),
        (
            "*/3",
            {"JOB_COMPLETION_INDEX": "3"},
            f"JOB_COMPLETION_INDEX in the environment is 3; allowed is 0 to 2, as there are 3 shards; {OR_NAME}",
        ),
        (
            None,
            {"CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "2"},
            f"CLOUD_RUN_TASK_INDEX in the environment is 2; allowed is 0 to 1, as there are 2 shards; {OR_NAME}",
        ),
        (
            None,
            {"CLOUD_RUN_TASK_COUNT": "2"},
            f"CLOUD_RUN_TASK_INDEX in the environment is ''; allowed is a whole number of at least 0; {OR_NAME}",
        ),
        (
            None,
            {"CLOUD_RUN_TASK_INDEX": "1", "CLOUD_RUN_TASK_COUNT": "two"},
            f"CLOUD_RUN_TASK_COUNT in the environment is 'two'; allowed is a whole number of at least 0; {OR_NAME}",
        ),
    ],
)
def test_what_is_no_shard_says_what_is_allowed(said, environment, message):
    with pytest.raises(UsageError) as raised:
        choose_shard(said, environment)
    assert str(raised.value) == message


def test_every_team_is_in_exactly_one_shard_however_the_names_come():
    names = [f"team{number}" for number in range(13)]
    for count in range(1, 20):
        parts = [Shard(index, count).teams_of(reversed(names)) for index in range(1, count + 1)]
        assert sorted(team for part in parts for team in part) == sorted(names)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_first_shard_that_reads_a_warehouse_brings_it_up_to_date():
    """Of four teams the last one, in shard 2 of 2, reads another warehouse than the run."""
    names = ("a", "b", "c", "d")
    teams = {name: SimpleNamespace(warehouse="own" if name == "d" else None) for name in names}

    def plan(index, warehouse=None):
        parameters, run = SimpleNamespace(team=teams.get), SimpleNamespace(warehouse="main")
        shard = index and Shard(index, 2)
        return Plan(run, None, None, parameters, Path(), (), names, shard, warehouse)

    assert not plan(None).is_built_by_another("main")
    assert not plan(1).is_built_by_another("main")
    assert plan(2).is_built_by_another("main")
    assert not plan(2).is_built_by_another("own")
    assert plan(2, "own").is_built_by_another("own")
