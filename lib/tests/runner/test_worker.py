"""What a worker knows of the pages around its own."""

from __future__ import annotations

from pathlib import Path

from shokubai.runner.worker import pages_around


def test_a_report_leads_to_its_week_and_to_the_week_before_where_there_is_one(tmp_path: Path) -> None:
    home = tmp_path / "weekly" / "2027-W01" / "search"
    assert pages_around(home, "weekly_team_report") == {"week": "../index.html"}
    before = tmp_path / "weekly" / "2026-W53" / "search" / "weekly_team_report.html"
    before.parent.mkdir(parents=True)
    before.touch()
    links = pages_around(home, "weekly_team_report")
    assert links["previous"] == "../../2026-W53/search/weekly_team_report.html"
    home.mkdir(parents=True)
    assert (home / links["previous"]).resolve() == before.resolve()
