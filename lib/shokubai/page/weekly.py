"""The weekly report of one team, section by section, as ``notebooks/weekly_team_report.ipynb`` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from shokubai import slo, workspace
from shokubai.core.windows import DAY, Week, Window, local_day
from shokubai.display import figures, sections, tables
from shokubai.display.exhibit import Callout, Facts, Figure, Paragraph, Prose, Table
from shokubai.display.format import Locale
from shokubai.display.frames import Events, Periods
from shokubai.display.prose import accepted_notices, notices, orphaned_replies, tally
from shokubai.findings import count_states, finding_facts
from shokubai.findings.model import Severity
from shokubai.page.facts import read_facts, weekly_facts
from shokubai.page.section import Section
from shokubai.slo.model import SloStatus
from shokubai.sources.cost import Cost
from shokubai.version import __version__
from shokubai.workspace import TeamWeek, comparison, detail

MANY_WITHOUT_STATUS = 0.01  # of a service's requests: from here on it must be said before errors are read


def weekly_team_report(
    *,
    team: str,
    week: str,
    parameters_dir: str = "",
    outputs_dir: str = "",
    warehouse: str = "",
    previous_facts: str = "",
    generated_at: str = "",
) -> WeeklyTeamReport:
    """Open a team's week as a page of sections.

    Empty arguments mean: the project around the current folder, its weekly run's warehouse or the team's own, no
    earlier report, so that every finding is new, and no date of making. ``previous_facts`` names the facts of the
    newest earlier week; a file that holds no facts of an earlier week counts as none. Raises UsageError for unknown
    names.
    """
    opened = workspace.open(parameters_dir or None, outputs_dir or None, warehouse=warehouse or None)
    parsed = Week.parse(week)
    facts = read_facts(Path(previous_facts), before=parsed) if previous_facts else None
    return WeeklyTeamReport(opened.team_week(team, parsed, previous_facts=facts), generated_at=generated_at)


class WeeklyTeamReport:
    """The sections of the page; each method is one cell, and ``record`` is the last."""

    def __init__(self, week: TeamWeek, *, generated_at: str = "") -> None:
        self.week = week
        self.generated_at = datetime.fromisoformat(generated_at) if generated_at else None
        self.locale = Locale(week.team.language, week.zone)

    @cached_property
    def events(self) -> Events:
        return Events(self.week.deployments, self.week.incidents)

    @cached_property
    def periods(self) -> Periods:
        days = [pair.compared_with for pair in self.week.last_month_days]
        last_month = None
        if days:
            first, last = (local_day(day, self.week.zone) for day in (min(days), max(days)))
            last_month = Window(first.start, last.end)
        return Periods(self.week.shown, self.week.comparable, last_month)

    def header(self) -> Section:
        """Whose report, for which days, and up to when its data is complete."""
        week = self.week
        head = sections.team_header(
            week.team,
            week=week.week,
            window=week.window,
            data_complete_through=week.data_complete_through,
            locale=self.locale,
        )
        if not week.has_data:
            services = self.locale.join(list(week.team.services))
            return Section(head, self._callout("no_data", level="warning", service=services))
        return Section(head, *self._missing_days())

    def _missing_days(self) -> Iterator[Callout]:
        """What a reader must know of the data's extent before the verdict."""
        week = self.week
        if week.is_short and week.seen:
            yield self._callout(
                "short_data",
                length=self.locale.span(week.seen.duration),
                span=self.locale.instants(week.seen.start, week.seen.end),
                hours=self.locale.instants(week.shown.start, week.shown.end),
            )
            return
        through = week.services["data_complete_through"]
        late = through < pd.Timestamp(week.at - DAY)
        if late.any():
            yield self._callout(
                "late_data",
                services=self.locale.join(list(week.services.loc[late, "service_name"])),
                at=self.locale.instant(through[late].min().to_pydatetime()),
            )

    def verdict(self) -> Section:
        """Each objective with its budget left; what changed; what to do."""
        week = self.week
        if not week.has_data:
            return Section()
        if week.statuses:
            verdicts = [
                sections.headline(week.statuses, locale=self.locale),
                sections.verdict_cards((*week.closed_statuses, *week.statuses), locale=self.locale),
            ]
        else:
            verdicts = [self._callout("no_slos", team=self.locale.text(week.team.display_name))]
        return Section(
            self._section("verdict"),
            *verdicts,
            self._section("findings"),
            *self._findings(),
        )

    def _findings(self) -> Iterator[Any]:
        """What was resolved, what needs attention, and apart from these what the team lives with for now."""
        found = self.week.findings
        accepted = [finding for finding in found if finding.state == "accepted"]
        if counts := tally(count_states(map(finding_facts, found)), locale=self.locale):
            yield Prose((Paragraph(counts),))
        yield notices([finding for finding in found if finding.state != "accepted"], locale=self.locale)
        if accepted:
            yield from accepted_notices(accepted, locale=self.locale)
        if orphaned := self.week.ledger.orphaned:
            yield orphaned_replies(orphaned, file=f"replies/{self.week.team.name}.yaml", locale=self.locale)

    def budget(self) -> Section:
        """How the error budget went over 28 days, and where it went."""
        if not self._has_objectives:
            return Section()
        week = self.week
        lines = []
        if not week.is_short:  # four weeks cannot be drawn from a day's data
            lines.append(
                figures.budget(week.histories, statuses=week.statuses, events=self.events, locale=self.locale)
            )
        return Section(
            self._section("budget"),
            *lines,
            figures.objectives(week.statuses, locale=self.locale),
            tables.verdicts((*week.closed_statuses, *week.statuses), locale=self.locale),
            *self._spending(week.closed_statuses, week.closed_budget_parts),
            *self._spending(week.statuses, week.budget_parts),
        )

    def _spending(self, statuses: Sequence[SloStatus], parts: Mapping[str, pd.DataFrame]) -> Iterator[Figure | Table]:
        """What budgets were spent on, of which enough was spent to say so."""
        for status in statuses:
            if slo.is_notable(status):
                mine = parts[status.slo.name]
                yield figures.waterfall(mine, status=status, locale=self.locale)
                yield tables.budget_parts(slo.name_parts(mine), status=status, locale=self.locale)

    def burn(self) -> Section:
        """How fast it burned in the week, against thresholds derived from each SLO's own window."""
        if not self._has_objectives:
            return Section()
        week = self.week
        charts = [
            figures.burn(
                week.burns[status.slo.name],
                status=status,
                window=week.shown,
                events=self.events,
                locale=self.locale,
            )
            for status in week.statuses
            if any(burn.crossed_at for burn in status.burn_rates)
        ]
        details = [
            figures.sli_minutes(
                detail.sli_steps(week, status.slo.name, window),
                status=status,
                episodes=week.episodes[status.slo.name],
                window=window,
                events=self.events,
                locale=self.locale,
            )
            for status in week.statuses
            if (window := detail.detail_window(week, status.slo.name))
        ]
        episodes = [
            tables.episodes(week.episodes[status.slo.name], slo=status.slo, locale=self.locale)
            for status in week.statuses
            if len(week.episodes[status.slo.name])
        ]
        # Of a whole week the overview comes first; where the data is short, the detail is all of it.
        shown = [*details, *episodes, *charts] if week.is_short else [*charts, *details, *episodes]
        return Section(
            self._section("burn"),
            *shown,
            tables.burn_rates(week.statuses, locale=self.locale),
        )

    def traffic(self) -> Section:
        """Requests per hour beside the comparable week and the same business days of last month."""
        if not self.week.has_data:
            return Section()
        hours = self._shown(comparison.hourly_traffic(self.week))
        return Section(
            self._section("traffic"),
            *(
                figures.traffic(part, service=service, periods=self.periods, events=self.events, locale=self.locale)
                for service, part in self._by_service(hours)
            ),
        )

    def errors(self) -> Section:
        """The ratio of failed requests per hour, and how requests were answered."""
        week = self.week
        if not week.has_data:
            return Section()
        statuses = comparison.status_counts(week)
        shown: list[Any] = [self._section("errors")]
        for service, part in self._by_service(self._shown(comparison.hourly_traffic(week))):
            mine = statuses[statuses["service_name"] == service]
            requests = int(mine["request_count"].sum())
            unknown = int(mine.loc[mine["http_response_status_code"].isna(), "request_count"].sum())
            if requests and unknown == requests:
                shown.append(self._callout("no_status", service=service))
                continue
            if unknown > MANY_WITHOUT_STATUS * requests:
                shown.append(
                    self._callout(
                        "some_status",
                        service=service,
                        count=self.locale.count(unknown),
                        requests=self.locale.count(requests),
                    )
                )
            shown.append(
                figures.errors(
                    part,
                    service=service,
                    periods=self.periods,
                    statuses=week.statuses,
                    events=self.events,
                    locale=self.locale,
                )
            )
        if statuses["http_response_status_code"].notna().any():
            shown.append(tables.statuses(statuses, services=week.team.services, locale=self.locale))
        return Section(*shown)

    def latency(self) -> Section:
        """Percentiles per hour, or a plain statement that the log has no latency."""
        if not self.week.has_data:
            return Section()
        hours = self._shown(comparison.hourly_latency(self.week))
        charts = [
            figures.latency(
                part,
                service=service,
                periods=self.periods,
                statuses=self.week.statuses,
                events=self.events,
                locale=self.locale,
            )
            for service, part in self._by_service(hours)
            if part["duration_count"].sum() > 0
        ]
        silent = [
            self._callout("no_latency", service=service)
            for service, part in self._by_service(hours)
            if part["duration_count"].sum() == 0
        ]
        return Section(self._section("latency"), *charts, *silent)

    def routes(self) -> Section:
        """Where the budget went, and what changed, route by route."""
        if not self.week.has_data:
            return Section()
        routes = comparison.route_changes(self.week)
        return Section(
            self._section("routes"),
            tables.routes_by_budget(routes, statuses=self.week.statuses, locale=self.locale),
            tables.routes_by_change(routes, locale=self.locale)
            if self.week.comparable
            else tables.busiest_routes(routes, locale=self.locale),
        )

    def changes(self) -> Section:
        """Deployments, incidents and alerts of the week."""
        week = self.week
        return Section(
            self._section("changes"),
            tables.changes(self.events, alerts=week.alerts, window=week.window, locale=self.locale),
        )

    def saturation(self) -> Section:
        """Resources against their limits over 28 days."""
        week = self.week
        if week.metric_hours.empty:
            return Section(self._section("saturation"), sections.nothing("metrics", locale=self.locale))
        history = Window(week.metric_hours["hour"].min().to_pydatetime(), week.at)
        return Section(
            self._section("saturation"),
            *figures.saturation(week.metric_hours, window=history, events=self.events, locale=self.locale),
            tables.metrics(week.metric_hours, locale=self.locale),
        )

    def data_quality(self) -> Section:
        """Which hours are in the data, and which stretches are silent and why."""
        week = self.week
        if not week.has_data:
            return Section()
        hours = comparison.hourly_completeness(week)
        return Section(
            self._section("data_quality"),
            figures.completeness(hours, silences=week.silences, window=week.window, locale=self.locale),
            tables.silences(week.silences, locale=self.locale)
            if len(week.silences)
            else sections.nothing("silences", locale=self.locale),
        )

    def provenance(self) -> Section:
        """Where the numbers come from: windows, versions, statements and bytes read."""
        week = self.week
        queries, shared = week.tables.queries(), week.tables.shared_queries()
        return Section(
            self._section("provenance"),
            tables.provenance(
                {
                    "window": week.window,
                    "comparable": self.periods.comparable,
                    "last_month": [self.locale.day(pair.compared_with) for pair in week.last_month_days],
                    "data_complete_through": week.data_complete_through,
                    "zone": str(week.zone),
                    "warehouse": week.tables.name,
                    "code_version": __version__,
                    **self._team_thresholds(),
                    "query_count": len(queries),
                    "bytes_read": int(queries["bytes"].fillna(0).sum()),
                    **self._costs(),
                    "generated_at": self.generated_at,
                },
                locale=self.locale,
            ),
            tables.queries(queries, locale=self.locale, of="copy_queries" if len(shared) else "queries"),
            *([tables.queries(shared, locale=self.locale, of="shared_queries")] if len(shared) else []),
        )

    def _team_thresholds(self) -> Mapping[str, list[str]]:
        """What the team has set for itself: it also decides on what is not among the findings."""
        own = self.week.team.rules.values
        named = [
            f"{rule}.{name} = {self.locale.number(value)}"
            for rule, thresholds in sorted(own.items())
            for name, value in sorted(thresholds.items())
        ]
        return {"team_thresholds": named} if named else {}

    def _costs(self) -> Mapping[str, str]:
        """What was billed for the run and for this report, where the warehouse bills for what is read."""
        opened = self.week.tables
        costs: dict[str, Cost | None] = {
            "cost_of_run": opened.shared_cost(),
            "cost_of_report": opened.cost(),
        }
        return {
            label: self.locale.say(
                "table.provenance.billed",
                size=self.locale.bytes(cost.bytes_billed),
                price=self.locale.number(cost.price),
                currency=cost.currency,
            )
            for label, cost in costs.items()
            if cost
        }

    def record(self) -> Facts:
        """The page's facts, for programs and for next week's report."""
        return Facts(weekly_facts(self.week, generated_at=self.generated_at))

    @property
    def _has_objectives(self) -> bool:
        return self.week.has_data and bool(self.week.statuses)

    def _section(self, name: sections.Section) -> Prose:
        return sections.section(name, locale=self.locale)

    def _callout(self, name: sections.CalloutName, *, level: Severity = "notice", **values: str) -> Callout:
        return sections.callout(name, locale=self.locale, level=level, **values)

    def _shown(self, hours: pd.DataFrame) -> pd.DataFrame:
        """The hours that charts of the week show."""
        start, end = pd.Timestamp(self.week.shown.start), pd.Timestamp(self.week.shown.end)
        return hours[(hours["hour"] >= start) & (hours["hour"] < end)]

    def _by_service(self, hours: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        for service in self.week.team.services:
            part = hours[hours["service_name"] == service]
            if len(part):
                yield service, part
