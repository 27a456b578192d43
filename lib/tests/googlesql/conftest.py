"""GoogleSQL itself, and what the shipped queries answer on DuckDB to awkward data."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from shokubai.sources import Query, load_query

HERE = Path(__file__).parent


def pytest_generate_tests(metafunc):
    """A construct's values were worked by hand once, for DuckDB; they must be GoogleSQL's own."""
    if "hand_worked" in metafunc.fixturenames:
        cases = load(HERE.parent / "sources" / "test_dialect.py")
        metafunc.parametrize("hand_worked", [(*case, cases.TYPES) for case in cases.CASES], ids=lambda c: c[0])


@pytest.fixture(scope="session")
def googlesql(tmp_path_factory):
    """The analyser and the evaluator. One process compiles; others wait for it, then find the module in the cache."""
    wasmtime = pytest.importorskip("wasmtime", exc_type=ImportError)
    pytest.importorskip("zetasql", exc_type=ImportError)
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (shared / "googlesql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return load(HERE / "analyser.py").GoogleSql(fallback_cache=shared / "wasmtime")
        except wasmtime.WasmtimeError as error:
            pytest.skip(f"GoogleSQL cannot be loaded here: {error}")


@pytest.fixture(scope="session")
def refused():
    """The error with which GoogleSQL refuses a statement."""
    return load(HERE / "analyser.py").Refused


@pytest.fixture(scope="session")
def answers(tmp_path_factory):
    """Every question that a reader asked of DuckDB, with its answer and what the tables held, by query name."""
    return load(HERE / "awkward.py").ask_everything(tmp_path_factory.mktemp("awkward"))


@pytest.fixture(scope="session")
def broken_copy():
    """A shipped query with one thing replaced."""

    def make(name, right, wrong):
        package = "log_queries" if name == "sample_requests" else "queries"
        query = load_query(f"shokubai.tables.{package}", name)
        assert right in query.text
        return Query(name, query.text.replace(right, wrong), f"broken {query.file}")

    return make


def load(path: Path) -> ModuleType:
    """A module of these tests by its path: they are no package."""
    name = f"googlesql_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
