"""The overview when something is not there: a team without a report, without data, without a warehouse to read."""

import json

import pandas as pd
import pytest

from shokubai.page import sre_overview

WEEK = "2026-W44"


def team(name, service, extra=""):
    return f"name: {{en: {name}, ja: {name}}}\nlanguage: en\n{extra}owns: [{{service: {service}}}]\n"


def slo(service):
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {service}-availability}}
spec:
  service: {service}
  indicator:
    metadata: {{name: {service}-availability}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: shokubai, spec: {{requests: successful}}}}}}
        total: {{metricSource: {{type: shokubai, spec: {{requests: all}}}}}}
  timeWindow: [{{duration: 7d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.9}}]
"""


RUN = "team_notebooks: [weekly_team_report]\norganization_notebooks: [sre_overview]\nwarehouse: {}\n"
TEXTS = {
    "teams/good.yaml": team("Good", "shop"),
    "teams/other.yaml": team("Other", "shop"),
    "teams/lost.yaml": team("Lost", "mail", "warehouse: gone\n"),
    "teams/idle.yaml": team("Idle", "idle"),
    "slos/shop.yaml": slo("shop"),
    "warehouses/gone.yaml": 'engine: duckdb\ntables: {requests: {path: "{outputs}/gone/*.parquet"}}\n',
    "runs/weekly.yaml": RUN.format("main"),
    "runs/another.yaml": RUN.format("gone"),
}


@pytest.fixture
def opened(make_workspace):
    # Every minute from two weeks before the week's end to its end.
    requests = pd.DataFrame(
        {"timestamp": pd.date_range("2026-10-18T15:00Z", "2026-11-01T15:00Z", freq="min", inclusive="left")}
    ).assign(
        service_name="shop",
        http_request_method="GET",
        http_route="/items",
        http_response_status_code=200,
        duration_seconds=0.1,
    )
    return make_workspace(TEXTS, requests=requests)


@pytest.fixture
def overview(opened):
    def read(run="weekly"):
        return sre_overview(
            week=WEEK, parameters_dir=str(opened.parameters.directory), outputs_dir=str(opened.outputs), run=run
        )

    return read


@pytest.fixture
def journal(opened):
    def write(*records):
        folder = opened.outputs / "weekly" / WEEK
        folder.mkdir(parents=True, exist_ok=True)
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        (folder / "journal.jsonl").write_text("\n".join(lines))

    return write


def record(team, status, message=None, notebook="weekly_team_report"):
    error = {"cell": 3, "message": message} if message else None
    return {"notebook": notebook, "team": team, "status": status, "error": error}


def rows(page):
    (table,) = [exhibit for exhibit in page.teams().exhibits if hasattr(exhibit, "rows")]
    return {row[0].text: [cell.text for cell in row[1:5]] for row in table.rows}


def words(section):
    return "".join(exhibit._repr_mimebundle_()[0]["text/plain"] for exhibit in section.exhibits)


def test_a_team_whose_data_cannot_be_read_is_one_row_with_the_reason(overview, opened):
    page = overview()
    shown = rows(page)
    assert shown["Good"][:3] == ["1", "0", "0"]
    *counts, sentence = shown["Lost"]
    assert not any(character.isdigit() for character in "".join(counts))
    assert sentence.startswith("The data cannot be read: warehouse gone")
    assert "outputs/gone/*.parquet" in sentence
    assert str(opened.parameters.directory.parent) not in sentence
    stated = {team["team"]: (team["status"], team["met_count"]) for team in page.record().facts["teams"]}
    assert stated == {"good": ("made", 1), "other": ("made", 1), "lost": ("failed", None), "idle": ("no_data", None)}
    assert "Not known: Lost" in words(page.attention())
    assert "No team needs attention" not in words(page.attention())


def test_a_report_that_failed_is_called_failed_and_not_computed_here(overview, journal):
    journal(
        record("good", "made"),
        record("good", "failed", "first"),
        record("good", "failed", "KeyError: 'x'\nand more"),
        record("other", "failed", "long ago"),
        record("other", "made"),
        record("idle", "failed", "of another notebook", notebook="mine"),
        '{"notebook": "weekly_team_report", "team": "oth',
    )
    page = overview()
    shown = rows(page)
    assert shown["Good"][3] == "The report could not be made: KeyError: 'x'"
    assert not any(character.isdigit() for character in "".join(shown["Good"][:3]))
    assert shown["Other"][:3] == ["1", "0", "0"]
    assert shown["Idle"][3] == "No requests were seen in 28 days."
    assert "Not known: Good, Lost" in words(page.attention())
    assert {t["team"]: t["status"] for t in page.record().facts["teams"]}["good"] == "failed"


def test_the_header_says_whose_data_is_missing(overview, journal):
    journal(record("good", "failed", "KeyError"))
    shown = words(overview().header())
    assert "data missing for 1 of 4 teams" in shown
    assert "no report of 2 of 4 teams" in shown


def test_a_whole_week_claims_no_gap(overview, opened):
    for name in ("lost", "idle"):
        (opened.parameters.directory / "teams" / f"{name}.yaml").unlink()
    shown = words(overview().header())
    assert "missing" not in shown
    assert "no report" not in shown
    assert "No team needs attention" in words(overview().attention())


def test_the_overview_reads_the_warehouse_of_its_run(overview):
    assert overview().opened.tables.name == "main"
    page = overview("another")
    assert page.opened.tables.name == "gone"
    assert {row[3].split(":")[0] for row in rows(page).values()} == {"The data cannot be read"}
