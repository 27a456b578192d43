"""What the shipped statements answer on DuckDB is what GoogleSQL's reference evaluator answers, to the last bit."""

from importlib.resources import files

import numpy as np
import pytest

pytestmark = pytest.mark.googlesql

PACKAGE = "shokubai.tables.queries"
LOG_PACKAGE = "shokubai.tables.log_queries"
SHIPPED = sorted(
    f.name.removesuffix(".sql") for p in (PACKAGE, LOG_PACKAGE) for f in files(p).iterdir() if f.name.endswith(".sql")
)
# Two sums of a few numbers of one sign differ by less than a unit in the last place for each of them.
MEAN = "mean_value"
MEAN_OF = 3
# The statement with this column gives its rows, and the array in each, in no order.
UNORDERED = "requests"


def texts(table):
    """Rows whose text tells apart 1 and 1.0, 0.0 and -0.0, and floats that differ in the last bit; without means."""
    rows = [{name: sorted(v) if isinstance(v, list) else v for name, v in row.items()} for row in table.to_pylist()]
    found = [repr([value for name, value in row.items() if name != MEAN]) for row in rows]
    return sorted(found) if UNORDERED in table.column_names else found


def reference(googlesql, answer, query=None):
    """What the reference evaluator answers to what DuckDB was asked, or to another query in its place."""
    types = answer.query.types
    given = {name: (types[name], value) for name, value in answer.parameters.items()}
    return googlesql.evaluate((query or answer.query).text, tables=answer.held, parameters=given)


def test_every_shipped_statement_was_asked_and_gave_rows(answers):
    assert sorted(answers) == SHIPPED
    assert [name for name in SHIPPED if not any(len(answer.result) for answer in answers[name])] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_duckdb_answers_what_googlesql_does(googlesql, answers, name):
    for answer in answers[name]:
        found, expected = answer.result, reference(googlesql, answer)
        assert found.schema == expected.schema
        assert texts(found) == texts(expected)
        if MEAN in found.column_names:
            means = found[MEAN].to_numpy(), expected[MEAN].to_numpy()
            np.testing.assert_allclose(*means, rtol=MEAN_OF * 2**-52)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("minute_counts", "timestamp >= @start", "timestamp > @start"),
        ("minute_counts", "timestamp < @end", "timestamp <= @end"),
        ("minute_counts", "<= thresholds.threshold_1_seconds", "< thresholds.threshold_1_seconds"),
        ("minute_counts", "<= thresholds.threshold_4_seconds", "<= thresholds.threshold_3_seconds"),
        ("minute_counts", "COUNT(log.duration_seconds)", "COUNT(*)"),
        ("minute_counts", "LEFT JOIN", "JOIN"),
        ("minute_counts", "COALESCE(http_route, '_OTHER')", "http_route"),
        ("minute_counts", "UNIX_MICROS(timestamp) - MOD", "UNIX_SECONDS(timestamp) * 1000000 - MOD"),
        ("hour_latency", "CEIL(", "FLOOR("),
        ("hour_latency", "duration_seconds < @smallest", "duration_seconds <= @smallest"),
        ("hour_latency", "duration_seconds IS NOT NULL", "duration_seconds > 0"),
        ("availability_minutes", "BETWEEN 100 AND", "BETWEEN 101 AND"),
        ("availability_routes", "AND 599", "AND 600"),
        ("availability_minutes", "http_response_status_code IN", "NOT http_response_status_code IN"),
        ("latency_minutes", "NOT COALESCE(http_response_status_code IN UNNEST(@error_statuses), FALSE)", "TRUE"),
        ("latency_routes", "@error_statuses), FALSE)", "@error_statuses), TRUE)"),
        ("latency_minutes", "threshold_3_seconds = @threshold_seconds", "FALSE"),
        ("availability_bad", "BETWEEN 100 AND", "BETWEEN 500 AND"),
        ("availability_bad", "AND http_response_status_code IN UNNEST(@error_statuses)", ""),
        ("availability_bad", "bad.minute >= spans.span_start", "bad.minute > spans.span_start"),
        ("availability_bad", "bad.minute < spans.span_end", "bad.minute <= spans.span_end"),
        ("availability_bad", "- UNIX_MICROS(@start), @slice_us", ", @slice_us"),
        ("latency_bad", "@error_statuses), FALSE)", "@error_statuses), TRUE)"),
        ("latency_bad", "duration_count > COALESCE", "duration_count >= COALESCE"),
        ("latency_bad", "threshold_3_seconds = @threshold_seconds", "FALSE"),
        ("latency_bad", "measured.minute < spans.span_end", "measured.minute <= spans.span_end"),
        ("latency_bad", "- UNIX_MICROS(@start), @slice_us", ", @slice_us"),
        ("service_minutes", "BETWEEN 500 AND 599", "BETWEEN 501 AND 599"),
        ("service_minutes", "IS NULL", "= 0"),
        ("route_hours", "BETWEEN 500 AND 599", "BETWEEN 500 AND 598"),
        ("route_hours", "counts.minute < spans.span_end", "counts.minute <= spans.span_end"),
        ("route_counts", "counts.minute >= spans.span_start", "counts.minute > spans.span_start"),
        ("latency_hours", "latencies.hour >= spans.span_start", "latencies.hour > spans.span_start"),
        ("incidents", "started_at < @end", "started_at <= @end"),
        ("incidents", "@end) > @start", "@end) >= @start"),
        ("incidents", "COALESCE(mitigated_at, resolved_at, @end)", "COALESCE(resolved_at, mitigated_at, @end)"),
        ("incidents", "resolved_at, @end)", "resolved_at)"),
        ("deployments", "deployed_at < @end", "deployed_at <= @end"),
        ("alerts", "fired_at >= @start", "fired_at > @start"),
        ("metric_hours", "COALESCE(unit, '')", "unit"),
        ("metric_hours", "AND value IS NOT NULL", ""),
        ("watermarks", "MIN(minute)", "MAX(minute)"),
        ("services", "WHERE service_name IS NOT NULL", ""),
        ("sample_requests", "> @over_seconds", ">= @over_seconds"),
        ("sample_requests", "trace_id IS NOT NULL", "TRUE"),
        ("sample_requests", "BETWEEN @lowest_status AND @highest_status", "= @lowest_status"),
    ],
)
def test_the_data_would_show_a_mistake(googlesql, answers, broken_copy, name, right, wrong):
    query = broken_copy(name, right, wrong)
    assert any(texts(reference(googlesql, answer, query)) != texts(answer.result) for answer in answers[name])
