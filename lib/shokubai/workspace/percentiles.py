"""Percentiles of groups, from merged histograms and never from averaged percentiles."""

from __future__ import annotations

import pandas as pd

from shokubai.core import sketch

QUANTILES = {"p50_seconds": 0.50, "p90_seconds": 0.90, "p95_seconds": 0.95, "p99_seconds": 0.99}


def quantile_frame(latency: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Percentiles per group of a histogram frame.

    Takes any frame with ``keys``, duration_bucket and request_count; gives ``keys`` and p50 … p99 in seconds.
    """
    qs = list(QUANTILES.values())
    merged = latency.groupby([*keys, "duration_bucket"], as_index=False)["request_count"].sum()
    rows = [
        (*group, *sketch.quantiles(part["duration_bucket"], part["request_count"], qs))
        for group, part in merged.groupby(keys)
    ]
    frame = pd.DataFrame(rows, columns=[*keys, *QUANTILES])
    return frame.astype({key: latency[key].dtype for key in keys} | dict.fromkeys(QUANTILES, "float64"))
