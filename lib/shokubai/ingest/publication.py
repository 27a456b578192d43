"""Where an import is kept, and how a new state of it takes the old one's place at one instant.

``{outputs}/imports/<name>/`` holds ``requests``, ``rejected`` and ``sources.json``, three links into ``.current``,
which is a link to one of ``.versions``. A new version is built beside (unchanged parts are hard links) and
becomes the current one when ``.current`` is replaced: a reader, or a kill, meets the old state or the new one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shokubai.core.errors import DataError, UsageError

_PUBLIC = ("requests", "rejected", "sources.json")
_WORK = ".work"


class Publication:
    """The folder of one import, held by one process at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._current = directory / ".current"
        self._versions = directory / ".versions"

    @contextmanager
    def held(self) -> Iterator[Path]:
        """Hold the import and give a folder to work in; both end with the block, whatever happens.

        Raises UsageError when another process holds it. What a killed import left is cleared.
        """
        made = [folder for folder in (self.directory, *self.directory.parents) if not folder.exists()]
        self.directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"{self.directory}: another import is at work here; wait until it is done") from None
            work = self.directory / _WORK
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)
                if not self._current.is_symlink():
                    for folder in made:
                        if not any(folder.iterdir()):
                            folder.rmdir()
        finally:
            os.close(descriptor)

    def sources(self) -> list[dict[str, Any]]:
        """What the current version was made of, oldest first; empty when there is none."""
        file = self._current / "sources.json"
        if not file.exists():
            return []
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            return list(document["sources"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{file}: is damaged; remove {self.directory} and import again") from error

    def begin(self, work: Path, *, without: Collection[str]) -> Path:
        """A copy of the current version in ``work``, less the parts of these fingerprints, ready to be added to."""
        version = work / "version"
        for name in ("requests", "rejected"):
            (version / name).mkdir(parents=True)
        dropped = {
            source["rejected_file"]
            for source in self.sources()
            if source["fingerprint"] in without and source["rejected_file"]
        }
        if not self._current.exists():
            return version
        for part in (self._current / "requests").glob("day=*/*.parquet"):
            if part.stem not in without:
                _link(part, version / "requests" / part.parent.name / part.name)
        for file in (self._current / "rejected").iterdir():
            if file.name not in dropped:
                _link(file, version / "rejected" / file.name)
        return version

    def publish(self, version: Path, *, sources: list[Mapping[str, Any]]) -> None:
        """Make ``version`` the current one. The one before it stays until the next import, for readers at work."""
        text = json.dumps({"version": 1, "sources": sources}, indent=1, ensure_ascii=False)
        (version / "sources.json").write_text(text + "\n", encoding="utf-8")
        previous = self._current.readlink().name if self._current.is_symlink() else None
        self._versions.mkdir(exist_ok=True)
        name = str(1 + max((int(v.name) for v in self._versions.iterdir() if v.name.isdigit()), default=0))
        version.rename(self._versions / name)
        for public in _PUBLIC:
            _point(self.directory / public, Path(".current") / public)
        _point(self._current, Path(".versions") / name)
        for old in self._versions.iterdir():
            if old.name not in (name, previous):
                shutil.rmtree(old)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _point(link: Path, target: Path) -> None:
    """Make ``link`` point at ``target`` at one instant, whatever it was before."""
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(link.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
