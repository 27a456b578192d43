"""What the SLI stage gives beside arrays: where telemetry is silent, and how that is to be read."""

from __future__ import annotations

from typing import Literal

from shokubai.core.frames import Column, FrameContract

SilenceKind = Literal["late", "telemetry_gap", "zero_traffic", "unexplained"]
# Kinds in which requests may have come without our seeing them; zero_traffic is known to be empty.
MISSING_KINDS: tuple[SilenceKind, ...] = ("late", "telemetry_gap", "unexplained")

SILENCES = FrameContract(
    "silences",
    "stretch without any request of a service that usually has them",
    {
        "service_name": Column("STRING", ""),
        "started_at": Column("TIMESTAMP", ""),
        "ended_at": Column("TIMESTAMP", ""),
        "expected_count": Column(
            "FLOAT64", "requests that were likely by the same hours of other weeks; NaN: unknown"
        ),
        # late: reaches to the end of the window while metrics go on, or there are none to ask; telemetry_gap:
        # metrics are missing too; zero_traffic: metrics went on, the service was up and nobody came;
        # unexplained: no metrics to ask, or a service that the log does not know at all.
        "kind": Column("STRING", "late, telemetry_gap, zero_traffic or unexplained"),
    },
)
