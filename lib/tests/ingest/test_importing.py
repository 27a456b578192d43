"""What stays the same when imports are repeated, grow, are killed or are refused."""

import json
import stat
import subprocess
import sys

import pytest

from shokubai.core.errors import UsageError
from shokubai.ingest import ImportOptions, import_requests


def line(second: int, path: str = "/a", client: str = "192.0.2.7") -> str:
    return f'{client} - - [17/May/2015:10:05:{second:02} +0000] "GET {path} HTTP/1.1" 200 1 "-" "x"'


def test_importing_the_same_file_again_counts_it_once(write, importing, rows):
    file = write(line(1), line(2))
    importing(file)
    again = importing(file)
    assert again.sources[0].replaced == ("access.log",)
    assert len(rows("http_route")) == 2


def test_the_same_content_under_another_name_counts_once(write, importing, rows):
    summary = importing(write(line(1), name="a/access.log"), write(line(1), name="b/copy.log"))
    assert [source.repeats for source in summary.sources] == [None, "access.log"]
    assert (summary.read_count, len(rows("http_route"))) == (1, 1)


def test_a_file_that_has_grown_replaces_its_earlier_state(write, importing, rows):
    importing(write(line(1), line(2)))
    grown = importing(write(line(1), line(2), line(3), name="access.log.1"))
    assert grown.sources[0].replaced == ("access.log",)
    assert len(rows("http_route")) == 3


def test_both_states_of_a_growing_file_in_one_command_count_once(write, importing, rows):
    summary = importing(write(line(1)), write(line(1), line(2), name="later.log"))
    assert summary.sources[0].repeats == "later.log"
    assert len(rows("http_route")) == 2


def test_other_files_add_to_what_is_there(write, importing, rows, outputs):
    importing(write(line(1, "/a")))
    importing(write(line(2, "/b"), "nonsense", name="other.log"))
    assert rows("http_route") == [("/a",), ("/b",)]
    sources = json.loads((outputs / "imports/shop/sources.json").read_text())["sources"]
    assert [(s["file"], s["read_count"], s["rejected_count"]) for s in sources] == [
        ("access.log", 1, 0),
        ("other.log", 2, 1),
    ]


def test_rejected_lines_of_files_with_one_name_are_both_kept_and_a_mended_file_loses_its_own(
    write, importing, outputs
):
    importing(write(line(1), "nonsense one", name="a/access.log"))
    importing(write(line(2), "nonsense two", name="b/access.log"))
    texts = sorted(file.read_text() for file in (outputs / "imports/shop/rejected").iterdir())
    assert texts == ["2\tno [time]\tnonsense one\n", "2\tno [time]\tnonsense two\n"]
    importing(write(line(1), "nonsense one", line(3), name="a/access.log"))
    assert len(list((outputs / "imports/shop/rejected").iterdir())) == 2


def test_a_failure_just_before_publishing_leaves_the_previous_state(write, importing, rows, outputs):
    importing(write(line(1, "/a")))
    before = sorted(str(p) for p in (outputs / "imports").rglob("*"))

    def fail() -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        import_requests(
            [write(line(2, "/b"), name="b.log")],
            ImportOptions(name="shop", service="shop"),
            outputs=outputs,
            before_publishing=fail,
        )
    assert rows("http_route") == [("/a",)]
    assert sorted(str(p) for p in (outputs / "imports").rglob("*")) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from shokubai.ingest import ImportOptions, import_requests
import shokubai.ingest.publication as publication

moment, outputs, file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if moment == "before":
    import_requests([file], ImportOptions(name="shop", service="shop"), outputs=outputs, before_publishing=kill)
else:  # after the new version has its place, at the last step before it becomes the current one
    point = publication._point
    publication._point = lambda link, target: kill() if link.name == ".current" else point(link, target)
    import_requests([file], ImportOptions(name="shop", service="shop"), outputs=outputs)
