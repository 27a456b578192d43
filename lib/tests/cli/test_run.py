import fcntl
import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from shokubai.cli import main
from shokubai.cli.terminal import console
from shokubai.cli.watching import tell_end
from shokubai.core.windows import Week
from shokubai.runner import Summary, WeekOutcome
from shokubai.runner.journal import Record

FILES = {
    "parameters/organization.yaml": (
        "name: Aoba\nvision: Catalyst\nmission: Mechanisms\ntime_zone: Asia/Tokyo\nlanguage: en\n"
        "calendar: {country: JP}\n"
    ),
    "parameters/teams/alpha.yaml": "name: Alpha\nlanguage: en\nowns: [{service: shop}]\n",
    "parameters/teams/beta.yaml": "name: Beta\nlanguage: en\nowns: [{service: shop}]\n",
    "parameters/warehouses/main.yaml": 'engine: duckdb\ntables:\n  requests: {path: "{outputs}/requests.parquet"}\n',
    "parameters/runs/weekly.yaml": (
        "team_notebooks: [report]\norganization_notebooks: []\nwarehouse: main\nteams: all\n"
        "as_of: 2026-11-02T00:00:00+09:00\n"
    ),
}
FACTS = """\
from IPython.display import display
display({"application/vnd.shokubai.facts+json": {"status": "made"}, "text/plain": "facts"}, raw=True)
"""


