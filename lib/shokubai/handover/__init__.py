"""Handing a finding over to the team that can do something about it: the text of an issue, and a note that it was.

``find_finding``, ``newest_reports``  what the reports that were made have found
``packet_of``, ``written``            the issue, and its text for GitHub, GitLab or Jira
``record_handover``                   one line more in the team's replies
"""

from shokubai.handover.markup import FORMATS, Format, Link, Mono, one_line, written
from shokubai.handover.packet import Packet, packet_of
from shokubai.handover.record import record_handover, replies_file, reply_line
from shokubai.handover.reports import Found, Report, find_finding, newest_reports

__all__ = [
    "FORMATS",
    "Format",
    "Found",
    "Link",
    "Mono",
    "Packet",
    "Report",
    "find_finding",
    "newest_reports",
    "one_line",
    "packet_of",
    "record_handover",
    "replies_file",
    "reply_line",
    "written",
]
