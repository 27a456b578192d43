"""GoogleSQL itself, as the tests beside these have it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_FILE = Path(__file__).parents[1] / "googlesql" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("googlesql_conftest", _FILE)
assert _SPEC and _SPEC.loader
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)

googlesql = _MODULE.googlesql
