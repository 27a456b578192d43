"""A small project whose runs are disturbed, and what has to hold of it afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import psutil

WEEK = "2026-W44"
TEAMS = ("alpha", "beta", "gamma", "delta")
CELL_SECONDS = 5
MEMORY = "1GB"
DISK = "64m"
_MARK = "SHOKUBAI_CHAOS"

PARAMETERS = {
    "organization.yaml": "name: {en: Aoba, ja: あおば}\nvision: {en: V}\nmission: {en: M}\ntime_zone: Asia/Tokyo\n"
    "language: en\ncalendar: {country: JP}\n",
    "warehouses/main.yaml": 'engine: duckdb\ntables:\n  requests: {path: "{outputs}/requests.parquet"}\n',
    "runs/weekly.yaml": "team_notebooks: [report]\norganization_notebooks: []\nwarehouse: main\nteams: all\n",
}
REQUESTS = """
COPY (
    SELECT
        TIMESTAMPTZ '2026-10-28 00:00:00+00' + to_seconds(n * 60) AS timestamp, 'shop' AS service_name,
        '/carts' AS http_route, 'GET' AS http_request_method, 200::BIGINT AS http_response_status_code,
        0.1::DOUBLE AS duration_seconds, NULL::VARCHAR AS user_key, NULL::VARCHAR AS region,
        NULL::VARCHAR AS service_version, NULL::VARCHAR AS trace_id
    FROM range(60) AS t (n)
) TO '{file}' (FORMAT parquet)
"""
SIGNATURE = f'team: str = "alpha"\nweek: str = "{WEEK}"\noutputs_dir: str = ""\n'
FACTS = """\
from IPython.display import display
facts = {{"status": "made", "generation": {0}}}
display({{"application/vnd.shokubai.facts+json": facts, "text/plain": "facts"}}, raw=True)
"""


class World:
    """Parameters, a notebook and outputs. Published reports lie on a small disk of their own where root can mount."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mark = uuid.uuid4().hex
        self.generation = 0
        self.temporary = Path(tempfile.mkdtemp(prefix="chaos-"))  # sockets need a short path
        self.weekly = root / "outputs" / "weekly"
        self.week = self.weekly / WEEK
        teams = {f"teams/{t}.yaml": f"name: {{en: {t}}}\nlanguage: en\nowns: [{{service: shop}}]\n" for t in TEAMS}
        for name, text in {**PARAMETERS, **teams}.items():
            file = root / "parameters" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        self.weekly.mkdir(parents=True)
        duckdb.connect().execute(REQUESTS.replace("{file}", str(root / "outputs" / "requests.parquet")))
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(self.weekly)]
        self.has_small_disk = (
            os.geteuid() == 0
            and shutil.which("mount") is not None
            and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        )

    def close(self) -> None:
        if self.has_small_disk:
            subprocess.run(["umount", "--lazy", str(self.weekly)], check=True)
        shutil.rmtree(self.temporary, ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def write_notebook(self, planted: Mapping[str, str]) -> None:
        """The next generation of the notebook; ``planted`` is code that the report of a team runs."""
        self.generation += 1
        plants = "".join(f"if team == {team!r}:\n    exec({code!r}, globals())\n" for team, code in planted.items())
        cells = [
            ("parameters", SIGNATURE),
            ("", f"print('generation {self.generation} of', team)"),
            ("", f"import time\ntime.sleep(0.2)\n{plants}"),
            ("", FACTS.format(self.generation)),
        ]
        made = [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "execution_count": None,
                "metadata": {"tags": [tag] if tag else []},
                "outputs": [],
                "source": source,
            }
            for number, (tag, source) in enumerate(cells)
        ]
        kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        notebook = {"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        (self.root / "notebooks").mkdir(exist_ok=True)
        (self.root / "notebooks" / "report.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    def start(self, engine: str = "fork") -> subprocess.Popen[str]:
        command = "from shokubai.cli import main; main()"
        limits = ["--cell-timeout", str(CELL_SECONDS), "--timeout", "90", "--memory", MEMORY]
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                command,
                "run",
                "weekly",
                "--week",
                WEEK,
                "--jobs",
                "2",
                "--engine",
                engine,
                *limits,
            ],
            cwd=self.root,
            env={**os.environ, _MARK: self.mark, "TMPDIR": str(self.temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def fill_disk(self, *, left: int) -> None:
        free = shutil.disk_usage(self.weekly).free
        with (self.weekly / "filler").open("wb") as file:
            file.write(b"\0" * max(0, free - left))

    def empty_disk(self) -> None:
        (self.weekly / "filler").unlink(missing_ok=True)

    def survivors(self, patience_seconds: float = 20) -> list[str]:
        """Processes of runs that are still there after some patience."""
        until = time.monotonic() + patience_seconds
        while (found := list(self._marked())) and time.monotonic() < until:
            time.sleep(0.05)
        return found

    def _marked(self) -> Iterator[str]:
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    yield f"{process.pid} {' '.join(process.cmdline())}"
            except psutil.Error:
                continue

    def left_over(self) -> list[str]:
        """Staging and scratch folders, and other things that no run should leave."""
        known = {".lock", "index.html", "journal.jsonl", "manifest.json", *TEAMS}
        folders = [p.name for p in self.week.iterdir() if p.name not in known]
        return folders + [p.name for p in self.temporary.glob("shokubai-*")]

    def journal(self) -> dict[str, dict[str, Any]]:
        """The newest line about each team's report."""
        records = {}
        file = self.week / "journal.jsonl"
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            try:
                record = json.loads(line)
            except ValueError:  # torn
                continue
            records[record["team"]] = record
        return records

    def manifest(self) -> dict[str, dict[str, Any]]:
        reports = json.loads((self.week / "manifest.json").read_text(encoding="utf-8"))["reports"]
        return {report["team"]: report for report in reports}

    def half_reports(self) -> list[str]:
        """What is wrong with published reports, each by itself."""
        return [f"{team}: {wrong}" for team in TEAMS if (wrong := self._wrong_with(self.week / team))]

    def _wrong_with(self, folder: Path) -> str:
        if not folder.exists():
            return ""
        missing = [name for name in ("report.html", "report.ipynb") if not (folder / name).is_file()]
        # A report whose process never came to a notebook has a page alone.
        if "report.html" in missing or (missing and (folder / "report.facts.json").exists()):
            return f"lacks {', '.join(missing)}"
        page = (folder / "report.html").read_text(encoding="utf-8")
        if not page.rstrip().endswith("</html>"):
            return "its page has no end"
        for prefix in ("report", "report.last_good"):
            facts = folder / f"{prefix}.facts.json"
            if not facts.is_file():
                continue
            number = json.loads(facts.read_text(encoding="utf-8"))["generation"]
            said = f"generation {number} of {folder.name}"
            if said not in (folder / f"{prefix}.html").read_text(encoding="utf-8"):
                return f"{prefix}: page and facts do not agree"
            cells = json.loads((folder / f"{prefix}.ipynb").read_text(encoding="utf-8"))["cells"]
            if not any(f"generation {number} of" in "".join(cell["source"]) for cell in cells):
                return f"{prefix}: notebook and facts do not agree"
        return ""

    def shown_generation(self, team: str) -> int | None:
        """The generation of a team's newest report; None when there is none, or it failed."""
        file = self.week / team / "report.facts.json"
        return int(json.loads(file.read_text(encoding="utf-8"))["generation"]) if file.is_file() else None

    def is_as_recorded(self, record: Mapping[str, Any]) -> bool:
        def digest(file: Path) -> str:
            return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""

        return all(digest(self.week / name) == wanted for name, wanted in record["files"].items())
