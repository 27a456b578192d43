"""Notebooks run in a forked process leave what they leave in a kernel."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest

from shokubai import site
from shokubai.runner.engine import SILENT
from shokubai.runner.execute import Execution, execute_notebook
from shokubai.runner.task import DIED, CellError, Engine, Limits

pytestmark = pytest.mark.notebooks

Output = dict[str, Any]

EXPECTED = "raises-exception:"  # before the code of a cell with that tag

# A kernel's thread has to look before the cell ends, else it sends what was written past Python too late.
SEEN = "\nimport time\ntime.sleep(0.5)"

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
    "past Python": [
        f"import os\nstatus = os.system('echo system'){SEEN}\nstatus",
        f"os.write(1, b'written\\n'){SEEN}",
    ],
    "past Python to stderr": [f"import os\nos.system('echo system >&2'){SEEN}"],
    "past Python, broken bytes": [f"import os\nos.write(1, b'\\xff\\xfe\\n'){SEEN}"],
    "subprocess": [f"import subprocess, sys\nsubprocess.run(['echo', 'sub']){SEEN}"],
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
from shokubai import site
from shokubai.runner.execute import execute_notebook
from shokubai.runner.task import Limits
from shokubai.runner.warm import warm_up
warm_up()
for path in map(Path, sys.argv[1:]):
    done = execute_notebook(path, {}, engine="fork", limits=Limits(240), scratch=path.parent)
    nbformat.write(done.notebook, path.with_suffix(".done"))
    path.with_suffix(".error").write_text(json.dumps(done.error and asdict(done.error)))
"""


def run_forked(paths: Sequence[Path]) -> list[Execution]:
    """What notebooks are as processes forked from a warm one leave them."""
    subprocess.run([sys.executable, "-c", WARM, *map(str, paths)], check=True, stdin=subprocess.DEVNULL)
    done = []
    for path in paths:
        error = json.loads(path.with_suffix(".error").read_text())
        notebook = nbformat.read(path.with_suffix(".done"), as_version=4)
        done.append(Execution(notebook, error and CellError(**error)))
    return done


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Execution]:
    """All of the awkward notebooks as forked processes left them."""
    paths = [write(tmp_path_factory.mktemp("fork"), cells) for cells in AWKWARD.values()]
    return dict(zip(AWKWARD, run_forked(paths), strict=True))


def alike(cell: Any) -> list[Output]:
    """A cell's outputs, the text of each stream first: when a kernel sends that is a matter of time."""
    streams: dict[str, str] = {}
    others = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            streams[output.name] = streams.get(output.name, "") + plain(output.text)
        elif output.get("evalue") != SILENT:  # of which a kernel tells in its reply
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
    # Where it is set, a kernel does not look at what is written past Python.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    fork, kernel = forked[name], run(tmp_path, AWKWARD[name], "kernel")
    assert fork.notebook is not None and kernel.notebook is not None
    for ours, theirs in zip(fork.notebook.cells, kernel.notebook.cells, strict=True):
        assert alike(ours) == alike(theirs), ours.source
        assert ours.get("execution_count") == theirs.get("execution_count")
    assert fork.error is None or said(fork)[0] == said(kernel)[0]
    assert said(fork) == said(kernel) or SILENT in str(fork.error)


def said(execution: Execution) -> tuple[int | None, str] | None:
    return execution.error and (execution.error.cell, plain(execution.error.message))


