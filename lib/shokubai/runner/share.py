"""What each of the reports that are made at once may take of the machine."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from shokubai.runner.task import Limits
from shokubai.tables.opening import MEMORY, THREADS

MEMORY_SHARE = 0.6  # the rest is for the notebooks themselves and for whatever else runs
LEAST_BYTES = 256_000_000  # less than this the engine cannot work with
LIMIT_SHARE = 0.8
LEAST_LIMIT_BYTES = 1_000_000_000  # a report of a large team, libraries included, with some room
_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container


def share_of_machine(reports: int, within: Limits | None = None) -> dict[str, str]:
    """The environment with which each of so many reports takes its share of processors and memory.

    Of a limit on its memory the engine takes three quarters at most, so that it spills before it is refused any.
    """
    memory_bytes = _memory_bytes()
    if within is not None and within.memory_bytes is not None:
        memory_bytes = min(memory_bytes, int(within.memory_bytes * 0.75 / MEMORY_SHARE * max(reports, 1)))
    return limits(max(reports, 1), processors=os.cpu_count() or 1, memory_bytes=memory_bytes)


def within_share(wanted: Limits, reports: int) -> Limits:
    """The limits with one on memory: where none is wanted, the share of each of so many reports.

    It is there to end what goes wrong before it ends the machine. Who sets SHOKUBAI_MEMORY has shared it out already.
    """
    if wanted.memory_bytes is not None:
        return wanted
    reports = 1 if os.environ.get(MEMORY) else reports
    return replace(wanted, memory_bytes=max(LEAST_LIMIT_BYTES, int(_memory_bytes() * LIMIT_SHARE / reports)))


def limits(reports: int, *, processors: int, memory_bytes: int) -> dict[str, str]:
    """The same for a machine of this size.

    >>> limits(4, processors=8, memory_bytes=16_000_000_000)
    {'SHOKUBAI_THREADS': '2', 'SHOKUBAI_MEMORY': '2400MB'}
    """
    each = max(LEAST_BYTES, int(memory_bytes * MEMORY_SHARE / reports))
    return {THREADS: str(max(1, processors // reports)), MEMORY: f"{each // 1_000_000}MB"}


def _memory_bytes() -> int:
    total = int(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):  # no container, or one without a limit: "max"
        return min(total, int(_LIMIT.read_text(encoding="ascii")))
    return total
