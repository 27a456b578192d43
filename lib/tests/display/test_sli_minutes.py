"""Five-minute steps of an objective, and the axis of a short window."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go
import pytest

from shokubai.core.windows import Window
from shokubai.display import axes, figures
from shokubai.display.exhibit import Figure
from shokubai.display.format import Locale
from shokubai.display.frames import SLI_STEPS, Events
from shokubai.slo.model import EPISODES, SloStatus

MakeStatus = Callable[..., SloStatus]
NOON = datetime(2026, 10, 29, 3, 0, tzinfo=UTC)  # Thursday 12:00 in Tokyo
HOUR = Window(NOON, NOON + timedelta(hours=1))


def steps(*counts: tuple[int, int]) -> pd.DataFrame:
    """Five minutes each from noon on: valid and bad."""
    frame = pd.DataFrame(counts, columns=["valid_count", "bad_count"])
    frame["started_at"] = pd.to_datetime([NOON + timedelta(minutes=5 * n) for n in range(len(counts))])
    frame["bad_ratio"] = frame["bad_count"] / frame["valid_count"].where(frame["valid_count"] > 0)
    return SLI_STEPS.conform(frame)


def episode(start: int, end: int) -> pd.DataFrame:
    """One episode between two minutes after noon."""
    return EPISODES.conform(
        pd.DataFrame(
            {
                "started_at": pd.to_datetime([NOON + timedelta(minutes=start)]),
                "ended_at": pd.to_datetime([NOON + timedelta(minutes=end)]),
                "valid_count": 1,
                "bad_count": 1,
                "budget_spent_ratio": 0.1,
            }
        )
    )


@pytest.fixture
def draw(en: Locale, make_status: MakeStatus) -> Callable[..., Figure]:
    def make(frame: pd.DataFrame, *, episodes: pd.DataFrame | None = None, locale: Locale = en) -> Figure:
        figure = figures.sli_minutes(
            frame,
            status=make_status(),
            episodes=EPISODES.empty() if episodes is None else episodes,
            window=HOUR,
            events=Events.none(),
            locale=locale,
        )
        figure.to_plotly()
        spec = json.loads(json.dumps(figure.spec(), allow_nan=False))
        go.Figure({"data": spec["data"], "layout": spec["layout"]})
        return figure

    return make


def test_the_title_names_the_five_minutes_with_most_bad_requests(draw: Callable[..., Figure], ja: Locale) -> None:
    # Two of two is a higher share than 60 of 100, and less to speak of.
    frame = steps((100, 0), (100, 60), (0, 0), (2, 2))
    figure = draw(frame)
    assert figure.title == (
        "API availability: bad requests peaked in the five minutes from Thu 29 Oct 12:05, 60 of 100 (60%)"
    )
    assert "12:05からの5分間で、100件中60件(60%)" in draw(frame, locale=ja).title
    assert draw(steps((100, 0))).title == "API availability: nothing was bad in these hours"
    assert draw(steps((0, 0))).title == "API availability: no valid request in these hours"


def test_steps_without_requests_are_gaps_and_those_with_few_are_pale(
    draw: Callable[..., Figure], drawn: Callable[[Any], list[Any]]
) -> None:
    figure = draw(steps((100, 0), (100, 60), (0, 0), (2, 2)))
    many, few = figure.data
    assert (drawn(many["x"]), drawn(many["y"])) == (["2026-10-29 12:00:00", "2026-10-29 12:05:00"], [0.0, 0.6])
    assert (drawn(few["x"]), drawn(few["y"])) == (["2026-10-29 12:15:00"], [1.0])
    assert "fewer than 10" in few["name"]
    assert many["width"] == 300_000
    assert drawn(many["customdata"]) == [[0.0, 100.0], [60.0, 100.0]]
    assert "(%{customdata[0]:,d} of %{customdata[1]:,d})" in many["hovertemplate"]


def test_the_objective_is_a_line_and_an_episode_a_strip(draw: Callable[..., Figure]) -> None:
    shapes: list[dict[str, Any]] = list(draw(steps((100, 60)), episodes=episode(-10, 7)).layout["shapes"])
    (strip,) = (s for s in shapes if s["type"] == "rect")
    assert (strip["x0"], strip["x1"]) == ("2026-10-29 12:00:00", "2026-10-29 12:07:00")
    (line,) = (s for s in shapes if s["type"] == "line")
    assert line["y0"] == pytest.approx(0.001)
    outside = draw(steps((100, 60)), episodes=episode(-20, -10))
    assert [s["type"] for s in outside.layout["shapes"]] == ["line"]
    assert "Strips" not in outside.note


def test_the_words_below_count_by_hour(draw: Callable[..., Figure]) -> None:
    table = draw(steps((100, 0), (100, 60), (0, 0), (2, 2))).equivalent
    assert [[cell.text for cell in row] for row in table.rows] == [["Thu 29 Oct 12:00", "62 / 202", "31%", "60%"]]
    assert table.rows[0][3].detail == "12:05"


@pytest.mark.parametrize(
    ("hours", "labels"),
    [
        (2, ["12:00<br>Thu 29", "13:00", "14:00"]),
        (5, ["12:00<br>Thu 29", "13:00", "14:00", "15:00", "16:00", "17:00"]),
        (14, ["12:00<br>Thu 29", "14:00", "16:00", "18:00", "20:00", "22:00", "00:00<br>Fri 30", "02:00"]),
        (48, ["12:00<br>Thu 29", "18:00", "00:00<br>Fri 30", "06:00", "12:00", "18:00", "00:00<br>Sat 31", "06:00"]),
    ],
)
def test_a_short_axis_has_hours_and_says_the_day(en: Locale, hours: int, labels: list[str]) -> None:
    axis = axes.time_axis(Window(NOON, NOON + timedelta(hours=hours)), en)
    assert axis["ticktext"][: len(labels)] == labels
    assert len(axis["ticktext"]) <= 9


def test_hours_of_an_axis_are_those_of_the_local_clock() -> None:
    # Whole hours of UTC are half hours in Kolkata: ticks stand at whole hours there.
    kolkata = Locale("en", ZoneInfo("Asia/Kolkata"))
    axis = axes.time_axis(Window(NOON, NOON + timedelta(hours=2)), kolkata)
    assert axis["tickvals"] == ["2026-10-29 09:00:00", "2026-10-29 10:00:00"]
