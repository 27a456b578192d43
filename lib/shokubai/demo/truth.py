"""What the reports on the demo data must say: counted from the raw rows, without any of the reports' code.

``truth.json`` in the demo's folder depends on the teams and SLOs in ``parameters/`` and is written anew when they
change. Instants are UTC. Its keys:

- ``seed``, ``rows``, ``request_count``, ``late_count``: what was built; ``window``: {start, end} of the whole demo
- ``parameters_sha256``: of the teams' ownership and the SLOs that were counted
- ``percentile_rank``: how the percentiles below are defined
- ``events``: one object per planted event: ``name``, ``kind``, ``service``, ``teams``, ``method`` and ``route`` (null
  for the whole service), ``start``, ``end``, ``weeks`` (the ISO weeks it touches), ``visibility``, ``deployment_id``
  (null without one)
- ``weeks``: per ISO week and team
    - ``slos``: per SLO name: ``service``, ``unit`` (requests or slices), ``window`` {start, end} judged at the week's
      end, ``valid_count``, ``good_count``; for RatioTimeslices the good count is the sum of the slices' ratios
    - ``routes``: per route with requests in the week that the team owns: ``service``, ``method``, ``route``,
      ``requests``, ``errors`` (5xx), ``duration_count``, ``p50_seconds``, ``p95_seconds``, ``p99_seconds`` (null
      without durations)
    - ``previous_routes``: the same for the week before
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from shokubai.config.model import Parameters, Slo, Team, route_matches
from shokubai.core.windows import Week, Window
from shokubai.demo.events import NOTHING, Event
from shokubai.demo.generator import connect, read_sql, read_summary, write_atomically
from shokubai.demo.organization import FIRST_WEEK, LAST_WEEK, TOKYO, WINDOW
from shokubai.demo.variation import plants_of

TRUTH = "truth.json"
WEEKS = (LAST_WEEK.plus(-1), LAST_WEEK)
PERCENTILE_RANK = "the value of rank floor(q (n - 1)), counted from 0, among the n requests with a duration"

_NO_STATUS = -1  # as the statements write it


def write_truth(directory: Path, parameters: Parameters, *, weeks: Sequence[Week] = WEEKS) -> Path:
    """Count the truth of the demo in ``directory`` under ``parameters`` and write it to ``truth.json`` there.

    Raises UsageError when there is no demo.
    """
    summary = read_summary(directory)
    plants = NOTHING if summary.quiet else plants_of(summary.seed)
    truth = {
        "seed": summary.seed,
        "rows": summary.rows,
        "request_count": summary.request_count,
        "late_count": summary.late_count,
        "window": _window(Window(summary.start, summary.end)),
        "parameters_sha256": _fingerprint(parameters),
        "percentile_rank": PERCENTILE_RANK,
        "events": [_event(event, directory) for event in plants.events],
        "weeks": count_weeks(directory, parameters, weeks=weeks),
    }
    path = directory / TRUTH
    write_atomically(path, json.dumps(truth, ensure_ascii=False, indent=1) + "\n")
    return path


def is_truth_current(directory: Path, parameters: Parameters) -> bool:
    """Whether ``truth.json`` was counted under these parameters."""
    try:
        truth = json.loads((directory / TRUTH).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return bool(truth.get("parameters_sha256") == _fingerprint(parameters))


def count_weeks(
    directory: Path, parameters: Parameters, *, weeks: Sequence[Week] = WEEKS
) -> dict[str, dict[str, dict[str, Any]]]:
    """The truth's ``weeks`` from the rows that are in the log now (late rows count once they are delivered)."""
    zone = parameters.organization.zone
    routes_of = sorted({week.plus(-back) for week in weeks for back in (0, 1)})
    slos = [
        (week, slo, judged_window(slo, week.window(zone).end)) for week in weeks for slo in parameters.slos.values()
    ]
    with connect() as connection:
        windows = [week.window(zone) for week in routes_of] + [window for _, _, window in slos]
        _open_requests(connection, directory, Window(min(w.start for w in windows), max(w.end for w in windows)))
        counted_slos = _count_slos(connection, slos)
        counted_routes = _count_routes(connection, {str(week): week.window(zone) for week in routes_of})

    def owned(team: Team, week: Week) -> list[dict[str, Any]]:
        routes = counted_routes.get(str(week), [])
        return [r for r in routes if team.owns_route(r["service"], r["method"], r["route"])]

    return {
        str(week): {
            team.name: {
                "slos": {slo.name: counted_slos[str(week), slo.name] for slo in parameters.slos_of(team)},
                "routes": owned(team, week),
                "previous_routes": owned(team, week.plus(-1)),
            }
            for team in parameters.teams.values()
        }
        for week in weeks
    }


def judged_window(slo: Slo, at: datetime) -> Window:
    """The window an SLO is judged over at ``at``: a calendar period counts up to then."""
    whole = slo.window.whole(at)
    return Window(whole.start, min(whole.end, at))


def _open_requests(connection: duckdb.DuckDBPyConnection, directory: Path, window: Window) -> None:
    """Make the rows of the window's days the view ``requests``."""
    days = {f"day={day.isoformat()}" for day in window.utc_days()}
    paths = [str(p) for p in sorted((directory / "requests").glob("day=*/*.parquet")) if p.parent.name in days]
    connection.from_parquet(paths, hive_partitioning=False).create_view("requests")


