"""``warehouses/<name>.yaml``: an engine, where the tables are, and what their columns are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from shokubai.config.located import Node, Problems, nearest
from shokubai.config.model import Source, TableSource, Warehouse
from shokubai.config.shape import choice, mapping, text

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


WAREHOUSE = mapping(
    {
        "engine": choice("duckdb"),
        "tables": mapping(
            {
                table: mapping(
                    {"path": _path, "columns": mapping(dict.fromkeys(columns, text())), "where": text()},
                    required=("path",),
                )
                for table, columns in TABLE_COLUMNS.items()
            },
            required=("requests",),
        ),
    },
    required=("engine", "tables"),
)


def read_warehouse(node: Node, problems: Problems, *, name: str) -> Warehouse | None:
    """The warehouse called ``name``, or None after reporting what is wrong."""
    before = problems.error_count
    values = WAREHOUSE(node, problems)
    if problems.error_count > before:
        return None
    tables = {
        table: TableSource(
            path=given["path"],
            columns=MappingProxyType(given.get("columns", {})),
            where=given.get("where", ""),
        )
        for table, given in values["tables"].items()
    }
    return Warehouse(name, values["engine"], MappingProxyType(tables), Source(node.file, node.line))
