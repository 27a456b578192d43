"""Everything a weekly report knows about one team and one week, computed when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

import pandas as pd

from shokubai import findings, sli, slo, tables
from shokubai.config.model import Parameters, Slo, Team
from shokubai.core.windows import DAY, Week, Window, local_day
from shokubai.findings import Evidence, Finding, Ledger
from shokubai.slo.model import SloStatus
from shokubai.tables.ownership import owned_rows
from shokubai.workspace.extent import seen_window, shown_window
from shokubai.workspace.routes import histogram, summed, without_personal_data

HISTORY = 28 * DAY  # how far back the budget is drawn, and the baseline for silences
OBJECTIVE_PERIOD_COUNT = 2  # as far as the history and its baseline reach
MOST_SAMPLED = 5  # findings for which the log is read, the foremost ones
AFTERWARDS = DAY  # a service that is seen within it after the week was silent before, and its data is not late


@dataclass(frozen=True)
class DayPair:
    """A day of the report's week and the day it is compared with."""

    day: date
    compared_with: date


class TeamWeek:
    """One team's week: SLO statuses, comparisons, findings, and the frames behind them.

    ``comparable`` is the newest earlier week of the same shape (business days, month turn), ``last_month``
    pairs each day with the same business day of the month before.
    """

    def __init__(
        self,
        parameters: Parameters,
        opened: tables.Tables,
        team: Team,
        week: Week,
        *,
        previous_facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.parameters = parameters
        self.organization = parameters.organization
        self.zone = parameters.organization.zone
        self.calendar = parameters.organization.calendar
        self.tables = opened
        self.team = team
        self.week = week
        self.window = week.window(self.zone)
        self.slos = parameters.slos_of(team)
        self.previous_facts = previous_facts
        self.comparable_week = self.calendar.comparable_week(week)
        self._filled: dict[str, sli.MinuteSeries] = {}
        self._read: dict[tables.SpanKind, pd.DataFrame] = {}
        self.last_month = tuple(DayPair(day, self.calendar.same_day_last_month(day)) for day in week.days())

    @property
    def at(self) -> datetime:
        """The instant at which SLOs are judged: the end of the week."""
        return self.window.end

    @property
    def needed(self) -> Window:
        """All the data that the week's report reads: baselines, SLO windows, and a day after the week."""
        starts = [self._watched.start - HISTORY, *(self._slo_span(objective).start for objective in self.slos)]
        return Window(min(starts), self.at + AFTERWARDS)

    # --- how complete the data is ---------------------------------------------------------------------------

    @cached_property
    def _watched(self) -> Window:
        """Where silences are looked for: the last 28 days, and all of the window of every SLO."""
        starts = [self.at - HISTORY, *(objective.window.whole(self.at).start for objective in self.slos)]
        return Window(min(starts), self.at)

    @cached_property
    def service_minutes(self) -> pd.DataFrame:
        """SERVICE_MINUTES of the team's services up to the week's end.

        They begin 28 days, the baseline for silences, before the last 28 days or the longest SLO's window.
        """
        return self._seen_minutes[self._seen_minutes["minute"] < self.at].reset_index(drop=True)

    @cached_property
    def _seen_minutes(self) -> pd.DataFrame:
        seen = Window(self._watched.start - HISTORY, self.at + AFTERWARDS)
        return tables.read_service_minutes(self.tables, self.team.services, seen)

    @property
    def has_data(self) -> bool:
        """Whether any service of the team has a request in the 28 days up to the week's end."""
        return bool((self.service_minutes["minute"] >= self.at - HISTORY).any())

    @cached_property
    def metric_hours(self) -> pd.DataFrame:
        return tables.read_metric_hours(self.tables, self.team.services, Window(self.at - HISTORY, self.at))

    @cached_property
    def silences(self) -> pd.DataFrame:
        """SILENCES of the team's services over the last 28 days, or the longest SLO's window if that is longer.

        A service without any request there, nor in the 28 days before, is silent for all of it.
        """
        return sli.find_silences(
            self._seen_minutes,
            window=self._watched,
            baseline=Window(self._watched.start - HISTORY, self.at),
            metric_hours=self._watched_metric_hours,
            zone=self.zone,
            services=self.team.services,
            log=self.span,
        )

    @cached_property
    def _watched_metric_hours(self) -> pd.DataFrame:
        if self._watched.start >= self.at - HISTORY:
            return self.metric_hours
        return tables.read_metric_hours(self.tables, self.team.services, self._watched)

    @cached_property
    def data_complete_through(self) -> datetime | None:
        """Up to when the data of every service of the team that has any is complete; None when none has.

        A service without a request in all of the log has a finding of its own.
        """
        through = [self._complete_through(service) for service in self.team.services]
        return min((t for t in through if t is not None), default=None)

    def _complete_through(self, service: str) -> datetime | None:
        mine = self.service_minutes[self.service_minutes["service_name"] == service]
        silences = self.silences[self.silences["service_name"] == service]
        return sli.data_complete_through(mine, silences, window=self._watched)

    @cached_property
    def seen(self) -> Window | None:
        """From the week's first minute with requests to the end of its last; None when it has none."""
        return seen_window(self.window, self.service_minutes["minute"])

    @cached_property
    def shown(self) -> Window:
        """What charts of the week show: the week, or the hours around its requests where the data is short."""
        return shown_window(
            self.window,
            self.seen,
            log_begins_at=self.span.start if self.span else None,
            data_complete_through=self.data_complete_through,
        )

    @property
    def is_short(self) -> bool:
        return self.shown != self.window

    @cached_property
    def services(self) -> pd.DataFrame:
        """The team's services in the week.

        One row per service: service_name, request_count, error_count, unknown_status_count, duration_count,
        completeness_ratio (0–1), data_complete_through. Counts are of the whole service, shared routes included.
        """
        counts = ["request_count", "error_count", "unknown_status_count", "duration_count"]
        in_week = self.service_minutes[self.service_minutes["minute"] >= self.window.start]
        summed = in_week.groupby("service_name")[counts].sum()
        frame = summed.reindex(list(self.team.services), fill_value=0).rename_axis("service_name").reset_index()
        frame["completeness_ratio"] = [
            sli.completeness_ratio(self.silences, window=self.window, service=service)
            for service in self.team.services
        ]
        frame["data_complete_through"] = [self._complete_through(service) for service in frame["service_name"]]
        return frame

    # --- objectives -----------------------------------------------------------------------------------------

    @cached_property
    def sli_minutes(self) -> Mapping[str, pd.DataFrame]:
        """SLI_MINUTES per SLO name, from one SLO window before the drawn history to the week's end."""
        return {
            objective.name: tables.read_sli_minutes(self.tables, objective, self._slo_span(objective))
            for objective in self.slos
        }

    def _slo_span(self, objective: Slo) -> Window:
        """One SLO window before the drawn history, and at least the periods by which the objective is looked at."""
        periods = self.at - OBJECTIVE_PERIOD_COUNT * slo.PERIOD
        return Window(min(objective.window.whole(self.at - HISTORY).start, periods), self.at)

    @cached_property
    def statuses(self) -> tuple[SloStatus, ...]:
        return tuple(
            slo.judge(objective, self.sli_minutes[objective.name], at=self.at, silences=self.silences)
            for objective in self.slos
        )

    @cached_property
    def closed_statuses(self) -> tuple[SloStatus, ...]:
        """Calendar periods that ended inside the week, judged at their end.

        In the week of a month's turn the running month has seen a day or two; what the team wants to know is how
        the last one ended.
        """
        judged = []
        for objective in self.slos:
            end = objective.window.whole(self.window.start).end
            if not objective.window.is_rolling and end < self.at:
                rows = self.sli_minutes[objective.name]
                judged.append(slo.judge(objective, rows[rows["minute"] < end], at=end, silences=self.silences))
        return tuple(judged)

    @cached_property
    def slo_routes(self) -> Mapping[str, pd.DataFrame]:
        """SLI_ROUTES of the week per SLO name: valid and good requests by route.

        Of the week only what lies in the SLO's window: after a month's turn the days before spent another budget.
        """
        return {status.slo.name: self._slo_routes(status) for status in self.statuses}

    def _slo_routes(self, status: SloStatus) -> pd.DataFrame:
        judged = Window(max(self.window.start, status.window.start), self.at)
        return without_personal_data(tables.read_sli_routes(self.tables, status.slo, judged))

    @cached_property
    def budget_parts(self) -> Mapping[str, pd.DataFrame]:
        """BUDGET_PARTS per SLO name: what the budget spent in each of ``statuses`` went to."""
        return {status.slo.name: self._budget_parts(status) for status in self.statuses}

    @cached_property
    def closed_budget_parts(self) -> Mapping[str, pd.DataFrame]:
        """BUDGET_PARTS per SLO name of ``closed_statuses``."""
        return {status.slo.name: self._budget_parts(status) for status in self.closed_statuses}

    def _budget_parts(self, status: SloStatus) -> pd.DataFrame:
        stretches = slo.deployment_stretches(self.deployments, service=status.slo.service, window=status.window)
        bad = tables.read_bad_requests(
            self.tables,
            status.slo,
            status.window,
            spans=[stretch.window for stretch in stretches],
            slice_length=slo.slice_length(status),
        )
        return slo.budget_parts(
            status, without_personal_data(bad), series=self._series(status.slo), stretches=stretches
        )

    @cached_property
    def histories(self) -> Mapping[str, pd.DataFrame]:
        """BUDGET_HISTORY of the last 28 days per SLO name."""
        drawn = Window(self.at - HISTORY, self.at)
        return {
            objective.name: slo.budget_history(objective, self._series(objective), window=drawn)
            for objective in self.slos
        }

    @cached_property
    def burns(self) -> Mapping[str, pd.DataFrame]:
        """BURN_HISTORY of the week per SLO name."""
        return {
            objective.name: slo.burn_history(
                objective,
                self._series(objective),
                window=self.window,
                known_until=slo.known_until(self.silences, service=objective.service, at=self.at),
            )
            for objective in self.slos
        }

    @cached_property
    def episodes(self) -> Mapping[str, pd.DataFrame]:
        """EPISODES that touch the week, per SLO name."""
        found = {}
        for objective in self.slos:
            frame = slo.find_episodes(objective, self._series(objective), at=self.at)
            found[objective.name] = frame[frame["ended_at"] > self.window.start].reset_index(drop=True)
        return found

    @cached_property
    def objective_periods(self) -> Mapping[str, pd.DataFrame]:
        """OBJECTIVE_PERIODS of the last eight weeks per SLO name; none when the data does not hold them all."""
        periods = Window(self.at - OBJECTIVE_PERIOD_COUNT * slo.PERIOD, self.at)
        if self._covered(Window(periods.start, self.window.start)) is None:
            return {}
        return {
            objective.name: slo.objective_periods(self._series(objective), at=self.at, count=OBJECTIVE_PERIOD_COUNT)
            for objective in self.slos
        }

    def _series(self, objective: Slo) -> sli.MinuteSeries:
        if objective.name not in self._filled:
            minutes = self.sli_minutes[objective.name]
            self._filled[objective.name] = sli.fill_minutes(minutes, self._slo_span(objective))
        return self._filled[objective.name]

    # --- this week and what it is compared with -------------------------------------------------------------

    @cached_property
    def comparable(self) -> Window | None:
        """The comparable week, or None when the data does not hold all of it."""
        return self._covered(self.comparable_week.window(self.zone))

    @cached_property
    def last_month_days(self) -> tuple[DayPair, ...]:
        """Each day with its counterpart of last month; empty when the data does not hold all of them."""
        windows = [self._covered(local_day(pair.compared_with, self.zone)) for pair in self.last_month]
        return () if None in windows else self.last_month

    @cached_property
    def span(self) -> Window | None:
        """From the first minute of the whole log to its last; None when it is empty."""
        return self.tables.span()

    def _covered(self, window: Window) -> Window | None:
        span = self.span
        return window if span and span.start <= window.start + DAY / 24 and window.end <= span.end else None

    @cached_property
    def _spans(self) -> tuple[Window, ...]:
        """The week, the comparable week where there is one, and the days of last month: all that is read by route."""
        days = (local_day(pair.compared_with, self.zone) for pair in self.last_month_days)
        return (self.window, *([self.comparable] if self.comparable else []), *days)

    def _by_route(self, kind: tables.SpanKind) -> pd.DataFrame:
        """The rows of the team's routes in all of ``_spans``, read once; ``span`` is the place in it."""
        if kind not in self._read:
            rows = tables.read_spans(self.tables, kind, self.team.services, self._spans)
            self._read[kind] = without_personal_data(owned_rows(rows, self.team))
        return self._read[kind]

    def _of_span(self, kind: tables.SpanKind, number: int) -> pd.DataFrame:
        rows = self._by_route(kind)
        return rows[rows["span"] == number].drop(columns="span").reset_index(drop=True)

    def _of_week(self, kind: tables.SpanKind) -> pd.DataFrame:
        return self._of_span(kind, 0)

    def _of_comparable(self, kind: tables.SpanKind) -> pd.DataFrame:
        return self._of_span(kind, 1 if self.comparable else -1)

    def _of_last_month(self, kind: tables.SpanKind) -> pd.DataFrame:
        """The counterpart days together; a column ``moved_by`` says how far each day lies from its pair."""
        first = len(self._spans) - len(self.last_month_days)
        moved_by = {first + n: pair.day - pair.compared_with for n, pair in enumerate(self.last_month_days)}
        rows = self._by_route(kind)
        rows = rows[rows["span"].isin(list(moved_by))].reset_index(drop=True)
        return rows.assign(moved_by=rows["span"].map(moved_by).astype("timedelta64[us]")).drop(columns="span")

    @cached_property
    def route_counts(self) -> pd.DataFrame:
        """ROUTE_COUNTS of the week: requests by route and status."""
        return self._of_week("route_counts")

    @cached_property
    def comparable_route_counts(self) -> pd.DataFrame:
        return self._of_comparable("route_counts")

    @cached_property
    def last_month_route_counts(self) -> pd.DataFrame:
        return summed(self._of_last_month("route_counts"))

    @cached_property
    def route_hours(self) -> pd.DataFrame:
        return self._of_week("route_hours")

    @cached_property
    def comparable_route_hours(self) -> pd.DataFrame:
        return self._of_comparable("route_hours")

    @cached_property
    def last_month_route_hours(self) -> pd.DataFrame:
        return self._of_last_month("route_hours")

    @cached_property
    def latency_hours(self) -> pd.DataFrame:
        return self._of_week("latency_hours")

    @cached_property
    def comparable_latency_hours(self) -> pd.DataFrame:
        return self._of_comparable("latency_hours")

    @cached_property
    def last_month_latency_hours(self) -> pd.DataFrame:
        return self._of_last_month("latency_hours")

    # --- what happened meanwhile ----------------------------------------------------------------------------

    @cached_property
    def deployments(self) -> pd.DataFrame:
        """DEPLOYMENTS of the last 28 days and six hours: a change may show only hours later."""
        return tables.read_deployments(self.tables, self.team.services, Window(self.at - HISTORY - DAY / 4, self.at))

    @cached_property
    def incidents(self) -> pd.DataFrame:
        return tables.read_incidents(self.tables, self.team.services, Window(self.at - HISTORY, self.at))

    @cached_property
    def alerts(self) -> pd.DataFrame:
        return tables.read_alerts(self.tables, self.team.services, self.window)

    # --- findings -------------------------------------------------------------------------------------------

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.ledger.findings

    @cached_property
    def ledger(self) -> Ledger:
        """The findings, joined with those of the newest earlier week, and what is remembered besides.

        The foremost ones come with some requests of the log that show them.
        """
        facts = self.previous_facts or {}
        previous = [*facts.get("findings", ()), *facts.get("remembered_findings", ())]
        if not self.has_data:
            return findings.keep_without_data(self.week, previous=previous)
        kept = findings.keep_ledger(self._evidence, previous=previous)
        return replace(kept, findings=self._with_samples(kept.findings))

    def _with_samples(self, found: Sequence[Finding]) -> tuple[Finding, ...]:
        wanted = {f.id: samples for f in found if (samples := findings.samples_of(self._evidence, f))}
        looked_at = dict(list(wanted.items())[:MOST_SAMPLED])
        return tuple(
            replace(finding, query=wanted[finding.id].statement(), trace_ids=self._traces(looked_at.get(finding.id)))
            if finding.id in wanted
            else finding
            for finding in found
        )

    def _traces(self, wanted: tables.SampleRequests | None) -> tuple[str, ...]:
        if wanted is None:
            return ()
        return findings.shown_traces(tables.read_sample_requests(self.tables, wanted)["trace_id"])

    @cached_property
    def _evidence(self) -> Evidence:
        facts = self.previous_facts or {}
        return Evidence(
            team=self.team,
            week=self.week,
            zone=self.zone,
            calendar=self.calendar,
            statuses=self.statuses,
            episodes=self.episodes,
            objective_periods=self.objective_periods,
            slo_routes=self.slo_routes,
            previous_verdicts={s["name"]: s["verdict"] for s in facts.get("slos", ())},
            silences=self.silences[self.silences["ended_at"] > self.window.start].reset_index(drop=True),
            route_counts=self.route_counts,
            comparable_route_counts=self.comparable_route_counts,
            last_month_route_counts=self.last_month_route_counts,
            route_latency=histogram(self.latency_hours),
            comparable_route_latency=histogram(self.comparable_latency_hours),
            last_month_route_latency=histogram(self.last_month_latency_hours),
            route_hours=self.route_hours,
            comparable_route_hours=self.comparable_route_hours,
            last_month_route_hours=self.last_month_route_hours.drop(columns="moved_by"),
            latency_hours=self.latency_hours,
            metric_hours=self.metric_hours,
            deployments=self.deployments,
            incidents=self.incidents,
            alerts=self.alerts,
            rules=self.parameters.rules,
            replies=self.parameters.replies_of(self.team),
        )
