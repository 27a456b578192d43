"""What is found of labelled faults in public data, with the packaged thresholds, which nobody tuned to them.

``pytest -s`` prints a table per data set: found, missed and falsely raised, beside two baselines. The labels are the
anomaly windows of numenta/NAB on 17 series of CloudWatch, and the 24 faults that IntelligentDDS/Nezha injected.
"""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from shokubai import workspace
from shokubai.config.model import Ownership, Source, Team, Text
from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import Week
from shokubai.findings import Evidence, default_rules, find
from shokubai.findings.change_points import change_points
from shokubai.tables.contracts import METRIC_HOURS

pytestmark = pytest.mark.real_data

UTC_ZONE = ZoneInfo("UTC")
ONE_HOUR = timedelta(hours=1)
ONE_MINUTE = timedelta(minutes=1)
HISTORY = timedelta(days=28)
THRESHOLDS = default_rules()["level_shift"]


@dataclass(frozen=True)
class Span:
    start: datetime
    end: datetime

    def touches(self, other):
        return self.start <= other.end and other.start <= self.end


@dataclass(frozen=True)
class Score:
    """Labels that some detection touches, and detections that touch no label."""

    detector: str
    labels: int
    found: int
    false: int

    @property
    def missed(self):
        return self.labels - self.found


def score(detector, labels, detections):
    """``labels`` and ``detections`` are lists of spans per series."""
    found = sum(any(d.touches(label) for d in detections[name]) for name in labels for label in labels[name])
    false = sum(not any(d.touches(label) for label in labels[name]) for name in labels for d in detections[name])
    return Score(detector, sum(map(len, labels.values())), found, false)


def show(title, scores):
    lines = [f"{s.detector:52}{s.found:7}{s.missed:8}{s.false:7}" for s in scores]
    sys.stdout.write("\n".join(["", title, f"{'':52}{'found':>7}{'missed':>8}{'false':>7}", *lines, ""]))


def far_out(series, width):
    """The plain baseline: stretches of values more than three standard deviations from the mean."""
    out = (series - series.mean()).abs() > 3 * series.std()
    begins = series.index[out & ~out.shift(fill_value=False)]
    ends = series.index[out & ~out.shift(-1, fill_value=False)]
    return [Span(start, end + width) for start, end in zip(begins, ends, strict=True)]


def changes(series, width):
    """Change points of a whole series, at the thresholds of the rule on levels of metrics."""
    found = change_points(
        series.to_numpy(),
        maximum_p_value=THRESHOLDS["maximum_p_value"],
        minimum_change_ratio=THRESHOLDS["minimum_change_ratio"],
    )
    return [Span(series.index[point.index], series.index[point.index] + width) for point in found]


# --- CloudWatch -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cloudwatch(real_data):
    """Hourly means and highest values of each series, and its labelled windows."""
    folder = real_data / "metrics"
    windows = json.loads((folder / "combined_windows.json").read_text(encoding="utf-8"))
    hours, labels = {}, {}
    for file in sorted((folder / "nab_aws_cloudwatch").glob("*.csv")):
        samples = pd.read_csv(file, parse_dates=["timestamp"])
        samples["timestamp"] = samples["timestamp"].dt.tz_localize("UTC")
        grouped = samples.set_index("timestamp")["value"].resample("h")
        hours[file.stem] = grouped.agg(["mean", "max", "count"])
        labels[file.stem] = [
            Span(*(datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in window))
            for window in windows[f"realAWSCloudwatch/{file.name}"]
        ]
    return hours, labels


def weekly_findings(name, hours):
    """Every finding of the weekly reports on one series; those without an onset stand for their whole week."""
    frame = METRIC_HOURS.conform(
        pd.DataFrame(
            {
                "hour": hours.index,
                "service_name": name,
                "metric_name": name,
                "unit": "",
                "sample_count": hours["count"],
                "mean_value": hours["mean"],
                "max_value": hours["max"],
                "limit_value": 100.0 if "cpu" in name else np.nan,
            }
        )[hours["count"].to_numpy() > 0]
    )
    team = Team("cloud", Text("Cloud", "Cloud"), "en", (Ownership(name),), Source(Path("cloud.yaml"), 1))
    week = Week.of(hours.index[0].date())
    spans = []
    while week.window(UTC_ZONE).start <= hours.index[-1]:
        window = week.window(UTC_ZONE)
        rows = frame[(frame["hour"] >= window.end - HISTORY) & (frame["hour"] < window.end)]
        for finding in find(Evidence(team, week, UTC_ZONE, BusinessCalendar("US"), metric_hours=rows)):
            start = finding.started_at
            spans.append(Span(start, start + ONE_HOUR) if start else Span(window.start, window.end))
        week = week.plus(1)
    return spans


