"""Parameters to start from after an import: what is missing is written, what is there is never touched."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from shokubai.config import check
from shokubai.config.model import Parameters
from shokubai.config.teams import RESERVED
from shokubai.findings import default_rules_text
from shokubai.ingest.model import ImportSummary, ServiceSummary

AVAILABILITY_TARGET = 0.999
LATENCY_TARGET = 0.99
SMALLEST_THRESHOLD = 0.001  # seconds; whole-second logs have a p99 of 0

LONGEST_NAME = 63 - len("-availability")  # SLOs are called after their service
LONGEST_DISPLAY_NAME = 63
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # what YAML wants escaped and JSON does not


@dataclass(frozen=True)
class Starter:
    """Which files were written, which were there already, what to know, and the teams that own the services."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    notes: tuple[str, ...]
    teams: tuple[str, ...]
    is_new_organization: bool


def label(text: str, *, longest: int = 63) -> str:
    """The text as a name of parameter files: lower-case letters, digits, inner hyphens, at most ``longest``, or none.

    >>> label("Online Boutique / front-end")
    'online-boutique-front-end'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:longest].strip("-")


def name_service(service: str, *, taken: Set[str]) -> str:
    """A name for the files of a service: its label, with a hash of its own where that is empty, cut or taken."""
    plain = label(service, longest=len(service))
    if 0 < len(plain) <= LONGEST_NAME and plain not in taken:
        return plain
    digest = hashlib.sha256(service.encode("utf-8", "surrogatepass")).hexdigest()
    named = (
        f"{label(service, longest=LONGEST_NAME - 1 - size) or 'service'}-{digest[:size]}"
        for size in range(6, LONGEST_NAME // 2)
    )
    return next(name for name in named if name not in taken)


def starter_threshold(p99_seconds: float) -> float:
    """The measured p99 rounded up to a half of its leading digit's unit: 6.12 → 6.5, 0.231 → 0.25, 0.9961 → 1.0.

    At least a millisecond.
    """
    p99_seconds = max(p99_seconds, SMALLEST_THRESHOLD)
    unit = 10.0 ** math.floor(math.log10(p99_seconds)) / 2
    return float(f"{math.ceil(p99_seconds / unit - 1e-9) * unit:.6g}")


def write_starter(
    summary: ImportSummary, *, directory: Path, organization: str = "My organization", zone: str = "UTC"
) -> Starter:
    """Write the parameters that a first report needs under ``directory``, without overwriting any.

    A folder without ``organization.yaml`` gets a whole set. One that has it gets a warehouse, and a team and SLOs
    for the services that have none. There is no availability objective where the data has no status and no
    latency objective where it has no duration.
    """
    is_new = not (directory / "organization.yaml").exists()
    parameters = None if is_new else check(directory)[0]
    files: dict[str, str] = {f"warehouses/{summary.name}.yaml": _warehouse(summary)}
    notes: list[str] = []
    teams: list[str] = []
    used: set[str] = set()
    # Services that are labels already come first, so that each of those keeps its own name.
    services = sorted(summary.services, key=lambda s: (label(s.service) != s.service, s.service))
    for service in services:
        owners = _owners(service.service, parameters)
        has_slos = parameters is not None and any(slo.service == service.service for slo in parameters.slos.values())
        name = ""
        if not (owners and has_slos):
            taken = _taken(parameters, directory, is_owned=bool(owners), has_slos=has_slos)
            name = name_service(service.service, taken=taken | used)
            used.add(name)
        if owners:
            teams += owners
            elsewhere = [t for t in owners if parameters and parameters.teams[t].warehouse != summary.name]
            if elsewhere:
                notes.append(
                    f"{service.service} is owned by {', '.join(elsewhere)}, who read another warehouse: write "
                    f"`warehouse: {summary.name}` into their files to see these requests"
                )
        else:
            files[f"teams/{name}.yaml"] = _team(service.service, summary.name)
            teams.append(name)
        if not has_slos:
            slos = list(_slos(service, name))
            if slos:
                files[f"slos/{name}.yaml"] = "---\n".join(slos)
            else:
                notes.append(f"{service.service} has neither statuses nor durations, so it has no objective")
    if is_new:
        files["organization.yaml"] = _organization(organization, zone)
        files["runs/weekly.yaml"] = _run(summary.name)
        files["rules.yaml"] = default_rules_text()
    written, kept = _write(files, directory)
    return Starter(tuple(written), tuple(kept), tuple(notes), tuple(dict.fromkeys(teams)), is_new)


def _owners(service: str, parameters: Parameters | None) -> list[str]:
    if parameters is None:
        return []
    return [team.name for team in parameters.teams.values() if service in team.services]


def _taken(parameters: Parameters | None, directory: Path, *, is_owned: bool, has_slos: bool) -> set[str]:
    """Names that the files of a service cannot have, because they belong to something else."""
    taken = set(RESERVED)
    if parameters is not None and not is_owned:
        taken |= parameters.teams.keys()
    if parameters is not None and not has_slos:
        taken |= {file.stem for file in (directory / "slos").glob("*.yaml")}
        taken |= {slo.removesuffix(f"-{kind}") for slo in parameters.slos for kind in ("availability", "latency")}
    return taken


def _write(files: dict[str, str], directory: Path) -> tuple[list[Path], list[Path]]:
    written, kept = [], []
    # The organisation comes last: as long as it is missing, the next import writes what is missing too.
    for name, text in sorted(files.items(), key=lambda item: item[0] == "organization.yaml"):
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(text)
            written.append(file)
        except FileExistsError:
            kept.append(file)
    return written, kept


def _text(value: str) -> str:
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _display_name(service: str, kind: str) -> str:
    whole = f"{service}: {kind}"
    surplus = len(whole) - LONGEST_DISPLAY_NAME
    return _text(whole if surplus <= 0 else f"{service[: -surplus - 1]}…: {kind}")


def _organization(name: str, zone: str) -> str:
    return f"""\
