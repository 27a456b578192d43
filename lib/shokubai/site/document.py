"""The shell of every page: one stylesheet, its own scripts, a policy that admits nothing else."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from shokubai.config.model import Language
from shokubai.display.template import FONT, PALETTE
from shokubai.display.words import say
from shokubai.site.sanitize import json_block

# In templates; nothing else in a page can be a comment, since all markup from outside is escaped or cleaned of them.
_SCRIPTS_GO_HERE = "<!-- scripts -->"
_PLOTLY = "plotly-basic.min.js"


def render(template: str, language: Language, **values: Any) -> str:
    """One of the templates beside this file; ``say`` is there for words, everything printed is escaped."""
    values = {"policy": policy(()), **values}
    return (
        _environment()
        .get_template(template)
        .render(language=language, say=lambda key, **named: say(language, key, **named), css=stylesheet(), **values)
    )


def warm_up() -> None:
    """Read and compile what all pages have in common, so that processes forked from this one need not."""
    policy(())
    policy(_scripts())
    _script_elements()
    stylesheet()
    for template in _environment().list_templates():
        _environment().get_template(template)


def render_with_figures(template: str, language: Language, *, shared: Sequence[object], **values: Any) -> str:
    """The same with plotly and the script that draws; ``shared`` are the parts that figures have in common."""
    page = render(
        template,
        language,
        policy=policy(_scripts()),
        shared=json_block({"parts": shared, "dark": dict(PALETTE.values())}),
        **values,
    )
    # The scripts are most of the page: they are put in last, once, not copied from block to block.
    before, _, after = page.rpartition(_SCRIPTS_GO_HERE)
    return "".join((before, _script_elements(), after))


def script(name: str) -> Markup:
    """A script of ours, for a page to hold inline."""
    return Markup(_static(name).replace("</script", "<\\/script"))


@cache
def policy(scripts: tuple[str, ...]) -> str:
    """The Content-Security-Policy of a page that has exactly these inline scripts.

    Styles are allowed inline: plotly sets them. They can load nothing, since every other source is closed.
    """
    allowed = " ".join(_hash(script) for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def stylesheet() -> Markup:
    """The stylesheet with the palette of figures as variables, light and dark."""
    light = "".join(f"--{name}:{colours[0]};" for name, colours in PALETTE.items())
    dark = "".join(f"--{name}:{colours[1]};" for name, colours in PALETTE.items())
    return Markup(
        f":root{{color-scheme:light dark;--font:{FONT};{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{_static('page.css')}"
    )


def write_text(path: Path, text: str) -> Path:
    """Write a file as a whole or not at all, whenever the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    return path


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("shokubai.site", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


@cache
def _static(name: str) -> str:
    return files("shokubai.site").joinpath("static", name).read_text(encoding="utf-8")


@cache
def _scripts() -> tuple[str, ...]:
    """What runs in a page with figures: what unpacks plotly, plotly itself, and what draws with it."""
    inflate = f"const module = {{}};\n{_static('tiny-inflate.js')}\nconst inflate = module.exports;"
    unpack = f'(() => {{\n"use strict";\n{inflate}\n{_static("unpack.js")}}})();'
    return unpack, _static(_PLOTLY), script("page.js")


@cache
def _script_elements() -> str:
    unpack, plotly, draw = _scripts()
    whole = plotly.encode()
    deflate = zlib.compressobj(9, wbits=-15)
    packed = base64.b64encode(deflate.compress(whole) + deflate.flush()).decode()
    return (
        f'<script type="application/octet-stream" id="plotly" data-bytes="{len(whole)}">{packed}</script>\n'
        f"<script>{unpack}</script>\n<script>{draw}</script>"
    )


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