def _count_slos(
    connection: duckdb.DuckDBPyConnection, slos: Sequence[tuple[Week, Slo, Window]]
) -> dict[tuple[str, str], dict[str, Any]]:
    kinds = connection.execute(
        "SELECT DISTINCT service_name, http_request_method, http_route, coalesce(http_response_status_code, -1) "
        "FROM requests"
    ).fetchall()
    scopes = []
    for scope, (_, slo, window) in enumerate(slos):
        slice_length = slo.time_slice_window.timedelta if slo.time_slice_window else window.duration
        for service, method, route, status in kinds:
            if service != slo.service or not route_matches(slo.indicator.routes, method, route):
                continue
            failed = status != _NO_STATUS and slo.indicator.is_error(status)
            # Availability cannot be told without a status; a failure's latency does not count.
            if (status == _NO_STATUS) if slo.indicator.kind == "availability" else failed:
                continue
            scopes.append(
                {
                    "scope": scope,
                    "service_name": service,
                    "http_request_method": method,
                    "http_route": route,
                    "status": status,
                    "succeeded": not failed,
                    "threshold_seconds": slo.indicator.threshold_seconds,
                    "start_us": _epoch_us(window.start),
                    "end_us": _epoch_us(window.end),
                    "slice_us": slice_length // timedelta(microseconds=1),
                    "slice_target": slo.time_slice_target or 0.0,
                }
            )
    connection.register("scopes", pd.DataFrame(scopes).astype({"threshold_seconds": "float64"}))
    counts = {row[0]: row[1:] for row in connection.execute(read_sql("truth_slos.sql")).fetchall()}

    result = {}
    for scope, (week, slo, window) in enumerate(slos):
        valid_requests, good_requests, valid_slices, good_slices, ratio_sum = counts.get(scope, (0, 0, 0, 0, 0.0))
        valid, good = {
            "Occurrences": (valid_requests, good_requests),
            "Timeslices": (valid_slices, good_slices),
            "RatioTimeslices": (valid_slices, ratio_sum),
        }[slo.budgeting]
        result[str(week), slo.name] = {
            "service": slo.service,
            "unit": "requests" if slo.budgeting == "Occurrences" else "slices",
            "window": _window(window),
            "valid_count": valid,
            "good_count": good,
        }
    return result


def _count_routes(
    connection: duckdb.DuckDBPyConnection, windows: dict[str, Window]
) -> dict[str, list[dict[str, Any]]]:
    """Per week the routes with requests, by service, route and method."""
    spans = [(week, _epoch_us(window.start), _epoch_us(window.end)) for week, window in windows.items()]
    connection.register("weeks", pd.DataFrame(spans, columns=["week", "start_us", "end_us"]))
    routes: dict[str, list[dict[str, Any]]] = {}
    for week, service, method, route, requests, errors, durations, p50, p95, p99 in connection.execute(
        read_sql("truth_routes.sql")
    ).fetchall():
        routes.setdefault(week, []).append(
            {
                "service": service,
                "method": method,
                "route": route,
                "requests": requests,
                "errors": errors,
                "duration_count": durations,
                "p50_seconds": p50,
                "p95_seconds": p95,
                "p99_seconds": p99,
            }
        )
    return routes


def _event(event: Event, directory: Path) -> dict[str, Any]:
    weeks = [FIRST_WEEK.plus(n) for n in range(WINDOW.duration // timedelta(weeks=1))]
    deployment = None
    if event.deployment:
        with connect() as connection:
            row = connection.execute(
                "SELECT deployment_id FROM read_parquet($path) WHERE service_name = $service AND deployed_at = $at",
                {"path": str(directory / "deployments.parquet"), "service": event.service, "at": event.deployment.at},
            ).fetchone()
            deployment = row[0] if row else None
    return {
        "name": event.name,
        "kind": event.kind,
        "service": event.service,
        "teams": list(event.teams),
        "method": event.route[0] if event.route else None,
        "route": event.route[1] if event.route else None,
        **_window(event.window),
        "weeks": [str(w) for w in weeks if w.window(TOKYO).intersection(event.window)],
        "visibility": event.visibility,
        "deployment_id": deployment,
    }


def _window(window: Window) -> dict[str, str]:
    return {"start": f"{window.start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{window.end:%Y-%m-%dT%H:%M:%SZ}"}


def _epoch_us(instant: datetime) -> int:
    return int(instant.timestamp()) * 1_000_000


def _fingerprint(parameters: Parameters) -> str:
    """Of what the truth depends on: who owns what, and the SLOs; not where in a file it is said."""
    owned = [(team.name, team.owns) for team in sorted(parameters.teams.values(), key=lambda t: t.name)]
    slos = [
        (s.name, s.service, s.indicator, s.window, s.budgeting, s.time_slice_target, s.time_slice_window, s.teams)
        for s in sorted(parameters.slos.values(), key=lambda s: s.name)
    ]
    text = repr((parameters.organization.zone.key, owned, slos))
    return hashlib.sha256(text.encode()).hexdigest()
