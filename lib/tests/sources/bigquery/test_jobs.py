"""A statement in BigQuery: what is sent, what it may cost, and every way in which it can fail.

The real client talks to a scripted service, so nothing here stands in for code of ours or of the client.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from shokubai.core.errors import CostError, DataError, QueryError, UsageError
from shokubai.sources.bigquery_cost import billable, in_units
from shokubai.sources.bigquery_parameters import query_parameters
from shokubai.sources.bigquery_statement import Estimate, Target, Text

WHERE = "warehouse logs (parameters/warehouses/logs.yaml:1)"
TRANSIENT = [
    (429, "rateLimitExceeded"),
    (500, "internalError"),
    (502, "badGateway"),
    (503, "backendError"),
    (503, ""),
]


@pytest.fixture
def scripted(service, sample):
    """The service, which knows the statement."""
    service.answer(sample.part, sample.schema, sample.rows, bytes=3 * 2**30)
    return service


def failure(run, kind=QueryError):
    with pytest.raises(kind) as raised:
        run()
    assert type(raised.value) is kind
    return str(raised.value)


# --- what is sent -------------------------------------------------------------------------------------------


def test_a_statement_is_estimated_then_run_once(scripted, connect, sample):
    outcome = connect(labels={"shokubai_run": "weekly", "team": "core"}).run(sample.text)
    assert outcome.rows == pa.table({"answer": pa.array([42], pa.int64())})
    assert (outcome.bytes_processed, outcome.bytes_billed) == (3 * 2**30, 3 * 2**30)
    assert scripted.inserted(dry=True) == [
        {
            "dryRun": True,
            "labels": {"shokubai_run": "weekly", "team": "core", "shokubai_statement": "answer"},
            "query": {
                "query": "SELECT 42 AS answer",
                "queryParameters": [],
                "useLegacySql": False,
                "useQueryCache": False,
                "defaultDataset": {"projectId": "aoba-sre", "datasetId": "shokubai"},
            },
        }
    ]
    assert scripted.inserted() == [
        {
            "jobTimeoutMs": "20000",
            "labels": {"shokubai_run": "weekly", "team": "core", "shokubai_statement": "answer"},
            "query": {
                "query": "SELECT 42 AS answer",
                "queryParameters": [],
                "useLegacySql": False,
                "maximumBytesBilled": str(50 * 2**30),
                "defaultDataset": {"projectId": "aoba-sre", "datasetId": "shokubai"},
            },
        }
    ]
    (job_id,) = scripted.jobs
    assert job_id.startswith("shokubai_answer_")
    assert outcome.job_id == job_id
    assert scripted.jobs[job_id]["resource"]["jobReference"]["location"] == "asia-northeast1"
    assert scripted.jobs[job_id]["resource"]["jobReference"]["projectId"] == "aoba-sre"  # who pays


def test_parameters_are_named_and_typed(scripted, connect, sample):
    types = {
        "start": "TIMESTAMP",
        "services": "ARRAY<STRING>",
        "statuses": "ARRAY<INT64>",
        "share": "FLOAT64",
        "whole": "BOOL",
        "thresholds": "ARRAY<STRUCT< service_name STRING, seconds FLOAT64>>",
        "nothing": "ARRAY<STRUCT<service_name STRING>>",
    }
    values = {
        "start": datetime(2026, 10, 26, 0, 0, 0, 5, tzinfo=UTC),
        "services": ["b'; DROP TABLE requests; --"],
        "statuses": [],
        "share": 0.1,
        "whole": True,
        "thresholds": [{"service_name": "shop", "seconds": None}, {"service_name": "表示", "seconds": 0.3}],
        "nothing": [],
    }
    text = Text("answer", sample.text.sql, tuple(query_parameters(types, values)))
    connect().run(text)
    assert scripted.inserted()[0]["query"]["parameterMode"] == "NAMED"
    sent = {p["name"]: p for p in scripted.inserted()[0]["query"]["queryParameters"]}
    string, number = {"type": "STRING"}, {"type": "FLOAT64"}
    struct = {
        "type": "STRUCT",
        "structTypes": [{"name": "service_name", "type": string}, {"name": "seconds", "type": number}],
    }
    assert sent["start"]["parameterType"] == {"type": "TIMESTAMP"}
    assert sent["start"]["parameterValue"] == {"value": "2026-10-26 00:00:00.000005+00:00"}
    assert sent["services"]["parameterType"] == {"type": "ARRAY", "arrayType": string}
    assert sent["services"]["parameterValue"] == {"arrayValues": [{"value": "b'; DROP TABLE requests; --"}]}
    assert sent["statuses"]["parameterType"] == {"type": "ARRAY", "arrayType": {"type": "INT64"}}
    assert sent["statuses"]["parameterValue"] == {"arrayValues": []}
    assert sent["share"]["parameterValue"] == {"value": 0.1}
    assert sent["whole"]["parameterType"] == {"type": "BOOL"}
    assert sent["thresholds"]["parameterType"] == {"type": "ARRAY", "arrayType": struct}
    assert [v["structValues"] for v in sent["thresholds"]["parameterValue"]["arrayValues"]] == [
        {"service_name": {"value": "shop"}, "seconds": {"value": None}},
        {"service_name": {"value": "表示"}, "seconds": {"value": 0.3}},
    ]
    assert sent["nothing"]["parameterType"]["arrayType"] == {
        "type": "STRUCT",
        "structTypes": [{"name": "service_name", "type": string}],
    }
    assert sent["nothing"]["parameterValue"] == {"arrayValues": []}


def test_rows_for_a_day_replace_it(scripted, connect, sample):
    target = Target("aoba-sre.shokubai.minute_counts", "20261026", "minute", ("service_name",))
    assert connect().run(Text("answer", sample.text.sql, target=target)).rows is None
    (sent,) = scripted.inserted()
    assert {name: sent["query"][name] for name in ("destinationTable", "writeDisposition", "createDisposition")} == {
        "destinationTable": {"projectId": "aoba-sre", "datasetId": "shokubai", "tableId": "minute_counts$20261026"},
        "writeDisposition": "WRITE_TRUNCATE",
        "createDisposition": "CREATE_NEVER",
    }
    assert sent["query"]["timePartitioning"] == {"type": "DAY", "field": "minute"}
    assert sent["query"]["clustering"] == {"fields": ["service_name"]}
    assert scripted.asked("GET", "/queries/") == 0  # nobody fetches what was written


@pytest.mark.parametrize("label", [{"Team": "core"}, {"team": "Core"}, {"": "x"}, {"team": "x" * 64}])
def test_a_label_that_bigquery_would_refuse(connect, label):
    assert "cannot be a label" in failure(lambda: connect(labels=label), UsageError)


# --- what it may cost ---------------------------------------------------------------------------------------


def test_a_statement_above_the_cap_is_not_run(service, connect, sample):
    service.answer(sample.part, sample.schema, sample.rows, bytes=61 * 2**30 + 2**29)
    text = Text("minute_counts", sample.text.sql, hint="Ask for fewer days")
    error = failure(lambda: connect().run(text), CostError)
    assert error == (
        f"query minute_counts was not run in {WHERE}: it would read 61.5 GiB (0.38 USD at 6.25 USD per TiB), more "
        "than byte_cap allows, 50.0 GiB\n"
        "Ask for fewer days; or raise byte_cap in the warehouse file if it is worth that."
    )
    assert CostError.exit_status == 2
    assert service.inserted() == []


def test_the_price_is_that_of_the_warehouse_file(service, connect, sample):
    service.answer(sample.part, sample.schema, bytes=2**40)
    jobs = connect(price_per_tib=1000, currency="JPY")
    assert "1.0 TiB (1000.00 JPY at 1000 JPY per TiB)" in failure(lambda: jobs.run(sample.text), CostError)


def test_everything_together_has_a_cap_too(service, connect, sample):
    service.answer(sample.part, sample.schema, sample.rows, bytes=400 * 2**20)
    jobs = connect(byte_cap=500 * 2**20, run_byte_cap=1000 * 2**20)
    jobs.run(sample.text)
    jobs.run(sample.text)
    assert [c["query"]["maximumBytesBilled"] for c in service.inserted()] == [str(500 * 2**20), str(500 * 2**20)]
    error = failure(lambda: jobs.run(sample.text), CostError)
    assert "it would read 400.0 MiB" in error
    assert "more than run_byte_cap allows, 1000.0 MiB, of which 800.0 MiB are used\n" in error
    assert len(service.inserted()) == 2


def test_of_several_statements_together_none_is_run(connect, sample):
    gib = 2**30
    jobs = connect(byte_cap=100 * gib, run_byte_cap=250 * gib)
    jobs.cost.allow([(sample.text, Estimate(100 * gib, "SELECT"))] * 2, what="scanning 2 days")
    error = failure(
        lambda: jobs.cost.allow([(sample.text, Estimate(100 * gib, "SELECT"))] * 3, what="scanning 3 days"), CostError
    )
    assert error.startswith(f"scanning 3 days was not run in {WHERE}: it would read 300.0 GiB (1.83 USD")
    assert "more than byte_cap allows, 100.0 GiB" in failure(
        lambda: jobs.cost.allow([(sample.text, Estimate(100 * gib + 1, "SELECT"))], what="scanning"), CostError
    )


def test_the_least_that_is_billed_counts(connect, sample):
    """10 MiB per table that is read, https://cloud.google.com/bigquery/pricing; nothing for what reads nothing."""
    jobs = connect(byte_cap=2**30, run_byte_cap=50 * 2**20)
    of_two = Text("days", "SELECT 1", tables=("minute_counts", "hour_latency"))
    assert billable(sample.text, Estimate(1, "SELECT")) == 10 * 2**20
    assert billable(of_two, Estimate(1, "SELECT")) == 20 * 2**20
    assert billable(of_two, Estimate(2**25, "SELECT")) == 2**25
    assert billable(of_two, Estimate(0, "SELECT")) == 0
    jobs.cost.allow([(of_two, Estimate(1, "SELECT"))] * 2, what="two")
    with pytest.raises(CostError, match=r"it would read 60\.0 MiB"):
        jobs.cost.allow([(of_two, Estimate(1, "SELECT"))] * 3, what="three")


