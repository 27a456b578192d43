"""Results of load tests: Apache JMeter's CSV becomes a report, Gatling's binary log is refused."""

import pytest
from click.testing import CliRunner

from shokubai.cli import main

pytestmark = pytest.mark.real_data

COLUMNS = [
    "timestamp=make_timestamptz(timeStamp * 1000)",
    "duration_seconds=elapsed / 1000",
    "http_route=label",
    "http_response_status_code=TRY_CAST(responseCode AS BIGINT)",
]


@pytest.mark.notebooks
def test_jmeter_results_become_a_report(make_project, real_data):
    project = make_project()
    file = real_data / "load_tests" / "jmeter" / "jmeter_HTMLReportTestFile.csv"
    columns = [argument for column in COLUMNS for argument in ("--column", column)]
    printed = project.run("import", "table", str(file), "--service", "shop", *columns)
    assert "255 lines read: 255 parsed, 0 rejected" in printed
    report = project.report("shop", "2019-W10")
    statuses = {row["http_response_status_code"]: row["request_count"] for row in report.facts["statuses"]}
    assert statuses == {200: 252, 400: 3}
    indicators = {slo["indicator"]: slo for slo in report.facts["slos"]}
    assert set(indicators) == {"availability", "latency"}
    assert indicators["availability"]["valid_count"] == 255
    assert "The data of this week covers 2 min: Tue 5 Mar 11:00–11:02." in report.page


@pytest.mark.parametrize("command", ["access-log", "table"])
def test_a_binary_log_is_refused(make_project, real_data, command):
    project = make_project()
    file = real_data / "load_tests" / "gatling" / "known_stats_simulation.log"
    folders = ["--parameters", str(project.parameters), "--outputs", str(project.folder / "outputs")]
    result = CliRunner().invoke(main, ["import", command, str(file), "--service", "shop", *folders])
    assert result.exit_code == 2
    assert "is binary, not a text log" in result.stderr
    assert not list(project.folder.iterdir())
