"""What a budget was spent on, and the words for a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from shokubai.core.scrub import scrub
from shokubai.display.exhibit import Cell, Header, Table
from shokubai.display.format import NO_VALUE, Locale, endpoint
from shokubai.display.tables.slos import window_words
from shokubai.slo.model import SloStatus


def budget_parts(parts: pd.DataFrame, *, status: SloStatus, locale: Locale) -> Table:
    """What the budget of one SLO was spent on (BUDGET_PARTS, the rest in the last row), and all of it together."""
    name = status.slo.display_name or status.slo.name
    by_slices = status.unit == "slices"
    return Table(
        locale.say("table.budget_parts.caption", name=name, window=window_words(status, locale)),
        (
            Header(locale.say("column.route")),
            Header(locale.say("column.kind")),
            Header(locale.say("column.status"), "end"),
            Header(locale.say("column.deployment_window")),
            Header(locale.say("column.bad_requests"), "end"),
            *([Header(locale.say("column.bad_slices"), "end")] if by_slices else []),
            Header(locale.say("column.budget_spent"), "end"),
        ),
        (
            *(
                (*_what(row, locale), *_amounts(row, by_slices=by_slices, locale=locale))
                for row in parts.to_dict("records")
            ),
            (
                Cell(locale.say("part.all")),
                *[Cell(NO_VALUE)] * 3,
                *_amounts(_all_of(parts, status), by_slices=by_slices, locale=locale),
            ),
        ),
        note=locale.say(f"table.budget_parts.{'slices' if by_slices else 'requests'}"),
    )


def part_name(part: Mapping[Any, Any], locale: Locale) -> str:
    """The route of a part, or what stands for the rest."""
    if part["kind"] == "rest":
        return locale.say("part.rest", count=locale.count(part["part_count"]))
    return endpoint_name(part)


def endpoint_name(part: Mapping[Any, Any]) -> str:
    """Method and route, as all reports write them."""
    return scrub(endpoint(part["http_request_method"], part["http_route"]))


def part_detail(part: Mapping[Any, Any], locale: Locale) -> str:
    """What a part is beside its route: ``error 503, after 2026.10.28.1 (Wed 28 Oct 10:00)``; empty for the rest."""
    if part["kind"] == "rest":
        return ""
    status = part["http_response_status_code"]
    code = locale.say("part.without_status") if pd.isna(status) else str(int(status))
    return locale.join([f"{_kind_words(part, locale)} {code}", deployment_words(part, locale)])


def _kind_words(part: Mapping[Any, Any], locale: Locale) -> str:
    return locale.say(f"part.kind.{part['kind']}")


def deployment_words(part: Mapping[Any, Any], locale: Locale) -> str:
    """Before or after which deployment a part lies."""
    window = part["deployment_window"]
    if window == "none":
        return locale.say("part.deployment.none")
    at = locale.instant(part["deployed_at"].to_pydatetime())
    version = scrub(part["service_version"])
    deployment = locale.say("part.deployment.named", version=version, at=at) if version else at
    return locale.say(f"part.deployment.{window}", deployment=deployment)


def _what(part: Mapping[Any, Any], locale: Locale) -> tuple[Cell, ...]:
    name, status = part_name(part, locale), part["http_response_status_code"]
    if part["kind"] == "rest":
        return (Cell(name), *[Cell(NO_VALUE)] * 3)
    return (
        Cell(name, is_code=True),
        Cell(_kind_words(part, locale)),
        Cell(locale.say("status.none") if pd.isna(status) else str(int(status))),
        Cell(deployment_words(part, locale)),
    )


def _amounts(part: Mapping[Any, Any], *, by_slices: bool, locale: Locale) -> tuple[Cell, ...]:
    return (
        Cell(locale.count(part["bad_request_count"])),
        *([Cell(locale.number(part["spent_count"]))] if by_slices else []),
        Cell(locale.share(part["spent_ratio"])),
    )


def _all_of(parts: pd.DataFrame, status: SloStatus) -> Mapping[str, Any]:
    spent = status.budget_spent_count
    return {
        "bad_request_count": int(parts["bad_request_count"].sum()),
        "spent_count": spent,
        "spent_ratio": spent / status.budget_allowed_count,
    }
