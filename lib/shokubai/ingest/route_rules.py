"""The organisation's own route templates, which win over the built-in ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from shokubai.core.errors import UsageError


@dataclass(frozen=True)
class RouteRule:
    """One rule: paths that match become ``route``, a literal text.

    ``match`` is a regular expression when it begins with ``^`` (it must match the whole path), else a glob in
    which ``*`` stays within a segment and ``**`` does not. Both see the decoded path without its query.
    """

    match: str
    route: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        if self.match.startswith("^"):
            return re.compile(self.match)
        parts = re.split(r"(\*\*|\*|\?)", self.match)
        wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
        return re.compile("".join(wild.get(part, re.escape(part)) for part in parts))

    def __call__(self, path: str) -> str | None:
        return self.route if self.pattern.fullmatch(path) else None


EXAMPLE = '- {match: "/files/**", route: "/files/*"}'


def read_route_rules(file: Path) -> tuple[RouteRule, ...]:
    """The rules of a YAML file, a list of ``match`` and ``route``, first match first.

    Raises UsageError with the file, the item and what is allowed.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: the route rules cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: is no YAML: {error}") from error
    if not isinstance(document, list):
        raise UsageError(f"{file}: route rules are a list of match and route, such as {EXAMPLE}")
    rules = []
    for number, item in enumerate(document, 1):
        where = f"{file}: rule {number}"
        if (
            not isinstance(item, dict)
            or set(item) != {"match", "route"}
            or not all(isinstance(v, str) and v for v in item.values())
        ):
            raise UsageError(f"{where}: found {item!r}; allowed: match and route, both text, such as {EXAMPLE}")
        rule = RouteRule(item["match"], item["route"])
        try:
            _ = rule.pattern
        except re.error as error:
            raise UsageError(f"{where}: {rule.match!r} is no regular expression: {error}") from error
        rules.append(rule)
    return tuple(rules)