"""


@pytest.mark.parametrize("moment", ["before", "within"])
def test_a_killed_import_leaves_the_previous_state_and_the_next_one_clears_up(
    write, importing, rows, outputs, moment
):
    importing(write(line(1, "/a")))
    file = write(line(2, "/b"), name="b.log")
    killed = subprocess.run([sys.executable, "-c", KILLED, moment, str(outputs), str(file)], check=False)
    assert killed.returncode == -9
    assert rows("http_route") == [("/a",)]
    importing(file)
    assert rows("http_route") == [("/a",), ("/b",)]
    shop = outputs / "imports/shop"
    assert not (shop / ".work").exists()
    assert len(list((shop / ".versions").iterdir())) == 2  # the current one and the one before


def test_two_imports_at_once_do_not_mix(write, importing, outputs):
    def second() -> None:
        with pytest.raises(UsageError, match="another import is at work here"):
            importing(write(line(2), name="b.log"))

    import_requests(
        [write(line(1))], ImportOptions(name="shop", service="shop"), outputs=outputs, before_publishing=second
    )


def test_addresses_become_keyed_hashes_and_stand_nowhere(write, importing, rows, outputs):
    importing(
        write(
            line(1, client="192.0.2.7"),
            line(2, client="192.0.2.7"),
            line(3, client="2001:db8::17"),
            line(4, client="2001:DB8:0::17"),  # the same address in another spelling
            line(5, client="-"),
        )
    )
    keys = [key for (key,) in rows("user_key")]
    assert keys[0] == keys[1] and keys[2] == keys[3] and keys[0] != keys[2] and keys[4] is None
    assert all(len(key) == 32 for key in keys[:4])
    key_file = outputs / "imports/key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    secret = key_file.read_bytes().strip()
    for file in outputs.rglob("*"):
        if file.is_file() and file != key_file:
            assert b"192.0.2.7" not in file.read_bytes() and secret not in file.read_bytes(), file


def test_hashes_depend_on_the_key_and_stay_the_same_with_it(write, importing, rows, tmp_path):
    def key_of(name: str, secret: str) -> str:
        key_file = tmp_path / name
        key_file.write_text(secret)
        importing(write(line(1)), key_file=key_file)
        return rows("user_key")[0][0]

    assert key_of("k1", "a" * 32) == key_of("k2", "a" * 32) != key_of("k3", "b" * 32)


def test_a_key_that_is_missing_or_short_is_refused(write, importing, tmp_path, outputs):
    with pytest.raises(UsageError, match="there is no key file"):
        importing(write(line(1)), key_file=tmp_path / "none")
    (tmp_path / "short").write_text("abc\n")
    with pytest.raises(UsageError, match="has 3 bytes; at least 16"):
        importing(write(line(1)), key_file=tmp_path / "short")
    assert not outputs.exists()


def test_routes_beyond_the_limit_are_folded_and_counted(write, importing, rows):
    paths = [f"/p/{word}" for word in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")]
    summary = importing(
        write(*(line(n, path) for n, path in enumerate(["/"] * 3 + ["/p/alpha"] * 2 + paths))), max_routes=4
    )
    routes = [route for (route,) in rows("http_route")]
    assert {route: routes.count(route) for route in routes} == {"/": 3, "/p/alpha": 3, "/p/beta": 1, "{other}": 4}
    assert (summary.route_count, summary.template_count, summary.folded_count) == (4, 7, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "only empty lines"),
        (bytes(range(32)) * 100, "is binary, not a text log"),
        (b"PK\x03\x04rest", "is a zip archive; unpack it first"),
        (b"BZh91AY", "is a bzip2 file"),
        (b"<?xml version='1.0'?>\n<a/>\n", "looks like XML"),
        (b'[{"a": 1}]\n', "is one JSON array"),
        (b"just some text\nand more\n", "none of its first 2 lines is an access-log line"),
        (b"2015/05/17 10:05:03 [error] 7#7: *1 open() failed\n" * 3, "looks like an error log"),
        (
            b"[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] File does not exist\n",
            "looks like an error log",
        ),
    ],
)
def test_what_cannot_be_imported_is_refused_and_leaves_nothing(tmp_path, importing, outputs, content, message):
    file = tmp_path / "x.log"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message) as refused:
        importing(file)
    assert refused.value.exit_status == 2
    assert str(file) in str(refused.value)
    assert not outputs.exists()


def test_folders_and_missing_files_are_refused(tmp_path, importing):
    with pytest.raises(UsageError, match="is a folder"):
        importing(tmp_path)
    with pytest.raises(UsageError, match="there is no such file"):
        importing(tmp_path / "none.log")


def test_a_file_of_which_most_lines_are_rejected_is_refused_unless_allowed(write, importing, rows, outputs):
    file = write(line(1), "nonsense", "more nonsense")
    with pytest.raises(
        UsageError,
        match=r"2 of 3 lines cannot be read(.|\n)*2 × no \[time\]; line 2: nonsense(.|\n)*--allow-rejected",
    ):
        importing(file)
    assert not outputs.exists()
    assert importing(file, allow_rejected=True).rejected_count == 2
    assert len(rows("http_route")) == 1


def test_one_bad_file_among_good_ones_stops_the_import(write, importing, outputs, tmp_path):
    with pytest.raises(UsageError, match="there is no such file"):
        importing(write(line(1)), tmp_path / "none.log")
    assert not outputs.exists()


def test_outputs_that_cannot_be_written_are_named(write, importing, outputs):
    (outputs / "imports").mkdir(parents=True)
    (outputs / "imports" / "shop").write_text("a file where a folder should be")
    with pytest.raises(UsageError, match=r"imports/shop: cannot be used: File exists; nothing was imported"):
        importing(write(line(1)))
