"""A run divided over machines: which teams are whose, told by the command line or by the scheduler's environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shokubai.core.errors import UsageError

# Cloud Run jobs set both; a Kubernetes Job with completionMode Indexed sets the index alone. Both count from 0.
CLOUD_RUN_INDEX, CLOUD_RUN_COUNT = "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"
KUBERNETES_INDEX = "JOB_COMPLETION_INDEX"


@dataclass(frozen=True)
class Shard:
    """Part ``index`` of ``count``, counted from 1."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def teams_of(self, names: Iterable[str]) -> tuple[str, ...]:
        """This shard's teams: of the sorted names every ``count``-th, so that every machine divides alike.

        >>> [Shard(k, 3).teams_of(["d", "a", "b", "c"]) for k in (1, 2, 3)]
        [('a', 'd'), ('b',), ('c',)]
        """
        return tuple(sorted(names)[self.index - 1 :: self.count])


def choose_shard(said: str | None, environment: Mapping[str, str]) -> Shard | None:
    """The shard that ``said`` (K/N or */N) names, else the one of a Cloud Run task, else None: not divided.

    ``*/N`` takes K from the index of a Kubernetes indexed Job. Raises UsageError for anything that is no shard.
    """
    if said is not None:
        return _parse(said, environment)
    count = _number(environment, CLOUD_RUN_COUNT) if CLOUD_RUN_COUNT in environment else 1
    return None if count < 2 else _numbered(environment, CLOUD_RUN_INDEX, count)


def _parse(said: str, environment: Mapping[str, str]) -> Shard:
    parts = re.fullmatch(r"(\d+|\*)/(\d+)", said, re.ASCII)
    if parts is None or int(parts[2]) < 1:
        raise UsageError(f"--shard {said}: not a shard; allowed is K/N such as 2/3 (K from 1 to N), or */N")
    count = int(parts[2])
    if parts[1] == "*":
        if KUBERNETES_INDEX not in environment:
            raise UsageError(
                f"--shard {said}: K comes from {KUBERNETES_INDEX}, which is not set; a Kubernetes Job sets it with "
                f"completionMode: Indexed; elsewhere name the shard, such as 1/{count}"
            )
        return _numbered(environment, KUBERNETES_INDEX, count)
    index = int(parts[1])
    if not 1 <= index <= count:
        allowed = f"1/{count} to {count}/{count}" if count > 1 else "1/1"
        raise UsageError(f"--shard {said}: there is no shard {index} of {count}; allowed: {allowed}")
    return Shard(index, count)


def _numbered(environment: Mapping[str, str], variable: str, count: int) -> Shard:
    """The shard of a variable that counts from 0."""
    index = _number(environment, variable)
    if index >= count:
        raise UsageError(
            f"{variable} in the environment is {index}; allowed is 0 to {count - 1}, as there are {count} shards; "
            "or name the shard: --shard K/N"
        )
    return Shard(index + 1, count)


def _number(environment: Mapping[str, str], variable: str) -> int:
    said = environment.get(variable, "")
    if not re.fullmatch(r"\d+", said, re.ASCII):
        raise UsageError(
            f"{variable} in the environment is {said!r}; allowed is a whole number of at least 0; "
            "or name the shard: --shard K/N"
        )
    return int(said)
