"""``warehouses/<name>.yaml`` with ``engine: bigquery``: who pays, what may be read, and where the tables are.

engine: bigquery
project: aoba-logs                    # where the logs are
billing_project: aoba-sre             # who pays for reading them; default: project
location: asia-northeast1             # of both datasets
dataset: shokubai                     # Shokubai's own, in the billing project, or project.dataset
byte_cap: 50 GiB                      # a statement that would read more is refused before it runs
tables:
  requests:
    table: run_logs.run_googleapis_com_requests
    mapping: cloud_run_sink           # a ready mapping, see config/mappings/
    columns: {region: UPPER(resource.labels.location)}  # goes before the mapping's
    where: httpRequest.status IS NOT NULL               # is asked beside the mapping's conditions
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from shokubai.config.located import Node, Problems
from shokubai.config.model import BigQuery
from shokubai.config.shape import Reader, entries, number, pattern

# On-demand price in the United States; other places differ, see https://cloud.google.com/bigquery/pricing.
PRICE_PER_TIB, CURRENCY = 6.25, "USD"
BYTE_CAP, RUN_BYTE_CAP = 50 * 2**30, 500 * 2**30
TIMEOUT_SECONDS = 600.0

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_LEAST_BILLED = 10 * 2**20
_BYTES = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(_UNITS)})")
_PROJECT = r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
_DATASET = r"\w{1,1024}"
_LABEL_KEY, _LABEL_VALUE = r"[a-z][a-z0-9_-]{0,62}", r"[a-z0-9_-]{0,63}"
# Labels that Shokubai sets itself, and room for them: a job has at most 64.
OWN_LABELS = "shokubai_"
_MOST_LABELS = 48


def byte_count(node: Node, problems: Problems) -> int | None:
    """A number of bytes, plain or with a unit, such as 50 GiB."""
    allowed = f"a whole number of bytes, or a number and one of {', '.join(_UNITS)}, such as 50 GiB"
    match = _BYTES.fullmatch(node.text.strip())
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        size = node.value
    elif match:
        size = int(float(match[1]) * _UNITS[match[2]])
    else:
        problems.error(node, "is no number of bytes", found=node.shown, allowed=allowed)
        return None
    if size < _LEAST_BILLED:
        problems.error(node, "is out of range", found=node.shown, allowed="at least 10 MiB, the least that is billed")
        return None
    return size


def _labels(node: Node, problems: Problems) -> Mapping[str, str] | None:
    key = pattern(_LABEL_KEY, "a lower-case letter, then at most 62 lower-case letters, digits, hyphens, underscores")
    value = pattern(_LABEL_VALUE, "at most 63 lower-case letters, digits, hyphens, underscores")
    found: dict[str, str] | None = entries(value, key=key)(node, problems)
    for name, part in node.mapping.items():
        if name.startswith(OWN_LABELS):
            problems.error(part, f"labels that begin with {OWN_LABELS} are set by Shokubai itself")
    if len(node.mapping) > _MOST_LABELS:
        problems.error(node, "has too many labels", found=str(len(node.mapping)), allowed=f"at most {_MOST_LABELS}")
    return None if found is None else MappingProxyType(found)


project: Reader = pattern(_PROJECT, "a project ID: 6 to 30 lower-case letters, digits and inner hyphens")
TABLE = rf"(?:{_PROJECT}\.)?{_DATASET}\.[\w-]+\*?"
TABLE_FORM = "dataset.table or project.dataset.table; a table's name may end in * for tables sharded by day"
table: Reader = pattern(TABLE, TABLE_FORM)

SETTINGS: Mapping[str, Reader] = MappingProxyType(
    {
        "project": project,
        "billing_project": project,
        "location": pattern(r"[A-Za-z][A-Za-z0-9-]+", "a region or multi-region, such as asia-northeast1 or US"),
        "dataset": pattern(
            rf"(?:{_PROJECT}\.)?{_DATASET}", "dataset or project.dataset; letters, digits and underscores"
        ),
        "byte_cap": byte_count,
        "run_byte_cap": byte_count,
        "price_per_tib": number(minimum=0),
        "currency": pattern(r"[A-Z]{3}", "three capital letters (ISO 4217), such as USD or JPY"),
        "timeout_seconds": number(minimum=1, maximum=6 * 3600),
        "impersonate": pattern(r"[^@\s]+@[^@\s]+\.gserviceaccount\.com", "the address of a service account"),
        "labels": _labels,
    }
)
REQUIRED = ("project", "location", "dataset")


def read_settings(values: Mapping[str, Any], node: Node, problems: Problems) -> BigQuery:
    """The settings with their defaults, from the file's values."""
    billing_project = values.get("billing_project", values["project"])
    dataset = values["dataset"]
    byte_cap = values.get("byte_cap", BYTE_CAP)
    run_byte_cap = values.get("run_byte_cap", max(RUN_BYTE_CAP, byte_cap))
    if run_byte_cap < byte_cap:
        problems.error(
            node.at("run_byte_cap"),
            "is smaller than byte_cap",
            found=node.at("run_byte_cap").shown,
            allowed="no less",
        )
    if ("price_per_tib" in values) != ("currency" in values):
        given, missing = sorted(("price_per_tib", "currency"), key=lambda key: key not in values)
        problems.error(node.at(given), f"says nothing without {missing}; give both or neither")
    return BigQuery(
        project=values["project"],
        billing_project=billing_project,
        location=values["location"],
        dataset=dataset if "." in dataset else f"{billing_project}.{dataset}",
        byte_cap=byte_cap,
        run_byte_cap=run_byte_cap,
        price_per_tib=values.get("price_per_tib", PRICE_PER_TIB),
        currency=values.get("currency", CURRENCY),
        timeout_seconds=values.get("timeout_seconds", TIMEOUT_SECONDS),
        impersonate=values.get("impersonate", ""),
        labels=values.get("labels", MappingProxyType({})),
    )


def address(table: str, project: str) -> str:
    """A table's full name, in ``project`` where it names none."""
    return table if table.count(".") >= 2 else f"{project}.{table}"
