"""``teams/<name>.yaml``: a development team, what it owns, and the thresholds that it has set for itself."""

from __future__ import annotations

from shokubai.config.agenda import AGENDA_KEYS, agreed
from shokubai.config.located import Node, Problems
from shokubai.config.model import LANGUAGES, Agenda, Language, Ownership, Source, Team
from shokubai.config.routes import route_patterns
from shokubai.config.rules import RULES, rules_of
from shokubai.config.shape import choice, known, listing, mapping, text, whole_number, words
from shokubai.config.supporter import supporter

# The folder of the organisation's own reports, beside those of the teams.
RESERVED = ("organization",)
OWNERSHIP = mapping({"service": text(), "routes": route_patterns}, required=("service",))


def read_team(
    node: Node, problems: Problems, *, name: str, language: Language, agenda: Agenda, warehouses: frozenset[str]
) -> Team | None:
    """The team called ``name``, or None after reporting what is wrong.

    ``language`` and ``agenda`` are the organisation's, for teams that say none; ``warehouses`` are the defined ones.
    """
    before = problems.error_count
    if name in RESERVED:
        problems.error(
            Node(node.file, 1),
            "has a name that cannot be used, because the organisation's own reports go to a folder of that name",
            found=repr(name),
            allowed=f"any but {', '.join(RESERVED)}",
        )
    shape = mapping(
        {
            "name": words,
            "language": choice(*LANGUAGES),
            "site": text(),
            "members": whole_number(minimum=1),
            "contact": text(),
            "sre": supporter,
            "warehouse": known("warehouse", warehouses),
            "owns": listing(OWNERSHIP),
            **AGENDA_KEYS,
            "rules": RULES,
        },
        required=("name", "owns"),
    )
    values = shape(node, problems)
    if problems.error_count > before:
        return None
    owns = tuple(Ownership(owned["service"], owned.get("routes", ())) for owned in values["owns"])
    _check_ownership(owns, node, problems)
    if problems.error_count > before:
        return None
    return Team(
        name=name,
        display_name=values["name"],
        language=values.get("language", language),
        owns=owns,
        source=Source(node.file, node.line),
        site=values.get("site", ""),
        members=values.get("members"),
        contact=values.get("contact", ""),
        sre=values.get("sre"),
        warehouse=values.get("warehouse"),
        agenda=agreed(node, values, agenda),
        rules=rules_of(values.get("rules", {}), node.at("rules")),
    )


def _check_ownership(owns: tuple[Ownership, ...], node: Node, problems: Problems) -> None:
    seen: dict[tuple[str, frozenset[str]], int] = {}
    whole = {owned.service for owned in owns if not owned.routes}
    for n, owned in enumerate(owns):
        place = node.at("owns", n)
        first = seen.setdefault((owned.service, frozenset(owned.routes)), n)
        if first != n:
            line = node.at("owns", first).line
            problems.error(place, f"the same is listed twice, first on line {line}", found=repr(owned.service))
        elif owned.routes and owned.service in whole:
            problems.warning(
                place.at("routes"), f"has no effect: the team owns {owned.service!r} whole by another item"
            )
