"""How many requests are expected where and when, and what the planted events do to them.

Everything is an array over the demo's five-minute slots, in UTC, with one column per service or per route of
``organization.ROUTES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from shokubai.core.calendar import SETTLEMENT_DAYS, BusinessCalendar
from shokubai.core.windows import DAY, Window, local_day
from shokubai.demo import draws
from shokubai.demo.draws import Floats, Keys
from shokubai.demo.events import Plants
from shokubai.demo.organization import ROUTES, SERVICES, WINDOW, Service

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SLOT = timedelta(minutes=5)
SLOT_US = SLOT // timedelta(microseconds=1)
SLOTS = WINDOW.duration // SLOT
_EPOCH_US = int(WINDOW.start.timestamp()) * 1_000_000

# 月末月初: how the last three and the first two business days of a month compare with an ordinary one.
_MONTH_END = {-1: 2.0, -2: 1.75, -3: 1.55}
_MONTH_START = {1: 1.7, 2: 1.45}
_SETTLEMENT_DAY = 1.12  # 五十日
_WEEKDAYS = (1.06, 1.02, 1.0, 0.99, 0.95)
_OBON = (date(2026, 8, 12), date(2026, 8, 14), 0.65)  # no public holiday, but offices are half empty
_WEEKLY_GROWTH = 0.003


@dataclass(frozen=True)
class Traffic:
    """What is to be generated. ``load`` is 1 at the peak of an ordinary business day."""

    slot_starts_us: Integers  # slots
    load: Floats  # slots × services
    counts: Integers  # slots × routes, requests
    cell_keys: Keys  # slots × routes
    error_ratio: Floats  # slots × routes
    error_status: Integers  # slots × routes; 0 for the usual mix
    latency_factor: Floats  # slots × routes
    users: Integers  # slots × routes
    late: Flags  # slots × services
    metrics_lost: Flags  # slots × services


def slots_of(window: Window) -> slice:
    """The slots that lie in ``window``."""
    return slice(max((window.start - WINDOW.start) // SLOT, 0), min((window.end - WINDOW.start) // SLOT, SLOTS))


def day_factor(service: Service, day: date) -> float:
    """How busy a local day is for a service, 1 being an ordinary business day."""
    calendar = BusinessCalendar(service.country)
    if not calendar.is_business_day(day):
        return service.saturday if day.weekday() == 5 else service.sunday
    swing = _MONTH_END.get(calendar.from_month_end(day)) or _MONTH_START.get(calendar.from_month_start(day))
    if swing is None:
        swing = _SETTLEMENT_DAY if _settles_on(calendar, day) else 1.0
    first, last, dip = _OBON
    obon = dip if service.country == "JP" and first <= day <= last else 1.0
    return (1.0 + (swing - 1.0) * service.month_turn) * _WEEKDAYS[day.weekday()] * obon


def _settles_on(calendar: BusinessCalendar, day: date) -> bool:
    """A settlement day, or the business day that takes its place."""
    while day.day not in SETTLEMENT_DAYS:
        day -= DAY
        if calendar.is_business_day(day):
            return False
    return True


def service_load(service: Service, *, seed: int) -> Floats:
    """The service's load per slot, without planted events."""
    load = np.zeros(SLOTS)
    hours = np.asarray(service.hours)
    day = WINDOW.start.astimezone(service.zone).date()
    while (whole := local_day(day, service.zone)).start < WINDOW.end:
        where = slots_of(whole)
        offset = (WINDOW.start - whole.start) / SLOT
        local_hours = (np.arange(where.start, where.stop) + 0.5 + offset) * SLOT.total_seconds() / 3600
        shape = np.interp(local_hours, np.arange(24) + 0.5, hours, period=24)
        noise = float(np.exp(0.03 * draws.normal(seed, "day", service.name, day.toordinal())[0]))
        growth = 1.0 + _WEEKLY_GROWTH * (whole.start - WINDOW.end) / timedelta(weeks=1)
        load[where] = shape * day_factor(service, day) * noise * growth
        day += DAY
    return load


def plan(plants: Plants, *, rows: int, seed: int) -> Traffic:
    """The traffic of a demo of about ``rows`` requests, without what is planted."""
    load = np.stack([service_load(service, seed=seed) for service in SERVICES], axis=1)
    of_route = np.array([SERVICES.index(service) for service, _ in ROUTES])
    fixed = sum(_fixed_requests(service) for service in SERVICES)
    totals = [_fixed_requests(s) or s.share * max(rows - fixed, 0) for s in SERVICES]
    shares = np.array([route.share for _, route in ROUTES])
    expected = (load / load.sum(axis=0) * np.asarray(totals))[:, of_route] * shares

    shape = expected.shape
    error_ratio = np.broadcast_to([service.error_ratio for service, _ in ROUTES], shape).copy()
    error_status = np.zeros(shape, dtype=np.int64)
    # Requests queue a little when it is busier than on ordinary days.
    latency_factor = (1.0 + 0.08 * np.maximum(load - 0.8, 0.0))[:, of_route]
    users = np.broadcast_to([service.users for service, _ in ROUTES], shape).copy()
    late = np.zeros(load.shape, dtype=bool)
    lost = np.zeros(load.shape, dtype=bool)
    metrics_lost = np.zeros(load.shape, dtype=bool)

    for event in plants.effects:
        column = [service.name for service in SERVICES].index(event.service)
        columns = np.array(
            [
                n
                for n, (service, route) in enumerate(ROUTES)
                if service.name == event.service and event.route in (None, (route.method, route.path))
            ]
        )
        slots = slots_of(event.window)
        where = np.ix_(np.arange(slots.start, slots.stop), columns)
        floor = event.minimum_requests / (slots.stop - slots.start) * shares[columns] / shares[columns].sum()
        expected[where] = np.maximum(expected[where] * event.traffic_factor, floor)
        if event.route is None:
            load[slots, column] *= event.traffic_factor
        if event.error_ratio is not None:
            error_ratio[where] = max(event.error_ratio, min(event.minimum_errors / expected[where].sum(), 1.0))
            error_status[where] = event.error_status or 0
        latency_factor[where] *= event.latency_factor
        if event.users:
            users[where] = event.users
        late[slots, column] |= event.logs == "late"
        lost[slots, column] |= event.logs == "lost"
        metrics_lost[slots, column] |= event.metrics == "lost"

    expected[lost[:, of_route]] = 0.0
    slot_numbers = np.arange(SLOTS, dtype=np.int64)[:, None]
    route_numbers = np.arange(len(ROUTES), dtype=np.int64)[None, :]
    return Traffic(
        slot_starts_us=_EPOCH_US + np.arange(SLOTS, dtype=np.int64) * SLOT_US,
        load=load,
        counts=draws.poisson(expected, seed, "requests", slot_numbers, route_numbers),
        cell_keys=draws.keys(seed, "cell", slot_numbers, route_numbers),
        error_ratio=error_ratio,
        error_status=error_status,
        latency_factor=latency_factor,
        users=users,
        late=late,
        metrics_lost=metrics_lost,
    )


def _fixed_requests(service: Service) -> float:
    if service.weekly_requests is None:
        return 0.0
    return service.weekly_requests * (WINDOW.duration / timedelta(weeks=1))
