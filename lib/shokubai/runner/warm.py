"""What a report needs, loaded before it is forked. Nothing here may start a thread or open a warehouse."""

from __future__ import annotations

import importlib
from pathlib import Path

# Loaded by a report on its way; each costs it time that the first one can spend for all.
LATE_IMPORTS = (
    "IPython.display",
    "plotly",
    "shokubai.page",
    "shokubai.runner.worker",
    "shokubai.site",
    "sqlglot.dialects.bigquery",
    "sqlglot.dialects.duckdb",
)


def warm_up() -> None:
    """Import everything, translate every query, compile every template."""
    from shokubai.runner import shell

    shell.prepare()  # first: some libraries look at it when they are imported
    for name in LATE_IMPORTS:
        importlib.import_module(name)


def load_parameters(directory: Path) -> None:
    """Have the parameters ready for those forked afterwards."""
    from shokubai import config

    config.load(directory)
