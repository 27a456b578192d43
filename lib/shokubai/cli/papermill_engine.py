"""The way in for ``papermill --engine shokubai``: papermill loads this whenever it is imported, by whomever."""

from __future__ import annotations

from typing import Any


class _Late:
    """The engine, imported when it is used: it imports papermill, which at that time has not finished importing."""

    def __getattr__(self, name: str) -> Any:
        from shokubai.runner.engine import ForkEngine

        return getattr(ForkEngine, name)


engine = _Late()
