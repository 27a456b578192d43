"""The finding rules, one per file: each module defines one ``RULE``. A new file here is found by itself."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from shokubai.findings.observation import Rule


def rule_names() -> tuple[str, ...]:
    """The name of every rule, which is also that of its file; nothing is imported for it."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def all_rules() -> tuple[Rule, ...]:
    """Every rule, by name."""
    return tuple(import_module(f"{__name__}.{name}").RULE for name in rule_names())
