"""What commands share: where text goes, how progress is shown, and the options that several have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

F = TypeVar("F", bound=Callable[..., Any])

# Results go to stdout, everything about how it is going to stderr. Numbers and paths are not coloured, and no
# text is taken for Rich's markup unless it is ours.
console = Console(highlight=False, soft_wrap=True, markup=False)
status = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

_folder = click.Path(file_okay=False, path_type=Path)

parameters_option: Callable[[F], F] = click.option(
    "--parameters",
    "parameters_dir",
    type=_folder,
    default=Path("parameters"),
    show_default=True,
    metavar="DIR",
    help="The organisation's parameters.",
)
outputs_option: Callable[[F], F] = click.option(
    "--outputs",
    "outputs_dir",
    type=_folder,
    default=Path("outputs"),
    show_default=True,
    metavar="DIR",
    help="Where everything that is made goes.",
)
log_option: Callable[[F], F] = click.option(
    "--log",
    metavar="FILE",
    default=None,
    help="Append what happens to FILE, one JSON object per line; - is stderr, in place of the progress bar.",
)
notebooks_option: Callable[[F], F] = click.option(
    "--notebooks",
    "notebooks_dir",
    type=_folder,
    default=None,
    metavar="DIR",
    help="Where the run's notebooks are. Default: notebooks, else those of the Shokubai checkout in use; "
    "an installed package brings none.",
)


def progress() -> Progress:
    """A progress bar on stderr; silent where stderr is no terminal, so that logs stay readable."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=status,
        disable=not status.is_terminal,
        transient=True,
    )


def counted(count: int, noun: str) -> str:
    """Such as 1 error, 2 errors."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def from_here(file: Path) -> Path:
    """The path as it is written from the current folder, where it lies below it."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file
