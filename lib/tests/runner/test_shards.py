"""A run divided into shards and joined again is the same site as one run makes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from shokubai.core.errors import UsageError
from shokubai.runner import Manner, Progress, Shard, join_reports, make_reports

pytestmark = pytest.mark.notebooks

TEAMS = ("alpha", "beta", "delta", "gamma")
OVERVIEW = """\
import json
from pathlib import Path
week_folder = Path(outputs_dir) / "weekly" / week
read = {f.parent.name: json.loads(f.read_text()) for f in sorted(week_folder.glob("*/report.facts.json"))}
"""


@pytest.fixture
def four(project, facts_cell):
    """Four teams, their reports, and an overview that reads the facts of all."""
    project.write("parameters/teams/gamma.yaml", "name: Gamma\nlanguage: en\nowns: [{service: shop}]\n")
    project.write("parameters/teams/delta.yaml", "name: Delta\nlanguage: ja\nowns: [{service: shop}]\n")
    project.write(
        "parameters/warehouses/main.yaml", "engine: duckdb\ntables:\n  requests: {path: requests.parquet}\n"
    )
    (project.root / "outputs" / "requests.parquet").rename(project.root / "requests.parquet")
    project.write(
        "parameters/runs/weekly.yaml",
        "team_notebooks: [report]\norganization_notebooks: [overview]\nwarehouse: main\nteams: all\n",
    )
    write_report(project, facts_cell)
    project.notebook(
        "overview",
        OVERVIEW,
        facts_cell().replace("'made'", "'made', 'read': read"),
        signature='week: str = ""\noutputs_dir: str = ""',
    )
    return project


def write_report(project, facts_cell, *cells):
    project.notebook("report", *cells, facts_cell().replace("'made'", "'made', 'team': team"))


def week_of(project, outputs):
    return project.root / outputs / "weekly" / "2026-W44"


def manifest_of(project, outputs):
    return json.loads((week_of(project, outputs) / "manifest.json").read_text())


def site_of(project, outputs):
    """All files of a week by name; what readers and programs read of them with its content, except for seconds."""
    week = week_of(project, outputs)
    content = {}
    for file in sorted(f for f in week.rglob("*") if f.is_file()):
        name = file.relative_to(week).as_posix()
        content[name] = file.read_text() if file.suffix == ".html" or name.endswith(".facts.json") else ""
    content["../../index.html"] = (week.parents[1] / "index.html").read_text()
    manifest = manifest_of(project, outputs)
    manifest["reports"] = [{**report, "seconds": None} for report in manifest["reports"]]
    content["manifest.json"] = manifest
    return content


def statuses(project, outputs="outputs"):
    return {report["team"] or "organization": report["status"] for report in manifest_of(project, outputs)["reports"]}


def modified(project, outputs="outputs"):
    files = (f for f in week_of(project, outputs).rglob("*") if f.is_file() and f.name != ".lock")
    return {f.relative_to(project.root): f.stat().st_mtime_ns for f in files}


def test_a_shard_makes_the_reports_of_its_teams_only(four):
    summary = four.run_shard(1, 3)
    assert [record.team for record in sorted(summary.records, key=lambda r: r.key)] == ["alpha", "gamma"]
    manifest = manifest_of(four, "shard1")
    assert manifest["shard"] == {"index": 1, "count": 3, "teams": list(TEAMS)}
    assert statuses(four, "shard1") == {"alpha": "made", "gamma": "made"}
    assert sorted(p.name for p in week_of(four, "shard1").iterdir() if p.is_dir()) == ["alpha", "gamma"]
    # It is a run as any: a second one makes nothing again.
    assert [job.team for job in four.run_shard(1, 3).up_to_date] == ["alpha", "gamma"]
    assert manifest_of(four, "shard1") == manifest


def test_shards_of_some_teams(four):
    wanted = ("gamma", "alpha", "beta")
    made = [sorted(r.team for r in four.run_shard(k, 2, teams=wanted).records) for k in (1, 2)]
    assert made == [["alpha", "gamma"], ["beta"]]
    four.run()
    before = modified(four)
    told = []

    class Listening(Progress):
        def noted(self, text):
            told.append(text)

    folders = [four.root / "shard1", four.root / "shard2"]
    summary = join_reports(four.plan(), folders, manner=Manner(jobs=2), progress=Listening())
    assert told == [
        "not made: organization/overview; the shards are of 3 of the run's 4 teams (--team), "
        "and the organisation's pages are about all"
    ]
    # The other team's report and the organisation's pages stay as they are, as in a run of some teams.
    assert {r.team for r in summary.records} == {"alpha", "beta", "gamma"}
    assert summary.up_to_date == []
    kept = {file for file, at in modified(four).items() if before[file] == at}
    assert {"delta", "organization"} <= {file.parts[3] for file in kept}
    assert statuses(four) == dict.fromkeys((*TEAMS, "organization"), "made")


def test_a_shard_without_teams_is_no_failure_and_can_be_joined(four):
    summaries = [four.run_shard(k, 5) for k in range(1, 6)]
    assert [len(summary.records) for summary in summaries] == [1, 1, 1, 1, 0]
    assert manifest_of(four, "shard5")["reports"] == []
    assert four.join(*(f"shard{k}" for k in range(1, 6))).failures == []
    assert statuses(four) == dict.fromkeys((*TEAMS, "organization"), "made")


def test_joined_shards_are_the_site_of_one_run(four, facts_cell):
    # One team fails, in the middle of its notebook; one has data and numbers of last week.
    write_report(four, facts_cell, "assert team != 'beta', 'broken'", "print('words of', team)")
    for outputs in ("shard1", "shard2", "shard3", "outputs", "one"):
        four.write(f"{outputs}/weekly/2026-W43/alpha/report.html", "last week")
        four.write(f"{outputs}/weekly/2026-W43/alpha/report.facts.json", "{}")
    make_reports(four.plan(outputs="one"), manner=Manner(jobs=2))
    for index in (3, 1, 2):
        four.run_shard(index, 3)
    summary = four.join("shard2", "shard1", "shard3")
    assert (summary.count("made"), summary.count("failed")) == (4, 1)
    assert site_of(four, "outputs") == site_of(four, "one")
    facts = json.loads((week_of(four, "outputs") / "organization" / "overview.facts.json").read_text())
    assert facts["read"] == {team: {"status": "made", "team": team} for team in ("alpha", "delta", "gamma")}
    assert 'href="../../2026-W43/alpha/report.html"' in (week_of(four, "outputs") / "alpha/report.html").read_text()
    notebook = json.loads((week_of(four, "outputs") / "beta/report.ipynb").read_text())
    assert notebook["metadata"]["papermill"]["exception"] is True

    # A second join does nothing again, and still says what failed.
    before = modified(four)
    again = four.join("shard1", "shard2", "shard3")
    assert [(r.team, r.error) for r in again.records] == [
        ("beta", {"cell": 3, "message": "AssertionError: broken"}),
    ]
    assert [job.folder for job in again.up_to_date] == ["alpha", "delta", "gamma", "organization"]
    assert modified(four) == before
    # Neither does a run of all for the teams that are fine.
    assert {r.team for r in four.run().failures} == {"beta"}


def test_only_what_is_new_is_joined_again(four, facts_cell):
    for index in (1, 2):
        four.run_shard(index, 2)
    four.join("shard1", "shard2")
    four.write("shard1/weekly/2026-W44/alpha/report.html", "edited by hand")
    four.run_shard(1, 2)  # makes that one again
    summary = four.join("shard1", "shard2")
    assert [record.team for record in summary.records] == ["alpha"]
    assert [job.folder for job in summary.up_to_date] == ["beta", "delta", "gamma", "organization"]
    # So is what is no longer as it was joined.
    (week_of(four, "outputs") / "beta" / "report.html").write_text("edited by hand")
    assert [record.team for record in four.join("shard1", "shard2").records] == ["beta"]
    assert "edited" not in (week_of(four, "outputs") / "beta" / "report.html").read_text()


def test_a_missing_shard_is_accounted_for_and_can_come_later(four):
    four.run_shard(2, 3)
    four.run_shard(3, 3)
    summary = four.join("shard2", "shard3")
    message = "no shard made this report: shard 1/3 is missing or was not finished"
    assert [(r.team, r.error) for r in summary.failures] == [
        ("alpha", {"cell": None, "message": message}),
        ("gamma", {"cell": None, "message": message}),
    ]
    assert statuses(four) == {
        "organization": "made",
        "alpha": "failed",
        "beta": "made",
        "delta": "made",
        "gamma": "failed",
    }
    assert message in (week_of(four, "outputs") / "gamma" / "report.html").read_text()
    assert message in (week_of(four, "outputs") / "index.html").read_text()
    # Again: it still fails, but nothing is written anew.
    before = modified(four)
    assert [r.team for r in four.join("shard2", "shard3").failures] == ["alpha", "gamma"]
    assert modified(four) == before

    four.run_shard(1, 3)
    summary = four.join("shard1", "shard2", "shard3")
    assert summary.failures == []
    assert [r.team for r in summary.records] == ["alpha", "gamma", None]  # the overview has new facts to read
    assert sorted(p.name for p in (week_of(four, "outputs") / "gamma").iterdir()) == [
        "report.facts.json",
        "report.html",
        "report.ipynb",
    ]


def test_what_a_missing_shard_once_made_stays_as_an_old_report(four):
    for index in (1, 2):
        four.run_shard(index, 2)
    four.join("shard1", "shard2")
    (failed, _) = four.join("shard2").failures
    assert (failed.team, failed.last_good) == ("alpha", "alpha/report.last_good.html")
    assert "This is an older report of 2026-W44." in (week_of(four, "outputs") / failed.last_good).read_text()


@pytest.mark.parametrize("damage", ["torn", "gone", "forgotten"])
def test_a_report_that_is_not_as_its_shard_published_it_counts_as_missing(four, damage):
    for index in (1, 2):
        four.run_shard(index, 2)
    page = week_of(four, "shard1") / "delta" / "report.html"
    journal = week_of(four, "shard1") / "journal.jsonl"
    if damage == "torn":
        page.write_bytes(page.read_bytes()[:-100])
    elif damage == "gone":
        page.unlink()
    else:
        lines = [line for line in journal.read_text().splitlines(keepends=True) if '"team": "delta"' not in line]
        journal.write_text("".join(lines))
    (failed,) = four.join("shard1", "shard2").failures
    why = {
        "torn": "delta/report.html is missing or not as shard 1/2 published it",
        "gone": "delta/report.html is missing or not as shard 1/2 published it",
        "forgotten": "the journal of shard 1/2 does not have it",
    }[damage]
    assert (failed.team, failed.error["message"]) == ("delta", f"no shard made this report: {why}")
    assert not (week_of(four, "outputs") / "delta" / "report.ipynb").exists()
    assert statuses(four)["alpha"] == "made"


def test_the_last_good_report_of_a_shard_travels_along(four, facts_cell):
    write_report(four, facts_cell, "print('good words')")
    four.run_shard(1, 1)
    write_report(four, facts_cell, "assert team != 'beta', 'broken'")
    four.run_shard(1, 1)
    (failed,) = four.join("shard1").failures
    assert failed.last_good == "beta/report.last_good.html"
    folders = [week_of(four, outputs) / "beta" for outputs in ("shard1", "outputs")]
    there, here = ({f.name: f.read_bytes() for f in folder.iterdir()} for folder in folders)
    assert here == there
    assert b"good words" in here["report.last_good.html"]


def test_the_last_good_report_of_the_joined_site_stays_when_a_new_machine_fails(four, facts_cell):
    write_report(four, facts_cell, "print('good words')")
    four.run_shard(1, 1, outputs="monday")
    four.join("monday")
    write_report(four, facts_cell, "assert team != 'beta', 'broken'")
    four.run_shard(1, 1, outputs="tuesday")
    (failed,) = four.join("tuesday").failures
    assert (failed.last_good, failed.error["cell"]) == ("beta/report.last_good.html", 3)
    folder = week_of(four, "outputs") / "beta"
    assert "good words" in (folder / "report.last_good.html").read_text()
    assert 'href="report.last_good.html"' in (folder / "report.html").read_text()
    before = modified(four)
    assert len(four.join("tuesday").failures) == 1
    assert modified(four) == before


def refused(project, *folders):
    with pytest.raises(UsageError) as raised:
        project.join(*folders)
    assert not week_of(project, "outputs").exists()
    return str(raised.value).replace(f"{project.root}/", "").splitlines()


AGAIN = "make that shard again, or join with what it was made from"


def test_shards_of_other_parameters_or_notebooks_are_refused_together(four, facts_cell):
    four.run_shard(1, 3)
    four.write("parameters/teams/delta.yaml", "name: Delta & Co\nlanguage: en\nowns: [{service: shop}]\n")
    four.run_shard(2, 3)
    write_report(four, facts_cell, "# new")
    four.run_shard(3, 3)
    assert refused(four, "shard1", "shard2", "shard3") == [
        f"shard1: shard 1/3 was made from other parameters than those in parameters; {AGAIN}",
        f"shard2: shard 2/3 was made by another report.ipynb than the one here; {AGAIN}",
    ]


def test_shards_of_other_code_are_refused(four, monkeypatch):
    four.run_shard(1, 1)
    monkeypatch.setattr("shokubai.runner.fingerprint.library", lambda: "other")
    assert refused(four, "shard1") == [
        "shard1: shard 1/1 was made by other code or with other versions of libraries "
        f"(version 0.1.0 there, 0.1.0 here); {AGAIN}"
    ]


def test_shards_of_another_warehouse_are_refused(four):
    other = (four.root / "parameters/warehouses/main.yaml").read_text()
    four.write("parameters/warehouses/other.yaml", other)
    make_reports(four.plan(outputs="shard1", shard=Shard(1, 1), warehouse="other"), manner=Manner(jobs=2))
    assert refused(four, "shard1") == [
        "shard1: shard 1/1 was made from warehouse 'other'; give `shokubai join` the same --warehouse as that shard"
    ]


def test_what_the_shards_cost_is_added_up(four):
    cost = {
        "statement_count": 3,
        "bytes_processed": 100,
        "bytes_billed": 200,
        "log_bytes": 50,
        "price": 0.25,
        "currency": "USD",
    }
    for index in (1, 2):
        four.run_shard(index, 2)
        manifest = {**manifest_of(four, f"shard{index}"), "costs": {"log": cost}}
        (week_of(four, f"shard{index}") / "manifest.json").write_text(json.dumps(manifest))
    four.join("shard1", "shard2")
    assert manifest_of(four, "outputs")["costs"] == {
        "log": {
            "statement_count": 6,
            "bytes_processed": 200,
            "bytes_billed": 400,
            "log_bytes": 100,
            "price": 0.5,
            "currency": "USD",
        }
    }


def test_a_team_twice_names_both_folders(four):
    four.run_shard(1, 3)
    four.run_shard(1, 3, outputs="copy")
    assert refused(four, "shard1", "copy") == [
        "the same teams are in shard1 and in copy, both shard 1/3: alpha, gamma; name one of the two"
    ]


def test_shards_that_divide_otherwise(four):
    four.run_shard(1, 3)
    four.run_shard(2, 2)
    assert refused(four, "shard1", "shard2") == [
        "shard2: is shard 2/2 of 4 teams, but shard1 is shard 1/3 of 4; the shards of one run divide the same "
        "teams by the same number"
    ]


def test_folders_that_hold_something_else(four):
    make_reports(four.plan(outputs="whole", teams=["alpha"]), manner=Manner(jobs=2))
    four.run_shard(1, 3)
    four.write("moved/weekly/2026-W44/manifest.json", '{"run": "daily", "week": "2026-W44"}')
    assert refused(four, "shard1", "whole", "moved", "outputs") == [
        "whole/weekly/2026-W44: was not made with --shard; allowed are outputs of `shokubai run --shard K/N`",
        "moved/weekly/2026-W44: is of run 'daily', week 2026-W44; give the folders as the shards left them",
        "outputs: cannot be joined into itself; name another folder with --outputs",
    ]


def test_nothing_to_join_says_what_is_there(four):
    four.write("old/weekly/2026-W43/manifest.json", "{}")
    four.write("killed/weekly/2026-W44/journal.jsonl", "")
    four.write("empty/nothing", "")
    assert refused(four, "old", "killed", "empty") == [
        "no shard of run 'weekly' in 2026-W44 has ended in: old (it has: weekly 2026-W43), killed (its run has not "
        "ended), empty (it has no reports); make them with `shokubai run weekly --week 2026-W44 --shard K/N "
        "--outputs DIR`, each in its own folder"
    ]


def test_a_shard_does_not_take_the_folder_of_another_or_of_a_whole_run(four):
    four.run_shard(1, 3)
    before = modified(four, "shard1")
    with pytest.raises(UsageError, match=r"shard1/weekly/2026-W44: holds the reports of shard 1/3, not of shard 2/3"):
        four.run_shard(2, 3, outputs="shard1")
    assert modified(four, "shard1") == before
    four.run()
    with pytest.raises(UsageError, match="holds the reports of a whole run, not of shard 1/3; give each shard an"):
        four.run_shard(1, 3, outputs="outputs")


def test_the_organisations_pages_fail_alone_where_the_warehouse_cannot_be_read(four):
    four.run_shard(1, 1)
    (four.root / "requests.parquet").unlink()
    (failed,) = four.join("shard1").failures
    assert failed.team is None
    assert "requests.parquet" in failed.error["message"]
    assert statuses(four) == {"organization": "failed", **dict.fromkeys(TEAMS, "made")}


def wait_for(file):
    until = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < until, f"{file.name} never came"
        time.sleep(0.05)


def test_a_shard_that_was_killed_does_not_count_until_it_has_ended(four, facts_cell):
    four.run_shard(1, 2)
    four.run_shard(2, 2)
    hang = "import time\nif team == 'delta':\n    open(outputs_dir + '/hangs', 'w').close()\n    time.sleep(600)"
    write_report(four, facts_cell, hang)
    run = four.start("--shard", "1/2", "--outputs", "shard1", "--jobs", "1")
    wait_for(four.root / "shard1" / "hangs")
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    write_report(four, facts_cell)
    # One of its reports is new, the other one old, and both are whole.
    assert sorted(f.name for f in week_of(four, "shard1").glob("*/report.html")) == ["report.html"] * 2
    told = []

    class Listening(Progress):
        def noted(self, text):
            told.append(text)

    folders = [four.root / "shard1", four.root / "shard2"]
    summary = join_reports(four.plan(), folders, manner=Manner(jobs=2), progress=Listening())
    assert [r.team for r in summary.failures] == ["alpha", "delta"]
    assert told == [f"not finished: {four.root / 'shard1'} (its run has not ended)"]
    four.run_shard(1, 2)
    assert four.join("shard1", "shard2").failures == []


KILLED = """
    import os, signal
    from shokubai.cli import main
    from shokubai.runner import join, reports, {module} as module

    calls = 0
    real = {place}

    def dying(*arguments, **named):
        global calls
        calls += 1
        if calls == {number} and {before}:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **named)
        if calls == {number}:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    {place} = dying
    main(["join", "weekly", "--week", "2026-W44", "--from", "shard1", "--from", "shard2"])
