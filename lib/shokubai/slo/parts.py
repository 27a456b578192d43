"""Where the budget went: what was spent, taken apart by route, kind, status and deployment, to the last bit.

Bad requests are whole numbers and add up by themselves. A bad slice is spent as a whole: it is shared among its bad
requests, each of which has the same part of it. So a part has of each slice

    Timeslices       its bad requests / the slice's bad requests   (of bad slices alone)
    RatioTimeslices  its bad requests / the slice's valid requests

and the sum over all parts is the badness of the slice, 1 or 1 − good/valid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ulp
from typing import Any

import numpy as np
import pandas as pd

from shokubai.core.errors import DataError
from shokubai.core.frames import PANDAS_TYPES
from shokubai.core.windows import MINUTE, Window
from shokubai.sli.minutes import IntArray, MinuteSeries, minute_offsets
from shokubai.slo.budgeting import count_events, slice_minutes_of
from shokubai.slo.model import BUDGET_PARTS, DeploymentWindow, PartKind, SloStatus
from shokubai.tables.contracts import BAD_REQUESTS, DEPLOYMENTS

NAMED_PARTS = 6
NOTABLE_SPENT_RATIO = 0.1  # of the budget: what less was spent on is nobody's next step
_NOTABLE_COUNTS = {"requests": 5, "slices": 1}

AMOUNTS = ["part_count", "bad_request_count", "spent_count", "spent_ratio"]
_ROUTE = ["service_name", "http_request_method", "http_route"]
_WHAT = [*_ROUTE, "http_response_status_code", "span"]
_FINE = 96  # binary digits that a part of a slice is reckoned with


@dataclass(frozen=True)
class Stretch:
    """A part of an SLO's window in which no deployment lies, and the deployment that tells it from others.

    ``deployed_at`` is None and ``service_version`` empty when no deployment is known.
    """

    window: Window
    deployment_window: DeploymentWindow
    deployed_at: datetime | None = None
    service_version: str = ""


def deployment_stretches(deployments: pd.DataFrame, *, service: str, window: Window) -> tuple[Stretch, ...]:
    """A window taken apart at the deployments of a service (DEPLOYMENTS, in any order).

    What lies before the first one known is "before" it. A deployment before the window still names the stretch
    that it begins; of several at the same instant the last one does.
    """
    mine = DEPLOYMENTS.conform(deployments)
    mine = mine[(mine["service_name"] == service) & (mine["deployed_at"] < pd.Timestamp(window.end))]
    versions = {
        at.to_pydatetime(warn=False): str(version)
        for at, version in mine.sort_values("deployed_at", kind="stable")[
            ["deployed_at", "service_version"]
        ].itertuples(index=False, name=None)
    }
    if not versions:
        return (Stretch(window, "none"),)
    stretches = []
    first = next(iter(versions))
    if first > window.start:
        stretches.append(Stretch(Window(window.start, first), "before", first, versions[first]))
    for (at, version), until in zip(versions.items(), [*list(versions)[1:], window.end], strict=True):
        if until > window.start:
            stretches.append(Stretch(Window(max(at, window.start), until), "after", at, version))
    return tuple(stretches)


def slice_length(status: SloStatus) -> timedelta:
    """How finely bad requests must be known in time: by slice, or for the whole window where requests are counted."""
    if status.unit == "requests":
        return status.window.duration
    return slice_minutes_of(status.slo) * MINUTE


def budget_parts(
    status: SloStatus, bad_requests: pd.DataFrame, *, series: MinuteSeries, stretches: Sequence[Stretch]
) -> pd.DataFrame:
    """What the budget of a judged SLO was spent on: BUDGET_PARTS, the largest first.

    ``bad_requests`` are BAD_REQUESTS of the SLO over ``status.window``, with ``stretches`` as their spans and slices
    of ``slice_length``; ``series`` has the SLO's minutes of (at least) that window. The ``spent_count`` of the parts
    sum to ``status.budget_spent_count`` exactly, in any order: each is a multiple of that number's last binary
    digit. Raises DataError when rows and minutes do not tell of the same bad requests.
    """
    rows = BAD_REQUESTS.conform(bad_requests)
    wholes = _wholes(status, rows, series.part(status.window))
    # A handful of rows, for which frames would take longer than they do.
    what = [[None if value is pd.NA else value for value in rows[name].tolist()] for name in _WHAT]
    bad_of: dict[tuple[Any, ...], int] = defaultdict(int)
    weight_of: dict[tuple[Any, ...], int] = defaultdict(int)
    for part, bad, whole in zip(zip(*what, strict=True), rows["bad_count"].tolist(), wholes.tolist(), strict=True):
        if whole:
            bad_of[part] += bad
            weight_of[part] += (bad << _FINE) // whole
    if not weight_of:
        return BUDGET_PARTS.empty()
    shares = apportion(status.budget_spent_count, list(weight_of.values()))
    kind: PartKind = "slow" if status.slo.indicator.kind == "latency" else "error"
    made = []
    for spent, part in sorted(zip(shares, weight_of, strict=True), key=_largest_first):
        *route, code, span = part
        of = stretches[span]
        amounts = (1, bad_of[part], spent, spent / status.budget_allowed_count)
        made.append((*route, kind, code, of.deployment_window, of.deployed_at, of.service_version, *amounts))
    return _frame(made)


def name_parts(parts: pd.DataFrame, *, limit: int = NAMED_PARTS) -> pd.DataFrame:
    """The ``limit`` largest of BUDGET_PARTS, and one row of the kind "rest" for all others, where there are any.

    The rest is exactly what the named parts leave of the budget spent.
    """
    if len(parts) <= limit + 1:  # a rest of one part says less than the part does
        return parts
    rest = [parts[name].iloc[limit:].sum() for name in AMOUNTS]
    named = list(parts.iloc[:limit].itertuples(index=False, name=None))
    return _frame([*named, ("", "", "", "rest", None, "", None, "", *rest)])


def by_route(parts: pd.DataFrame) -> pd.DataFrame:
    """BUDGET_PARTS summed by route, the largest first.

    One row per service × method × route, and none for the rest. Columns: these, part_count, bad_request_count,
    spent_count, spent_ratio.
    """
    named = parts[parts["kind"] != "rest"]
    summed = named.groupby(_ROUTE, as_index=False)[AMOUNTS].sum()
    return summed.sort_values(["spent_count", *_ROUTE], ascending=[False, True, True, True], ignore_index=True)


def is_notable(status: SloStatus) -> bool:
    """Whether enough was spent that it is worth saying on what: a tenth of the budget, and not by chance alone."""
    enough = status.budget_spent_count >= _NOTABLE_COUNTS[status.unit]
    return enough and status.budget_spent_count >= NOTABLE_SPENT_RATIO * status.budget_allowed_count


def apportion(total: float, weights: Sequence[int]) -> list[float]:
    """``total`` in proportion to the weights, in floats of which any sum is exact.

    Each is a whole number of the total's last binary digit, by largest remainder: no sum of them has more digits
    than the total. Raises ValueError when nothing is to be shared, or there is nobody to share it.

    >>> apportion(2.0, [1, 3]), sum(apportion(1.0, [1, 1, 1]))
    ([0.5, 1.5], 1.0)
    """
    whole = sum(weights)
    if not total > 0 or not whole > 0 or min(weights) < 0:
        raise ValueError(f"shares of {total} by {len(weights)} weights that sum to {whole} cannot be had")
    unit = ulp(total)
    units = int(total / unit)
    shares = [divmod(units * weight, whole) for weight in weights]
    left = units - sum(share for share, _ in shares)
    rounded_up = set(sorted(range(len(shares)), key=lambda n: -shares[n][1])[:left])
    return [(share + (n in rounded_up)) * unit for n, (share, _) in enumerate(shares)]


def _largest_first(share: tuple[float, tuple[Any, ...]]) -> tuple[Any, ...]:
    spent, (*route, code, span) = share
    return (-spent, *route, code is None, code, span)


def _frame(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """BUDGET_PARTS of rows in the order of its columns; None where nothing is known."""
    columns = zip(BUDGET_PARTS.columns.items(), zip(*rows, strict=True), strict=True)
    return pd.DataFrame({name: pd.Series(v, dtype=PANDAS_TYPES[c.type]) for (name, c), v in columns})


def _wholes(status: SloStatus, rows: pd.DataFrame, series: MinuteSeries) -> IntArray:
    """Of how many requests each row's bad ones are a part: of one slice, 1 where requests count, 0 where none does.

    Raises DataError when the rows do not have exactly the bad requests of each slice.
    """
    minutes = series.minutes if status.unit == "requests" else slice_minutes_of(status.slo)
    starts = np.arange(0, series.minutes, minutes)
    valid = np.add.reduceat(series.valid, starts)
    bad = valid - np.add.reduceat(series.good, starts)
    at = minute_offsets(rows["slice_at"], series.start) // minutes
    seen = np.zeros(len(starts), dtype=np.int64)
    if ((at < 0) | (at >= len(starts))).any():
        raise _contradiction(status, "a row lies outside of the window")
    np.add.at(seen, at, rows["bad_count"].to_numpy())
    if (seen != bad).any():
        n = int(np.flatnonzero(seen != bad)[0])
        raise _contradiction(
            status,
            f"{seen[n]} bad requests by route and {bad[n]} by minute in what begins "
            f"{series.start + int(starts[n]) * MINUTE}",
        )
    if status.unit == "requests":
        return np.ones(len(rows), dtype=np.int64)
    if status.slo.budgeting == "RatioTimeslices":
        return valid[at]
    events = count_events(
        series, budgeting="Timeslices", slice_minutes=minutes, slice_target=status.slo.time_slice_target
    )
    wholes: IntArray = np.where(events.bad[at] > 0, bad[at], 0)
    return wholes


def _contradiction(status: SloStatus, what: str) -> DataError:
    return DataError(
        f"SLO {status.slo.name} ({status.slo.source}): where its budget went cannot be told: {what}; both are read "
        "from the same tables, which must not change meanwhile: make the report again"
    )
