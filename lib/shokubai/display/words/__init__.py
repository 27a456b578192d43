"""Every word a reader reads, beside this file: ``en.yaml`` and ``ja.yaml``, with the same keys and placeholders.

Sentences hold placeholders as in ``str.format`` (``{count}``); values are formatted text, put in as they are.
The result is plain text: whoever puts it into HTML escapes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from shokubai.config.model import Language


@cache
def vocabulary(language: Language) -> Mapping[str, str]:
    """All sentences of a language by dotted key, such as ``verdict.met``."""
    text = files(__package__).joinpath(f"{language}.yaml").read_text(encoding="utf-8")
    return dict(_flat(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), ""))


def say(language: Language, key: str, **values: object) -> str:
    """The sentence ``key`` with its placeholders filled. Raises KeyError for an unknown key or placeholder."""
    return vocabulary(language)[key].format_map(values)


def _flat(tree: Mapping[str, object], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in tree.items():
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", str(value).strip()))
    return pairs
