"""``sre:`` in ``organization.yaml`` or in a team's file: who of SRE helps when something is handed over."""

from __future__ import annotations

from shokubai.config.located import Node, Problems
from shokubai.config.model import Supporter
from shokubai.config.shape import mapping, text

_SUPPORTER = mapping({"name": text(longest=120), "contact": text(longest=120)}, required=("name",))


def supporter(node: Node, problems: Problems) -> Supporter | None:
    """A name, and a contact if there is one."""
    before = problems.error_count
    values = _SUPPORTER(node, problems)
    return None if problems.error_count > before else Supporter(**values)
