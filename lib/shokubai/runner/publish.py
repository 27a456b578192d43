"""Publishing: a report's folder changes from old to new in one step, so nobody ever sees half a report.

New files are laid out in a folder of their own beside the old one, and the two folders are exchanged with one
system call (Linux: renameat2). Where that call is missing, the old folder is moved aside first; ``recover`` puts
it back if the second move never came.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

REPORT_SUFFIXES = (".html", ".ipynb", ".facts.json")
LAST_GOOD = ".last_good"
_ASIDE = ".aside-"
_STAGING = ".staging-"
_SCRATCH = "shokubai-"


def staging_folder(week_folder: Path) -> Path:
    """A folder for this process's unfinished work, inside the week's so that renaming stays on one disk."""
    folder = week_folder / f"{_STAGING}{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def scratch_folder(staging: Path) -> Path:
    """A folder with a short path, for sockets; ``recover`` finds it by the link in the staging folder."""
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH))
    (staging / "scratch").symlink_to(scratch)
    return scratch


def recover(week_folder: Path) -> None:
    """Undo what a killed run left behind. Call with the week's lock held."""
    for aside in week_folder.glob(f"{_ASIDE}*"):
        place = week_folder / aside.name.removeprefix(_ASIDE)
        if place.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(place)
    for left in week_folder.glob(f"{_STAGING}*"):
        scratch = left / "scratch"
        if scratch.is_symlink() and scratch.readlink().name.startswith(_SCRATCH):
            shutil.rmtree(scratch.readlink(), ignore_errors=True)
        shutil.rmtree(left, ignore_errors=True)
    for left in week_folder.glob(".*.tmp"):
        left.unlink()


def publish(files: Mapping[str, Path], *, folder: Path, report: str, staging: Path) -> None:
    """Replace one report in ``folder`` by the files given by suffix; other reports there stay.

    Whatever belonged to the old report and has no successor goes. Old or new, the folder is always whole.
    """
    fresh = staging / f"publish-{folder.name}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    own = {f"{report}{mark}{suffix}" for suffix in REPORT_SUFFIXES for mark in ("", LAST_GOOD)}
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        if file.name not in own:
            _link(file, fresh / file.name)
    for suffix, file in files.items():
        _sync(file)
        file.rename(fresh / f"{report}{suffix}")
    _sync(fresh)
    if folder.exists():
        _exchange(fresh, folder)
        shutil.rmtree(fresh)
    else:
        fresh.rename(folder)
    _sync(folder.parent)


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # a disk without hard links
        shutil.copy2(source, target)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exchange(fresh: Path, place: Path) -> None:
    """Swap two folders; afterwards ``fresh`` holds the old content, or is gone."""
    if not _exchange_at_once(fresh, place):
        aside = place.with_name(f"{_ASIDE}{place.name}")
        place.rename(aside)
        fresh.rename(place)
        aside.rename(fresh)


def _exchange_at_once(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where the system or the disk cannot."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))
