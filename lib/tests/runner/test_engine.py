"""Notebooks run in a forked process leave what they leave in a kernel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from shokubai.runner.execute import Execution, execute_notebook
from shokubai.runner.task import CellError, Engine, Limits

pytestmark = pytest.mark.notebooks

Output = dict[str, Any]

EXPECTED = "raises-exception:"  # before the code of a cell with that tag

AWKWARD = {
    "streams in turn": ["import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')\nsys.stdout.write('d')"],
    "half lines": ["print('a', end='')\nprint('\\rb', end='', flush=True)", "print('c')"],
    "a stream kept": ["import sys\nkept = sys.stdout", "kept.write('later\\n');", "print(kept is sys.stdout)"],
    "a stream replaced": ["import io, sys\nsys.stdout = io.StringIO()\nprint('a')", "print('b')"],
    "what a stream is": [
        "import sys\n[sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.writable(), sys.stdout.name]",
        "sys.stdout.writelines(['a\\n', 'b\\n'])\nprint('c', file=sys.__stderr__ and sys.stderr)",
    ],
    "a result": ["1 + 1", "_ + 1", "3;", "None", "In[1], Out[1], _oh[2]"],
    "display": ["from IPython.display import display\ndisplay(1, 'a')\nprint('between')\ndisplay({'a': 1})\n2"],
    "rich": [
        "from IPython.display import HTML, Markdown, SVG, Latex, JSON\n"
        "class Both:\n    def _repr_html_(self): return '<b>1</b>'\n    def __repr__(self): return 'both'\n"
        "class Bundle:\n    def _repr_mimebundle_(self, **_):\n"
        "        return {'text/plain': 'x', 'application/x+json': {'c': [1.5, None]}}, {'d': 1}\n"
        "display(Both(), Bundle(), HTML('<i>x</i>'), Markdown('*x*'), Latex('$x$'), JSON({'a': 1}))\nBoth()",
        "class Own:\n    def _ipython_display_(self): display('own')\nOwn()",
        "class Broken:\n    def _repr_html_(self): raise ValueError('no')\n"
        "    def __repr__(self): return 'broken'\nBroken()",
    ],
    "bytes": [
        "import base64\nfrom IPython.display import Image\n"
        "png = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ'\n"
        "'AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')\n"
        "display(Image(png))\nImage(png, width=3)",
        "display({'image/png': png, 'text/plain': 'p'}, raw=True)",
    ],
    "display ids": [
        "h = display('a', display_id=True)\nh.update('b')",
        "k = display('1', display_id='k')\nk.update('2')\nprint('x')",
        "h.update('c')\nk.display('3')",
        "k.update({'x': 1})\nprint('y')",
        "from IPython.display import update_display\n"
        "update_display('early', display_id='m')\ndisplay('m', display_id='m')",
    ],
    "clear_output": [
        "from IPython.display import clear_output\nprint('a')\nclear_output()\nprint('b')",
        "for n in range(3):\n    clear_output(wait=True)\n    print(n)",
        "print('kept')\nclear_output(wait=True)",
        "display('a', display_id='z')\nclear_output()\nupdate_display = display('b', display_id='z')\n",
    ],
    "await": [
        "import asyncio\nawait asyncio.sleep(0)\nprint('slept')",
        "async def f():\n    await asyncio.sleep(0)\n    return 3\nawait f()",
        "async for _ in None: pass",
    ],
    "shell": [
        "!echo one; echo two",
        "found = !echo three\nfound",
        "!exit 3",
        "_exit_code",
    ],
    "magics": [
        "%%capture caught\nprint('a')\n1",
        "caught.stdout",
        "%%writefile written.txt\nhello",
        "%%bash\necho from bash\necho to stderr >&2",
        "%who_ls",
        "%unknown",
        "len?",
    ],
    "an exception": ["def f(n):\n    return 1 / n\nf(0)"],
    "an exception with a cause": [
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('é' * 3) from e"
    ],
    "an exception of the cell's own": ["class OwnError(BaseException):\n    pass\nraise OwnError({'a': 1})"],
    "a group of exceptions": ["raise ExceptionGroup('two', [ValueError(1), KeyError('k')])"],
    "an interruption of its own": ["raise KeyboardInterrupt", "print('not reached')"],
    "expected exceptions": [
        "raises-exception:1 / 0",
        "print('goes on')",
        "raises-exception:import sys\nsys.exit(3)",
        "4",
    ],
    "sys.exit": ["import sys\nprint('a')\nsys.exit('words')", "print('not reached')"],
    "sys.exit(0)": ["import sys\nsys.exit(0)", "print('not reached')"],
    "no Python": ["1 +", "print('not reached')"],
    "wrong indentation": ["if True:\nprint(1)"],
    "past Python": ["import os\nos.system('echo system')", "os.write(1, b'written\\n');"],
    "past Python to stderr": ["import os\nos.system('echo system >&2');"],
    "past Python, broken bytes": ["import os\nos.write(1, b'\\xff\\xfe\\n');"],
    "subprocess": ["import subprocess, sys\nsubprocess.run(['echo', 'sub']);"],
    "multiprocessing": [
        "import multiprocessing\nmultiprocessing.set_start_method('fork', force=True)\ndef twice(x): return 2 * x\n"
        "with multiprocessing.Pool(2) as pool:\n    print(pool.map(twice, range(3)))"
    ],
    "threads": ["import threading\nt = threading.Thread(target=print, args=('thread',))\nt.start()\nt.join()"],
    "warnings": ["import warnings\nwarnings.warn('careful')", "warnings.warn('old', DeprecationWarning)"],
    "logging": ["import logging\nlogging.warning('w')\nlogging.getLogger('x').error('e')"],
    "unicode": ["print('触媒 \\U0001f600 \\x00 \\x1b[1m \\u2028')", "'触媒'", "raise ValueError('é触')"],
    "surrogates": ["print('a\\udc80b')", "'\\ud83d'", "raise ValueError('x\\udcff')"],
    "input": ["input('name? ')"],
    "getpass": ["import getpass\ngetpass.getpass()"],
    "what is asked of IPython": [
        "type(get_ipython()).__name__, 'IPKernelApp' in get_ipython().config",
        "import os, sys\nos.environ.get('MPLBACKEND'), __name__, hasattr(sys, 'ps1'), '__file__' in globals()",
        "get_ipython().user_ns is globals(), get_ipython().execution_count",
        "get_ipython().run_cell('print(5)').success",
        "get_ipython().set_next_input('x = 1')",
    ],
    "rich, the library": [
        "from rich import print as show\nshow('[b]bold[/b]')",
        "import rich.jupyter\nfrom rich.text import Text\nText('t')",
    ],
    "frames": [
        "import pandas as pd\npd.DataFrame({f'column_{n}': [n] for n in range(30)})",
        "print(pd.DataFrame({f'column_{n}': [n] for n in range(30)}))",
        "pd.Series([1.5, None], name='x')",
        "pd.DataFrame({'a': range(100)})",
    ],
    "a figure": [
        "import plotly.graph_objects as go\ngo.Figure(go.Scatter(y=[1, 2]))",
        "go.Figure(go.Bar(y=[1])).show()",
    ],
    "modules beside the notebook": ["import beside\nbeside.VALUE", "open('beside.py').read()"],
    "the working folder": ["import os\nsorted(os.listdir())[:1]", "os.chdir('/')\nos.getcwd()", "os.getcwd()"],
    "empty cells": ["", "  \n", "# only a comment", "1"],
    "hooks": [
        "get_ipython().events.register('post_run_cell', lambda r: print('after', r.success))",
        "1",
        "raises-exception:1/0",
    ],
    "not JSON": ["display({'application/json': {'a': {1, 2}}}, raw=True)"],
    "not a number": [
        "import warnings\nwarnings.simplefilter('ignore')\n"
        "display({'application/json': {'a': float('nan')}}, raw=True)"
    ],
    "annotations and doctests": [
        "from __future__ import annotations\nx: int = 3",
        "def f(a: Unknown) -> int: ...\nf.__annotations__",
    ],
}


def write(folder: Path, cells: list[str]) -> Path:
    """A notebook with these code cells."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "beside.py").write_text("VALUE = 'beside'\n")
    notebook = nbformat.v4.new_notebook()
    for number, source in enumerate(cells):
        cell = nbformat.v4.new_code_cell(source.removeprefix(EXPECTED), id=f"c{number}")
        cell.metadata["tags"] = ["raises-exception"] if source.startswith(EXPECTED) else []
        notebook.cells.append(cell)
    nbformat.write(notebook, folder / "it.ipynb")
    return folder / "it.ipynb"


