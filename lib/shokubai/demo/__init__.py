"""The demo organisation: an invoice product's request logs with known events in them, and the truth about them.

>>> from shokubai import demo
>>> demo.build(Path("outputs/demo"), rows=300_000)  # doctest: +SKIP
"""

from shokubai.demo.events import DEFAULT_SEED, PLANTED, Event
from shokubai.demo.generator import DEFAULT_ROWS, Summary, build, is_current, read_summary
from shokubai.demo.truth import count_weeks, is_truth_current, write_truth
from shokubai.demo.variation import plants_of

__all__ = [
    "DEFAULT_ROWS",
    "DEFAULT_SEED",
    "PLANTED",
    "Event",
    "Summary",
    "build",
    "count_weeks",
    "is_current",
    "is_truth_current",
    "plants_of",
    "read_summary",
    "write_truth",
]