# Who we are. Vision and mission appear on the front page of the report site: write your own.
name: {{en: {_text(name)}}}
vision: {{en: "Be the catalyst with which every development team keeps its own service reliable."}}
mission: {{en: "Build what lets a team see, decide and act by itself."}}

# Weeks and days are reckoned in this zone (data is kept in UTC).
time_zone: {zone}

# The language of pages that belong to no single team: en or ja.
language: en

# Public holidays and business days: an ISO 3166 country code. Set it to yours.
calendar:
  country: JP
"""


def _team(service: str, warehouse: str) -> str:
    return f"""\
# Written by an import, as a start: give the team its name and language (en or ja).
name: {{en: {_text(service)}}}
language: en
warehouse: {warehouse}
owns:
  - service: {_text(service)}
"""


def _warehouse(summary: ImportSummary) -> str:
    return f"""\
# The requests imported as {summary.name}, one folder per UTC day. {{outputs}} is the folder given by --outputs.
engine: duckdb
tables:
  requests: {{path: "{{outputs}}/imports/{summary.name}/requests/*/*.parquet"}}
"""


def _run(warehouse: str) -> str:
    return f"""\
# The run of every Monday morning: `shokubai run weekly`.
team_notebooks: [weekly_team_report] # one per team
organization_notebooks: [sre_overview] # one for all
warehouse: {warehouse}
teams: all # or a list of names
"""


def _slos(service: ServiceSummary, name: str) -> Iterator[str]:
    if service.status_count:
        yield f"""\
# A starting point, to be changed by the team: {AVAILABILITY_TARGET * 100:g} % of the requests that have a status
# succeed (no status 500-599) over 28 days.
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}-availability
  displayName: {_display_name(service.service, "availability")}
spec:
  service: {_text(service.service)}
  indicator:
    metadata:
      name: {name}-availability
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource: {{type: shokubai, spec: {{requests: successful}}}}
        total:
          metricSource: {{type: shokubai, spec: {{requests: all}}}}
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: {AVAILABILITY_TARGET}
"""
    if service.duration_p99_seconds is not None:
        threshold = starter_threshold(service.duration_p99_seconds)
        yield f"""\
# A starting point, to be changed by the team. The value is the 99th percentile of the imported durations of requests
# that did not fail, {service.duration_p99_seconds:.3g} s, rounded up: what the service did, slow times included, not
# yet what its users need.
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}-latency
  displayName: {_display_name(service.service, "latency")}
spec:
  service: {_text(service.service)}
  indicator:
    metadata:
      name: {name}-latency
    spec:
      thresholdMetric:
        metricSource: {{type: shokubai, spec: {{column: duration_seconds}}}}
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - op: lte
      value: {threshold} # seconds
      target: {LATENCY_TARGET}
"""
