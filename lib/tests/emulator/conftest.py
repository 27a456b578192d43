"""An emulator of BigQuery on this machine, where ``make emulator`` has set one up."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.emulator)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running emulator with nothing in it."""
    start = load(HERE / "start.py")
    if not start.PYTHON.exists():
        pytest.skip("there is no emulator of BigQuery; `make .venv-emulator/.ready` sets one up (Python 3.13)")
    with start.running(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


def load(path: Path) -> Any:
    """A module of these tests by its path: they are no package."""
    name = f"emulator_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