def test_the_service_stops_what_was_estimated_too_low(service, connect, sample):
    answer = service.answer(sample.part, sample.schema, sample.rows, bytes=10)
    jobs = connect(byte_cap=2**30)
    estimate = jobs.estimate(sample.text)
    answer.bytes = 2 * 2**30  # the table grew in between
    error = failure(lambda: jobs.run(sample.text, estimate=estimate), CostError)
    assert error == (
        f"query answer was stopped by BigQuery in {WHERE}: Query exceeded limit for bytes billed: 1073741824. "
        "2147483648 or higher required.\n"
        "Nothing was billed or written. Ask for less, or raise byte_cap in the warehouse file."
    )


def test_sizes_for_people():
    assert [in_units(n) for n in (0, 1023, 1024, 10 * 2**20, 2**40, 3 * 2**50)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "10.0 MiB",
        "1.0 TiB",
        "3072.0 TiB",
    ]


# --- what passes --------------------------------------------------------------------------------------------

# Each request of a statement's life, by method and path.
STEPS = {"insert": ("POST", "/jobs$"), "look": ("GET", "/jobs/"), "fetch": ("GET", "/queries/")}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("status", "reason"), TRANSIENT)
def test_what_passes_is_tried_again(scripted, connect, sample, step, status, reason):
    scripted.fail(*STEPS[step], status=status, reason=reason, message="try again", times=2)
    assert connect().run(sample.text).rows.to_pylist() == [{"answer": 42}]
    assert len(scripted.jobs) == 1
    assert all(fault.times == 0 for fault in scripted.faults)


