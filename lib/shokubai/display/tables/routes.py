"""Routes: which spent the budget, and which changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from shokubai.config.model import Slo
from shokubai.core.scrub import scrub
from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import NO_VALUE, Locale, endpoint
from shokubai.slo.model import SloStatus


def routes_by_budget(
    routes: pd.DataFrame, *, statuses: Sequence[SloStatus], locale: Locale, limit: int = 10
) -> Table:
    """The routes (ROUTE_CHANGES) that spent most error budget this week; those that spent none are left out.

    Beside the budget stand the requests of the route that its objective found bad: failed or slow ones.
    """
    slos = {status.slo.name: status.slo for status in statuses}
    spent = routes[routes["budget_spent_count"] > 0]
    worst = spent.sort_values(
        ["budget_spent_ratio", "budget_spent_count", "service_name", "http_route", "http_request_method"],
        ascending=[False, False, True, True, True],
        na_position="last",
    ).head(limit)
    return Table(
        locale.say("table.routes_by_budget.caption"),
        (
            Header(locale.say("column.route")),
            Header(locale.say("column.budget_spent"), "end"),
            Header(locale.say("column.events"), "end"),
            Header(locale.say("column.bad_ratio"), "end"),
            Header("p50", "end"),
            Header("p95", "end"),
            Header("p99", "end"),
        ),
        tuple(
            (
                _route(row),
                *_spent(row, slos.get(row["slo_name"]), locale),
                *(Cell(locale.seconds(row[f"{p}_seconds"])) for p in ("p50", "p95", "p99")),
            )
            for row in worst.to_dict("records")
        ),
        note=_rest(len(spent) - len(worst), locale),
        empty=locale.say("nothing.routes_by_budget"),
    )


def routes_by_change(routes: pd.DataFrame, *, locale: Locale, limit: int = 10) -> Table:
    """The routes whose p95 or errors changed most against the comparable week, worst first, at most ``limit``.

    Ordered by the larger of two factors: p95, and the ratio of errors. What last month's same business days had
    stands beside it, so that a month-end is seen for what it is.
    """
    known = routes[routes["comparable_request_count"].fillna(0).gt(0) & routes["request_count"].fillna(0).gt(0)]
    slower = (known["p95_seconds"] / known["comparable_p95_seconds"]).fillna(1.0)
    now = known["error_count"].astype("float64") / known["request_count"].astype("float64")
    before = known["comparable_error_count"].astype("float64") / known["comparable_request_count"].astype("float64")
    # One error more in a thousand requests counts like nothing: both sides get a floor.
    failing = (now + 0.001) / (before + 0.001)
    factor = pd.concat([slower, failing], axis=1).max(axis=1)
    worst = known.assign(_factor=factor).sort_values(
        ["_factor", "service_name", "http_route", "http_request_method"], ascending=[False, True, True, True]
    )
    worst = worst.head(limit)
    return Table(
        locale.say("table.routes_by_change.caption"),
        (
            Header(locale.say("column.route")),
            Header("p95", "end"),
            Header(locale.say("column.p95_before"), "end"),
            Header(locale.say("column.change"), "end"),
            Header(locale.say("column.p95_last_month"), "end"),
            Header(locale.say("column.error_ratio"), "end"),
            Header(locale.say("column.error_ratio_before"), "end"),
            Header(locale.say("column.requests"), "end"),
        ),
        tuple(
            (
                _route(row),
                Cell(locale.seconds(row["p95_seconds"])),
                Cell(locale.seconds(row["comparable_p95_seconds"])),
                Cell(locale.change(row["p95_seconds"], row["comparable_p95_seconds"])),
                Cell(locale.seconds(row["last_month_p95_seconds"])),
                Cell(_ratio(row["error_count"], row["request_count"], locale)),
                Cell(_ratio(row["comparable_error_count"], row["comparable_request_count"], locale)),
                Cell(
                    locale.count(row["request_count"]),
                    detail=locale.change(row["request_count"], row["comparable_request_count"]),
                ),
            )
            for row in worst.to_dict("records")
        ),
        note=_rest(len(known) - len(worst), locale),
        empty=locale.say("nothing.routes_by_change"),
    )


def busiest_routes(routes: pd.DataFrame, *, locale: Locale, limit: int = 10) -> Table:
    """The routes with most requests this week: what there is to show when there is no week to compare with."""
    seen = routes[routes["request_count"].fillna(0) > 0]
    most = seen.sort_values(
        ["request_count", "service_name", "http_route", "http_request_method"], ascending=[False, True, True, True]
    ).head(limit)
    return Table(
        locale.say("table.busiest_routes.caption"),
        (
            Header(locale.say("column.route")),
            Header(locale.say("column.requests"), "end"),
            Header(locale.say("column.errors"), "end"),
            Header(locale.say("column.error_ratio"), "end"),
            Header("p50", "end"),
            Header("p95", "end"),
            Header("p99", "end"),
        ),
        tuple(
            (
                _route(row),
                Cell(locale.count(row["request_count"])),
                Cell(locale.count(row["error_count"])),
                Cell(_ratio(row["error_count"], row["request_count"], locale)),
                *(Cell(locale.seconds(row[f"{p}_seconds"])) for p in ("p50", "p95", "p99")),
            )
            for row in most.to_dict("records")
        ),
        note=_rest(len(seen) - len(most), locale),
        empty=locale.say("nothing.busiest_routes"),
    )


def _spent(row: dict[Any, Any], slo: Slo | None, locale: Locale) -> tuple[Cell, Cell, Cell]:
    """The share of the budget with its objective, the bad requests with what was bad of them, and their share."""
    by_slices = slo is not None and slo.budgeting != "Occurrences"
    share = locale.say("table.routes_by_budget.slices") if by_slices else locale.share(row["budget_spent_ratio"])
    bad, valid = row["budget_spent_count"], row["budget_valid_count"]
    kind = locale.say(f"bad.{'slow' if slo.indicator.kind == 'latency' else 'failed'}") if slo else ""
    return (
        Cell(share, detail=(slo.display_name or slo.name) if slo else row["slo_name"]),
        Cell(f"{locale.count(bad)} / {locale.count(valid)}", detail=kind),
        Cell(_ratio(bad, valid, locale)),
    )


def _route(row: dict[Any, Any]) -> Cell:
    return Cell(
        scrub(endpoint(row["http_request_method"], row["http_route"])), detail=row["service_name"], is_code=True
    )


def _ratio(part: Any, whole: Any, locale: Locale) -> str:
    if pd.isna(part) or pd.isna(whole) or not whole:
        return NO_VALUE
    return locale.bad_ratio(float(part) / float(whole))


def _rest(count: int, locale: Locale) -> str:
    return locale.say("table.rest", count=locale.count(count)) if count > 0 else ""
