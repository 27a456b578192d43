"""``shokubai import``: log files become a request log, with parameters to start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from shokubai.cli.terminal import console, outputs_option, parameters_option, status
from shokubai.config import check
from shokubai.core.errors import UsageError
from shokubai.core.windows import Week
from shokubai.ingest import (
    ImportOptions,
    ImportSummary,
    LineFormat,
    Starter,
    import_requests,
    label,
    read_mapping,
    read_route_rules,
    write_starter,
)
from shokubai.ingest.line_format import FORMATS
from shokubai.ingest.model import DEFAULT_MAX_ROUTES

F = TypeVar("F", bound=Callable[..., Any])

_file = click.Path(path_type=Path)


def _shared(function: F) -> F:
    """The options that every kind of import has."""
    for option in reversed(
        (
            click.argument("files", nargs=-1, required=True, type=_file, metavar="FILE…"),
            click.option("--service", metavar="NAME", help="The service whose requests these are."),
            click.option("--name", metavar="NAME", help="The import's folder and warehouse; default: the service."),
            click.option(
                "--column",
                "columns",
                multiple=True,
                metavar="NAME=SQL",
                help="JSON lines, CSV, Parquet: what a column of the request log is in the file, a column or "
                "a DuckDB expression, such as duration_seconds=duration_ms/1000. Repeatable.",
            ),
            click.option("--mapping", "mapping_file", type=_file, metavar="FILE", help="The same as a YAML file."),
            click.option("--where", default="", metavar="SQL", help="Only rows for which this is true."),
            click.option(
                "--unique",
                default="",
                metavar="COL,COL",
                help="Rows with the same values here count once, over all files of this command.",
            ),
            click.option(
                "--source-zone", default="UTC", show_default=True, metavar="ZONE", help="For times without an offset."
            ),
            click.option(
                "--routes", "rules_file", type=_file, metavar="FILE", help="Route templates of your own, YAML."
            ),
            click.option(
                "--max-routes",
                default=DEFAULT_MAX_ROUTES,
                show_default=True,
                metavar="N",
                help="Routes per service; rarer ones are folded.",
            ),
            click.option(
                "--key-file", type=_file, metavar="FILE", help="The key with which client addresses are hashed."
            ),
            click.option("--allow-rejected", is_flag=True, help="Import even if most lines cannot be read."),
            click.option("--organization", default="My organization", metavar="NAME", help="For new parameters."),
            click.option("--time-zone", default="UTC", show_default=True, metavar="ZONE", help="For new parameters."),
            parameters_option,
            outputs_option,
        )
    ):
        function = option(function)
    return function


@click.group(name="import", short_help="Import log files into the request-log layout.")
def command() -> None:
    """Import log files into the request-log layout.

    Paths become routes without ids, client addresses become keyed hashes, and lines that cannot be read are kept
    in a file. A file that is imported again replaces itself.
    """


@command.command("access-log")
@_shared
@click.option(
    "--format",
    "format_name",
    default="auto",
    show_default=True,
    metavar="FORMAT",
    help=f"auto, {', '.join(FORMATS)}",
)
def access_log(*, format_name: str, **given: Any) -> None:
    """Import access logs of nginx or Apache, plain or compressed (gzip, zstd).

    JSON lines, CSV and Parquet are taken too, with --column or --mapping.
    """
    line_format = None if format_name == "auto" else LineFormat(format_name)
    _run(is_table=False, line_format=line_format, **given)


@command.command("table")
@_shared
def table(**given: Any) -> None:
    """Import requests, or spans, from CSV, JSON lines or Parquet, by their columns.

    Columns that have the request log's names (timestamp, service_name, http_route, http_request_method,
    http_response_status_code, duration_seconds, user_key, region, service_version, trace_id) are taken as they
    are; others are named with --column.
    """
    _run(is_table=True, line_format=None, **given)


def _run(
    *,
    is_table: bool,
    line_format: LineFormat | None,
    files: tuple[Path, ...],
    service: str | None,
    name: str | None,
    columns: tuple[str, ...],
    mapping_file: Path | None,
    where: str,
    unique: str,
    source_zone: str,
    rules_file: Path | None,
    max_routes: int,
    key_file: Path | None,
    allow_rejected: bool,
    organization: str,
    time_zone: str,
    parameters_dir: Path,
    outputs_dir: Path,
) -> None:
    name = _import_name(name, service)
    zone = _organization_zone(parameters_dir) or _zone(time_zone, "--time-zone")
    options = ImportOptions(
        name=name,
        service=service,
        line_format=line_format,
        mapping=read_mapping(
            mapping_file, columns=columns, where=where, unique=[c.strip() for c in unique.split(",") if c.strip()]
        ),
        is_table=is_table,
        source_zone=_zone(source_zone, "--source-zone"),
        zone=zone,
        route_rules=read_route_rules(rules_file) if rules_file else (),
        max_routes=max_routes,
        key_file=key_file,
        allow_rejected=allow_rejected,
    )
    with _byte_progress() as progress:
        task = progress.add_task(f"Reading {len(files)} file{'s' if len(files) > 1 else ''}", total=_size(files))
        summary = import_requests(
            files, options, outputs=outputs_dir, advance=lambda count: progress.update(task, advance=count)
        )
    starter = write_starter(summary, directory=parameters_dir, organization=organization, zone=zone)
    for line in describe(summary):
        console.print(line)
    for line in describe_next(summary, starter, parameters_dir=parameters_dir, outputs_dir=outputs_dir):
        console.print(line)


def describe(summary: ImportSummary) -> list[str]:
    """What was read and what became of it, as lines of text."""
    lines = []
    for source in summary.sources:
        lines.append(f"{source.file}: {source.kind}")
        lines += [f"  {note}" for note in source.notes]
        if source.repeats:
            lines.append(f"  its content is in {source.repeats} too: its rows count once")
        elif source.replaced:
            lines.append(f"  replaces {', '.join(source.replaced)}, imported earlier")
    left_out = sum(source.left_out_count for source in summary.sources)
    lines += [
        f"{summary.read_count:,} lines read: {summary.parsed_count:,} parsed"
        + (f" ({summary.repaired_count:,} of them repaired)" if summary.repaired_count else "")
        + f", {summary.rejected_count:,} rejected"
        + (f", {left_out:,} left out by the condition" if left_out else "")
        + (f"; duplicates removed: {summary.duplicate_count:,}" if summary.duplicate_count else ""),
    ]
    for source in summary.sources:
        if source.rejected_file:
            lines.append(
                f"  rejected lines with their reasons: {summary.directory / 'rejected' / source.rejected_file}"
            )
    lines.append(
        f"{summary.row_count:,} requests from {summary.first_at:%Y-%m-%dT%H:%M:%SZ} "
        f"to {summary.last_at:%Y-%m-%dT%H:%M:%SZ}"
    )
    known = {code: count for code, count in summary.status_counts.items() if code is not None}
    unknown = summary.status_counts.get(None, 0)
    if known:
        failed = sum(count for code, count in known.items() if 500 <= code <= 599)
        total = sum(known.values())
        lines.append("status: " + ", ".join(f"{code} × {count:,}" for code, count in known.items()))
        lines.append(f"availability: {(total - failed) / total:.2%} ({failed:,} of {total:,} failed with 500-599)")
        if unknown:
            lines.append(f"  {unknown:,} requests have no status and are not in it")
    else:
        lines.append("status: not in the data, so availability cannot be told")
    lines.append(
        f"durations: {summary.duration_count:,} of {summary.row_count:,} requests have one"
        if summary.duration_count
        else "durations: not in the data, so latency cannot be told"
    )
    for service in summary.services:
        if service.duration_p50_seconds is not None and service.duration_p50_seconds > 600:
            lines.append(
                f"  half of {service.service}'s requests took over {service.duration_p50_seconds:,.0f} s: "
                "is the unit right? duration_seconds is in seconds"
            )
    lines.append(
        f"routes: {summary.route_count:,}"
        + (
            f" ({summary.template_count:,} before folding; {summary.folded_count:,} requests were folded into "
            "/prefix/* or {other})"
            if summary.folded_count
            else ""
        )
        + (f"; {summary.malformed_count:,} malformed requests" if summary.malformed_count else "")
    )
    lines.append(f"requests: {summary.requests_pattern}")
    return lines


def describe_next(summary: ImportSummary, starter: Starter, *, parameters_dir: Path, outputs_dir: Path) -> list[str]:
    """Which parameters were written, and the command that makes the report."""
    lines = []
    if starter.written:
        lines.append(f"parameters written: {', '.join(map(str, starter.written))}")
    if starter.kept:
        lines.append(f"parameters left as they are: {', '.join(map(str, starter.kept))}")
    lines += list(starter.notes)
    weeks = list(dict.fromkeys(str(Week.of(day)) for day in summary.local_days))
    shown = weeks if len(weeks) <= 6 else [*weeks[:2], "…", *weeks[-2:]]
    words = ["shokubai run weekly"]
    if parameters_dir != Path("parameters"):
        words.append(f"--parameters {parameters_dir}")
    if outputs_dir != Path("outputs"):
        words.append(f"--outputs {outputs_dir}")
    if not starter.is_new_organization:
        words += [f"--team {team}" for team in starter.teams]
    words.append(f"--week {weeks[-1]}")
    lines += [f"weeks: {', '.join(shown)}", f"next: {' '.join(words)}"]
    return lines


def _import_name(name: str | None, service: str | None) -> str:
    if name is None and service is None:
        raise UsageError("give --service NAME, or --name NAME when a column says the service")
    made = name if name is not None else label(service or "")
    if not made or label(made) != made:
        raise UsageError(
            f"--name {made!r}: must be lower-case letters, digits and inner hyphens, at most 63"
            + (f", such as {label(made)}" if label(made) else "")
        )
    return made


def _zone(name: str, option: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{option} {name!r} is no time zone; write it as Asia/Tokyo or UTC") from None


def _organization_zone(directory: Path) -> str | None:
    if not (directory / "organization.yaml").exists():
        return None
    parameters, _ = check(directory)
    if parameters is None:
        status.print(f"{directory} has problems, see `shokubai validate`; weeks are reckoned in --time-zone")
        return None
    return parameters.organization.zone.key


def _size(files: tuple[Path, ...]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())


def _byte_progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=status,
        disable=not status.is_terminal,
        transient=True,
    )
