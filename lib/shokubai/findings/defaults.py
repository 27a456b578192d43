"""The packaged thresholds of the rules: ``rules.yaml`` beside this file, each value with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from shokubai.config.model import Parameters, Rules
from shokubai.core.errors import Problem, nearest_spelling


def default_rules_text() -> str:
    """The packaged ``rules.yaml`` as text, ready to be written into a parameters folder and edited."""
    return (files("shokubai.findings") / "rules.yaml").read_text(encoding="utf-8")


@cache
def default_rules() -> Rules:
    """The packaged thresholds, used wherever a parameter file names no other."""
    document = yaml.safe_load(default_rules_text())
    return Rules(
        MappingProxyType(
            {
                rule: MappingProxyType({name: float(entry["value"]) for name, entry in thresholds.items()})
                for rule, thresholds in document.items()
            }
        )
    )


def unknown_thresholds(parameters: Parameters) -> tuple[Problem, ...]:
    """Rules and thresholds of the organisation and of teams that nothing reads: they would be ignored silently."""
    given = (parameters.rules, *(team.rules for team in parameters.teams.values()))
    return tuple(problem for rules in given for problem in unknown_among(rules))


def unknown_among(rules: Rules) -> tuple[Problem, ...]:
    """The same of the thresholds in one file."""
    known = default_rules().values
    problems = []
    for rule, thresholds in rules.values.items():
        if rule not in known:
            problems.append(_unknown(rules, rule, f"no rule is called {rule!r}", rule, sorted(known)))
            continue
        problems += [
            _unknown(rules, f"{rule}.{name}", f"rule {rule!r} has no threshold {name!r}", name, sorted(known[rule]))
            for name in thresholds
            if name not in known[rule]
        ]
    return tuple(problems)


def _unknown(rules: Rules, where: str, message: str, found: str, allowed: Sequence[str]) -> Problem:
    source = rules.sources[where]
    near = nearest_spelling(found, allowed)
    place = f"{rules.place}.{where}" if rules.place else where
    return Problem(source.file, source.line, place, message, allowed=", ".join(allowed), nearest=near)