@pytest.mark.parametrize("step", STEPS)
def test_a_reset_connection_is_tried_again(scripted, connect, sample, step):
    scripted.fail(*STEPS[step], reset=True, times=2)
    assert connect().run(sample.text).rows.to_pylist() == [{"answer": 42}]
    assert len(scripted.jobs) == 1


def test_a_quota_per_second_that_is_used_up_is_tried_again(scripted, connect, sample):
    scripted.fail("POST", "/jobs$", status=403, reason="rateLimitExceeded", message="Exceeded rate limits")
    assert connect().run(sample.text).rows.num_rows == 1


@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503, "reason": "backendError"}, {"silent": 0.6}])
def test_a_statement_whose_answer_was_lost_is_not_run_twice(scripted, connect, sample, fault):
    scripted.fail("POST", "/jobs$", late=True, **fault)
    assert connect(request=0.3).run(sample.text).rows.to_pylist() == [{"answer": 42}]
    assert len(scripted.inserted()) == 2  # the second was told that the job is there
    assert len(scripted.jobs) == 1


@pytest.mark.parametrize("reason", ["backendError", "internalError", "rateLimitExceeded", "jobInternalError"])
def test_a_job_that_dies_half_way_is_run_again(scripted, connect, sample, reason):
    scripted.answer(sample.part, sample.schema, error=(reason, "the worker died"), polls=2, times=2)
    assert connect().run(sample.text).rows.to_pylist() == [{"answer": 42}]
    assert len(scripted.jobs) == 3  # under an id of its own each


