"""When something began: the stretch of hours that stands out most, and the deployment nearest to its start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from shokubai.core.windows import HOUR
from shokubai.findings.evidence import Evidence, instant
from shokubai.findings.model import Candidate

_CONTRADICTION = 3.0  # log-likelihood: about one chance in twenty
_REFITS = 8  # the stretch and its ratio settle after two or three


def rising_stretch(events: npt.ArrayLike, totals: npt.ArrayLike, *, baseline_ratio: float) -> tuple[int, int] | None:
    """First and last block of the stretch in which events/totals rose above the baseline most convincingly.

    Blocks are consecutive, empty ones allowed. Within the stretch the ratio is one higher value, outside it is
    the baseline; the stretch with the greatest binomial likelihood is found exactly (maximum subarray of the
    blocks' log-likelihood ratios), refitting its ratio until it settles. None when nothing rose.
    """
    x, n = np.asarray(events, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    if n.sum() <= 0:
        return None
    # The floor keeps a baseline without a single event from making one event infinitely convincing.
    base = float(np.clip(baseline_ratio, 0.5 / (n.sum() + 1), 0.999))
    raised = min(max(float(x.sum() / n.sum()), 2 * base), (1 + base) / 2)
    found: tuple[int, int] | None = None
    for _ in range(_REFITS):
        if raised <= base:
            return None
        gains = x * np.log(raised / base) + (n - x) * np.log((1 - raised) / (1 - base))
        stretch = _maximum_stretch(gains)
        if stretch is None or stretch == found:
            break
        found = stretch
        inside = slice(stretch[0], stretch[1] + 1)
        raised = min(float(x[inside].sum() / n[inside].sum()), 1 - 1e-9)
    return None if found is None else _widened(found, gains)


def _widened(stretch: tuple[int, int], gains: npt.NDArray[np.float64]) -> tuple[int, int]:
    """The stretch up to the first or last block where what lies beyond is too little to contradict it.

    A few quiet hours on Monday morning do not show that a failure began only at six.
    """
    first, last = stretch
    return (
        0 if gains[:first].sum() > -_CONTRADICTION else first,
        len(gains) - 1 if gains[last + 1 :].sum() > -_CONTRADICTION else last,
    )


def _maximum_stretch(gains: npt.NDArray[np.float64]) -> tuple[int, int] | None:
    """First and last index of the run with the greatest sum (Kadane's algorithm), None when no sum is positive."""
    best, best_at = 0.0, None
    running, start = 0.0, 0
    for i, gain in enumerate(gains):
        if running <= 0:
            running, start = 0.0, i
        running += float(gain)
        if running > best:
            best, best_at = running, (start, i)
    return best_at


def hourly(frame: pd.DataFrame, columns: Sequence[str], *, start: datetime, end: datetime) -> pd.DataFrame:
    """One row per hour from ``start`` to ``end``, the columns summed, 0 where nothing was."""
    hours = pd.date_range(pd.Timestamp(start).floor("h"), end, freq="h", inclusive="left", unit="us", name="hour")
    return frame.groupby("hour")[list(columns)].sum().reindex(hours, fill_value=0)


def stretch_times(hours: pd.DataFrame, stretch: tuple[int, int]) -> tuple[datetime | None, datetime | None]:
    """When a stretch of ``hourly`` rows (with a request_count) began, and when it ended.

    None for a start in the first hour with requests, since the onset was not seen then, and None for an end in
    the last hour with requests, since it may go on.
    """
    busy = hours["request_count"].to_numpy().nonzero()[0]
    first, last = stretch
    start = None if first <= busy[0] else instant(hours.index[first])
    end = None if last >= busy[-1] else instant(hours.index[last] + pd.Timedelta(HOUR))
    return start, end


def nearest_deployment(evidence: Evidence, service: str, onset: datetime | None) -> Candidate | None:
    """The deployment of the service nearest to the onset, if one is near enough: a candidate, never the cause."""
    if onset is None:
        return None
    near = evidence.thresholds("candidate")
    earliest = onset - timedelta(hours=near["hours_before"])
    # The onset is known to the hour: a deployment within that hour may well precede it.
    latest = onset + timedelta(hours=near["hours_after"])
    mine = evidence.deployments[evidence.deployments["service_name"] == service]
    mine = mine[mine["deployed_at"].between(pd.Timestamp(earliest), pd.Timestamp(latest))]
    if mine.empty:
        return None
    distance = (mine["deployed_at"] - pd.Timestamp(onset)).abs()
    row = mine.assign(distance=distance).sort_values(["distance", "deployed_at", "deployment_id"]).iloc[0]
    at = instant(row["deployed_at"])
    assert at is not None
    return Candidate("deployment", at, str(row["service_version"] or row["deployment_id"]), str(row["description"]))
