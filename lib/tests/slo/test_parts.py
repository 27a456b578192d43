"""Where the budget went: cases worked by hand, and random ones against fractions added up request by request."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from shokubai.config.model import Indicator
from shokubai.core.errors import DataError
from shokubai.core.windows import DAY, MINUTE, Window
from shokubai.sli import fill_minutes
from shokubai.slo import (
    apportion,
    budget_parts,
    by_route,
    deployment_stretches,
    is_notable,
    judge,
    name_parts,
    slice_length,
)
from shokubai.tables.contracts import BAD_REQUESTS, DEPLOYMENTS, SLI_MINUTES

AT = datetime(2026, 11, 1, 15, tzinfo=UTC)  # the end of 2026-W44 in Tokyo
NEW_YEAR = datetime(2026, 1, 1)  # noqa: DTZ001 - wall clock
ROUTES = ("/a", "/b", "/c")


def deployed(*rows):
    """DEPLOYMENTS of ``auth`` at (instant, version)."""
    frame = pd.DataFrame(rows, columns=["deployed_at", "service_version"])
    return DEPLOYMENTS.conform(frame.assign(service_name="auth", deployment_id="", description=""))


NOTHING_DEPLOYED = DEPLOYMENTS.empty()


class Log:
    """Requests of one SLO as (minute, route, status, valid, bad), each a line of the minute counts."""

    def __init__(self, lines):
        self.lines = lines

    def minutes(self):
        frame = pd.DataFrame(
            [(minute, valid, valid - bad) for minute, _, _, valid, bad in self.lines],
            columns=["minute", "valid_count", "good_count"],
        )
        return SLI_MINUTES.conform(frame.groupby("minute", as_index=False).sum())

    def bad_requests(self, status, stretches):
        """What the query gives: BAD_REQUESTS by span and slice."""
        length = slice_length(status)
        counted = Counter()
        for minute, route, code, _, bad in self.lines:
            if not bad or minute not in status.window:
                continue
            (span,) = (n for n, stretch in enumerate(stretches) if minute in stretch.window)
            slice_at = status.window.start + (minute - status.window.start) // length * length
            counted[span, slice_at, route, code] += bad
        rows = [(*key[:2], "auth", "GET", *key[2:], bad) for key, bad in counted.items()]
        if not rows:
            return BAD_REQUESTS.empty()
        columns = list(BAD_REQUESTS.columns)
        frame = pd.DataFrame(rows, columns=columns).astype({"http_response_status_code": "Int64"})
        return BAD_REQUESTS.conform(frame)


def taken_apart(slo, log, deployments=NOTHING_DEPLOYED, *, at=AT):
    """(status, parts) of a log."""
    minutes = log.minutes()
    status = judge(slo, minutes, at=at)
    stretches = deployment_stretches(deployments, service="auth", window=status.window)
    series = fill_minutes(minutes, status.window)
    return status, budget_parts(status, log.bad_requests(status, stretches), series=series, stretches=stretches)


def minute(n):
    """Minutes before the end."""
    return AT - n * MINUTE


def rows(parts, *columns):
    return list(parts[list(columns)].itertuples(index=False, name=None))


WHAT = ("http_route", "http_response_status_code", "deployment_window", "service_version")


def test_bad_requests_are_counted_by_what_they_were(make_slo):
    log = Log(
        [
            (minute(50), "/a", 200, 100, 0),
            (minute(50), "/a", 503, 3, 3),
            (minute(30), "/a", 503, 4, 4),  # in the minute in which v2 came: before it
            (minute(29), "/a", 503, 5, 5),
            (minute(29), "/b", 500, 2, 2),
            (minute(28), "/a", 503, 1, 1),
        ]
    )
    v2 = deployed((minute(30) + timedelta(seconds=20), "v2"))
    status, parts = taken_apart(make_slo(0.9), log, v2)
    assert status.budget_spent_count == 15
    assert rows(parts, *WHAT, "bad_request_count", "spent_count") == [
        ("/a", 503, "before", "v2", 7, 7.0),
        ("/a", 503, "after", "v2", 6, 6.0),
        ("/b", 500, "after", "v2", 2, 2.0),
    ]
    # 115 requests may have 11.5 bad ones.
    assert parts["spent_ratio"].tolist() == pytest.approx([7 / 11.5, 6 / 11.5, 2 / 11.5])
    assert set(parts["kind"]) == {"error"}
    assert parts["deployed_at"].tolist() == [pd.Timestamp(v2["deployed_at"].iloc[0])] * 3


def test_a_bad_slice_is_shared_among_its_bad_requests(make_slo):
    """Slices of five minutes, 90 % of which must be good; the first has one bad request of 20 and stays good."""
    log = Log(
        [
            (minute(15), "/a", 200, 19, 0),
            (minute(14), "/a", 500, 1, 1),
            (minute(10), "/a", 200, 7, 0),  # bad: 3 of 10
            (minute(10), "/a", 500, 1, 1),
            (minute(6), "/b", 503, 2, 2),
            (minute(5), "/b", 503, 4, 4),  # bad: all
        ]
    )
    slo = make_slo(0.5, budgeting="Timeslices", slice_target=0.9, slice_window="5m")
    status, parts = taken_apart(slo, log)
    assert (status.budget_spent_count, status.valid_count) == (2, 3)
    assert rows(parts, "http_route", "bad_request_count", "deployment_window") == [
        ("/b", 6, "none"),
        ("/a", 1, "none"),
    ]
    assert parts["spent_count"].tolist() == pytest.approx([5 / 3, 1 / 3], rel=1e-15)
    assert sum(parts["spent_count"]) == 2


def test_of_ratios_of_slices_each_bad_request_has_its_share(make_slo):
    log = Log(
        [
            (minute(3), "/a", 500, 1, 1),  # 1 of 4
            (minute(3), "/b", 200, 3, 0),
            (minute(2), "/a", 500, 1, 1),  # 3 of 3
            (minute(2), "/b", 500, 2, 2),
            (minute(1), "/b", 200, 50, 0),
        ]
    )
    status, parts = taken_apart(make_slo(0.5, budgeting="RatioTimeslices", slice_window="1m"), log)
    assert (status.budget_spent_count, status.valid_count) == (1.25, 3)
    assert rows(parts, "http_route", "bad_request_count") == [("/b", 2), ("/a", 2)]
    assert parts["spent_count"].tolist() == pytest.approx([2 / 3, 1 / 4 + 1 / 3], rel=1e-15)
    assert sum(parts["spent_count"]) == 1.25


def test_a_latency_objective_spends_on_slow_requests(make_slo):
    slo = make_slo(0.9)
    slo = replace(slo, indicator=Indicator("latency", threshold_seconds=0.3))
    log = Log([(minute(5), "/a", None, 9, 4), (minute(5), "/a", 200, 9, 1)])
    _, parts = taken_apart(slo, log)
    assert rows(parts, "kind", "bad_request_count") == [("slow", 4), ("slow", 1)]
    assert parts["http_response_status_code"].isna().tolist() == [True, False]


def test_nothing_spent_has_no_parts(make_slo):
    status, parts = taken_apart(make_slo(), Log([(minute(5), "/a", 200, 100, 0)]))
    assert (status.budget_spent_count, len(parts)) == (0, 0)
    assert len(name_parts(parts)) == 0
    assert not is_notable(status)


def test_only_the_running_period_is_taken_apart(make_slo):
    """A calendar month in Tokyo that began on 1 November at 00:00, 24 hours before the end."""
    slo = make_slo(0.9, duration="1M", calendar=(NEW_YEAR, "Asia/Tokyo"))
    log = Log([(minute(24 * 60 + 1), "/a", 500, 7, 7), (minute(24 * 60), "/b", 500, 2, 2)])
    status, parts = taken_apart(slo, log)
    assert status.window.start == AT - DAY
    assert rows(parts, "http_route", "spent_count") == [("/b", 2.0)]
    october, parts = taken_apart(slo, Log(log.lines[:1]), at=AT - DAY)
    assert october.window.end == october.whole_window.end == AT - DAY
    assert rows(parts, "http_route", "spent_count") == [("/a", 7.0)]


# --- the rest ---------------------------------------------------------------------------------------------------


def test_the_rest_is_exactly_what_the_named_parts_leave(make_slo):
    log = Log([(minute(5), f"/{n}", 500, n, n) for n in range(1, 6)])
    _, parts = taken_apart(make_slo(0.5), log)
    named = name_parts(parts, limit=2)
    assert rows(named, "http_route", "kind", "part_count", "bad_request_count", "spent_count") == [
        ("/5", "error", 1, 5, 5.0),
        ("/4", "error", 1, 4, 4.0),
        ("", "rest", 3, 6, 6.0),
    ]
    assert named.dtypes.to_dict() == parts.dtypes.to_dict()
    assert named["spent_ratio"].sum() == pytest.approx(15 / 7.5)
    last = named.iloc[2]
    assert (pd.isna(last["deployed_at"]), pd.isna(last["http_response_status_code"])) == (True, True)
    assert (last["deployment_window"], last["service_version"]) == ("", "")


def test_a_rest_of_one_part_is_named(make_slo):
    log = Log([(minute(5), f"/{n}", 500, n, n) for n in range(1, 4)])
    _, parts = taken_apart(make_slo(0.5), log)
    assert name_parts(parts, limit=2)["http_route"].tolist() == ["/3", "/2", "/1"]


def test_parts_of_a_route_together(make_slo):
    log = Log([(minute(5), "/a", 500, 3, 3), (minute(5), "/a", 503, 2, 2), (minute(5), "/b", 500, 4, 4)])
    _, parts = taken_apart(make_slo(0.5), log)
    assert parts["http_route"].tolist() == ["/b", "/a", "/a"]
    columns = ("http_route", "part_count", "bad_request_count", "spent_count")
    assert rows(by_route(parts), *columns) == [("/a", 2, 5, 5.0), ("/b", 1, 4, 4.0)]
    assert rows(by_route(name_parts(parts, limit=1)), *columns) == [("/b", 1, 4, 4.0)]


@pytest.mark.parametrize(
    ("bad", "valid", "notable"),
    [(10, 1000, True), (9, 1000, False), (4, 10, False), (5, 10, True), (0, 0, False)],
)
def test_a_tenth_of_the_budget_and_five_requests_are_worth_telling(make_slo, bad, valid, notable):
    log = Log([(minute(5), "/a", 500, bad, bad), (minute(5), "/a", 200, valid - bad, 0)])
    assert is_notable(judge(make_slo(0.9), log.minutes(), at=AT)) is notable


# --- deployments ------------------------------------------------------------------------------------------------


def stretches_of(*deployments):
    window = Window(AT - DAY, AT)
    found = deployment_stretches(deployed(*deployments), service="auth", window=window)
    assert [s.window.start for s in found] == [window.start, *(s.window.end for s in found[:-1])]
    assert found[-1].window.end == window.end
    return [(s.window.duration // MINUTE, s.deployment_window, s.service_version) for s in found]


def test_a_window_is_taken_apart_at_deployments():
    early = (AT - 2 * DAY, "v1")
    assert stretches_of() == [(1440, "none", "")]
    assert stretches_of(early) == [(1440, "after", "v1")]
    assert stretches_of((minute(60), "v2")) == [(1380, "before", "v2"), (60, "after", "v2")]
    assert stretches_of((minute(60), "v3"), early, (minute(600), "v2")) == [
        (840, "after", "v1"),
        (540, "after", "v2"),
        (60, "after", "v3"),
    ]
    # At the window's start, at its end (it belongs to the time after), and two at once.
    assert stretches_of((AT - DAY, "v2")) == [(1440, "after", "v2")]
    assert stretches_of(early, (AT, "v2")) == [(1440, "after", "v1")]
    assert stretches_of((minute(60), "v2"), (minute(60), "v2b"))[1:] == [(60, "after", "v2b")]


def test_deployments_of_other_services_say_nothing():
    other = deployed((minute(60), "v2")).assign(service_name="mail")
    (stretch,) = deployment_stretches(other, service="auth", window=Window(AT - DAY, AT))
    assert stretch.deployment_window == "none"


# --- exact sums -------------------------------------------------------------------------------------------------


def exact_shares(log, status):
    """Each part's share as a fraction, added up line by line; the slow way, from the method's definition."""
    slo, start = status.slo, status.window.start
    length = slice_length(status)
    slices = {}
    for line in log.lines:
        if line[0] in status.window:
            slices.setdefault((line[0] - start) // length, []).append(line)
    shares = Counter()
    for lines in slices.values():
        valid, bad = sum(line[3] for line in lines), sum(line[4] for line in lines)
        if not valid:
            continue
        match slo.budgeting:
            case "Occurrences":
                each = Fraction(1)
            case "RatioTimeslices":
                each = Fraction(1, valid)
            case _:
                target = Fraction(repr(slo.time_slice_target))
                each = Fraction(1, bad) if Fraction(valid - bad, valid) < target else Fraction(0)
        for _, route, code, _, of_line in lines:
            shares[route, code] += of_line * each
    return {key: share for key, share in shares.items() if share}


def random_log(chance):
    """Some hours of traffic from before the window on, with quiet minutes, outages, and minutes of one request."""
    lines = []
    for n in range(1, chance.choice((60, 200, 800))):
        if chance.random() < 0.2:
            continue
        busy, failing = chance.choice((1, 3, 50, 2000)), chance.choice((0.0, 0.0, 0.02, 0.5, 1.0))
        for route in ROUTES:
            good = chance.randrange(busy + 1)
            lines.append((minute(n), route, 200, good, 0))
            for code in (500, 503, None):
                bad = sum(chance.random() < failing for _ in range(chance.randrange(4)))
                lines.append((minute(n), route, code, bad, bad))
    return Log(lines)


METHODS = [
    {"budgeting": "Occurrences"},
    {"budgeting": "Timeslices", "slice_target": 0.95, "slice_window": "1m"},
    {"budgeting": "Timeslices", "slice_target": 0.5, "slice_window": "7m"},
    {"budgeting": "RatioTimeslices", "slice_window": "1m"},
    {"budgeting": "RatioTimeslices", "slice_window": "5m"},
]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m['budgeting']} {m.get('slice_window', '')}")
def test_random_parts_sum_to_exactly_the_budget_spent(make_slo, method, seed):
    chance = random.Random(f"{seed} {method}")
    log = random_log(chance)
    duration = chance.choice(("1h", "1d", "7d"))
    calendar = (NEW_YEAR, "Asia/Tokyo") if chance.random() < 0.3 and duration == "7d" else None
    slo = make_slo(0.97, duration=duration, calendar=calendar, **method)
    deployments = deployed(*((minute(chance.randrange(2000)), f"v{n}") for n in range(chance.randrange(4))))
    status, parts = taken_apart(slo, log, deployments)
    named = name_parts(parts, limit=3)
    for frame in (parts, named):
        spent = frame["spent_count"].tolist()
        for _ in range(3):
            chance.shuffle(spent)
            assert sum(spent) == status.budget_spent_count
        assert float(np.sum(spent)) == status.budget_spent_count
        assert all(amount > 0 for amount in spent)
    exact = exact_shares(log, status)
    assert float(sum(exact.values())) == pytest.approx(status.budget_spent_count, rel=1e-12)
    if status.slo.budgeting != "RatioTimeslices":  # whole numbers
        assert sum(exact.values()) == Fraction(status.budget_spent_count)
    by_what = parts.astype({"http_response_status_code": object}).fillna({"http_response_status_code": -1})
    found = by_what.groupby(["http_route", "http_response_status_code"])["spent_count"].sum().to_dict()
    expected = {(route, -1 if code is None else code): float(share) for (route, code), share in exact.items()}
    assert found == pytest.approx(expected, rel=1e-12)
    assert parts["part_count"].sum() == named["part_count"].sum() == len(parts)
    assert parts["bad_request_count"].sum() == named["bad_request_count"].sum()


def test_the_random_cases_are_not_empty(make_slo):
    spent = [taken_apart(make_slo(0.97), random_log(random.Random(seed)))[0].budget_spent_count for seed in range(10)]
    assert min(spent) > 0


@pytest.mark.parametrize("seed", range(50))
def test_shares_of_any_number_sum_to_it(seed):
    chance = random.Random(seed)
    weights = [chance.choice((0, 1, 3, 10**6, 7**40)) for _ in range(chance.randrange(1, 60))] + [1]
    total = chance.choice((1.0, 3.0, 1e-9, 2.0825224089353145, 123456789.0, chance.random() * 10**6))
    shares = apportion(total, weights)
    chance.shuffle(shares)
    assert sum(shares) == total
    assert min(shares) >= 0
    whole = sum(weights)
    expected = [total * float(Fraction(weight, whole)) for weight in weights]
    assert sorted(shares) == pytest.approx(sorted(expected), rel=1e-9, abs=total * 2**-50)


def test_whole_numbers_by_whole_weights_stay_whole():
    assert apportion(10.0, [1, 2, 3, 4]) == [1.0, 2.0, 3.0, 4.0]
    assert apportion(1.0, [1, 1, 1])[0] == pytest.approx(1 / 3, rel=1e-15)


@pytest.mark.parametrize(
    ("total", "weights"), [(0.0, [1]), (1.0, []), (1.0, [0, 0]), (1.0, [2, -1]), (float("nan"), [1])]
)
def test_there_must_be_something_to_share(total, weights):
    with pytest.raises(ValueError, match="cannot be had"):
        apportion(total, weights)


# --- contradictions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS[:2], ids=["requests", "slices"])
def test_rows_that_came_meanwhile_are_not_hidden_in_the_rest(make_slo, method):
    log = Log([(minute(9), "/a", 500, 3, 3), (minute(9), "/a", 200, 9, 0)])
    minutes = log.minutes()
    status = judge(make_slo(0.9, **method), minutes, at=AT)
    series = fill_minutes(minutes, status.window)
    stretches = deployment_stretches(NOTHING_DEPLOYED, service="auth", window=status.window)
    late = Log([*log.lines, (minute(9), "/b", 503, 1, 1)]).bad_requests(status, stretches)
    with pytest.raises(DataError, match=r"auth-availability.*4 bad requests by route and 3 by minute.*again"):
        budget_parts(status, late, series=series, stretches=stretches)
    gone = BAD_REQUESTS.empty()
    with pytest.raises(DataError, match=r"0 bad requests by route and 3 by minute"):
        budget_parts(status, gone, series=series, stretches=stretches)
