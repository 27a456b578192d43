"""What the rules are measured against: a fixed threshold on everything, as many dashboards have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matching import Planted
from sizes import Log

from shokubai.core.windows import Week

ERROR_RATIO = 0.01
SLOWER_FACTOR = 1.2
LIMIT_SHARE = 0.8

# What an alarm of the baseline may be about.
_ABOUT = {
    "errors": ("outage", "retry_storm", "slow_burn"),
    "latency": ("latency_regression", "outage", "retry_storm"),
    "metric": ("memory_leak", "queue_lag"),
}


@dataclass(frozen=True)
class Alarm:
    """One route (or metric) over the threshold in one week."""

    week: str
    about: str
    service: str
    method: str
    route: str


def fixed_threshold(log: Log, weeks: Sequence[Week]) -> list[Alarm]:
    """Every route of which more than 1 % failed, or whose p95 rose by more than 20 % against the week before, and
    every metric that was above 80 % of its limit; week by week, exact, and without any minimum."""
    found = []
    for week in weeks:
        now, before = _routes(log, week), _routes(log, week.plus(-1))
        both = now.join(before.add_suffix("_before"))
        failing = both[both["errors"] > ERROR_RATIO * both["requests"]]
        slower = both[both["p95"] > SLOWER_FACTOR * both["p95_before"]]
        for about, rows in (("errors", failing), ("latency", slower)):
            found += [Alarm(str(week), about, *key) for key in rows.index]
        window = week.window(log.zone)
        high = log.frame(
            "SELECT DISTINCT service_name, metric_name FROM metrics WHERE value > $share * limit_value "
            "AND timestamp >= $start AND timestamp < $end ORDER BY ALL",
            share=LIMIT_SHARE,
            start=window.start,
            end=window.end,
        )
        found += [Alarm(str(week), "metric", service, metric, "") for service, metric in high.itertuples(index=False)]
    return found


def _routes(log: Log, week: Week) -> pd.DataFrame:
    window = week.window(log.zone)
    return log.frame(
        "SELECT service_name, http_request_method, http_route, count(*) AS requests, "
        "count(*) FILTER (http_response_status_code BETWEEN 500 AND 599) AS errors, "
        "quantile_disc(duration_seconds, 0.95) AS p95 FROM requests "
        "WHERE timestamp >= $start AND timestamp < $end GROUP BY ALL ORDER BY ALL",
        start=window.start,
        end=window.end,
    ).set_index(["service_name", "http_request_method", "http_route"])


def tells(alarm: Alarm, planted: Planted, weeks: Sequence[Week], log: Log) -> bool:
    """Whether an alarm is about the event: its kind, place and a week that it touches; it knows no hour."""
    week = next(w for w in weeks if str(w) == alarm.week).window(log.zone)
    if planted.kind not in _ABOUT[alarm.about] or alarm.service != planted.service:
        return False
    if planted.start >= week.end or planted.end <= week.start:
        return False
    of_route = alarm.about == "metric" or planted.route is None
    return of_route or (alarm.method, alarm.route) == (planted.method, planted.route)
