"""A table in BigQuery: how its columns become the contract's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from shokubai.config.mappings import ReadyMapping
from shokubai.config.mappings.model import Schema
from shokubai.core.errors import DataError, nearest_spelling
from shokubai.core.frames import FrameContract
from shokubai.sources.bigquery_mapping import fit
from shokubai.sources.bigquery_text import indented, quoted

_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_CONSTANTS = {"null", "true", "false"}
_ENGINE_TYPES = {"NULLABLE_INT64": "INT64"}
_NUMBERS = {"INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC"}
# What to write in the mapping where a column's type is wrong, by what is wanted; {} is the column.
_HINTS = {
    "TIMESTAMP": {
        "STRING": "TIMESTAMP({})",
        "INT64": "TIMESTAMP_SECONDS({}), TIMESTAMP_MILLIS({}) or TIMESTAMP_MICROS({})",
    },
    "INT64": {
        "STRING": "SAFE_CAST({} AS INT64)",
        "FLOAT64": "CAST(ROUND({}) AS INT64)",
        "JSON": "LAX_INT64({})",
    },
    "FLOAT64": {
        "STRING": r"SAFE_CAST(REGEXP_EXTRACT({}, r'^([0-9.eE+-]+)s?$') AS FLOAT64)",
        "STRUCT": "{}.seconds + {}.nanos / 1e9",
        "JSON": "LAX_FLOAT64({})",
    },
    "STRING": {"JSON": "JSON_VALUE({})", "BYTES": "SAFE_CONVERT_BYTES_TO_STRING({})"},
}
# The date in the names of tables sharded by day is that of UTC; other tables may begin with the same name.
_SHARDS = (
    "_TABLE_SUFFIX BETWEEN FORMAT_TIMESTAMP('%Y%m%d', @start, 'UTC')"
    " AND FORMAT_TIMESTAMP('%Y%m%d', TIMESTAMP_SUB(@end, INTERVAL 1 MICROSECOND), 'UTC')"
    "\n  AND LENGTH(_TABLE_SUFFIX) = 8"
)
# An entry may come late, but not before its time: Cloud Logging takes timestamps up to a day ahead. What was streamed
# in a moment ago is in no partition yet.
_INGESTED = (
    "(_PARTITIONTIME IS NULL OR _PARTITIONTIME >= "
    "TIMESTAMP_TRUNC(TIMESTAMP_SUB(@start, INTERVAL 24 HOUR), {unit}, 'UTC'))"
)


@dataclass(frozen=True)
class BigQueryTable:
    """One table of a warehouse, at ``address`` (``project.dataset.table``; tables sharded by day end in ``*``).

    ``columns`` maps a column of the contract to the table's column, a nested field or a GoogleSQL expression; a
    column that is not mapped has the contract's name. ``optional`` columns may be missing. ``said_at`` is where
    the table is described, for messages.

    A ready ``mapping`` takes the place of names: once the schema is known, ``fitted`` gives the table with its
    columns, with its row conditions as ``rows``, and as ``absent`` the columns that are not there. ``columns`` go
    before it.

    ``ingested_by`` is the unit (HOUR, DAY, MONTH, YEAR) of a table that is partitioned by the time of ingestion.
    """

    contract: FrameContract
    address: str
    said_at: str
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    where: str = ""
    optional: tuple[str, ...] = ()
    mapping: ReadyMapping | None = None
    rows: tuple[str, ...] = ()
    ingested_by: str = ""
    absent: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.contract.name

    @property
    def is_sharded(self) -> bool:
        return self.address.endswith("*")

    @property
    def identity(self) -> str:
        """All that decides which rows it gives; it does not depend on the schema."""
        said = (self.address, sorted(self.columns.items()), self.where)
        return repr((*said, self.mapping.identity) if self.mapping else said)

    def fitted(self, schema: Schema) -> BigQueryTable:
        """The table with what its ready mapping says of this schema; without a mapping, as it is.

        Raises DataError for what the table lacks.
        """
        if self.mapping is None:
            return self
        found = fit(self.mapping, schema, self.contract, optional=self.optional, mapped=self.columns)
        if found.lacking:
            head = f"{self.said_at}: table {self.name}: {self.address} does not fit mapping {self.mapping.name}"
            raise DataError(
                "\n".join(f"{head}: {each}" for each in found.lacking)
                + f"\nMap what is called otherwise in tables.{self.name}.columns, or see what fits: "
                f"`shokubai doctor WAREHOUSE --table {self.address}`"
            )
        return replace(
            self,
            columns=MappingProxyType({**found.columns, **self.columns}),
            mapping=None,
            rows=found.rows,
            absent=frozenset(found.absent),
        )

    def expressions(self, schema: Schema) -> dict[str, str]:
        """The mapped expressions whose type the schema does not tell, by the contract's column.

        Raises DataError for a column that the table does not have.
        """
        return {name: expression for name, (expression, type_) in self._found(schema).items() if type_ is None}

    def missing_columns(self, schema: Schema) -> list[str]:
        """The optional columns that the table does not have; they are NULL. Raises DataError for a required one."""
        found = self._found(schema)
        return [name for name in self.contract.columns if name not in found]

    def raw(self, schema: Schema) -> str:
        """The SELECT of the mapped columns as they are, from which the types of expressions can be learnt."""
        chosen = [f"{expression} AS {quoted(name)}" for name, (expression, _) in self._found(schema).items()]
        return self._select(chosen, is_bounded=True)

    def definition(self, schema: Schema, types: Mapping[str, str], *, is_bounded: bool = True) -> str:
        """The SELECT that gives the contract's columns in their types.

        ``types`` are those of ``expressions``. Civil times are taken as UTC; negative and infinite durations
        become NULL. ``is_bounded`` says that the statement has @start and @end. Raises DataError for a missing
        column or a wrong type.
        """
        found = self._found(schema)
        chosen = []
        for name, column in self.contract.columns.items():
            wanted = _ENGINE_TYPES.get(column.type, column.type)
            if name not in found:
                chosen.append(f"CAST(NULL AS {wanted}) AS {quoted(name)}")
                continue
            expression, type_ = found[name]
            type_ = type_ or types.get(name, "of a type that BigQuery does not tell")
            value = _converted(expression, type_, wanted)
            if value is None:
                raise DataError(self._wrong_type(name, expression, type_, wanted))
            if name == "duration_seconds":  # a load balancer's −1 says that there was no answer
                value = f"IF({value} >= 0 AND {value} < CAST('inf' AS FLOAT64), {value}, NULL)"
            chosen.append(f"{value} AS {quoted(name)}")
        return self._select(chosen, is_bounded=is_bounded)

    def source_column(self, name: str) -> str:
        """The table's own column behind a contract's column in lower case, empty when it is an expression."""
        wanted = self.columns.get(name, name)
        return wanted.lower() if _is_path(wanted) else ""

    def _select(self, chosen: list[str], *, is_bounded: bool) -> str:
        conditions = [in_parentheses(each) for each in (*self.rows, self.where) if each]
        # Of requests and metrics a statement reads what lies in its window; an incident may have begun long before.
        is_bounded = is_bounded and "timestamp" in self.contract.columns
        if self.is_sharded and is_bounded:
            conditions.append(_SHARDS)
        if self.ingested_by and is_bounded:
            conditions.append(_INGESTED.format(unit=self.ingested_by))
        columns = ",\n".join(f"  {column}" for column in chosen)
        where = "\nWHERE " + "\n  AND ".join(conditions) if conditions else ""
        return f"SELECT\n{columns}\nFROM {quoted(self.address)}{where}"

    def _found(self, schema: Schema) -> dict[str, tuple[str, str | None]]:
        """The expression behind each column of the contract that is there, and its type where the schema says it."""
        found: dict[str, tuple[str, str | None]] = {}
        missing = []
        for name in self.contract.columns:
            if name in self.absent:
                continue
            expression = self.columns.get(name, name)
            if not _is_path(expression):
                found[name] = (in_parentheses(expression), None)
            elif (type_ := schema.get(expression.lower())) is not None:
                found[name] = (expression if "." in expression else quoted(expression), type_)
            elif name in self.columns or name not in self.optional:
                missing.append(self._missing(name, expression, schema))
        if missing:
            raise DataError("\n".join(missing))
        return found

    def _missing(self, name: str, expression: str, schema: Schema) -> str:
        message = f"{self.said_at}: table {self.name}: {self.address} has no column {expression}"
        if name not in self.columns:
            message += f"; it is required: map it in tables.{self.name}.columns.{name}"
        if near := nearest_spelling(expression.lower(), sorted(schema)):
            message += f"; did you mean {near!r}?"
        return message + f"\n{self.address} has: {', '.join(sorted(schema)) or 'no columns'}"

    def _wrong_type(self, name: str, expression: str, found: str, wanted: str) -> str:
        plain = expression.strip("`")
        hint = _HINTS.get(wanted, {}).get(found.partition("<")[0], "")
        advice = f": write {hint.replace('{}', plain)}" if hint else f" to {wanted}"
        return (
            f"{self.said_at}: table {self.name}: column {name} must be {wanted}, but {plain} is {found} in "
            f"{self.address}\nConvert it in the warehouse file, tables.{self.name}.columns.{name}{advice}"
        )


def in_parentheses(expression: str) -> str:
    """The expression as one operand; one of several lines gets lines of its own."""
    return f"(\n{indented(expression, 4)}\n  )" if "\n" in expression else f"({expression})"


def _is_path(expression: str) -> bool:
    return bool(_PATH.fullmatch(expression)) and expression.lower() not in _CONSTANTS


def _converted(expression: str, found: str, wanted: str) -> str | None:
    """The expression in the wanted type, None where that would be guessing."""
    if found == wanted:
        return expression
    if wanted == "TIMESTAMP" and found in ("DATETIME", "DATE"):
        return f"TIMESTAMP({expression}, 'UTC')"
    if wanted == "STRING" and found == "INT64":
        return f"CAST({expression} AS STRING)"
    if wanted == "FLOAT64" and found in _NUMBERS:
        return f"CAST({expression} AS FLOAT64)"
    return None
