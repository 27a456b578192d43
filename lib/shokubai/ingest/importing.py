"""One import, from files to published days: read, check, fold, write, switch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc

from shokubai.core.errors import DataError, UsageError
from shokubai.ingest.addresses import HashKey, masked
from shokubai.ingest.folding import fold_routes
from shokubai.ingest.model import Advance, ImportOptions, ImportSummary, SourceSummary
from shokubai.ingest.publication import Publication
from shokubai.ingest.published import published_routes, summarize_services
from shokubai.ingest.readers import Reader, connect_parser, open_reader
from shokubai.ingest.recognition import ACCEPTED, Recognised, recognise
from shokubai.ingest.staging import Staging, absent_route, rejected_rows

MAX_REJECTED_RATIO = 0.5


def _nothing() -> None:
    pass


def import_requests(
    files: Sequence[Path],
    options: ImportOptions,
    *,
    outputs: Path,
    advance: Advance | None = None,
    before_publishing: Callable[[], None] = _nothing,
) -> ImportSummary:
    """Import log files under ``{outputs}/imports/<name>/`` and say what became of every line.

    Each file's rows are parts of their own, one per UTC day, named by the fingerprint of the file's content: a
    file that is imported again, or that has grown since, replaces itself. Nothing is visible, and nothing stays
    behind, unless everything went well. ``advance`` hears of the bytes read; ``before_publishing`` is called
    when all is ready, and what it raises stops the import.

    Raises UsageError for files that cannot be imported, mappings that do not fit them and places that cannot be
    written, DataError when the data cannot be worked on (no memory, no disk).
    """
    try:
        return _import(files, options, outputs=outputs, advance=advance, before_publishing=before_publishing)
    except duckdb.Error as error:
        raise DataError(f"{outputs / 'imports' / options.name}: the import stopped: {error}") from error
    except OSError as error:
        place = error.filename or outputs
        raise UsageError(f"{place}: cannot be used: {error.strerror or error}; nothing was imported") from error


def _import(
    files: Sequence[Path],
    options: ImportOptions,
    *,
    outputs: Path,
    advance: Advance | None,
    before_publishing: Callable[[], None],
) -> ImportSummary:
    recognised = [recognise(f, is_table=options.is_table, allow_rejected=options.allow_rejected) for f in files]
    key = HashKey.load(options.key_file or outputs / "imports" / "key", may_create=options.key_file is None)
    publication = Publication(outputs / "imports" / options.name)
    with publication.held() as work, closing(Staging(work, memory_limit=options.memory_limit)) as staging:
        known = publication.sources()
        sources = _stage_all(recognised, known, staging=staging, key=key, options=options, work=work, advance=advance)
        if not staging.row_count():
            raise UsageError(f"{', '.join(map(str, files))}: not one line could be read as a request\n{ACCEPTED}")
        duplicate_count = staging.drop_duplicates()
        gone = {fingerprint for source in sources for fingerprint in (source.fingerprint, *source.replaced)}
        version = publication.begin(work, without=gone)
        template_count = _fold(staging, version, options.max_routes)
        for part in staging.parts():
            day = version / "requests" / f"day={part.day}"
            day.mkdir(exist_ok=True)
            staging.write_part(part, day / f"{sources[part.source].fingerprint}.parquet")
        sources = [_keep_rejects(source, _rejects_file(work, n), version) for n, source in enumerate(sources)]
        summary = _summary(publication, sources, known, staging, options, duplicate_count, template_count)
        before_publishing()
        key.save()
        publication.publish(
            version,
            sources=[
                *(source for source in known if source["fingerprint"] not in gone),
                *(_record(source) for source in sources if not source.repeats),
            ],
        )
    return replace(summary, services=summarize_services(summary.requests_pattern, memory_limit=options.memory_limit))


def _stage_all(
    files: Sequence[Recognised],
    known: Sequence[dict[str, Any]],
    *,
    staging: Staging,
    key: HashKey,
    options: ImportOptions,
    work: Path,
    advance: Advance | None,
) -> list[SourceSummary]:
    sources: list[SourceSummary] = []
    with closing(connect_parser()) as parser:
        for number, file in enumerate(files):
            sizes = {source["byte_count"] for source in known} | {source.byte_count for source in sources}
            reader = open_reader(file, options=options, parser=parser, prefixes=sizes)
            source = _stage_one(
                reader,
                file.path,
                number,
                staging=staging,
                key=key,
                options=options,
                rejects=_rejects_file(work, number),
                advance=advance,
            )
            for earlier_number, earlier in enumerate(sources):
                if source.fingerprint == earlier.fingerprint:
                    source = replace(source, repeats=earlier.file)
                    staging.drop_source(number)
                elif (
                    not earlier.repeats
                    and reader.fingerprint.of_prefix.get(earlier.byte_count) == earlier.fingerprint
                ):
                    sources[earlier_number] = replace(earlier, repeats=source.file)
                    staging.drop_source(earlier_number)
            sources.append(_against_known(source, reader, known))
    return sources


def _stage_one(
    reader: Reader,
    path: Path,
    number: int,
    *,
    staging: Staging,
    key: HashKey,
    options: ImportOptions,
    rejects: Path,
    advance: Advance | None,
) -> SourceSummary:
    """Stage one file; its rejected lines go to ``rejects``.

    Raises UsageError when more than half of its lines are rejected and that is not allowed.
    """
    read = parsed = repaired = left_out = 0
    reasons: Counter[str] = Counter()
    examples: dict[str, str] = {}
    with rejects.open("x", encoding="utf-8") as kept:
        rejects.chmod(0o600)
        for batch in reader.batches(advance):
            read += batch.num_rows
            for line_number, reason, text in rejected_rows(batch):
                reasons[reason] += 1
                shown = masked(text.rstrip("\r\n"))
                examples.setdefault(reason, f"line {line_number}: {shown[:160]}")
                kept.write(f"{line_number}\t{reason}\t{shown}\n")
            accepted = batch.filter(pc.and_(pc.is_null(batch["rejected_reason"]), batch["is_wanted"]))
            parsed += accepted.num_rows
            repaired += pc.sum(accepted["is_repaired"]).as_py() or 0
            left_out += batch.filter(pc.invert(batch["is_wanted"])).num_rows
            staging.add(
                accepted,
                source=number,
                key=key,
                rules=options.route_rules,
                absent_route=absent_route(reader.kind),
            )
    rejected = sum(reasons.values())
    if rejected > MAX_REJECTED_RATIO * read and not options.allow_rejected:
        listed = "\n".join(f"  {count:,} × {reason}; {examples[reason]}" for reason, count in reasons.most_common(3))
        raise UsageError(
            f"{path}: {rejected:,} of {read:,} lines cannot be read as {reader.kind}:\n{listed}\n{ACCEPTED}\n"
            "Name the right format or columns, or take what can be read with --allow-rejected."
        )
    return SourceSummary(
        file=path.name,
        kind=reader.kind,
        fingerprint=reader.fingerprint.whole,
        head_fingerprint=reader.fingerprint.head,
        byte_count=reader.fingerprint.byte_count,
        read_count=read,
        parsed_count=parsed,
        repaired_count=repaired,
        rejected_count=rejected,
        left_out_count=left_out,
        rejected_reasons=dict(reasons),
        notes=tuple(reader.notes),
    )


def _against_known(source: SourceSummary, reader: Reader, known: Sequence[dict[str, Any]]) -> SourceSummary:
    """What the file stands in for, of the files imported earlier: itself, or what it was before it grew."""
    prefixes = reader.fingerprint.of_prefix | {source.byte_count: source.fingerprint}
    replaced = [k["fingerprint"] for k in known if prefixes.get(k["byte_count"]) == k["fingerprint"]]
    alike = [
        k["file"]
        for k in known
        if k["head_fingerprint"] == source.head_fingerprint and k["fingerprint"] not in replaced
    ]
    notes = [
        f"begins exactly like {file}, imported earlier, but is no later state of it: both are counted"
        for file in alike
    ]
    return replace(source, replaced=tuple(replaced), notes=(*source.notes, *notes))


def _fold(staging: Staging, version: Path, limit: int) -> int:
    """Fold what is beyond the limit of routes per service; how many templates there were before."""
    published = published_routes(version / "requests")
    counts = staging.route_counts()
    for service, routes in counts.items():
        staging.fold(service, fold_routes(routes, limit=limit, kept=published.get(service, frozenset())))
    return sum(len(routes) for routes in counts.values())


def _rejects_file(work: Path, number: int) -> Path:
    return work / f"rejected-{number}.txt"


def _keep_rejects(source: SourceSummary, rejects: Path, version: Path) -> SourceSummary:
    if not source.rejected_count or source.repeats:
        return source
    name = f"{source.file}.txt"
    if (version / "rejected" / name).exists():  # another file of this name, from another folder
        name = f"{source.file}-{source.fingerprint[:8]}.txt"
    rejects.rename(version / "rejected" / name)
    return replace(source, rejected_file=name)


def _summary(
    publication: Publication,
    sources: Sequence[SourceSummary],
    known: Sequence[dict[str, Any]],
    staging: Staging,
    options: ImportOptions,
    duplicate_count: int,
    template_count: int,
) -> ImportSummary:
    first, last = staging.span()
    duration_count, malformed_count, route_count, folded_count = staging.tallies()
    names = {source["fingerprint"]: source["file"] for source in known}
    return ImportSummary(
        name=options.name,
        directory=publication.directory,
        requests_pattern=str(publication.directory / "requests" / "*" / "*.parquet"),
        sources=tuple(replace(s, replaced=tuple(names[f] for f in s.replaced)) for s in sources),
        row_count=staging.row_count(),
        duplicate_count=duplicate_count,
        first_at=first,
        last_at=last,
        local_days=staging.local_days(options.zone),
        status_counts=staging.status_counts(),
        duration_count=duration_count,
        malformed_count=malformed_count,
        route_count=route_count,
        template_count=template_count,
        folded_count=folded_count,
        services=(),
    )


def _record(source: SourceSummary) -> dict[str, Any]:
    """What is remembered of a file."""
    record = asdict(source)
    for forgotten in ("replaced", "repeats", "notes"):
        del record[forgotten]
    return record
