"""``shokubai handover``: the text of an issue about a finding, for the team that can do something about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from shokubai import config, site, tables
from shokubai.cli.terminal import console, from_here, outputs_option, parameters_option, status
from shokubai.config.model import LANGUAGES, Language, Parameters
from shokubai.core.errors import QueryError, UsageError
from shokubai.core.windows import Week
from shokubai.display.format import Locale
from shokubai.display.prose import tell
from shokubai.findings import finding_from_facts
from shokubai.handover import (
    FORMATS,
    Format,
    Found,
    Link,
    Report,
    find_finding,
    newest_reports,
    one_line,
    packet_of,
    record_handover,
    replies_file,
    reply_line,
    written,
)
from shokubai.tables.dataset import DatasetTables


@click.command
@click.argument("finding", metavar="[FINDING_ID]", required=False)
@click.option("--list", "only_list", is_flag=True, help="List the open findings of the newest week with their ids.")
@click.option(
    "--week", "week_text", metavar="WEEK", help="ISO week such as 2026-W44. Default: the newest that has it."
)
@click.option("--team", metavar="TEAM", help="Only this team's reports; several teams may share a service.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="github",
    show_default=True,
    help="Markdown for GitHub or GitLab, or Jira's wiki markup.",
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), default=None, help="Default: the language of the team's reports."
)
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the text there.")
@click.option("--record", is_flag=True, help="Also note the handover in the team's replies.")
@parameters_option
@outputs_option
def command(
    finding: str | None,
    only_list: bool,
    week_text: str | None,
    team: str | None,
    form: Format,
    language: Language | None,
    to: Path | None,
    record: bool,
    parameters_dir: Path,
    outputs_dir: Path,
) -> None:
    """Write an issue about the finding with FINDING_ID, ready to be filed, from the newest weekly report that has it.

    A part of the id is enough where it is in one id only. The issue says what was seen, since when, which deployment
    is a candidate, how to see it again, what to try first, whom to ask, and how it is checked. Without FINDING_ID
    the open findings are listed. Exit status: 0 it was written, 2 nothing was because something given cannot be used.
    """
    parameters = config.load(parameters_dir)
    week = Week.parse(week_text) if week_text else None
    if finding is None or only_list:
        if record or to or (finding and only_list):
            raise UsageError("--list writes and records nothing; name one FINDING_ID without --list for that")
        _list(newest_reports(parameters, outputs_dir, week=week, team=team), parameters, language)
        return
    found = find_finding(finding, parameters, outputs_dir, week=week, team=team)
    packet = packet_of(
        found,
        parameters,
        locale=Locale(language or found.report.team.language, parameters.organization.zone),
        report=_link(found.report, to),
        definition=_definitions(parameters, outputs_dir),
    )
    text = written(packet.blocks, form)
    if record:
        is_new = record_handover(found.id, parameters, found.report.team, found.report.week)
    if to is None:
        click.echo(text, nl=False)
    else:
        site.write_text(to, text)
        console.print(str(from_here(to)))
    for omission in packet.omissions:
        status.print(f"note: {one_line(omission)}")
    file = from_here(replies_file(parameters, found.report.team))
    if record:
        status.print(f"{file}: {'recorded' if is_new else 'recorded before'}")
    else:
        status.print(f"once it is handed over, add this line to {file}, or let --record add it:\n{_line(found)}")


def _list(reports: Sequence[Report], parameters: Parameters, language: Language | None) -> None:
    console.print(f"{reports[0].week}: open findings")
    count = 0
    for report in reports:
        locale = Locale(language or parameters.organization.language, parameters.organization.zone)
        for facts in report.open_findings:
            told = tell(finding_from_facts(facts), locale=locale)
            console.print(one_line(str(facts["id"])))
            console.print(f"    {report.team.name} · {told.label} · {one_line(told.title)}")
            count += 1
    if not count:
        console.print("none")


def _line(found: Found) -> str:
    return reply_line(found.id, found.report.team, found.report.week)


def _link(report: Report, to: Path | None) -> Link:
    """To the report, from where the text is written or else from here."""
    folder = to.absolute().parent if to else Path.cwd()
    return Link(report.page.name, Path(os.path.relpath(report.page.absolute(), folder)).as_posix())


def _definitions(parameters: Parameters, outputs: Path) -> Callable[[str, str], str]:
    def definition(warehouse: str, table: str) -> str:
        opened = tables.open_tables(parameters, warehouse, outputs=outputs, labels={})
        if not isinstance(opened, DatasetTables):
            raise QueryError(f"warehouse {warehouse} is not in BigQuery")
        return opened.warehouse.definition(table)

    return definition
