"""YAML files as plain values that remember their line, and the problems found on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from shokubai.core.errors import Problem, nearest_spelling

Scalar = str | int | float | bool | None

# A parameter file has some hundred values; aliases of aliases can stand for billions in ten lines.
MOST_VALUES = 100_000


@dataclass(frozen=True)
class Node:
    """A value in a file: a scalar, a mapping or a tuple, whose parts are nodes again.

    ``line`` is that of the value's key or list item, ``path`` the way to it, such as ``owns[0].routes``, and
    ``text`` a scalar as it is written in the file.
    """

    file: Path
    line: int
    path: str = ""
    value: Scalar | Mapping[str, Node] | tuple[Node, ...] = None
    text: str = ""

    @property
    def mapping(self) -> Mapping[str, Node]:
        """The parts of a mapping; of anything else none."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """The parts of a list; of anything else none."""
        return self.value if isinstance(self.value, tuple) else ()

    def at(self, *steps: str | int) -> Node:
        """The node reached by ``steps``; where the way ends early, an empty node with the line it ended on."""
        node = self
        for step in steps:
            parts: Mapping[Any, Node] = dict(enumerate(node.items)) if isinstance(step, int) else node.mapping
            node = parts.get(step) or Node(node.file, node.line, _joined(node.path, step))
        return node

    @property
    def shown(self) -> str:
        """The value as an error message quotes it."""
        match self.value:
            case None:
                return "nothing"
            case Mapping():
                return "a mapping"
            case tuple():
                return "a list"
            case str():
                return repr(_shortened(self.value))
            case _:
                return _shortened(self.text)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _joined(path: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


@dataclass
class Problems:
    """The problems found so far, in the order in which they were met."""

    found: list[Problem] = field(default_factory=list)

    @property
    def error_count(self) -> int:
        return sum(problem.level == "error" for problem in self.found)

    def error(self, place: Node, message: str, *, found: str = "", allowed: str = "", nearest: str = "") -> None:
        self._add("error", place, message, found, allowed, nearest)

    def warning(self, place: Node, message: str, *, found: str = "", allowed: str = "", nearest: str = "") -> None:
        self._add("warning", place, message, found, allowed, nearest)

    def _add(
        self, level: Literal["error", "warning"], place: Node, message: str, found: str, allowed: str, nearest: str
    ) -> None:
        where = place.path or "file"
        self.found.append(Problem(place.file, place.line, where, message, found, allowed, nearest, level))


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The allowed word closest to ``word``, where upper and lower case hardly count; or an empty string."""
    by_lower = {each.lower(): each for each in allowed}
    return by_lower.get(nearest_spelling(word.lower(), list(by_lower)), "")


def read_documents(file: Path, problems: Problems) -> tuple[Node, ...]:
    """The YAML documents of a file; empty ones are left out.

    Reports a file that cannot be read, is not UTF-8 or not YAML, and keys that are written twice. Words are kept
    as they are written (YAML 1.2's core rules): dates, ``on`` and ``no`` are text, only ``true`` and ``false`` are
    booleans.
    """
    whole = Node(file, 1)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problems.error(whole, f"cannot be read: {error.strerror}")
        return ()
    except UnicodeDecodeError as error:
        line = 1 + file.read_bytes()[: error.start].count(b"\n")
        problems.error(Node(file, line), "is not UTF-8 text; save it as UTF-8")
        return ()
    return read_text(text, file, problems)


def read_text(text: str, file: Path, problems: Problems) -> tuple[Node, ...]:
    """The same of a text that ``file`` holds, or is about to."""
    whole = Node(file, 1)
    try:
        roots = _roots(text)
        converter = _Converter(file, problems)
        documents = [converter.convert(root, root, "") for root in roots]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.error(Node(file, mark.line + 1 if mark else 1), _syntax_message(error))
        return ()
    except yaml.reader.ReaderError as error:
        line = 1 + text[: error.position].count("\n")
        problems.error(Node(file, line), "holds a control character, so it is no YAML text")
        return ()
    except RecursionError:
        problems.error(whole, "is nested too deeply to be read")
        return ()
    return tuple(document for document in documents if document.value is not None)


