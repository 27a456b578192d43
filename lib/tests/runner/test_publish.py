import pytest

from shokubai.runner.publish import publish, recover, staging_folder


@pytest.fixture
def put(tmp_path):
    """Publish a report whose files all hold the same text."""

    def publish_text(text, *, report="report", suffixes=(".html", ".ipynb", ".facts.json")):
        staging = staging_folder(tmp_path) / text
        staging.mkdir()
        files = {}
        for suffix in suffixes:
            files[suffix] = staging / f"x{suffix}"
            files[suffix].write_text(text)
        publish(files, folder=tmp_path / "alpha", report=report, staging=staging)

    return publish_text


def content(folder):
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_a_report_replaces_the_old_one_and_leaves_others(tmp_path, put):
    put("old")
    put("other", report="other", suffixes=(".html",))
    put("new")
    assert content(tmp_path / "alpha") == {
        "report.html": "new",
        "report.ipynb": "new",
        "report.facts.json": "new",
        "other.html": "other",
    }


def test_files_of_the_old_report_without_a_successor_go(tmp_path, put):
    put("kept", suffixes=(".html", ".last_good.html", ".last_good.facts.json"))
    put("new", suffixes=(".html", ".facts.json"))
    assert content(tmp_path / "alpha") == {"report.html": "new", "report.facts.json": "new"}


def test_recovery_puts_a_folder_back_that_was_moved_aside(tmp_path, put):
    put("old")
    (tmp_path / "alpha").rename(tmp_path / ".aside-alpha")  # where a run without atomic exchange was killed
    recover(tmp_path)
    assert content(tmp_path / "alpha")["report.html"] == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["alpha"]


def test_recovery_finishes_a_swap_that_only_left_the_old_folder_behind(tmp_path, put):
    put("old")
    (tmp_path / "alpha").rename(tmp_path / ".aside-alpha")
    put("new")
    recover(tmp_path)
    assert content(tmp_path / "alpha")["report.html"] == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["alpha"]
