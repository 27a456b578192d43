"""``shokubai demo``: build the demo organisation's data and the truth about it."""

from __future__ import annotations

from pathlib import Path

import click

from shokubai import config, demo
from shokubai.cli.terminal import console, outputs_option, parameters_option, progress, status
from shokubai.demo.organization import TOKYO


@click.command()
@click.option("--rows", type=int, default=demo.DEFAULT_ROWS, show_default=True, help="About how many requests.")
@click.option("--seed", type=int, default=demo.DEFAULT_SEED, show_default=True, help="Same seed, same demo.")
@click.option("--if-missing", is_flag=True, help="Do nothing when this very demo is there already.")
@parameters_option
@outputs_option
def command(rows: int, seed: int, if_missing: bool, parameters_dir: Path, outputs_dir: Path) -> None:
    """Build the demo organisation's data: thirteen weeks of request logs with known events in them.

    It goes to DIR/demo of --outputs. What a report must say about it is in truth.json there, counted for the teams
    and SLOs of --parameters.
    """
    parameters = config.load(parameters_dir)
    directory = outputs_dir / "demo"
    if if_missing and demo.is_current(directory, rows=rows, seed=seed):
        status.print(f"the demo data is there: {directory}")
    else:
        with progress() as bar:
            task = bar.add_task("demo data", total=None)
            demo.build(
                directory,
                rows=rows,
                seed=seed,
                progress=lambda done, total, what: bar.update(task, completed=done, total=total, description=what),
            )
    if if_missing and demo.is_truth_current(directory, parameters):
        return
    status.print("counting the truth …")
    truth = demo.write_truth(directory, parameters)
    summary = demo.read_summary(directory)
    console.print(
        f"{summary.request_count:,} requests of {summary.weeks[0]} to {summary.weeks[1]} in {directory} "
        f"({summary.late_count:,} more are late)"
    )
    console.print(_planted(seed))
    console.print(f"what reports must say of it: {truth}")


def _planted(seed: int) -> str:
    """The planted events as aligned lines, which no terminal's width cuts off."""
    rows = [
        (
            event.kind.replace("_", " "),
            event.service,
            ", ".join(event.teams),
            f"{event.start.astimezone(TOKYO):%Y-%m-%d %H:%M} to {event.end.astimezone(TOKYO):%Y-%m-%d %H:%M}",
        )
        for event in demo.plants_of(seed).events
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(["planted (Asia/Tokyo):", *(f"  {line}" for line in lines)])
