from pathlib import Path

import pytest
from click.testing import CliRunner

from shokubai.cli import main

LINE = '192.0.2.7 - - [{time}] "GET {path} HTTP/1.1" {status} 12 "-" "curl/7"'
TIMES = ("17/May/2015:23:30:00 +0000", "18/May/2015:10:00:00 +0000")

SUMMARY = """\
access.log: access log, combined
  recognised as combined, without durations
5 lines read: 4 parsed (1 of them repaired), 1 rejected
  rejected lines with their reasons: outputs/imports/web-shop/rejected/access.log.txt
4 requests from 2015-05-17T23:30:00Z to 2015-05-18T10:00:00Z
status: 200 × 2, 404 × 1, 503 × 1
availability: 75.00% (1 of 4 failed with 500-599)
durations: not in the data, so latency cannot be told
routes: 2
requests: outputs/imports/web-shop/requests/*/*.parquet
parameters written: parameters/warehouses/web-shop.yaml, parameters/teams/web-shop.yaml, \
parameters/slos/web-shop.yaml, parameters/runs/weekly.yaml, parameters/rules.yaml, parameters/organization.yaml
weeks: 2015-W20, 2015-W21
next: shokubai run weekly --week 2015-W21
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(main, ["import", *arguments])


def log(folder: Path, *lines: str, name: str = "access.log") -> str:
    (folder / name).write_text("\n".join(lines) + "\n")
    return name


def test_the_summary_and_the_next_command(folder):
    file = log(
        folder,
        LINE.format(time=TIMES[0], path="/orders/1", status=200),
        LINE.format(time=TIMES[0], path="/orders/2", status=404),
        "nonsense",
        LINE.format(time=TIMES[1], path="/", status=503),
        LINE.format(time=TIMES[1], path="/", status=200)[:-1],
    )
    result = run("access-log", file, "--service", "Web Shop")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == SUMMARY


def test_weeks_are_those_of_the_organisation_s_zone(folder):
    # Sunday 23:30 UTC is Monday in Tokyo.
    file = log(folder, LINE.format(time=TIMES[0], path="/", status=200))
    first = run("access-log", file, "--service", "shop", "--time-zone", "Asia/Tokyo")
    assert first.stdout.splitlines()[-2:] == ["weeks: 2015-W21", "next: shokubai run weekly --week 2015-W21"]
    # The organisation is there now, and its zone holds; the next report is only of the team that is meant.
    again = run("access-log", file, "--service", "shop", "--time-zone", "UTC")
    assert again.stdout.splitlines()[-1] == "next: shokubai run weekly --team shop --week 2015-W21"
    assert "  replaces access.log, imported earlier" in again.stdout


def test_spans_without_status(folder):
    file = log(
        folder, "start,us,t,s", "1661140339209875609,362453,a,b", "1661140339209875609,362453,a,b", name="spans.csv"
    )
    result = run(
        "table", file, "--service", "front", "--column", "timestamp=start", "--column", "duration_seconds=us/1e6",
        "--unique", "t,s", "--parameters", "p", "--outputs", "o",
    )  # fmt: skip
    assert result.exit_code == 0
    assert "2 lines read: 2 parsed, 0 rejected; duplicates removed: 1" in result.stdout
    assert "status: not in the data, so availability cannot be told" in result.stdout
    assert "durations: 1 of 1 requests have one" in result.stdout
    assert result.stdout.splitlines()[-1] == "next: shokubai run weekly --parameters p --outputs o --week 2022-W34"


def test_durations_that_cannot_be_seconds_are_doubted(folder):
    file = log(folder, "timestamp,duration_seconds", "2022-01-01 00:00:00,362453", name="spans.csv")
    result = run("table", file, "--service", "front")
    assert "half of front's requests took over 362,453 s: is the unit right?" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("access-log", "none.log", "--service", "x"), "none.log: there is no such file"),
        (("access-log", "access.log"), "give --service NAME, or --name NAME"),
        (("access-log", "access.log", "--service", "x", "--name", "My Shop"), "--name 'My Shop': must be lower-case"),
        (("access-log", "access.log", "--service", "x", "--format", "combinde"), "did you mean 'combined'"),
        (
            ("access-log", "access.log", "--service", "x", "--time-zone", "Tokyo"),
            "--time-zone 'Tokyo' is no time zone",
        ),
        (("access-log", "access.log", "--service", "x", "--column", "timestamp=t"), "whose fields have fixed places"),
        (("access-log", "access.log", "--service", "x", "--max-routes", "1"), "at least 4 are needed"),
        (
            ("access-log", "access.log", "--service", "x", "--routes", "none.yaml"),
            "none.yaml: the route rules cannot",
        ),
        (("table", "access.log", "--service", "x"), "nothing says what the timestamp is"),
        (("access-log", "error.log", "--service", "x"), "error.log: looks like an error log"),
        (("access-log", "--service", "x"), "Missing argument"),
    ],
)
def test_what_cannot_be_used_exits_with_2_and_writes_nothing(folder, arguments, message):
    log(folder, LINE.format(time=TIMES[0], path="/", status=200))
    log(folder, "2015/05/17 10:05:03 [error] 7#7: *1 open() failed", name="error.log")
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(file.name for file in folder.iterdir()) == ["access.log", "error.log"]


def test_help_of_both_commands():
    for name in ("access-log", "table"):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert "--max-routes" in result.stdout
