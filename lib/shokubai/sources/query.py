"""Named queries: GoogleSQL in ``.sql`` files whose header declares every parameter with its type."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files

from shokubai.core.errors import NotPortableError
from shokubai.sources.dialect import Translation, translate

_DECLARATION = re.compile(r"@(\w+) ((?:ARRAY|STRUCT|STRING|INT64|FLOAT64|BOOL|TIMESTAMP)[^:]*):")


@dataclass(frozen=True)
class Query:
    """One SELECT in GoogleSQL.

    The comment at the top says what one row is and declares each parameter as ``@name TYPE: meaning``.
    """

    name: str
    text: str
    file: str

    @property
    def sha256(self) -> str:
        """The hash of the text, by which reports name what was run."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def types(self) -> Mapping[str, str]:
        """The GoogleSQL type of each declared parameter."""
        header = []
        for line in self.text.splitlines():
            if not line.startswith("--"):
                break
            header.append(line.removeprefix("--").strip())
        return {name: " ".join(type_.split()) for name, type_ in _DECLARATION.findall(" ".join(header))}

    @cached_property
    def translation(self) -> Translation:
        """The query in DuckDB's dialect. Raises NotPortableError."""
        translation = translate(self.text, types=tuple(self.types.items()), file=self.file)
        if undeclared := sorted(set(translation.parameters) - set(self.types)):
            raise NotPortableError(f"{self.file}:1: the header does not declare @{', @'.join(undeclared)}")
        if unused := sorted(set(self.types) - set(translation.parameters)):
            raise NotPortableError(f"{self.file}:1: the header declares what is not used: @{', @'.join(unused)}")
        return translation


@lru_cache(maxsize=256)
def load_query(package: str, name: str) -> Query:
    """The query ``name.sql`` of a package of ours, checked to be portable.

    Raises NotPortableError with file and line of every construct whose translation is not proven.
    """
    text = files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8")
    query = Query(name, text, f"{package.replace('.', '/')}/{name}.sql")
    _ = query.translation
    return query
