"""Which metrics have kept another level since a moment of the week, and since when?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from shokubai.core.windows import DAY, HOUR
from shokubai.findings.change_points import change_points, e_divisive
from shokubai.findings.evidence import Evidence, instant
from shokubai.findings.model import Finding
from shokubai.findings.observation import Observation, Rule
from shokubai.findings.onset import nearest_deployment
from shokubai.findings.shifts import Shift, cusum, hodges_lehmann, outliers
from shokubai.findings.statistics import theil_sen

Floats = npt.NDArray[np.float64]

_METRIC = ["service_name", "metric_name"]

# Four points a day: four weeks make a hundred, and the hours of a point are alike enough for one median.
BLOCK = 6 * HOUR
_HOURS = BLOCK // HOUR
_PER_DAY = DAY // BLOCK
_SAME = 2  # blocks that two methods may disagree about where a change lies


@dataclass(frozen=True)
class Series:
    """One metric without its daily and weekly rhythm.

    ``values`` has one row per hour (UTC) from the first day's local midnight to the week's end: the hourly mean less
    what is usual at that hour on such a day, plus the usual level. NaN where there is no sample, or no usual value.
    """

    service: str
    metric: str
    limit: float | None
    values: pd.Series

    @property
    def blocks(self) -> Floats:
        """The median of each block of hours with at least half of them."""
        rows = self.values.to_numpy()[: len(self.values) // _HOURS * _HOURS].reshape(-1, _HOURS)
        known = (~np.isnan(rows)).sum(axis=1) * 2 >= _HOURS
        medians = np.full(len(rows), np.nan)
        medians[known] = np.nanmedian(rows[known], axis=1)
        return medians


@dataclass(frozen=True)
class Change:
    """A level that was left for another: the first block of the new one, and the levels in the metric's unit."""

    block: int
    before: float
    shift: Shift
    started_at: datetime | None = None

    @property
    def after(self) -> float:
        return self.before + self.shift.estimate


def series_of(evidence: Evidence) -> Iterable[Series]:
    """Every metric of the team's services with enough days before the week.

    Usual is the median of the days before the week, by hour, apart for business days and days off. The turn of the
    month is left out: it is busier every time.
    """
    if evidence.metric_hours.empty:
        return
    table = evidence.metric_hours.pivot_table(index="hour", columns=_METRIC, values="mean_value", sort=True)
    first = table.index[0].tz_convert(evidence.zone).normalize().tz_convert("UTC").floor("h")
    every = pd.date_range(first, evidence.window.end, freq="h", inclusive="left", unit="us")
    hours = every.tz_convert(evidence.zone)
    days = hours.normalize()
    kind = days.map({day: _kind(evidence, day) for day in days.unique()})
    table = table.reindex(every)
    table[kind == "turn"] = np.nan
    is_earlier = every < pd.Timestamp(evidence.window.start)
    earlier = table[is_earlier]
    if earlier.empty:
        return
    usual = earlier.groupby([kind[is_earlier], hours.hour[is_earlier]]).median()
    usual_now = usual.reindex(pd.MultiIndex.from_arrays([kind, hours.hour]))
    table = table - usual_now.to_numpy() + earlier.median()
    days_before = earlier.notna().groupby(days[is_earlier]).any().sum()
    limits = evidence.metric_hours.groupby(_METRIC)["limit_value"].last()
    for name in days_before.index[days_before >= evidence.thresholds("level_shift")["minimum_days_before"]]:
        limit = float(limits[name])
        yield Series(str(name[0]), str(name[1]), limit if limit > 0 else None, table[name])


def _kind(evidence: Evidence, day: pd.Timestamp) -> str:
    if evidence.calendar.is_month_turn(day.date()):
        return "turn"
    return "business" if evidence.calendar.is_business_day(day.date()) else "off"


def observe(evidence: Evidence) -> Iterable[Observation]:
    """One observation per metric with enough days before the week.

    Reported is the newest change of level, when it began in the week or right before and has lasted since, is
    larger than the thresholds at its interval's nearer end, leads to a level that the weeks before did not know,
    and is a step and no slope. The p-value is that of shuffling.
    """
    for series in series_of(evidence):
        change = _newest_change(evidence, series)
        p_value = None if change is None else _by_shuffling(evidence, series, change)
        if change is None or p_value is None:
            yield Observation(None, 1.0)
        else:
            yield Observation(_finding(evidence, series, change), p_value)


def _newest_change(evidence: Evidence, series: Series) -> Change | None:
    thresholds = evidence.thresholds("level_shift")
    settled = _settled(evidence)
    blocks = _without_old_incidents(evidence, series)
    found = change_points(
        blocks,
        maximum_p_value=thresholds["maximum_p_value"],
        minimum_change_ratio=thresholds["minimum_change_ratio"],
    )
    start, newest = _newest_level(0, *(point.index for point in found), settled=settled)
    if not _week_begins(evidence, series) - settled <= newest <= len(blocks) - settled:
        return None
    before, after = blocks[start:newest], blocks[newest:]
    if min(np.count_nonzero(~np.isnan(side)) for side in (before, after)) < settled:
        return None
    change = Change(newest, float(np.nanmedian(before)), hodges_lehmann(after, before))
    if (
        _is_large(evidence, series, change)
        and _is_new(series.blocks[:newest], change)
        and _is_step(blocks, change, settled)
    ):
        return _of_this_week(evidence, replace(change, started_at=_onset(series, change, settled)))
    return None


