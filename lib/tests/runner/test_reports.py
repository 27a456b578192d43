import json
import os
import re
import signal
import sys
from datetime import UTC, datetime

import duckdb
import psutil
import pytest

from shokubai import config
from shokubai.core.errors import DataError
from shokubai.runner import Manner, make_plan, make_reports

pytestmark = pytest.mark.notebooks

EXPLAINED = [
    pytest.param("1 / 0", "cell 3: ZeroDivisionError: division by zero", id="raises"),
    pytest.param("import sys\nsys.exit(0)", "cell 3: the cell ended the notebook with sys.exit(0)", id="exit 0"),
    pytest.param("import sys\nsys.exit(1)", "cell 3: the cell ended the notebook with sys.exit(1)", id="exit 1"),
    pytest.param("import os\nos._exit(3)", "cell 3: the notebook's process died: exit status 3", id="os._exit"),
    pytest.param(
        "import os\nos.kill(os.getpid(), 9)",
        "cell 3: the notebook's process died: SIGKILL (often: out of memory)",
        id="killed",
    ),
    pytest.param(
        "raise ValueError('<script>alert(1)</script>\\x1b[31m')",
        "cell 3: ValueError: <script>alert(1)</script>\x1b[31m",
        id="hostile text",
    ),
    pytest.param("1", "the notebook records no facts; its last cell should be: page.record()", id="no facts"),
    pytest.param(
        "FACTS:{'status': 'fine'}", "facts: status is 'fine'; allowed: 'made', 'no_data'", id="unknown status"
    ),
    pytest.param(
        "FACTS:{'status': 'made', 'schema': 'shokubai/weekly_team_report/v1'}",
        "facts: $: 'team' is a required property",
        id="facts against the schema",
    ),
]


@pytest.mark.parametrize(("cell", "message"), EXPLAINED)
def test_a_report_that_cannot_be_made_says_why(project, facts_cell, cell, message):
    cells = [cell, facts_cell()] if "FACTS:" not in cell and cell != "1" else [cell]
    if cell.startswith("FACTS:"):
        cells = [facts_cell().replace("{'status': 'made'}", cell.removeprefix("FACTS:"))]
    project.notebook("report", *cells)
    summary = project.run(teams=["alpha"])
    (record,) = summary.failures
    error = record.error
    said = f"cell {error['cell']}: {error['message']}" if error["cell"] else error["message"]
    assert said.startswith(message.split("'team'")[0])
    assert summary.count("failed") == 1
    page = (project.week / "alpha" / "report.html").read_text()
    assert "This report could not be made" in page
    assert "<script>alert" not in page
    executed = json.loads((project.week / "alpha" / "report.ipynb").read_text())
    assert executed["cells"][0]["cell_type"] == "markdown"
    assert not (project.week / "alpha" / "report.facts.json").exists()


def test_a_notebook_that_hangs_is_stopped_with_all_that_it_started(project, facts_cell):
    project.notebook(
        "report",
        "import subprocess, time\nsleeper = subprocess.Popen(['sleep', '600'], start_new_session=True)",
        "open(outputs_dir + '/pid', 'w').write(str(sleeper.pid))\ntime.sleep(600)",
        facts_cell(),
    )
    (record,) = project.run(teams=["alpha"], timeout_seconds=6).failures
    assert record.error == {"cell": 4, "message": "not finished after the time limit of 6 s"}
    assert (project.week / "alpha" / "report.ipynb").is_file()
    assert not psutil.pid_exists(int((project.root / "outputs" / "pid").read_text()))


KILL = """\
import os, signal
attempts = outputs_dir + '/attempts-' + team
with open(attempts, 'a') as file:
    file.write('x')
if team == 'alpha' and len(open(attempts).read()) <= KILLS:
    os.kill(os.getppid(), signal.SIGKILL)
"""


def attempts_of(project, team):
    return len((project.root / "outputs" / f"attempts-{team}").read_text())


def test_a_process_that_is_killed_twice_is_one_failed_report(project, facts_cell):
    project.notebook("report", KILL.replace("KILLS", "9"), facts_cell())
    summary = project.run()
    (record,) = summary.failures
    assert (record.team, record.retried, record.error) == (
        "alpha",
        True,
        {
            "cell": None,
            "message": "the report's process was ended by SIGKILL (often: out of memory), "
            "and again when it was tried alone",
        },
    )
    assert summary.count("made") == 1
    assert project.facts("beta") == {"status": "made"}
    assert (attempts_of(project, "alpha"), attempts_of(project, "beta")) == (2, 1)