PROJECT = Path(__file__).resolve().parents[3]
NOTEBOOKS = sorted(path.stem for path in (PROJECT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def checkout(demo_outputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's notebooks and parameters, with the demo as its outputs."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("notebooks", "parameters"):
        shutil.copytree(PROJECT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (root / "outputs").mkdir()
    (root / "outputs" / "demo").symlink_to(demo_outputs / "demo")
    shutil.copytree(demo_outputs / "tables", root / "outputs" / "tables")
    return root


def test_every_notebook_of_the_project_is_the_same_by_both_engines(checkout: Path, tmp_path: Path) -> None:
    paths = [checkout / "notebooks" / f"{name}.ipynb" for name in NOTEBOOKS]
    assert NOTEBOOKS == ["explore", "meeting_pack", "sre_overview", "weekly_team_report"]
    for path, fork in zip(paths, run_forked(paths), strict=True):
        kernel = execute_notebook(path, {}, engine="kernel", limits=Limits(240), scratch=tmp_path)
        assert fork.error is kernel.error is None
        assert fork.notebook is not None and kernel.notebook is not None
        assert len(fork.notebook.cells) == len(kernel.notebook.cells)
        for ours, theirs in zip(fork.notebook.cells, kernel.notebook.cells, strict=True):
            assert timeless(alike(ours)) == timeless(alike(theirs)), ours.source
        facts = site.extract_facts(fork.notebook)
        assert timeless(facts) == timeless(site.extract_facts(kernel.notebook))
        assert (facts is None) == (path.stem == "explore")


def timeless(value: Any) -> Any:
    """The same without what a clock measured."""
    return re.sub(r"\d[\d.,]* (ms|s)\b", "", json.dumps(value, sort_keys=True))


IMPORTS = """
import json, os, sys
from pathlib import Path
from shokubai.runner.notebook_process import NotebookProcess
from shokubai.runner.warm import load_parameters, warm_up
warm_up()
load_parameters(Path("../parameters"))
process = NotebookProcess()
process.run("import sys\\nbefore = set(sys.modules)")
for cell in json.load(open("weekly_team_report.ipynb"))["cells"]:
    if cell["cell_type"] == "code":
        done = process.run("".join(cell["source"]))
        assert done.is_ok, done.outputs
gained = process.run("print(*sorted(set(sys.modules) - before))")
process.end()
print(gained.outputs[0]["text"])
"""


def test_a_warm_process_leaves_a_weekly_report_nothing_to_import(checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        cwd=checkout / "notebooks",
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) <= 5, done.stdout


ENTRY_POINT = "[papermill.engine]\nshokubai = shokubai.cli.papermill_engine:engine\n"


def test_papermill_knows_the_engine_by_name(tmp_path: Path) -> None:
    """As it is installed: an environment may have older metadata, so this one is laid beside the library."""
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["entry-points"]["papermill.engine"]
    assert "[papermill.engine]\n" + "".join(f"{k} = {v}\n" for k, v in declared.items()) == ENTRY_POINT
    metadata = tmp_path / "site" / "shokubai_engine-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shokubai-engine\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINT)
    path = write(tmp_path, ["parameter = 1", "import os\nos.getppid(), parameter"])
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "papermill", "--engine", "shokubai", "-p", "parameter", "7"]
    process = subprocess.Popen(
        [*command, str(path), str(tmp_path / "out.ipynb")],
        env={**os.environ, "PYTHONPATH": f"{metadata.parent}{os.pathsep}{PROJECT / 'lib'}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    shown = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs[0].data["text/plain"]
    assert shown == f"({process.pid}, 7)"  # a child of papermill itself: there was no kernel


LIMITED = [
    ("while True: pass", Limits(60, cell_seconds=1), "the cell was not finished after its time limit of 1 s"),
    ("while True: pass", Limits(1), "not finished after the time limit of 1 s"),
    ("kept = []\nwhile True: kept.append(bytearray(50_000_000))", Limits(60, None, 10**9), "1,000 MB (--memory)"),
    ("import numpy\nnumpy.ones(10**10)", Limits(60, None, 10**9), "1,000 MB (--memory)"),
    (
        "get_ipython().showtraceback = lambda **_: None\nraise MemoryError",
        Limits(60, None, 10**9),
        "1,000 MB (--memory)",
    ),
    ("import os\nos.write(2, b'std::bad_alloc')\nos.abort()", Limits(60, None, 10**9), "1,000 MB (--memory)"),
]


@pytest.mark.parametrize(("cell", "limits", "words"), LIMITED)
@pytest.mark.parametrize("tag", ["", EXPECTED])
def test_a_limit_is_named_and_ends_a_notebook_whatever_its_cell_expects(
    cell: str, limits: Limits, words: str, tag: str, tmp_path: Path
) -> None:
    done = run(tmp_path, [tag + cell, "1"], "fork", limits)
    if "bytearray" in cell and done.error is not None and done.error.message.startswith(DIED):
        return  # with no memory left, not every library has the means to say so
    if tag and ("bytearray" in cell or "numpy" in cell or "raise" in cell):
        assert done.error is None  # an exception like others
    else:
        assert done.error is not None and done.error.cell == 1 and done.error.message.endswith(words)


@pytest.mark.parametrize("engine", ["fork", "kernel"])
def test_an_expected_exception_leaves_no_complaint_in_the_notebook(engine: Engine, tmp_path: Path) -> None:
    done = run(tmp_path, [f"{EXPECTED}1 / 0", "2"], engine)
    assert done.error is None and done.notebook is not None
    assert [cell.source for cell in done.notebook.cells] == ["1 / 0", "2"]
