"""``slos/``: the objectives in OpenSLO v1 documents, as SLOs that Shokubai can judge."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from shokubai.config.indicators import foreign_source, read_indicator
from shokubai.config.located import Node, Problems, nearest
from shokubai.config.model import Indicator, Slo, SloWindow, Source
from shokubai.config.openslo import Document, read_openslo
from shokubai.config.shape import known
from shokubai.core.windows import DAY, HOUR, Duration

# Each service's latency objectives are counted in slots of the minute counts; tables/contracts.py has as many.
MOST_LATENCY_THRESHOLDS = 4
DEFAULT_WINDOW = SloWindow(Duration(28, "d"), is_rolling=True)
# The page of the SRE Workbook (ch. 5, table 5-8): 2 % of the budget within one hour.
PAGE_BUDGET_FRACTION, PAGE_LOOKBACK = 0.02, HOUR
LONGEST_PLAUSIBLE_SECONDS = 60


@dataclass(frozen=True)
class Names:
    """What SLOs may refer to: the teams, and for each service those that own it.

    ``owners`` None means that not all teams could be read, so that ownership is not known.
    """

    teams: frozenset[str]
    owners: Mapping[str, frozenset[str]] | None


def read_slos(roots: Iterable[Node], problems: Problems, *, names: Names) -> dict[str, Slo]:
    """The SLOs of OpenSLO documents, by name; those that are wrong are reported and left out.

    A document with one objective gives an SLO of its name; with several, ``<name>-<objective>``, where
    ``<objective>`` is the objective's displayName in lower case when it has one in ASCII and it is unique, else its
    number from 1. A document without a timeWindow is judged over 28 days, rolling; one without a budgetingMethod
    by Occurrences. An SLO whose metric source is another tool's gives a warning and is left out.
    """
    roots = tuple(roots)
    documents = read_openslo(roots, problems)
    indicators = {document.name: document for document in documents if document.kind == "SLI"}
    slos: dict[str, Slo] = {}
    values: dict[str, dict[float, Node]] = defaultdict(dict)
    for document in documents:
        if document.kind != "SLO" or not document.is_sound:
            continue
        for slo, objective in _read_document(document, indicators, names, problems):
            if slo.name in slos:
                first = slos[slo.name].source
                problems.error(
                    document.node.at("metadata", "name"),
                    f"gives a second SLO called {slo.name!r}; the first is at {first.file.name}:{first.line}",
                )
                continue
            slos[slo.name] = slo
            if slo.indicator.threshold_seconds is not None:
                values[slo.service].setdefault(slo.indicator.threshold_seconds, objective.at("value"))
    _check_threshold_count(values, problems)
    return slos


def _read_document(
    document: Document, indicators: Mapping[str, Document], names: Names, problems: Problems
) -> list[tuple[Slo, Node]]:
    """The SLOs of one sound document, each with its objective's place."""
    before = problems.error_count
    spec, values = document.node.at("spec"), document.values["spec"]
    indicator_spec = _find_indicator(document, indicators, problems)
    if indicator_spec is None:
        return []
    if foreign := foreign_source(indicator_spec):
        problems.warning(
            foreign,
            f"type {foreign.shown} cannot be read by Shokubai yet; SLO {document.name!r} is left out",
            allowed="shokubai",
        )
        _read_window(spec, values, problems)
        for place in spec.at("objectives").items:
            _read_objective(place, problems)
        return []
    indicator = read_indicator(indicator_spec, problems)
    window = _read_window(spec, values, problems)
    teams = _read_teams(document, names, problems)
    _check_service(spec.at("service"), names, problems)
    found = []
    objectives = values["objectives"]
    suffixes = _suffixes([given.get("displayName", "") for given in objectives])
    for given, suffix, place in zip(objectives, suffixes, spec.at("objectives").items, strict=True):
        objective = _read_objective(place, problems)
        threshold = _read_threshold(given, place, indicator, problems)
        _read_slices(given, place, values.get("budgetingMethod", "Occurrences"), window, problems)
        if objective is None or indicator is None or window is None:
            continue
        _check_page(objective, window, place, problems)
        name, display_name = document.name, document.values["metadata"].get("displayName", document.name)
        if suffix:
            name = f"{name}-{suffix}"
            display_name = f"{display_name}: {given.get('displayName', suffix)}"
        slo = Slo(
            name=name,
            display_name=display_name,
            service=values["service"],
            indicator=replace(indicator, threshold_seconds=threshold),
            window=window,
            budgeting=values.get("budgetingMethod", "Occurrences"),
            objective=objective,
            source=Source(document.node.file, document.node.line),
            description=values.get("description", ""),
            time_slice_target=given.get("timeSliceTarget"),
            time_slice_window=given.get("timeSliceWindow"),
            teams=teams,
        )
        found.append((slo, place))
    return found if problems.error_count == before else []


