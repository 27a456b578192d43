"""The packaged thresholds of the rules: ``rules.yaml`` beside this file, each value with its reason."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from shokubai.config.model import Rules


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


def unknown_thresholds(rules: Rules) -> tuple[str, ...]:
    """Names in ``rules`` that no rule reads: ``rule`` or ``rule.threshold``. They would be ignored silently."""
    known = default_rules().values
    names = []
    for rule, thresholds in rules.values.items():
        if rule not in known:
            names.append(rule)
        else:
            names += [f"{rule}.{name}" for name in thresholds if name not in known[rule]]
    return tuple(names)
