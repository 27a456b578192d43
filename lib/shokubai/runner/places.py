"""Where things lie on this machine stays on this machine: published files name folders relative to the project."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import shokubai

_PACKAGES = Path(shokubai.__file__).resolve().parents[1]


def relative_to_report(path: str, home: Path) -> str:
    """A path as it is written in a report published in ``home`` (outputs/run/week/team).

    Empty when it lies elsewhere than beside the outputs: a notebook then looks for the project around itself.
    """
    beside_outputs = home.parents[3]
    return os.path.relpath(path, home) if Path(path).is_relative_to(beside_outputs) else ""


def without_places(text: str, folders: Iterable[Path]) -> str:
    """A text with paths below the folders made relative to them; those of installed packages are cut likewise."""
    places = {
        os.fspath(folder.absolute()) for folder in (*folders, _PACKAGES, Path(sys.prefix), Path(sys.base_prefix))
    }
    for place in sorted(places, key=len, reverse=True):
        if len(Path(place).parts) > 1:  # a whole disk is no place
            text = text.replace(place + os.sep, "").replace(place, "…")
    return text
