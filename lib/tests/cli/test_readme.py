"""The README's commands and options are those of the command line."""

import re
from pathlib import Path

import click
import pytest

from shokubai.cli import main

README = Path(__file__).resolve().parents[3] / "README.md"


def documented():
    """Every call of ``shokubai`` in the README's code blocks, continued lines joined."""
    blocks = re.findall(r"^```(?:sh|yaml)\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    calls = [re.sub(r"\s#.*|\|\|.*", "", line) for line in lines]
    return [
        found[1]
        for call in calls
        if (found := re.search(r"(?:^|[\s/])shokubai ((?:run|join|import|\w+ --).*)", call))
    ]


def resolve(words):
    """The command that the words call, and the words after its name."""
    command = main
    with click.Context(main) as context:
        while isinstance(command, click.Group):
            name, *words = words
            command = command.get_command(context, name)
            assert command is not None, f"no command is called {name!r}"
    return command, words


@pytest.mark.parametrize("call", documented())
def test_a_documented_call_exists(call):
    command, words = resolve(call.split())
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options


def test_the_calls_are_found():
    commands = {call.split()[0] for call in documented()}
    assert {"run", "join", "import", "validate"} <= commands
    assert sum("--shard" in call for call in documented()) >= 3
