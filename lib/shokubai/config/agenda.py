"""``agenda_when`` and ``agenda_minutes``: what deserves the weekly conversation, agreed beforehand, its length.

Both may stand in ``organization.yaml``, for all teams, and in ``teams/<name>.yaml``; what a team says goes before it,
key by key. Which rules exist is known to the findings, further up; here only the form is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from shokubai.config.located import Node, Problems
from shokubai.config.model import AGENDA_SEVERITIES, Agenda, Source
from shokubai.config.shape import Reader, choice, listing, mapping, number, pattern, whole_number

OFF = "off"
LEAST_MINUTES = 10
_RULE = pattern(r"[a-z][a-z0-9_]*", "a finding rule's name: lower-case letters, digits and _")


def _or_off(reader: Reader) -> Reader:
    """What the reader reads, or the word off."""

    def read(node: Node, problems: Problems) -> Any:
        return OFF if node.value == OFF else reader(node, problems)

    return read


_SHAPE = mapping(
    {
        "severities": listing(choice(*AGENDA_SEVERITIES), minimum=0),
        "budget_left_below_ratio": _or_off(number(minimum=0, maximum=1)),
        "continuing_weeks": _or_off(whole_number(minimum=2)),
        "always": listing(_RULE, minimum=0),
        "never": listing(_RULE, minimum=0),
    }
)


def _agenda_when(node: Node, problems: Problems) -> dict[str, Any] | None:
    values: dict[str, Any] | None = _SHAPE(node, problems)
    for key in ("severities", "always", "never"):
        parts = node.mapping[key].items if key in node.mapping else ()
        for n, part in enumerate(parts):
            if part.value in [earlier.value for earlier in parts[:n]]:
                problems.error(part, "is listed twice", found=part.shown)
    if values is not None and node.mapping.keys() >= {"always", "never"}:
        for part in node.mapping["never"].items:
            if part.value in values.get("always", ()):
                problems.error(part, "cannot be never and always on the agenda; remove one", found=part.shown)
    return values


AGENDA_KEYS: Mapping[str, Reader] = MappingProxyType(
    {"agenda_when": _agenda_when, "agenda_minutes": whole_number(minimum=LEAST_MINUTES)}
)


def agreed(node: Node, values: Mapping[str, Any], before: Agenda) -> Agenda:
    """What a file that holds AGENDA_KEYS agrees on, where it says nothing as ``before``.

    ``values`` are those read from ``node``. Whoever wants a rule always on the agenda no longer has it in an
    inherited ``never``, nor the other way round.
    """
    said = dict(values.get("agenda_when", {}))
    for key, other in (("always", "never"), ("never", "always")):
        if other in said and key not in said:
            said[key] = tuple(rule for rule in getattr(before, key) if rule not in said[other])
    changes: dict[str, Any] = {key: None if value == OFF else value for key, value in said.items()}
    if "agenda_minutes" in values:
        changes["minutes"] = values["agenda_minutes"]
    when = node.mapping["agenda_when"].mapping if "agenda_when" in node.mapping else {}
    named = [part for key in ("always", "never") if key in when for part in when[key].items]
    sources = {str(part.value): (part.path, Source(part.file, part.line)) for part in named}
    return replace(before, **changes, sources=MappingProxyType({**before.sources, **sources}))
