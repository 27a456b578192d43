"""Which tests may be skipped: never silently where a browser or real data is required."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

REQUIRE_BROWSER = os.environ.get("SHOKUBAI_REQUIRE_BROWSER", "") not in ("", "0")
REAL_DATA = os.environ.get("SHOKUBAI_REAL_DATA", "")


def pytest_configure(config: pytest.Config) -> None:
    if REAL_DATA and not Path(REAL_DATA).is_dir():
        raise pytest.UsageError(f"SHOKUBAI_REAL_DATA names no folder: {REAL_DATA}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not REAL_DATA:
        unset = pytest.mark.skip(reason="SHOKUBAI_REAL_DATA is not set")
        for item in items:
            if item.get_closest_marker("real_data"):
                item.add_marker(unset)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REQUIRE_BROWSER and report.skipped and item.get_closest_marker("browser") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"SHOKUBAI_REQUIRE_BROWSER is set, but this test was skipped: {reason}"
    return report