def _roots(text: str) -> list[yaml.Node]:
    """The documents' nodes. libyaml reads ten times faster; what it refuses PyYAML's own parser explains better."""
    if _FastLoader is not None and len(text) < _LONGEST_FOR_LIBYAML:
        with suppress(yaml.YAMLError):
            return _read_roots(_FastLoader(text))
    return _read_roots(_Loader(text))


def _read_roots(loader: Any) -> list[yaml.Node]:
    roots = []
    try:
        while loader.check_node():
            roots.append(loader.get_node())
    finally:
        loader.dispose()
    return [root for root in roots if root is not None]


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem)
    if "'\\t'" in problem:
        return "is not YAML: a tab stands where spaces must; indent with spaces"
    if "mapping values are not allowed" in problem:
        problem = "a ':' where none can be; check the indentation, or put the text in quotes"
    context = f" ({error.context})" if error.context else ""
    return f"is not YAML: {problem}{context}"


class _Loader(yaml.SafeLoader):
    """PyYAML's loader with YAML 1.2's core rules for plain scalars instead of YAML 1.1's."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name


class _Fast(getattr(yaml, "CSafeLoader", object)):  # type: ignore[misc]  # PyYAML may come without libyaml
    """The same on libyaml."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


_FastLoader: type[_Fast] | None = _Fast if hasattr(yaml, "CSafeLoader") else None
_LONGEST_FOR_LIBYAML = 16_000  # characters; nesting in longer texts could use up the stack unnoticed

_NULL, _BOOL, _INT, _FLOAT, _MERGE = (
    f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "merge")
)
for _tag, _pattern in (
    (_NULL, r"~|null|Null|NULL|"),
    (_BOOL, r"true|True|TRUE|false|False|FALSE"),
    (_INT, r"[-+]?[0-9]+"),
    (_FLOAT, r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
    (_MERGE, r"<<"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), None)


@dataclass
class _Converter:
    """Turns PyYAML's nodes of one file into ours."""

    file: Path
    problems: Problems
    count: int = 0
    open_nodes: list[int] = field(default_factory=list)

    def convert(self, node: yaml.Node, place: yaml.Node, path: str) -> Node:
        """``place`` is the node whose line counts: a mapping's key, or the node itself."""
        line = place.start_mark.line + 1
        self.count += 1
        if self.count > MOST_VALUES or id(node) in self.open_nodes:
            raise yaml.composer.ComposerError(None, None, "aliases that multiply or hold themselves", node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, Node(self.file, line, path, None, node.value))
        self.open_nodes.append(id(node))
        value: Mapping[str, Node] | tuple[Node, ...]
        if isinstance(node, yaml.MappingNode):
            value = self.mapping(node, path)
        else:
            value = tuple(self.convert(item, item, _joined(path, n)) for n, item in enumerate(node.value))
        self.open_nodes.pop()
        return Node(self.file, line, path, value)

    def mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problems.error(
                    Node(self.file, key.start_mark.line + 1, path), "a key must be a word, not a list or mapping"
                )
            elif key.tag == _MERGE:
                sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for source in sources:
                    merged = {**dict(self.convert(source, source, path).mapping), **merged}
            else:
                place = self.convert(value, key, _joined(path, key.value))
                if key.value in own:
                    self.problems.error(
                        place, f"the key is written twice, first on line {own[key.value].line}; keep one of them"
                    )
                else:
                    own[key.value] = place
        return {**merged, **own}

    def scalar(self, node: yaml.ScalarNode, place: Node) -> Node:
        try:
            value = self.plain(node, place)
        except ValueError:
            self.problems.error(place, "is not what its tag says", found=f"{node.tag} {place.text!r}")
            value = None
        return Node(place.file, place.line, place.path, value, node.value)

    def plain(self, node: yaml.ScalarNode, place: Node) -> Scalar:
        match node.tag.removeprefix("tag:yaml.org,2002:"):
            case "null":
                return None
            case "bool":
                return bool(node.value.lower() == "true")
            case "int":
                # An absurd number of digits makes Python's int refuse; as a float it is infinite and refused later.
                return int(node.value) if len(node.value) <= 18 else float(node.value)
            case "float":
                return float(re.sub(r"\.(inf|nan)", r"\1", node.value.lower()))
            case "str" | "merge" | "timestamp":
                return str(node.value)
            case _:
                self.problems.error(place, "a tag has no meaning here; write the plain value", found=node.tag)
                return None
