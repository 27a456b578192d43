"""The log of a run: one whole JSON object per line, whatever happens."""

import json
from datetime import UTC, datetime

import pytest

from shokubai.cli.log import Log
from shokubai.core.errors import DataError
from shokubai.runner import Summary
from shokubai.runner.journal import Record
from shokubai.runner.lock import RunUnderWayError
from shokubai.runner.plan import Job
from shokubai.sources.cost import Cost

AT = datetime(2026, 11, 2, tzinfo=UTC)


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def job(tmp_path):
    return Job("report", "alpha", tmp_path / "report.ipynb", "main", {}, {}, {}, "en")


def record(**more):
    made = {"notebook": "report", "team": "alpha", "status": "made", "fingerprint": "f1", "generated_at": ""}
    made |= {"code_version": "", "title": {}, "display_name": {}, "language": "en", "html": "alpha/report.html"}
    return Record(**{**made, "notebook_file": None, "facts": None, "seconds": 1.5, **more})


def test_each_event_is_a_line_with_what_agents_look_for(tmp_path, job):
    log = Log(str(tmp_path / "logs" / "run.jsonl"), clock=lambda: AT)
    log.started(job)
    log.retrying(job, "SIGKILL")
    log.finished(job, record(retried=True))
    log.finished(job, record(status="failed", fingerprint="", error={"cell": 7, "message": "ValueError: 日本\n2"}))
    log.built({"main": "d1", "gone": DataError("no files")})
    log.ended(Summary([record(status="failed")], [job], {"bq": Cost(1, 2, 3, 4, 0.5, "USD")}))
    log.stopped(RunUnderWayError("locked"))
    log.stopped(KeyboardInterrupt())
    said = lines(tmp_path / "logs" / "run.jsonl")
    assert [(e["event"], e["severity"], e["message"]) for e in said] == [
        ("report.started", "INFO", "alpha/report: started"),
        ("report.retrying", "WARNING", "alpha/report: SIGKILL; it is tried again at the end"),
        ("report.finished", "INFO", "alpha/report: made"),
        ("report.finished", "ERROR", "alpha/report: cell 7: ValueError: 日本\n2"),
        ("tables.built", "INFO", "main: up to date"),
        ("tables.failed", "ERROR", "gone: no files"),
        ("run.ended", "WARNING", "0 made · 0 no data · 1 failed · 1 up to date"),
        ("run.stopped", "WARNING", "locked"),
        ("run.stopped", "ERROR", "KeyboardInterrupt"),
    ]
    assert {e["time"] for e in said} == {"2026-11-02T00:00:00+00:00"}
    made = {"team": "alpha", "notebook": "report", "status": "made", "seconds": 1.5}
    assert {**said[2], **made, "retried": True, "fingerprint": "f1"} == said[2]
    assert (said[3]["cell"], said[3]["error"], "fingerprint" in said[3]) == (7, "ValueError: 日本\n2", False)
    assert said[6]["costs"]["bq"]["price"] == 0.5


@pytest.mark.parametrize("length", [1, 40, -1])
def test_a_line_torn_by_a_kill_does_not_spoil_the_next_run_s(tmp_path, length):
    file = tmp_path / "run.jsonl"
    Log(str(file)).noted("first")
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:length])
    Log(str(file)).noted("second")
    first, _torn, second = file.read_text().splitlines()
    assert [json.loads(first)["message"], json.loads(second)["message"]] == ["first", "second"]


def test_on_stderr_in_place_of_a_file(capsys):
    Log("-").noted("shard")
    told = capsys.readouterr()
    assert (told.out, json.loads(told.err)["message"]) == ("", "shard")


def test_a_log_that_cannot_be_written_is_said_once(capsys):
    log = Log("/dev/full")
    log.noted("first")
    log.noted("second")
    assert capsys.readouterr().err == ("/dev/full: No space left on device; the run goes on without this log\n")


def test_a_log_that_cannot_be_opened_is_said_once_and_stops_nothing(tmp_path, job, capsys):
    (tmp_path / "file").write_text("")
    log = Log(str(tmp_path / "file" / "run.jsonl"), clock=lambda: AT)
    log.started(job)
    log.started(job)
    told = capsys.readouterr().err
    assert told.count("the run goes on without this log") == 1
    assert str(tmp_path / "file" / "run.jsonl") in told
