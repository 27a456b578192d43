from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from shokubai import config, demo
from shokubai.config.model import Parameters
from shokubai.demo.generator import connect

ROWS = 60_000


@pytest.fixture(scope="session")
def parameters() -> Parameters:
    """The shipped parameters."""
    return config.load(Path(__file__).parents[3] / "parameters")


@pytest.fixture(scope="session")
def demo_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo; never written to."""
    directory = tmp_path_factory.mktemp("small") / "demo"
    demo.build(directory, rows=ROWS)
    return directory


@pytest.fixture(scope="session")
def connection(demo_directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The small demo's tables as views, late rows as ``late``."""
    with connect() as opened:
        paths = {
            "requests": "requests/*/*.parquet",
            "late": "late/requests/*/*.parquet",
            **{n: f"{n}.parquet" for n in ("metrics", "deployments", "incidents", "alerts", "sre_requests")},
        }
        for name, path in paths.items():
            opened.from_parquet(str(demo_directory / path), hive_partitioning=False).create_view(name)
        yield opened


@pytest.fixture
def one(connection: duckdb.DuckDBPyConnection) -> Callable[..., Any]:
    """Run a statement that gives one row; a single value comes bare."""

    def run(statement: str, **values: object) -> Any:
        row = connection.execute(statement, values).fetchone()
        assert row is not None
        return row[0] if len(row) == 1 else row

    return run
