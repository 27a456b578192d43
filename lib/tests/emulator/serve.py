"""Start the emulator ``local-bigquery``; runs in its environment of its own (Python 3.13 or newer), not in ours.

What is done to it first, and why:

* It asks DuckDB for extensions over the network. ``ducklake`` comes as a package instead, and is loaded from there;
  functions on geography need one that does not, and are left out.
* It does not know some things that BigQuery documents and that are used: a table's day as a job's destination
  (``table$20261026``), the size and time of change of partitions in INFORMATION_SCHEMA.PARTITIONS, how many bytes a
  statement reads, and a limit for them. A row counts as 100 bytes, and of a partitioned table the days from @start to
  @end are read.
* Tables that are not partitioned would have changed at the moment at which they are looked at.
"""

import ctypes
import re
import signal
import site
import sys
from pathlib import Path

import duckdb

_connect = duckdb.connect
_EXTENSIONS = [
    str(file)
    for folder in site.getsitepackages()
    for file in sorted(Path(folder).glob("duckdb_extension_*/extensions/*/*.duckdb_extension"))
]


def connect(*arguments, config=None, **options):
    settings = dict(config or {})
    zone = settings.pop("TimeZone", None)  # passed to connect(), it would be looked for over the network
    connection = _connect(*arguments, config=settings, **options)
    for extension in _EXTENSIONS:
        connection.execute(f"LOAD '{extension}'")
    if zone:
        connection.execute(f"SET TimeZone = '{zone}'")
    return connection


duckdb.connect = connect

from local_bigquery import cli  # noqa: E402
from local_bigquery.catalog import metadata, tables  # noqa: E402
from local_bigquery.engine import database  # noqa: E402
from local_bigquery.errors import BigQueryError  # noqa: E402
from local_bigquery.jobs import query as queries  # noqa: E402
from local_bigquery.sql.rules import information_schema  # noqa: E402

BYTES_PER_ROW = 100
database.FUNCTIONS = [path for path in database.FUNCTIONS if path.stem != "geography"]
_write = tables.write


def write(cursor, query, parameters, reference, config, *arguments, **options):
    """A query's rows into a table, or in place of one of its days, all at once."""
    project, dataset, table = reference
    base, _, day = table.partition("$")
    if not day:
        return _write(cursor, query, parameters, reference, config, *arguments, **options)
    if config.writeDisposition != "WRITE_TRUNCATE":
        raise BigQueryError("notImplemented", "a day can only be replaced here")
    partitioned_by = tables.load(project, dataset, base).timePartitioning.field
    if config.timePartitioning and config.timePartitioning.field != partitioned_by:
        raise BigQueryError(
            "invalid", f"Incompatible table partitioning specification. Expects field:{partitioned_by}"
        )
    name, column = tables.name(project, dataset, base), database.quote(partitioned_by)
    is_of_day = f"coalesce(strftime({column}, '%Y%m%d'), '__NULL__') = '{day}'"
    with database.writing(project, dataset, base):
        cursor.register("rows_of_day", cursor.sql(query, params=parameters).to_arrow_table())
        try:
            (others,) = cursor.execute(f"SELECT count(*) FROM rows_of_day WHERE NOT {is_of_day}").fetchone()
            if others:
                raise BigQueryError(
                    "invalid", f"Some rows belong to different partitions rather than destination partition {table}"
                )
            cursor.execute("BEGIN")
            cursor.execute(f"DELETE FROM {name} WHERE {is_of_day}")
            cursor.execute(f"INSERT INTO {name} BY NAME SELECT * FROM rows_of_day")
            cursor.execute("COMMIT")
        finally:
            cursor.unregister("rows_of_day")
    return False


def partitions(project, dataset):
    """INFORMATION_SCHEMA.PARTITIONS; its partitions change when their number of rows does."""
    columns = [
        *information_schema.IDENTITY,
        "partition_id",
        "total_rows INT64",
        "total_logical_bytes INT64",
        "last_modified_time TIMESTAMP",
        "storage_tier",
    ]
    rows = [
        [
            *information_schema._identity(table),
            partition,
            count,
            count * BYTES_PER_ROW,
            information_schema._timestamp(table.creationTime),
            "ACTIVE",
        ]
        for table in information_schema._tables(project, dataset)
        for partition, count in information_schema._partitions(table)
    ]
    return columns, rows


_defaults, _started = tables.defaults, metadata.now()
_execute = queries.execute


def defaults(*name):
    return _defaults(*name).replace(creationTime=_started, lastModifiedTime=_started)


def execute(cursor, project, job_id, config, dry_run=False, session=None):
    """Run a statement, with the bytes that it reads in its statistics, unless they are more than it may."""
    size = bytes_read(cursor, project, config)
    if not dry_run and config.maximumBytesBilled and int(config.maximumBytesBilled) < size:
        raise BigQueryError(
            "bytesBilledLimitExceeded",
            f"Query exceeded limit for bytes billed: {config.maximumBytesBilled}. {size} or higher required.",
        )
    statistics, children, destination = _execute(cursor, project, job_id, config, dry_run, session)
    billed = max(size, 10 * 2**20) if size else 0
    statistics = statistics.replace(totalBytesProcessed=str(size), totalBytesBilled=str(billed))
    return statistics, children, destination


def bytes_read(cursor, project, config):
    bounds = {p.name: p.parameterValue.value for p in config.queryParameters or [] if p.name in ("start", "end")}
    return BYTES_PER_ROW * sum(rows_read(cursor, name, bounds) for name in sorted(tables_read(project, config)))


def tables_read(project, config):
    """The tables that a statement names, in full or by those of the dataset in use."""
    named = {tuple(name) for name in re.findall(r"`([\w-]+)\.(\w+)\.(\w+)`", config.query)}
    dataset = config.defaultDataset
    if dataset:
        names = set(re.findall(r"\b(?:FROM|JOIN) (\w+)\b", config.query))
        names -= set(re.findall(r"\b(\w+) AS \(", config.query))
        named |= {(dataset.projectId or project, dataset.datasetId, name) for name in names}
    return named


def rows_read(cursor, name, bounds):
    try:
        partitioning = tables.load(*name).timePartitioning
    except BigQueryError:
        return 0  # it is not there, as running the statement will say
    where = ""
    if partitioning and partitioning.field and len(bounds) == 2:
        column = database.quote(partitioning.field)
        where = (
            f" WHERE {column} >= date_trunc('day', TIMESTAMPTZ '{bounds['start']}')"
            f" AND {column} < TIMESTAMPTZ '{bounds['end']}'"
        )
    return cursor.execute(f"SELECT count(*) FROM {tables.name(*name)}{where}").fetchone()[0]


queries.execute = execute
tables.defaults = defaults
tables.write = write
for views in list(vars(information_schema).values()):
    if isinstance(views, dict) and "PARTITIONS" in views:
        views["PARTITIONS"] = partitions

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # end with whoever started it, however that ends
    sys.argv[0] = "local-bigquery"
    cli.main()
