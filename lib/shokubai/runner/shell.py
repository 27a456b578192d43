"""IPython in this very process: cells run, and their outputs are kept as nbformat's. No kernel, socket or thread."""

from __future__ import annotations

import builtins
import getpass
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, NoReturn

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.jsonutil import json_clean, json_default
from traitlets.config import Config

# What one cell may print and show. Beyond it text is counted and not kept, and showing is an error of the cell.
LONGEST_STREAM = 1_000_000  # characters
LARGEST_OUTPUT = 32_000_000  # characters of JSON, of all that a cell shows together

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class CellResult:
    """What a cell left: nbformat outputs, and later looks of outputs that earlier cells showed.

    An output may carry ``display_id``, by which it is updated later.
    """

    outputs: Sequence[dict[str, Any]]
    updates: Sequence[dict[str, Any]]
    is_ok: bool
    execution_count: int

    @classmethod
    def from_json(cls, text: bytes) -> CellResult:
        return cls(**json.loads(text))


class Printed(NamedTuple):
    """Text of a stream, and how many characters more there were."""

    stream: str
    text: str
    left_out: int


class _Outputs:
    """The outputs of the cell that runs. What it shows is kept as JSON text at once, since it may change later."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.updates: dict[str, str] = {}  # by display_id, JSON of what is to be seen wherever it was shown
        self.clear()

    def add(self, output: Mapping[str, Any]) -> None:
        text = self._within_limit(_to_json(output))
        if display_id := output.get("display_id"):
            self.updates[display_id] = text
        self._append(text)

    def add_error(self, output: Mapping[str, Any]) -> None:
        """Whatever else was shown, there is room for an error."""
        self._append(_to_json(output))

    def update(self, output: Mapping[str, Any]) -> None:
        display_id = output["display_id"]
        self.shown_length -= len(self.updates.pop(display_id, ""))
        self.updates[display_id] = self._within_limit(_to_json(output))

    def clear(self) -> None:
        self.stream_length = 0
        self.left_out: dict[str, int] = {}
        self.shown: list[str | tuple[str, list[str]]] = []  # JSON, or a stream's name and texts
        self.shown_length = 0
        self.is_cleared_by_next = False

    def _within_limit(self, text: str) -> str:
        self.shown_length += len(text)
        if self.shown_length > LARGEST_OUTPUT:
            raise ValueError(
                f"with this output the cell shows {self.shown_length:,} characters; allowed: {LARGEST_OUTPUT:,}"
            )
        return text

    def write(self, name: str, text: str, *, left_out: int = 0) -> None:
        kept = text[: max(0, LONGEST_STREAM - self.stream_length)]
        self.stream_length += len(kept)
        if left_out := left_out + len(text) - len(kept):
            self.left_out[name] = self.left_out.get(name, 0) + left_out
        if not kept:
            return
        last = self.shown[-1] if self.shown and not self.is_cleared_by_next else ""
        if not isinstance(last, str) and last[0] == name:
            last[1].append(kept)
        else:
            self._append((name, [kept]))

    def take(self, *, is_ok: bool, execution_count: int) -> bytes:
        """The JSON from which CellResult is read; nothing is left for the next cell."""
        for name, count in self.left_out.items():
            self.shown.append((name, [left_out_note(count)]))
        shown = ",".join(s if isinstance(s, str) else _stream_json(*s) for s in self.shown)
        updates = ",".join(self.updates.values())
        self.reset()
        how = json.dumps({"is_ok": is_ok, "execution_count": execution_count})
        text = f'{{"outputs":[{shown}],"updates":[{updates}],{how[1:]}'
        try:
            return text.encode()
        except UnicodeEncodeError:
            return _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text).encode()

    def _append(self, output: str | tuple[str, list[str]]) -> None:
        if self.is_cleared_by_next:
            self.clear()
        self.shown.append(output)


def _stream_json(name: str, texts: Sequence[str]) -> str:
    return json.dumps({"output_type": "stream", "name": name, "text": "".join(texts)}, ensure_ascii=False)


def _to_json(output: Mapping[str, Any]) -> str:
    try:
        return json.dumps(output, default=json_default, allow_nan=False, ensure_ascii=False)
    except ValueError:  # numbers that JSON does not have, which a kernel sends as text
        return json.dumps(json_clean(output), default=json_default, ensure_ascii=False)


def left_out_note(count: int) -> str:
    """What stands where a cell printed more than is kept."""
    return f"\n… {count:,} more characters were printed and not kept\n"


_outputs = _Outputs()


class _Publisher(DisplayPublisher):
    def publish(
        self,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        source: str | None = None,
        *,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        output = {"output_type": "display_data", "data": data, "metadata": metadata or {}}
        if display_id := (transient or {}).get("display_id"):
            output["display_id"] = display_id
        if not update:
            _outputs.add(output)
        elif display_id:
            _outputs.update(output)

    def clear_output(self, wait: bool = False) -> None:
        if wait:
            _outputs.is_cleared_by_next = True
        else:
            _outputs.clear()


class _DisplayHook(DisplayHook):
    def start_displayhook(self) -> None:
        self._output: dict[str, Any] = {"output_type": "execute_result", "data": {}, "metadata": {}}

    def write_output_prompt(self) -> None:
        self._output["execution_count"] = self.prompt_count

    def write_format_data(self, format_dict: Mapping[str, Any], md_dict: Mapping[str, Any] | None = None) -> None:
        self._output |= {"data": format_dict, "metadata": md_dict or {}}

    def finish_displayhook(self) -> None:
        if self._output["data"]:
            _outputs.add(self._output)


class _Stream(io.TextIOBase):
    """Standard output or error of cells."""

    encoding = "UTF-8"
    errors = "strict"

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self._stream = name
        self._descriptor = descriptor
        self._process = os.getpid()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if os.getpid() == self._process:
            _outputs.write(self._stream, text)
        else:  # forked by a cell: its memory is not ours
            left = text.encode("utf-8", "replace")
            while left:
                left = left[os.write(self._descriptor, left) :]
        return len(text)


# Named as a kernel's: rich, pandas, plotly and others look at the name to know what will show their outputs.
class ZMQInteractiveShell(InteractiveShell):
    kernel = None  # pandas looks whether there is one

    def init_hooks(self) -> None:
        super().init_hooks()  # type: ignore[no-untyped-call]
        self.set_hook("show_in_pager", lambda *_, **__: None, 99)  # type: ignore[no-untyped-call]  # no pager to see

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: Sequence[str]) -> None:
        _outputs.add_error(
            {
                "output_type": "error",
                "ename": getattr(etype, "__name__", str(etype)),
                "evalue": _shortened(_said(evalue)),
                "traceback": [_shortened(line) for line in stb],
            }
        )

    def ask_exit(self) -> None:
        """``exit`` and ``quit`` end the notebook as they do in a kernel: by SystemExit."""
        raise SystemExit

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no window to show anything in."""


