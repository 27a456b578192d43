"""YAML as plain values with lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from shokubai.config.located import Node, Problems, nearest, read_documents


def read(tmp_path: Path, text: str | bytes) -> tuple[tuple[Node, ...], list[str]]:
    """The documents of a file with this text, and its problems without the folder."""
    file = tmp_path / "some.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    problems = Problems()
    documents = read_documents(file, problems)
    return documents, [str(problem).removeprefix(f"{tmp_path}/") for problem in problems.found]


def test_lines_and_paths(tmp_path: Path) -> None:
    text = "a: 1\nb:\n  - x\n  - c:\n      d: >-\n        long\n        text\n"
    (root,), problems = read(tmp_path, text)
    assert problems == []
    deep = root.at("b", 1, "c", "d")
    assert (deep.line, deep.path, deep.value) == (5, "b[1].c.d", "long text")
    assert (root.at("b").line, root.at("b", 0).line, root.at("b", 0).value) == (2, 3, "x")


def test_a_way_that_ends_early_has_the_line_it_ended_on(tmp_path: Path) -> None:
    (root,), _ = read(tmp_path, "a: 1\nb:\n  c: 2\n")
    missing = root.at("b", "d", "e")
    assert (missing.line, missing.path, missing.value) == (2, "b.d.e", None)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-11-02", "2026-11-02"),
        ("2022-01-01 12:00:00", "2022-01-01 12:00:00"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("12:30", "12:30"),  # 750 in YAML 1.1
        ("010", 10),  # 8 in YAML 1.1
        ("1e-3", 0.001),  # text in YAML 1.1
        (".5", 0.5),
        ("-7", -7),
        ("99.90", 99.9),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("5xx", "5xx"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalars(tmp_path: Path, written: str, value: object) -> None:
    (root,), problems = read(tmp_path, f"a: {written}\n")
    found = root.at("a").value
    assert (found, type(found), problems) == (value, type(value), [])


def test_infinity_and_nan_are_numbers(tmp_path: Path) -> None:
    (root,), _ = read(tmp_path, "a: [.inf, -.Inf, .NaN]\n")
    values = [item.value for item in root.at("a").items]
    assert values[:2] == [float("inf"), float("-inf")]
    assert values[2] != values[2]


def test_keys_are_what_is_written(tmp_path: Path) -> None:
    (root,), problems = read(tmp_path, "on: 1\nno: 2\n200: 3\ntrue: 4\n")
    assert list(root.mapping) == ["on", "no", "200", "true"]
    assert problems == []


def test_several_documents(tmp_path: Path) -> None:
    documents, _ = read(tmp_path, "# first\n---\na: 1\n---\n# nothing\n---\n- b: 2\n- b: 3\n")
    assert [document.line for document in documents] == [3, 7]
    assert [item.line for item in documents[1].items] == [7, 8]


def test_anchors_and_merges(tmp_path: Path) -> None:
    text = "base: &base {x: 1, y: 2}\nsame: *base\nmore:\n  <<: *base\n  y: 3\n"
    (root,), problems = read(tmp_path, text)
    assert problems == []
    assert root.at("same", "x").value == 1
    assert [root.at("more", key).value for key in ("x", "y")] == [1, 3]


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    (root,), problems = read(tmp_path, b"\xef\xbb\xbfa: 1\n")
    assert (list(root.mapping), problems) == (["a"], [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a: 1\nb:\n  c: 1\n  c: 2\n",
            "some.yaml:4: error: b.c: the key is written twice, first on line 3; keep one of them",
        ),
        (
            "a:\n\tb: 1\n",
            "some.yaml:2: error: file: is not YAML: a tab stands where spaces must; indent with spaces",
        ),
        (
            "a: 1\nb: c: d\n",
            "some.yaml:2: error: file: is not YAML: a ':' where none can be; check the indentation, "
            "or put the text in quotes",
        ),
        (
            "a: 1\n b: 2\n",
            "some.yaml:2: error: file: is not YAML: a ':' where none can be; check the indentation, "
            "or put the text in quotes",
        ),
        (
            "a: *nowhere\n",
            "some.yaml:1: error: file: is not YAML: found undefined alias 'nowhere'",
        ),
        (
            "a: 1\nb: !python/object:os.system x\n",
            "some.yaml:2: error: b: a tag has no meaning here; write the plain value; found !python/object:os.system",
        ),
        (
            "a: !!int many\n",
            "some.yaml:1: error: a: is not what its tag says; found tag:yaml.org,2002:int 'many'",
        ),
        (
            b"a: 1\nb: \x93\xfa\n",
            "some.yaml:2: error: file: is not UTF-8 text; save it as UTF-8",
        ),
        (
            "a: 1\nb: \x00\n",
            "some.yaml:2: error: file: holds a control character, so it is no YAML text",
        ),
        (
            "a: &a [1, *a]\n",
            "some.yaml:1: error: file: is not YAML: aliases that multiply or hold themselves",
        ),
        (
            "? [a, b]\n: 1\n",
            "some.yaml:1: error: file: a key must be a word, not a list or mapping",
        ),
    ],
)
def test_broken_files(tmp_path: Path, text: str | bytes, problem: str) -> None:
    _, problems = read(tmp_path, text)
    assert problems == [problem]


def test_aliases_that_stand_for_billions_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    documents, problems = read(tmp_path, "\n".join(lines))
    assert documents == ()
    assert [problem.partition(": is not YAML: ")[2] for problem in problems] == [
        "aliases that multiply or hold themselves"
    ]


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "[" * 5000)
    assert problems == ["some.yaml:1: error: file: is nested too deeply to be read"]


def test_folder_named_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    problems = Problems()
    assert read_documents(tmp_path / "folder.yaml", problems) == ()
    assert "cannot be read" in str(problems.found[0])


def test_nearest_spelling_hardly_minds_case() -> None:
    assert nearest("jp", ["JP", "PH"]) == "JP"
    assert nearest("langauge", ["language", "name"]) == "language"
    assert nearest("zzz", ["language", "name"]) == ""
