"""A section of a page: what one notebook cell shows."""

from __future__ import annotations

from typing import Any


class Section:
    """Exhibits shown one below the other when the object is a notebook cell's last expression."""

    def __init__(self, *exhibits: Any) -> None:
        self.exhibits = exhibits

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for exhibit in self.exhibits:
            display(exhibit)  # type: ignore[no-untyped-call]