def test_cloudwatch(cloudwatch):
    hours, labels = cloudwatch
    assert (len(labels), sum(map(len, labels.values()))) == (17, 30)
    means = {name: frame["mean"].dropna() for name, frame in hours.items()}
    scores = [
        score("report nothing", labels, dict.fromkeys(labels, ())),
        score("hours beyond three standard deviations", labels, {n: far_out(s, ONE_HOUR) for n, s in means.items()}),
        score("findings of the weekly reports", labels, {n: weekly_findings(n, f) for n, f in hours.items()}),
        score("change points of the hourly means", labels, {n: changes(s, ONE_HOUR) for n, s in means.items()}),
    ]
    show("17 CloudWatch series, 30 labelled windows", scores)
    nothing, plain, weekly, _ = scores
    assert (nothing.found, nothing.false) == (0, 0)
    # A report may miss a spike that is over, but it must not cry wolf: the plain baseline does.
    assert weekly.false <= 3 < plain.false


# --- Online Boutique ------------------------------------------------------------------------------------------

COLUMNS = ("timestamp=make_timestamptz(StartTimeUnixNano // 1000)", "duration_seconds=Duration/1e6")
COLUMNS += ("trace_id=TraceID", "http_route=OperationName")
LASTS = timedelta(minutes=3)  # each fault was looked at for three minutes


@pytest.fixture(scope="module")
def boutique(real_data):
    by_hour = json.loads((real_data / "traces" / "2022-08-22-fault_list.json").read_text(encoding="utf-8"))
    injected = [
        datetime.fromtimestamp(int(fault["inject_timestamp"]), UTC) for hour in by_hour.values() for fault in hour
    ]
    return {"frontend": [Span(at, at + LASTS) for at in injected]}


@pytest.fixture(scope="module")
def minutes(real_data):
    """The 95th percentile of each minute with requests."""
    spans = pd.read_csv(real_data / "traces" / "2022-08-22_root_spans.csv.gz").drop_duplicates(["TraceID", "SpanID"])
    spans.index = pd.to_datetime(spans["StartTimeUnixNano"] // 1000, unit="us", utc=True)
    return (spans["Duration"] / 1e6).resample("min").quantile(0.95).dropna()


@pytest.fixture(scope="module")
def project(make_project, real_data):
    project = make_project()
    columns = [argument for column in COLUMNS for argument in ("--column", column)]
    file = real_data / "traces" / "2022-08-22_root_spans.csv.gz"
    project.run("import", "table", str(file), "--service", "frontend", *columns, "--unique", "TraceID,SpanID")
    return project


def reported(project):
    """The week's episodes, and the rules of its findings."""
    project.run("run", "weekly", "--week", "2022-W34")
    week = workspace.open(project.parameters, project.folder / "outputs").team_week("frontend", "2022-W34")
    rows = pd.concat(week.episodes.values()).itertuples(index=False)
    return {"frontend": [Span(row.started_at, row.ended_at) for row in rows]}, {f.rule for f in week.findings}


def test_online_boutique(boutique, minutes, project):
    """The log holds about three minutes around each fault and nothing between; there is hardly an ordinary minute."""
    assert len(boutique["frontend"]) == 24
    guessed, rules = reported(project)
    project.edit("slos/frontend.yaml", "value: 6.5 # seconds", "value: 1 # seconds")
    chosen, more_rules = reported(project)
    upward = [
        span
        for span in changes(minutes, ONE_MINUTE)
        if minutes[span.start : span.start + LASTS].mean() > minutes[span.start - LASTS : span.start].iloc[:-1].mean()
    ]
    scores = [
        score("report nothing", boutique, {"frontend": []}),
        score("minutes beyond three standard deviations", boutique, {"frontend": far_out(minutes, ONE_MINUTE)}),
        score("episodes of the objective that the import guesses", boutique, guessed),
        score("episodes of an objective of 1 s", boutique, chosen),
        score("change points of each minute's p95, upward", boutique, {"frontend": upward}),
    ]
    show("24 faults in Online Boutique", scores)
    nothing, _, of_guess, of_choice, _ = scores
    assert (nothing.found, nothing.false) == (0, 0)
    assert (of_guess.false, of_choice.false) == (0, 0)
    assert of_choice.found >= 7
    # Nothing came before these four hours, so no route can be slower than before.
    assert not (rules | more_rules) & {"route_slower", "route_failing", "level_shift"}
