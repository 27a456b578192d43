"""Requests on their way: routes templated, addresses hashed, on disk, not yet published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from shokubai.ingest.addresses import HashKey
from shokubai.ingest.columns import as_literal
from shokubai.ingest.routes import MALFORMED, UNKNOWN, route_of
from shokubai.tables.contracts import REQUESTS

_TYPES = {"TIMESTAMP": "TIMESTAMPTZ", "STRING": "VARCHAR", "NULLABLE_INT64": "BIGINT", "FLOAT64": "DOUBLE"}


@dataclass(frozen=True)
class Part:
    """The rows of one source on one UTC day."""

    source: int
    day: date
    row_count: int


class Staging:
    """A DuckDB file in a folder that is thrown away; nothing in it tells who a client was."""

    def __init__(self, directory: Path, *, memory_limit: str) -> None:
        self._connection = duckdb.connect(str(directory / "staging.duckdb"))
        self._connection.execute(
            f"SET TimeZone = 'UTC'; SET memory_limit = {as_literal(memory_limit)};"
            f"SET temp_directory = {as_literal(str(directory / 'spill'))}; SET enable_progress_bar = false"
        )
        columns = ", ".join(f"{name} {_TYPES[column.type]}" for name, column in REQUESTS.columns.items())
        self._connection.execute(
            f"CREATE TABLE staged (source INTEGER, line_number BIGINT, unique_key VARCHAR, {columns})"
        )
        self._connection.execute("CREATE TABLE folded (service_name VARCHAR, http_route VARCHAR, folded VARCHAR)")

    def close(self) -> None:
        self._connection.close()

    def add(
        self,
        batch: pa.Table,
        *,
        source: int,
        key: HashKey,
        rules: Sequence[Callable[[str], str | None]],
        absent_route: str,
    ) -> None:
        """Stage the accepted rows of a batch of parsed requests. ``absent_route`` stands for a missing target."""
        if not batch.num_rows:
            return

        def template(target: str | None) -> str:
            return absent_route if target is None else route_of(target, rules=rules)

        prepared = pa.table(
            {
                "source": pa.array([source], pa.int32()).take(pa.array([0] * batch.num_rows)),
                "line_number": batch["line_number"],
                "unique_key": batch["unique_key"],
                "timestamp": batch["timestamp"],
                "service_name": batch["service_name"],
                "http_route": _each_distinct(batch["target"], template),
                "http_request_method": batch["http_request_method"],
                "http_response_status_code": batch["http_response_status_code"],
                "duration_seconds": batch["duration_seconds"],
                "user_key": _each_distinct(batch["client"], key.hash),
                "region": batch["region"],
                "service_version": batch["service_version"],
                "trace_id": batch["trace_id"],
            }
        )
        self._connection.register("prepared", prepared)
        self._connection.execute("INSERT INTO staged BY NAME SELECT * FROM prepared")
        self._connection.unregister("prepared")

    def drop_source(self, source: int) -> None:
        self._connection.execute("DELETE FROM staged WHERE source = $source", {"source": source})

    def drop_duplicates(self) -> int:
        """Keep the first of the rows with one unique key, by file and line; how many went."""
        before = self.row_count()
        self._connection.execute(
            """
            DELETE FROM staged WHERE rowid IN (
                SELECT rowid FROM staged WHERE unique_key IS NOT NULL
                QUALIFY row_number() OVER (PARTITION BY unique_key ORDER BY source, line_number) > 1
            )
            """
        )
        return before - self.row_count()

    def row_count(self) -> int:
        return int(self._row("SELECT count(*) FROM staged")[0])

    def route_counts(self) -> dict[str, Counter[str]]:
        """Requests by service and route."""
        counts: dict[str, Counter[str]] = {}
        rows = self._connection.execute("SELECT service_name, http_route, count(*) FROM staged GROUP BY ALL")
        for service, route, count in rows.fetchall():
            counts.setdefault(service, Counter())[route] = count
        return counts

    def fold(self, service: str, routes: dict[str, str]) -> None:
        """Remember which routes of a service become which; applied when parts are written."""
        if routes:
            table = pa.table(
                {
                    "service_name": pa.array([service] * len(routes)),
                    "http_route": pa.array(list(routes)),
                    "folded": pa.array(list(routes.values())),
                }
            )
            self._connection.register("folds", table)
            self._connection.execute("INSERT INTO folded BY NAME SELECT * FROM folds")
            self._connection.unregister("folds")

    def parts(self) -> list[Part]:
        rows = self._connection.execute(
            "SELECT source, CAST(timezone('UTC', timestamp) AS DATE) AS day, count(*) FROM staged "
            "GROUP BY ALL ORDER BY ALL"
        )
        return [Part(source, day, count) for source, day, count in rows.fetchall()]

    def write_part(self, part: Part, file: Path) -> None:
        """Write the part's rows in the request log's columns, sorted by time."""
        columns = ", ".join(
            "coalesce(folded, s.http_route) AS http_route" if name == "http_route" else f"s.{name}"
            for name in REQUESTS.columns
        )
        end = part.day + timedelta(days=1)
        self._connection.execute(
            f"""
            COPY (
                SELECT {columns}
                FROM staged AS s LEFT JOIN folded USING (service_name, http_route)
                WHERE s.source = {part.source}
                    AND s.timestamp >= TIMESTAMPTZ '{part.day} 00:00:00+00'
                    AND s.timestamp < TIMESTAMPTZ '{end} 00:00:00+00'
                ORDER BY s.timestamp, s.line_number
            ) TO {as_literal(str(file))} (FORMAT parquet, COMPRESSION zstd)
            """
        )

    def span(self) -> tuple[datetime, datetime]:
        """First and last instant."""
        first, last = self._row("SELECT epoch_us(min(timestamp)), epoch_us(max(timestamp)) FROM staged")
        return _instant(first), _instant(last)

    def local_days(self, zone: str) -> tuple[date, ...]:
        rows = self._connection.execute(
            "SELECT DISTINCT CAST(timezone($zone, timestamp) AS DATE) AS day FROM staged ORDER BY day", {"zone": zone}
        )
        return tuple(day for (day,) in rows.fetchall())

    def status_counts(self) -> dict[int | None, int]:
        rows = self._connection.execute(
            "SELECT http_response_status_code AS code, count(*) FROM staged GROUP BY code ORDER BY code NULLS LAST"
        )
        return dict(rows.fetchall())

    def tallies(self) -> tuple[int, int, int, int]:
        """Requests with a duration, malformed requests, routes after folding, requests that were folded."""
        row = self._row(
            f"""
            SELECT
                count(duration_seconds),
                count(*) FILTER (http_route = {as_literal(MALFORMED)}),
                count(DISTINCT coalesce(folded, http_route)),
                count(folded)
            FROM staged LEFT JOIN folded USING (service_name, http_route)
            """
        )
        return int(row[0]), int(row[1]), int(row[2]), int(row[3])

    def _row(self, sql: str) -> tuple[int, ...]:
        # fetchone would leave the result open, and the connection busy.
        rows: list[tuple[int, ...]] = self._connection.execute(sql).fetchall()
        return rows[0]


def absent_route(kind: str) -> str:
    """What stands for a target that is not there: in an access log the request line was no HTTP request."""
    return MALFORMED if kind.startswith("access log") else UNKNOWN


def rejected_rows(batch: pa.Table) -> Iterator[tuple[int, str, str]]:
    """Line number, reason and text of the rows that were rejected."""
    rejected = batch.filter(pc.is_valid(batch["rejected_reason"]))
    for row in rejected.select(["line_number", "rejected_reason", "line"]).to_pylist():
        yield row["line_number"], row["rejected_reason"], row["line"] or ""


def _each_distinct(column: pa.ChunkedArray, function: Callable[[str | None], str | None]) -> pa.Array:
    """``function`` of each value, called once per distinct one; Python never sees a row."""
    encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    values = pa.array([function(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return values.take(encoded.indices)


def _instant(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
