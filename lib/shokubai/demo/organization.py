"""Who the demo organisation is: an invoice product's services, their routes and how people use them.

The teams are described in ``parameters/teams``; here is only what the generator needs to know of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shokubai.core.windows import Week, Window

TOKYO = ZoneInfo("Asia/Tokyo")
MANILA = ZoneInfo("Asia/Manila")

FIRST_WEEK = Week(2026, 32)
LAST_WEEK = Week(2026, 44)
WINDOW = Window(FIRST_WEEK.window(TOKYO).start, LAST_WEEK.window(TOKYO).end)

# Relative requests per hour of the local day, one value per hour, read at the half hour.
OFFICE_HOURS = (
    0.02, 0.015, 0.01, 0.01, 0.015, 0.03, 0.08, 0.22, 0.55, 0.95, 1.0, 0.95,
    0.62, 0.85, 0.96, 0.95, 0.92, 0.85, 0.60, 0.38, 0.24, 0.15, 0.09, 0.04,
)  # fmt: skip
MACHINES = (
    0.45, 0.55, 0.75, 0.50, 0.40, 0.42, 0.50, 0.62, 0.80, 0.95, 1.0, 0.95,
    0.82, 0.92, 0.95, 0.95, 0.92, 0.90, 0.80, 0.70, 0.62, 0.58, 0.52, 0.48,
)  # fmt: skip
SHIFTS = (
    0.06, 0.04, 0.03, 0.03, 0.05, 0.12, 0.35, 0.75, 0.95, 1.0, 0.98, 0.90,
    0.55, 0.90, 0.96, 0.92, 0.85, 0.70, 0.48, 0.40, 0.36, 0.30, 0.20, 0.10,
)  # fmt: skip


@dataclass(frozen=True)
class Route:
    """One route: its share of the service's requests and its latency, a lognormal of median and sigma."""

    method: str
    path: str
    share: float
    median_seconds: float
    sigma: float = 0.45
    client_error_ratio: float = 0.015
    client_error_status: int = 404
    success_status: int = 200


@dataclass(frozen=True)
class Service:
    """One service and its week.

    ``share`` is of all rows; ``weekly_requests`` instead fixes the number whatever the size of the demo.
    ``saturday`` and ``sunday`` are relative to a business day, public holidays count as a Sunday.
    ``month_turn`` is how much of the organisation's month-end swing the service feels, 0–1.
    """

    name: str
    routes: tuple[Route, ...]
    share: float = 0.0
    weekly_requests: int | None = None
    hours: tuple[float, ...] = OFFICE_HOURS
    zone: ZoneInfo = TOKYO
    country: str = "JP"
    saturday: float = 0.14
    sunday: float = 0.09
    month_turn: float = 1.0
    error_ratio: float = 0.0002  # 5xx
    users: int = 2000
    deployments_per_week: int = 3
    memory_limit_bytes: int = 2 * 1024**3
    connection_limit: int | None = 100
    queue_age_limit_seconds: int | None = None
    regions: tuple[str, str] = ("ap-northeast-1", "ap-northeast-3")


def _raw(path: str) -> Route:
    """A raw path that the archive's old instrumentation logs in place of the route."""
    return Route("GET", path, 0.01, 0.30, client_error_ratio=0.05)