def run(folder: Path, cells: list[str], engine: Engine, limits: Limits | None = None) -> Execution:
    scratch = folder / "scratch"
    path = write(folder / "notebooks", cells)
    scratch.mkdir()
    return execute_notebook(path, {}, engine=engine, limits=limits or Limits(60), scratch=scratch)


# A process of its own, since libraries look around when they are imported, and a test's may be imported already.
WARM = """
import json, sys
from dataclasses import asdict
from pathlib import Path
import nbformat
from shokubai.runner.execute import execute_notebook
from shokubai.runner.task import Limits
from shokubai.runner.warm import warm_up
warm_up()
for folder in map(Path, sys.argv[1:]):
    done = execute_notebook(folder / "it.ipynb", {}, engine="fork", limits=Limits(60), scratch=folder)
    nbformat.write(done.notebook, folder / "done.ipynb")
    (folder / "error.json").write_text(json.dumps(done.error and asdict(done.error)))
"""


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Execution]:
    """All of the awkward notebooks as forked processes left them."""
    folders = {name: tmp_path_factory.mktemp("fork") for name in AWKWARD}
    for name, folder in folders.items():
        write(folder, AWKWARD[name])
    subprocess.run([sys.executable, "-c", WARM, *map(str, folders.values())], check=True, stdin=subprocess.DEVNULL)

    def read(folder: Path) -> Execution:
        error = json.loads((folder / "error.json").read_text())
        return Execution(nbformat.read(folder / "done.ipynb", as_version=4), error and CellError(**error))

    return {name: read(folder) for name, folder in folders.items()}


