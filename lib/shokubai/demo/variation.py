"""What is planted for a seed: the default seed has the events that ``events`` writes out, every other draws its own.

Kinds, their number and what they do stay; drawn are

- the places: seven large services change roles (an outage; an earlier outage and a telemetry gap; a latency
  regression; a retry storm; a slow burn; late data; only the month end), and the routes of the last but two,
- the times: between 9 and 17 o'clock of a business day, mostly of the weeks W40 to W44,
- the sizes: error ratios, lengths, factors of traffic and latency, how far a metric rises.

The empty weekend of the support console and the raw paths of the archive are the same for all seeds. So that a small
demo has the events, too, the least numbers of requests and failures of ``events`` hold for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import Week
from shokubai.demo import draws, events
from shokubai.demo.events import DEFAULT_SEED, Deployment, Event, Incident, Plants
from shokubai.demo.organization import BY_NAME, LAST_WEEK, TOKYO, WINDOW, owners

T = TypeVar("T")

LARGE = (
    "auth",
    "document-intake",
    "invoice-api",
    "notification",
    "partner-api",
    "payment-matching",
    "search-api",
)
_GRAIN = timedelta(minutes=5)
_LARGE_SHARE = 0.2  # of a service's requests: what fails or is slow on a rarer route is hardly seen


def plants_of(seed: int) -> Plants:
    """All that is planted for a seed."""
    if seed == DEFAULT_SEED:
        return Plants(events.PLANTED, (events.CONSOLE_RETURNS,))
    roles = _Draw(seed, "roles").shuffled(LARGE)
    earlier, outage, regression, storm, burn, late, month_end = roles
    return Plants(
        (
            _outage(events.OUTAGE_EARLIER, earlier, _Draw(seed, "earlier outage"), weeks=(38, 40)),
            _outage(events.OUTAGE, outage, _Draw(seed, "outage"), weeks=(41, 44)),
            _regression(regression, _Draw(seed, "regression")),
            _leak(("archive", storm, burn, late, month_end), _Draw(seed, "leak")),
            _moved(events.MONTH_END, month_end),
            _late(late, _Draw(seed, "late")),
            _gap(earlier, _Draw(seed, "gap")),
            _storm(storm, _Draw(seed, "storm")),
            events.ZERO_TRAFFIC,
            _lag(_Draw(seed, "lag")),
            _burn(burn, _Draw(seed, "burn")),
            events.UNTRUSTED_TEXT,
        ),
        (events.CONSOLE_RETURNS,),
    )


class _Draw:
    """Draws for one event: the same seed, event and name always give the same."""

    def __init__(self, seed: int, event: str) -> None:
        self._seed, self._event = seed, event

    def between(self, name: str, low: float, high: float) -> float:
        return low + (high - low) * float(draws.uniform(self._seed, "plant", self._event, name)[0])

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return int(self.between(name, low, high + 1))

    def one_of(self, name: str, choices: Sequence[T]) -> T:
        return choices[self.whole(name, 0, len(choices) - 1)]

    def shuffled(self, names: Sequence[str]) -> list[str]:
        return sorted(names, key=lambda name: self.between(name, 0, 1))

    def office_hour(self, first_week: int, last_week: int) -> datetime:
        """A five-minute mark between 9 and 17 o'clock of a business day in one of the weeks."""
        week = Week(LAST_WEEK.year, self.whole("week", first_week, last_week))
        day = self.one_of("day", [d for d in week.days() if BusinessCalendar("JP").is_business_day(d)])
        opening = datetime(day.year, day.month, day.day, 9, tzinfo=TOKYO)
        return opening + self.whole("time", 0, 8 * 12 - 1) * _GRAIN


def _moved(event: Event, service: str) -> Event:
    return replace(event, service=service, teams=owners(service))


def _busy_route(service: str, draw: _Draw) -> tuple[str, str]:
    routes = [r for r in BY_NAME[service].routes if r.share >= _LARGE_SHARE]
    route = draw.one_of("route", routes)
    return route.method, route.path


def _deployment(start: datetime, *, reverted_at: datetime | None = None) -> Deployment:
    """Five minutes before ``start``, and the only one of its week."""
    days = Week.of(start.date()).days()
    return Deployment(start - _GRAIN, "Change how the cache is filled", days[0], days[-1], reverted_at)


