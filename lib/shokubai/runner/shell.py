"""IPython in this very process: cells run, and their outputs are kept as nbformat's. No kernel, socket or thread."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.jsonutil import json_default
from traitlets.config import Config

# What one cell may print and show. Beyond it text is counted and not kept, and showing is an error of the cell.
LONGEST_STREAM = 1_000_000  # characters
LARGEST_OUTPUT = 32_000_000  # characters of JSON


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


class _Outputs:
    """The outputs of the cell that runs. What it shows is kept as JSON text at once, since it may change later."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.shown: list[str | tuple[str, list[str]]] = []  # JSON, or a stream's name and texts
        self.updates: list[str] = []
        self.is_cleared_by_next = False
        self.stream_length = 0
        self.left_out: dict[str, int] = {}

    def add(self, output: Mapping[str, Any]) -> None:
        self._append(_to_json(output))

    def update(self, output: Mapping[str, Any]) -> None:
        self.updates.append(_to_json(output))

    def clear(self) -> None:
        self.shown.clear()
        self.is_cleared_by_next = False

    def write(self, name: str, text: str) -> None:
        kept = text[: max(0, LONGEST_STREAM - self.stream_length)]
        self.stream_length += len(kept)
        if len(kept) < len(text):
            self.left_out[name] = self.left_out.get(name, 0) + len(text) - len(kept)
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
        updates = ",".join(self.updates)
        self.reset()
        how = json.dumps({"is_ok": is_ok, "execution_count": execution_count})
        return f'{{"outputs":[{shown}],"updates":[{updates}],{how[1:]}'.encode()

    def _append(self, output: str | tuple[str, list[str]]) -> None:
        if self.is_cleared_by_next:
            self.clear()
        self.shown.append(output)


def _stream_json(name: str, texts: Sequence[str]) -> str:
    return json.dumps({"output_type": "stream", "name": name, "text": "".join(texts)})


def _to_json(output: Mapping[str, Any]) -> str:
    text = json.dumps(output, default=json_default)
    if len(text) > LARGEST_OUTPUT:
        raise ValueError(f"an output of {len(text):,} characters cannot be kept; allowed: {LARGEST_OUTPUT:,}")
    return text


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
        if update:
            _outputs.update(output)
        else:
            _outputs.add(output)

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
    """Standard output or error of a cell."""

    encoding = "utf-8"

    def __init__(self, name: str, descriptor: int) -> None:
        self._name = name
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        _outputs.write(self._name, text)
        return len(text)


class _Shell(InteractiveShell):
    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: Sequence[str]) -> None:
        _outputs.add(
            {
                "output_type": "error",
                "ename": getattr(etype, "__name__", str(etype)),
                "evalue": str(evalue),
                "traceback": list(stb),
            }
        )

    def ask_exit(self) -> None:
        """``exit`` and ``quit`` end the notebook as they do in a kernel: by SystemExit."""
        raise SystemExit

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no window to show anything in."""


def prepare() -> InteractiveShell:
    """This process's shell, made on first use; processes forked afterwards have it already."""
    configuration = Config()
    configuration.HistoryManager.enabled = False  # a thread, and a file that all notebooks would share
    configuration.InteractiveShell.xmode = "Context"
    shell: InteractiveShell = _Shell.instance(
        config=configuration, display_pub_class=_Publisher, displayhook_class=_DisplayHook
    )
    return shell


def run_cell(source: str, *, printed_elsewhere: Callable[[], str] = lambda: "") -> bytes:
    """Run one cell as Jupyter would; the JSON from which CellResult is read.

    ``printed_elsewhere`` gives what programs and libraries in other languages wrote past Python's own streams.
    """
    shell = prepare()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream("stdout", 1), _Stream("stderr", 2)
    is_ok = False
    try:
        is_ok = bool(shell.run_cell(source, store_history=True).success)  # type: ignore[no-untyped-call]
    except KeyboardInterrupt:  # where IPython does not wait for one
        shell.showtraceback()
    finally:
        sys.stdout, sys.stderr = before
    _outputs.write("stdout", printed_elsewhere())
    return _outputs.take(is_ok=is_ok, execution_count=shell.execution_count - 1)