SERVICES = (
    Service(
        "invoice-api",
        share=0.27,
        users=9000,
        deployments_per_week=5,
        routes=(
            Route("GET", "/v1/invoices", 0.24, 0.12),
            Route(
                "POST",
                "/v1/invoices",
                0.10,
                0.22,
                0.50,
                client_error_ratio=0.03,
                client_error_status=422,
                success_status=201,
            ),
            Route("GET", "/v1/invoices/{invoice_id}", 0.34, 0.06),
            Route("PUT", "/v1/invoices/{invoice_id}", 0.06, 0.15, client_error_ratio=0.02, client_error_status=409),
            Route("GET", "/v1/invoices/{invoice_id}/pdf", 0.06, 0.45, 0.50),
            Route("GET", "/v1/approvals", 0.10, 0.09, client_error_ratio=0.01, client_error_status=403),
            Route(
                "POST", "/v1/invoices/{invoice_id}/approvals", 0.08, 0.13, client_error_status=409, success_status=201
            ),
            Route("GET", "/v1/approval-flows/{flow_id}", 0.02, 0.05),
        ),
    ),
    Service(
        "document-intake",
        share=0.10,
        users=4000,
        month_turn=0.9,
        error_ratio=0.0004,
        memory_limit_bytes=4 * 1024**3,
        routes=(
            Route(
                "POST",
                "/v1/uploads",
                0.34,
                0.60,
                0.50,
                client_error_ratio=0.03,
                client_error_status=413,
                success_status=201,
            ),
            Route("GET", "/v1/uploads/{upload_id}", 0.30, 0.05, 0.40),
            Route(
                "POST",
                "/v1/recognitions",
                0.20,
                2.2,
                0.50,
                client_error_ratio=0.02,
                client_error_status=422,
                success_status=202,
            ),
            Route("GET", "/v1/recognitions/{recognition_id}", 0.16, 0.06, 0.40),
        ),
    ),
    Service(
        "partner-api",
        share=0.12,
        users=160,
        hours=MACHINES,
        saturday=0.62,
        sunday=0.55,
        error_ratio=0.0003,
        deployments_per_week=2,
        routes=(
            Route("GET", "/public/v2/invoices", 0.45, 0.15, client_error_status=429),
            Route(
                "POST",
                "/public/v2/invoices",
                0.25,
                0.24,
                client_error_ratio=0.03,
                client_error_status=422,
                success_status=201,
            ),
            Route("GET", "/public/v2/invoices/{invoice_id}", 0.20, 0.07),
            Route("GET", "/public/v2/partners/{partner_id}", 0.10, 0.05),
        ),
    ),
    Service(
        "search-api",
        share=0.12,
        users=6000,
        saturday=0.16,
        month_turn=0.8,
        deployments_per_week=4,
        memory_limit_bytes=8 * 1024**3,
        connection_limit=None,
        routes=(
            Route("GET", "/v1/search", 0.45, 0.22, 0.50, client_error_ratio=0.01, client_error_status=400),
            Route("GET", "/v1/suggest", 0.50, 0.03, 0.40, client_error_ratio=0.01, client_error_status=400),
            Route("POST", "/v1/reindex-requests", 0.05, 0.08, success_status=202),
        ),
    ),
    Service(
        "auth",
        share=0.18,
        users=12000,
        saturday=0.20,
        sunday=0.15,
        month_turn=0.8,
        error_ratio=0.0001,
        deployments_per_week=2,
        routes=(
            Route("POST", "/oauth/token", 0.50, 0.045, 0.35, client_error_ratio=0.025, client_error_status=401),
            Route("GET", "/session", 0.40, 0.012, 0.35, client_error_ratio=0.02, client_error_status=401),
            Route("POST", "/login", 0.10, 0.16, 0.40, client_error_ratio=0.03, client_error_status=401),
        ),
    ),
    Service(
        "notification",
        share=0.07,
        users=900,
        saturday=0.25,
        sunday=0.20,
        error_ratio=0.0003,
        queue_age_limit_seconds=300,
        routes=(
            Route("POST", "/v1/notifications", 0.55, 0.05, 0.40, success_status=202),
            Route("GET", "/v1/notifications", 0.30, 0.04, 0.40),
            Route("POST", "/v1/webhooks/{webhook_id}/deliveries", 0.15, 0.35, 0.60, 0.03, 410),
        ),
    ),
    Service(
        "payment-matching",
        share=0.07,
        users=2500,
        deployments_per_week=2,
        routes=(
            Route("GET", "/v1/matches", 0.40, 0.18),
            Route(
                "POST",
                "/v1/matches",
                0.25,
                0.45,
                0.50,
                client_error_ratio=0.02,
                client_error_status=409,
                success_status=201,
            ),
            Route("GET", "/v1/bank-transactions", 0.35, 0.20),
        ),
    ),
    Service(
        "billing",
        weekly_requests=340,
        users=120,
        month_turn=0.3,
        error_ratio=0.0005,
        deployments_per_week=1,
        memory_limit_bytes=1024**3,
        connection_limit=20,
        routes=(
            Route("GET", "/v1/subscriptions/{subscription_id}", 0.60, 0.09),
            Route("POST", "/v1/plan-changes", 0.15, 0.25, success_status=201),
            Route("GET", "/v1/receipts", 0.25, 0.15),
        ),
    ),
    Service(
        "support-console",
        share=0.04,
        users=45,
        hours=SHIFTS,
        zone=MANILA,
        country="PH",
        saturday=0.45,
        sunday=0.40,
        month_turn=0.3,
        error_ratio=0.0003,
        deployments_per_week=2,
        regions=("ap-southeast-1", "ap-northeast-1"),
        routes=(
            Route("GET", "/console/tickets", 0.40, 0.35),
            Route("GET", "/console/accounts/{account_id}", 0.40, 0.30),
            Route(
                "POST",
                "/console/entries",
                0.20,
                0.40,
                client_error_ratio=0.02,
                client_error_status=422,
                success_status=201,
            ),
        ),
    ),
    Service(
        "archive",
        share=0.03,
        users=700,
        month_turn=0.8,
        error_ratio=0.0005,
        deployments_per_week=1,
        connection_limit=40,
        routes=(
            Route("GET", "/files/{file_id}", 0.58, 0.45, 0.55),
            Route("POST", "/files", 0.25, 0.55, 0.55, success_status=201),
            Route("GET", "/audit-events", 0.12, 0.30),
            _raw("/files/2026/10/hanako.tanaka@example.co.jp/invoice-0815.pdf"),
            _raw("/files/search?q=<script>alert(1)</script>"),
            _raw("/audit-events/203.0.113.24/sessions"),
            _raw("/files/2026/10/taro+billing@example.com/receipt.pdf"),
            _raw("/audit-events/2001:db8::8a2e:370:7334/sessions"),
        ),
    ),
)
BY_NAME = {service.name: service for service in SERVICES}

