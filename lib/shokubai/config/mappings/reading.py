"""The files of the ready mappings, read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shokubai.config.located import Node, Problems, nearest, read_documents
from shokubai.config.mappings.expansion import expand
from shokubai.config.mappings.model import ReadyMapping, Variant
from shokubai.config.shape import Reader, entries, listing, mapping, one_or_more, text

FOLDER = Path(__file__).parent

_NEEDS: Reader = entries(one_or_more(text()))
_VARIANTS: Reader = one_or_more(mapping({"sql": text(), "needs": _NEEDS}, required=("sql",)))
_FILE: Reader = mapping(
    {
        "title": text(),
        "follows": text(),
        "table": text(),
        "recognised_by": _NEEDS,
        "columns": entries(_VARIANTS),
        "rows": listing(_VARIANTS),
        "notes": listing(text()),
    },
    required=("title", "follows", "table", "recognised_by", "columns"),
)


@lru_cache(maxsize=1)
def mapping_names() -> tuple[str, ...]:
    """The names of all ready mappings, sorted."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))


@lru_cache(maxsize=1)
def ready_mappings() -> tuple[ReadyMapping, ...]:
    """All ready mappings, by name."""
    return tuple(ready_mapping(name) for name in mapping_names())


@lru_cache(maxsize=64)
def ready_mapping(name: str) -> ReadyMapping:
    """The mapping in ``<name>.yaml``, with its macros put in."""
    return read_mapping(FOLDER / f"{name}.yaml")


def read_mapping(file: Path) -> ReadyMapping:
    """The mapping in a file. Raises ValueError with every problem, since these files come with the package."""
    problems = Problems()
    documents = read_documents(file, problems)
    values = _FILE(documents[0], problems) if len(documents) == 1 else None
    if problems.found or values is None:
        raise ValueError("\n".join(map(str, problems.found)) or f"{file}: must hold one document")
    return ReadyMapping(
        name=file.stem,
        title=values["title"],
        follows=values["follows"],
        table=values["table"],
        recognised_by=MappingProxyType(values["recognised_by"]),
        columns=MappingProxyType({name: _variants(given) for name, given in values["columns"].items()}),
        rows=tuple(_variants(given) for given in values.get("rows", ())),
        notes=tuple(values.get("notes", ())),
    )


def reader_for(table: str) -> Reader:
    """What may stand behind ``mapping:`` of one of the contract's tables: the name of a mapping that gives it."""

    def read(node: Node, problems: Problems) -> str | None:
        name: str | None = text()(node, problems)
        if name is None:
            return None
        fitting = [each.name for each in ready_mappings() if each.table == table]
        allowed = ", ".join(fitting) or f"none gives {table}; map its columns"
        if name not in mapping_names():
            problems.error(
                node,
                "there is no such ready mapping",
                found=node.shown,
                allowed=allowed,
                nearest=nearest(name, mapping_names()),
            )
        elif name not in fitting:
            problems.error(
                node, f"is a mapping for tables.{ready_mapping(name).table}", found=node.shown, allowed=allowed
            )
        else:
            return name
        return None

    return read


def _variants(given: tuple[Mapping[str, Any], ...]) -> tuple[Variant, ...]:
    return tuple(Variant(expand(each["sql"].strip()), MappingProxyType(each.get("needs", {}))) for each in given)
