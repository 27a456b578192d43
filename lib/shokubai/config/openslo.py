"""OpenSLO v1 documents: their shape, as the specification has it, and which document is which.

Sources: https://github.com/OpenSLO/OpenSLO (v1) and the rules that https://github.com/OpenSLO/go-sdk checks.
Shokubai reads SLO, SLI and Service; the alert kinds and DataSource are checked, so that files can be shared with
other tools, and not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shokubai.config.located import Node, Problems, nearest
from shokubai.config.organization import time_zone
from shokubai.config.shape import (
    Reader,
    anything,
    boolean,
    choice,
    duration,
    entries,
    label,
    listing,
    mapping,
    number,
    one_or_more,
    pattern,
    text,
)

API_VERSION = "openslo/v1"
BUDGETING_METHODS = ("Occurrences", "Timeslices", "RatioTimeslices")
OPERATORS = ("lte", "gte", "lt", "gt")

_LABEL_KEY = pattern(
    r"([a-zA-Z0-9]([-._a-zA-Z0-9]{0,251}[a-zA-Z0-9])?/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?",
    "letters, digits and inner - . _, at most 63",
)
_DESCRIPTION = text(longest=1050)

METADATA = mapping(
    {
        "name": label,
        "displayName": text(longest=63),
        "labels": entries(one_or_more(text()), key=_LABEL_KEY),
        "annotations": entries(text(), key=_LABEL_KEY),
    },
    required=("name",),
)


def _document(kind: str, spec: Reader) -> Reader:
    """A whole document; inside another one its apiVersion may be left out."""
    return mapping(
        {"apiVersion": choice(API_VERSION), "kind": choice(kind), "metadata": METADATA, "spec": spec},
        required=("kind", "metadata", "spec"),
    )


def _reference_or_inline(reference: str, kind: str, spec: Reader) -> Reader:
    referred = mapping({reference: label}, required=(reference,))
    inline = _document(kind, spec)

    def read(node: Node, problems: Problems) -> Any:
        reader = inline if "spec" in node.mapping or "kind" in node.mapping else referred
        return reader(node, problems)

    return read


def _start_time(node: Node, problems: Problems) -> datetime | None:
    allowed = "YYYY-MM-DD HH:MM:00"
    try:
        start = datetime.strptime(node.text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - wall clock of calendar.timeZone
    except ValueError:
        problems.error(node, "is no time", found=node.shown, allowed=allowed)
        return None
    if start.second:
        problems.error(
            node, "is no whole minute, and requests are counted by minute", found=node.shown, allowed=allowed
        )
        return None
    return start


_METRIC = mapping(
    {
        "metricSource": mapping(
            {"metricSourceRef": label, "type": text(), "spec": anything},
            required=("spec",),
        )
    },
    required=("metricSource",),
)

SLI_SPEC = mapping(
    {
        "description": _DESCRIPTION,
        "thresholdMetric": _METRIC,
        "ratioMetric": mapping(
            {
                "counter": boolean,
                "good": _METRIC,
                "bad": _METRIC,
                "total": _METRIC,
                "raw": _METRIC,
                "rawType": choice("success", "failure"),
            }
        ),
    }
)

_INDICATOR = mapping({"metadata": METADATA, "spec": SLI_SPEC}, required=("spec",))

ALERT_CONDITION_SPEC = mapping(
    {
        "description": _DESCRIPTION,
        "severity": text(),
        "condition": mapping(
            {
                "kind": choice("burnrate"),
                "op": choice(*OPERATORS),
                "threshold": number(),
                "lookbackWindow": duration,
                "alertAfter": duration,
            },
            required=("kind", "op", "threshold", "lookbackWindow"),
        ),
    },
    required=("severity", "condition"),
)

ALERT_NOTIFICATION_TARGET_SPEC = mapping({"description": _DESCRIPTION, "target": text()}, required=("target",))

ALERT_POLICY_SPEC = mapping(
    {
        "description": _DESCRIPTION,
        "alertWhenNoData": boolean,
        "alertWhenBreaching": boolean,
        "alertWhenResolved": boolean,
        "conditions": listing(
            _reference_or_inline("conditionRef", "AlertCondition", ALERT_CONDITION_SPEC), maximum=1
        ),
        "notificationTargets": listing(
            _reference_or_inline("targetRef", "AlertNotificationTarget", ALERT_NOTIFICATION_TARGET_SPEC)
        ),
    },
    required=("conditions", "notificationTargets"),
)

_TIME_WINDOW = mapping(
    {
        "duration": duration,
        "isRolling": boolean,
        "calendar": mapping(
            {"startTime": _start_time, "timeZone": time_zone},
            required=("startTime", "timeZone"),
        ),
    },
    required=("duration",),
)

_OBJECTIVE = mapping(
    {
        "displayName": text(longest=63),
        "op": choice(*OPERATORS),
        "value": number(),
        "target": number(minimum=0),
        "targetPercent": number(minimum=0),
        "timeSliceTarget": number(above=0, maximum=1),
        "timeSliceWindow": duration,
        "indicator": anything,
        "indicatorRef": label,
        "compositeWeight": number(above=0),
    }
)

SLO_SPEC = mapping(
    {
        "description": _DESCRIPTION,
        "service": text(),
        "indicator": _INDICATOR,
        "indicatorRef": label,
        "timeWindow": listing(_TIME_WINDOW, maximum=1),
        "budgetingMethod": choice(*BUDGETING_METHODS),
        "objectives": listing(_OBJECTIVE),
        "alertPolicies": listing(_reference_or_inline("alertPolicyRef", "AlertPolicy", ALERT_POLICY_SPEC), minimum=0),
    },
    required=("service", "objectives"),
    may_be_empty=("alertPolicies",),  # as in OpenSLO's own examples
)

KINDS = {
    "SLO": SLO_SPEC,
    "SLI": SLI_SPEC,
    "Service": mapping({"description": _DESCRIPTION}),
    "DataSource": mapping(
        {"description": _DESCRIPTION, "type": text(), "connectionDetails": anything},
        required=("type", "connectionDetails"),
    ),
    "AlertPolicy": ALERT_POLICY_SPEC,
    "AlertCondition": ALERT_CONDITION_SPEC,
    "AlertNotificationTarget": ALERT_NOTIFICATION_TARGET_SPEC,
}


@dataclass(frozen=True)
class Document:
    """One OpenSLO document: where it is, its plain values, and whether its shape is right."""

    kind: str
    name: str
    node: Node
    values: dict[str, Any]
    is_sound: bool


def read_openslo(roots: Iterable[Node], problems: Problems) -> list[Document]:
    """The OpenSLO documents among YAML documents, a list at the top standing for its items.

    Reports everything that is wrong with each one's shape, and names that are used twice within a kind.
    """
    documents = []
    first: dict[tuple[str, str], Document] = {}
    for node in _flat(roots):
        document = _read(node, problems)
        if document is None:
            continue
        earlier = first.setdefault((document.kind, document.name), document)
        if document.name and earlier is not document:
            # Shokubai looks up SLOs and indicators by name; the others it only checks.
            is_used = document.kind in ("SLO", "SLI")
            report = problems.error if is_used else problems.warning
            report(
                node.at("metadata", "name"),
                f"another {document.kind} has this name, {earlier.node.file.name}:{earlier.node.line}",
                found=repr(document.name),
            )
            if is_used:
                continue
        documents.append(document)
    return documents


def _flat(roots: Iterable[Node]) -> Iterator[Node]:
    for root in roots:
        if isinstance(root.value, tuple):
            yield from root.items
        else:
            yield root


def _read(node: Node, problems: Problems) -> Document | None:
    kind = node.at("kind")
    if "kind" not in node.mapping:
        problems.error(kind, "is missing, so this is no OpenSLO document", allowed=", ".join(KINDS))
        return None
    if not isinstance(kind.value, str) or kind.value not in KINDS:
        problems.error(
            kind,
            "is no kind of OpenSLO v1",
            found=kind.shown,
            allowed=", ".join(KINDS),
            nearest=nearest(kind.text, KINDS),
        )
        return None
    before = problems.error_count
    if "apiVersion" not in node.mapping:
        problems.error(node.at("apiVersion"), "is missing", allowed=API_VERSION)
    values = _document(kind.value, KINDS[kind.value])(node, problems) or {}
    if kind.value == "SLI":
        check_indicator_shape(node.at("spec"), problems)
    if kind.value == "SLO" and "indicator" in node.at("spec").mapping:
        check_indicator_shape(node.at("spec", "indicator", "spec"), problems)
    for condition in _alert_conditions(node):
        operator = condition.at("op")
        if operator.value in ("lte", "lt"):
            problems.warning(operator, "the alert fires while the budget burns slowly; did you mean gt or gte?")
    name = node.at("metadata", "name").text
    return Document(kind.value, name, node, values, problems.error_count == before)


def _alert_conditions(node: Node) -> Iterator[Node]:
    """The conditions in an alert document, those in its inline parts included."""
    spec = node.at("spec")
    if node.at("kind").value == "AlertCondition":
        yield spec.at("condition")
    for part in (*spec.at("conditions").items, *spec.at("alertPolicies").items):
        yield from _alert_conditions(part)


def check_indicator_shape(spec: Node, problems: Problems) -> None:
    """Report what OpenSLO forbids in combination: two metrics in one indicator, or half a ratio."""
    given = [key for key in ("thresholdMetric", "ratioMetric") if key in spec.mapping]
    if len(given) != 1:
        problems.error(
            spec,
            "an indicator has exactly one metric",
            found=" and ".join(given) or "none",
            allowed="thresholdMetric, ratioMetric",
        )
        return
    ratio = spec.at("ratioMetric")
    parts = [key for key in ("good", "bad", "total", "raw") if key in ratio.mapping]
    if given == ["ratioMetric"] and parts not in (["good", "total"], ["bad", "total"], ["raw"]):
        problems.error(
            ratio,
            "is not a whole ratio",
            found=", ".join(parts) or "none of its parts",
            allowed="good and total, bad and total, or raw with rawType",
        )
    if "raw" in parts and "rawType" not in ratio.mapping:
        problems.error(ratio.at("rawType"), "is missing beside raw", allowed="success, failure")
