"""Figures read as data: what the title claims, what is drawn, what the text equivalent says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from shokubai.config.model import Indicator
from shokubai.core.windows import Window
from shokubai.display import figures
from shokubai.display.exhibit import Figure
from shokubai.display.figures.budget import steepest_day
from shokubai.display.format import Locale
from shokubai.display.frames import HOURLY_COMPLETENESS, HOURLY_LATENCY, HOURLY_TRAFFIC, Events, Periods
from shokubai.slo.model import BUDGET_HISTORY, BURN_HISTORY, SILENCES, SloStatus
from shokubai.tables.contracts import DEPLOYMENTS, INCIDENTS, METRIC_HOURS

MakeStatus = Callable[..., SloStatus]
Drawn = Callable[[Any], list[Any]]
NOON = datetime(2026, 10, 29, 3, 0, tzinfo=UTC)  # Thursday 12:00 in Tokyo


def valid(figure: Figure) -> Figure:
    """The figure itself, after plotly accepted every property, also as it is encoded, and JSON every number."""
    figure.to_plotly()
    spec = json.loads(json.dumps(figure.spec(), allow_nan=False))
    go.Figure({"data": spec["data"], "layout": spec["layout"]})
    return figure


def history(*values: float, start: datetime = NOON, hours: int = 1) -> pd.DataFrame:
    at = pd.to_datetime([start + timedelta(hours=hours * n) for n in range(len(values))])
    return BUDGET_HISTORY.conform(pd.DataFrame({"at": at, "sli_ratio": 0.999, "budget_left_ratio": values}))


def traffic(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Hours from noon on: requests, errors, the same of the comparable week and of last month."""
    frame = pd.DataFrame(
        rows,
        columns=[
            "request_count",
            "error_count",
            "comparable_request_count",
            "comparable_error_count",
            "last_month_request_count",
            "last_month_error_count",
        ],
    ).astype("Int64")
    frame["service_name"] = "api"
    frame["hour"] = pd.to_datetime([NOON + timedelta(hours=n) for n in range(len(rows))])
    return HOURLY_TRAFFIC.conform(frame)


@pytest.fixture
def periods(week: Window) -> Periods:
    return Periods(week, Window(week.start - timedelta(days=7), week.start))


@pytest.fixture
def events() -> Events:
    """One deployment and one incident of ``api``, and one deployment of another service."""
    return Events(
        DEPLOYMENTS.conform(
            pd.DataFrame(
                {
                    "deployed_at": pd.to_datetime([NOON, NOON]),
                    "service_name": ["api", "other"],
                    "service_version": ["7", "8"],
                    "deployment_id": ["a", "b"],
                    "description": ["<a href='javascript:alert(1)'>x</a>", ""],
                }
            )
        ),
        INCIDENTS.conform(
            pd.DataFrame(
                {
                    "incident_id": ["INC-1"],
                    "service_name": ["api"],
                    "title": ["503"],
                    "severity": ["SEV2"],
                    "started_at": pd.to_datetime([NOON]),
                    "detected_at": pd.to_datetime([NOON]),
                    "mitigated_at": pd.to_datetime([NOON + timedelta(hours=1)]),
                    "resolved_at": pd.to_datetime([pd.NaT]).tz_localize("UTC"),
                }
            )
        ),
    )


def test_budget_names_the_tightest_and_the_day_of_the_largest_fall(
    en: Locale, make_status: MakeStatus, events: Events, drawn: Drawn
) -> None:
    statuses = [make_status(), make_status(name="api-latency", display_name="API latency", threshold_seconds=0.5)]
    figure = valid(
        figures.budget(
            {"api-availability": history(0.9, 0.9, 0.8), "api-latency": history(0.85, 0.35, 0.37)},
            statuses=statuses,
            events=events,
            locale=en,
        )
    )
    assert figure.title == "API latency: 37% of the budget left; largest fall 48 points on Thu 29 Oct"
    lines = [t for t in figure.data if t["mode"] == "lines"]
    assert [drawn(t["y"]) for t in lines] == [[0.9, 0.9, 0.8], [0.85, 0.35, 0.37]]
    assert drawn(lines[0]["x"]) == ["2026-10-29 12:00:00", "2026-10-29 13:00:00", "2026-10-29 14:00:00"]
    assert len({t["line"]["dash"] for t in lines}) == 2
    assert "37%" in figure.equivalent.html() and "API latency" in figure.equivalent.html()


