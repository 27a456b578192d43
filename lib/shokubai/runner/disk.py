"""A full disk: said once, and nothing that was published is lost."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shokubai.core.errors import ShokubaiError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
LEAST_BYTES = 64 * 1024  # with less room a report's process cannot even say why it failed


class DiskFullError(ShokubaiError):
    """No more reports can be made for want of room."""

    exit_status = 4


@contextmanager
def explained_when_full(folder: Path) -> Iterator[None]:
    """Raises DiskFullError in place of the system's error when what is written below ``folder`` finds no room."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFullError(
            f"{folder}: {os.strerror(error.errno)}; what was published stays as it is; "
            "make room there, then run again: the same command makes the rest"
        ) from error


def ensure_room(folder: Path) -> None:
    """Raise the system's error when the disk of ``folder`` is as good as full."""
    if shutil.disk_usage(folder).free < LEAST_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(folder))
