"""What the team that takes something over needs to know, as the text of an issue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shokubai.config.model import Parameters, Supporter, Warehouse
from shokubai.core.errors import QueryError, ShokubaiError
from shokubai.core.scrub import scrub
from shokubai.display.format import Locale, endpoint
from shokubai.display.prose.findings import candidate_sentence, tell
from shokubai.findings import Candidate, Finding, finding_from_facts
from shokubai.handover.evidence import Circumstances, Evidence, evidence_of
from shokubai.handover.markup import Block, Bullets, Code, Heading, Inline, Mono, Paragraph, Words, one_line
from shokubai.handover.reports import Found

MOST_TRACES = 3


@dataclass(frozen=True)
class Packet:
    """The blocks of the issue, and what is left out of them and why."""

    blocks: tuple[Block, ...]
    omissions: tuple[str, ...]


def packet_of(
    found: Found,
    parameters: Parameters,
    *,
    locale: Locale,
    report: Inline,
    definition: Callable[[str, str], str],
) -> Packet:
    """What is handed over of a finding.

    ``report`` leads to its report. ``definition`` gives the SELECT that stands for a table of the log in a warehouse
    in BigQuery, by the warehouse's name and the table's; where it raises a ShokubaiError, the query is left out.
    """
    onset = finding_from_facts(found.onset)
    finding = finding_from_facts(found.facts)
    candidate = finding.candidate or onset.candidate
    omissions: list[str] = []
    supporter = parameters.supporter_of(found.report.team)
    if supporter is None:
        file = parameters.organization.source.file
        omissions.append(
            f"the issue names nobody of SRE; to name somebody, write sre: {{name: …, contact: …}} into {file}, or "
            f"into {found.report.team.source.file} for this team alone"
        )
    told = tell(finding, locale=locale)
    # The candidate and the gain have places of their own.
    seen = tell(finding_from_facts({**found.facts, "candidate": None, "gains": ()}), locale=locale)
    blocks: list[Block] = [
        Heading(told.title, level=1),
        Bullets(_head(found, finding, supporter, locale=locale, label=told.label, report=report)),
        Heading(locale.say("handover.section.seen")),
        Paragraph([seen.body or told.title]),
        Heading(locale.say("handover.section.since")),
        Paragraph([_since(found, finding, onset, locale)]),
    ]
    if candidate is not None:
        blocks.append(Paragraph([candidate_sentence(replace(finding, candidate=candidate), locale=locale)]))
    blocks.append(Heading(locale.say("handover.section.evidence")))
    blocks += _evidence(found, finding, parameters, locale=locale, definition=definition, omissions=omissions)
    blocks += [
        Heading(locale.say("handover.section.hypothesis")),
        Paragraph([_hypothesis(candidate, finding.started_at or onset.started_at, locale)]),
        Heading(locale.say("handover.section.step")),
        Paragraph([told.action]),
    ]
    if gains := _gains(found.facts.get("gains") or (), locale):
        blocks += [Heading(locale.say("handover.section.gain")), Bullets(gains)]
    blocks += [Heading(locale.say("handover.section.check")), Paragraph([locale.say("handover.check")])]
    return Packet(tuple(blocks), tuple(omissions))


def _head(
    found: Found, finding: Finding, supporter: Supporter | None, *, locale: Locale, label: str, report: Inline
) -> list[Words]:
    week, team = found.report.week, found.report.team
    days, zone = (
        locale.days(week.window(locale.zone), year=True),
        locale.say("handover.zone", zone=locale.zone_name()),
    )
    rows: list[tuple[str, Words]] = [
        ("finding", [Mono(found.id), f" ({label})"]),
        ("service", [Mono(scrub(finding.service))]),
    ]
    if finding.route:
        rows.append(("route", [Mono(scrub(endpoint(finding.method, finding.route)))]))
    rows += [
        ("team", [_with_contact(locale.text(team.display_name) or team.name, team.contact)]),
        *([("supporter", [_with_contact(supporter.name, supporter.contact)])] if supporter else []),
        ("report", [report, f" ({week}, {days}, {zone})"]),
    ]
    return [[locale.say(f"handover.head.{name}") + " ", *words] for name, words in rows]


def _with_contact(name: str, contact: str) -> str:
    return f"{name} ({contact})" if contact else name


def _since(found: Found, finding: Finding, onset: Finding, locale: Locale) -> str:
    first = str(found.facts.get("first_week") or found.report.week.plus(1 - finding.weeks))
    reported = locale.say("handover.reported", week=first, weeks=finding.weeks)
    if finding.started_at is not None:
        began = locale.say("handover.began.known", times=locale.instants(finding.started_at, finding.ended_at))
    elif onset.started_at is not None:
        began = locale.say("handover.began.known", times=locale.instants(onset.started_at, None))
    else:
        began = locale.say("handover.began.unknown")
    return ("" if locale.language == "ja" else " ").join([began, reported])


def _evidence(
    found: Found,
    finding: Finding,
    parameters: Parameters,
    *,
    locale: Locale,
    definition: Callable[[str, str], str],
    omissions: list[str],
) -> list[Block]:
    blocks: list[Block] = []
    warehouse = parameters.warehouses.get(found.report.facts["provenance"]["warehouse"])
    evidence = _query(found, finding, parameters)
    try:
        text = _statement(evidence, warehouse, definition)
    except ShokubaiError as error:
        text = ""
        omissions.append(f"the issue has no query: {error}")
    else:
        if not text:
            omissions.append("the issue has no query: no statement can give this finding's rows")
    if evidence is not None and warehouse is not None and text:
        blocks += [Paragraph([locale.say(f"handover.run.{warehouse.engine}")]), Code(text)]
        sums = ", ".join(f"{expression} = {_plain(number)}" for expression, number in evidence.sums.items())
        if sums:
            blocks.append(Paragraph([locale.say("handover.gives") + " ", Mono(sums)]))
    traces = [one_line(str(trace)) for trace in found.facts.get("trace_ids") or ()][:MOST_TRACES]
    if traces:
        items: list[Words] = [[Mono(trace)] for trace in traces]
        blocks += [Paragraph([locale.say("handover.traces")]), Bullets(items)]
    return blocks or [Paragraph([locale.say("handover.no_query")])]


def _query(found: Found, finding: Finding, parameters: Parameters) -> Evidence | None:
    reports = (found.report, *found.others)
    endpoints = {
        (row["service_name"], row["http_request_method"], row["http_route"])
        for report in reports
        for row in report.facts["routes"]
    }
    slo = parameters.slos.get(finding.subject.partition("@")[0])
    return evidence_of(finding, Circumstances(found.report.facts, found.report.team, slo, sorted(endpoints)))


def _statement(evidence: Evidence | None, warehouse: Warehouse | None, definition: Callable[[str, str], str]) -> str:
    if evidence is None:
        return ""
    if warehouse is None:
        raise QueryError("the warehouse that the report was made from is no longer in the parameters")
    return evidence.statement(warehouse, definition=lambda table: definition(warehouse.name, table))


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _hypothesis(candidate: Candidate | None, began: datetime | None, locale: Locale) -> str:
    if candidate is not None:
        return locale.say("handover.hypothesis.candidate", version=scrub(candidate.identifier))
    if began is not None:
        return locale.say("handover.hypothesis.onset")
    return locale.say("handover.hypothesis.none")


def _gains(gains: Sequence[Any], locale: Locale) -> list[Words]:
    return [
        [
            locale.say(
                "handover.gain",
                count=locale.count(round(gain["bad_count"])),
                share=locale.share(gain["budget_ratio"]),
                slo=scrub(gain["slo_name"] or gain["slo"]),
            )
        ]
        for gain in gains
    ]
