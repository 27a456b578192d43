"""What reports need, loaded before they are forked. Nothing here may start a thread or open a warehouse."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

# What a report would import on its way, by itself or through a library that imports late.
LATE_IMPORTS = (
    "IPython.display",
    "encodings.unicode_escape",
    "pandas.core.arrays.arrow._arrow_utils",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pandas.io.formats.html",
    "pandas.io.formats.string",
    "plotly",
    "pyarrow.pandas_compat",
    "shokubai.page",
    "shokubai.runner.worker",
    "sqlglot.optimizer.normalize_identifiers",
)


def warm_up() -> None:
    """Import everything, translate every query, compile every template."""
    from shokubai.runner import shell

    shell.prepare()  # first: some libraries look for it when they are imported
    with _missing("rfc3987_syntax"):
        importlib.import_module("jsonschema")
    for name in LATE_IMPORTS:
        importlib.import_module(name)

    import pandas as pd

    from shokubai import findings, site, tables
    from shokubai.findings.rules import all_rules

    # For frames of a few thousand rows Arrow's strings cost more at each step than they save.
    pd.options.mode.string_storage = "python"
    all_rules()
    findings.default_rules()
    tables.warm_up()
    site.warm_up()


@contextmanager
def _missing(name: str) -> Iterator[None]:
    """Import as if a library were not installed: jsonschema would compile its grammar of IRIs, for a second."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def load_parameters(directory: Path) -> None:
    """Have the parameters, and the holidays of their country, ready for those forked afterwards."""
    from shokubai import config

    config.load(directory).organization.calendar.holiday(date(2000, 1, 1))
