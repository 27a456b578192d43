"""Saturation metrics, one row each."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import Locale

_KNOWN = {
    "process.cpu.utilization": "cpu",
    "system.cpu.utilization": "cpu",
    "container.cpu.utilization": "cpu",
    "process.memory.usage": "memory",
    "container.memory.usage": "memory",
    "db.client.connection.count": "connections",
    "service.instance.count": "instances",
    "queue.oldest_message.age": "queue_age",
}


def metric_title(metric_name: str, locale: Locale) -> str:
    """A metric's name in words where there are some, else as it is."""
    return locale.say(f"metric.{_KNOWN[metric_name]}") if metric_name in _KNOWN else metric_name


def highest_sample(metric_hours: pd.DataFrame) -> tuple[float | None, datetime | None]:
    """The highest value in some rows of METRIC_HOURS and the hour it was in; None and None without samples."""
    known = metric_hours.dropna(subset=["max_value"])
    if known.empty:
        return None, None
    row = known.iloc[int(known["max_value"].to_numpy().argmax())]
    return float(row["max_value"]), row["hour"].to_pydatetime()


def metrics(metric_hours: pd.DataFrame, *, locale: Locale) -> Table:
    """One row per service and metric (METRIC_HOURS): mean of all samples, highest and when, limit, share of it."""
    rows = []
    for key, frame in metric_hours.sort_values("hour").groupby(["service_name", "metric_name", "unit"], sort=True):
        service, metric, unit = (str(part) for part in key)
        samples = frame["sample_count"].sum()
        mean = float(np.average(frame["mean_value"], weights=frame["sample_count"])) if samples else None
        highest, at = highest_sample(frame)
        limits = frame["limit_value"].dropna()
        limit = float(limits.iloc[-1]) if len(limits) else None
        rows.append(
            (
                Cell(metric_title(metric, locale), detail=f"{service} · {metric}"),
                Cell(locale.quantity(mean, unit)),
                Cell(
                    locale.quantity(highest, unit),
                    detail=locale.instant(at) if at else "",
                ),
                Cell(locale.quantity(limit, unit)),
                Cell(locale.share(highest / limit if highest is not None and limit else None)),
                Cell(locale.count(int(frame["hour"].nunique()))),
            )
        )
    return Table(
        locale.say("table.metrics.caption"),
        (
            Header(locale.say("column.metric")),
            Header(locale.say("column.mean"), "end"),
            Header(locale.say("column.highest"), "end"),
            Header(locale.say("column.limit"), "end"),
            Header(locale.say("column.share_of_limit"), "end"),
            Header(locale.say("column.hours"), "end"),
        ),
        tuple(rows),
        empty=locale.say("nothing.metrics"),
    )
