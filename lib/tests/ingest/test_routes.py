"""Templates hold nobody's data, and stay readable."""

import base64
import ipaddress
import random
import re
import uuid

import pytest

from shokubai.core.errors import UsageError
from shokubai.ingest import read_route_rules
from shokubai.ingest.folding import fold_routes
from shokubai.ingest.routes import route_of


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/v1/invoices/4711/lines?page=2", "/v1/invoices/{id}/lines"),
        ("/v1/invoices/4711;jsessionid=8F3A/lines#top", "/v1/invoices/{id}/lines"),
        ("/v2.1/users", "/v2.1/users"),
        ("/apis/v1beta1/pods", "/apis/v1beta1/pods"),
        ("/orders/3F2504E0-4F89-11D3-9A0C-0305E82C3301", "/orders/{uuid}"),
        ("/orders/3f2504e04f8911d39a0c0305e82c3301/", "/orders/{hash}/"),
        ("/assets/main.8f3a2b1c.js", "/assets/main.{hash}.js"),
        ("/static/css/app.css", "/static/css/app.css"),
        ("/images/logo@2x.png", "/images/logo@2x.png"),
        ("/kibana-dashboard3.png", "/kibana-dashboard3.png"),
        ("/sha256/base64/utf8", "/sha256/base64/utf8"),
        ("/InvoiceApprovalController/listOpenInvoices", "/InvoiceApprovalController/listOpenInvoices"),
        ("hipstershop.Frontend/Recv.", "hipstershop.Frontend/Recv."),
        ("/articles/dynamic-dns-with-dhcp/", "/articles/dynamic-dns-with-dhcp/"),
        ("/how-to-do-it-in-a-box-of-three-cats", "/how-to-do-it-in-a-box-of-three-cats"),
        ("/reports/2026-10-31", "/reports/{date}"),
        ("/reports/20261031.pdf", "/reports/{date}.pdf"),
        ("/reports/2026-10-31T09:00:00Z", "/reports/{date}"),
        ("/blog/2026/10/31/month-end", "/blog/{date}/month-end"),
        ("/blog/2026/10", "/blog/{date}"),
        ("/export/invoice_00012345.pdf", "/export/invoice_{id}.pdf"),
        ("/call/090-1234-5678", "/call/{id}"),
        ("/geo/35.68,139.69", "/geo/{id}"),
        ("/hosts/192.0.2.7/ports/443", "/hosts/{ip}/ports/{id}"),
        ("/hosts/ip-192-0-2-7.internal", "/hosts/ip-{ip}.internal"),
        ("/hosts/[2001:db8::17]", "/hosts/{ip}"),
        ("/users/alice@example.com", "/users/{email}"),
        ("/users/alice%40example.com", "/users/{email}"),
        ("/users/alice%2540example.com", "/users/{email}"),  # encoded twice
        (r"/users/alice\x40example.com", "/users/{email}"),  # as nginx writes bytes
        ("/users/ａｌｉｃｅ＠example.com", "/users/{email}"),  # full width
        ("/@alice", "/{handle}"),
        ("/verify/token=abc", "/verify/token={value}"),
        ("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP", "/t/{token}"),
        ("/watch/dQw4w9WgXcQ1x2", "/watch/{id}"),
        ("/a%2F42%3Fsecret=1", "/a/{id}"),
        ("/a\x00b\u200bc\r\n", "/abc"),
        ("//a///b", "/a/b"),
        ("https://user:pw@host.example/a?b", "/a"),
        ("https://host.example", "/"),
        ("?q=1", "/"),
        ("/検索/請求書", "/検索/請求書"),
        ("/" + "x" * 200, "/{long}"),
        ("/a/b/c/d/e/f/g/h/i/j/k", "/a/b/c/d/e/f/g/h/i/*"),
        ("/v1/invoices/{invoice_id}", "/v1/invoices/{invoice_id}"),
        ("*", "*"),
        ("", "{unknown}"),
        (None, "{unknown}"),
    ],
)
def test_template(path, route):
    assert route_of(path) == route
    assert route_of(route) == route  # a template is a template of itself


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _secrets(draw: random.Random):
    octets = bytes(draw.randrange(256) for _ in range(24))
    yield str(ipaddress.IPv4Address(draw.getrandbits(32)))
    yield str(ipaddress.IPv6Address(draw.getrandbits(128)))
    yield str(uuid.UUID(int=draw.getrandbits(128)))
    yield f"{''.join(draw.choices('abcxyz', k=6))}.{draw.randrange(99)}@mail{draw.randrange(9)}.example"
    yield octets.hex()
    yield base64.urlsafe_b64encode(octets).decode()
    yield str(draw.randrange(10, 10**15))
    yield "".join(draw.choices(ALPHABET, k=32))
    yield "".join(draw.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=25))
    yield "".join(draw.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=26))  # as ULIDs


