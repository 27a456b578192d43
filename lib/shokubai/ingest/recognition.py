"""What a file is, judged by its beginning, and clear words for what cannot be imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shokubai.core.errors import UsageError
from shokubai.ingest.content import read_blocks
from shokubai.ingest.line_format import is_access_log_line, is_error_log_line

Kind = Literal["access log", "JSON lines", "CSV", "Parquet"]

_SAMPLE_BYTES = 1 << 20
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1b")

ACCEPTED = (
    "Accepted are access logs in the common or combined format of nginx and Apache, with or without a duration\n"
    "appended, JSON lines, CSV and Parquet; also compressed with gzip or zstd."
)


@dataclass(frozen=True)
class Recognised:
    """A file that can be imported. ``sample`` is its first lines, empty for Parquet."""

    path: Path
    kind: Kind
    sample: tuple[str, ...]


def recognise(path: Path, *, is_table: bool = False, allow_rejected: bool = False) -> Recognised:
    """What the file is. ``is_table``: text that is no JSON is CSV, not an access log.

    Raises UsageError for what is missing, empty, binary, an error log, or like nothing that can be imported:
    what it looks like, what is accepted, what to do.
    """
    head = _head(path)
    if head.startswith(b"PAR1"):
        return Recognised(path, "Parquet", ())
    if _is_binary(head):
        raise UsageError(
            f"{path}: is binary, not a text log; it begins with {head[:16].hex(' ')}\n{ACCEPTED}\n"
            "Export it as text or as Parquet and import that."
        )
    sample = _sample_lines(head)
    filled = [line for line in sample if line.strip()]
    if not filled:
        raise UsageError(f"{path}: has only empty lines; there is nothing to import")
    if filled[0].lstrip().startswith("{"):
        return Recognised(path, "JSON lines", tuple(sample))
    if filled[0].lstrip().startswith(("[{", "[\n")) or filled[0].strip() == "[":
        raise UsageError(
            f"{path}: is one JSON array; JSON lines are accepted, an object per line.\n"
            f"Convert it with `jq -c '.[]' {path.name}`."
        )
    if filled[0].lstrip().startswith("<"):
        raise UsageError(f"{path}: looks like XML or HTML; it begins with {filled[0].strip()[:60]!r}\n{ACCEPTED}")
    _refuse_error_log(path, filled)
    if is_table or ".csv" in path.suffixes or ".tsv" in path.suffixes:
        return Recognised(path, "CSV", tuple(sample))
    if not allow_rejected and not any(is_access_log_line(line) for line in filled):
        raise UsageError(
            f"{path}: none of its first {len(filled)} lines is an access-log line; the first is\n"
            f"  {filled[0].strip()[:200]}\n{ACCEPTED}\n"
            "Import a CSV file with `shokubai import table FILE --column timestamp=COLUMN …`."
        )
    return Recognised(path, "access log", tuple(sample))


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name the files in it, such as {path}/*.log")
    if not path.exists():
        raise UsageError(f"{path}: there is no such file")
    if not path.is_file():
        raise UsageError(f"{path}: is no regular file; save it first, it is read more than once")
    head = next(read_blocks(path, size=_SAMPLE_BYTES), b"")
    if not head:
        raise UsageError(f"{path}: is empty; there is nothing to import")
    return head


def _is_binary(head: bytes) -> bool:
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head[:65536])
    return controls > 0.01 * len(head[:65536])


def _sample_lines(head: bytes) -> list[str]:
    lines = head.decode("utf-8", errors="backslashreplace").splitlines(keepends=False)
    # The last one may be cut by the sample's end.
    return lines[:-1] if len(head) >= _SAMPLE_BYTES and len(lines) > 1 else lines


def _refuse_error_log(path: Path, lines: list[str]) -> None:
    errors = sum(map(is_error_log_line, lines))
    if errors > 0.5 * len(lines):
        raise UsageError(
            f"{path}: looks like an error log of nginx or Apache; its first line is\n"
            f"  {lines[0].strip()[:200]}\n"
            "An error log has no line for a request that went well, so no ratio can be had from it.\n"
            f"{ACCEPTED}\nImport the access log that stands beside it, usually access.log."
        )
