"""Personal data out of free text: e-mail and IP addresses, ids and secrets become placeholders."""

from __future__ import annotations

import re
from ipaddress import ip_address

EMAIL, ADDRESS, TOKEN = "[email]", "[ip]", "[token]"

_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+(?:@|%40|@)[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
# Anything with two colons among hexadecimal digits; ipaddress then says whether it is an address.
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})(?![\w:])")
_SECRET = re.compile(
    r"(?P<name>[?&;](?:\w*token|\w*key|pass(?:word|wd)?|secret|sig(?:nature)?|session(?:_?id)?|code)=)[^&;\s#]+",
    re.IGNORECASE,
)
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?")
_UUID = re.compile(r"(?<!\w)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?!\w)")
_PREFIXED = re.compile(r"(?<![A-Za-z0-9])(?:sk|pk|rk|gh[pousr]|glpat|xox[abprs]|AKIA)[-_]?[A-Za-z0-9_\-]{12,}")
_LONG = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}(?![A-Za-z0-9])")


def scrub(text: str) -> str:
    """The text without e-mail addresses, IP addresses, ids and secrets; everything else stays as it was.

    >>> scrub("/files/taro@example.com/from/203.0.113.24?api_key=abc")
    '/files/[email]/from/[ip]?api_key=[token]'

    Replaced: e-mail addresses (also with %40), IPv4 and IPv6 addresses, values of secret-looking query
    parameters, JSON web tokens, UUIDs, keys with well-known prefixes, and runs of 20 or more letters and digits
    that hold both. Versions such as 2026.10.27 and clock times stay. The result is plain text: it is escaped
    where it becomes HTML.
    """
    return _LONG.sub(TOKEN, scrub_route(text))


def scrub_route(text: str) -> str:
    """The same for a route, in which a run of letters and digits may be the name of a method.

    >>> scrub_route("/files/taro@example.com/GetReceiptsByCustomerV2")
    '/files/[email]/GetReceiptsByCustomerV2'
    """
    text = _EMAIL.sub(EMAIL, text)
    text = _IPV6.sub(_placeholder, text)
    text = _IPV4.sub(_placeholder, text)
    text = _SECRET.sub(rf"\g<name>{TOKEN}", text)
    for pattern in (_JWT, _UUID, _PREFIXED):
        text = pattern.sub(TOKEN, text)
    return text


def _placeholder(match: re.Match[str]) -> str:
    try:
        ip_address(match[0])
    except ValueError:
        return match[0]
    return match[0] if match[0] == "::" else ADDRESS