def alike(cell: Any) -> list[Output]:
    """A cell's outputs, the text of each stream first: when a kernel sends that is a matter of time."""
    streams: dict[str, str] = {}
    others = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            streams[output.name] = streams.get(output.name, "") + plain(output.text)
        else:
            others.append({**json.loads(plain(json.dumps(output))), "traceback": None})
    return [streams, *others]


def plain(text: str) -> str:
    text = re.sub(r"\\u001b\[[0-9;]*m", "", text)
    text = re.sub(r"/[^ \"]*/ipykernel_\d+/\d+\.py|\b\d{4,}\.py|<ipython-input-[^>]+>", "CELL", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x", text)


@pytest.mark.parametrize("name", AWKWARD)
def test_outputs_are_those_of_a_kernel(
    name: str, forked: Mapping[str, Execution], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(
        "PYTEST_CURRENT_TEST"
    )  # where it is set, a kernel does not look at what is written past Python
    fork, kernel = forked[name], run(tmp_path, AWKWARD[name], "kernel")
    assert fork.notebook is not None and kernel.notebook is not None
    for ours, theirs in zip(fork.notebook.cells, kernel.notebook.cells, strict=True):
        assert alike(ours) == alike(theirs), ours.source
        assert ours.get("execution_count") == theirs.get("execution_count")
    assert said(fork) == said(kernel)


def said(execution: Execution) -> tuple[int | None, str] | None:
    return execution.error and (execution.error.cell, plain(execution.error.message))
