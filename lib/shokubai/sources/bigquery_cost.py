"""What reading costs, and the refusal to read more than the parameters allow."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from shokubai.config.model import BigQuery
from shokubai.core.errors import CostError
from shokubai.sources.bigquery_statement import Estimate, Text
from shokubai.sources.cost import TEBIBYTE, money

LEAST_BILLED = 10 * 2**20  # https://cloud.google.com/bigquery/pricing


class CostGuard:
    """The caps of a warehouse, and how much of the one for everything is used. Several threads may use it.

    ``where`` says in messages which warehouse it is.
    """

    def __init__(self, settings: BigQuery, *, where: str) -> None:
        self.settings = settings
        self.where = where
        self.bytes_billed = 0
        self._reserved = 0
        self._lock = threading.Lock()

    def allow(self, estimates: Sequence[tuple[Text, Estimate]], *, what: str) -> None:
        """Raise CostError when one of the statements would cost too much, or all of them together."""
        left = self._left()
        for text, estimate in estimates:
            if (size := billable(text, estimate)) > self.settings.byte_cap:
                raise self._too_much(text, size, left)
        total = sum(billable(text, estimate) for text, estimate in estimates)
        if total > left:
            hint = next((text.hint for text, _ in estimates if text.hint), "")
            raise self._too_much(Text(what, "", hint=hint), total, left)

    def reserve(self, text: Text, estimate: Estimate) -> int:
        """How many bytes a statement may be billed for. Raises CostError when it would read more than is left."""
        size = billable(text, estimate)
        with self._lock:
            left = self._left()
            if size <= min(self.settings.byte_cap, left):
                self._reserved += size
                return min(self.settings.byte_cap, left)
        raise self._too_much(text, size, left)

    def settle(self, text: Text, estimate: Estimate, *, billed: int) -> None:
        """Put what was billed in place of what was reserved."""
        with self._lock:
            self._reserved -= billable(text, estimate)
            self.bytes_billed += billed

    def price(self, size: int) -> str:
        """What reading ``size`` bytes costs, such as 0.31 USD."""
        return money(size / TEBIBYTE * self.settings.price_per_tib, self.settings.currency)

    def _left(self) -> int:
        return self.settings.run_byte_cap - self.bytes_billed - self._reserved

    def _too_much(self, text: Text, size: int, left: int) -> CostError:
        settings = self.settings
        price = f"{in_units(size)} ({self.price(size)} at {settings.price_per_tib:g} {settings.currency} per TiB)"
        if text.sql and size > settings.byte_cap:
            key, limit = "byte_cap", f"more than byte_cap allows, {in_units(settings.byte_cap)}"
        else:
            key, limit = "run_byte_cap", f"more than run_byte_cap allows, {in_units(settings.run_byte_cap)}"
            if spent := settings.run_byte_cap - left:
                limit += f", of which {in_units(spent)} are used"
        hint = text.hint or "Ask for a shorter window or fewer columns"
        return CostError(
            f"{text.called} was not run in {self.where}: it would read {price}, {limit}\n"
            f"{hint}; or raise {key} in the warehouse file if it is worth that."
        )


def billable(text: Text, estimate: Estimate) -> int:
    """How many bytes BigQuery bills for a statement: for each table that it reads, a least number."""
    return max(estimate.bytes, LEAST_BILLED * max(1, len(text.tables))) if estimate.bytes else 0


def in_units(size: int) -> str:
    """Bytes for people, such as 61.4 GiB."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
