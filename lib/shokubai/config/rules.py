"""``rules.yaml``: thresholds of the finding rules, each with its reason.

Which rules and thresholds exist is known to the findings, further up; here only the form is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

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
    return Rules(
        MappingProxyType(
            {
                rule: MappingProxyType({name: entry["value"] for name, entry in thresholds.items()})
                for rule, thresholds in values.items()
            }
        ),
        MappingProxyType({part.path: Source(part.file, part.line) for part in _parts(node)}),
    )


def _parts(node: Node) -> Iterator[Node]:
    """The nodes of every rule and every threshold; their paths are ``rule`` and ``rule.threshold``."""
    for rule in node.mapping.values():
        yield rule
        yield from rule.mapping.values()
