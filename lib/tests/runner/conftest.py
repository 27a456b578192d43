"""A small organisation with two teams, a day of requests, and notebooks made of a few cells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import psutil
import pytest

from shokubai import config
from shokubai.runner import Limits, Manner, Plan, Shard, Summary, join_reports, make_plan, make_reports

NOW = datetime(2026, 11, 3, tzinfo=UTC)  # a Tuesday; the last complete week is 2026-W44

PARAMETERS = {
    "organization.yaml": """\
name: {en: Aoba, ja: あおば}
vision: {en: Catalyst}
mission: {en: Mechanisms}
time_zone: Asia/Tokyo
language: en
calendar: {country: JP}
""",
    "teams/alpha.yaml": "name: {en: Alpha, ja: アルファ}\nlanguage: en\nowns: [{service: shop}]\n",
    "teams/beta.yaml": "name: {en: Beta, ja: ベータ}\nlanguage: ja\nowns: [{service: shop}]\n",
    "warehouses/main.yaml": 'engine: duckdb\ntables:\n  requests: {path: "{outputs}/requests.parquet"}\n',
    "runs/weekly.yaml": "team_notebooks: [report]\norganization_notebooks: []\nwarehouse: main\nteams: all\n",
}

REQUESTS = """
COPY (
    SELECT
        TIMESTAMPTZ '2026-10-28 00:00:00+00' + to_seconds(n * 60) AS timestamp,
        'shop' AS service_name,
        '/carts' AS http_route,
        'GET' AS http_request_method,
        CAST(if(n % 10 = 0, 500, 200) AS BIGINT) AS http_response_status_code,
        0.1::DOUBLE AS duration_seconds,
        NULL::VARCHAR AS user_key,
        NULL::VARCHAR AS region,
        NULL::VARCHAR AS service_version,
        NULL::VARCHAR AS trace_id
    FROM range(60) AS t (n)
) TO '{file}' (FORMAT parquet)
"""

SIGNATURE = 'team: str = "alpha"\nweek: str = "2026-W44"\noutputs_dir: str = ""\n'
RECORD = """\
from IPython.display import display
display({"application/vnd.shokubai.facts+json": FACTS, "text/plain": "facts"}, raw=True)
"""


def record(**facts: object) -> str:
    """A cell that records facts."""
    return RECORD.replace("FACTS", repr({"status": "made", **facts}))


@dataclass
class Project:
    """Parameters, notebooks and outputs in one folder, and ways to run them."""

    root: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def temporary(self) -> Path:
        """The folder for temporary files of what ``start`` starts. Sockets need a short path."""
        return Path(tempfile.gettempdir()) / self.mark[:8]

    @property
    def week(self) -> Path:
        return self.root / "outputs" / "weekly" / "2026-W44"

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def notebook(self, name: str, *cells: str, signature: str | None = SIGNATURE) -> Path:
        """A notebook of code cells after a heading and, unless ``signature`` is None, a parameters cell."""
        made = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"# The {name}"}]
        if signature is not None:
            made.append(_code("b", signature, ["parameters"]))
        made += [_code(f"c{n}", cell, []) for n, cell in enumerate(cells)]
        kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        content = {"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        return self.write(f"notebooks/{name}.ipynb", json.dumps(content))

    def plan(
        self,
        *,
        teams: Sequence[str] = (),
        now: datetime = NOW,
        outputs: str = "outputs",
        shard: Shard | None = None,
        warehouse: str | None = None,
    ) -> Plan:
        return make_plan(
            config.load(self.root / "parameters"),
            "weekly",
            now=now,
            outputs=self.root / outputs,
            notebooks=self.root / "notebooks",
            teams=teams,
            shard=shard,
            warehouse=warehouse,
        )

    def run(self, *, timeout_seconds: float = 120, force: bool = False, teams: Sequence[str] = ()) -> Summary:
        return make_reports(
            self.plan(teams=teams),
            manner=Manner(jobs=2, limits=Limits(notebook_seconds=timeout_seconds)),
            force=force,
        )

    def run_shard(self, index: int, count: int, *, outputs: str = "", teams: Sequence[str] = ()) -> Summary:
        """Make a shard's reports in a folder of its own: shard1 for 1/N, unless another is named."""
        plan = self.plan(outputs=outputs or f"shard{index}", shard=Shard(index, count), teams=teams)
        return make_reports(plan, manner=Manner(jobs=2))

    def join(self, *folders: str, outputs: str = "outputs") -> Summary:
        plan = self.plan(outputs=outputs)
        return join_reports(plan, [self.root / folder for folder in folders], manner=Manner(jobs=2))

    def start(self, *arguments: str, command: str = "run") -> subprocess.Popen[str]:
        """The command in a session of its own, as a scheduler starts it."""
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from shokubai.cli import main; main()",
                command,
                "weekly",
                "--week",
                "2026-W44",
                *arguments,
            ],
            cwd=self.root,
            env={**os.environ, "SHOKUBAI_TEST_MARK": self.mark, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def survivors(self, *, patience_seconds: float = 20) -> list[str]:
        """Processes that ``start`` led to and that are still there after some patience."""
        until = time.monotonic() + patience_seconds
        while (found := self._marked()) and time.monotonic() < until:
            time.sleep(0.1)
        return found

    def _marked(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                is_ours = process.environ().get("SHOKUBAI_TEST_MARK") == self.mark
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()))
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def facts(self, team: str) -> dict[str, object]:
        facts: dict[str, object] = json.loads((self.week / team / "report.facts.json").read_text())
        return facts

    def manifest(self) -> dict[str, object]:
        made: dict[str, object] = json.loads((self.week / "manifest.json").read_text())
        return made


def _code(identifier: str, source: str, tags: list[str]) -> dict[str, object]:
    return {
        "cell_type": "code",
        "id": identifier,
        "execution_count": None,
        "metadata": {"tags": tags},
        "outputs": [],
        "source": source,
    }


@pytest.fixture(scope="session")
def requests_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("requests") / "requests.parquet"
    duckdb.connect().execute(REQUESTS.replace("{file}", str(file)))
    return file


@pytest.fixture
def project(tmp_path: Path, requests_file: Path) -> Iterator[Project]:
    # Braces: papermill passes paths through str.format.
    made = Project(tmp_path / "team {site}")
    for name, text in PARAMETERS.items():
        made.write(f"parameters/{name}", text)
    (made.root / "outputs").mkdir()
    (made.root / "outputs" / "requests.parquet").hardlink_to(requests_file)
    made.temporary.mkdir()
    yield made
    shutil.rmtree(made.temporary, ignore_errors=True)


@pytest.fixture
def facts_cell() -> Callable[..., str]:
    return record