def test_budget_overspent_is_said_and_the_axis_reaches_below_zero(en: Locale, make_status: MakeStatus) -> None:
    figure = valid(
        figures.budget(
            {"api-availability": history(0.02, -0.005)}, statuses=[make_status()], events=Events.none(), locale=en
        )
    )
    assert figure.title == "API availability: budget overspent by 0.5%"
    assert figure.layout["yaxis"]["range"][0] < 0
    assert any(shape["y0"] == 0 for shape in figure.layout["shapes"] if shape["type"] == "line")


def test_budget_far_below_zero_is_cut_and_the_cut_is_said(en: Locale, make_status: MakeStatus) -> None:
    figure = valid(
        figures.budget(
            {"api-availability": history(0.5, -9.0)}, statuses=[make_status()], events=Events.none(), locale=en
        )
    )
    assert "lowest point is −900%" in figure.note


def test_budget_without_any_value_is_a_sentence(en: Locale, make_status: MakeStatus) -> None:
    figure = valid(
        figures.budget(
            {"api-availability": history(float("nan"), float("nan"))},
            statuses=[make_status(valid=0, bad=0)],
            events=Events.none(),
            locale=en,
        )
    )
    assert figure.title == "No budget to show, because no valid request was seen"
    assert "–" in figure.equivalent.html()


def test_the_steepest_day_is_a_local_day_and_midnight_belongs_to_the_day_before(en: Locale) -> None:
    # 23:00 → 24:00 on Thursday in Tokyo falls by 0.3, 0:00 → 1:00 on Friday by 0.2.
    found = steepest_day(history(0.9, 0.6, 0.4, start=datetime(2026, 10, 29, 14, tzinfo=UTC)), en)
    assert found is not None
    assert (en.day(found.day), round(found.ratio, 9)) == ("Thu 29 Oct", 0.3)
    assert steepest_day(history(0.4, 0.5), en) is None


def test_burn_says_which_threshold_was_crossed(
    en: Locale, ja: Locale, make_status: MakeStatus, week: Window, drawn: Drawn
) -> None:
    shown = BURN_HISTORY.conform(
        pd.DataFrame(
            {
                "at": pd.to_datetime([NOON, NOON + timedelta(hours=1), NOON]),
                "lookback_seconds": [3600, 3600, 86_400],
                "burn_rate": [0.0, 20.0, float("nan")],
            }
        )
    )
    options: dict[str, Any] = {"window": week, "events": Events.none()}
    figure = valid(figures.burn(shown, status=make_status(peak_rates=(20.0, 3.0)), locale=en, **options))
    assert (
        figure.title == "API availability: crossed the page threshold ×13.4 over 1 hour, first at Thu 29 Oct 14:05; "
        "highest ×20 at Thu 29 Oct 14:05"
    )
    assert drawn(figure.data[0]["y"]) == [0.1, 20.0]  # zero has no place on a logarithmic axis
    assert drawn(figure.data[0]["customdata"]) == [0.0, 20.0]
    assert "×%{customdata:" in figure.data[0]["hovertemplate"]
    assert drawn(figure.data[1]["y"]) == [None]
    assert sorted(s["y0"] for s in figure.layout["shapes"] if "xref" in s) == [2.8, 13.44]
    ticket = figures.burn(shown, status=make_status(peak_rates=(2.0, 3.0)), locale=ja, **options)
    assert "チケットのしきい値×2.8" in ticket.title
    both = make_status(peak_rates=(20.8, 28.0))  # the ticket went further beyond its threshold
    assert "crossed the page threshold" in figures.burn(shown, status=both, locale=en, **options).title
    hardly = make_status(peak_rates=(20.8, 1.4), is_crossed=False)
    assert figures.burn(shown, status=hardly, locale=en, **options).title == (
        "API availability: burned up to ×20.8 over 1 hour on Thu 29 Oct 14:05 (3 bad), "
        "too little to cross a threshold"
    )
    below = figures.burn(shown, status=make_status(peak_rates=(2.0, 1.4)), locale=en, **options)
    assert below.title == "API availability: burned below every threshold; nearest over 1 day, ×1.4 of ×2.8"
    silent = figures.burn(shown, status=make_status(valid=0, bad=0, peak_rates=(None, None)), locale=en, **options)
    assert silent.title == "API availability: no burn rate, because no valid request was seen"


