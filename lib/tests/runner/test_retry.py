import signal
from pathlib import Path

import pytest

from shokubai.runner import execute
from shokubai.runner.notebook_process import UNANSWERED
from shokubai.runner.pool import Ended
from shokubai.runner.retry import may_pass_next_time
from shokubai.runner.task import CellError, Limits, Result, Task, how_it_ended

TASK = Task(Path("a.ipynb"), {}, Path("staging"), Path("scratch"), Path("home"), "A", "en")


def ended(exit_status, *, is_overdue=False, refused=""):
    return Ended(TASK, exit_status, is_overdue, seconds=1.0, refused=refused)


def died(status):
    return Result("failed", CellError(3, f"{execute.DIED}: {how_it_ended(status)}"))


def test_a_process_that_could_not_be_started_may_be_later():
    assert may_pass_next_time(ended(1, refused="no process could be started: Resource temporarily unavailable"), None)


@pytest.mark.parametrize(("status", "may_pass"), [(-9, True), (-15, True), (-11, False), (3, False), (0, False)])
def test_the_same_of_the_process_of_the_notebook_alone(status, may_pass):
    assert may_pass_next_time(ended(0), died(status)) == may_pass


def test_what_a_killed_notebook_had_printed_does_not_matter():
    words = Result("failed", CellError(3, f"{execute.DIED}: {how_it_ended(-9)}: a warning of some library"))
    assert may_pass_next_time(ended(0), words)
    given_up = Result("failed", CellError(3, f"{execute.DIED}: {UNANSWERED}"))
    assert not may_pass_next_time(ended(0), given_up)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_from_outside_may_not_come_again(number):
    assert may_pass_next_time(ended(-number), None)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGXCPU])
def test_what_a_process_did_to_itself_it_does_again(number):
    assert not may_pass_next_time(ended(-number), None)


def test_a_limit_is_not_tried_again():
    assert not may_pass_next_time(ended(-9, is_overdue=True), None)


@pytest.mark.parametrize("exit_status", [0, -9])
def test_a_report_that_says_why_it_failed_is_not_tried_again(exit_status):
    failed = Result("failed", CellError(7, "ValueError: no"))
    assert not may_pass_next_time(ended(exit_status), failed)


@pytest.mark.parametrize("status", ["made", "no_data"])
def test_a_report_that_is_there_is_not_made_again(status):
    assert not may_pass_next_time(ended(-9), Result(status))


@pytest.mark.parametrize("exit_status", [0, 1, 3])
def test_an_exit_of_its_own_is_not_tried_again(exit_status):
    assert not may_pass_next_time(ended(exit_status), None)


@pytest.mark.parametrize(
    "message",
    [
        Limits().notebook_is_overdue,
        Limits(cell_seconds=1.0).cell_is_overdue,
        "MemoryError; a notebook may take 500 MB (--memory)",
        "the cell ended the notebook with sys.exit(1)",
    ],
)
def test_limits_and_exits_are_not_tried_again(message):
    assert not may_pass_next_time(ended(0), Result("failed", CellError(3, message)))
