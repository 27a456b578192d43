"""Runs: which notebooks for which teams; one process each, published whole or not at all, all accounted for."""

from shokubai.runner.estimate import estimate_run
from shokubai.runner.plan import Job, Plan, make_plan
from shokubai.runner.reports import Progress, Summary, make_reports

__all__ = ["Job", "Plan", "Progress", "Summary", "estimate_run", "make_plan", "make_reports"]
