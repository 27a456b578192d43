"""What an SLO counts in the request log: metric sources of type ``shokubai``.

availability, a ratio of counts:

    ratioMetric:
      counter: true
      good:  {metricSource: {type: shokubai, spec: {requests: successful}}}     # or bad: … {requests: failed}
      total: {metricSource: {type: shokubai, spec: {requests: all, routes: ["/v1/*"], failed_statuses: ["5xx"]}}}

latency, where the objective's ``value`` is in seconds:

    thresholdMetric: {metricSource: {type: shokubai, spec: {column: duration_seconds, routes: ["/v1/invoices*"]}}}

``routes`` and ``failed_statuses`` may be left out: then all routes count, and 5xx is failed.
"""

from __future__ import annotations

from typing import Any

from shokubai.config.located import Node, Problems, nearest
from shokubai.config.model import Indicator
from shokubai.config.routes import route_patterns
from shokubai.config.shape import Reader, choice, listing, mapping

METRIC_SOURCE_TYPE = "shokubai"


def _status(node: Node, problems: Problems) -> tuple[int, int] | None:
    """A status (429) or a class of them (5xx), as an inclusive range."""
    text = node.text.lower()
    if len(text) == 3 and text.isascii() and text[0] in "12345":
        if text[1:] == "xx":
            return int(text[0]) * 100, int(text[0]) * 100 + 99
        if text.isdigit():
            return int(text), int(text)
    problems.error(
        node, "is no HTTP status", found=node.shown, allowed='a status such as 429 or a class such as "5xx"'
    )
    return None


_SCOPE: dict[str, Reader] = {"routes": route_patterns, "failed_statuses": listing(_status)}
_SPECS = {
    "good": mapping({"requests": choice("successful")}, required=("requests",)),
    "bad": mapping({"requests": choice("failed")}, required=("requests",)),
    "total": mapping({"requests": choice("all"), **_SCOPE}, required=("requests",)),
    "thresholdMetric": mapping({"column": choice("duration_seconds"), **_SCOPE}, required=("column",)),
}


def foreign_source(spec: Node) -> Node | None:
    """The first metric source in an indicator that another tool must read, at its type; None when there is none."""
    ratio = spec.at("ratioMetric")
    for metric in (spec.at("thresholdMetric"), *(ratio.at(part) for part in ("good", "bad", "total", "raw"))):
        source = metric.at("metricSource")
        kind = source.at("type")
        if isinstance(kind.value, str) and not nearest(kind.value, [METRIC_SOURCE_TYPE]):
            return kind
        if kind.value is None and "metricSourceRef" in source.mapping:
            return source.at("metricSourceRef")
    return None


def read_indicator(spec: Node, problems: Problems) -> Indicator | None:
    """The indicator of an SLI's ``spec`` without its threshold, or None after reporting what is wrong."""
    before = problems.error_count
    values: dict[str, Any] | None
    if "thresholdMetric" in spec.mapping:
        values = _source_spec(spec.at("thresholdMetric"), "thresholdMetric", problems)
    else:
        values = _read_ratio(spec.at("ratioMetric"), problems)
    if problems.error_count > before or values is None:
        return None
    statuses = values.get("failed_statuses", Indicator.error_statuses)
    return Indicator(
        kind="latency" if "thresholdMetric" in spec.mapping else "availability",
        routes=values.get("routes", ()),
        error_statuses=tuple(sorted(set(statuses))),
    )


def _read_ratio(ratio: Node, problems: Problems) -> dict[str, Any] | None:
    if "raw" in ratio.mapping:
        problems.error(
            ratio.at("raw"), "the request log has counts, no raw ratios", allowed="good and total, bad and total"
        )
        return None
    if ratio.at("counter").value is False:
        problems.error(ratio.at("counter"), "requests are counted", found="false", allowed="true")
    part = "good" if "good" in ratio.mapping else "bad"
    _source_spec(ratio.at(part), part, problems)
    return _source_spec(ratio.at("total"), "total", problems)


def _source_spec(metric: Node, role: str, problems: Problems) -> dict[str, Any] | None:
    source = metric.at("metricSource")
    kind = source.at("type")
    if kind.value is None:
        problems.error(kind, "is missing", allowed=METRIC_SOURCE_TYPE)
    elif kind.value != METRIC_SOURCE_TYPE:
        problems.error(
            kind, "has an unknown value", found=kind.shown, allowed=METRIC_SOURCE_TYPE, nearest=METRIC_SOURCE_TYPE
        )
    values: dict[str, Any] | None = _SPECS[role](source.at("spec"), problems)
    return values
