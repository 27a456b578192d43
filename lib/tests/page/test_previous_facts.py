"""What a report takes from an earlier one, and what it does when that one cannot be read or is none."""

import json

import pandas as pd
import pytest

from shokubai.page import weekly_team_report
from shokubai.page.facts import SCHEMA

NONE = [
    pytest.param("", id="empty"),
    pytest.param('{"schema": "shokubai/weekly_team_report/v1", "slos": [', id="cut off"),
    pytest.param("\udcff", id="not text"),
    pytest.param("[]", id="no mapping"),
    pytest.param('{"slos": [{"name": "a"}]}', id="without a schema"),
    pytest.param('{"schema": "shokubai/weekly_team_report/v0", "slos": "none"}', id="another version"),
    pytest.param('{"schema": "shokubai/weekly_team_report/v1", "slos": []}', id="without a week"),
    pytest.param('{"schema": "shokubai/weekly_team_report/v1", "week": "2026-W44"}', id="of the same week"),
    pytest.param('{"schema": "shokubai/weekly_team_report/v1", "week": "2026-W45"}', id="of a later week"),
    pytest.param(None, id="no file"),
]


@pytest.fixture
def previous(make_workspace, tmp_path):
    requests = pd.DataFrame({"timestamp": pd.date_range("2026-10-28", periods=60, freq="min", tz="UTC")}).assign(
        service_name="shop",
        http_request_method="GET",
        http_route="/items",
        http_response_status_code=200,
        duration_seconds=0.1,
    )
    opened = make_workspace(
        {"teams/sales.yaml": "name: {en: Sales, ja: 販売}\nlanguage: en\nowns: [{service: shop}]\n"},
        requests=requests,
    )
    file = tmp_path / "before.facts.json"

    def read(text):
        if text is not None:
            file.write_bytes(text.encode("utf-8", "surrogateescape"))
        page = weekly_team_report(
            team="sales",
            week="2026-W44",
            parameters_dir=str(opened.parameters.directory),
            outputs_dir=str(opened.outputs),
            previous_facts=str(file),
        )
        assert page.record().facts["status"] == "made"
        return page.week.previous_facts

    return read


@pytest.mark.parametrize("text", NONE)
def test_what_holds_no_facts_of_an_earlier_week_counts_as_none(previous, text):
    assert previous(text) is None


@pytest.mark.parametrize("week", ["2026-W43", "2026-W40", "2025-W52"])
def test_facts_of_an_earlier_week_are_read(previous, week):
    facts = {"schema": SCHEMA, "week": week, "slos": [], "findings": []}
    assert previous(json.dumps(facts)) == facts
