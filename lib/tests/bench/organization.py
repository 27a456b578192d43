"""Projects of many teams for the benchmark: the demo organisation, copied until there are enough.

A copied team is as real as the one it is copied from: the same routes, objectives and planted events, and a log of
its own of the same size, so that the time of a report can be compared between organisations of any size.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from shokubai import config, demo, tables
from shokubai.core.windows import Week
from shokubai.runner.plan import needed_window

PROJECT = Path(__file__).resolve().parents[3]
PARAMETERS = PROJECT / "parameters"
NOTEBOOK = PROJECT / "notebooks" / "weekly_team_report.ipynb"
OUTPUTS = PROJECT / "outputs" / "bench"
WEEK = "2026-W44"
ROWS = 1_000_000  # of the demo that is copied; in a smaller one some planted events stay below the rules' minimums
RUN = "weekly"
WAREHOUSE = "demo"
COMPANIONS = ("metrics", "deployments", "incidents", "alerts", "sre_requests")
MARKER = "organization.json"

Document = dict[str, Any]


@dataclass(frozen=True)
class Copy:
    """The ``number``-th copy of the demo, narrowed to some of its ``teams`` and their ``services``."""

    number: int
    teams: tuple[str, ...]
    services: tuple[str, ...]

    def name(self, original: str) -> str:
        """What a team, a service or an SLO of the demo is called in this copy."""
        return f"{original}-{self.number:03d}"


@dataclass(frozen=True)
class Organization:
    """A project on disk: ``root`` holds parameters/ and outputs/ with the log and its small tables."""

    root: Path
    teams: int

    @property
    def parameters(self) -> Path:
        return self.root / "parameters"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"


def build(teams: int, folder: Path = OUTPUTS) -> Organization:
    """The organisation of so many teams, its small tables built, below ``folder``; one that is there is kept.

    It is made again when this recipe, the demo's generator or the shipped parameters have changed.
    """
    made = Organization(folder / f"teams-{teams}", teams)
    recipe = _recipe(teams)
    marker = made.root / MARKER
    if not marker.is_file() or json.loads(marker.read_text(encoding="utf-8")) != recipe:
        shutil.rmtree(made.root, ignore_errors=True)
        base = folder / "demo"
        if not demo.is_current(base, rows=ROWS):
            demo.build(base, rows=ROWS)
        copies = divide(teams)
        _write_parameters(made.parameters, copies)
        _write_log(made.outputs / "demo", base, copies)
        marker.write_text(json.dumps(recipe), encoding="utf-8")
    parameters = config.load(made.parameters)
    opened = tables.open_tables(parameters, WAREHOUSE, outputs=made.outputs)
    opened.build(needed_window(parameters, Week.parse(WEEK)))
    return made


def divide(teams: int) -> list[Copy]:
    """The copies that give so many teams; the last one has only the first of the demo's teams, by name."""
    owned = {file.stem: _services(file) for file in sorted(PARAMETERS.glob("teams/*.yaml"))}
    names = sorted(owned)
    copies = []
    for number in range(1, -(-teams // len(names)) + 1):
        left = teams - (number - 1) * len(names)
        chosen = names[:left]
        services = sorted({service for team in chosen for service in owned[team]})
        copies.append(Copy(number, tuple(chosen), tuple(services)))
    return copies


def _services(team: Path) -> list[str]:
    return [part["service"] for part in yaml.safe_load(team.read_text(encoding="utf-8"))["owns"]]


def _recipe(teams: int) -> dict[str, Any]:
    files = [Path(__file__), *sorted(PARAMETERS.rglob("*.yaml")), *sorted(Path(demo.__file__).parent.iterdir())]
    texts = b"\0".join(file.read_bytes() for file in files if file.is_file())
    return {"teams": teams, "rows": ROWS, "sha256": hashlib.sha256(texts).hexdigest()}


def _write_parameters(folder: Path, copies: Sequence[Copy]) -> None:
    """The demo's parameters with every team and SLO once per copy; the run has no page of the organisation."""
    for name in ("teams", "slos", "runs", "warehouses"):
        (folder / name).mkdir(parents=True)
    for name in ("organization.yaml", "rules.yaml", f"warehouses/{WAREHOUSE}.yaml"):
        shutil.copy(PARAMETERS / name, folder / name)
    for run in _documents(PARAMETERS / "runs" / f"{RUN}.yaml"):
        _dump(folder / "runs" / f"{RUN}.yaml", [{**run, "organization_notebooks": []}])
    teams = {file.stem: _documents(file)[0] for file in PARAMETERS.glob("teams/*.yaml")}
    slos = {file.stem: _documents(file) for file in PARAMETERS.glob("slos/*.yaml")}
    for copy in copies:
        for name in copy.teams:
            _dump(folder / "teams" / f"{copy.name(name)}.yaml", [copy_team(teams[name], copy)])
        for service in copy.services:
            found = [copied for slo in slos[service] if (copied := copy_slo(slo, copy))]
            if found:
                _dump(folder / "slos" / f"{copy.name(service)}.yaml", found)


def copy_team(team: Document, copy: Copy) -> Document:
    """The parameters of a team whose services are those of the copy."""
    return {**team, "owns": [{**part, "service": copy.name(part["service"])} for part in team["owns"]]}


def copy_slo(slo: Document, copy: Copy) -> Document | None:
    """The SLO under the copy's names, or None when it belongs to a team that the copy does not have."""
    labels = dict(slo["metadata"].get("labels", {}))
    if "team" in labels:
        if labels["team"] not in copy.teams:
            return None
        labels["team"] = copy.name(labels["team"])
    metadata = {**slo["metadata"], "name": copy.name(slo["metadata"]["name"])}
    if labels:
        metadata["labels"] = labels
    return {**slo, "metadata": metadata, "spec": {**slo["spec"], "service": copy.name(slo["spec"]["service"])}}


def _documents(file: Path) -> list[Document]:
    return [d for d in yaml.safe_load_all(file.read_text(encoding="utf-8")) if d is not None]


def _dump(file: Path, documents: Iterable[Document]) -> None:
    file.write_text(yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _write_log(folder: Path, base: Path, copies: Sequence[Copy]) -> None:
    """The demo's log and what goes with it, copy after copy, in files of the same names."""
    files = [*sorted(base.glob("requests/*/*.parquet")), *(base / f"{name}.parquet" for name in COMPANIONS)]
    for source in files:
        target = folder / source.relative_to(base)
        target.parent.mkdir(parents=True, exist_ok=True)
        rows = pq.read_table(source, partitioning=None)
        with pq.ParquetWriter(target, rows.schema, compression="zstd") as writer:
            for copy in copies:
                writer.write_table(copy_rows(rows, copy))


def copy_rows(rows: pa.Table, copy: Copy) -> pa.Table:
    """Rows of the copy's services, or teams where they have no service, under its names; identifiers stay unique."""
    owner = "service_name" if "service_name" in rows.column_names else "team"
    owners = copy.services if owner == "service_name" else copy.teams
    chosen = rows.filter(pc.is_in(rows[owner], value_set=pa.array(owners, rows[owner].type)))
    for column in {owner, "deployment_id", "incident_id", "request_id"} & set(chosen.column_names):
        renamed = pc.binary_join_element_wise(chosen[column], copy.name(""), "")
        chosen = chosen.set_column(chosen.column_names.index(column), column, renamed)
    return chosen
