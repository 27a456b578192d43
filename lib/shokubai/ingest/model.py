"""What an import is asked to do and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from shokubai.core.errors import UsageError
from shokubai.ingest.line_format import LineFormat
from shokubai.ingest.mapping import Mapping as ColumnMapping

DEFAULT_MAX_ROUTES = 200

Advance = Callable[[int], None]  # told how many bytes of the input were done


@dataclass(frozen=True)
class ImportOptions:
    """How files are read.

    ``name`` is the import's folder and warehouse; ``service`` the service all rows belong to, None when a
    column says it. ``line_format`` None means recognised from each file. ``key_file`` None means the key of the
    outputs folder, made on first use. ``is_table``: text is CSV, not an access log. ``source_zone`` is for times
    without an offset in tables; ``zone`` is the organisation's, in which days are told.
    """

    name: str
    service: str | None = None
    line_format: LineFormat | None = None
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    is_table: bool = False
    source_zone: str = "UTC"
    zone: str = "UTC"
    route_rules: tuple[Callable[[str], str | None], ...] = ()
    max_routes: int = DEFAULT_MAX_ROUTES
    key_file: Path | None = None
    allow_rejected: bool = False
    memory_limit: str = "2GB"

    def __post_init__(self) -> None:
        if self.max_routes < 4:
            raise UsageError(f"--max-routes {self.max_routes}: at least 4 are needed to fold the others into")


@dataclass(frozen=True)
class SourceSummary:
    """What became of one file. ``parsed_count`` includes the repaired; read = parsed + rejected + left out.

    ``fingerprint`` is of the decompressed content; ``replaced`` names what it stands for now: itself imported
    before, or an earlier state of the same growing file. ``repeats`` names the file of the same command that has
    the same content, or begins with it; the rows count once.
    """

    file: str
    kind: str
    fingerprint: str
    head_fingerprint: str
    byte_count: int
    read_count: int
    parsed_count: int
    repaired_count: int = 0
    rejected_count: int = 0
    left_out_count: int = 0
    rejected_reasons: Mapping[str, int] | None = None
    rejected_file: str | None = None
    replaced: tuple[str, ...] = ()
    repeats: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceSummary:
    """One service as everything imported under the name has it, earlier imports included.

    ``duration_p99_seconds`` is of the requests that did not fail, None without durations.
    """

    service: str
    request_count: int
    status_count: int
    duration_count: int
    duration_p50_seconds: float | None
    duration_p99_seconds: float | None


@dataclass(frozen=True)
class ImportSummary:
    """What one import did. Counts of rows are of this import's files; ``services`` is of all that is there now."""

    name: str
    directory: Path
    requests_pattern: str
    sources: tuple[SourceSummary, ...]
    row_count: int
    duplicate_count: int
    first_at: datetime
    last_at: datetime
    local_days: tuple[date, ...]  # days with rows, in the zone that was asked for
    status_counts: Mapping[int | None, int]
    duration_count: int
    malformed_count: int
    route_count: int
    template_count: int  # before folding
    folded_count: int  # requests whose route was folded
    services: tuple[ServiceSummary, ...]

    @property
    def read_count(self) -> int:
        return sum(source.read_count for source in self.sources if not source.repeats)

    @property
    def parsed_count(self) -> int:
        return sum(source.parsed_count for source in self.sources if not source.repeats)

    @property
    def repaired_count(self) -> int:
        return sum(source.repaired_count for source in self.sources if not source.repeats)

    @property
    def rejected_count(self) -> int:
        return sum(source.rejected_count for source in self.sources if not source.repeats)