# One entry per (service, route); every array of the generator has its columns in this order.
ROUTES = tuple((service, route) for service in SERVICES for route in service.routes)

# Whose a service is; of a shared one, whose the routes are that begin so.
OWNERS: dict[str, dict[str, str]] = {
    "archive": {"/": "archive"},
    "auth": {"/": "identity"},
    "billing": {"/": "billing"},
    "document-intake": {"/v1/uploads": "intake", "/v1/recognitions": "recognition"},
    "invoice-api": {
        "/v1/approv": "approval",
        "/v1/invoices/{invoice_id}/approvals": "approval",
        "/v1/inv": "issuing",
    },
    "notification": {"/": "messaging"},
    "partner-api": {"/": "partner"},
    "payment-matching": {"/": "matching"},
    "search-api": {"/": "search"},
    "support-console": {"/": "operations"},
}


def owners(service: str, route: str | None = None) -> tuple[str, ...]:
    """The teams that own a service, or one of its routes."""
    parts = OWNERS[service]
    if route is None:
        return tuple(sorted(set(parts.values())))
    return (next(team for beginning, team in parts.items() if route.startswith(beginning)),)


def tokyo(text: str) -> datetime:
    """The instant of a wall-clock time in Tokyo, such as ``2026-10-28 10:05``."""
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def manila(text: str) -> datetime:
    """The instant of a wall-clock time in Manila."""
    return datetime.fromisoformat(text).replace(tzinfo=MANILA)