def test_burn_keeps_every_peak_when_there_are_more_points_than_pixels(
    en: Locale, make_status: MakeStatus, week: Window
) -> None:
    at = pd.date_range(week.start, week.end, freq="min", unit="us")
    rates = pd.Series(0.5, index=range(len(at)))
    rates[5_003] = 77.0
    frame = BURN_HISTORY.conform(pd.DataFrame({"at": at, "lookback_seconds": 3600, "burn_rate": rates}))
    figure = figures.burn(frame, status=make_status(), window=week, events=Events.none(), locale=en)
    assert len(figure.data[0]["y"]) <= 1_000
    assert max(figure.data[0]["y"]) == 77.0


def test_traffic_compares_only_hours_that_both_periods_have(
    en: Locale, periods: Periods, events: Events, drawn: Drawn
) -> None:
    frame = traffic([(100, 0, 80, 0, 200, 0), (pd.NA, pd.NA, 80, 0, 10, 0), (20, 0, 20, 0, pd.NA, pd.NA)])
    figure = valid(figures.traffic(frame, service="api", periods=periods, events=events, locale=en))
    # 120 against 80 + 20 in the hours that both have; 100 against 200.
    assert figure.title == (
        "api: 120 requests, +20% on the comparable week, −50% on the same business days of last month"
    )
    assert drawn(figure.data[0]["y"]) == [100.0, None, 20.0]
    assert figure.data[0]["connectgaps"] is False


def test_traffic_tells_nobody_came_from_not_known(en: Locale, periods: Periods) -> None:
    options: dict[str, Any] = {"service": "api", "periods": periods, "events": Events.none(), "locale": en}
    nobody = valid(figures.traffic(traffic([(0, 0, 5, 0, 5, 0)]), **options))
    unknown = valid(figures.traffic(traffic([(pd.NA, pd.NA, 5, 0, 5, 0)]), **options))
    assert nobody.title == "api: nobody came this week"
    assert unknown.title == "api: traffic is not known this week"
    alone = valid(figures.traffic(traffic([(7, 0, pd.NA, pd.NA, pd.NA, pd.NA)]), **options))
    assert alone.title == "api: 7 requests"


def test_deployments_and_incidents_of_the_service_are_drawn_and_escaped(
    en: Locale, periods: Periods, events: Events
) -> None:
    figure = valid(
        figures.traffic(traffic([(5, 0, 5, 0, 5, 0)]), service="api", periods=periods, events=events, locale=en)
    )
    shapes = figure.layout["shapes"]
    assert [(s["type"], s["x0"], s["x1"]) for s in shapes] == [
        ("rect", "2026-10-29 12:00:00", "2026-10-29 13:00:00"),
        ("line", "2026-10-29 12:00:00", "2026-10-29 12:00:00"),
    ]
    hovers = [text for t in figure.data if t["mode"] == "markers" for text in t["text"]]
    assert hovers == [
        "Incident INC-1, Thu 29 Oct 12:00–13:00: 503",
        "Deployed api 7, Thu 29 Oct 12:00: &lt;a href='javascript:alert(1)'&gt;x&lt;/a&gt;",
    ]
    assert figure.note == "Dotted lines and triangles are deployments. Shaded spans and diamonds are incidents."


def test_errors_are_gaps_without_traffic_and_pale_dots_with_little(
    en: Locale, periods: Periods, make_status: MakeStatus, drawn: Drawn
) -> None:
    frame = traffic(
        [(1000, 10, 1000, 1, 0, 0), (0, 0, 0, 0, 0, 0), (10, 5, 10, 0, 0, 0), (pd.NA, pd.NA, 50, 0, 0, 0)]
    )
    figure = valid(
        figures.errors(
            frame, service="api", periods=periods, statuses=[make_status()], events=Events.none(), locale=en
        )
    )
    named = {t["name"]: drawn(t["y"]) for t in figure.data}
    assert named["This week"] == [0.01, None, None, None]
    assert named["hours with fewer than 30 requests"] == [None, None, 0.5, None]
    assert (
        figure.title
        == "api: 15 of 1,010 requests failed (1.5%); 10 of 1,000 in the hour of Thu 29 Oct 12:00, the most in an hour"
    )
    objective = [s for s in figure.layout["shapes"] if s.get("xref") == "paper"]
    assert [round(s["y0"], 9) for s in objective] == [0.001]
    assert figure.layout["annotations"][0]["text"] == "objective: at most 0.1%"


def test_an_hour_with_hardly_a_failure_is_not_named(en: Locale, periods: Periods) -> None:
    frame = traffic([(1000, 4, 0, 0, 0, 0), (20, 4, 0, 0, 0, 0)])
    figure = figures.errors(frame, service="api", periods=periods, statuses=[], events=Events.none(), locale=en)
    assert figure.title == "api: 8 of 1,020 requests failed (0.78%)"


