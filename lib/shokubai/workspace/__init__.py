"""One project opened for reading: the tables, objectives and findings of a team's week, and ad-hoc frames."""

from shokubai.workspace.adhoc import Workspace, open
from shokubai.workspace.team_week import TeamWeek

__all__ = ["TeamWeek", "Workspace", "open"]
