"""``organization.yaml``: who we are, in our own words, and by which clock and calendar we live."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import holidays

from shokubai.config.agenda import AGENDA_KEYS, agreed
from shokubai.config.located import Node, Problems, nearest
from shokubai.config.model import LANGUAGES, Agenda, Organization, Source, Text
from shokubai.config.shape import choice, mapping, text, words
from shokubai.config.supporter import supporter
from shokubai.core.calendar import BusinessCalendar


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(node: Node, problems: Problems) -> ZoneInfo | None:
    """An IANA time zone, in its exact spelling."""
    name: str | None = text()(node, problems)
    if name is None:
        return None
    if name not in _zone_names():
        problems.error(
            node,
            "is no known time zone",
            found=node.shown,
            allowed="names of the IANA database, such as Asia/Tokyo or UTC",
            nearest=nearest(name, _zone_names()),
        )
        return None
    return ZoneInfo(name)


def _country(node: Node, problems: Problems) -> str | None:
    code: str | None = text()(node, problems)
    codes = holidays.list_supported_countries(include_aliases=False)
    if code is None or code in codes:
        return code
    problems.error(
        node,
        "is no country whose public holidays are known",
        found=node.shown,
        allowed="a two-letter code of ISO 3166, such as JP or PH",
        nearest=nearest(code, codes),
    )
    return None


ORGANIZATION = mapping(
    {
        "name": words,
        "vision": words,
        "mission": words,
        "time_zone": time_zone,
        "language": choice(*LANGUAGES),
        "calendar": mapping({"country": _country}, required=("country",)),
        "sre": supporter,
        **AGENDA_KEYS,
    },
    required=("name", "time_zone", "language", "calendar"),
)


def read_organization(node: Node, problems: Problems) -> Organization | None:
    """The organisation, or None after reporting what is wrong. Vision and mission may be left out."""
    before = problems.error_count
    values = ORGANIZATION(node, problems)
    if problems.error_count > before:
        return None
    return Organization(
        name=values["name"],
        vision=values.get("vision", Text()),
        mission=values.get("mission", Text()),
        zone=values["time_zone"],
        language=values["language"],
        calendar=BusinessCalendar(values["calendar"]["country"]),
        source=Source(node.file, node.line),
        sre=values.get("sre"),
        agenda=agreed(node, values, Agenda()),
    )
