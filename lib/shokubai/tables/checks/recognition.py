"""Which ready mapping fits a table, and how near the others are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shokubai.config.mappings import ReadyMapping, ready_mappings
from shokubai.config.mappings.model import Schema
from shokubai.sources.bigquery_mapping import Fit, fit
from shokubai.tables.contracts import OPTIONAL_COLUMNS, RAW_TABLES


@dataclass(frozen=True)
class Recognition:
    """How a mapping fits a table. ``unrecognised`` says which fields of tables of its kind are missing."""

    mapping: ReadyMapping
    fit: Fit
    unrecognised: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.unrecognised and not self.fit.lacking

    @property
    def lacks(self) -> tuple[str, ...]:
        """All that is missing, in words."""
        own = [each for each in self.fit.lacking if not any(said in each for said in self.unrecognised)]
        return (*self.unrecognised, *own)

    @property
    def recognised(self) -> tuple[str, ...]:
        """The fields that tell what kind of table it is and are there."""
        missing = {said.partition(" ")[0] for said in self.unrecognised}
        return tuple(path for path in self.mapping.recognised_by if path not in missing)


def recognise(schema: Schema, mappings: Sequence[ReadyMapping] | None = None) -> tuple[Recognition, ...]:
    """Every ready mapping, the best first: those that fit, by how much tells them, then those that lack least."""
    found = [_recognised(mapping, schema) for mapping in (ready_mappings() if mappings is None else mappings)]
    return tuple(
        sorted(found, key=lambda r: (not r.fits, len(r.lacks) if not r.fits else -len(r.recognised), r.mapping.name))
    )


def _recognised(mapping: ReadyMapping, schema: Schema) -> Recognition:
    contract = RAW_TABLES[mapping.table]
    found = fit(mapping, schema, contract, optional=OPTIONAL_COLUMNS[mapping.table])
    return Recognition(mapping, found, tuple(mapping.unrecognised(schema)))
