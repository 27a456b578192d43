"""Both small tables from one pass over the log: DuckDB takes it apart, and whole numbers are counted here.

``log_queries/request_groups.sql`` gives each request as one number under its service, route, status and slot; of
these there are few, and no string is touched once per request. ``queries/minute_counts.sql`` and ``hour_latency.sql``
say what comes out and are what other engines run; the tests hold this to their rows. To let DuckDB run them takes
twice the time: it groups by strings twice, and sorts by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shokubai.core.frames import Column, FrameContract
from shokubai.core.sketch import ZERO_KEY
from shokubai.core.windows import DAY, HOUR, MINUTE
from shokubai.tables.contracts import HOUR_LATENCY, MAX_LATENCY_THRESHOLDS, MINUTE_COUNTS

Integers = npt.NDArray[np.int64]

_ROUTE = ("service_name", "http_request_method", "http_route")
_STATUS = "http_response_status_code"
_SLOTS = MAX_LATENCY_THRESHOLDS + 2  # 0 without a duration, 1 to 4 met that threshold first, 5 none
_MINUTES_A_DAY, _HOURS_A_DAY, _MINUTES_AN_HOUR = DAY // MINUTE, DAY // HOUR, HOUR // MINUTE
_MINUTE_US = 60_000_000
# Up to so many possible numbers for each that is there, a table of all of them is faster than sorting.
_DENSE = 4

REQUEST_GROUPS = FrameContract(
    "request_groups",
    "service × method × route × status code × slot that had requests",
    {
        **{name: MINUTE_COUNTS.columns[name] for name in (*_ROUTE, _STATUS)},
        "slot": Column("INT64", "the first latency threshold met, 5 for none, 0 without a duration"),
        "requests": Column("INT64_LIST", "start of each request's minute in microseconds, minus its duration bucket"),
    },
)


def count(groups: Any, days: Sequence[date], latency_thresholds: Sequence[Mapping[str, Any]]) -> dict[str, pa.Table]:
    """The small tables, by name, of REQUEST_GROUPS in ``days`` that follow one another.

    Rows are in order of the day, then of the service, the time and the rest; their strings are dictionaries.
    """
    requests = groups.column("requests").combine_chunks()
    lengths = pc.list_value_length(requests).to_numpy()
    moments = requests.flatten().to_numpy()
    slots = groups.column("slot").to_numpy()
    midnight_us = int(np.datetime64(days[0], "us").astype(np.int64))
    minutes = (moments - (midnight_us - _MINUTE_US // 2)) // _MINUTE_US
    buckets = minutes * _MINUTE_US + midnight_us - moments
    services, *others = (groups.column(name).to_pylist() for name in (*_ROUTE, _STATUS))
    by_status = _Grid.of(list(zip(services, *others, strict=True)), steps=_MINUTES_A_DAY, days=len(days))
    by_route = _Grid.of(list(zip(services, *others[:2], strict=True)), steps=_HOURS_A_DAY, days=len(days))
    measured = np.repeat(slots > 0, lengths)
    return {
        "minute_counts": _minute_counts(by_status, minutes, slots, lengths, midnight_us, latency_thresholds),
        "hour_latency": _hour_latency(
            by_route, minutes[measured], buckets[measured], lengths * (slots > 0), midnight_us
        ),
    }


def _minute_counts(
    grid: _Grid,
    minutes: Integers,
    slots: Integers,
    lengths: Integers,
    midnight_us: int,
    latency_thresholds: Sequence[Mapping[str, Any]],
) -> Any:
    keys = grid.cells(minutes, lengths)
    keys *= _SLOTS
    keys += np.repeat(slots, lengths)
    found, counts = _distinct(keys, grid.size * _SLOTS)
    cells, slot_of = np.divmod(found, _SLOTS)
    is_first = np.append(True, cells[1:] != cells[:-1])[: len(cells)]
    by_slot = np.zeros((int(is_first.sum()), _SLOTS), dtype=np.int64)
    by_slot[np.cumsum(is_first) - 1, slot_of] = counts
    minute, series = grid.decoded(cells[is_first])
    columns = {
        "minute": _instants(midnight_us + minute * _MINUTE_US),
        **grid.strings(series),
        _STATUS: grid.column((key[3] for key in grid.series), pa.int64(), series),
        "request_count": by_slot.sum(axis=1),
        "duration_count": by_slot[:, 1:].sum(axis=1),
    }
    of_service = {entry["service_name"]: entry for entry in latency_thresholds}
    within = by_slot[:, 1:-1].cumsum(axis=1)
    for n in range(1, MAX_LATENCY_THRESHOLDS + 1):
        name = f"threshold_{n}_seconds"
        thresholds = [of_service.get(key[0], {}).get(name) for key in grid.series]
        columns[name] = grid.column(thresholds, pa.float64(), series)
        is_used = np.array([threshold is not None for threshold in thresholds], dtype=bool)
        columns[f"within_{n}_count"] = within[:, n - 1] * is_used[series]
    return pa.table({name: columns[name] for name in MINUTE_COUNTS.columns})


def _hour_latency(grid: _Grid, minutes: Integers, buckets: Integers, lengths: Integers, midnight_us: int) -> Any:
    is_zero = buckets == ZERO_KEY
    lowest = int(buckets.min(where=~is_zero, initial=0)) - 1  # stands for the bucket of zero, far below
    buckets -= lowest
    buckets[is_zero] = 0
    width = int(buckets.max(initial=0)) + 1
    keys = grid.cells(minutes // _MINUTES_AN_HOUR, lengths)
    keys *= width
    keys += buckets
    found, counts = _distinct(keys, grid.size * width)
    cells, bucket = np.divmod(found, width)
    hour, series = grid.decoded(cells)
    columns = {
        "hour": _instants(midnight_us + hour * (_MINUTES_AN_HOUR * _MINUTE_US)),
        **grid.strings(series),
        "duration_bucket": np.where(bucket == 0, ZERO_KEY, bucket + lowest),
        "request_count": counts,
    }
    return pa.table({name: columns[name] for name in HOUR_LATENCY.columns})


@dataclass(frozen=True)
class _Grid:
    """Numbers for every series at every step of time, in order of the day, the service, the step and the series.

    ``series`` are sorted and begin with their service; ``of_group`` says which series each group belongs to.
    ``start`` is the first series of each service, ``width`` how many it has, ``service`` the service of each series.
    """

    series: list[tuple[Any, ...]]
    of_group: Integers
    start: Integers
    width: Integers
    service: Integers
    steps: int  # a day
    days: int

    @classmethod
    def of(cls, groups: Sequence[tuple[Any, ...]], *, steps: int, days: int) -> _Grid:
        series = sorted(set(groups), key=_nulls_first)
        position = {key: n for n, key in enumerate(series)}
        services = list(dict.fromkeys(key[0] for key in series))
        number = {name: n for n, name in enumerate(services)}
        service = np.array([number[key[0]] for key in series], dtype=np.int64)
        width = np.bincount(service, minlength=len(services))
        start = np.cumsum(width) - width
        of_group = np.array([position[key] for key in groups], dtype=np.int64)
        return cls(series, of_group, start, width, service, steps, days)

    @property
    def size(self) -> int:
        return len(self.series) * self.steps * self.days

    def cells(self, times: Integers, lengths: Integers) -> Integers:
        """The numbers of requests at ``times``, in steps since the first day began; ``lengths`` are the groups'."""
        start, width = self.start[self.service], self.width[self.service]
        first = start * self.steps + np.arange(len(self.series)) - start
        day, step = np.divmod(times, self.steps) if self.days > 1 else (None, times)
        cells = step * np.repeat(width[self.of_group], lengths)
        cells += np.repeat(first[self.of_group], lengths)
        if day is not None:
            day *= len(self.series) * self.steps
            cells += day
        return cells

    def decoded(self, cells: Integers) -> tuple[Integers, Integers]:
        """The steps since the first day began, and the series, of numbers."""
        day, cell = np.divmod(cells, max(1, len(self.series) * self.steps))
        service = np.searchsorted(self.start * self.steps, cell, side="right") - 1
        step, rank = np.divmod(cell - self.start[service] * self.steps, self.width[service])
        return day * self.steps + step, self.start[service] + rank

    def column(self, values: Iterable[Any], type_: pa.DataType, series: Integers) -> Any:
        """One value per series, laid out along ``series``."""
        return pa.array(list(values), type_).take(pa.array(series))

    def strings(self, series: Integers) -> dict[str, Any]:
        columns = {}
        for n, name in enumerate(_ROUTE):
            encoded = pa.array([key[n] for key in self.series], pa.string()).dictionary_encode()
            columns[name] = pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(series)), encoded.dictionary)
        return columns


def _distinct(keys: Integers, size: int) -> tuple[Integers, Integers]:
    """The distinct numbers, all less than ``size``, ascending, and how often each is there."""
    if size <= _DENSE * len(keys):
        table = np.bincount(keys, minlength=size)
        found = np.flatnonzero(table)
        return found, table[found]
    keys.sort()
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    return keys[starts], np.diff(starts, append=len(keys))


def _instants(microseconds: Integers) -> Any:
    return pa.array(microseconds, pa.int64()).view(pa.timestamp("us", "UTC"))


def _nulls_first(key: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [() if value is None else (value,) for value in key]
