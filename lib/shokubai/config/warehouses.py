"""``warehouses/<name>.yaml``: an engine, where the tables are, and what their columns are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from shokubai.config import bigquery
from shokubai.config.located import Node, Problems, nearest
from shokubai.config.mappings.reading import reader_for
from shokubai.config.model import Source, TableSource, Warehouse
from shokubai.config.shape import Reader, choice, mapping, text

# The columns that may be mapped. The contracts themselves stand above in the layers, in tables/contracts.py;
# a test holds the two lists together.
TABLE_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "requests": (
            "timestamp",
            "service_name",
            "http_route",
            "http_request_method",
            "http_response_status_code",
            "duration_seconds",
            "user_key",
            "region",
            "service_version",
            "trace_id",
        ),
        "metrics": ("timestamp", "service_name", "metric_name", "unit", "value", "limit_value"),
        "deployments": ("deployed_at", "service_name", "service_version", "deployment_id", "description"),
        "incidents": (
            "incident_id",
            "service_name",
            "title",
            "severity",
            "started_at",
            "detected_at",
            "mitigated_at",
            "resolved_at",
        ),
        "alerts": ("fired_at", "resolved_at", "service_name", "alert_name", "severity"),
        "sre_requests": ("request_id", "team", "kind", "summary", "opened_at", "first_response_at", "closed_at"),
    }
)
PLACEHOLDERS = ("outputs", "parameters")


def _path(node: Node, problems: Problems) -> str | None:
    value: str | None = text()(node, problems)
    for word in re.findall(r"\{(\w*)\}", value or ""):
        if word not in PLACEHOLDERS:
            problems.error(
                node,
                "holds an unknown placeholder",
                found=f"{{{word}}}",
                allowed=", ".join(f"{{{each}}}" for each in PLACEHOLDERS),
                nearest=nearest(word, PLACEHOLDERS),
            )
    return value


ENGINES = ("duckdb", "bigquery")


def _tables(
    keys: Callable[[str], Mapping[str, Reader]], *, required: str, elsewhere: Mapping[str, str] = MappingProxyType({})
) -> Reader:
    return mapping(
        {
            table: mapping(
                {**keys(table), "columns": mapping(dict.fromkeys(columns, text())), "where": text()},
                required=(required,),
                elsewhere=elsewhere,
            )
            for table, columns in TABLE_COLUMNS.items()
        },
        required=("requests",),
    )


_ONLY_IN_BIGQUERY = {"mapping": "ready mappings are for tables in BigQuery (engine: bigquery); map columns instead"}

WAREHOUSES: Mapping[str, Reader] = MappingProxyType(
    {
        "duckdb": mapping(
            {
                "engine": choice(*ENGINES),
                "tables": _tables(lambda _: {"path": _path}, required="path", elsewhere=_ONLY_IN_BIGQUERY),
            },
            required=("engine", "tables"),
        ),
        "bigquery": mapping(
            {
                "engine": choice(*ENGINES),
                **bigquery.SETTINGS,
                "tables": _tables(
                    lambda table: {"table": bigquery.table, "mapping": reader_for(table)}, required="table"
                ),
            },
            required=("engine", *bigquery.REQUIRED, "tables"),
        ),
    }
)


def read_warehouse(node: Node, problems: Problems, *, name: str) -> Warehouse | None:
    """The warehouse called ``name``, or None after reporting what is wrong."""
    before = problems.error_count
    engine = node.at("engine").value
    if isinstance(engine, str) and engine not in ENGINES:
        # What else the file may hold depends on the engine.
        choice(*ENGINES)(node.at("engine"), problems)
        return None
    values = WAREHOUSES["bigquery" if engine == "bigquery" else "duckdb"](node, problems)
    if problems.error_count > before:
        return None
    settings = bigquery.read_settings(values, node, problems) if engine == "bigquery" else None
    if problems.error_count > before:
        return None
    tables = {}
    for table, given in values["tables"].items():
        place = node.at("tables", table)
        tables[table] = TableSource(
            path=bigquery.address(given["table"], settings.project) if settings else given["path"],
            columns=MappingProxyType(given.get("columns", {})),
            where=given.get("where", ""),
            source=Source(place.file, place.line),
            mapping=given.get("mapping", ""),
        )
    return Warehouse(name, values["engine"], MappingProxyType(tables), Source(node.file, node.line), settings)


def check_datasets(warehouses: Mapping[str, Warehouse], problems: Problems) -> None:
    """Report warehouses that would write their small tables over each other's."""
    owners: dict[str, Warehouse] = {}
    for warehouse in warehouses.values():
        if warehouse.bigquery is None:
            continue
        other = owners.setdefault(warehouse.bigquery.dataset.lower(), warehouse)
        if other is not warehouse:
            problems.error(
                Node(warehouse.source.file, warehouse.source.line, "dataset"),
                f"is also that of warehouse {other.name} ({other.source}), and each would replace the other's "
                "tables; give each a dataset of its own",
                found=repr(warehouse.bigquery.dataset),
            )
