"""What people and tools wrote down: deployments, incidents, alerts and requests to the SRE team."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import DAY
from shokubai.demo import draws
from shokubai.demo.events import Event, Plants
from shokubai.demo.organization import FIRST_WEEK, LAST_WEEK, SERVICES, TOKYO, WINDOW, Service, tokyo
from shokubai.tables.contracts import ALERTS, DEPLOYMENTS, INCIDENTS, SRE_REQUESTS

TEAMS = (
    "approval",
    "archive",
    "billing",
    "identity",
    "intake",
    "issuing",
    "matching",
    "messaging",
    "operations",
    "partner",
    "recognition",
    "search",
)
UNTRUSTED_TITLE = (
    "Report from hanako.tanaka@example.co.jp (203.0.113.24): page shows <script>alert(1)</script> instead of the file"
)
UNTRUSTED_DESCRIPTION = (
    'Escape <img src=x onerror="alert(1)"> in file names; asked for by taro@example.com, 198.51.100.7'
)

_CHANGES = (
    "Update dependencies",
    "Add an index on customer_id",
    "Show the tax rate on each line",
    "Log the reason of rejected requests",
    "Raise the timeout of the storage client to 3 s",
    "Remove an unused feature flag",
    "Fix rounding of consumption tax",
    "Cache company settings for one minute",
    "Translate error messages",
    "Return early for empty pages",
)
_UNTRUSTED = (
    ("archive", tokyo("2026-09-15 15:30"), UNTRUSTED_DESCRIPTION),
    ("billing", tokyo("2026-10-27 16:20"), UNTRUSTED_DESCRIPTION),
)


def deployments(plants: Plants, *, seed: int) -> pd.DataFrame:
    """Deployments on business days between 10 and 17 o'clock (contracts.DEPLOYMENTS), oldest first.

    Those that planted events follow, and those that took them back, are among them.
    """
    rows = list(_UNTRUSTED)
    for event in plants.events:
        if event.deployment:
            rows.append((event.service, event.deployment.at, event.deployment.change))
            if event.deployment.reverted_at:
                change = event.deployment.change
                revert = f"Revert: {change[0].lower()}{change[1:]}"
                rows.append((event.service, event.deployment.reverted_at, revert))
    for service in SERVICES:
        rows += _routine_deployments(service, plants, seed=seed)
    frame = pd.DataFrame(rows, columns=["service_name", "deployed_at", "description"])
    frame["deployed_at"] = pd.to_datetime(frame["deployed_at"], utc=True)
    frame = frame.sort_values(["deployed_at", "service_name"], ignore_index=True)
    days = frame["deployed_at"].dt.tz_convert(TOKYO).dt.strftime("%Y.%m.%d")
    nth = frame.groupby(["service_name", days]).cumcount() + 1
    frame["service_version"] = days + "." + nth.astype("str")
    frame["deployment_id"] = frame["service_name"] + "-" + frame["service_version"]
    return DEPLOYMENTS.conform(frame)


def _routine_deployments(service: Service, plants: Plants, *, seed: int) -> list[tuple[str, datetime, str]]:
    calendar = BusinessCalendar(service.country)
    planned = [e.deployment for e in plants.events if e.service == service.name and e.deployment]
    rows = []
    week = FIRST_WEEK
    while week <= LAST_WEEK:
        # Nobody deploys on the busiest day of the month.
        days = [d for d in week.days() if calendar.is_business_day(d) and calendar.from_month_end(d) != -1]
        for n in range(service.deployments_per_week if days else 0):
            which, minute, text = (
                float(draws.uniform(seed, "deployment", service.name, str(week), n, part)[0]) for part in range(3)
            )
            day = days[(int(which * len(days)) + n) % len(days)]
            if any(other.alone_from <= day <= other.alone_until for other in planned):
                continue
            at = datetime(day.year, day.month, day.day, 10, tzinfo=service.zone) + timedelta(
                minutes=int(minute * 420)
            )
            rows.append((service.name, at, _CHANGES[(int(text * len(_CHANGES)) + n) % len(_CHANGES)]))
        week = week.plus(1)
    return rows


def incidents(plants: Plants) -> pd.DataFrame:
    """Incidents (contracts.INCIDENTS): those of the planted events, an old one and a small one without impact."""
    mails = ("notification", "Mails delayed at month end", "SEV3", *_span("2026-09-30 17:10", 40), 12, 60)
    small = ("archive", UNTRUSTED_TITLE, "SEV3", *_span("2026-10-27 09:40", 35), 15, 120)
    noted = [mails, *(_declared(event) for event in plants.events if event.incident)]
    noted.insert(2, small)
    rows = []
    for number, (service, title, severity, start, end, found, closed) in enumerate(noted, start=101):
        detected, resolved = start + timedelta(minutes=found), end + timedelta(minutes=closed)
        rows.append((f"INC-{number}", service, title, severity, start, detected, end, resolved))
    frame = pd.DataFrame(rows, columns=list(INCIDENTS.columns))
    for name in ("started_at", "detected_at", "mitigated_at", "resolved_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return INCIDENTS.conform(frame)


def _declared(event: Event) -> tuple[str, str, str, datetime, datetime, int, int]:
    incident = event.incident
    assert incident is not None
    found, closed = incident.detected_after_minutes, incident.resolved_after_minutes
    return event.service, incident.title, incident.severity, event.start, event.end, found, closed


def _span(start: str, minutes: int) -> tuple[datetime, datetime]:
    return tokyo(start), tokyo(start) + timedelta(minutes=minutes)


# When a ticket is written about what goes on: three weeks into a leak, three days into a regression.
_LEAK_NOTICED = timedelta(days=21, hours=16, minutes=15)
_REGRESSION_NOTICED = timedelta(days=3, hours=3, minutes=55)


def alerts(plants: Plants, *, seed: int) -> pd.DataFrame:
    """Alerts (contracts.ALERTS): those of the planted events, and one that fires for nothing every other day."""
    minute = timedelta(minutes=1)
    rows: list[tuple[object, ...]] = [
        (e.start + 4 * minute, e.end + 6 * minute, e.service, "ErrorBudgetBurnFast", "page")
        for kind in ("outage", "retry_storm")
        for e in plants.of_kind(kind)
    ]
    rows += [(e.start + 55 * minute, e.end, e.service, "OutboxTooOld", "page") for e in plants.of_kind("queue_lag")]
    for e, after, name in (
        *((e, _LEAK_NOTICED, "MemoryNearLimit") for e in plants.of_kind("memory_leak")),
        *((e, _REGRESSION_NOTICED, "ErrorBudgetBurnSlow") for e in plants.of_kind("latency_regression")),
    ):
        if e.start + after < WINDOW.end:
            rows.append((e.start + after, None, e.service, name, "ticket"))
    day = WINDOW.start
    while day < WINDOW.end:
        number = day.toordinal()
        for n in range(3):
            fires, at, long = (float(draws.uniform(seed, "alert", number, n, part)[0]) for part in range(3))
            if fires < 0.35:
                fired = day + timedelta(seconds=int(at * 80_000))
                rows.append((fired, fired + (3 + int(long * 12)) * minute, "search-api", "CpuHigh", "ticket"))
        day += DAY
    frame = pd.DataFrame(rows, columns=list(ALERTS.columns))
    for name in ("fired_at", "resolved_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return ALERTS.conform(frame.sort_values(["fired_at", "service_name"], ignore_index=True))


_ASKED = (
    ("consultation", "Is our latency objective too strict?"),
    ("consultation", "How do we split an SLO by route?"),
    ("consultation", "負荷試験の結果を一緒に見てほしい"),
    ("infrastructure", "Raise the connection limit of the database"),
    ("infrastructure", "新しいキューを用意したい"),
    ("infrastructure", "Access to the staging cluster"),
    ("incident", "Help with the postmortem"),
    ("alert", "アラートの閾値を見直したい"),
    ("dashboard", "A chart for our batch job"),
)


def sre_requests(*, seed: int) -> pd.DataFrame:
    """About five requests of teams to SRE a week (contracts.SRE_REQUESTS); the newest are still open."""
    calendar = BusinessCalendar("JP")
    rows: list[tuple[object, ...]] = [
        ("search", "consultation", "検索の遅さを一緒に調べてほしい", *_span("2026-10-29 10:20", 55), None),
        ("identity", "incident", "Help with the postmortem", tokyo("2026-10-30 15:10"), None, None),
    ]
    day = WINDOW.start.astimezone(TOKYO).date()
    while day < WINDOW.end.astimezone(TOKYO).date():
        for n in range(2 if calendar.is_business_day(day) else 0):
            happens, who, what, minute = (
                float(draws.uniform(seed, "ask", day.toordinal(), n, part)[0]) for part in range(4)
            )
            if happens > 0.5:
                continue
            wait, work = (float(draws.normal(seed, "wait", day.toordinal(), n, part)[0]) for part in (8, 9))
            opened = datetime(day.year, day.month, day.day, 9, tzinfo=TOKYO) + timedelta(minutes=int(minute * 540))
            answered = opened + timedelta(minutes=round(90 * 2.718281828 ** (1.1 * wait)))
            closed = answered + timedelta(minutes=round(1500 * 2.718281828 ** (0.9 * work)))
            kind, summary = _ASKED[int(what * len(_ASKED))]
            rows.append(
                (
                    TEAMS[int(who * len(TEAMS))],
                    kind,
                    summary,
                    opened,
                    answered if answered < WINDOW.end else None,
                    closed if closed < WINDOW.end else None,
                )
            )
        day += DAY
    frame = pd.DataFrame(rows, columns=list(SRE_REQUESTS.columns)[1:])
    for name in ("opened_at", "first_response_at", "closed_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame = frame.sort_values(["opened_at", "team"], ignore_index=True)
    frame.insert(0, "request_id", [f"SRE-{n}" for n in range(401, 401 + len(frame))])
    return SRE_REQUESTS.conform(frame)
