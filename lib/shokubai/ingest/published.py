"""Looking at what has been imported."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb

from shokubai.ingest.columns import as_literal
from shokubai.ingest.model import ServiceSummary


def published_routes(directory: Path) -> dict[str, frozenset[str]]:
    """The routes of each service in a requests folder."""
    if not any(directory.glob("*/*.parquet")):
        return {}
    with closing(duckdb.connect(":memory:")) as connection:
        rows = connection.execute(
            "SELECT service_name, list(DISTINCT http_route) "
            f"FROM read_parquet({as_literal(f'{directory}/*/*.parquet')}, hive_partitioning = false) "
            "GROUP BY service_name"
        ).fetchall()
    return {service: frozenset(routes) for service, routes in rows}


def summarize_services(pattern: str, *, memory_limit: str) -> tuple[ServiceSummary, ...]:
    """Each service with its counts, and its latency to start an objective from."""
    with closing(duckdb.connect(":memory:")) as connection:
        connection.execute(f"SET memory_limit = {as_literal(memory_limit)}")
        rows = connection.execute(
            f"""
            SELECT
                service_name,
                count(*),
                count(http_response_status_code),
                count(duration_seconds),
                quantile_cont(duration_seconds, 0.5),
                quantile_cont(duration_seconds, 0.99) FILTER (coalesce(http_response_status_code, 200) < 500)
            FROM read_parquet({as_literal(pattern)}, hive_partitioning = false)
            GROUP BY service_name
            ORDER BY service_name
            """
        ).fetchall()
    return tuple(ServiceSummary(*row) for row in rows)
