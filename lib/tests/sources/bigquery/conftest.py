"""A service on this machine that answers like BigQuery's REST API, for the real client to talk to.

https://cloud.google.com/bigquery/docs/reference/rest. It runs no SQL: tests say what a statement reads and gives, or
how a request fails, and look at what was asked.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shokubai.config.model import BigQuery
from shokubai.sources.bigquery_jobs import BigQueryJobs, Patience
from shokubai.sources.bigquery_statement import Text
from shokubai.sources.bigquery_table import BigQueryTable
from shokubai.sources.bigquery_warehouse import BigQueryWarehouse
from shokubai.tables.contracts import OPTIONAL_COLUMNS, RAW_TABLES, SMALL_TABLES

Rows = Sequence[Sequence[Any]]
Schema = Mapping[str, Any]  # a column's name → its type, or the mapping of a record's fields

REQUESTS = "aoba-logs.run_logs.run_googleapis_com_requests"
DATASET = "aoba-sre.shokubai"
SETTINGS = BigQuery(
    project="aoba-logs",
    billing_project="aoba-sre",
    location="asia-northeast1",
    dataset=DATASET,
    byte_cap=50 * 2**30,
    run_byte_cap=500 * 2**30,
    price_per_tib=6.25,
    currency="USD",
    timeout_seconds=20,
)
# What a sink of Cloud Logging makes of Cloud Run's request log, of which only what is read matters.
SINK: Schema = {
    "timestamp": "TIMESTAMP",
    "trace": "STRING",
    "resource": {"labels": {"service_name": "STRING", "location": "STRING", "revision_name": "STRING"}},
    "httpRequest": {
        "requestMethod": "STRING",
        "requestUrl": "STRING",
        "status": "INTEGER",
        "latency": "FLOAT",
    },
}
SINK_COLUMNS = {
    "service_name": "resource.labels.service_name",
    "http_request_method": "httpRequest.requestMethod",
    "http_route": "REGEXP_EXTRACT(httpRequest.requestUrl, r'^[a-z]+://[^/?#]+(/[^?#]*)')",
    "http_response_status_code": "httpRequest.status",
    "duration_seconds": "httpRequest.latency",
    "region": "resource.labels.location",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Answer:
    """What a statement gives, chosen by a part of its text. ``error`` is (reason, message) of a job that fails.

    ``rows`` and ``schema`` may be functions of the job's configuration; ``polls`` is how often it is not done yet.
    """

    part: str
    schema: Schema = field(default_factory=dict)
    rows: Rows | Callable[[dict[str, Any]], Rows] = ()
    bytes: int = 0
    kind: str = "SELECT"
    polls: int = 0
    error: tuple[str, str] | None = None
    refused: tuple[int, str, str] | None = None  # status, reason and message of every request that holds it
    before_done: Callable[[], None] | None = None
    times: int | None = None  # after so many jobs it is used up


@dataclass
class Fault:
    """What happens to a request instead of an answer, or after it was carried out (``late``)."""

    method: str
    path: str
    status: int = 0
    reason: str = ""
    message: str = ""
    reset: bool = False
    silent: float = 0.0
    late: bool = False
    times: int = 1


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    authorization: str = ""

    @property
    def is_dry(self) -> bool:
        return bool(self.body.get("configuration", {}).get("dryRun"))


class Service:
    """The scripted service. ``written`` holds, by table and day, the configuration of the job that wrote it last."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self.faults: list[Fault] = []
        self.tables: dict[str, dict[str, Any]] = {}
        self.datasets: dict[str, str] = {DATASET: SETTINGS.location}  # where each is
        self.permissions: dict[str, list[str]] = {}  # what the account may do with a table
        self.jobs: dict[str, dict[str, Any]] = {}
        self.cancelled: list[str] = []
        self.written: dict[str, dict[str, Any]] = {}
        self.lock = threading.RLock()
        self.address = ""
        self.token_answer: tuple[int, dict[str, Any]] = (200, {})

    # --- the script ---

    def answer(self, part: str, schema: Schema | None = None, rows: Any = (), **options: Any) -> Answer:
        """Say what statements that hold ``part`` give; what is said last counts."""
        made = Answer(part, schema or {}, rows, **options)
        self.answers.insert(0, made)
        return made

    def fail(self, method: str, path: str, **fault: Any) -> None:
        """Let the next requests of this kind fail."""
        self.faults.append(Fault(method, path, **fault))

    def add_table(self, address: str, schema: Schema, **resource: Any) -> None:
        project, dataset, table = address.rsplit(".", 2)
        self.tables[address] = {
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "type": "TABLE",
            "schema": {"fields": fields(schema)},
            "lastModifiedTime": "1793200000000",
            "numRows": "10",
            **resource,
        }

    # --- what was asked ---

    def inserted(self, *, dry: bool = False) -> list[dict[str, Any]]:
        """The configurations of the jobs that were asked for."""
        found = [r for r in self.requests if r.method == "POST" and r.path.endswith("/jobs") and r.is_dry == dry]
        return [dict(r.body["configuration"]) for r in found]

    def statements(self, *, dry: bool = False) -> list[str]:
        return [configuration["query"]["query"] for configuration in self.inserted(dry=dry)]

    def asked(self, method: str, part: str) -> int:
        return sum(r.method == method and part in r.path for r in self.requests)

    # --- answers ---

    def respond(self, request: Request) -> tuple[int, dict[str, Any]]:
        self.let_others_go_first(request)
        with self.lock:
            if request.path.endswith("/token"):
                return self.token_answer
            parts = request.path.strip("/").split("/")[2:]  # without bigquery/v2
            match [request.method, *parts]:
                case ["POST", "projects", project, "jobs"]:
                    return self.insert(project, dict(request.body))
                case ["GET", "projects", _, "jobs", job]:
                    return self.job(job)
                case ["POST", "projects", _, "jobs", job, "cancel"]:
                    self.cancelled.append(job)
                    return self.cancel(job)
                case ["GET", "projects", _, "queries", job]:
                    return self.results(job)
                case ["GET", "projects", project, "datasets", dataset]:
                    return self.dataset(project, dataset)
                case ["POST", "projects", project, "datasets", dataset, "tables", table] if ":" in table:
                    return self.tested(f"{project}.{dataset}.{table.partition(':')[0]}", request.body)
                case ["GET", "projects", project, "datasets", dataset, "tables", table]:
                    return self.table(f"{project}.{dataset}.{table}")
                case ["POST", "projects", project, "datasets", dataset, "tables"]:
                    return self.make_table(f"{project}.{dataset}", dict(request.body))
        return refusal(404, "notFound", f"Not found: {request.path}")

    def let_others_go_first(self, request: Request) -> None:
        """What happens in the meantime, just before a job is done."""
        job = self.jobs.get(request.path.rpartition("/")[2]) if request.method == "GET" else None
        if job and job["answer"].before_done and not job["polls"] and job["resource"]["status"]["state"] == "RUNNING":
            job["answer"].before_done()

    def insert(self, project: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        reference, configuration = body["jobReference"], body["configuration"]
        job_id, query = reference["jobId"], configuration["query"]
        if job_id in self.jobs:
            return refusal(409, "duplicate", f"Already Exists: Job {project}:{reference['location']}.{job_id}")
        answer = next(
            (a for a in self.answers if a.part in query["query"] and (a.times is None or a.times > 0)), Answer("")
        )
        if answer.refused:
            return refusal(*answer.refused)
        statistics = {"totalBytesProcessed": str(answer.bytes), "query": {"statementType": answer.kind}}
        statistics["query"]["totalBytesProcessed"] = str(answer.bytes)
        statistics["query"]["schema"] = {"fields": fields(answer.schema)}
        resource = {
            "kind": "bigquery#job",
            "id": job_id,
            "jobReference": {**reference, "projectId": project},
            "configuration": configuration,
            "statistics": statistics,
            "status": {"state": "DONE"},
        }
        if configuration.get("dryRun"):
            return 200, resource
        if answer.times is not None:
            answer.times -= 1
        resource["status"] = {"state": "RUNNING"}
        job = {"resource": resource, "answer": answer, "polls": answer.polls}
        self.jobs[job_id] = job
        return 200, resource

    def job(self, job_id: str) -> tuple[int, dict[str, Any]]:
        if job_id not in self.jobs:
            return refusal(404, "notFound", f"Not found: Job {job_id}")
        job = self.jobs[job_id]
        resource, answer = job["resource"], job["answer"]
        if resource["status"]["state"] == "RUNNING":
            if job["polls"] > 0:
                job["polls"] -= 1
            else:
                self.finish(resource, answer)
        return 200, resource

    def finish(self, resource: dict[str, Any], answer: Answer) -> None:
        configuration = resource["configuration"]
        limit = int(configuration["query"].get("maximumBytesBilled") or 2**63)
        error = answer.error
        if error is None and answer.bytes > limit:
            error = (
                "bytesBilledLimitExceeded",
                f"Query exceeded limit for bytes billed: {limit}. {answer.bytes} or higher required.",
            )
        resource["status"] = {"state": "DONE"}
        if error:
            failure = {"reason": error[0], "message": error[1]}
            resource["status"] |= {"errorResult": failure, "errors": [failure]}
            return
        resource["statistics"]["query"]["totalBytesBilled"] = str(
            max(answer.bytes, 10 * 2**20) if answer.bytes else 0
        )
        if target := configuration["query"].get("destinationTable"):
            self.written["{projectId}.{datasetId}.{tableId}".format(**target)] = configuration

    def cancel(self, job_id: str) -> tuple[int, dict[str, Any]]:
        if job_id not in self.jobs:
            return refusal(404, "notFound", f"Not found: Job {job_id}")
        resource = self.jobs[job_id]["resource"]
        failure = {"reason": "stopped", "message": "Job execution was cancelled: User requested cancellation"}
        resource["status"] = {"state": "DONE", "errorResult": failure, "errors": [failure]}
        return 200, {"job": resource}

    def results(self, job_id: str) -> tuple[int, dict[str, Any]]:
        job = self.jobs[job_id]
        resource, answer = job["resource"], job["answer"]
        rows = answer.rows(resource["configuration"]) if callable(answer.rows) else answer.rows
        return 200, {
            "kind": "bigquery#getQueryResultsResponse",
            "jobComplete": True,
            "jobReference": resource["jobReference"],
            "schema": {"fields": fields(answer.schema)},
            "totalRows": str(len(rows)),
            "rows": [{"f": [{"v": in_json(value)} for value in row]} for row in rows],
        }

    def dataset(self, project: str, dataset: str) -> tuple[int, dict[str, Any]]:
        location = self.datasets.get(f"{project}.{dataset}")
        if location is None:
            return refusal(404, "notFound", f"Not found: Dataset {project}:{dataset}")
        return 200, {"datasetReference": {"projectId": project, "datasetId": dataset}, "location": location}

    def tested(self, address: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        held = self.permissions.get(address)
        if held is None:
            return refusal(501, "notImplemented", "testIamPermissions is not there")
        return 200, {"permissions": [each for each in body["permissions"] if each in held]}

    def table(self, address: str) -> tuple[int, dict[str, Any]]:
        if address in self.tables:
            return 200, self.tables[address]
        project, dataset, table = address.rsplit(".", 2)
        return refusal(404, "notFound", f"Not found: Table {project}:{dataset}.{table}")

    def make_table(self, dataset: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        address = f"{dataset}.{body['tableReference']['tableId']}"
        if address in self.tables:
            return refusal(409, "duplicate", f"Already Exists: Table {address}")
        self.tables[address] = {"type": "TABLE", **body}
        return 200, self.tables[address]


def fields(schema: Schema) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": fields(type_)}
        if isinstance(type_, Mapping)
        else {"name": name, "type": type_, "mode": "NULLABLE"}
        for name, type_ in schema.items()
    ]


def in_json(value: Any) -> Any:
    """A value as the API writes it, with timestamps as microseconds."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return str((value - _EPOCH) // timedelta(microseconds=1))
    return str(value).lower() if isinstance(value, bool) else str(value)


def refusal(status: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    error = {"domain": "global", "reason": reason, "message": message}
    return status, {"error": {"code": status, "message": message, "errors": [error] if reason else []}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two small packets
    service: Service

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = "json" in (self.headers.get("Content-Type") or "")
        self._serve(json.loads(raw) if raw and is_json else {})

    do_PUT = do_PATCH = do_POST
    do_DELETE = do_GET

    def _serve(self, body: dict[str, Any]) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        request = Request(self.command, url.path, query, body, self.headers.get("Authorization", ""))
        with self.service.lock:
            self.service.requests.append(request)
            fault = next(
                (
                    f
                    for f in self.service.faults
                    if f.times > 0
                    and f.method == request.method
                    and re.search(f.path, request.path)
                    and not request.is_dry
                ),
                None,
            )
            if fault:
                fault.times -= 1
        if fault is None or fault.late or not (fault.status or fault.reset):
            status, answer = self.service.respond(request)
        if fault and fault.silent:
            time.sleep(fault.silent)
        if fault and fault.reset:
            # Closing with unsent data discarded makes the client see a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if fault and fault.status:
            status, answer = refusal(fault.status, fault.reason, fault.message)
        data = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    """The service, with an empty request log of Cloud Run in it; it ends with the test."""
    scripted = Service()
    handler = type("Handler", (_Handler,), {"service": scripted})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    scripted.address = f"http://127.0.0.1:{server.server_address[1]}"
    scripted.add_table(
        REQUESTS, SINK, timePartitioning={"type": "DAY", "field": "timestamp", "requirePartitionFilter": True}
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connect(service: Service) -> Callable[..., BigQueryJobs]:
    """A way to the service, with settings changed by name."""

    def make(
        *,
        labels: Mapping[str, str] | None = None,
        request: float = 5.0,
        trying: float = 5.0,
        credentials: Any = None,
        endpoint: str = "",
        **settings: Any,
    ) -> BigQueryJobs:
        return BigQueryJobs(
            replace(SETTINGS, **settings),
            where="warehouse logs (parameters/warehouses/logs.yaml:1)",
            labels=labels,
            patience=Patience(first=0.01, longest=0.05, request=request, trying=trying),
            credentials=credentials,
            endpoint=endpoint or service.address,
        )

    return make


@pytest.fixture
def open_warehouse(connect: Callable[..., BigQueryJobs]) -> Callable[..., BigQueryWarehouse]:
    """The warehouse of the request log; ``columns``, ``where`` and ``address`` describe another one."""

    def make(
        *,
        columns: Mapping[str, str] = MappingProxyType(SINK_COLUMNS),
        where: str = "",
        address: str = REQUESTS,
        deployments: str = "",
        **settings: Any,
    ) -> BigQueryWarehouse:
        said_at = "warehouse logs (parameters/warehouses/logs.yaml:7)"
        tables = [
            BigQueryTable(RAW_TABLES["requests"], address, said_at, columns, where, OPTIONAL_COLUMNS["requests"])
        ]
        if deployments:
            tables.append(
                BigQueryTable(
                    RAW_TABLES["deployments"], deployments, said_at, optional=OPTIONAL_COLUMNS["deployments"]
                )
            )
        mapped = {table.name for table in tables}
        return BigQueryWarehouse(
            "logs",
            tables,
            jobs=connect(**settings),
            small=tuple(SMALL_TABLES.values()),
            absent=[name for name in RAW_TABLES if name not in mapped],
        )

    return make


@pytest.fixture
def sample() -> SimpleNamespace:
    """A statement, and what it gives."""
    return SimpleNamespace(
        text=Text("answer", "SELECT 42 AS answer"), schema={"answer": "INTEGER"}, rows=[[42]], part="SELECT 42"
    )
