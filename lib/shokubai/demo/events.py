"""What is planted in the demo data, as data: when, where, what it does, and what a good report shows of it.

Starts and ends lie on five-minute marks, the grain of the generator. These are the events of the default seed;
``variation`` draws those of any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shokubai.core.windows import Window
from shokubai.demo.organization import WINDOW, manila, tokyo

DEFAULT_SEED = 20261102

Kind = Literal[
    "outage",
    "latency_regression",
    "memory_leak",
    "month_end_peak",
    "late_data",
    "telemetry_gap",
    "retry_storm",
    "zero_traffic",
    "queue_lag",
    "slow_burn",
    "untrusted_text",
]


@dataclass(frozen=True)
class Incident:
    """How people wrote an event down."""

    title: str
    severity: str
    detected_after_minutes: int
    resolved_after_minutes: int  # after the event's end


@dataclass(frozen=True)
class Deployment:
    """The deployment that an event follows.

    From ``alone_from`` to ``alone_until`` (days in the service's zone, both included) the service has no other but
    the one that takes it back.
    """

    at: datetime
    change: str
    alone_from: date
    alone_until: date
    reverted_at: datetime | None = None


@dataclass(frozen=True)
class Event:
    """One planted event: where it is, its effects, and what should be seen of it.

    Effects apply to the service's routes (all when ``route`` is None) from ``start`` to ``end``:
    ``traffic_factor`` multiplies requests; ``error_ratio`` and ``error_status`` replace the usual failures;
    ``minimum_requests`` and ``minimum_errors`` are what is expected at least, so that a small demo still has it;
    ``latency_factor`` multiplies durations; ``users`` narrows who is calling; ``logs`` late means that the rows
    arrive later, lost that they never do; ``metrics`` lost likewise; ``peak`` is what the metric that the event is
    about rises to (a share of the limit, or seconds).
    """

    name: str
    kind: Kind
    service: str
    teams: tuple[str, ...]
    start: datetime
    end: datetime
    visibility: str
    route: tuple[str, str] | None = None
    traffic_factor: float = 1.0
    minimum_requests: int = 0
    error_ratio: float | None = None
    error_status: int | None = None  # None: the usual mix
    minimum_errors: int = 0
    latency_factor: float = 1.0
    users: int | None = None
    logs: Literal["present", "late", "lost"] = "present"
    metrics: Literal["present", "lost"] = "present"
    peak: float | None = None
    deployment: Deployment | None = None
    incident: Incident | None = None

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)


OUTAGE_EARLIER = Event(
    "intake-outage",
    "outage",
    "document-intake",
    ("intake", "recognition"),
    tokyo("2026-10-15 14:20"),
    tokyo("2026-10-15 14:55"),
    "error ratio about 70 % for 35 minutes in 2026-W42; still in the 28-day windows at the end of 2026-W44",
    traffic_factor=1.3,
    minimum_requests=40,
    error_ratio=0.70,
    error_status=502,
    latency_factor=1.8,
    deployment=Deployment(
        tokyo("2026-10-15 14:15"),
        "Switch uploads to the new storage bucket",
        date(2026, 10, 15),
        date(2026, 10, 15),
        reverted_at=tokyo("2026-10-15 14:50"),
    ),
    incident=Incident("Uploads fail with 502", "SEV2", 5, 45),
)
OUTAGE = Event(
    "auth-outage",
    "outage",
    "auth",
    ("identity",),
    tokyo("2026-10-28 10:05"),
    tokyo("2026-10-28 10:30"),
    "error ratio about 80 % for 25 minutes in 2026-W44; auth-availability is missed, the budget is overspent",
    traffic_factor=1.6,
    minimum_requests=40,
    error_ratio=0.80,
    error_status=503,
    deployment=Deployment(
        tokyo("2026-10-28 10:00"),
        "Rotate the key that signs tokens",
        date(2026, 10, 26),
        date(2026, 11, 1),
        reverted_at=tokyo("2026-10-28 10:26"),
    ),
    incident=Incident("ログインできない / Sign-in fails with 503", "SEV1", 4, 50),
)
LATENCY_REGRESSION = Event(
    "search-regression",
    "latency_regression",
    "search-api",
    ("search",),
    tokyo("2026-10-27 14:05"),
    WINDOW.end,
    "p95 of GET /v1/search about doubles after the deployment of 2026-10-27 14:00 Tokyo and stays; "
    "search-latency is missed; the other routes do not change",
    route=("GET", "/v1/search"),
    latency_factor=2.0,
    deployment=Deployment(
        tokyo("2026-10-27 14:00"), "Rank results by partner and amount", date(2026, 10, 26), date(2026, 11, 1)
    ),
)
MEMORY_LEAK = Event(
    "archive-leak",
    "memory_leak",
    "archive",
    ("archive",),
    tokyo("2026-10-06 11:00"),
    WINDOW.end,
    "process.memory.usage rises steadily from 40 % to 95 % of its limit since the deployment of 2026-10-06",
    peak=0.95,
    deployment=Deployment(
        tokyo("2026-10-06 11:00"), "Keep thumbnails in memory", date(2026, 10, 1), date(2026, 11, 1)
    ),
)
MONTH_END = Event(
    "october-month-end",
    "month_end_peak",
    "payment-matching",
    ("matching",),
    tokyo("2026-10-28 00:00"),
    tokyo("2026-10-31 00:00"),
    "requests about 1.7 times the same weekdays of the week before but as on 2026-09-28..30; latency within the "
    "objective; not a regression (all of Tokyo's services see it, this one sees nothing else)",
)
LATE_DATA = Event(
    "partner-late",
    "late_data",
    "partner-api",
    ("partner",),
    tokyo("2026-11-01 17:00"),
    WINDOW.end,
    "no log rows for the last seven hours of 2026-W44 while metrics go on; the rows are in late/requests",
    logs="late",
)
TELEMETRY_GAP = Event(
    "intake-gap",
    "telemetry_gap",
    "document-intake",
    ("intake", "recognition"),
    tokyo("2026-10-26 13:30"),
    tokyo("2026-10-26 16:00"),
    "neither log rows nor metrics for two and a half office hours; not zero errors and not an outage",
    logs="lost",
    metrics="lost",
)
RETRY_STORM = Event(
    "approval-storm",
    "retry_storm",
    "invoice-api",
    ("approval",),
    tokyo("2026-10-29 11:00"),
    tokyo("2026-10-29 11:20"),
    "about 30 times the requests of the same minutes a week before, from five users, for 20 minutes; most of them "
    "are answered 503",
    route=("POST", "/v1/invoices/{invoice_id}/approvals"),
    traffic_factor=14.0,
    minimum_requests=160,
    error_ratio=0.85,
    error_status=503,
    latency_factor=0.4,
    users=5,
    incident=Incident("One customer's client retries approvals", "SEV3", 9, 30),
)
ZERO_TRAFFIC = Event(
    "console-weekend",
    "zero_traffic",
    "support-console",
    ("operations",),
    manila("2026-10-31 00:00"),
    manila("2026-11-01 20:00"),
    "no request from Saturday to Sunday evening (Manila) while instances are up and idle; other weekends have "
    "some; zero traffic is neither 100 % nor an outage",
    traffic_factor=0.0,
)
CONSOLE_RETURNS = Event(
    "console-return",
    "zero_traffic",
    "support-console",
    ("operations",),
    manila("2026-11-01 20:00"),
    WINDOW.end,
    "people are back on Sunday evening, so the log's end is not late",
    traffic_factor=1.5,
    minimum_requests=40,
)
QUEUE_LAG = Event(
    "outbox-lag",
    "queue_lag",
    "notification",
    ("messaging",),
    tokyo("2026-10-29 09:30"),
    tokyo("2026-10-29 13:30"),
    "queue.oldest_message.age grows to 1500 s (agreed: 300 s) and drains; requests are not affected",
    peak=1500.0,
    incident=Incident("通知の遅延: outbox is behind", "SEV3", 35, 30),
)
SLOW_BURN = Event(
    "detail-slow-burn",
    "slow_burn",
    "invoice-api",
    ("issuing",),
    tokyo("2026-10-22 09:00"),
    WINDOW.end,
    "0.35 % of GET /v1/invoices/{invoice_id} fail day after day; invoice-detail-availability (7d) is missed",
    route=("GET", "/v1/invoices/{invoice_id}"),
    error_ratio=0.0035,
    minimum_errors=12,
)
UNTRUSTED_TEXT = Event(
    "archive-raw-paths",
    "untrusted_text",
    "archive",
    ("archive",),
    WINDOW.start,
    WINDOW.end,
    "five raw paths logged as routes hold <script>, e-mail addresses and IP addresses, as do an incident's title "
    "and a deployment's description: reports escape and scrub them",
)

PLANTED = (
    OUTAGE_EARLIER,
    OUTAGE,
    LATENCY_REGRESSION,
    MEMORY_LEAK,
    MONTH_END,
    LATE_DATA,
    TELEMETRY_GAP,
    RETRY_STORM,
    ZERO_TRAFFIC,
    QUEUE_LAG,
    SLOW_BURN,
    UNTRUSTED_TEXT,
)
# What shapes the requests; the return after the empty weekend is part of that event, not one of its own.
EFFECTS = (*PLANTED, CONSOLE_RETURNS)


@dataclass(frozen=True)
class Plants:
    """All that is planted in one demo: ``events``, which the truth tells, and ``helpers``, which it does not."""

    events: tuple[Event, ...] = ()
    helpers: tuple[Event, ...] = ()

    @property
    def effects(self) -> tuple[Event, ...]:
        return (*self.events, *self.helpers)

    def of_kind(self, kind: Kind, service: str | None = None) -> Iterator[Event]:
        """The events of a kind, of one service or of all, in their order."""
        return (e for e in self.events if e.kind == kind and service in (None, e.service))


NOTHING = Plants()
