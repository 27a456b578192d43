"""What a report was made from, as one hash: the same hash means that making it again would change nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

import shokubai

# Libraries whose versions can change a report.
LIBRARIES = ("duckdb", "pandas", "plotly", "sqlglot", "jinja2", "nh3", "holidays")


def fingerprint(
    notebook: Path, *, values: Mapping[str, str], parameters: str, data: str, reads: Iterable[Path]
) -> str:
    """The hash over notebook, library, parameters, data and the files that are read besides (facts of other reports).

    When and where a report is made do not count, so neither ``generated_at`` nor a folder's place is part of it.
    """
    ignored = {"generated_at", "parameters_dir", "outputs_dir", "previous_facts"}
    parts = {
        "notebook": _of_files([notebook]),
        "library": library(),
        "parameters": parameters,
        "data": data,
        "reads": _of_files(reads),
        **{f"value:{name}": value for name, value in values.items() if name not in ignored},
    }
    text = "\n".join(f"{name}={part!r}" for name, part in sorted(parts.items()))
    return of_text(text)


@cache
def library() -> str:
    """The hash over the library's own files and the versions of the libraries that shape a report."""
    root = Path(shokubai.__file__).parent
    files = [f for f in root.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    versions = " ".join(f"{name}={version(name)}" for name in LIBRARIES)
    return _of_files(files, root=root) + versions


def of_parameters(directory: Path) -> str:
    """The hash over every file under ``parameters/``, names included."""
    return _of_files((f for f in directory.rglob("*") if f.is_file() and not f.name.startswith(".")), root=directory)


def of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _of_files(files: Iterable[Path], *, root: Path | None = None) -> str:
    total = hashlib.sha256()
    for file in sorted(files):
        name = file.relative_to(root).as_posix() if root else file.name
        content = file.read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()
