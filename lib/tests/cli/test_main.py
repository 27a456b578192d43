import errno
import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from shokubai.cli import COMMANDS, main
from shokubai.core.errors import ReportError, UsageError
from shokubai.version import __version__

HELP = """\
Usage: main [OPTIONS] COMMAND [ARGS]...

  Reliability reports from request logs: one per team, every week.

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
  demo      Build the demo organisation's data.
  doctor    Check a warehouse, or find the mapping that fits a table.
  handover  Write the issue that hands a finding over.
  import    Import log files into the request-log layout.
  join      Put together what shards of a run made.
  run       Make the reports of a run, such as the weekly one.
  validate  Check everything under parameters/.
"""


def test_help_lists_every_command_without_importing_any():
    result = CliRunner().invoke(main, ["--help"])
    assert (result.exit_code, result.output) == (0, HELP)


def test_help_imports_nothing_that_takes_long_to_import():
    """Its own code and what the standard library and click bring, nothing of what commands work with."""
    program = (
        "import sys; from shokubai.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print(*sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: ")
    imported = set(done.stderr.split())
    assert {"shokubai", "click"} <= imported
    heavy = {"duckdb", "jsonschema", "numpy", "pandas", "papermill", "plotly", "psutil", "pyarrow", "rich", "yaml"}
    assert not heavy & imported


def test_version():
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output) == (0, f"shokubai, version {__version__}\n")


def test_unknown_command_names_the_nearest_one():
    result = CliRunner().invoke(main, ["validat"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "Usage: main [OPTIONS] COMMAND [ARGS]...\nTry 'main --help' for help.\n\n"
        "Error: no command is called 'validat'; there are: demo, doctor, handover, import, join, run, validate; "
        "did you mean 'validate'?\n"
    )


def test_unknown_option_is_a_usage_error():
    result = CliRunner().invoke(main, ["--colour"])
    assert result.exit_code == 2
    assert "No such option '--colour'" in result.stderr


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """A command that raises what it is given."""

    def install(error: BaseException) -> None:
        @click.command
        def command() -> None:
            raise error

        monkeypatch.setitem(COMMANDS, "fail", ("failing_command", ""))
        monkeypatch.setitem(__import__("sys").modules, "failing_command", type("Module", (), {"command": command}))

    return install


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (UsageError("no team is called 'x'"), 2, "no team is called 'x'\n"),
        (ReportError("not made"), 1, "not made\n"),
        (PermissionError(errno.EACCES, "Permission denied", "outputs"), 1, "outputs: Permission denied\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "writing: No space left on device\n"),
        (KeyboardInterrupt(), 128 + signal.SIGINT, "interrupted\n"),
    ],
)
def test_explained_errors_are_one_message_and_a_status(failing, error, status, message):
    failing(error)
    result = CliRunner().invoke(main, ["fail"])
    assert (result.exit_code, result.stdout, result.stderr.lstrip()) == (status, "", message)


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), FileNotFoundError(errno.ENOENT, "no", "file")])
def test_a_bug_keeps_its_traceback(failing, error):
    failing(error)
    assert CliRunner().invoke(main, ["fail"]).exception is error
