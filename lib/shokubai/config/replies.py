"""``replies/<team>.yaml``: what a team answers to the findings of its reports, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from shokubai.config.located import Node, Problems, nearest
from shokubai.config.model import Reply, Source, Team
from shokubai.config.shape import day, entries, iso_week, known, mapping, pattern, text

FINDING = pattern(
    r"[^|]+\|.+\|[a-z][a-z0-9_]*",
    "a finding's id as its report shows it, in quotes: 'search-api|GET /v1/search|route_slower'",
)
REPLIES = entries(
    mapping(
        {"owner": text(), "reply": text(), "accepted_until": day, "handed_over": iso_week},
        required=("owner", "reply"),
    ),
    key=FINDING,
)


def read_replies(
    node: Node, problems: Problems, *, name: str, team_names: frozenset[str], teams: Mapping[str, Team]
) -> Mapping[str, Reply] | None:
    """The replies of the team called ``name`` by finding id, or None after reporting what is wrong.

    ``team_names`` are all teams, ``teams`` those that could be read.
    """
    before = problems.error_count
    known("team", team_names)(Node(node.file, 1, "", name, name), problems)
    values = REPLIES(node, problems)
    if problems.error_count > before:
        return None
    if name in teams:
        _warn_of_others_services(node, teams[name], problems)
    replies = {}
    for finding, value in values.items():
        place = node.at(finding)
        replies[finding] = Reply(finding, **value, source=Source(place.file, place.line))
    return MappingProxyType(replies)


def _warn_of_others_services(node: Node, team: Team, problems: Problems) -> None:
    """Warn of replies that no report of the team will show, because it does not own the service."""
    for finding, reply in node.mapping.items():
        service = finding.partition("|")[0]
        if service not in team.services:
            problems.warning(
                reply,
                "the team does not own this service, so none of its reports has the finding",
                found=repr(service),
                allowed=", ".join(team.services),
                nearest=nearest(service, team.services),
            )
