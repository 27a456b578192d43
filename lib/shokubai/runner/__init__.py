"""Runs: which notebooks for which teams; one process each, published whole or not at all, all accounted for."""

from shokubai.runner.estimate import estimate_run, preview_run
from shokubai.runner.join import join_reports
from shokubai.runner.plan import Job, Plan, make_plan
from shokubai.runner.progress import Progress, Summary, Together
from shokubai.runner.reports import make_reports
from shokubai.runner.shard import Shard, choose_shard
from shokubai.runner.task import ENGINES, Engine, Limits, Manner
from shokubai.runner.weeks import WeekOutcome, choose_weeks, make_weeks, worst_status

__all__ = [
    "ENGINES",
    "Engine",
    "Job",
    "Limits",
    "Manner",
    "Plan",
    "Progress",
    "Shard",
    "Summary",
    "Together",
    "WeekOutcome",
    "choose_shard",
    "choose_weeks",
    "estimate_run",
    "join_reports",
    "make_plan",
    "make_reports",
    "make_weeks",
    "preview_run",
    "worst_status",
]