def _outage(event: Event, service: str, draw: _Draw, *, weeks: tuple[int, int]) -> Event:
    start = draw.office_hour(*weeks)
    end = start + draw.whole("length", 3, 12) * _GRAIN
    ratio, status = draw.between("ratio", 0.4, 0.95), draw.one_of("status", (500, 502, 503))
    return replace(
        _moved(event, service),
        name=f"{service}-outage",
        start=start,
        end=end,
        visibility=f"error ratio about {ratio:.0%} for {(end - start) // timedelta(minutes=1)} minutes",
        traffic_factor=draw.between("traffic", 1.0, 1.8),
        error_ratio=ratio,
        error_status=status,
        deployment=_deployment(start, reverted_at=end - _GRAIN),
        incident=Incident(f"{service} answers {status}", "SEV2", draw.whole("found", 3, 10), 45),
    )


def _regression(service: str, draw: _Draw) -> Event:
    start, factor = draw.office_hour(41, 44), draw.between("factor", 1.5, 2.5)
    route = _busy_route(service, draw)
    return replace(
        events.LATENCY_REGRESSION,
        name=f"{service}-regression",
        service=service,
        teams=owners(service, route[1]),
        start=start,
        visibility=f"{route[0]} {route[1]} takes {factor:.1f} times as long and stays so",
        route=route,
        latency_factor=factor,
        deployment=_deployment(start),
    )


def _leak(services: Sequence[str], draw: _Draw) -> Event:
    """Among services that no other planted event deploys, which would end the leak."""
    service = draw.one_of("service", services)
    start, peak = draw.office_hour(39, 41), draw.between("peak", 0.8, 0.97)
    return replace(
        events.MEMORY_LEAK,
        name=f"{service}-leak",
        service=service,
        teams=owners(service),
        start=start,
        visibility=f"process.memory.usage rises steadily from 40 % to {peak:.0%} of its limit",
        peak=peak,
        deployment=Deployment(start, "Keep more of it in memory", start.date(), LAST_WEEK.days()[-1]),
    )


def _late(service: str, draw: _Draw) -> Event:
    hours = draw.whole("hours", 4, 12)
    return replace(
        _moved(events.LATE_DATA, service),
        name=f"{service}-late",
        start=WINDOW.end - timedelta(hours=hours),
        visibility=f"no log rows for the last {hours} hours while metrics go on; the rows are in late/requests",
    )


def _gap(service: str, draw: _Draw) -> Event:
    start = draw.office_hour(42, 44)
    return replace(
        _moved(events.TELEMETRY_GAP, service),
        name=f"{service}-gap",
        start=start,
        end=start + draw.whole("length", 18, 60) * _GRAIN,
        visibility="neither log rows nor metrics; not zero errors and not an outage",
    )


def _storm(service: str, draw: _Draw) -> Event:
    start, route = draw.office_hour(40, 44), _busy_route(service, draw)
    factor, users = draw.between("factor", 12, 25), draw.whole("users", 3, 8)
    return replace(
        events.RETRY_STORM,
        name=f"{service}-storm",
        service=service,
        teams=owners(service, route[1]),
        start=start,
        end=start + draw.whole("length", 4, 9) * _GRAIN,
        visibility=f"about {factor:.0f} times the usual requests, from {users} users; most are answered 503",
        route=route,
        traffic_factor=factor,
        error_ratio=draw.between("ratio", 0.6, 0.95),
        users=users,
        incident=Incident(f"One client of {service} retries", "SEV3", 9, 30),
    )


def _lag(draw: _Draw) -> Event:
    start, peak = draw.office_hour(40, 44), draw.between("peak", 900, 2400)
    return replace(
        events.QUEUE_LAG,
        start=start,
        end=start + draw.whole("length", 36, 60) * _GRAIN,
        visibility=f"queue.oldest_message.age grows to {peak:.0f} s (agreed: 300 s) and drains",
        peak=peak,
    )


def _burn(service: str, draw: _Draw) -> Event:
    start, ratio = draw.office_hour(41, 44), draw.between("ratio", 0.003, 0.015)
    route = _busy_route(service, draw)
    return replace(
        events.SLOW_BURN,
        name=f"{service}-slow-burn",
        service=service,
        teams=owners(service, route[1]),
        start=start,
        visibility=f"{ratio:.2%} of {route[0]} {route[1]} fail day after day",
        route=route,
        error_ratio=ratio,
    )
