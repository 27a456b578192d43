"""``rules.yaml``, and ``rules:`` in a team's file: thresholds of the finding rules, each with its reason.

Which rules and thresholds exist is known to the findings, further up; here only the form is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from shokubai.config.located import Node, Problems
from shokubai.config.model import Rules, Source
from shokubai.config.shape import entries, mapping, number, pattern, text

_NAME = pattern(r"[a-z][a-z0-9_]*", "lower-case letters, digits and _")

RULES = entries(
    entries(mapping({"value": number(), "reason": text()}, required=("value", "reason")), key=_NAME), key=_NAME
)


def read_rules(node: Node, problems: Problems) -> Rules | None:
    """The thresholds, or None after reporting what is wrong."""
    before = problems.error_count
    values = RULES(node, problems)
    if problems.error_count > before:
        return None
    return rules_of(values, node)


def rules_of(values: Mapping[str, Any], node: Node) -> Rules:
    """The thresholds that ``RULES`` has read from a node."""
    return Rules(
        MappingProxyType(
            {
                rule: MappingProxyType({name: entry["value"] for name, entry in thresholds.items()})
                for rule, thresholds in values.items()
            }
        ),
        MappingProxyType({name: Source(part.file, part.line) for name, part in _parts(node)}),
        MappingProxyType(
            {
                f"{rule}.{name}": entry["reason"]
                for rule, thresholds in values.items()
                for name, entry in thresholds.items()
            }
        ),
        node.path,
    )


def _parts(node: Node) -> Iterator[tuple[str, Node]]:
    """The nodes of every rule and every threshold, called ``rule`` and ``rule.threshold``."""
    for rule, thresholds in node.mapping.items():
        yield rule, thresholds
        for name, entry in thresholds.mapping.items():
            yield f"{rule}.{name}", entry