def test_a_job_takes_its_time(scripted, connect, sample):
    scripted.answer(sample.part, sample.schema, sample.rows, polls=4)
    assert connect().run(sample.text).rows.num_rows == 1
    assert scripted.asked("GET", "/jobs/") == 5


# --- what does not pass -------------------------------------------------------------------------------------


def test_a_job_that_dies_each_time(service, connect, sample):
    service.answer(sample.part, sample.schema, error=("backendError", "the worker died"))
    assert failure(lambda: connect().run(sample.text)) == (
        f"query answer failed in {WHERE}, also after trying again: the worker died\n"
        "It usually passes; run the same again later."
    )
    assert len(service.jobs) == 3


def test_a_service_that_stays_away(scripted, connect, sample):
    scripted.fail("POST", "/jobs$", status=503, reason="backendError", message="Service unavailable", times=10**6)
    assert failure(lambda: connect(trying=0.2).run(sample.text)) == (
        f"query answer failed in {WHERE}, also after trying again: Service unavailable\n"
        "It usually passes; run the same again later."
    )


def test_nobody_is_there(service, connect, sample):
    jobs = connect(trying=0.2, endpoint="http://127.0.0.1:9")
    assert failure(lambda: jobs.run(sample.text)).startswith(
        f"query answer failed in {WHERE}, also after trying again:"
    )


def test_a_job_that_takes_too_long_is_cancelled(scripted, connect, sample):
    scripted.answer(sample.part, sample.schema, sample.rows, polls=10**6)
    error = failure(lambda: connect(timeout_seconds=0.2).run(sample.text))
    (job_id,) = scripted.jobs
    assert error == (
        f"query answer took longer than 0.2 s in {WHERE} and was cancelled (job {job_id})\n"
        "Ask for less at once, or raise timeout_seconds in the warehouse file."
    )
    assert scripted.cancelled == [job_id]


def test_a_service_that_does_not_answer(scripted, connect, sample):
    scripted.fail("GET", "/jobs/", silent=1.0, times=10**6)
    error = failure(lambda: connect(request=0.1, trying=0.4).run(sample.text))
    assert error.startswith(f"query answer failed in {WHERE}, also after trying again:")
    assert "timed out" in error.lower() or "timeout" in error.lower()
    assert scripted.cancelled == list(scripted.jobs)


