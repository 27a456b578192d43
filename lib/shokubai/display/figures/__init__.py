"""Charts, one per file. Each takes a frame and gives a ``Figure`` whose title says what is to be seen."""

from shokubai.display.figures.budget import budget
from shokubai.display.figures.burn import burn
from shokubai.display.figures.completeness import completeness
from shokubai.display.figures.errors import errors
from shokubai.display.figures.latency import latency
from shokubai.display.figures.objectives import objectives
from shokubai.display.figures.saturation import saturation
from shokubai.display.figures.sli_minutes import sli_minutes
from shokubai.display.figures.traffic import traffic
from shokubai.display.figures.waterfall import waterfall

__all__ = [
    "budget",
    "burn",
    "completeness",
    "errors",
    "latency",
    "objectives",
    "saturation",
    "sli_minutes",
    "traffic",
    "waterfall",
]
