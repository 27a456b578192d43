"""Statements run in BigQuery as jobs: estimated first, refused when they cost too much, never run twice."""

from __future__ import annotations

import os
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from shokubai.config.model import BigQuery
from shokubai.core.errors import DataError, QueryError, ShokubaiError, UsageError
from shokubai.sources.bigquery_cost import CostGuard
from shokubai.sources.bigquery_errors import explain, is_passing, no_client
from shokubai.sources.bigquery_statement import Estimate, Text

if TYPE_CHECKING:
    from google.cloud import bigquery

# Of the environment, as Google's other emulators have them: an address with http://, and a host with a port.
EMULATOR = "BIGQUERY_EMULATOR_HOST"
STORAGE_EMULATOR = "BIGQUERY_STORAGE_EMULATOR_HOST"
SCOPES = ("https://www.googleapis.com/auth/bigquery",)
_TRIES = 3  # of a job that fails for a reason that passes


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds.

    ``first`` and ``longest`` are the waits between tries, ``look`` is the first one between looks at a job,
    ``request`` is for one answer over HTTP, ``trying`` for all tries of one request.
    """

    look: float = 0.05
    first: float = 0.25
    longest: float = 8.0
    request: float = 60.0
    trying: float = 180.0


@dataclass(frozen=True)
class Outcome:
    """What a job did. ``rows`` is None when they were written to a table."""

    job_id: str
    milliseconds: float
    bytes_processed: int
    bytes_billed: int
    rows: pa.Table | None


class BigQueryJobs:
    """The way to BigQuery for one warehouse; the only place that talks to it.

    Several threads may use it. ``where`` says in messages which warehouse it is. ``credentials`` and ``endpoint``
    are for tests and emulators: at another endpoint than Google's nobody logs in, and results come over the Storage
    Read API only where the environment names one of its own.
    """

    def __init__(
        self,
        settings: BigQuery,
        *,
        where: str,
        labels: Mapping[str, str] | None = None,
        patience: Patience | None = None,
        credentials: Any = None,
        endpoint: str | None = None,
    ) -> None:
        self.settings = settings
        self.where = where
        self.cost = CostGuard(settings, where=where)
        self._labels = checked_labels({**settings.labels, **(labels or {})})
        self._patience = patience or Patience()
        self._credentials = credentials
        self._endpoint = endpoint or os.environ.get(EMULATOR) or ""
        self._stopping = threading.Event()

    # --- statements -----------------------------------------------------------------------------------------

    def estimate(self, text: Text) -> Estimate:
        """What running a statement would read. Costs nothing and changes nothing."""
        client = self._client
        try:
            config = self._config(text, dry_run=True, use_query_cache=False)
            job = client.query(
                text.sql,
                job_config=config,
                location=self.settings.location,
                retry=self._retry,
                timeout=self._patience.request,
                job_retry=None,
            )
        except Exception as error:
            raise self._explained(error, text) from error
        types = {column.name: type_name(column) for column in job.schema or ()}
        return Estimate(int(job.total_bytes_processed or 0), str(job.statement_type or ""), types)

    def run(self, text: Text, *, estimate: Estimate | None = None) -> Outcome:
        """The outcome of a statement that does not cost too much.

        Without an ``estimate`` it is made first. Raises CostError when the statement would read more than is
        allowed, QueryError when it fails or takes too long, UsageError when nobody is logged in. Whoever
        interrupts it stops the job too.
        """
        estimate = estimate or self.estimate(text)
        allowance = self.cost.reserve(text, estimate)
        billed = 0
        started = time.perf_counter()
        try:
            job = self._finished(text, allowance)
            billed = int(job.total_bytes_billed or 0)
            rows = None if text.target else self._rows(job, text)
        finally:
            self.cost.settle(text, estimate, billed=billed)
        milliseconds = (time.perf_counter() - started) * 1000
        return Outcome(str(job.job_id), milliseconds, int(job.total_bytes_processed or 0), billed, rows)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Meanwhile nothing is waited for in other threads; their jobs are cancelled."""
        self._stopping.set()
        try:
            yield
        finally:
            self._stopping.clear()

    # --- tables ---------------------------------------------------------------------------------------------

    def table(self, address: str) -> bigquery.Table:
        """A table's description: columns, partitioning, when it changed last."""
        client = self._client
        try:
            return client.get_table(address, retry=self._retry, timeout=self._patience.request)
        except Exception as error:
            raise self._explained(error, Text(f"looking at table {address}", "")) from error

    def dataset(self, address: str) -> bigquery.Dataset:
        """A dataset's description, among it its location."""
        client = self._client
        try:
            return client.get_dataset(address, retry=self._retry, timeout=self._patience.request)
        except Exception as error:
            raise self._explained(error, Text(f"looking at dataset {address}", "")) from error

    def permitted(self, address: str, permissions: Sequence[str]) -> frozenset[str]:
        """Which of the permissions on a table the account has; none where the service does not say."""
        client = self._client
        from google.api_core import exceptions

        try:
            answer = client.test_iam_permissions(
                address, list(permissions), retry=self._retry, timeout=self._patience.request
            )
        except exceptions.GoogleAPICallError:
            return frozenset()
        return frozenset(answer.get("permissions") or ()) & frozenset(permissions)

    def has_table(self, address: str) -> bool:
        """Whether a table is there; its dataset may be missing as well."""
        return self._found(address, doing=f"looking at table {address}") is not None

    def ensure_table(self, table: Any) -> bigquery.Table:
        """The table as it is there, made now if it was not."""
        making = f"making table {table.reference}"
        if found := self._found(str(table.reference), doing=making):
            return found
        try:
            return self._client.create_table(table, exists_ok=True, retry=self._retry, timeout=self._patience.request)
        except Exception as error:
            raise self._explained(error, Text(making, "")) from error

    def _found(self, address: str, *, doing: str) -> bigquery.Table | None:
        """A table's description, None when it is not there."""
        client = self._client
        from google.api_core import exceptions

        try:
            return client.get_table(address, retry=self._retry, timeout=self._patience.request)
        except exceptions.NotFound:
            return None
        except Exception as error:
            raise self._explained(error, Text(doing, "")) from error

    # --- one job --------------------------------------------------------------------------------------------

    def _finished(self, text: Text, allowance: int) -> Any:
        """The job, done without an error. One that failed for a reason that passes is tried again."""
        deadline = time.monotonic() + self.settings.timeout_seconds
        for attempt in range(1, _TRIES + 1):
            job = self._submitted(text, allowance, deadline)
            failure = job.exception(timeout=0) if job.error_result else None
            if failure is None:
                return job
            if attempt == _TRIES or not is_passing(failure):
                raise self._explained(failure, text) from failure
            self._pause(min(self._patience.first * 2**attempt, self._patience.longest), deadline, text, None)
        raise AssertionError("unreachable")

    def _submitted(self, text: Text, allowance: int, deadline: float) -> Any:
        """The job of a statement when it is done, with an error or without.

        Its id is ours: however often the request is repeated, the statement runs once.
        """
        job_id = f"shokubai_{text.name}_{uuid.uuid4().hex}"
        try:
            job = self._inserted(text, job_id, allowance)
            wait = self._patience.look
            while not job.done(retry=self._retry, timeout=self._patience.request):
                self._pause(wait, deadline, text, job_id)
                wait = min(wait * 1.5, self._patience.longest)
            return job
        except Exception as error:
            if isinstance(error, ShokubaiError):
                raise
            if is_passing(_cause(error)):
                self._cancel(job_id)  # nobody will fetch what it still does
            raise self._explained(error, text) from error
        except BaseException:
            self._cancel(job_id)
            raise

    def _inserted(self, text: Text, job_id: str, allowance: int) -> Any:
        client, settings = self._client, self.settings
        from google.api_core import exceptions

        config = self._config(text, maximum_bytes_billed=allowance)
        config.job_timeout_ms = int(settings.timeout_seconds * 1000)
        try:
            return client.query(
                text.sql,
                job_config=config,
                job_id=job_id,
                location=settings.location,
                retry=self._retry,
                timeout=self._patience.request,
                job_retry=None,
            )
        except exceptions.Conflict:
            # An earlier try of this very request arrived, only its answer did not.
            return client.get_job(
                job_id,
                location=settings.location,
                retry=self._retry,
                timeout=self._patience.request,
            )

    def _config(self, text: Text, **options: Any) -> bigquery.QueryJobConfig:
        from google.cloud import bigquery

        config = bigquery.QueryJobConfig(
            query_parameters=list(text.parameters),
            default_dataset=self.settings.dataset,
            labels={**self._labels, "shokubai_statement": text.name.lower()[:63]},
            **options,
        )
        if target := text.target:
            config.destination = bigquery.TableReference.from_string(f"{target.table}${target.partition}")
            config.write_disposition = bigquery.WriteDisposition.WRITE_TRUNCATE
            config.create_disposition = bigquery.CreateDisposition.CREATE_NEVER
            config.time_partitioning = bigquery.TimePartitioning(
                type_=bigquery.TimePartitioningType.DAY, field=target.partitioned_by
            )
            config.clustering_fields = list(target.clustered_by) or None
        return config

    def _pause(self, seconds: float, deadline: float, text: Text, job_id: str | None) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            if job_id:
                self._cancel(job_id)
            raise QueryError(
                f"{text.called} took longer than {self.settings.timeout_seconds:g} s in {self.where} and was "
                f"cancelled{f' (job {job_id})' if job_id else ''}\n"
                "Ask for less at once, or raise timeout_seconds in the warehouse file."
            )
        if self._stopping.wait(min(seconds, left)):
            if job_id:
                self._cancel(job_id)
            raise QueryError(f"{text.called} was stopped in {self.where}")

    def _cancel(self, job_id: str) -> None:
        """Ask for the job to be ended, whether or not it is there."""
        with suppress(Exception):
            self._client.cancel_job(job_id, location=self.settings.location, retry=None, timeout=5)

    def _rows(self, job: Any, text: Text) -> pa.Table:
        from google.api_core import exceptions

        try:
            result = job.result(retry=self._retry, timeout=self._patience.request, job_retry=None)
            expected = result.total_rows
            try:
                table = result.to_arrow(
                    bqstorage_client=self._emulated_storage, create_bqstorage_client=self._has_storage_api
                )
            except exceptions.Forbidden:
                if not self._has_storage_api:
                    raise
                self._has_storage_api = False  # without the role for it, the slower way does
                result = job.result(retry=self._retry, timeout=self._patience.request, job_retry=None)
                table = result.to_arrow(create_bqstorage_client=False)
        except Exception as error:
            raise self._explained(error, text) from error
        if expected is not None and table.num_rows != expected:
            raise DataError(
                f"{text.called} gave {expected} rows in {self.where}, but {table.num_rows} arrived; run it again"
            )
        return table

    def _explained(self, error: Exception, text: Text) -> Exception:
        return explain(error, what=text.called, where=self.where, settings=self.settings)

    # --- the client -----------------------------------------------------------------------------------------

    @cached_property
    def _retry(self) -> Any:
        from google.api_core.retry import Retry

        return Retry(
            predicate=is_passing,
            initial=self._patience.first,
            maximum=self._patience.longest,
            multiplier=2,
            timeout=self._patience.trying,
        )

    @cached_property
    def _has_storage_api(self) -> bool:
        return not self._endpoint and find_spec("google.cloud.bigquery_storage") is not None

    @cached_property
    def _emulated_storage(self) -> Any:
        """A client of the Storage Read API at an emulator, over a channel that is not encrypted."""
        address = os.environ.get(STORAGE_EMULATOR, "") if self._endpoint else ""
        if not address:
            return None
        import grpc  # type: ignore[import-untyped]
        from google.cloud.bigquery_storage import BigQueryReadClient
        from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

        channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        return BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))

    @cached_property
    def _client(self) -> bigquery.Client:
        try:
            import google.auth.exceptions
            from google.cloud import bigquery
        except ImportError as error:
            raise no_client(error, where=self.where) from error
        try:
            credentials = self._credentials or self._logged_in()
        except google.auth.exceptions.GoogleAuthError as error:
            raise self._explained(error, Text("logging in", "")) from error
        return bigquery.Client(
            project=self.settings.billing_project,
            credentials=credentials,
            location=self.settings.location,
            client_options={"api_endpoint": self._endpoint} if self._endpoint else None,
        )

    def _logged_in(self) -> Any:
        """The machine's or the user's own credentials, or those of the account to impersonate."""
        import google.auth
        from google.auth import credentials, impersonated_credentials

        if self._endpoint:
            return credentials.AnonymousCredentials()
        found, _ = google.auth.default(scopes=SCOPES)
        if not self.settings.impersonate:
            return found
        return impersonated_credentials.Credentials(
            source_credentials=found,
            target_principal=self.settings.impersonate,
            target_scopes=list(SCOPES),
            lifetime=int(timedelta(hours=1).total_seconds()),
        )


def checked_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels, when BigQuery takes them. Raises UsageError otherwise."""
    for key, value in labels.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) or not re.fullmatch(r"[a-z0-9_-]{0,63}", value):
            raise UsageError(
                f"{key}={value} cannot be a label of a job in BigQuery: both are at most 63 lower-case letters, "
                "digits, hyphens and underscores, and a key begins with a letter"
            )
    return dict(labels)


def as_label(text: str) -> str:
    """A text as the value of a label.

    >>> as_label("Weekly 2026-W44")
    'weekly_2026-w44'
    """
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:63]


def type_name(column: Any) -> str:
    """The GoogleSQL type of a column of a schema."""
    legacy = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
    name = legacy.get(column.field_type, str(column.field_type))
    return f"ARRAY<{name}>" if column.mode == "REPEATED" else name


def _cause(error: BaseException) -> BaseException:
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, BaseException) else error
