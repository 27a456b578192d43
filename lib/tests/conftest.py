"""Which tests may be skipped (never silently where what they need is required), and what they share.

That is a browser, a demo, and the reports made of it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from shokubai.workspace import Workspace

# Tests with the mark fail instead of being skipped where the variable is set.
REQUIRED = {
    "browser": "SHOKUBAI_REQUIRE_BROWSER",
    "emulator": "SHOKUBAI_REQUIRE_EMULATOR",
    "googlesql": "SHOKUBAI_REQUIRE_ANALYSER",
}
REAL_DATA = os.environ.get("SHOKUBAI_REAL_DATA", "")
PROJECT = Path(__file__).resolve().parents[2]
PARAMETERS = PROJECT / "parameters"
CHROMIUM = Path("/usr/bin/chromium")
DEMO_ROWS = 1_000_000  # in a smaller one some planted events stay below the rules' minimum counts


def pytest_configure(config: pytest.Config) -> None:
    if REAL_DATA and not Path(REAL_DATA).is_dir():
        raise pytest.UsageError(f"SHOKUBAI_REAL_DATA names no folder: {REAL_DATA}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not os.environ.get("SHOKUBAI_BIGQUERY_PROJECT"):  # nobody misses what only a real project can show
        live = [item for item in items if item.get_closest_marker("bigquery_live")]
        config.hook.pytest_deselected(items=live)
        items[:] = [item for item in items if item not in live]
    if not REAL_DATA:
        unset = pytest.mark.skip(reason="SHOKUBAI_REAL_DATA is not set")
        for item in items:
            if item.get_closest_marker("real_data"):
                item.add_marker(unset)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    for mark, variable in REQUIRED.items():
        is_required = item.get_closest_marker(mark) and os.environ.get(variable, "") not in ("", "0")
        if is_required and report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            report.outcome = "failed"
            report.longrepr = f"{variable} is set, but this test was skipped: {reason}"
    return report


@pytest.fixture(scope="session")
def demo_outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An outputs folder with a demo organisation under the shipped parameters: data, truth and small tables.

    All workers share it, so nothing may be written to it: who runs reports copies or links what is in it.
    """
    from shokubai import config, demo, tables
    from shokubai.core.windows import Window

    own = tmp_path_factory.getbasetemp()
    outputs = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo-outputs"
    outputs.mkdir(exist_ok=True)
    with (outputs / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (outputs / ".ready").exists():
            parameters = config.load(PARAMETERS)
            summary = demo.build(outputs / "demo", rows=DEMO_ROWS)
            demo.write_truth(outputs / "demo", parameters)
            opened = tables.open_tables(parameters, "demo", outputs=outputs)
            opened.build(Window(summary.start, summary.end))
            (outputs / ".ready").touch()
    return outputs


@pytest.fixture(scope="session")
def weekly_outputs(demo_outputs: Path) -> Path:
    """An outputs folder with that demo and the reports that ``shokubai run weekly`` makes of it. Only for reading."""
    outputs = demo_outputs.with_name("weekly-outputs")
    with demo_outputs.with_name("weekly-outputs.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (outputs / ".ready").exists():
            shutil.rmtree(outputs, ignore_errors=True)
            outputs.mkdir()
            (outputs / "demo").symlink_to(demo_outputs / "demo")
            shutil.copytree(demo_outputs / "tables", outputs / "tables")
            program = "from shokubai.cli import main; main()"
            command = [sys.executable, "-c", program, "run", "weekly", "--outputs", str(outputs)]
            ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            (outputs / ".ready").touch()
    return outputs


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium without a network."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-extensions"],
        )
        yield opened
        opened.close()


@pytest.fixture
def make_workspace(tmp_path: Path) -> Callable[..., Workspace]:
    """A function that writes parameters (texts by path) and tables (frames by name) and opens them.

    ``requests`` may lack optional columns. The organisation is in Tokyo unless the parameters say otherwise.
    """
    from shokubai import workspace

    organization = """\
name: {en: Aoba, ja: あおば}
vision: {en: Catalyst}
mission: {en: Mechanisms}
time_zone: Asia/Tokyo
language: en
calendar: {country: JP}
"""
    run = "team_notebooks: [weekly_team_report]\norganization_notebooks: []\nwarehouse: main\nteams: all\n"

    def make(parameters: Mapping[str, str], **frames: pd.DataFrame) -> Workspace:
        paths = "".join(f'  {name}: {{path: "{{outputs}}/{name}.parquet"}}\n' for name in frames)
        texts = {
            "organization.yaml": organization,
            "warehouses/main.yaml": f"engine: duckdb\ntables:\n{paths}",
            "runs/weekly.yaml": run,
            **parameters,
        }
        for name, text in texts.items():
            file = tmp_path / "parameters" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (tmp_path / "outputs").mkdir(exist_ok=True)
        for name, frame in frames.items():
            frame.to_parquet(tmp_path / "outputs" / f"{name}.parquet")
        return workspace.open(tmp_path / "parameters")

    return make