def test_a_process_that_is_killed_once_is_tried_again_alone(project, facts_cell):
    project.notebook("report", KILL.replace("KILLS", "1"), facts_cell())
    summary = project.run()
    assert [(r.team, r.status, r.retried) for r in summary.records] == [
        ("beta", "made", False),
        ("alpha", "made", True),
    ]
    assert (attempts_of(project, "alpha"), attempts_of(project, "beta")) == (2, 1)
    (line,) = [line for line in (project.week / "journal.jsonl").read_text().splitlines() if '"alpha"' in line]
    assert json.loads(line)["retried"] is True
    assert len(project.run().up_to_date) == 2


def test_a_notebook_that_is_killed_once_is_tried_again(project, facts_cell):
    project.notebook("report", KILL.replace("KILLS", "1").replace("getppid", "getpid"), facts_cell())
    assert [(r.status, r.retried) for r in project.run(teams=["alpha"]).records] == [("made", True)]


@pytest.mark.parametrize("cell", ["1 / 0", "import sys\nsys.exit(1)"])
def test_a_report_s_own_failure_is_not_tried_again(project, facts_cell, cell):
    project.notebook("report", KILL.replace("KILLS", "0"), cell, facts_cell())
    assert [r.retried for r in project.run(teams=["alpha"]).failures] == [False]
    assert attempts_of(project, "alpha") == 1


def test_one_failing_team_does_not_stop_the_others(project, facts_cell):
    project.notebook("report", "assert team != 'alpha', 'not for you'", facts_cell(week="2026-W44"))
    summary = project.run()
    assert (summary.count("made"), summary.count("failed")) == (1, 1)
    reports = project.manifest()["reports"]
    assert [(r["team"], r["status"], r["html"], r["facts"], r["error"]) for r in reports] == [
        ("alpha", "failed", "alpha/report.html", None, {"cell": 3, "message": "AssertionError: not for you"}),
        ("beta", "made", "beta/report.html", "beta/report.facts.json", None),
    ]
    assert "not for you" in (project.week / "index.html").read_text()
    assert "2026-W44" in (project.root / "outputs" / "index.html").read_text()


def test_no_data_is_not_a_failure(project, facts_cell):
    project.notebook("report", facts_cell(status="no_data"))
    summary = project.run()
    assert (summary.count("no_data"), summary.failures) == (2, [])


def test_what_has_not_changed_is_not_made_again(project, facts_cell):
    log = "with open(outputs_dir + '/log', 'a') as log:\n    log.write(team + ' ')"
    project.notebook("report", log, facts_cell())

    def made():
        summary = project.run()
        text = (project.root / "outputs" / "log").read_text()
        (project.root / "outputs" / "log").write_text("")
        return sorted(text.split()), [job.team for job in summary.up_to_date]

    assert made() == (["alpha", "beta"], [])
    before = {f: f.stat().st_mtime_ns for f in project.week.rglob("*") if f.is_file() and f.name != ".lock"}
    assert made() == ([], ["alpha", "beta"])
    assert {f: f.stat().st_mtime_ns for f in project.week.rglob("*") if f.is_file() and f.name != ".lock"} == before

    (project.week / "beta" / "report.html").unlink()
    assert made() == (["beta"], ["alpha"])

    project.notebook("report", log, "# changed", facts_cell())
    assert made() == (["alpha", "beta"], [])

    project.write("parameters/teams/alpha.yaml", "name: Alpha & Co\nlanguage: en\nowns: [{service: shop}]\n")
    assert made() == (["alpha", "beta"], [])

    project.run(force=True)
    assert (project.root / "outputs" / "log").read_text().split() != []


def test_changed_data_makes_reports_again(project, facts_cell):
    project.notebook("report", facts_cell())
    project.run()
    requests = project.root / "outputs" / "requests.parquet"
    rows = (
        f"SELECT * REPLACE (timestamp + INTERVAL 1 HOUR AS timestamp) FROM '{requests}' UNION ALL FROM '{requests}'"
    )
    duckdb.connect().execute(f"COPY ({rows}) TO '{requests}.new' (FORMAT parquet)")
    requests.with_name("requests.parquet.new").replace(requests)
    assert project.run().count("made") == 2


def test_the_last_good_report_stays_beside_a_failure_and_says_that_it_is_old(project, facts_cell):
    good = "print('good words')"
    project.notebook("report", good, facts_cell(attempt=1))
    project.run()
    for _ in range(2):  # the second failure keeps what the first one kept
        project.notebook("report", "raise ValueError('broken')", facts_cell(attempt=2))
        (failed, _) = project.run().failures
    assert failed.last_good == "alpha/report.last_good.html"
    folder = project.week / "alpha"
    assert sorted(f.name for f in folder.iterdir()) == [
        "report.html",
        "report.ipynb",
        "report.last_good.facts.json",
        "report.last_good.html",
        "report.last_good.ipynb",
    ]
    page, old = (folder / "report.html").read_text(), (folder / "report.last_good.html").read_text()
    assert 'href="report.last_good.html"' in page
    assert "good words" not in page
    assert "good words" in old
    assert old.count("This is an older report of 2026-W44. A newer attempt to make it failed.") == 1
    assert (
        "これは以前に作成された2026-W44のレポートです。"
        in (project.week / "beta" / "report.last_good.html").read_text()
    )

    project.notebook("report", good, facts_cell(attempt=3))
    project.run()
    assert sorted(f.name for f in folder.iterdir()) == ["report.facts.json", "report.html", "report.ipynb"]
    assert project.facts("alpha")["attempt"] == 3