@pytest.mark.parametrize(
    "change",
    [
        {"indicator": Indicator("availability", routes=("GET /orders",))},
        {"indicator": Indicator("availability", error_statuses=((400, 599),))},
        {"budgeting": "Timeslices"},
        {"service": "other"},
    ],
)
def test_objectives_about_other_requests_are_not_drawn(
    en: Locale, periods: Periods, make_status: MakeStatus, change: dict[str, Any], drawn: Drawn
) -> None:
    status = make_status()
    options: dict[str, Any] = {
        "service": "api",
        "periods": periods,
        "statuses": [replace(status, slo=replace(status.slo, **change))],
        "events": Events.none(),
        "locale": en,
    }
    figure = figures.errors(traffic([(1000, 10, 0, 0, 0, 0)]), **options)
    assert (figure.layout["shapes"], figure.layout["annotations"]) == ([], [])


def test_the_threshold_of_some_routes_is_not_drawn_over_all(
    en: Locale, periods: Periods, make_status: MakeStatus
) -> None:
    status = make_status(threshold_seconds=0.5)
    some = replace(status.slo, indicator=Indicator("latency", routes=("GET /orders",), threshold_seconds=0.5))
    figure = figures.latency(
        latency_frame([100], [0.2], [0.2]),
        service="api",
        periods=periods,
        statuses=[replace(status, slo=some)],
        events=Events.none(),
        locale=en,
    )
    assert figure.layout["shapes"] == []


def test_no_errors_is_said_with_its_count(en: Locale, ja: Locale, periods: Periods) -> None:
    options: dict[str, Any] = {"service": "api", "periods": periods, "statuses": [], "events": Events.none()}
    figure = valid(figures.errors(traffic([(1234, 0, 5, 0, 5, 0)]), locale=en, **options))
    assert figure.title == "api: none of 1,234 requests failed"
    silent = valid(figures.errors(traffic([(0, 0, 0, 0, 0, 0)]), locale=ja, **options))
    assert silent.title == "api: リクエストがなく、エラー率はありません"


def latency_frame(count: list[int], p95: list[float], before: list[float]) -> pd.DataFrame:
    hours = pd.to_datetime([NOON + timedelta(hours=n) for n in range(len(count))])
    return HOURLY_LATENCY.conform(
        pd.DataFrame(
            {
                "service_name": "api",
                "hour": hours,
                "duration_count": count,
                "p50_seconds": [v / 4 for v in p95],
                "p95_seconds": p95,
                "p99_seconds": [v * 2 for v in p95],
                "comparable_p95_seconds": before,
                "last_month_p95_seconds": before,
            }
        )
    )


def test_latency_speaks_of_a_typical_hour_and_draws_the_objective(
    en: Locale, periods: Periods, make_status: MakeStatus, drawn: Drawn
) -> None:
    frame = latency_frame([100, 100, 100, 2], [0.2, 0.3, 0.9, 40.0], [0.2, 0.2, 0.2, 0.2])
    figure = valid(
        figures.latency(
            frame,
            service="api",
            periods=periods,
            statuses=[make_status(threshold_seconds=0.5)],
            events=Events.none(),
            locale=en,
        )
    )
    # The hour with two requests counts neither as typical nor as highest.
    assert figure.title == (
        "api, all routes together: median of the hourly p95 300 ms, 200 ms in the comparable week; "
        "highest 900 ms in the hour of Thu 29 Oct 14:00"
    )
    named = {t["name"]: drawn(t["y"]) for t in figure.data}
    assert named["p95"] == [0.2, 0.3, 0.9, None]
    assert figure.layout["yaxis"]["type"] == "log"
    assert [s["y0"] for s in figure.layout["shapes"] if s.get("xref") == "paper"] == [0.5]


@pytest.mark.parametrize(
    ("count", "title"),
    [(0, "api: no latency in the data"), (3, "api: too few requests per hour to draw percentiles")],
)
def test_latency_that_cannot_be_drawn_is_said(en: Locale, periods: Periods, count: int, title: str) -> None:
    nothing = float("nan")
    frame = latency_frame([count], [0.2 if count else nothing], [nothing])
    figure = valid(
        figures.latency(frame, service="api", periods=periods, statuses=[], events=Events.none(), locale=en)
    )
    assert figure.title == title


