"""What notebooks call: one page per report, one method per cell, and the facts it records."""

from shokubai.page.overview import SreOverview, sre_overview
from shokubai.page.weekly import WeeklyTeamReport, weekly_team_report

__all__ = ["SreOverview", "WeeklyTeamReport", "sre_overview", "weekly_team_report"]