def test_pages_of_the_organisation_come_last_and_can_read_the_teams_facts(project, facts_cell):
    project.write(
        "parameters/runs/weekly.yaml",
        "team_notebooks: [report]\norganization_notebooks: [overview]\nwarehouse: main\nteams: all\n",
    )
    project.notebook("report", facts_cell(number=1))
    project.notebook(
        "overview",
        "from pathlib import Path\nfacts = sorted(Path(outputs_dir).glob(f'weekly/{week}/*/report.facts.json'))",
        facts_cell().replace("'made'", "'made', 'read': [f.parent.name for f in facts]"),
        signature='week: str = ""\noutputs_dir: str = ""',
    )
    assert project.run().count("made") == 3
    facts = json.loads((project.week / "organization" / "overview.facts.json").read_text())
    assert facts["read"] == ["alpha", "beta"]
    # It is made again when what it reads has changed.
    project.notebook("report", facts_cell(number=2))
    assert [r.notebook for r in project.run().records][-1] == "overview"


def test_a_teams_notebook_reads_what_another_stated_and_is_made_again_when_that_changes(project, facts_cell):
    project.write(
        "parameters/runs/weekly.yaml",
        "team_notebooks: [report, pack]\norganization_notebooks: []\nwarehouse: main\nteams: all\n",
    )
    project.notebook("report", facts_cell(number=1))
    pack = project.notebook(
        "pack",
        "import json\nfrom pathlib import Path",
        "read = json.loads(Path(outputs_dir, 'weekly', week, team, 'report.facts.json').read_text())['number']",
        facts_cell().replace("'made'", "'made', 'read': read"),
    )
    pack.write_text(
        pack.read_text().replace(
            '"metadata": {"kernelspec"', '"metadata": {"shokubai": {"reads": ["report"]}, "kernelspec"'
        )
    )

    def read_by(team):
        return json.loads((project.week / team / "pack.facts.json").read_text())["read"]

    assert project.run().count("made") == 4
    assert (read_by("alpha"), read_by("beta")) == (1, 1)
    assert project.run().records == []
    # The facts of one team change under the report's hands: only that team's pack has to follow.
    project.notebook("report", facts_cell(number=2), "assert team != 'beta'")
    made = project.run(teams=["alpha"])
    assert [(r.team, r.notebook) for r in made.records] == [("alpha", "report"), ("alpha", "pack")]
    assert (read_by("alpha"), read_by("beta")) == (2, 1)
    # Nor may it stay as it was when what it reads could not be made.
    failed = {(r.team, r.notebook, r.status) for r in project.run().records}
    assert failed == {("beta", "report", "failed"), ("beta", "pack", "failed")}


def test_published_files_open_elsewhere(project, facts_cell):
    project.notebook("report", "import shokubai", facts_cell())
    project.run(teams=["alpha"])
    folder = project.week / "alpha"
    assert str(project.root) not in (folder / "report.html").read_text()
    notebook = (folder / "report.ipynb").read_text()
    assert str(project.root) not in notebook
    (injected,) = [c for c in json.loads(notebook)["cells"] if "injected-parameters" in c["metadata"].get("tags", [])]
    assert re.search(r'^outputs_dir = "\.\./\.\./\.\."$', "".join(injected["source"]), re.MULTILINE)


def test_reports_published_far_from_the_project_do_not_name_where_it_lies(project, facts_cell, tmp_path):
    project.notebook("report", facts_cell())
    plan = make_plan(
        config.load(project.root / "parameters"),
        "weekly",
        now=datetime(2026, 11, 3, tzinfo=UTC),
        outputs=tmp_path / "elsewhere" / "public" / "outputs",
        notebooks=project.root / "notebooks",
        teams=["alpha"],
    )
    (plan.outputs).mkdir(parents=True)
    (plan.outputs / "requests.parquet").hardlink_to(project.root / "outputs" / "requests.parquet")
    make_reports(plan, manner=Manner(jobs=1))
    notebook = (plan.folder / "alpha" / "report.ipynb").read_text()
    assert project.root.name not in notebook
    (injected,) = [c for c in json.loads(notebook)["cells"] if "injected-parameters" in c["metadata"].get("tags", [])]
    assert 'outputs_dir = "../../.."' in "".join(injected["source"])