def test_saturation_is_one_small_chart_per_metric_against_its_limit(en: Locale, week: Window, drawn: Drawn) -> None:
    frame = METRIC_HOURS.conform(
        pd.DataFrame(
            {
                "hour": pd.to_datetime([NOON, NOON + timedelta(hours=2), NOON]),
                "service_name": "api",
                "metric_name": ["process.memory.usage", "process.memory.usage", "custom.depth"],
                "unit": ["By", "By", "{item}"],
                "sample_count": 60,
                "mean_value": [1.0e9, 1.2e9, 4.0],
                "max_value": [1.1e9, 1.86 * 1024**3, 9.0],
                "limit_value": [2.0 * 1024**3, 2.0 * 1024**3, float("nan")],
            }
        )
    )
    depth, memory = (valid(f) for f in figures.saturation(frame, window=week, events=Events.none(), locale=en))
    assert memory.title == "Memory: highest 1.86 GiB, 93% of the limit, Thu 29 Oct 14:00"
    assert depth.title == "custom.depth: highest 9, Thu 29 Oct 12:00"
    assert memory.size == "third"
    limits = [s["y0"] for s in memory.layout["shapes"] if s.get("xref") == "paper"]
    assert limits == [2.0 * 1024**3]
    mean = drawn(memory.data[1]["y"])
    assert (len(mean), mean[84:87]) == (168, [1.0e9, None, 1.2e9])  # the hour without samples is a gap
    nearest = figures.saturation(frame, window=week, events=Events.none(), locale=en, most=1)
    assert [figure.title for figure in nearest] == [memory.title]


def test_completeness_joins_hours_into_stretches_and_counts_what_is_missing(en: Locale, week: Window) -> None:
    states = ["data", "data", "telemetry_gap", "data", "late"]
    frame = HOURLY_COMPLETENESS.conform(
        pd.DataFrame(
            {
                "service_name": "api",
                "hour": pd.to_datetime([NOON + timedelta(hours=n) for n in range(5)]),
                "request_count": [5, 5, 0, 5, 0],
                "state": states,
            }
        )
    )
    silences = SILENCES.conform(
        pd.DataFrame(
            {
                "service_name": "api",
                "started_at": pd.to_datetime([NOON + timedelta(hours=1, minutes=45), week.end - timedelta(hours=1)]),
                "ended_at": pd.to_datetime([NOON + timedelta(hours=3), week.end + timedelta(hours=1)]),
                "expected_count": 5.0,
                "kind": ["telemetry_gap", "late"],
            }
        )
    )
    figure = valid(figures.completeness(frame, silences=silences, window=week, locale=en))
    # The hours say how much is coloured; the title says what is missing, to the minute and inside the week.
    assert figure.title == "Data is missing: api 2 h 15 min"
    seen = figure.data[0]
    assert (seen["base"], seen["x"]) == (["2026-10-29 12:00:00", "2026-10-29 15:00:00"], [7_200_000, 3_600_000])
    nobody = silences.assign(kind="zero_traffic")
    complete = figures.completeness(frame[frame["state"] == "data"], silences=nobody, window=week, locale=en)
    assert complete.title == "Every hour is accounted for"


def test_objectives_puts_every_slo_on_the_scale_of_its_own_budget(en: Locale, make_status: MakeStatus) -> None:
    statuses = [
        make_status(),
        make_status(name="b", display_name="B", valid=0, bad=0, verdict="not_enough_data", reason="no_traffic"),
    ]
    figure = valid(figures.objectives(statuses, locale=en))
    assert figure.title == "1 of 2 objectives are met"
    dots = [t for t in figure.data if t["mode"] == "markers+text"]
    assert [round(t["x"][0], 9) for t in dots] == [0.6]  # 600 bad of 1,000 allowed
    assert [a["text"] for a in figure.layout["annotations"]] == ["API availability: Met", "B: Not enough data"]


def test_a_figure_shows_itself_with_its_words(en: Locale, periods: Periods) -> None:
    frame = traffic([(5, 0, 5, 0, 5, 0)]).assign(service_name="a<b")
    figure = figures.traffic(frame, service="a<b", periods=periods, events=Events.none(), locale=en)
    data, metadata = figure._repr_mimebundle_()
    assert set(data) == {"application/vnd.plotly.v1+json", "text/plain"}
    drawn = data["application/vnd.plotly.v1+json"]["layout"]["title"]["text"]
    assert drawn.startswith("a&lt;b: 5 requests, ±0%")
    assert metadata["shokubai"]["title"].startswith("a<b: 5 requests")
    assert "<table>" in metadata["shokubai"]["equivalent"]
    assert "Thu 29 Oct" in data["text/plain"]
