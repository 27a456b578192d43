import pandas as pd
import pytest

from shokubai.core import sketch
from shokubai.workspace.percentiles import quantile_frame
from shokubai.workspace.routes import histogram, summed, without_personal_data


def frame(*rows, columns):
    types = {"http_response_status_code": "Int64"}
    made = pd.DataFrame(
        [("shop", "GET", *row) for row in rows], columns=["service_name", "http_request_method", *columns]
    )
    return made.astype({name: type_ for name, type_ in types.items() if name in made})


COUNTS = ["http_route", "http_response_status_code", "request_count", "duration_count"]


def test_routes_that_differ_in_personal_data_alone_are_one():
    given = frame(
        ("/u/a@example.com", 200, 3, 2),
        ("/u/b@example.com", 200, 4, 4),
        ("/u/b@example.com", None, 1, 0),
        ("/u/c@example.com", None, 2, 0),
        ("/u/{id}", 200, 5, 5),
        columns=COUNTS,
    )
    named = without_personal_data(given)
    rows = [(r.http_route, r.request_count, r.duration_count) for r in named.itertuples()]
    assert sorted(rows) == [("/u/[email]", 3, 0), ("/u/[email]", 7, 6), ("/u/{id}", 5, 5)]
    assert named.dtypes.to_dict() == given.dtypes.to_dict()
    assert given["http_route"].iloc[0] == "/u/a@example.com"


def test_ordinary_routes_stay_as_they_are():
    given = frame(("/u/{id}", 200, 1, 1), ("/v1/ListOrdersByCustomerV2", 200, 1, 1), columns=COUNTS)
    assert without_personal_data(given) is given
    assert len(without_personal_data(given.iloc[:0])) == 0


def test_counts_of_several_windows_add_up_by_status():
    given = frame(("/a", 200, 3, 2), ("/a", 200, 4, 4), ("/a", None, 1, 0), ("/a", None, 1, 1), columns=COUNTS)
    assert summed(given)[["request_count", "duration_count"]].to_numpy().tolist() == [[7, 6], [2, 1]]


def test_hours_merge_into_one_histogram():
    given = frame(
        ("/a", 10, 3), ("/a", 10, 4), ("/a", 11, 1), columns=["http_route", "duration_bucket", "request_count"]
    )
    assert histogram(given)[["duration_bucket", "request_count"]].to_numpy().tolist() == [[10, 7], [11, 1]]


def test_percentiles_of_groups():
    fast, slow = sketch.key(0.1), sketch.key(2.0)
    given = frame(
        ("/a", fast, 95),
        ("/a", slow, 3),
        ("/a", slow, 2),
        ("/b", slow, 1),
        columns=["http_route", "duration_bucket", "request_count"],
    )
    of = quantile_frame(given, ["http_route"]).set_index("http_route")
    # Ranks among 100: 49.5, 89.1, 94.05 and 98.01; the 96th value is the first slow one, at rank 95.
    assert of.loc["/a"].to_list() == pytest.approx([0.1, 0.1, 0.1, 2.0], rel=sketch.RELATIVE_ERROR)
    assert of.loc["/b"].to_list() == pytest.approx([2.0] * 4, rel=sketch.RELATIVE_ERROR)
    together = quantile_frame(given, ["service_name"])
    assert together["p95_seconds"].to_list() == pytest.approx([2.0], rel=sketch.RELATIVE_ERROR)  # rank 95 of 101


def test_percentiles_of_nothing():
    given = frame(("/a", 1, 1), columns=["http_route", "duration_bucket", "request_count"]).iloc[:0]
    of = quantile_frame(given, ["http_route"])
    assert len(of) == 0
    assert of.columns.to_list() == ["http_route", "p50_seconds", "p90_seconds", "p95_seconds", "p99_seconds"]
    assert of["http_route"].dtype == given["http_route"].dtype
