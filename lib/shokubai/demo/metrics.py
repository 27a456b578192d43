"""The services' metrics, sampled every five minutes: what the load, the deployments and the events make of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from shokubai.demo import draws
from shokubai.demo.draws import Floats
from shokubai.demo.events import Event, Plants
from shokubai.demo.organization import SERVICES, Service
from shokubai.demo.traffic import SLOT_US, SLOTS, Traffic, slots_of
from shokubai.tables.contracts import METRICS

_DAY_US = 86_400 * 1_000_000


def samples(traffic: Traffic, plants: Plants, deployments: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """All samples (contracts.METRICS), by service, metric and time."""
    frames = []
    for number, service in enumerate(SERVICES):
        load = traffic.load[:, number]
        seen = ~traffic.metrics_lost[:, number]
        deployed = deployments.loc[deployments["service_name"] == service.name, "deployed_at"]
        days = _days_since(traffic, deployed)
        for name, unit, values, limit in _service_metrics(service, plants, load, days, seed=seed):
            frames.append(
                pd.DataFrame(
                    {
                        "timestamp": pd.to_datetime(traffic.slot_starts_us[seen], unit="us", utc=True),
                        "service_name": service.name,
                        "metric_name": name,
                        "unit": unit,
                        "value": values[seen],
                        "limit_value": np.nan if limit is None else float(limit),
                    }
                )
            )
    return METRICS.conform(pd.concat(frames, ignore_index=True))


def _service_metrics(
    service: Service, plants: Plants, load: Floats, days_since_deployment: Floats, *, seed: int
) -> list[tuple[str, str, Floats, float | None]]:
    """Metric name, unit, values per slot and limit."""
    slots = np.arange(SLOTS, dtype=np.int64)

    def noise(what: str) -> Floats:
        return draws.normal(seed, "metric", service.name, what, slots)

    instances = np.clip(np.ceil(load * 4.0), 2.0, 6.0)
    # The autoscaler adds instances up to six; at the month end each of them works harder.
    cpu = np.clip(0.03 + 0.42 * load * 4.0 / instances * 0.9 + 0.015 * noise("cpu"), 0.01, 0.99)
    memory = 0.40 + 0.006 * days_since_deployment + 0.05 * load + 0.006 * noise("memory")
    for event in plants.of_kind("memory_leak", service.name):
        leak = slots_of(event.window)
        rise = np.linspace(0.40, event.peak or 0.0, leak.stop - leak.start)
        memory[leak] = rise + 0.004 * noise("memory")[leak]
    memory_bytes = np.floor(np.clip(memory, 0.05, 0.995) * service.memory_limit_bytes)
    metrics: list[tuple[str, str, Floats, float | None]] = [
        ("process.cpu.utilization", "1", cpu, 1.0),
        ("process.memory.usage", "By", memory_bytes, service.memory_limit_bytes),
        ("service.instance.count", "{instance}", instances, None),
    ]
    if service.connection_limit:
        open_connections = service.connection_limit * (0.08 + 0.28 * load) + 1.5 * noise("connections")
        connections = np.clip(np.rint(open_connections), 1, service.connection_limit)
        metrics.append(("db.client.connection.count", "{connection}", connections, service.connection_limit))
    if service.queue_age_limit_seconds:
        lags = plants.of_kind("queue_lag", service.name)
        age = _queue_age(load, noise("queue"), lags)
        metrics.append(("queue.oldest_message.age", "s", age, service.queue_age_limit_seconds))
    return metrics


def _queue_age(load: Floats, noise: Floats, lags: Iterable[Event]) -> Floats:
    """Seconds the oldest message waits: a few, up to a minute or so when it is busy, and what is planted."""
    age = (4.0 + 30.0 * load) * np.exp(0.35 * noise)
    for event in lags:
        lag, peak = slots_of(event.window), event.peak or 0.0
        growing = int((lag.stop - lag.start) * 0.7)
        age[lag.start : lag.start + growing] += np.linspace(0.0, peak, growing)
        age[lag.start + growing : lag.stop] += np.linspace(peak, 0.0, lag.stop - lag.start - growing)
    return np.round(age, 1)


def _days_since(traffic: Traffic, deployed_at: pd.Series) -> Floats:
    """Days since the newest deployment before each slot; before the first, days since three days earlier."""
    instants = np.sort(deployed_at.astype("int64").to_numpy())
    instants = np.concatenate([[traffic.slot_starts_us[0] - 3 * _DAY_US], instants])
    newest = instants[np.searchsorted(instants, traffic.slot_starts_us + SLOT_US, side="right") - 1]
    days: Floats = np.maximum(traffic.slot_starts_us - newest, 0) / _DAY_US
    return days
