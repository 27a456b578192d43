"""Personal data and secrets leave free text; everything else stays."""

import pytest

from shokubai.core.scrub import scrub

REPLACED = [
    ("/files/hanako.tanaka@example.co.jp/invoice.pdf", "/files/[email]/invoice.pdf"),
    ("/files/taro+billing@example.com", "/files/[email]"),
    ("/u/taro%40example.com/x", "/u/[email]/x"),
    ("担当:hanako@example.com(請求)", "担当:[email](請求)"),
    ("連絡先hanako@example.comまで", "連絡先[email]まで"),
    ("/audit-events/203.0.113.24/sessions", "/audit-events/[ip]/sessions"),
    ("from 10.0.0.1:8080, 10.0.0.2.", "from [ip]:8080, [ip]."),
    ("/audit-events/2001:db8::8a2e:370:7334/sessions", "/audit-events/[ip]/sessions"),
    ("[fe80::1]", "[[ip]]"),
    ("::ffff:192.0.2.1 failed", "[ip] failed"),
    ("localhost is ::1", "localhost is [ip]"),
    ("/login?token=abc&next=/home", "/login?token=[token]&next=/home"),
    ("/x?a=1&api_key=k-1#top", "/x?a=1&api_key=[token]#top"),
    ("auth eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123 end", "auth [token] end"),
    ("/orders/6f1c2a34-0b7d-4c58-9f6e-2d1a0b3c4d5e/pdf", "/orders/[token]/pdf"),
    ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc", "key [token]"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[token]"),
    ("trace 4bf92f3577b34da6a3ce929d0e0e4736 slow", "trace [token] slow"),
]


@pytest.mark.parametrize(("text", "expected"), REPLACED)
def test_replaced(text, expected):
    assert scrub(text) == expected


@pytest.mark.parametrize(("text", "_"), REPLACED)
def test_scrubbing_twice_changes_nothing_more(text, _):
    assert scrub(scrub(text)) == scrub(text)


KEPT = [
    "GET /v1/invoices/{invoice_id}/approvals",
    "/v1/accounts/{account_id}?page=2&sort=created_at",
    "Release 2026.10.27-1 (v1.24.3)",
    "node@1.2.3 and 1.2.3.4.5",
    "at 10:05:30 on 2026-10-28T10:05:30Z",
    "std::vector<int> in aa:bb:cc:dd:ee:ff",
    "commit 0123abc",
    "invoice-detail-availability-2026-week-44",
    "internationalisation of 12345678901234567890123",
    "256.300.1.1 is no address",
    '<script>alert("x")</script>',
    "請求書のPDFが重い::再現手順あり",
    "",
]


@pytest.mark.parametrize("text", KEPT)
def test_kept(text):
    assert scrub(text) == text