def write_notebook(file, *cells, signature='team: str = ""\nweek: str = ""'):
    made = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "execution_count": None,
            "metadata": {"tags": [] if number else ["parameters"]},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate([signature, *cells])
    ]
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with two teams and one request, entered."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "outputs").mkdir()
    duckdb.connect().execute(
        f"""
        COPY (
            SELECT TIMESTAMPTZ '2026-10-28 00:00:00+00' AS timestamp, 'shop' AS service_name, '/' AS http_route,
                'GET' AS http_request_method, 200::BIGINT AS http_response_status_code, 0.1 AS duration_seconds
        ) TO '{tmp_path}/outputs/requests.parquet' (FORMAT parquet)
        """
    )
    write_notebook(tmp_path / "notebooks" / "report.ipynb", FACTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(*arguments):
    """What a command that must not run anything says."""
    result = CliRunner().invoke(main, ["run", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


def test_an_unknown_run(folder):
    assert refused("weakly") == (
        "no run is called 'weakly' in parameters/runs; there are: weekly; did you mean 'weekly'?\n"
    )


def test_an_unknown_team(folder):
    assert refused("weekly", "--team", "alpha", "--team", "betta") == (
        "no team is called 'betta' in parameters/teams; there are: alpha, beta; did you mean 'beta'?\n"
    )


@pytest.mark.parametrize("week", ["2026-44", "2026-W54", "W44", "last"])
def test_a_week_that_is_none(folder, week):
    assert refused("weekly", "--week", week) == (
        f"week {week!r} is not an ISO week; write it as 2026-W44 (W01 to W52 or W53)\n"
    )


def test_a_week_that_is_not_over(folder):
    assert refused("weekly", "--week", "2026-W45") == (
        "week 2026-W45 is not over at 2026-11-02 00:00 UTC+09:00; the last complete week is 2026-W44\n"
    )


def test_a_notebook_that_cannot_take_the_parameters(folder):
    write_notebook(folder / "notebooks" / "report.ipynb", signature="team: int = 1\nweek: str")
    assert refused("weekly") == (
        "notebooks/report.ipynb: parameter 'team' is declared as int, but the run sets a str; "
        'declare it as team: str = ""\n'
    )


def test_a_missing_notebook(folder):
    assert refused("weekly", "--notebooks", "elsewhere") == (
        "elsewhere/report.ipynb: no such notebook; there are: none\n"
    )


def test_wrong_parameters_are_all_named_before_anything_runs(folder):
    (folder / "parameters/teams/alpha.yaml").write_text("name: Alpha\nlanguage: de\n")
    told = refused("weekly")
    assert "parameters/teams/alpha.yaml:2: error: " in told
    assert "parameters/teams/alpha.yaml:1: error: " in told
    assert not (folder / "outputs" / "weekly").exists()


@pytest.mark.parametrize("shard", ["0/3", "4/3", "a/b"])
def test_a_shard_that_is_none(folder, shard):
    assert refused("weekly", "--shard", shard).startswith(f"--shard {shard}: ")
    assert not (folder / "outputs" / "weekly").exists()


def test_a_broken_environment_of_a_cloud_run_task(folder, monkeypatch):
    monkeypatch.setenv("CLOUD_RUN_TASK_COUNT", "3")
    monkeypatch.setenv("CLOUD_RUN_TASK_INDEX", "3")
    assert refused("weekly") == (
        "CLOUD_RUN_TASK_INDEX in the environment is 3; allowed is 0 to 2, as there are 3 shards; "
        "or name the shard: --shard K/N\n"
    )


@pytest.mark.notebooks
def test_a_shard_makes_its_teams_and_one_without_teams_says_so(folder, monkeypatch):
    monkeypatch.setenv("CLOUD_RUN_TASK_COUNT", "2")
    monkeypatch.setenv("CLOUD_RUN_TASK_INDEX", "1")
    made = CliRunner().invoke(main, ["run", "weekly"])
    assert (made.exit_code, made.stdout) == (0, "1 made · 0 no data · 0 failed · 0 up to date\noutputs/index.html\n")
    assert made.stderr.startswith("beta/report: made")
    # The command line wins; there are two teams.
    (folder / "third").mkdir()
    none = CliRunner().invoke(main, ["run", "weekly", "--shard", "3/3", "--outputs", "third"])
    assert (none.exit_code, none.stderr) == (0, "shard 3/3 has no team: the run has 2\n")


@pytest.mark.notebooks
def test_a_run_tells_each_report_and_sums_up(folder):
    write_notebook(folder / "notebooks" / "report.ipynb", "assert team != 'beta', 'broken [bold]'", FACTS)
    result = CliRunner().invoke(main, ["run", "weekly", "--jobs", "1"])
    assert result.exit_code == 1
    assert result.stdout == (
        "failed: beta/report: cell 3: AssertionError: broken [bold]\n"
        "1 made · 0 no data · 1 failed · 0 up to date\n"
        "outputs/index.html\n"
    )
    assert [line.partition(" (")[0] for line in result.stderr.splitlines()] == [
        "alpha/report: made",
        "beta/report: FAILED",
    ]
    again = CliRunner().invoke(main, ["run", "weekly", "--team", "alpha"])
    assert (again.exit_code, again.stdout, again.stderr) == (
        0,
        "0 made · 0 no data · 0 failed · 1 up to date\noutputs/index.html\n",
        "",
    )


def test_a_dry_run_says_what_would_be_read_and_makes_nothing(folder):
    size = (folder / "outputs" / "requests.parquet").stat().st_size
    result = CliRunner().invoke(main, ["run", "weekly", "--dry-run"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f"main: 1 day(s) of the log to scan, 2026-10-28: {size} B\n"
        "would be made: alpha/report, beta/report\n"
        "2 report(s) of 2026-W44: 2 to make, 0 up to date. Nothing was run.\n"
    )
    assert [path.name for path in (folder / "outputs").iterdir()] == ["requests.parquet"]


def test_another_warehouse_than_the_run_s(folder):
    other = FILES["parameters/warehouses/main.yaml"].replace("requests.parquet", "elsewhere.parquet")
    (folder / "parameters/warehouses/other.yaml").write_text(other)
    (folder / "outputs" / "requests.parquet").rename(folder / "outputs" / "elsewhere.parquet")
    result = CliRunner().invoke(main, ["run", "weekly", "--dry-run", "--warehouse", "other"])
    assert (result.exit_code, result.stdout.partition(" to scan")[0]) == (0, "other: 1 day(s) of the log")
    assert refused("weekly", "--warehouse", "othr") == (
        "no warehouse is called 'othr' in parameters/warehouses; there are: main, other; did you mean 'other'?\n"
    )


@pytest.mark.notebooks
def test_a_dry_run_says_which_reports_are_up_to_date(folder):
    def would_do(*arguments):
        result = CliRunner().invoke(main, ["run", "weekly", "--dry-run", *arguments])
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout.splitlines()[1:]

    assert CliRunner().invoke(main, ["run", "weekly"]).exit_code == 0
    assert would_do() == [
        "up to date: alpha/report, beta/report",
        "2 report(s) of 2026-W44: 0 to make, 2 up to date. Nothing was run.",
    ]
    assert would_do("--force")[0] == "would be made: alpha/report, beta/report"
    (folder / "outputs/weekly/2026-W44/beta/report.html").unlink()
    assert would_do() == [
        "would be made: beta/report",
        "up to date: alpha/report",
        "2 report(s) of 2026-W44: 1 to make, 1 up to date. Nothing was run.",
    ]
    assert not (folder / "outputs/weekly/2026-W44/beta/report.html").exists()
    (folder / "parameters/teams/alpha.yaml").write_text("name: A\nlanguage: en\nowns: [{service: shop}]\n")
    assert would_do()[0] == "would be made: alpha/report, beta/report"


PREVIOUS = 'team: str = ""\nweek: str = ""\nprevious_facts: str = ""'
CHAIN = """\
import json
from pathlib import Path
from IPython.display import display
before = json.loads(Path(previous_facts).read_text())["weeks"] if previous_facts else []
facts = {"status": "made", "weeks": [*before, week]}
display({"application/vnd.shokubai.facts+json": facts, "text/plain": "facts"}, raw=True)
"""


def write_log(folder, *instants):
    rows = " UNION ALL ".join(
        f"SELECT TIMESTAMPTZ '{instant}' AS timestamp, 'shop' AS service_name, '/' AS http_route, "
        "'GET' AS http_request_method, 200::BIGINT AS http_response_status_code, 0.1 AS duration_seconds"
        for instant in instants
    )
    duckdb.connect().execute(f"COPY ({rows}) TO '{folder}/outputs/requests.parquet' (FORMAT parquet)")


def weeks_read(folder, week):
    return json.loads((folder / f"outputs/weekly/{week}/alpha/report.facts.json").read_text())["weeks"]


@pytest.mark.notebooks
def test_missed_weeks_are_made_oldest_first_each_with_the_one_before(folder):
    write_log(folder, "2026-10-12 12:00+09", "2026-10-28 12:00+09")  # 2026-W42, 2026-W44
    write_notebook(
        folder / "notebooks" / "report.ipynb",
        "assert (team, week) != ('beta', '2026-W43'), 'no'",
        CHAIN,
        signature=PREVIOUS,
    )
    result = CliRunner().invoke(main, ["run", "weekly", "--since", "2026-W42"])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "2026-W42: 2 made · 0 no data · 0 failed · 0 up to date",
        "2026-W43: failed: beta/report: cell 3: AssertionError: no",
        "2026-W43: 1 made · 0 no data · 1 failed · 0 up to date",
        "2026-W44: 2 made · 0 no data · 0 failed · 0 up to date",
        "3 weeks: 5 made · 0 no data · 1 failed · 0 up to date",
        "outputs/index.html",
    ]
    assert weeks_read(folder, "2026-W44") == ["2026-W42", "2026-W43", "2026-W44"]
    front = (folder / "outputs/index.html").read_text()
    assert [week in front for week in ("2026-W42", "2026-W43", "2026-W44")] == [True] * 3
    # After the newest that was made there is only the last one; what is there is not made again.
    for name in ("2026-W43", "2026-W44"):
        (folder / "outputs/weekly" / name / "manifest.json").unlink()
    rest = CliRunner().invoke(main, ["run", "weekly", "--since", "last"])
    assert rest.stdout.splitlines()[1:] == [
        "2026-W43: 0 made · 0 no data · 1 failed · 1 up to date",
        "2026-W44: 0 made · 0 no data · 0 failed · 2 up to date",
        "2 weeks: 0 made · 0 no data · 1 failed · 3 up to date",
        "outputs/index.html",
    ]
    # A week of which a run made some teams only is not whole.
    manifest = folder / "outputs/weekly/2026-W42/manifest.json"
    assert json.loads(manifest.read_text())["is_whole"] is True
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "is_whole": False}))
    whole = CliRunner().invoke(main, ["run", "weekly", "--since", "last"])
    assert whole.stdout.splitlines()[0] == "2026-W42: 0 made · 0 no data · 0 failed · 2 up to date"
    assert json.loads(manifest.read_text())["is_whole"] is True

    alone = CliRunner().invoke(main, ["run", "weekly", "--since", "last", "--log", "-"])
    assert (alone.exit_code, alone.stdout.splitlines()[-2:]) == (
        0,
        ["1 week: 0 made · 0 no data · 0 failed · 2 up to date", "outputs/index.html"],
    )


