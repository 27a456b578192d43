"""What commands cost: seconds on the clock, of the processors, and memory, all of their descendants included."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from shokubai.runner.orphans import adopt_orphans

SECONDS_BETWEEN_SAMPLES = 0.25
PARTS = 10  # of a run, whose peaks are compared
KILOBYTE = 1024
LONGEST_ERROR = 2_000


class CommandFailedError(Exception):
    """A command that is measured ended otherwise than with exit status 0."""


@dataclass(frozen=True)
class Spent:
    """``seconds`` on the clock; ``cpu_seconds`` of user and system time of all processes.

    ``memory`` are the samples, where they were asked for.
    """

    seconds: float
    cpu_seconds: float
    memory: tuple[Sample, ...] = ()


@dataclass(frozen=True)
class Sample:
    """Memory of all processes at one moment, in bytes.

    ``rss`` counts a page once for each process that has it, ``pss`` divides it among them: what forked processes
    share is in the one many times and in the other once.
    """

    rss: int
    pss: int
    processes: int


def run(
    *commands: Sequence[str],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    with_memory: bool = False,
) -> Spent:
    """Run commands, all at once, and wait for them and for whatever they leave behind.

    The clock stops when the last command has ended. Linux only: this process becomes the parent of every descendant
    whose own parent has ended, so that none of their time is lost. It must have no other children. Raises
    CommandFailedError with the last words of a command that failed.
    """
    adopt_orphans()
    sampler = Sampler() if with_memory else None
    with tempfile.TemporaryFile() as said:
        before = _of_children()
        started = time.perf_counter()
        processes = [
            subprocess.Popen(
                command, cwd=folder, env={**os.environ, **(environment or {})}, stdout=said, stderr=subprocess.STDOUT
            )
            for command in commands
        ]
        if sampler:
            sampler.start()
        statuses = [process.wait() for process in processes]
        seconds = time.perf_counter() - started
        memory = sampler.finish() if sampler else ()
        with suppress(ChildProcessError):  # until none is left
            while os.wait():
                pass
        spent = Spent(seconds, _of_children() - before, memory)
        if any(statuses):
            said.seek(0)
            text = said.read().decode(errors="replace")[-LONGEST_ERROR:]
            raise CommandFailedError(f"{' '.join(commands[0])[:200]} … ended with exit status {statuses}:\n{text}")
    return spent


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Sampler(threading.Thread):
    """Looks at the memory of all descendants of this process, again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._samples: list[Sample] = []
        self._is_over = threading.Event()

    def run(self) -> None:
        me = psutil.Process()
        while not self._is_over.wait(SECONDS_BETWEEN_SAMPLES):
            self._samples.append(total_memory(child.pid for child in me.children(recursive=True)))

    def finish(self) -> tuple[Sample, ...]:
        self._is_over.set()
        self.join()
        return tuple(self._samples)


def total_memory(pids: Any) -> Sample:
    """The memory of processes together; those that have ended have none."""
    found = [memory for pid in pids if (memory := _rollup(pid))]
    return Sample(sum(rss for rss, _ in found), sum(pss for _, pss in found), len(found))


def _rollup(pid: int) -> tuple[int, int] | None:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    values = parse_rollup(text)
    return values if values[0] else None


def parse_rollup(text: str) -> tuple[int, int]:
    """RSS and PSS in bytes, of the text of ``/proc/PID/smaps_rollup``."""
    fields = {line.split(":")[0]: line.split()[1] for line in text.splitlines() if line.endswith(" kB")}
    return int(fields.get("Rss", 0)) * KILOBYTE, int(fields.get("Pss", 0)) * KILOBYTE


def peaks(values: Sequence[int], parts: int = PARTS) -> list[int]:
    """The largest value of each part of a sequence, divided as evenly as whole values allow.

    >>> peaks([1, 5, 2, 2, 7, 3], 3)
    [5, 2, 7]
    """
    bounds = [len(values) * n // parts for n in range(parts + 1)]
    return [max(values[a:b]) for a, b in pairwise(bounds) if b > a]


def rotated(names: Sequence[str], count: int) -> list[str]:
    """The names in another order each time, so that none always comes after the same.

    >>> rotated(["a", "b", "c"], 1)
    ['b', 'c', 'a']
    """
    by = count % len(names)
    return [*names[by:], *names[:by]]


def summarize(rounds: Sequence[Spent]) -> dict[str, Any]:
    """The medians of rounds, and each of them."""
    return {
        "seconds": statistics.median(spent.seconds for spent in rounds),
        "cpu_seconds": statistics.median(spent.cpu_seconds for spent in rounds),
        "rounds_seconds": [round(spent.seconds, 3) for spent in rounds],
        "rounds_cpu_seconds": [round(spent.cpu_seconds, 3) for spent in rounds],
    }


def ratios(name: str, of: Sequence[Spent], to: Sequence[Spent]) -> dict[str, Any]:
    """The ratios of seconds and of processor seconds under ``name`` and ``cpu_`` before it, with those of the rounds.

    Each is the median of the rounds' own ratios: what slows one round down slows both of its sides down.
    """
    pairs = list(zip(of, to, strict=True))
    rounds = {name: [a.seconds / b.seconds for a, b in pairs]}
    rounds[f"cpu_{name}"] = [a.cpu_seconds / b.cpu_seconds for a, b in pairs]
    medians = {key: statistics.median(values) for key, values in rounds.items()}
    return {**medians, **{f"rounds_{key}": values for key, values in rounds.items()}}
