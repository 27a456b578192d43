"""``runs/<name>.yaml``: which notebooks for which teams on which warehouse."""

from __future__ import annotations

from datetime import datetime

from shokubai.config.located import Node, Problems
from shokubai.config.model import Run, Source
from shokubai.config.shape import known, listing, mapping, pattern, text

NOTEBOOK = pattern(r"\w[\w-]*", "a notebook's file name without folder and without .ipynb")
# Folders beside those of the runs, under outputs/.
RESERVED = ("demo", "imports", "tables")


def _instant(node: Node, problems: Problems) -> datetime | None:
    value: str | None = text()(node, problems)
    if value is None:
        return None
    allowed = "a time with its offset from UTC, such as 2026-11-02T00:00:00+09:00"
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        problems.error(node, "is no time", found=node.shown, allowed=allowed)
        return None
    if instant.tzinfo is None:
        problems.error(node, "has no time zone", found=node.shown, allowed=allowed)
        return None
    return instant


def read_run(
    node: Node, problems: Problems, *, name: str, teams: frozenset[str], warehouses: frozenset[str]
) -> Run | None:
    """The run called ``name``, or None after reporting what is wrong."""
    before = problems.error_count
    if name in RESERVED:
        problems.error(
            Node(node.file, 1),
            "has a name that cannot be used, because outputs/ has a folder of that name for something else",
            found=repr(name),
            allowed=f"any but {', '.join(RESERVED)}",
        )
    team = known("team", teams)

    def all_or_some(given: Node, problems: Problems) -> tuple[str, ...] | None:
        if given.value == "all":
            return ()
        if not isinstance(given.value, tuple):
            problems.error(given, "must be all or a list of teams", found=given.shown)
            return None
        names: tuple[str, ...] | None = listing(team)(given, problems)
        return names

    shape = mapping(
        {
            "team_notebooks": listing(NOTEBOOK, minimum=0),
            "organization_notebooks": listing(NOTEBOOK, minimum=0),
            "warehouse": known("warehouse", warehouses),
            "teams": all_or_some,
            "as_of": _instant,
        },
        required=("warehouse",),
    )
    values = shape(node, problems)
    if problems.error_count > before:
        return None
    for key in ("team_notebooks", "organization_notebooks", "teams"):
        for n, item in enumerate(values.get(key, ())):
            if item in values[key][:n]:
                problems.error(node.at(key, n), "is listed twice", found=repr(item))
    if not values.get("team_notebooks") and not values.get("organization_notebooks"):
        problems.error(
            node.at("team_notebooks"), "the run has no notebook; name one here or in organization_notebooks"
        )
    if problems.error_count > before:
        return None
    return Run(
        name=name,
        team_notebooks=values.get("team_notebooks", ()),
        organization_notebooks=values.get("organization_notebooks", ()),
        warehouse=values["warehouse"],
        source=Source(node.file, node.line),
        teams=tuple(values.get("teams", ())),
        as_of=values.get("as_of"),
    )
