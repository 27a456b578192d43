import json
import re

import duckdb
import pytest
from click.testing import CliRunner

from shokubai.cli import main

FILES = {
    "parameters/organization.yaml": (
        "name: Aoba\nvision: Catalyst\nmission: Mechanisms\ntime_zone: Asia/Tokyo\nlanguage: en\n"
        "calendar: {country: JP}\n"
    ),
    "parameters/teams/alpha.yaml": "name: Alpha\nlanguage: en\nowns: [{service: shop}]\n",
    "parameters/teams/beta.yaml": "name: Beta\nlanguage: en\nowns: [{service: shop}]\n",
    "parameters/warehouses/main.yaml": "engine: duckdb\ntables:\n  requests: {path: requests.parquet}\n",
    "parameters/runs/weekly.yaml": (
        "team_notebooks: [report]\norganization_notebooks: []\nwarehouse: main\nteams: all\n"
        "as_of: 2026-11-02T00:00:00+09:00\n"
    ),
}
SIGNATURE = 'team: str = ""\nweek: str = ""'
FACTS = """\
from IPython.display import display
display({"application/vnd.shokubai.facts+json": {"status": "made"}, "text/plain": "facts"}, raw=True)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with two teams and one request, entered."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "execution_count": None,
            "metadata": {"tags": [] if number else ["parameters"]},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate([SIGNATURE, FACTS])
    ]
    notebook = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    for name, text in {**FILES, "notebooks/report.ipynb": notebook}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    duckdb.connect().execute(
        f"""
        COPY (
            SELECT TIMESTAMPTZ '2026-10-28 00:00:00+00' AS timestamp, 'shop' AS service_name, '/' AS http_route,
                'GET' AS http_request_method, 200::BIGINT AS http_response_status_code, 0.1 AS duration_seconds
        ) TO '{tmp_path}/requests.parquet' (FORMAT parquet)
        """
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(main, arguments)


@pytest.mark.notebooks
def test_shards_are_made_and_joined(folder):
    for index in (1, 2):
        made = invoke("run", "weekly", "--shard", f"{index}/2", "--outputs", f"shards/{index}")
        assert made.exit_code == 0
    # As a shell gives `--from shards/*`.
    joined = invoke("join", "weekly", "--week", "2026-W44", "--from", "shards/1", "shards/2")
    assert (joined.exit_code, joined.stdout) == (
        0,
        "2 made · 0 no data · 0 failed · 0 up to date\noutputs/index.html\n",
    )
    assert re.fullmatch(r"alpha/report: made \(.* s\)\nbeta/report: made \(.* s\)\n", joined.stderr)
    again = invoke("join", "weekly", "--from", "shards/1", "--from", "shards/2")
    assert (again.exit_code, again.stdout, again.stderr) == (
        0,
        "0 made · 0 no data · 0 failed · 2 up to date\noutputs/index.html\n",
        "",
    )


@pytest.mark.notebooks
def test_a_missing_shard_is_exit_status_1(folder):
    assert invoke("run", "weekly", "--shard", "1/2", "--outputs", "shards/1").exit_code == 0
    (folder / "shards" / "2" / "weekly" / "2026-W44").mkdir(parents=True)
    joined = invoke("join", "weekly", "--from", "shards/1", "--from", "shards/2")
    assert (joined.exit_code, joined.stdout) == (
        1,
        "failed: beta/report: no shard made this report: shard 2/2 is missing or was not finished\n"
        "1 made · 0 no data · 1 failed · 0 up to date\n"
        "outputs/index.html\n",
    )
    assert joined.stderr.splitlines()[0] == "not finished: shards/2 (its run has not ended)"


def test_folders_without_shards_are_exit_status_2(folder):
    (folder / "empty").mkdir()
    result = invoke("join", "weekly", "--from", "empty")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("no shard of run 'weekly' in 2026-W44 has ended in: empty (it has no reports); ")
    assert not (folder / "outputs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "absent"], "Directory 'absent' does not exist."),
        ([], "Missing option '--from'."),
    ],
)
def test_folders_that_do_not_exist(folder, arguments, message):
    result = invoke("join", "weekly", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
