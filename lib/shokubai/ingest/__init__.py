"""Reading real logs into the request-log layout: what a line becomes, what is refused, how it is published."""

from shokubai.ingest.importing import import_requests
from shokubai.ingest.line_format import LineFormat
from shokubai.ingest.mapping import Mapping, read_mapping
from shokubai.ingest.model import ImportOptions, ImportSummary, SourceSummary
from shokubai.ingest.route_rules import RouteRule, read_route_rules
from shokubai.ingest.starter import Starter, label, write_starter

__all__ = [
    "ImportOptions",
    "ImportSummary",
    "LineFormat",
    "Mapping",
    "RouteRule",
    "SourceSummary",
    "Starter",
    "import_requests",
    "label",
    "read_mapping",
    "read_route_rules",
    "write_starter",
]