REFUSALS = {
    "permission": (
        (403, "accessDenied", "Access Denied: Table aoba-logs:run_logs.requests: User does not have permission"),
        QueryError,
        f"query answer failed in {WHERE}: Access Denied: Table aoba-logs:run_logs.requests: User does not have "
        "permission\n"
        "For the account in use grant: roles/bigquery.jobUser on project aoba-sre; roles/bigquery.dataViewer on the "
        "datasets of the logs; roles/bigquery.dataEditor on aoba-sre.shokubai only; and for faster results "
        "roles/bigquery.readSessionUser on project aoba-sre.",
    ),
    "quota": (
        (403, "quotaExceeded", "Quota exceeded: Your project exceeded quota for query usage per day"),
        QueryError,
        f"query answer failed in {WHERE}: a quota is used up: Quota exceeded: Your project exceeded quota for query "
        "usage per day\nWait until it is free again, or have it raised.",
    ),
    "no dataset of ours": (
        (404, "notFound", "Not found: Dataset aoba-sre:shokubai was not found in location asia-northeast1"),
        QueryError,
        f"query answer failed in {WHERE}: Not found: Dataset aoba-sre:shokubai was not found in location "
        "asia-northeast1\n"
        "Shokubai's own dataset must be there before the first run, in the logs' location: "
        "bq --location=asia-northeast1 mk --dataset aoba-sre:shokubai",
    ),
    "no dataset of the logs": (
        (404, "notFound", "Not found: Dataset aoba-logs:run_logs was not found in location asia-northeast1"),
        QueryError,
        f"query answer failed in {WHERE}: Not found: Dataset aoba-logs:run_logs was not found in location "
        "asia-northeast1\n"
        "Correct the name in the warehouse file. What lies in another location than asia-northeast1 is not found "
        "either.",
    ),
    "statement": (
        (400, "invalidQuery", "Unrecognized name: latency at [1:8]"),
        QueryError,
        f"query answer failed in {WHERE}: Unrecognized name: latency at [1:8]",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_is_asked_once(service, connect, sample, case):
    refused, kind, message = REFUSALS[case]
    service.answer(sample.part, refused=refused)
    assert failure(lambda: connect().run(sample.text), kind) == message
    assert len(service.requests) == 1


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_when_it_runs(scripted, connect, sample, case):
    (_, reason, said), kind, message = REFUSALS[case]
    scripted.answer(sample.part, sample.schema, error=(reason, said))
    assert failure(lambda: connect().run(sample.text), kind) == message
    assert len(scripted.jobs) == 1


def test_rows_that_do_not_arrive(scripted, connect, sample, monkeypatch):
    results = scripted.results

    def short(job_id):
        status, answer = results(job_id)
        return status, {**answer, "totalRows": "2"}

    monkeypatch.setattr(scripted, "results", short)
    error = failure(lambda: connect().run(sample.text), DataError)
    assert "gave 2 rows" in error
    assert "but 1 arrived" in error


# --- who asks -----------------------------------------------------------------------------------------------


def test_credentials_that_are_refused(service, connect, sample):
    service.answer(sample.part, refused=(401, "authError", "Invalid Credentials"))
    error = failure(lambda: connect().run(sample.text), UsageError)
    assert error.startswith(f"query answer failed in {WHERE}: the credentials are missing, expired or revoked: ")
    assert "gcloud auth application-default login" in error


def test_credentials_that_expired_and_cannot_be_renewed(service, connect, sample):
    from google.oauth2.credentials import Credentials

    service.token_answer = (
        400,
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
    )
    expired = Credentials(
        token="old",
        refresh_token="r",
        token_uri=f"{service.address}/token",
        client_id="c",
        client_secret="s",
        expiry=datetime(2020, 1, 1),  # noqa: DTZ001 - the client wants it without a zone
    )
    error = failure(lambda: connect(credentials=expired).run(sample.text), UsageError)
    assert "Token has been expired or revoked." in error
    assert [r.path for r in service.requests] == ["/token"]


def test_credentials_that_expired_are_renewed(scripted, connect, sample):
    from google.oauth2.credentials import Credentials

    scripted.token_answer = (200, {"access_token": "new", "expires_in": 3600, "token_type": "Bearer"})
    expired = Credentials(
        token="old",
        refresh_token="r",
        token_uri=f"{scripted.address}/token",
        client_id="c",
        client_secret="s",
        expiry=datetime(2020, 1, 1),  # noqa: DTZ001
    )
    assert connect(credentials=expired).run(sample.text).rows.num_rows == 1
    assert {r.authorization for r in scripted.requests if not r.path.endswith("/token")} == {"Bearer new"}


def in_another_process(program, tmp_path, **environment):
    code = textwrap.dedent(program)
    keep = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**keep, "HOME": str(tmp_path), "NO_GCE_CHECK": "true", **environment},
    )