"""
MOMENTS = [
    pytest.param("join", "join.publish", 3, True, id="before a report is published"),
    pytest.param("join", "join.publish", 3, False, id="published, not accounted for"),
    pytest.param("journal", "module.Journal.add", 4, False, id="all team reports accounted for"),
    pytest.param("manifest", "module.site.write_week_index", 1, False, id="no manifest yet"),
]


@pytest.mark.parametrize(("module", "place", "number", "before"), MOMENTS)
def test_a_join_that_is_killed_is_completed_by_the_next(four, module, place, number, before):
    for index in (1, 2):
        four.run_shard(index, 2)
    program = textwrap.dedent(KILLED).format(module=module, place=place, number=number, before=before)
    killed = subprocess.run(
        [sys.executable, "-c", program], cwd=four.root, capture_output=True, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (week_of(four, "outputs") / "manifest.json").exists()
    for folder in week_of(four, "outputs").iterdir():
        if folder.name in TEAMS:
            there = week_of(four, f"shard{1 if folder.name in ('alpha', 'delta') else 2}") / folder.name
            assert {f.name: f.read_bytes() for f in folder.iterdir()} == {
                f.name: f.read_bytes() for f in there.iterdir()
            }
    summary = four.join("shard1", "shard2")
    assert summary.failures == []
    assert len(summary.records) + len(summary.up_to_date) == 5
    assert statuses(four) == dict.fromkeys((*TEAMS, "organization"), "made")
    assert sorted(p.name for p in week_of(four, "outputs").iterdir()) == sorted(
        [".lock", *TEAMS, "organization", "index.html", "journal.jsonl", "manifest.json"]
    )
    shutil.rmtree(week_of(four, "outputs"))
    four.join("shard1", "shard2")


def test_a_shard_is_part_of_the_plan(four):
    plan = four.plan(shard=Shard(2, 3), teams=["gamma", "beta"])
    assert [job.name for job in plan.jobs] == ["gamma/report"]
    assert plan.reports == {("gamma", "report")}
