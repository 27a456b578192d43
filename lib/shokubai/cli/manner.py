"""The options that say how reports are made: how many at once, by which engine, within which limits."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from shokubai.runner import ENGINES, Engine, Limits, Manner
from shokubai.runner.task import DEFAULT_ENGINE

_UNITS = {"MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}


class _Size(click.ParamType[int]):
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([MG]i?B)", str(value), re.IGNORECASE)
        if not found:
            self.fail(f"{value!r} is not a size; allowed: a number with MB, GB, MiB or GiB, such as 2GB", param, ctx)
        return int(float(found[1]) * _UNITS[found[2].upper()])


_OPTIONS = (
    click.option(
        "--jobs", type=click.IntRange(min=1), default=None, help="Reports at once. Default: one per processor."
    ),
    click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default=DEFAULT_ENGINE,
        show_default=True,
        help="What runs notebooks: processes forked from a warm one, or a Jupyter kernel started for each.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=1),
        default=600,
        show_default=True,
        help="Seconds that one notebook may take.",
    ),
    click.option(
        "--cell-timeout",
        type=click.FloatRange(min=1),
        default=None,
        help="Seconds that one of its cells may take. Default: as many as the notebook.",
    ),
    click.option(
        "--memory",
        type=_Size(),
        default=None,
        metavar="SIZE",
        help="Memory that one notebook may take, such as 2GB. Default: its share of 80 %, at least 1 GB.",
    ),
)


def manner_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options, which reach the command as ``manner``."""

    @wraps(command)
    def with_manner(
        *args: Any,
        jobs: int | None,
        engine: Engine,
        timeout: float,
        cell_timeout: float | None,
        memory: int | None,
        **given: Any,
    ) -> None:
        limits = Limits(notebook_seconds=timeout, cell_seconds=cell_timeout, memory_bytes=memory)
        command(*args, manner=Manner(jobs=jobs or os.cpu_count() or 1, engine=engine, limits=limits), **given)

    for option in reversed(_OPTIONS):
        with_manner = option(with_manner)
    return with_manner