ZMQInteractiveShell.__module__ = "ipykernel.zmqshell"


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as another:  # noqa: BLE001 - an exception that cannot say what it is may be of any kind
        return f"<its message cannot be shown: {type(another).__name__}>"


def _shortened(text: str) -> str:
    over = len(text) - LONGEST_STREAM
    return text[:LONGEST_STREAM] + left_out_note(over) if over > 0 else text


@cache
def prepare() -> InteractiveShell:
    """This process's shell, made on first use; processes forked afterwards have it already."""
    configuration = Config()
    configuration.HistoryManager.enabled = False  # a thread, and a file that all notebooks would share
    configuration.InteractiveShell.xmode = "Context"
    configuration.IPKernelApp.connection_file = ""  # tqdm looks for that section
    with tempfile.TemporaryDirectory() as folder:  # nothing of the user's own set-up of IPython, nothing left of ours
        shell: InteractiveShell = ZMQInteractiveShell.instance(
            ipython_dir=folder,
            config=configuration,
            display_pub_class=_Publisher,
            displayhook_class=_DisplayHook,
        )
    if "pandas" in sys.modules and sys.modules["pandas"].get_option("display.max_columns") == 0:
        # It was imported before there was a shell, and took this for a terminal.
        sys.modules["pandas"].set_option("display.max_columns", 20)
    return shell


def take_over() -> None:
    """Have what this process prints and asks go to its cells' outputs, from here on."""
    sys.stdout, sys.stderr = _Stream("stdout", 1), _Stream("stderr", 2)
    builtins.input = _refusal("raw_input")
    getpass.getpass = _refusal("getpass")
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as a kernel sets it


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise StdinNotImplementedError(f"{name} was called, but this frontend does not support input requests.")

    return refuse


def run_cell(source: str, *, printed_elsewhere: Callable[[], Iterable[Printed]] = tuple) -> bytes:
    """Run one cell as Jupyter would; the JSON from which CellResult is read.

    ``printed_elsewhere`` gives what programs and libraries in other languages wrote past Python's own streams; it
    stands after what the cell itself printed.
    """
    shell = prepare()
    is_ok = False
    try:
        is_ok = bool(shell.run_cell(source, store_history=True).success)  # type: ignore[no-untyped-call]
    except KeyboardInterrupt:  # where IPython does not wait for one
        shell.showtraceback()
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError):  # closed by the cell
            if stream is not None:
                stream.flush()
    for printed in printed_elsewhere():
        _outputs.write(printed.stream, printed.text, left_out=printed.left_out)
    return _outputs.take(is_ok=is_ok, execution_count=shell.execution_count - 1)
