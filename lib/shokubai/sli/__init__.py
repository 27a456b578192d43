"""From counted requests to good and valid counts per minute, how sure they are, and whether they are whole."""

from shokubai.sli.completeness import completeness_ratio, data_complete_through, find_silences
from shokubai.sli.intervals import wilson
from shokubai.sli.minutes import MinuteSeries, fill_minutes
from shokubai.sli.model import MISSING_KINDS, SILENCES

__all__ = [
    "MISSING_KINDS",
    "SILENCES",
    "MinuteSeries",
    "completeness_ratio",
    "data_complete_through",
    "fill_minutes",
    "find_silences",
    "wilson",
]
