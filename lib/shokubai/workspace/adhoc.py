"""The façade for ad-hoc work: the frames of the reports, one line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from shokubai import config, tables
from shokubai.config.model import Parameters, Team
from shokubai.core.errors import DataError, UsageError, nearest_spelling
from shokubai.core.windows import HOUR, Week, Window
from shokubai.slo.model import SloStatus
from shokubai.tables.ownership import owned_rows
from shokubai.workspace.percentiles import quantile_frame
from shokubai.workspace.project import WindowLike, find_project, parse_window
from shokubai.workspace.team_week import TeamWeek

By = Literal["service", "route", "hour", "day"]
_KEYS: dict[str, tuple[str, ...]] = {
    "service": ("service_name",),
    "route": ("service_name", "http_request_method", "http_route"),
    "hour": ("hour",),
    "day": ("day",),
}


def open(
    parameters: str | Path | None = None,
    outputs: str | Path | None = None,
    *,
    run: str | None = None,
    warehouse: str | None = None,
) -> Workspace:
    """Open a project for ad-hoc work.

    Without arguments the project is the nearest folder above the current one that holds ``parameters/``. The
    warehouse is that of ``run`` (default: the run called weekly, else the first by name), and for teams with one
    of their own theirs; a ``warehouse`` named here is read for all teams. Raises ConfigurationError when the
    parameters have problems, UsageError for unknown names.
    """
    directory = Path(parameters) if parameters else find_project(Path.cwd()) / "parameters"
    loaded = config.load(directory)
    folder = Path(outputs) if outputs else directory.parent / "outputs"
    if warehouse is not None:
        return Workspace(loaded, warehouse, folder, is_for_all=True)
    chosen = run or ("weekly" if "weekly" in loaded.runs else min(loaded.runs, default=None))
    if chosen is None:
        raise UsageError(f"no run in {directory / 'runs'}: say which warehouse, shokubai.open(warehouse=…)")
    return Workspace(loaded, loaded.run(chosen).warehouse, folder)


class Workspace:
    """A project's parameters and one warehouse, as tidy frames.

    A ``window`` is a week ("2026-W44"), a day ("2026-10-27"), "from/to", a pair of times or a Window; times
    without an offset are wall-clock times of the organisation. Frames hold UTC instants, counts as integers,
    ratios between 0 and 1 and durations in seconds. What is asked for is built from the logs when it is
    missing; days that were scanned before are not scanned again.
    """

    def __init__(self, parameters: Parameters, warehouse: str, outputs: Path, *, is_for_all: bool = False) -> None:
        self.parameters = parameters
        self.organization = parameters.organization
        self.zone = parameters.organization.zone
        self.outputs = outputs
        self.tables = tables.open_tables(parameters, warehouse, outputs=outputs)
        self._opened = {warehouse: self.tables}
        self._is_for_all = is_for_all  # the warehouse was chosen by hand, also for teams with one of their own

    def __repr__(self) -> str:
        teams = len(self.parameters.teams)
        return (
            f"<shokubai.Workspace of {self.parameters.directory.parent}: warehouse {self.tables.name}, {teams} teams>"
        )

    def window(self, window: WindowLike) -> Window:
        """The window that ``window`` stands for, and makes sure that its days are in the small tables."""
        parsed = parse_window(window, self.zone)
        self.tables.build(parsed)
        return parsed

    @cached_property
    def latest_week(self) -> Week:
        """The newest ISO week that the data covers to its end, give or take six hours, or else its first week.

        Raises DataError when there is no data at all.
        """
        span = self.tables.span()
        if span is None:
            raise DataError(f"warehouse {self.tables.name}: no requests at all")
        first = Week.of(span.start.astimezone(self.zone).date())
        return max(first, Week.last_complete(span.end + 6 * HOUR, self.zone))

    def team_week(self, team: str, week: str | Week, *, previous_facts: Mapping[str, Any] | None = None) -> TeamWeek:
        """Everything a team's weekly report knows about one week; ``previous_facts`` are those of an earlier one."""
        chosen = self.parameters.team(team)
        parsed = week if isinstance(week, Week) else Week.parse(week)
        opened = self._tables_of(chosen)
        made = TeamWeek(self.parameters, opened, chosen, parsed, previous_facts=previous_facts)
        opened.build(made.needed)
        opened.hold(chosen.services, made.needed)
        return made

    def requests(
        self,
        window: WindowLike,
        *,
        by: By | Iterable[By] = "route",
        team: str | None = None,
        service: str | None = None,
    ) -> pd.DataFrame:
        """How many requests, how many failed, how long they took.

        One row per combination of ``by`` ("service", "route", "hour", "day") that had requests. Columns: the
        keys (service_name, http_request_method, http_route, hour [UTC], day [local date]), request_count,
        error_count (status 500–599), error_ratio (0–1), p50_seconds, p90_seconds, p95_seconds, p99_seconds
        (from merged histograms, 1 % relative error; NaN where the log has no durations). Percentiles count whole
        UTC hours, those that begin in the window.
        """
        columns = _columns(by)
        span = parse_window(window, self.zone)
        opened, services, chosen = self._chosen(team, service)
        opened.build(span)
        if service and service not in opened.services():
            raise UsageError(_unknown_service(service, opened.services()))
        services = services or opened.services()
        counts = self._shape(tables.read_route_hours(opened, services, span), chosen)
        latency = self._shape(tables.read_latency_hours(opened, services, span), chosen)
        grouped = counts.groupby(columns, as_index=False)[["request_count", "error_count"]].sum()
        grouped["error_ratio"] = grouped["error_count"] / grouped["request_count"]
        return grouped.merge(quantile_frame(latency, columns), on=columns, how="left")

    def compare(
        self,
        before: WindowLike,
        after: WindowLike,
        *,
        by: By | Iterable[By] = "route",
        team: str | None = None,
        service: str | None = None,
        minimum_requests: int = 100,
    ) -> pd.DataFrame:
        """Two windows side by side, the largest slow-down first.

        Columns of ``requests`` with the endings _before and _after (request_count_before, p95_seconds_after, …),
        p95_ratio (after ÷ before) and error_ratio_change (after − before). Rows with fewer than
        ``minimum_requests`` in either window are left out, because their percentiles say nothing. Raises UsageError
        for hours and days, which no two windows share.
        """
        if moments := [column for column in _columns(by) if column in ("hour", "day")]:
            raise UsageError(
                f"compare(by={by!r}): no {moments[0]} lies in both windows; compare by 'service' or 'route', or lay "
                "requests(window, by=…) of each window side by side by what its hours have in common"
            )
        first = self.requests(before, by=by, team=team, service=service)
        second = self.requests(after, by=by, team=team, service=service)
        keys = [c for c in first.columns if c in {k for ks in _KEYS.values() for k in ks}]
        both = first.merge(second, on=keys, suffixes=("_before", "_after"))
        enough = both[["request_count_before", "request_count_after"]].min(axis=1) >= minimum_requests
        both = both[enough].assign(
            p95_ratio=lambda f: f["p95_seconds_after"] / f["p95_seconds_before"],
            error_ratio_change=lambda f: f["error_ratio_after"] - f["error_ratio_before"],
        )
        return both.sort_values(["p95_ratio", *keys], ascending=[False, *[True] * len(keys)], ignore_index=True)

    def slo_status(self, week: str | Week | None = None, *, team: str | None = None) -> pd.DataFrame:
        """Every SLO judged at the end of a week (default: the newest whole one).

        One row per team × SLO. Columns: team, service_name, slo, objective (0–1), window (its length and kind);
        valid_count, good_count (requests, or slices where the SLO counts slices), sli_ratio (0–1), interval_low,
        interval_high (Wilson, 95 %); verdict (met, missed, not_enough_data), reason; budget_allowed_count,
        budget_spent_count, budget_left_ratio (1 untouched, 0 spent, below 0 overspent); completeness_ratio (0–1,
        how much of the window has telemetry).
        """
        chosen = self.latest_week if week is None else week
        names = [team] if team else sorted(self.parameters.teams)
        rows = [
            {"team": name, **_status_row(status)}
            for name in names
            for status in self.team_week(name, chosen).statuses
        ]
        return pd.DataFrame(rows, columns=["team", *_SLO_COLUMNS, *_STATUS_COLUMNS])

    def percentiles(
        self,
        window: WindowLike,
        *,
        by: By | Iterable[By] = "hour",
        team: str | None = None,
        service: str | None = None,
    ) -> pd.DataFrame:
        """How long requests took: ``requests`` without its errors.

        Columns: the keys (service_name, http_request_method, http_route, hour [UTC], day [local date]),
        request_count, p50_seconds, p90_seconds, p95_seconds, p99_seconds (1 % relative error).
        """
        frame = self.requests(window, by=by, team=team, service=service)
        return frame.drop(columns=["error_count", "error_ratio"])

    def deployments(self, window: WindowLike, *, team: str | None = None, service: str | None = None) -> pd.DataFrame:
        """Deployments in a window.

        One row each. Columns: deployed_at (UTC), service_name, service_version, deployment_id, description.
        """
        opened, services, _ = self._chosen(team, service)
        return tables.read_deployments(opened, services or opened.services(), parse_window(window, self.zone))

    def incidents(self, window: WindowLike, *, team: str | None = None, service: str | None = None) -> pd.DataFrame:
        """Incidents that overlap a window.

        One row each. Columns: incident_id, service_name, title, severity, and the instants (UTC, NaT while open)
        started_at, detected_at, mitigated_at, resolved_at.
        """
        opened, services, _ = self._chosen(team, service)
        return tables.read_incidents(opened, services or opened.services(), parse_window(window, self.zone))

    def alerts(self, window: WindowLike, *, team: str | None = None, service: str | None = None) -> pd.DataFrame:
        """Alerts fired in a window.

        One row each. Columns: fired_at, resolved_at (UTC, NaT while it fires), service_name, alert_name, severity
        (page or ticket).
        """
        opened, services, _ = self._chosen(team, service)
        return tables.read_alerts(opened, services or opened.services(), parse_window(window, self.zone))

    def metrics(self, window: WindowLike, *, team: str | None = None, service: str | None = None) -> pd.DataFrame:
        """Metrics by hour.

        One row per service, metric and hour. Columns: hour (UTC), service_name, metric_name, unit (UCUM: 1 a ratio,
        By bytes, s seconds, {thing} a count), sample_count, mean_value, max_value, limit_value (in that unit; NaN
        where there is no limit).
        """
        opened, services, _ = self._chosen(team, service)
        return tables.read_metric_hours(opened, services or opened.services(), parse_window(window, self.zone))

    def sql(self, statement: str, **parameters: Any) -> pd.DataFrame:
        """Run SQL in the warehouse's own dialect; named parameters as ``$name``.

        Tables: requests, metrics, deployments, incidents, alerts, sre_requests (as the contract names their
        columns), and the small tables minute_counts and hour_latency.
        """
        return self.tables.sql(statement, **parameters)

    def _chosen(self, team: str | None, service: str | None) -> tuple[tables.Tables, tuple[str, ...], Team | None]:
        """Where to read, which services (none named: all), and whose routes."""
        if team is None:
            return self.tables, (service,) if service else (), None
        chosen = self.parameters.team(team)
        return self._tables_of(chosen), (service,) if service else chosen.services, chosen

    def _tables_of(self, team: Team) -> tables.Tables:
        name = team.warehouse or self.tables.name
        if self._is_for_all:
            return self.tables
        if name not in self._opened:
            self._opened[name] = tables.open_tables(self.parameters, name, outputs=self.outputs)
        return self._opened[name]

    def _shape(self, frame: pd.DataFrame, team: Team | None) -> pd.DataFrame:
        if team is not None:
            frame = owned_rows(frame, team)
        return frame.assign(day=frame["hour"].dt.tz_convert(self.zone).dt.date)


