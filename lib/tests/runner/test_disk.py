"""A full disk: one clear message and exit status 4, no half report, and the next run makes the rest."""

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest

from shokubai.core.errors import UsageError
from shokubai.runner.disk import DiskFullError, explained_when_full

REPORT = "print('x' * {size})\nprint('generation {number} of', team)"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_explained(tmp_path, number):
    with pytest.raises(DiskFullError) as raised, explained_when_full(tmp_path):
        raise OSError(number, "no", "file")
    assert str(raised.value).startswith(f"{tmp_path}: {os.strerror(number)}; what was published stays as it is; ")
    assert raised.value.exit_status == 4


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no", "file"), UsageError("no")])
def test_other_errors_stay_as_they_are(tmp_path, error):
    with pytest.raises(type(error)) as raised, explained_when_full(tmp_path):
        raise error
    assert raised.value is error


@pytest.fixture
def small_disk(project):
    """The project's reports on a disk of their own of a few megabytes."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    week = project.week.parent
    week.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(week)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield week
    subprocess.run(["umount", "--lazy", str(week)], check=True)


def fill(disk, *, left):
    """Fill a disk up to so many bytes, which are then left."""
    free = shutil.disk_usage(disk).free
    with (disk / "filler").open("wb") as file:
        file.write(b"\0" * max(0, free - left))


def generations(project):
    """By team the generation of its report; fails when one is not whole."""
    found = {}
    for folder in sorted(project.week.iterdir()):
        if folder.is_dir() and not folder.name.startswith("."):
            page = (folder / "report.html").read_text()
            assert page.rstrip().endswith("</html>")
            if (folder / "report.facts.json").exists():
                found[folder.name] = json.loads((folder / "report.facts.json").read_text())["generation"]
                assert f"generation {found[folder.name]} of {folder.name}" in page
                assert "generation" in (folder / "report.ipynb").read_text()
    return found


@pytest.mark.notebooks
@pytest.mark.parametrize("left_kilobytes", [0, 4, 40, 300, 700])
def test_a_full_disk_loses_nothing_and_the_next_run_makes_the_rest(project, facts_cell, small_disk, left_kilobytes):
    def write_generation(number):
        text = REPORT.format(size=100_000, number=number)
        project.notebook("report", text, facts_cell(generation=number))

    write_generation(0)
    assert project.start().wait() == 0
    write_generation(1)
    fill(small_disk, left=left_kilobytes * 1024)
    run = project.start("--jobs", "1")
    _, told = run.communicate(timeout=120)
    assert "Traceback" not in told
    assert list(generations(project)) == ["alpha", "beta"]
    assert set(generations(project).values()) <= ({1} if run.returncode == 0 else {0, 1})
    assert run.returncode == 4 or left_kilobytes > 100, told
    if run.returncode == 4:
        last = told.splitlines()[-1]
        assert last.startswith(f"{project.week}: No space left on device; what was published stays as it is; ")
        assert told.count("No space left") == 1
    assert [p.name for p in project.week.glob(".staging*")] == []
    (small_disk / "filler").unlink()
    assert project.start().wait() == 0
    assert generations(project) == {"alpha": 1, "beta": 1}
    assert [r["status"] for r in project.manifest()["reports"]] == ["made", "made"]
    assert "2026-W44" in (project.root / "outputs" / "index.html").read_text()


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from shokubai.cli import main
main()
"""


@pytest.mark.notebooks
def test_a_journal_that_may_not_grow_is_said_and_made_good(project, facts_cell):
    """Where nobody may mount: the run's own files may not grow beyond a size."""
    project.notebook("report", facts_cell(generation=0))
    journal = project.week / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b" " * 1_500_000 + b"\n")
    command = [sys.executable, "-c", LIMITED, "1500100", "run", "weekly", "--week", "2026-W44"]
    limited = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert (limited.returncode, limited.stdout) == (4, ""), limited.stderr
    assert limited.stderr.splitlines()[-1].startswith(f"{project.week}: File too large; what was published stays ")
    assert project.start().wait() == 0
    assert [r["status"] for r in project.manifest()["reports"]] == ["made", "made"]
