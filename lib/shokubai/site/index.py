"""The pages that lead to the reports: one per week, and the front page over all weeks. Made from what is on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shokubai.config.model import Language, Organization
from shokubai.core.errors import ShokubaiError
from shokubai.core.windows import Week
from shokubai.display.format import Locale
from shokubai.display.prose import tally
from shokubai.findings import STATES, count_states, foremost
from shokubai.findings.model import State
from shokubai.site.document import policy, render, script, write_text

Manifest = Mapping[str, Any]


LONG_LIST = 30  # teams; above that entries are one line each, with a filter


@dataclass(frozen=True)
class Entry:
    """One report in a week's list. ``last_good`` links to an older report of the week beside a failed one.

    ``also`` are other pages of the same team that stand with it.
    """

    team: str
    name: str
    title: str
    detail: str
    href: str
    status: str  # made, no_data, failed
    cell: int | None
    reason: str
    last_good: str
    met: int
    missed: int
    not_enough_data: int
    sentence: str
    states: Mapping[State, int]  # of its findings
    also: tuple[Entry, ...] = ()

    @property
    def has_verdicts(self) -> bool:
        return self.met + self.missed + self.not_enough_data > 0


@dataclass(frozen=True)
class Cause:
    """Why reports could not be made, and which."""

    cell: int | None
    message: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class WeekEntry:
    """One week in the list of all weeks."""

    name: str
    days: str
    href: str
    run: str
    made: int
    no_data: int
    failed: int


def write_week_index(directory: Path, manifest: Manifest, organization: Organization) -> Path:
    """Write ``index.html`` of one week into its folder, from the run's manifest and the reports' facts.

    Each report stands there once: first those that could not be made, by cause, then those without data, then the
    others, teams in alphabetical order. Pages of a team without verdicts stand with its report that has them.
    """
    locale = _locale(organization)
    reports = [report for report in manifest.get("reports", []) if isinstance(report, Mapping)]
    teams = sorted((r for r in reports if r.get("team")), key=lambda r: (str(r["team"]), str(r.get("notebook"))))
    others = sorted((r for r in reports if not r.get("team")), key=lambda r: str(r.get("notebook")))
    several = len({r.get("notebook") for r in teams}) > 1
    of_teams = [_entry(directory, report, locale, several=several) for report in teams]
    of_all = [_entry(directory, report, locale, several=True) for report in others]
    every = [*of_all, *of_teams]
    failed = [e for e in every if e.status == "failed"]
    made = [e for e in of_teams if e.status == "made"]
    filter_script = script("filter.js") if len({e.team for e in made}) > LONG_LIST else None
    week = str(manifest.get("week", ""))
    html = render(
        "week.html",
        locale.language,
        policy=policy((filter_script,) if filter_script else ()),
        organization=_organization(organization, locale),
        title=f"{locale.text(organization.name)} {week}",
        week=week,
        days=_days(week, locale),
        causes=_causes(failed),
        no_data=[e for e in every if e.status == "no_data"],
        others=[e for e in of_all if e.status == "made"],
        teams=_with_others(made),
        made=sum(e.status == "made" for e in every),
        failed=len(failed),
        count=len(reports),
        findings=_tally(of_teams, locale),
        filter=filter_script,
        generated=_generated(manifest, locale),
        back="../../index.html",
    )
    return write_text(directory / "index.html", html)


def _with_others(made: Sequence[Entry]) -> list[Entry]:
    """One entry per team where one of its pages has verdicts, with the others in it."""
    found: list[Entry] = []
    for _, group in groupby(made, key=lambda entry: entry.team):
        entries = list(group)
        main = next((entry for entry in entries if entry.has_verdicts), None)
        others = tuple(entry for entry in entries if not entry.has_verdicts)
        found += [replace(entry, also=others) if entry is main else entry for entry in entries if entry.has_verdicts]
        found += () if main else entries
    return found


def _tally(entries: Sequence[Entry], locale: Locale) -> str:
    """How many findings of all teams are in which state; empty without any."""
    counts: dict[State, int] = {state: sum(entry.states[state] for entry in entries) for state in STATES}
    shown = tally(counts, locale=locale)
    return locale.say("ledger.across", tally=shown) if shown else ""


def _causes(failed: Sequence[Entry]) -> list[Cause]:
    """Failures by cause, the most frequent first."""
    found: dict[tuple[int | None, str], list[Entry]] = {}
    for entry in failed:
        found.setdefault((entry.cell, entry.reason), []).append(entry)
    causes = [Cause(cell, message, tuple(entries)) for (cell, message), entries in found.items()]
    return sorted(causes, key=lambda cause: -len(cause.entries))


def write_front_page(outputs: Path, organization: Organization) -> Path:
    """Write ``index.html`` over all runs and weeks that have a manifest below ``outputs``, newest week first."""
    locale = _locale(organization)
    weeks = []
    for file in outputs.glob("*/*/manifest.json"):
        manifest = _read(file)
        if manifest is None or not (file.parent / "index.html").is_file():
            continue
        statuses = [str(r.get("status")) for r in manifest.get("reports", []) if isinstance(r, Mapping)]
        name = str(manifest.get("week") or file.parent.name)
        weeks.append(
            WeekEntry(
                name=name,
                days=_days(name, locale),
                href=_href(f"{file.parent.parent.name}/{file.parent.name}/index.html"),
                run=file.parent.parent.name,
                made=statuses.count("made"),
                no_data=statuses.count("no_data"),
                failed=statuses.count("failed"),
            )
        )
    weeks.sort(key=lambda w: w.run)
    weeks.sort(key=lambda w: w.name, reverse=True)
    html = render(
        "front.html",
        locale.language,
        organization=_organization(organization, locale),
        title=locale.text(organization.name),
        weeks=weeks,
        several_runs=len({w.run for w in weeks}) > 1,
    )
    return write_text(outputs / "index.html", html)


def _entry(directory: Path, report: Mapping[str, Any], locale: Locale, *, several: bool) -> Entry:
    facts = _read(directory / str(report["facts"])) if report.get("facts") else None
    facts = facts or {}
    status = str(report.get("status"))
    slos = facts.get("slos")
    verdicts = [s.get("verdict") for s in slos if isinstance(s, Mapping)] if isinstance(slos, list) else []
    title = _in_language(report.get("title"), locale.language) or str(report.get("notebook", ""))
    team = str(report.get("team") or "")
    called = facts.get("team_display_name") or (report.get("display_name") if team else "")
    name = _in_language(called, locale.language) or team
    failed = status not in {"made", "no_data"}
    error = report.get("error")
    error = error if failed and isinstance(error, Mapping) else {}
    cell = error.get("cell")
    return Entry(
        team=team,
        name=name or title,
        title=title,
        detail=" · ".join(filter(None, (team if team != name else "", title if several and name else ""))),
        href=_href(str(report.get("html") or "")),
        status="failed" if failed else status,
        cell=cell if isinstance(cell, int) else None,
        reason=str(error.get("message", "")),
        last_good=_href(str(report.get("last_good") or "")) if failed else "",
        met=verdicts.count("met"),
        missed=verdicts.count("missed"),
        not_enough_data=verdicts.count("not_enough_data"),
        sentence="" if failed else _sentence(facts, locale),
        states=count_states(() if failed else _findings(facts) or ()),
    )


def _findings(facts: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    findings = facts.get("findings")
    return [f for f in findings if isinstance(f, Mapping)] if isinstance(findings, list) else None


def _sentence(facts: Mapping[str, Any], locale: Locale) -> str:
    """The title of the finding that matters most, or that there is none; of other pages their headline."""
    if "findings" not in facts:
        headline = facts.get("headline")
        return str(headline.get(locale.language, "")) if isinstance(headline, Mapping) else ""
    told = _findings(facts)
    first = foremost(told) if told is not None else None
    if facts.get("status") == "made" and told is not None and first is None:
        return locale.say("nothing.findings")
    text = first.get("text") if first else None
    words = text.get(locale.language) if isinstance(text, Mapping) else None
    return str(words.get("title", "")) if isinstance(words, Mapping) else ""


def _in_language(text: object, language: Language) -> str:
    if not isinstance(text, Mapping):
        return str(text or "")
    return str(text.get(language) or next(iter(text.values()), "") or "")


def _organization(organization: Organization, locale: Locale) -> dict[str, str]:
    return {
        "name": locale.text(organization.name),
        "vision": locale.text(organization.vision),
        "mission": locale.text(organization.mission),
    }


def _locale(organization: Organization) -> Locale:
    return Locale(organization.language, organization.zone)


def _days(week: str, locale: Locale) -> str:
    try:
        return locale.days(Week.parse(week).window(locale.zone), year=True)
    except ShokubaiError:
        return ""


def _generated(manifest: Manifest, locale: Locale) -> str:
    try:
        at = datetime.fromisoformat(str(manifest.get("generated_at")))
    except ValueError:
        return ""
    if at.tzinfo is None:
        return ""
    return locale.say(
        "page.index.generated", at=locale.instant(at, year=True), version=str(manifest.get("code_version", ""))
    )


def _href(path: str) -> str:
    """A relative link below the page; anything else is no link."""
    parts: Sequence[str] = path.split("/")
    if not path or path.startswith("/") or ".." in parts or ":" in parts[0]:
        return ""
    return quote(path)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return loaded if isinstance(loaded, dict) else None
