"""The command line. One module per command, imported only when that command is called."""

from __future__ import annotations

import errno
import importlib
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from shokubai.core.errors import ShokubaiError, nearest_spelling
from shokubai.version import __version__

# Command name → (module, what `shokubai --help` says of it, so that help imports no command).
COMMANDS = {
    "demo": ("shokubai.cli.demo", "Build the demo organisation's data."),
    "doctor": ("shokubai.cli.doctor", "Check a warehouse, or find the mapping that fits a table."),
    "handover": ("shokubai.cli.handover", "Write the issue that hands a finding over."),
    "import": ("shokubai.cli.import_", "Import log files into the request-log layout."),
    "join": ("shokubai.cli.join", "Put together what shards of a run made."),
    "run": ("shokubai.cli.run", "Make the reports of a run, such as the weekly one."),
    "validate": ("shokubai.cli.validate", "Check everything under parameters/."),
}

# What the machine refuses is no bug of ours: permissions, a full or read-only disk, a reader that went away.
ENVIRONMENT = frozenset({errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EPIPE})
INTERRUPTED = 128 + signal.SIGINT


class LazyCommands(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command = importlib.import_module(module).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = nearest_spelling(name, list(COMMANDS))
            hint = f"; did you mean {near!r}?" if near else ""
            ctx.fail(f"no command is called {name!r}; there are: {', '.join(sorted(COMMANDS))}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> Any:
        """Run, and leave with the exit status that fits: errors we can explain print as one message.

        Anything unexpected is a bug and keeps its traceback.
        """
        try:
            extra.pop("standalone_mode", None)
            status = super().main(args, standalone_mode=False, **extra)
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except ShokubaiError as error:
            click.echo(str(error), err=True)
            sys.exit(error.exit_status)
        except OSError as error:
            if error.errno not in ENVIRONMENT:
                raise
            click.echo(f"{error.filename or 'writing'}: {error.strerror}", err=True)
            sys.exit(1)
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            sys.exit(INTERRUPTED)
        sys.exit(status if isinstance(status, int) else 0)


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="shokubai")
def main() -> None:
    """Reliability reports from request logs: one per team, every week."""
