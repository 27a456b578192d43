"""Which days must be scanned, and which of them together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from shokubai.config.model import Slo
from shokubai.core.errors import UsageError
from shokubai.core.windows import DAY, HOUR, Window
from shokubai.sources import Part
from shokubai.tables.contracts import MAX_LATENCY_THRESHOLDS

# Input read by one scan. What a scan counts should fit into the processor's cache, and must fit into memory.
SCAN_BYTES = 24 * 1024 * 1024
HOURS_A_DAY = DAY // HOUR


def fingerprint(*parts: Any) -> str:
    """A hash that changes when any of the JSON values does."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def input_of(day: date, parts: Iterable[Part]) -> str:
    """The fingerprint of the parts that may hold rows of a day; empty when there are none."""
    held = sorted([str(part.path), part.version] for part in parts if part.holds(day))
    return fingerprint(held) if held else ""


def latency_thresholds(slos: Iterable[Slo]) -> list[dict[str, Any]]:
    """The distinct latency thresholds of each service, ascending, one entry per service with any.

    Keys: service_name, threshold_1_seconds … threshold_4_seconds, unused ones None. Raises UsageError when a
    service has more than four.
    """
    by_service: dict[str, dict[float, Slo]] = {}
    for slo in slos:
        if slo.indicator.threshold_seconds is not None:
            by_service.setdefault(slo.service, {})[slo.indicator.threshold_seconds] = slo
    entries = []
    for service, thresholds in sorted(by_service.items()):
        values = sorted(thresholds)
        if len(values) > MAX_LATENCY_THRESHOLDS:
            where = ", ".join(str(thresholds[value].source) for value in values)
            raise UsageError(
                f"service {service}: {len(values)} different latency thresholds ({where}), allowed: at most "
                f"{MAX_LATENCY_THRESHOLDS}; let objectives share thresholds"
            )
        slots = values + [None] * (MAX_LATENCY_THRESHOLDS - len(values))
        entries.append(
            {"service_name": service} | {f"threshold_{n}_seconds": value for n, value in enumerate(slots, start=1)}
        )
    return entries


def batches(days: Sequence[date], parts: Sequence[Part], *, size: int) -> Iterator[list[date]]:
    """Days that follow one another, in groups of about ``size`` bytes of input."""
    weights = _bytes_per_day(days, parts)
    batch: list[date] = []
    weight = 0.0
    for day in days:
        if batch and (day != batch[-1] + DAY or weight + weights[day] > size):
            yield batch
            batch, weight = [], 0.0
        batch.append(day)
        weight += weights[day]
    if batch:
        yield batch


def slices(days: Sequence[date], parts: Sequence[Part], *, size: int) -> list[Window]:
    """What is scanned at once of a batch: all of it, or whole hours of a day of more than ``size`` bytes."""
    begin, end = midnight(days[0]), midnight(days[-1] + DAY)
    weight = sum(_bytes_per_day(days, parts).values())
    count = max(1, min(HOURS_A_DAY, int(weight // size))) if len(days) == 1 else 1
    bounds = [begin + HOUR * (HOURS_A_DAY * n // count) for n in range(count)] + [end]
    return [Window(start, end) for start, end in pairwise(bounds)]


def midnight(day: date) -> datetime:
    """The instant at which a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _bytes_per_day(days: Sequence[date], parts: Sequence[Part]) -> Mapping[date, float]:
    weights = dict.fromkeys(days, 0.0)
    for part in parts:
        share = part.bytes / max(1, sum((last - first).days + 1 for first, last in part.days))
        for day in days:
            if part.holds(day):
                weights[day] += share
    return weights
