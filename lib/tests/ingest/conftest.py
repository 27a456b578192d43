import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from shokubai.ingest import ImportOptions, ImportSummary, import_requests


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("SHOKUBAI_REAL_DATA")
    if not folder:
        pytest.skip("SHOKUBAI_REAL_DATA names no folder")
    return Path(folder)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write lines into a file of the test's folder."""

    def write_lines(*lines: str, name: str = "access.log") -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return file

    return write_lines


@pytest.fixture
def importing(outputs: Path) -> Callable[..., ImportSummary]:
    """Import files as ``shop`` into the test's outputs."""

    def run(*files: Path, **options: object) -> ImportSummary:
        return import_requests(
            files, ImportOptions(**{"name": "shop", "service": "shop", **options}), outputs=outputs
        )

    return run


@pytest.fixture
def rows(outputs: Path) -> Callable[..., list[tuple]]:
    """What is published as ``shop``, in order, timestamps as UTC text; all columns or those named."""

    def read(*columns: str) -> list[tuple]:
        selected = [
            "strftime(timezone('UTC', timestamp), '%Y-%m-%dT%H:%M:%S.%f')" if c == "timestamp" else c
            for c in columns or ("*",)
        ]
        files = f"{outputs}/imports/shop/requests/*/*.parquet"
        if not list(outputs.glob("imports/shop/requests/*/*.parquet")):
            return []
        with duckdb.connect() as connection:
            return connection.execute(
                f"SELECT {', '.join(selected)} FROM read_parquet('{files}', hive_partitioning = false) "
                "ORDER BY read_parquet.timestamp, http_route"
            ).fetchall()

    return read