def _of_this_week(evidence: Evidence, change: Change) -> Change | None:
    """None when the change had settled by the end of last week, whose report tells it."""
    earliest = evidence.window.start - evidence.thresholds("level_shift")["minimum_days_after"] * DAY
    return change if change.started_at is None or change.started_at >= earliest else None


def _settled(evidence: Evidence) -> int:
    """So many blocks make a level."""
    return int(evidence.thresholds("level_shift")["minimum_days_after"] * _PER_DAY)


def _week_begins(evidence: Evidence, series: Series) -> int:
    return int((pd.Timestamp(evidence.window.start) - series.values.index[0]) / BLOCK)


def _without_old_incidents(evidence: Evidence, series: Series) -> Floats:
    """The blocks of a series; what stands apart in the weeks before is no level to compare with."""
    blocks = series.blocks
    blocks[list(outliers(blocks[: _week_begins(evidence, series) - _settled(evidence)]))] = np.nan
    return blocks


def _by_shuffling(evidence: Evidence, series: Series, change: Change) -> float | None:
    """The p-value of the same change without Student's assumptions; None when shuffling does not see it."""
    most = evidence.thresholds("level_shift")["maximum_shuffled_ratio"]
    found = e_divisive(_without_old_incidents(evidence, series), maximum_p_value=most)
    return next((point.p_value for point in found if abs(point.index - change.block) <= _SAME), None)


def _newest_level(*starts: int, settled: int) -> tuple[int, int]:
    """Where the newest level begins, after the start of the one before it.

    Levels that lasted too short to settle before the newest are the way to it.
    """
    earlier = list(starts[:-1])
    newest = starts[-1]
    while earlier and newest - earlier[-1] < settled:
        newest = earlier.pop()
    return (earlier[-1] if earlier else 0), newest


def _is_large(evidence: Evidence, series: Series, change: Change) -> bool:
    """By the interval's end nearer to zero, against the level before and, where one is known, the limit."""
    thresholds = evidence.thresholds("level_shift")
    low, high = change.shift.interval.low, change.shift.interval.high
    least = low if low > 0 else -high if high < 0 else 0.0
    of_level = thresholds["minimum_change_ratio"] * change.before
    of_limit = thresholds["minimum_limit_share_ratio"] * (series.limit or 0.0)
    return least >= max(of_level, of_limit) and of_level > 0


def _is_new(earlier: Floats, change: Change) -> bool:
    """Whether fewer than one in twenty of the earlier blocks reached the new level."""
    reached = earlier >= change.after if change.shift.estimate > 0 else earlier <= change.after
    return bool(reached.sum() < np.count_nonzero(~np.isnan(earlier)) / 20)


def _is_step(blocks: Floats, change: Change, settled: int) -> bool:
    """Whether most of the shift is more than what the slope of the days before would have come to by then."""
    known = np.flatnonzero(~np.isnan(blocks))
    before = known[known < change.block][-2 * settled :]
    after = known[known >= change.block][:settled]
    line = theil_sen(before, blocks[before])
    expected = line.intercept + line.slope * float(np.median(after))
    return float(np.median(blocks[after]) - expected) / change.shift.estimate > 0.5


def _onset(series: Series, change: Change, settled: int) -> datetime | None:
    """The hour after which the sum of what exceeds half of the shift never fell back to zero.

    None when the hours before are not known, as at the turn of the month: it may have begun in them.
    """
    first = max(0, change.block - settled) * _HOURS
    hours = series.values.iloc[first : (change.block + _SAME) * _HOURS]
    above, below = cusum(hours, target=change.before, slack=abs(change.shift.estimate) / 2)
    at_zero = np.flatnonzero((above if change.shift.estimate > 0 else below) == 0)
    begins = min(int(at_zero[-1]) + 1 if len(at_zero) else 0, len(hours) - 1)
    just_before = hours.iloc[max(0, begins - _HOURS) : begins]
    return instant(hours.index[begins]) if just_before.notna().any() else None


def _finding(evidence: Evidence, series: Series, change: Change) -> Finding:
    interval = change.shift.interval
    return Finding(
        "level_shift",
        "rose" if change.shift.estimate > 0 else "fell",
        series.service,
        "notice",
        subject=series.metric,
        started_at=change.started_at,
        numbers={
            "affected_count": 0.0,
            "change_factor": change.after / change.before,
            "low_factor": (change.before + interval.low) / change.before,
            "high_factor": (change.before + interval.high) / change.before,
            "level_ratio": change.after / series.limit if series.limit else None,
            "before_ratio": change.before / series.limit if series.limit else None,
        },
        candidate=nearest_deployment(evidence, series.service, change.started_at),
    )


RULE = Rule("level_shift", ("rose", "fell"), observe)
