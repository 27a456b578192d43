"""Readers of companions: which rows fall into a window, and that a missing table is an empty frame."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from shokubai.core.errors import DataError
from shokubai.core.windows import Window
from shokubai.tables import (
    contracts,
    read_alerts,
    read_deployments,
    read_incidents,
    read_metric_hours,
    read_sre_requests,
)

WEEK = Window(datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC))


def at(*texts):
    return pd.to_datetime([None if pd.isna(t) else f"2026-10-{t}Z" for t in texts], format="ISO8601", utc=True)


def test_deployments_of_the_window(project):
    frame = pd.DataFrame(
        {
            "deployed_at": at("25T23:59:59.999999", "19T00:00", "18T23:59:59.999999", "26T00:00", "20T00:00"),
            "service_name": ["shop", "shop", "shop", "shop", "mail"],
            "deployment_id": ["last", "first", "before", "after", "other"],
        }
    )
    project.companion("deployments", frame)
    got = read_deployments(project.open(), ["shop"], WEEK)
    assert got["deployment_id"].tolist() == ["first", "last"]
    assert (got["description"] == "").all()  # not known, and never shown as "nan"
    pd.testing.assert_series_equal(got.dtypes, contracts.DEPLOYMENTS.empty().dtypes)


def test_what_people_wrote_holds_no_personal_data(project):
    sha = "0123456789abcdef0123456789abcdef01234567"
    frame = pd.DataFrame(
        {
            "deployed_at": at("20T00:00"),
            "service_name": ["shop"],
            "service_version": [sha],
            "deployment_id": ["d1 by hanako@example.com"],
            "description": ["asked for by taro@example.com from 203.0.113.24"],
        }
    )
    project.companion("deployments", frame)
    got = read_deployments(project.open(), ["shop"], WEEK)
    assert got[["service_version", "deployment_id", "description"]].values.tolist() == [
        [sha, "d1 by [email]", "asked for by [email] from [ip]"]
    ]


def test_incidents_whose_impact_overlaps_the_window(project):
    frame = pd.DataFrame(
        [
            ("over before", "10T00:00", "19T00:00", "24T00:00"),
            ("reaches in", "10T00:00", "19T00:01", None),
            ("goes on", "10T00:00", None, None),
            ("resolved, mitigation not noted", "10T00:00", None, "20T00:00"),
            ("resolved before", "10T00:00", None, "18T00:00"),
            ("no length", "20T00:00", "20T00:00", None),
            ("starts after", "26T00:00", None, None),
            ("starts last", "25T23:59", "27T00:00", None),
        ],
        columns=["title", "started_at", "mitigated_at", "resolved_at"],
    )
    for column in ("started_at", "mitigated_at", "resolved_at"):
        frame[column] = at(*frame[column])
    frame = frame.assign(service_name="shop", incident_id=[f"i{n}" for n in range(len(frame))])
    project.companion("incidents", frame)
    got = read_incidents(project.open(), ["shop"], WEEK)
    assert got["title"].tolist() == [
        "reaches in",
        "goes on",
        "resolved, mitigation not noted",
        "no length",
        "starts last",
    ]


def test_alerts_that_fired_in_the_window(project):
    frame = pd.DataFrame(
        {
            "fired_at": at("18T23:59", "19T00:00", "26T00:00"),
            "resolved_at": at("19T12:00", None, None),
            "service_name": "shop",
            "alert_name": ["before", "in", "after"],
            "severity": "page",
        }
    )
    project.companion("alerts", frame)
    got = read_alerts(project.open(), ["shop"], WEEK)
    assert got["alert_name"].tolist() == ["in"]
    assert got["resolved_at"].isna().all()


def test_metrics_by_hour(project):
    frame = pd.DataFrame(
        [
            ("20T10:00", "shop", "cpu", "1", 0.5, 1.0),
            ("20T10:59:59.999999", "shop", "cpu", "1", 0.7, 2.0),
            ("20T11:00", "shop", "cpu", "1", 0.9, None),
            ("20T11:30", "shop", "cpu", "1", None, None),
            ("20T12:00", "shop", "cpu", "1", None, None),
            ("20T10:00", "mail", "cpu", "1", 0.1, None),
        ],
        columns=["timestamp", "service_name", "metric_name", "unit", "value", "limit_value"],
    )
    project.companion("metrics", frame.assign(timestamp=at(*frame["timestamp"])))
    got = read_metric_hours(project.open(), ["shop"], WEEK)
    assert list(got["hour"]) == [pd.Timestamp("2026-10-20T10:00Z"), pd.Timestamp("2026-10-20T11:00Z")]
    assert got["sample_count"].tolist() == [2, 1]
    assert got["mean_value"].tolist() == pytest.approx([0.6, 0.9])
    assert got["max_value"].tolist() == [0.7, 0.9]
    assert got["limit_value"].isna().tolist() == [False, True] and got["limit_value"][0] == 2.0


def test_requests_to_sre_opened_in_the_window(project):
    frame = pd.DataFrame(
        {
            "request_id": ["r1", "r2", "r3"],
            "team": "sales",
            "opened_at": at("18T23:59", "20T00:00", "26T00:00"),
            "closed_at": at(None, None, None),
        }
    )
    project.companion("sre_requests", frame)
    got = read_sre_requests(project.open(), WEEK)
    assert got["request_id"].tolist() == ["r2"]
    assert got["first_response_at"].isna().all()


@pytest.mark.parametrize(
    ("reader", "contract"),
    [
        (read_metric_hours, contracts.METRIC_HOURS),
        (read_deployments, contracts.DEPLOYMENTS),
        (read_incidents, contracts.INCIDENTS),
        (read_alerts, contracts.ALERTS),
    ],
)
def test_a_table_the_warehouse_does_not_have_is_an_empty_frame(project, reader, contract):
    got = reader(project.open(), ["shop"], WEEK)
    assert len(got) == 0
    pd.testing.assert_series_equal(got.dtypes, contract.empty().dtypes)
    assert len(read_sre_requests(project.open(), WEEK)) == 0


def test_a_table_that_is_described_but_not_there_is_an_error(project):
    project.companion("alerts", pd.DataFrame({"fired_at": at("20T00:00")})).unlink()
    with pytest.raises(
        DataError, match=r"warehouse w \(parameters/warehouses/w\.yaml:1\): table alerts: no file matches"
    ):
        read_alerts(project.open(), ["shop"], WEEK)