PROGRAM = """
    import sys
    from shokubai.config.model import BigQuery
    from shokubai.core.errors import ShokubaiError
    from shokubai.sources.bigquery_jobs import BigQueryJobs
    from shokubai.sources.bigquery_statement import Text

    {before}
    settings = BigQuery("aoba-logs", "aoba-sre", "US", "aoba-sre.shokubai", 2**40, 2**40, 6.25, "USD", 60)
    try:
        BigQueryJobs(settings, where="warehouse logs").run(Text("answer", "SELECT 42 AS answer"))
    except ShokubaiError as error:
        print(type(error).__name__, error)
"""


def test_nobody_is_logged_in(tmp_path):
    process = in_another_process(PROGRAM.format(before=""), tmp_path)
    said, errors = process.communicate(timeout=60)
    assert said.startswith("UsageError logging in failed in warehouse logs: the credentials are missing"), errors
    assert "gcloud auth application-default login" in said


def test_without_the_packages(tmp_path):
    hidden = "sys.modules['google.cloud.bigquery'] = None"
    said, errors = in_another_process(PROGRAM.format(before=hidden), tmp_path).communicate(timeout=60)
    assert said == (
        "UsageError warehouse logs is in BigQuery, and reading it takes packages that are not installed "
        "(google.cloud.bigquery)\nInstall them: pip install 'shokubai[bigquery]'\n"
    ), errors


def test_without_the_packages_everything_else_works(tmp_path):
    program = """
        import sys
        for name in ("google", "google.auth", "google.cloud", "google.cloud.bigquery", "google.api_core"):
            sys.modules[name] = None
        import shokubai, shokubai.tables, shokubai.cli, shokubai.workspace, shokubai.runner
        print("imported")
    """
    said, errors = in_another_process(program, tmp_path).communicate(timeout=60)
    assert said == "imported\n", errors


def test_importing_shokubai_does_not_import_the_client(tmp_path):
    program = """
        import sys, shokubai, shokubai.tables, shokubai.runner
        print([name for name in sys.modules if name.split(".")[0] in ("google", "grpc")])
    """
    said, errors = in_another_process(program, tmp_path).communicate(timeout=60)
    assert said == "[]\n", errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_statement_is_cancelled(scripted, sample, tmp_path, number):
    scripted.answer(sample.part, sample.schema, sample.rows, polls=10**6)
    before = "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))"
    process = in_another_process(PROGRAM.format(before=before), tmp_path, BIGQUERY_EMULATOR_HOST=scripted.address)
    deadline = time.monotonic() + 60
    while scripted.asked("GET", "/jobs/") < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGINT if number == signal.SIGINT else 143)
    assert scripted.cancelled == list(scripted.jobs)


def test_what_other_threads_wait_for_is_cancelled(scripted, connect, sample):
    scripted.answer(sample.part, sample.schema, sample.rows, polls=10**6)
    jobs = connect()
    errors = []

    def run():
        try:
            jobs.run(sample.text)
        except QueryError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    while scripted.asked("GET", "/jobs/") < 6:
        time.sleep(0.01)
    with jobs.stopped():
        for thread in threads:
            thread.join()
    assert errors == [f"query answer was stopped in {WHERE}"] * 3
    assert sorted(scripted.cancelled) == sorted(scripted.jobs)
    scripted.answer(sample.part, sample.schema, sample.rows)
    assert jobs.run(sample.text).rows.num_rows == 1  # the next one is not stopped


def test_at_another_endpoint_nobody_logs_in(scripted, connect, sample, monkeypatch, tmp_path):
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"type": "service_account", "private_key": "no key"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    assert connect().run(sample.text).rows.num_rows == 1
    assert {request.authorization for request in scripted.requests} == {""}
