"""What notebooks call: one page per report, one method per cell, and the facts it records."""

from shokubai.page.meeting import MeetingPack, meeting_pack
from shokubai.page.overview import SreOverview, sre_overview
from shokubai.page.weekly import WeeklyTeamReport, weekly_team_report

__all__ = [
    "MeetingPack",
    "SreOverview",
    "WeeklyTeamReport",
    "meeting_pack",
    "sre_overview",
    "weekly_team_report",
]