def _find_indicator(document: Document, indicators: Mapping[str, Document], problems: Problems) -> Node | None:
    """The ``spec`` of the SLO's indicator, inline or by name; None after reporting what is wrong."""
    spec = document.node.at("spec")
    composite = [
        place.at(key)
        for place in spec.at("objectives").items
        for key in ("indicator", "indicatorRef", "compositeWeight")
        if key in place.mapping
    ]
    if composite:
        problems.error(
            composite[0],
            "composite SLOs, with an indicator for each objective, are not supported yet; write one SLO for each",
        )
        return None
    given = [key for key in ("indicator", "indicatorRef") if key in spec.mapping]
    if len(given) != 1:
        problems.error(
            spec.at("indicator"),
            "an SLO has exactly one indicator",
            found=" and ".join(given) or "none",
            allowed="indicator, indicatorRef",
        )
        return None
    if given == ["indicator"]:
        return spec.at("indicator", "spec")
    reference = spec.at("indicatorRef")
    if reference.text not in indicators:
        known("SLI", frozenset(indicators))(reference, problems)
        return None
    target = indicators[reference.text]
    return target.node.at("spec") if target.is_sound else None


def _suffixes(display_names: list[str]) -> list[str]:
    """What is added to the document's name for each objective; nothing when there is only one."""
    if len(display_names) == 1:
        return [""]
    slugs = [re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") if name.isascii() else "" for name in display_names]
    return [slug if slug and slugs.count(slug) == 1 else str(n) for n, slug in enumerate(slugs, start=1)]


def _read_window(spec: Node, values: dict[str, Any], problems: Problems) -> SloWindow | None:
    if not values.get("timeWindow"):
        return DEFAULT_WINDOW
    given, place = values["timeWindow"][0], spec.at("timeWindow", 0)
    length: Duration = given["duration"]
    calendar = given.get("calendar")
    if length.unit == "m":
        problems.warning(
            place.at("duration"),
            f"{length} is in minutes, a very short window; months are written with a capital M",
            found=repr(str(length)),
            nearest=f"{length.count}M",
        )
    if given.get("isRolling", False):
        if calendar is not None:
            problems.error(
                place.at("calendar"), "a rolling window has no calendar; remove it, or write isRolling: false"
            )
            return None
        return SloWindow(length, is_rolling=True)
    if calendar is None:
        problems.error(
            place.at("calendar"),
            "is missing: a window that is not rolling needs one; add it, or write isRolling: true",
            allowed="startTime and timeZone",
        )
        return None
    return SloWindow(length, is_rolling=False, anchor=calendar["startTime"], zone=calendar["timeZone"])


def _read_teams(document: Document, names: Names, problems: Problems) -> tuple[str, ...]:
    """The teams that ``metadata.labels.team`` names."""
    place = document.node.at("metadata", "labels", "team")
    service = document.values["spec"]["service"]
    owners = (names.owners or {}).get(service)
    for each in place.items or ((place,) if place.value is not None else ()):
        if known("team", names.teams)(each, problems) and owners is not None and each.text not in owners:
            problems.warning(
                each,
                f"the team does not own {service!r}, the service of this SLO",
                found=each.shown,
                allowed=", ".join(sorted(owners)),
            )
    return tuple(document.values["metadata"].get("labels", {}).get("team", ()))


def _check_service(place: Node, names: Names, problems: Problems) -> None:
    if names.owners is not None and place.text not in names.owners:
        problems.warning(
            place,
            "no team owns this service, so the SLO is in no team's report",
            found=place.shown,
            nearest=nearest(place.text, names.owners),
        )


def _read_objective(place: Node, problems: Problems) -> float | None:
    """The objective as a ratio in (0, 1), from ``target`` or ``targetPercent``."""
    given = [key for key in ("target", "targetPercent") if place.at(key).value is not None]
    if len(given) != 1:
        problems.error(
            place.at("target"),
            "an objective has exactly one target",
            found=" and ".join(given) or "none",
            allowed="target, targetPercent",
        )
        return None
    target = place.at(given[0])
    # In decimals, since 99.9 / 100 is not quite 0.999 in binary.
    written = Decimal(target.text)
    ratio = written / 100 if given == ["targetPercent"] else written
    limit = "above 0 and below 100" if given == ["targetPercent"] else "above 0 and below 1"
    if given == ["target"] and 1 < written < 100:
        hint = f"write {(written / 100).normalize():f} or targetPercent: {target.text}"
        problems.error(target, f"is a ratio; {hint}", found=target.text, allowed=limit)
        return None
    if not 0 < ratio < 1:
        why = "leaves no error budget" if ratio == 1 else "is out of range"
        problems.error(target, why, found=target.text, allowed=limit)
        return None
    if given == ["targetPercent"] and written < 1:
        problems.warning(
            target, f"is less than 1 %; did you mean {(written * 100).normalize():f}?", found=target.text
        )
    return float(ratio)


def _read_threshold(
    given: dict[str, Any], place: Node, indicator: Indicator | None, problems: Problems
) -> float | None:
    """The seconds that a request may take; None for availability."""
    if indicator is None:
        return None
    if indicator.kind == "availability":
        if "value" in given:
            problems.error(
                place.at("value"), "has no meaning with a ratioMetric; remove it, or use a thresholdMetric"
            )
        if "op" in given:
            # OpenSLO's own examples have it, so it is no error.
            problems.warning(place.at("op"), "has no effect with a ratioMetric; remove it")
        return None
    operator = place.at("op")
    if "op" not in given:
        problems.error(operator, "is missing: how a duration compares with value", allowed="lte")
    elif given["op"] != "lte":
        hint = (
            "counted are requests that take at most value; write lte" if given["op"] == "lt" else "slow is not good"
        )
        problems.error(operator, f"is not possible for a latency: {hint}", found=operator.shown, allowed="lte")
    value = place.at("value")
    if "value" not in given:
        problems.error(value, "is missing: how many seconds a request may take", allowed="seconds, above 0")
        return None
    seconds: float = given["value"]
    if seconds <= 0:
        problems.error(value, "is out of range", found=value.text, allowed="seconds, above 0")
    elif seconds > LONGEST_PLAUSIBLE_SECONDS:
        problems.warning(
            value, "looks like milliseconds; the unit is seconds", found=value.text, nearest=f"{seconds / 1000:g}"
        )
    return seconds


def _read_slices(
    given: dict[str, Any], place: Node, method: str, window: SloWindow | None, problems: Problems
) -> None:
    """Check the time slices against the budgeting method and the window."""
    needed = {"Timeslices": ("timeSliceTarget", "timeSliceWindow"), "RatioTimeslices": ("timeSliceWindow",)}
    for key in ("timeSliceTarget", "timeSliceWindow"):
        if key in needed.get(method, ()) and key not in given:
            problems.error(place.at(key), f"is missing: {method} needs it")
        elif key in given and key not in needed.get(method, ()):
            problems.warning(place.at(key), f"has no effect with the budgeting method {method}; remove it")
    length: Duration | None = given.get("timeSliceWindow")
    if method not in needed or length is None or window is None:
        return
    # A calendar month has 28 to 31 days, so only slices that divide a day divide every month.
    whole = DAY if not window.is_rolling and window.duration.unit in "MQY" else window.duration.timedelta
    if length.timedelta >= window.duration.timedelta or whole % length.timedelta:
        problems.error(
            place.at("timeSliceWindow"),
            f"does not divide the window of {window.duration} into whole slices",
            found=repr(str(length)),
            allowed="such as 1m, 5m, 1h",
        )


def _check_page(objective: float, window: SloWindow, place: Node, problems: Problems) -> None:
    """Warn when the fast-burn page can never fire: no burn rate exceeds 1 / (1 - objective)."""
    if objective < 0.01:
        return  # a ratio written as percent, which is reported as such
    threshold = PAGE_BUDGET_FRACTION * (window.duration.timedelta / PAGE_LOOKBACK)
    highest = 1 / (1 - objective)
    if threshold > highest:
        key = "target" if "target" in place.mapping else "targetPercent"
        problems.warning(
            place.at(key),
            f"a page at {PAGE_BUDGET_FRACTION:.0%} of the budget in one hour can never fire: it needs a burn rate of "
            f"{threshold:g} over {window.duration}, and even a total outage burns only at {highest:g}",
            found=place.at(key).text,
        )


def _check_threshold_count(values: Mapping[str, Mapping[float, Node]], problems: Problems) -> None:
    for service, places in values.items():
        if len(places) > MOST_LATENCY_THRESHOLDS:
            problems.error(
                list(places.values())[MOST_LATENCY_THRESHOLDS],
                f"service {service!r} has too many different latency values",
                found=", ".join(f"{seconds:g}" for seconds in sorted(places)),
                allowed=f"at most {MOST_LATENCY_THRESHOLDS}",
            )