@pytest.mark.notebooks
def test_a_week_that_another_process_makes_does_not_stop_the_others(folder):
    write_log(folder, "2026-10-12 12:00+09")
    locked = folder / "outputs/weekly/2026-W43/.lock"
    locked.parent.mkdir(parents=True)
    with locked.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = CliRunner().invoke(main, ["run", "weekly", "--since", "2026-W42", "--log", "run.jsonl"])
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert lines[0] == "2026-W42: 2 made · 0 no data · 0 failed · 0 up to date"
    assert "another run is making these reports" in lines[1] and lines[1].startswith("2026-W43: not made: ")
    assert lines[2] == "2026-W44: 2 made · 0 no data · 0 failed · 0 up to date"
    assert lines[3] == "3 weeks: 4 made · 0 no data · 0 failed · 0 up to date · 1 not made"
    events = [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]
    assert [(e["week"], e["severity"]) for e in events if e["event"] == "run.stopped"] == [("2026-W43", "WARNING")]


@pytest.mark.parametrize(
    ("since", "week", "said"),
    [
        ("2026-W45", "2026-W44", "--since 2026-W45: comes after 2026-W44, the week to end with\n"),
        ("2026-W54", "2026-W44", "week '2026-W54' is not an ISO week; write it as 2026-W44 (W01 to W52 or W53)\n"),
        (
            "2025-W01",
            "2026-W44",
            "--since 2025-W01: that is 96 weeks up to 2026-W44, allowed are 53 at once; "
            "begin with 2025-W44 or later, or end earlier with --week\n",
        ),
        (
            "2026-W30",
            "2026-W44",
            "--since 2026-W30: before 2026-W42 the log has no requests; write --since 2026-W42\n",
        ),
        (
            "2026-W30",
            "2026-W40",
            "--since 2026-W30: before 2026-W42 the log has no requests; and 2026-W40 is before that\n",
        ),
    ],
)
def test_weeks_that_cannot_be_caught_up(folder, since, week, said):
    write_log(folder, "2026-10-12 00:00+09", "2026-10-28 12:00+09")
    assert refused("weekly", "--since", since, "--week", week) == said
    assert not (folder / "outputs" / "weekly").exists()


def test_failures_of_one_cause_are_one_line():
    def failed(team, cell, message):
        error = {"cell": cell, "message": message}
        return Record(
            "report", team, "failed", "", "", "", {}, {}, "en", f"{team}/report.html", None, None, 1.0, error
        )

    names = [f"team-{number:02}" for number in range(20)]
    records = [failed(name, None, "DataError: no files") for name in names]
    outcome = WeekOutcome(Week(2026, 44), Summary([*records, failed("other", 7, "ValueError: x")]))
    with console.capture() as told:
        tell_end([outcome], Path("outputs"))
    listed = ", ".join(f"{name}/report" for name in names[:12])
    assert told.get().splitlines() == [
        f"failed: 20 × DataError: no files: {listed} and 8 more",
        "failed: other/report: cell 7: ValueError: x",
        "0 made · 0 no data · 21 failed · 0 up to date",
        "outputs/index.html",
    ]
