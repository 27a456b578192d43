"""Which columns of a table are the request log's: given as ``--column`` or in a mapping file."""

from __future__ import annotations

import types
from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from shokubai.core.errors import UsageError, nearest_spelling
from shokubai.tables.contracts import REQUESTS

_KEYS = ("columns", "where", "unique")


@dataclass(frozen=True)
class Mapping:
    """Contract column → column name or DuckDB SQL expression of the file.

    ``where`` keeps only rows for which it is true; rows with the same values in the columns of ``unique``
    count once. Columns of the file that already have a contract name need no mapping.
    """

    columns: abc.Mapping[str, str] = field(default_factory=lambda: types.MappingProxyType({}))
    where: str = ""
    unique: tuple[str, ...] = ()


def read_mapping(
    file: Path | None = None, *, columns: Sequence[str] = (), where: str = "", unique: Sequence[str] = ()
) -> Mapping:
    """The mapping of a YAML file and of what the command line says, which wins.

    ``columns`` are texts such as ``duration_seconds=duration_ms/1000``. Raises UsageError.
    """
    document = _read(file) if file else {}
    mapped = {
        _contract_column(name, where=f"{file}: columns"): text
        for name, text in (document.get("columns") or {}).items()
    }
    for given in columns:
        name, equals, expression = given.partition("=")
        if not equals or not expression.strip():
            raise UsageError(
                f"--column {given!r}: write it as NAME=COLUMN or NAME=EXPRESSION, "
                "such as duration_seconds=duration_ms/1000"
            )
        mapped[_contract_column(name.strip(), where=f"--column {given!r}")] = expression.strip()
    return Mapping(
        types.MappingProxyType({name: str(text) for name, text in mapped.items()}),
        where or str(document.get("where") or ""),
        tuple(unique) or tuple(document.get("unique") or ()),
    )


def _contract_column(name: Any, *, where: str) -> str:
    if name in REQUESTS.columns:
        return str(name)
    near = nearest_spelling(str(name), list(REQUESTS.columns))
    raise UsageError(
        f"{where}: the request log has no column {name!r}; allowed: {', '.join(REQUESTS.columns)}"
        + (f"; did you mean {near!r}?" if near else "")
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: the mapping cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: is no YAML: {error}") from error
    if not isinstance(document, dict):
        raise UsageError(f"{file}: a mapping file has the keys {', '.join(_KEYS)}; found {document!r}")
    for key in document:
        if key not in _KEYS:
            near = nearest_spelling(str(key), _KEYS)
            raise UsageError(
                f"{file}: key {key!r} is not known; allowed: {', '.join(_KEYS)}"
                + (f"; did you mean {near!r}?" if near else "")
            )
    if not isinstance(document.get("columns") or {}, dict):
        raise UsageError(
            f"{file}: columns maps the request log's columns to the file's; found {document['columns']!r}"
        )
    unique = document.get("unique") or []
    if not isinstance(unique, list) or not all(isinstance(name, str) for name in unique):
        raise UsageError(f"{file}: unique is a list of the file's columns; found {unique!r}")
    return document
