"""Percentiles of groups, from merged histograms and never from averaged percentiles."""

from __future__ import annotations

import pandas as pd

from shokubai.core import sketch

QUANTILES = {"p50_seconds": 0.50, "p90_seconds": 0.90, "p95_seconds": 0.95, "p99_seconds": 0.99}


def quantile_frame(latency: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Percentiles per group of a histogram frame.

    Takes any frame with ``keys``, duration_bucket and request_count; gives ``keys`` and p50 … p99 in seconds.
    """
    by_key = latency.groupby(keys, as_index=False, sort=True)
    frame = by_key.size()[keys]
    found = sketch.quantiles_by_group(
        by_key.ngroup(),
        latency["duration_bucket"],
        latency["request_count"],
        list(QUANTILES.values()),
        groups=len(frame),
    )
    return frame.assign(**dict(zip(QUANTILES, found.T, strict=True)))
