"""What statements cost in a warehouse that bills for what they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shokubai.config.model import BigQuery
from shokubai.sources.warehouse import Statement

TEBIBYTE = 2**40
LOG = "requests"


def money(amount: float, currency: str) -> str:
    """An amount for people.

    >>> money(0.309, "USD"), money(0.0012, "USD")
    ('0.31 USD', 'under 0.01 USD')
    """
    return f"under 0.01 {currency}" if 0 < amount < 0.01 else f"{amount:.2f} {currency}"


@dataclass(frozen=True)
class Cost:
    """Bytes and money of some statements.

    ``log_bytes`` are the bytes read by those that read the request log itself. ``price`` is what ``bytes_billed``
    cost at the warehouse file's price per TiB, in ``currency``.
    """

    statement_count: int
    bytes_processed: int
    bytes_billed: int
    log_bytes: int
    price: float
    currency: str

    @classmethod
    def of(cls, statements: Iterable[Statement], settings: BigQuery, *, billed: int) -> Cost:
        """What statements that were run have cost. ``billed`` counts also those whose rows never arrived."""
        run = list(statements)
        return cls(
            statement_count=len(run),
            bytes_processed=sum(s.bytes or 0 for s in run),
            bytes_billed=billed,
            log_bytes=sum(s.bytes or 0 for s in run if LOG in s.tables),
            price=billed / TEBIBYTE * settings.price_per_tib,
            currency=settings.currency,
        )

    def plus(self, other: Cost) -> Cost:
        """Both together. They are of one warehouse, so in one currency."""
        return Cost(
            statement_count=self.statement_count + other.statement_count,
            bytes_processed=self.bytes_processed + other.bytes_processed,
            bytes_billed=self.bytes_billed + other.bytes_billed,
            log_bytes=self.log_bytes + other.log_bytes,
            price=self.price + other.price,
            currency=self.currency,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Cost:
        return cls(**values)
