"""``shokubai join``: put together what the shards of a run made."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from shokubai import config
from shokubai.cli.manner import manner_options
from shokubai.cli.run import own_notebooks, terminable
from shokubai.cli.terminal import (
    log_option,
    notebooks_option,
    outputs_option,
    parameters_option,
)
from shokubai.cli.watching import tell_end, watching
from shokubai.core.windows import Week
from shokubai.runner import Manner, WeekOutcome, join_reports, make_plan

_shard_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command
@click.argument("name", metavar="RUN")
@click.argument("more", metavar="[DIR]...", nargs=-1, type=_shard_folder)
@click.option(
    "--week", "week_text", metavar="WEEK", help="ISO week such as 2026-W44. Default: the last complete one."
)
@click.option(
    "--from",
    "folders",
    metavar="DIR",
    multiple=True,
    required=True,
    type=_shard_folder,
    help="The outputs folder of a shard; may be given several times, and more folders may follow: --from shards/*",
)
@click.option("--warehouse", metavar="NAME", help="The one that the shards were given, if any.")
@manner_options
@log_option
@notebooks_option
@parameters_option
@outputs_option
def command(
    name: str,
    more: Sequence[Path],
    week_text: str | None,
    folders: Sequence[Path],
    warehouse: str | None,
    manner: Manner,
    log: str | None,
    notebooks_dir: Path | None,
    parameters_dir: Path,
    outputs_dir: Path,
) -> None:
    """Publish in one outputs folder what `shokubai run RUN --shard K/N` made in several, each given with --from.

    Then the organisation's pages are made, which read the facts of all teams, and the index pages. A report that no
    shard made gets a page that says so. Name the folders of all shards each time: what is already there is not done
    again. Shards made from other code, parameters or notebooks than those here are refused. Exit status: 0 all are
    there, 1 some are not (each has a page that says why), 2 nothing was done because something given is wrong,
    3 the same reports are being made by another process, 4 the disk is full.
    """
    plan = make_plan(
        config.load(parameters_dir),
        name,
        now=datetime.now(UTC),
        outputs=outputs_dir,
        notebooks=notebooks_dir or own_notebooks(),
        week=Week.parse(week_text) if week_text else None,
        warehouse=warehouse,
    )
    with terminable(), watching(log) as progress:
        summary = join_reports(plan, [*folders, *more], manner=manner, progress=progress)
    outcome = WeekOutcome(plan.week, summary)
    tell_end([outcome], outputs_dir)
    if outcome.exit_status:
        sys.exit(outcome.exit_status)