FRAMES = ("/users/{}", "/users/{}/edit", "/files/report-{}.pdf", "/x/{}?y=1", "/{}", "/a%2F{}", "/k={}", "//{}//")


def test_no_address_or_token_survives_in_a_route():
    """40 draws × 10 kinds × 8 places, plain and percent-encoded: nothing of eight characters comes through."""
    draw = random.Random(20261130)
    for _ in range(40):
        for secret in _secrets(draw):
            encoded = "".join(f"%{byte:02X}" for byte in secret.encode())
            for frame in FRAMES:
                for written in (secret, encoded):
                    route = route_of(frame.format(written))
                    assert secret not in route, (secret, frame)
                    pieces = {secret[n : n + 8] for n in range(len(secret) - 7)}
                    assert not any(piece in route for piece in pieces), (secret, frame, route)


def test_an_address_with_text_around_it_goes_too():
    for text in ("x192.0.2.7y", "v192.0.2.7.8", "host_192.0.2.7:8080", "1192.0.2.7", "192.0.2.78901", "192-0-2-7"):
        assert not re.search(r"\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3}", route_of(f"/a/{text}/b")), text


def test_rules_win_over_the_built_in_templates(tmp_path):
    file = tmp_path / "routes.yaml"
    file.write_text(
        "- {match: '/files/**', route: '/files/*'}\n"
        "- {match: '/u/*/posts', route: '/u/{user}/posts'}\n"
        "- {match: '^/lang/(en|ja)/.*', route: '/lang/{language}/*'}\n"
    )
    rules = read_route_rules(file)
    assert route_of("/files/a/b.txt?c", rules=rules) == "/files/*"
    assert route_of("/u/alice/posts", rules=rules) == "/u/{user}/posts"
    assert route_of("/u/alice/b/posts", rules=rules) == "/u/alice/b/posts"  # * stays within a segment
    assert route_of("/lang/ja/x", rules=rules) == "/lang/{language}/*"
    assert route_of("/lang/fr/7", rules=rules) == "/lang/fr/{id}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("match: /a", "route rules are a list"),
        ("- {match: /a}", "rule 1: found"),
        ("- {match: /a, route: /b}\n- {match: '^(', route: /b}", "rule 2: '\\^\\(' is no regular expression"),
        ("- {match: [", "is no YAML"),
    ],
)
def test_broken_rules_say_which(tmp_path, text, message):
    file = tmp_path / "routes.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_route_rules(file)


def test_folding_keeps_the_most_requested_and_loses_no_request():
    counts = {f"/shop/item-{n}": 1000 - n for n in range(300)} | {"/": 5000, "/about": 1, "{malformed}": 3}
    folded = fold_routes(counts, limit=20)
    left = {folded.get(route, route) for route in counts}
    assert len(left - {"{malformed}"}) <= 20
    assert "/" in left and "/shop/*" in left and "{malformed}" in left
    assert folded["/about"] == "{other}"
    assert set(folded) <= set(counts)


def test_folding_leaves_few_routes_and_those_of_earlier_imports_alone():
    assert fold_routes({"/a": 1, "/b": 1}, limit=4) == {}
    kept = {f"/old/{n}" for n in range(10)}
    folded = fold_routes({"/old/3": 1, "/new/1": 99, "/new/2": 99}, limit=10, kept=kept)
    assert folded == {"/new/1": "{other}", "/new/2": "{other}"}
