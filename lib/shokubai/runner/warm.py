"""What reports need, loaded before they are forked. Nothing here may start a thread or open a warehouse."""

from __future__ import annotations

import importlib
from datetime import date
from pathlib import Path

# What a report would import on its way, by itself or through a library that imports late.
LATE_IMPORTS = (
    "IPython.display",
    "encodings.unicode_escape",
    "pandas.core.arrays.arrow._arrow_utils",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
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
    for name in LATE_IMPORTS:
        importlib.import_module(name)

    from shokubai import site, tables
    from shokubai.findings.rules import all_rules

    all_rules()
    tables.warm_up()
    site.warm_up()


def load_parameters(directory: Path) -> None:
    """Have the parameters, and the holidays of their country, ready for those forked afterwards."""
    from shokubai import config

    config.load(directory).organization.calendar.holiday(date(2000, 1, 1))
