"""``shokubai validate``: what it prints and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from shokubai.cli import main
from shokubai.findings.rules import rule_names

ORGANIZATION = "name: Aoba\ntime_zone: Asia/Tokyo\nlanguage: ja\ncalendar: {country: JP}\n"
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability}
spec:
  service: invoice-api
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {type: shokubai, spec: {requests: successful}}}
        total: {metricSource: {type: shokubai, spec: {requests: all}}}
  objectives: [{target: 0.999}]
"""


@pytest.fixture
def parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small right folder, ``parameters/``, in the current folder."""
    directory = tmp_path / "parameters"
    files = {
        "organization.yaml": ORGANIZATION,
        "teams/core.yaml": "name: Core\nowns: [{service: invoice-api}]\n",
        "slos/invoice-api.yaml": SLO,
        "warehouses/main.yaml": "engine: duckdb\ntables: {requests: {path: logs.parquet}}\n",
        "runs/weekly.yaml": "team_notebooks: [weekly_team_report]\nwarehouse: main\n",
    }
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return directory


def validate(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["validate", *arguments])
    return result.exit_code, result.stdout


def test_nothing_wrong(parameters: Path) -> None:
    assert validate() == (0, "1 team, 1 SLO, 1 warehouse: no problem\n")


def test_warnings_only(parameters: Path) -> None:
    (parameters / "teams/more.yml").write_text("name: More\n")
    assert validate() == (
        0,
        "parameters/teams/more.yml:1: warning: file: is not read; parameter files end in .yaml; "
        "did you mean 'more.yaml'?\n"
        "1 team, 1 SLO, 1 warehouse: 1 warning\n",
    )


def test_an_answer_to_a_rule_that_there_is_not(parameters: Path) -> None:
    (parameters / "replies").mkdir()
    (parameters / "replies/core.yaml").write_text('"invoice-api|GET /a|rout_slower": {owner: Sato, reply: no}\n')
    status, printed = validate()
    assert status == 0
    assert printed.startswith(
        "parameters/replies/core.yaml:1: warning: invoice-api|GET /a|rout_slower: no finding has this id, because "
        "there is no such rule; found 'rout_slower'; allowed: alert_noise, budget, "
    )
    assert printed.endswith("did you mean 'route_slower'?\n1 team, 1 SLO, 1 warehouse: 1 warning\n")


def test_errors(parameters: Path) -> None:
    (parameters / "teams/more.yml").write_text("name: More\n")
    (parameters / "organization.yaml").write_text(ORGANIZATION.replace("language: ja", "langauge: ja"))
    (parameters / "slos/invoice-api.yaml").write_text(SLO.replace("0.999", "99.9"))
    assert validate() == (
        2,
        "parameters/organization.yaml:3: error: langauge: unknown key; "
        "allowed: name, vision, mission, time_zone, language, calendar, sre, agenda_when, agenda_minutes; "
        "did you mean 'language'?\n"
        "parameters/slos/invoice-api.yaml:11: error: spec.objectives[0].target: is a ratio; "
        "write 0.999 or targetPercent: 99.9; found 99.9; allowed: above 0 and below 1\n"
        "parameters/teams/more.yml:1: warning: file: is not read; parameter files end in .yaml; "
        "did you mean 'more.yaml'?\n"
        "2 errors, 1 warning\n",
    )


def test_a_rule_on_the_agenda_that_no_finding_has(parameters: Path) -> None:
    agenda = "agenda_when:\n  always: [outage]\n  never: [trafic]\n"
    (parameters / "organization.yaml").write_text(ORGANIZATION + agenda)
    status, printed = validate()
    assert status == 2
    # Once, although the team inherits it.
    assert printed == (
        "parameters/organization.yaml:7: error: agenda_when.never[0]: there is no such finding rule; "
        f"found 'trafic'; allowed: {', '.join(rule_names())}; did you mean 'traffic'?\n1 error\n"
    )


def test_a_threshold_of_a_team_that_nothing_reads(parameters: Path) -> None:
    file = parameters / "teams/core.yaml"
    lines = file.read_text().rstrip("\n").count("\n") + 1
    with file.open("a") as team:
        team.write(
            "rules:\n  route_failing:\n    minimum_extra_error_count: {value: 5, reason: Our users are few.}\n"
            "  outages:\n    minimum_bad_count: {value: 5, reason: Our users are few.}\n"
        )
    status, printed = validate()
    assert status == 2
    assert (
        f"parameters/teams/core.yaml:{lines + 3}: error: rules.route_failing.minimum_extra_error_count: "
        "rule 'route_failing' has no threshold 'minimum_extra_error_count'; allowed: minimum_change_factor, "
        "minimum_change_ratio, minimum_extra_errors_count, minimum_requests_count; "
        "did you mean 'minimum_extra_errors_count'?\n"
    ) in printed
    assert f"parameters/teams/core.yaml:{lines + 4}: error: rules.outages: no rule is called 'outages'" in printed
    assert "did you mean 'outage'?" in printed


def test_another_folder_is_named_from_here(parameters: Path) -> None:
    other = parameters.rename(parameters.parent / "ours")
    (other / "organization.yaml").unlink()
    status, printed = validate("--parameters", str(other))
    assert status == 2
    assert printed.startswith("ours/organization.yaml:1: error: file: is missing")
    assert printed.endswith("\n1 error\n")


def test_missing_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert validate() == (
        2,
        "parameters:1: error: file: there is no such folder; name the parameters folder with --parameters DIR\n"
        "1 error\n",
    )


def test_braces_and_brackets_are_printed_as_they_are(parameters: Path) -> None:
    (parameters / "teams/core.yaml").write_text("name: Core\nowns: [{service: '[red]x'}, {service: '[red]x'}]\n")
    status, printed = validate()
    assert status == 2
    assert "owns[1]: the same is listed twice, first on line 2; found '[red]x'" in printed