def test_failures_do_not_name_where_the_project_lies(project, facts_cell):
    reading = "import pandas\nprint(outputs_dir)\npandas.read_parquet(outputs_dir + '/absent')"
    project.notebook("report", reading, facts_cell())
    (record,) = project.run(teams=["alpha"]).failures
    assert record.error["message"].startswith("FileNotFoundError: ")
    assert "outputs/absent" in record.error["message"]
    assert str(project.root) not in json.dumps(record.error)
    published = [f for f in project.week.rglob("*") if f.is_file()]
    assert len(published) >= 5
    for file in published:
        text = file.read_text()
        assert str(project.root) not in text, file
        assert sys.prefix not in text, file


def test_a_notebook_runs_in_its_own_folder_with_this_python(project, facts_cell):
    cell = facts_cell().replace("'made'", "'made', 'python': sys.executable, 'folder': os.getcwd()")
    project.notebook("report", "import os, sys", cell)
    project.run(teams=["alpha"])
    facts = project.facts("alpha")
    assert (facts["python"], facts["folder"]) == (sys.executable, str(project.root / "notebooks"))


def test_teams_of_a_warehouse_that_cannot_be_read_fail_alone(project, facts_cell):
    project.write(
        "parameters/warehouses/gone.yaml", 'engine: duckdb\ntables:\n  requests: {path: "{outputs}/gone.parquet"}\n'
    )
    project.write(
        "parameters/teams/beta.yaml", "name: Beta\nlanguage: en\nwarehouse: gone\nowns: [{service: shop}]\n"
    )
    project.notebook("report", facts_cell())
    summary = project.run()
    assert summary.count("made") == 1
    (failed,) = summary.failures
    assert failed.team == "beta"
    assert "gone.parquet" in failed.error["message"]


def test_a_run_without_any_readable_warehouse_says_so_once(project, facts_cell):
    project.notebook("report", facts_cell())
    (project.root / "outputs" / "requests.parquet").unlink()
    with pytest.raises(DataError, match=r"requests\.parquet"):
        project.run()
    assert not list(project.week.rglob("*.html"))


def test_a_run_leaves_nothing_behind(project, facts_cell):
    command = ["sleep", f"600.{os.getpid()}"]  # no other process on the machine is called just so
    project.notebook(
        "report", f"import subprocess\nsubprocess.Popen({command}, start_new_session=True)", facts_cell()
    )
    project.run()
    left = [p for p in psutil.process_iter(["cmdline", "status"]) if p.info["cmdline"] == command]
    assert [p for p in left if p.info["status"] != psutil.STATUS_ZOMBIE] == []
    assert sorted(p.name for p in project.week.iterdir()) == [
        ".lock",
        "alpha",
        "beta",
        "index.html",
        "journal.jsonl",
        "manifest.json",
    ]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_long_path_for_temporary_files_is_no_obstacle(project, facts_cell, monkeypatch, tmp_path):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    project.notebook("report", facts_cell())
    assert project.run().count("made") == 2


def test_reports_of_teams_and_notebooks_that_are_gone_are_not_listed(project, facts_cell):
    project.notebook("report", facts_cell())
    project.run()
    # A run narrowed to some teams keeps the others.
    project.run(teams=["alpha"], force=True)
    assert [r["team"] for r in project.manifest()["reports"]] == ["alpha", "beta"]
    (project.root / "parameters/teams/beta.yaml").rename(project.root / "parameters/teams/gamma.yaml")
    project.run()
    assert [r["team"] for r in project.manifest()["reports"]] == ["alpha", "gamma"]
    assert "beta/report.html" not in (project.week / "index.html").read_text()
    project.notebook("other", facts_cell())
    run = (project.root / "parameters/runs/weekly.yaml").read_text()
    project.write("parameters/runs/weekly.yaml", run.replace("[report]", "[other]"))
    project.run(teams=["alpha"])
    assert [(r["team"], r["notebook"]) for r in project.manifest()["reports"]] == [("alpha", "other")]


@pytest.mark.parametrize("damaged", ["", '{"reports": [', "[]", "\x00"])
def test_a_damaged_manifest_is_written_anew(project, facts_cell, damaged):
    project.notebook("report", facts_cell())
    project.run()
    whole = project.manifest()
    (project.week / "manifest.json").write_text(damaged)
    assert len(project.run().up_to_date) == 2
    assert project.manifest() == whole


def test_a_front_page_that_an_ended_run_did_not_come_to_is_written_by_the_next(project, facts_cell):
    project.notebook("report", facts_cell())
    project.run()
    front = project.root / "outputs" / "index.html"
    front.write_text("without the week")
    os.utime(front, ns=(0, 0))
    assert len(project.run().up_to_date) == 2
    assert "2026-W44" in front.read_text()
