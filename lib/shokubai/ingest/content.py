"""The bytes of an input file: decompressed as a stream, fingerprinted while read, cut into lines."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa

from shokubai.core.errors import UsageError
from shokubai.ingest.model import Advance

HEAD_BYTES = 1 << 16
_BLOCK_BYTES = 32 << 20
_BATCH_LINES = 8192  # DuckDB spreads batches over threads

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_NOT_TAKEN = {
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"PK\x03\x04": "a zip archive",
    b"\x37\x7a\xbc\xaf": "a 7z archive",
}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], Any]]:
    """The raw file (to see how far it is) and the stream of its content."""
    with path.open("rb") as raw:
        magic = raw.read(8)
        raw.seek(0)
        for start, what in _NOT_TAKEN.items():
            if magic.startswith(start):
                raise UsageError(f"{path}: is {what}; unpack it first, or compress it with gzip or zstd")
        if magic.startswith(_GZIP):
            yield raw, gzip.GzipFile(fileobj=raw)
        elif magic.startswith(_ZSTD):
            yield raw, pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
        else:
            yield raw, raw


def read_blocks(path: Path, *, size: int = _BLOCK_BYTES, advance: Advance | None = None) -> Iterator[bytes]:
    """The decompressed content, block by block. ``advance`` hears of the bytes on disk.

    Raises UsageError when the file cannot be read or its compression is broken.
    """
    try:
        with _opened(path) as (raw, content):
            seen = 0
            while block := content.read(size):
                yield bytes(block)
                if advance:
                    advance(raw.tell() - seen)
                    seen = raw.tell()
    except (EOFError, gzip.BadGzipFile, zlib.error, pa.ArrowInvalid) as error:
        raise UsageError(
            f"{path}: its compression is broken or it ends too early ({error}); copy it again"
        ) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error


class Fingerprint:
    """A hash of content that is fed in blocks, and of its first ``n`` bytes for every ``n`` in ``prefixes``.

    The prefixes tell whether a file is an earlier one that has grown.
    """

    def __init__(self, prefixes: Collection[int] = ()) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._waiting = sorted({HEAD_BYTES, *prefixes}, reverse=True)
        self.byte_count = 0
        self.of_prefix: dict[int, str] = {}

    def update(self, block: bytes) -> None:
        view = memoryview(block)
        while self._waiting and self._waiting[-1] <= self.byte_count + len(view):
            cut = self._waiting.pop()
            self._hash.update(view[: cut - self.byte_count])
            view = view[cut - self.byte_count :]
            self.byte_count = cut
            self.of_prefix[cut] = self._hash.hexdigest()
        self._hash.update(view)
        self.byte_count += len(view)

    @property
    def whole(self) -> str:
        return self._hash.hexdigest()

    @property
    def head(self) -> str:
        """Of the first bytes, or of everything when there is less."""
        return self.of_prefix.get(HEAD_BYTES, self.whole)


def read_line_chunks(path: Path, *, fingerprint: Fingerprint, advance: Advance | None = None) -> Iterator[pa.Table]:
    """The lines of a text file in order: ``line_number`` (from 1) and ``line``, with its end of line.

    Bytes that are no UTF-8 appear as ``\\xe9``. A chunk is as large as one block, whatever the file's size.
    """
    rest, first = b"", 1
    for block in read_blocks(path, advance=advance):
        fingerprint.update(block)
        whole, newline, tail = (rest + block if rest else block).rpartition(b"\n")
        if not newline:
            if len(tail) > 2 * _BLOCK_BYTES:
                raise UsageError(f"{path}: line {first} is longer than {len(tail) >> 20} MiB; this is no text log")
            rest = tail
            continue
        rest = tail
        chunk = _as_table(whole + newline, first)
        first += chunk.num_rows
        yield chunk
    if rest:
        yield _as_table(rest + b"\n", first)


def _as_table(text: bytes, first: int) -> pa.Table:
    try:
        lines = _lines(text).cast(pa.string())
    except pa.ArrowInvalid:
        lines = _lines(text.decode("utf-8", errors="backslashreplace").encode()).cast(pa.string())
    numbers = pa.array(np.arange(first, first + len(lines), dtype=np.int64))
    table = pa.table({"line_number": numbers, "line": lines})
    return pa.Table.from_batches(table.to_batches(max_chunksize=_BATCH_LINES))


def _lines(text: bytes) -> pa.Array:
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n"))
    offsets = np.zeros(len(ends) + 1, dtype=np.int32)
    offsets[1:] = ends + 1
    return pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
