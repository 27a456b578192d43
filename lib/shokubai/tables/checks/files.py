"""A warehouse of files: are they there, and do their columns fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shokubai.config.model import Warehouse
from shokubai.core.errors import ShokubaiError
from shokubai.sources import find_files
from shokubai.sources.bigquery_cost import in_units
from shokubai.tables.checks.finding import Finding, not_mapped
from shokubai.tables.opening import resolve_pattern
from shokubai.tables.store import Tables


def check_files(described: Warehouse, tables: Tables, *, parameters_dir: Path, outputs: Path) -> Iterator[Finding]:
    """What there is to say of each table of the contract. No row is read."""
    for name, source in described.tables.items():
        said_at = f"warehouse {described.name} ({source.source or described.source})"
        try:
            pattern = resolve_pattern(source, parameters_dir=parameters_dir, outputs=outputs)
            files = find_files(pattern, said_at=said_at, table=name)
            tables.warehouse.sql(f"SELECT * FROM {name} LIMIT 0")
        except ShokubaiError as error:
            yield Finding("error", name, str(error))
            continue
        count = f"{len(files)} file{'' if len(files) == 1 else 's'}"
        yield Finding("ok", name, f"{count}, {in_units(sum(file.stat().st_size for file in files))}; the columns fit")
    yield from not_mapped(described)
