"""From a raw path to a low-cardinality route that holds nobody's data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from shokubai.ingest.opaque import without_opaque_pieces

MALFORMED = "{malformed}"  # the request line is no HTTP request
UNKNOWN = "{unknown}"  # the log does not say what was asked for
OTHER = "{other}"  # folded, because there are too many routes

_MAX_DEPTH = 10
_MAX_SEGMENT = 100

_AUTHORITY = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
_LOGGED_BYTE = re.compile(r"\\x([0-9A-Fa-f]{2})")
_QUERY = re.compile(r"[?#].*", re.DOTALL)
_PATH_DATE = re.compile(r"(?<=/)(?:19|20)\d\d/(?:0[1-9]|1[0-2])(?:/(?:0[1-9]|[12]\d|3[01]))?(?=/|$)", re.ASCII)

_TEMPLATE = re.compile(r"\{[A-Za-z_]{1,40}\}|:[a-z_]{1,40}")
_RETINA_IMAGE = re.compile(r"[^@]+@[1-4]x\.(?:png|jpe?g|gif|webp|svg|avif)", re.IGNORECASE)
_VERSION = re.compile(r"\d{1,2}(?:\.\d{1,2}){1,2}", re.ASCII)
_NUMBERS = re.compile(r"[-+]?\d[\d ,.:;+()_-]*", re.ASCII)
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z_-]{0,30})=.*")

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.ASCII), placeholder)
    for pattern, placeholder in (
        (r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", "{uuid}"),
        (r"eyJ[\w-]{8,}(?:\.[\w-]*)*", "{token}"),  # a JSON web token
        (
            rf"(?<!\d){_YEAR}-?{_MONTH}-?{_DAY}[T _]\d\d[:-]?\d\d(?:[:-]?\d\d)?(?:[.,]\d+)?"
            r"(?:Z|[+-]\d\d:?\d\d)?(?!\d)",
            "{date}",
        ),
        (rf"(?<!\d){_YEAR}([-_.]){_MONTH}\1{_DAY}(?!\d)", "{date}"),
        (rf"(?<!\d){_DAY}([-_.]){_MONTH}\1{_YEAR}(?!\d)", "{date}"),
        (rf"(?<!\d){_YEAR}{_MONTH}{_DAY}(?!\d)", "{date}"),
        (rf"(?<![\d-]){_YEAR}-{_MONTH}(?![\d-])", "{date}"),
        (r"(?<![0-9a-fA-F:])\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?![0-9a-fA-F:])", "{time}"),
        (r"\d+(?:\.\d+){3,}", "{ip}"),
        (r"(?<!\d)\d{1,3}(?:[-_]\d{1,3}){3}(?!\d)", "{ip}"),
        (r"\[?[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*(?:%\w+)?\]?", "{ip}"),
    )
)


def route_of(path: str | None, *, rules: Sequence[Callable[[str], str | None]] = ()) -> str:
    """The route template of a path, or of an operation's name.

    Query string, fragment and matrix parameters go; percent-encoding is decoded first, so that it hides
    nothing; control characters go. Ids, UUIDs, hashes, dates, e-mail addresses, IP addresses and opaque tokens
    become ``{id}``, ``{uuid}``, … Other text stays as it is: it is data, and whoever shows it escapes it.
    The first of ``rules`` that gives a route for the cleaned path wins over all that. None gives ``{unknown}``.

    >>> route_of("/v1/invoices/4711/lines?page=2")
    '/v1/invoices/{id}/lines'
    >>> route_of("/users/alice%40example.com/avatar@2x.png")
    '/users/{email}/avatar@2x.png'
    """
    if path is None:
        return UNKNOWN
    cleaned = _clean(path)
    for rule in rules:
        if (route := rule(cleaned)) is not None:
            return route
    if not cleaned:
        return UNKNOWN
    segments = _PATH_DATE.sub("{date}", cleaned).split("/")
    deep = len(segments) > _MAX_DEPTH
    route = "/".join(_template(segment) for segment in segments[:_MAX_DEPTH])
    return f"{route}/*" if deep else route


def _clean(path: str) -> str:
    text = _QUERY.sub("", _AUTHORITY.sub("", path, count=1) if _AUTHORITY.match(path) else path)
    # Servers write bytes that are not printable, and quotes, as \\xHH in their logs.
    text = _LOGGED_BYTE.sub(r"%\1", text).replace('\\"', '"')
    if not text and path:
        text = "/"
    for _ in range(4):  # encoded once more by somebody's proxy, or to hide something
        decoded = unquote(text, errors="replace")
        if decoded == text:
            break
        text = decoded
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if c.isprintable())
    text = _QUERY.sub("", text)
    return re.sub(r"/{2,}", "/", re.sub(r";[^/]*", "", text)).strip()


def _template(segment: str) -> str:
    if not segment or _TEMPLATE.fullmatch(segment):
        return segment
    if len(segment) > _MAX_SEGMENT:
        return "{long}"
    if "@" in segment and not _RETINA_IMAGE.fullmatch(segment):
        return "{handle}" if segment.startswith("@") and "@" not in segment[1:] else "{email}"
    for pattern, placeholder in _PATTERNS:
        segment = pattern.sub(placeholder, segment)
    if _NUMBERS.fullmatch(segment) and not _VERSION.fullmatch(segment):
        return "{id}"
    segment = without_opaque_pieces(segment)
    return _ASSIGNMENT.sub(r"\1={value}", segment)
