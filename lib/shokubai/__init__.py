"""Reliability reports from request logs.

For ad-hoc work::

    import shokubai

    sk = shokubai.open()
    sk.requests("2026-W44", by="route")

``open`` gives a Workspace; every frame it returns says its columns and units in its docstring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shokubai.version import __version__

if TYPE_CHECKING:
    from shokubai.workspace import Workspace, open

__all__ = ["Workspace", "__version__", "open"]


def __getattr__(name: str) -> Any:
    # Loaded when used: the command line imports this package and must start at once.
    if name in ("Workspace", "open"):
        from shokubai import workspace

        return getattr(workspace, name)
    raise AttributeError(f"module 'shokubai' has no attribute {name!r}")