def _columns(by: By | Iterable[By]) -> list[str]:
    keys = [by] if isinstance(by, str) else list(by)
    if not keys:
        raise UsageError(f"by is empty; name at least one of {', '.join(_KEYS)}")
    for key in keys:
        if key not in _KEYS:
            near = nearest_spelling(key, list(_KEYS)) or "route"
            raise UsageError(f"by={key!r} is not one of {', '.join(_KEYS)}; did you mean {near!r}?")
    return list(dict.fromkeys(column for key in keys for column in _KEYS[key]))


def _unknown_service(service: str, known: Sequence[str]) -> str:
    message = f"no service is called {service!r}; there are: {', '.join(known) or 'none'}"
    near = nearest_spelling(service, list(known))
    return f"{message}; did you mean {near!r}?" if near else message


_SLO_COLUMNS = ("service_name", "slo", "objective", "window")
_STATUS_COLUMNS = (
    "valid_count",
    "good_count",
    "sli_ratio",
    "interval_low",
    "interval_high",
    "verdict",
    "reason",
    "budget_allowed_count",
    "budget_spent_count",
    "budget_left_ratio",
    "completeness_ratio",
)


def _status_row(status: SloStatus) -> dict[str, Any]:
    slo = status.slo
    return {
        "service_name": slo.service,
        "slo": slo.name,
        "objective": slo.objective,
        "window": str(slo.window),
        **{name: getattr(status, name) for name in _STATUS_COLUMNS},
    }
