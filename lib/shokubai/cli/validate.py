"""``shokubai validate``: every problem under ``parameters/``, one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from shokubai import config, findings
from shokubai.cli.terminal import console, counted, from_here, parameters_option
from shokubai.config.model import Parameters
from shokubai.core.errors import ConfigurationError, Problem


@click.command()
@parameters_option
@click.pass_context
def command(context: click.Context, parameters_dir: Path) -> None:
    """Check everything under --parameters and list every problem with its file and line.

    The exit status is 2 when there is an error, and 0 when there are only warnings or nothing.
    """
    parameters, problems = config.check(parameters_dir)
    if parameters is not None:
        unknown = findings.unknown_rules(parameters)
        answers = findings.answers_to_unknown_rules(parameters)
        parameters, problems = (None if unknown else parameters), [*unknown, *problems, *answers]
    for problem in problems:
        console.print(str(replace(problem, file=from_here(problem.file))))
    console.print(summarize(parameters, problems))
    if parameters is None:
        context.exit(ConfigurationError.exit_status)


def summarize(parameters: Parameters | None, problems: Sequence[Problem]) -> str:
    """What was checked and how it ended, in one line."""
    levels = Counter(problem.level for problem in problems)
    counts = [counted(levels[level], level) for level in ("error", "warning") if levels[level]]
    ending = ", ".join(counts) or "no problem"
    if parameters is None:
        return ending
    checked = (
        counted(len(parameters.teams), "team"),
        counted(len(parameters.slos), "SLO"),
        counted(len(parameters.warehouses), "warehouse"),
    )
    return f"{', '.join(checked)}: {ending}"
