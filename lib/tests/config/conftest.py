"""A small parameters folder that is right, and a way to break it in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

VALID = {
    "organization.yaml": """\
name: {en: Aoba, ja: あおば}
vision: The catalyst.
mission: {ja: しくみをつくる}
time_zone: Asia/Tokyo
language: ja
calendar: {country: JP}
""",
    "teams/core.yaml": """\
name: {en: Invoice Core, ja: 請求書基盤}
language: en
site: Tokyo
members: 4
contact: "#team-core"
warehouse: main
owns:
  - service: invoice-api
  - service: gateway
    routes: ["/v1/invoices*", "POST /v1/uploads"]
""",
    "slos/invoice-api.yaml": """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: invoice-availability
  displayName: 請求書の可用性
  labels: {team: core}
spec:
  description: Invoices can be read.
  service: invoice-api
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: shokubai, spec: {requests: successful}}}
        total: {metricSource: {type: shokubai, spec: {requests: all}}}
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: invoice-latency
spec:
  service: invoice-api
  indicatorRef: invoice-speed
  objectives:
    - op: lte
      value: 0.3
      targetPercent: 99
""",
    "slos/shared/speed.yaml": """\
- apiVersion: openslo/v1
  kind: SLI
  metadata: {name: invoice-speed}
  spec:
    thresholdMetric:
      metricSource:
        type: shokubai
        spec:
          column: duration_seconds
          routes: ["GET /v1/invoices*"]
""",
    "warehouses/main.yaml": """\
engine: duckdb
tables:
  requests:
    path: "{outputs}/logs/*.parquet"
    columns: {timestamp: ts, http_route: "lower(path)"}
    where: "kind = 'SERVER'"
""",
    "rules.yaml": """\
route_slower:
  minimum_change_factor: {value: 1.2, reason: Smaller changes are not felt.}
""",
    "replies/core.yaml": """\
"invoice-api|GET /v1/invoices|route_slower":
  owner: Sato
  reply: the index comes on Thursday
  accepted_until: 2026-11-30
"invoice-api|invoice-availability|budget": {owner: 佐藤, reply: 調べています, handed_over: 2026-W43}
""",
    "runs/weekly.yaml": """\
team_notebooks: [weekly_team_report]
organization_notebooks: [sre_overview]
warehouse: main
teams: [core]
as_of: 2026-11-02T00:00:00+09:00
""",
}

# File → its new text, or (what stands there, what is put in its place), or None to leave the file out.
Changes = dict[str, str | tuple[str, str] | None]


@pytest.fixture
def write_parameters(tmp_path: Path) -> Callable[[Changes], Path]:
    """Writes the folder with some files changed, and says where it is."""

    def write(changes: Changes) -> Path:
        files: dict[str, str | None] = dict(VALID)
        for name, change in changes.items():
            if isinstance(change, tuple):
                old, new = change
                assert VALID[name].count(old) == 1, f"{old!r} must stand once in {name}"
                files[name] = VALID[name].replace(old, new)
            else:
                files[name] = change
        directory = tmp_path / "parameters"
        directory.mkdir()
        for name, text in files.items():
            if text is not None:
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                (directory / name).write_text(text, encoding="utf-8")
        return directory

    return write
