"""Runs: which notebooks for which teams; one process each, published whole or not at all, all accounted for."""

from shokubai.runner.estimate import estimate_run
from shokubai.runner.join import join_reports
from shokubai.runner.plan import Job, Plan, make_plan
from shokubai.runner.progress import Progress, Summary, Together
from shokubai.runner.reports import make_reports
from shokubai.runner.shard import Shard, choose_shard

__all__ = [
    "Job",
    "Plan",
    "Progress",
    "Shard",
    "Summary",
    "Together",
    "choose_shard",
    "estimate_run",
    "join_reports",
    "make_plan",
    "make_reports",
]
