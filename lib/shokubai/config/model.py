"""The frozen objects that ``parameters/`` is read into. Loading and checking live beside, in ``load``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from shokubai.core.calendar import BusinessCalendar
from shokubai.core.errors import UsageError, nearest_spelling
from shokubai.core.windows import Duration, Week, Window, calendar_window, rolling_window

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")


@dataclass(frozen=True)
class Source:
    """Where in ``parameters/`` something was said."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Text:
    """Words in the organisation's languages; a missing translation falls back to the other language."""

    en: str = ""
    ja: str = ""

    def in_language(self, language: Language) -> str:
        return (self.ja or self.en) if language == "ja" else (self.en or self.ja)


AGENDA_SEVERITIES = ("critical", "warning", "notice")


@dataclass(frozen=True)
class Agenda:
    """When something deserves the weekly conversation, and how many minutes that is. The defaults are the package's.

    A finding does that has one of the ``severities``, that continues for ``continuing_weeks`` or longer, or whose
    rule is in ``always``; so does an objective with less of its budget left than ``budget_left_below_ratio`` (1 is
    all, negative is overspent). A finding whose rule is in ``never`` does not. None: that rule is off. ``sources``
    says of every rule that is named at which path and place it stands.
    """

    severities: tuple[str, ...] = ("critical", "warning")
    # Below a quarter the coming weeks decide whether the objective holds.
    budget_left_below_ratio: float | None = 0.25
    # What nobody has taken up in three reports will not be taken up in the fourth by itself.
    continuing_weeks: int | None = 3
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    minutes: int = 30
    sources: Mapping[str, tuple[str, Source]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Supporter:
    """Who of SRE stands beside a team when something is handed over: a person or a group, and where to reach them."""

    name: str
    contact: str = ""


@dataclass(frozen=True)
class Organization:
    """``organization.yaml``: name, vision and mission in its own words, time zone and business calendar.

    ``sre`` is who of SRE supports the teams that name nobody of their own.
    ``agenda`` is what teams agree on that say nothing else.
    """

    name: Text
    vision: Text
    mission: Text
    zone: ZoneInfo
    language: Language
    calendar: BusinessCalendar
    source: Source
    sre: Supporter | None = None
    agenda: Agenda = Agenda()


@dataclass(frozen=True)
class Ownership:
    """A service a team owns, whole (``routes`` empty) or only the routes that match one of the patterns.

    A pattern is a route, optionally after a method: ``/v1/invoices/*``, ``POST /v1/uploads``. In the route ``*``
    stands for any text and ``?`` for one character; everything else, such as ``[id]`` or ``{id}``, for itself.
    """

    service: str
    routes: tuple[str, ...] = ()


def route_matches(patterns: tuple[str, ...], method: str, route: str) -> bool:
    """Whether a method and route fall under the patterns; no pattern means all routes."""
    if not patterns:
        return True
    for pattern in patterns:
        verb, _, path = pattern.rpartition(" ")
        if (not verb or verb == method) and _route_form(path).fullmatch(route):
            return True
    return False


@lru_cache(maxsize=1024)
def _route_form(path: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    return re.compile("".join(wildcards.get(c) or re.escape(c) for c in path), re.DOTALL)


@dataclass(frozen=True)
class Team:
    """``teams/<name>.yaml``: a development team, what it owns and how it wants to be told.

    ``warehouse`` names a file in ``warehouses/`` when this team's logs are elsewhere than the run's. ``rules`` are
    the thresholds that the team has set for itself; they go before the organisation's.
    """

    name: str
    display_name: Text
    language: Language
    owns: tuple[Ownership, ...]
    source: Source
    site: str = ""
    members: int | None = None
    contact: str = ""
    sre: Supporter | None = None
    warehouse: str | None = None
    agenda: Agenda = Agenda()
    rules: Rules = field(default_factory=lambda: Rules(MappingProxyType({})))

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(o.service for o in self.owns))

    def owns_route(self, service: str, method: str, route: str) -> bool:
        return any(o.service == service and route_matches(o.routes, method, route) for o in self.owns)


@dataclass(frozen=True)
class Indicator:
    """What an SLO counts in the request log.

    availability: valid = every request with a status; good = those without an ``error_statuses`` status.
    latency: valid = requests with a duration that did not fail; good = those with
    ``duration_seconds <= threshold_seconds``. ``routes`` restricts both to matching routes.
    """

    kind: Literal["availability", "latency"]
    routes: tuple[str, ...] = ()
    threshold_seconds: float | None = None
    # Inclusive status ranges that count as failures; OpenTelemetry: 4xx is not a server's error.
    error_statuses: tuple[tuple[int, int], ...] = ((500, 599),)

    def is_error(self, status: int) -> bool:
        return any(low <= status <= high for low, high in self.error_statuses)


@dataclass(frozen=True)
class SloWindow:
    """OpenSLO's timeWindow: rolling, or a calendar period with an anchor and a time zone."""

    duration: Duration
    is_rolling: bool
    anchor: datetime | None = None
    zone: ZoneInfo | None = None

    def whole(self, at: datetime) -> Window:
        """The window judged at the instant ``at``: the one that ends there, or the calendar period so far runs in.

        For a calendar window this is the whole period that holds the last microsecond before ``at``.
        """
        if self.is_rolling:
            return rolling_window(at, self.duration)
        assert self.anchor is not None and self.zone is not None
        return calendar_window(at - _LAST_INSTANT, self.duration, self.anchor, self.zone)

    def __str__(self) -> str:
        return f"{self.duration} {'rolling' if self.is_rolling else 'calendar'}"


_LAST_INSTANT = datetime.resolution
_T = TypeVar("_T")

Budgeting = Literal["Occurrences", "Timeslices", "RatioTimeslices"]


@dataclass(frozen=True)
class Slo:
    """One objective of an OpenSLO v1 SLO document. ``objective`` is a ratio in (0, 1)."""

    name: str
    display_name: str
    service: str
    indicator: Indicator
    window: SloWindow
    budgeting: Budgeting
    objective: float
    source: Source
    description: str = ""
    time_slice_target: float | None = None
    time_slice_window: Duration | None = None
    teams: tuple[str, ...] = ()  # metadata.labels.team; empty: every team that owns the service


@dataclass(frozen=True)
class TableSource:
    """Where one table of a warehouse is, and which of its columns (or SQL expressions) are the contract's.

    ``path`` is a pattern of files, or in BigQuery the table as ``project.dataset.table``. ``mapping`` names a ready
    mapping, empty for none; ``columns`` go before its columns, and ``where`` is asked beside its conditions.
    """

    path: str
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    # Rows to read, as an SQL condition of the engine; empty for all.
    where: str = ""
    source: Source | None = None
    mapping: str = ""


@dataclass(frozen=True)
class BigQuery:
    """What a warehouse in BigQuery says beside its tables.

    ``dataset`` is Shokubai's own, as ``project.dataset``; it is the only place that is written to. A statement
    that would read more than ``byte_cap`` bytes is refused before it runs, as is one with which everything read
    through an opened warehouse would exceed ``run_byte_cap``. ``price_per_tib``, in ``currency``, is only shown.
    ``impersonate`` is a service account to act as; empty for the account that is logged in.
    """

    project: str
    billing_project: str
    location: str
    dataset: str
    byte_cap: int
    run_byte_cap: int
    price_per_tib: float
    currency: str
    timeout_seconds: float
    impersonate: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Warehouse:
    """``warehouses/<name>.yaml``: an engine and the tables in it.

    ``tables`` may hold: requests (required), metrics, deployments, incidents, alerts, sre_requests.
    In a path ``{outputs}`` and ``{parameters}`` stand for those two folders; a relative path starts at the
    folder that holds ``parameters/``. ``bigquery`` is there when that is the engine.
    """

    name: str
    engine: Literal["duckdb", "bigquery"]
    tables: Mapping[str, TableSource]
    source: Source
    bigquery: BigQuery | None = None


@dataclass(frozen=True)
class Run:
    """``runs/<name>.yaml``: which notebooks for which teams on which warehouse.

    ``teams`` empty means all. ``as_of`` makes a run's clock stand still (demo data does not move with the
    calendar); None means the real clock.
    """

    name: str
    team_notebooks: tuple[str, ...]
    organization_notebooks: tuple[str, ...]
    warehouse: str
    source: Source
    teams: tuple[str, ...] = ()
    as_of: datetime | None = None


@dataclass(frozen=True)
class Rules:
    """Thresholds of the finding rules, as ``values[rule][threshold]``: ``rules.yaml``, or ``rules:`` of a team.

    ``reasons`` are by ``rule.threshold``. ``sources`` says where a rule, or ``rule.threshold``, stands, and
    ``place`` under which key of the file they all do; empty for rules that come with the package.
    """

    values: Mapping[str, Mapping[str, float]]
    sources: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
    reasons: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    place: str = ""

    def __getitem__(self, rule: str) -> Mapping[str, float]:
        return self.values[rule]


@dataclass(frozen=True)
class Reply:
    """What a team answers to one finding, by its id.

    ``accepted_until`` is the last day on which the team is content to live with it. ``handed_over`` is the week of
    the report since which the team in charge of the cause has the handover packet. ``source`` is None for a reply
    that an earlier report noted down.
    """

    finding: str
    owner: str
    reply: str
    accepted_until: date | None = None
    handed_over: Week | None = None
    source: Source | None = None


@dataclass(frozen=True)
class Parameters:
    """Everything under ``parameters/``. ``replies`` are by team and finding id."""

    directory: Path
    organization: Organization
    teams: Mapping[str, Team]
    slos: Mapping[str, Slo]
    warehouses: Mapping[str, Warehouse]
    runs: Mapping[str, Run]
    rules: Rules
    replies: Mapping[str, Mapping[str, Reply]] = field(default_factory=lambda: MappingProxyType({}))

    def team(self, name: str) -> Team:
        """The team called ``name``. Raises UsageError with the nearest spelling when there is none."""
        return _lookup("team", name, self.teams, self.directory / "teams")

    def warehouse(self, name: str) -> Warehouse:
        return _lookup("warehouse", name, self.warehouses, self.directory / "warehouses")

    def run(self, name: str) -> Run:
        return _lookup("run", name, self.runs, self.directory / "runs")

    def supporter_of(self, team: Team) -> Supporter | None:
        """Who of SRE supports a team: whom it names, else whom the organisation does."""
        return team.sre or self.organization.sre

    def slos_of(self, team: Team) -> tuple[Slo, ...]:
        """The SLOs a team answers for, by service and name: those labelled with it, else those of its services."""
        mine = [
            slo
            for slo in self.slos.values()
            if (team.name in slo.teams if slo.teams else slo.service in team.services)
        ]
        return tuple(sorted(mine, key=lambda slo: (slo.service, slo.name)))

    def replies_of(self, team: Team) -> Mapping[str, Reply]:
        """What a team answers to findings, by their ids."""
        return self.replies.get(team.name, MappingProxyType({}))


def _lookup(kind: str, name: str, known: Mapping[str, _T], folder: Path) -> _T:
    if name in known:
        return known[name]
    message = f"no {kind} is called {name!r} in {folder}; there are: {', '.join(sorted(known)) or 'none'}"
    if near := nearest_spelling(name, list(known)):
        message += f"; did you mean {near!r}?"
    raise UsageError(message)
