from dataclasses import replace

from shokubai.runner.journal import Journal, Record, digest

RECORD = Record(
    notebook="report",
    team="alpha",
    status="made",
    fingerprint="f1",
    generated_at="2026-11-02T00:00:00+09:00",
    code_version="0.1.0",
    title={"en": "Report"},
    display_name={"en": "Alpha"},
    language="en",
    html="alpha/report.html",
    notebook_file="alpha/report.ipynb",
    facts="alpha/report.facts.json",
    seconds=1.5,
)


def test_the_newest_line_about_a_report_holds(tmp_path):
    journal = Journal(tmp_path)
    journal.add(RECORD)
    journal.add(replace(RECORD, team="beta"))
    journal.add(replace(RECORD, status="failed", error={"cell": 3, "message": "ValueError: <b>"}))
    again = Journal(tmp_path).records
    assert {key: (r.status, r.error) for key, r in again.items()} == {
        ("alpha", "report"): ("failed", {"cell": 3, "message": "ValueError: <b>"}),
        ("beta", "report"): ("made", None),
    }


def test_a_torn_last_line_is_ignored_and_does_not_spoil_the_next(tmp_path):
    journal = Journal(tmp_path)
    journal.add(RECORD)
    whole = journal.file.read_bytes()
    for length in (1, len(whole) // 2, len(whole) - 2):
        journal.file.write_bytes(whole + whole[:length])
        torn = Journal(tmp_path)
        assert torn.records == {RECORD.key: RECORD}
        torn.add(replace(RECORD, team="beta"))
        assert set(Journal(tmp_path).records) == {("alpha", "report"), ("beta", "report")}


def test_a_report_is_whole_when_its_files_are_what_was_published(tmp_path):
    page = tmp_path / "alpha" / "report.html"
    page.parent.mkdir()
    page.write_text("page")
    record = replace(RECORD, files={"alpha/report.html": digest(page)})
    assert record.is_whole(tmp_path)
    page.write_text("page edited by hand")
    assert not record.is_whole(tmp_path)
    page.unlink()
    assert not record.is_whole(tmp_path)
