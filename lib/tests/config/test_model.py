"""What the parameters' objects answer."""

import pytest

from shokubai.config.model import route_matches


@pytest.mark.parametrize(
    ("pattern", "method", "route", "matches"),
    [
        ("/users/[id]", "GET", "/users/[id]", True),
        ("/users/[id]", "GET", "/users/i", False),
        ("/users/[!a]", "GET", "/users/b", False),
        ("/users/{id}", "GET", "/users/{id}", True),
        ("/v1.0/*", "GET", "/v1.0/a/b", True),
        ("/v1.0/*", "GET", "/v1x0/a", False),
        ("/v1/*", "GET", "/v1/", True),
        ("/v?/a", "GET", "/v2/a", True),
        ("/v?/a", "GET", "/v/a", False),
        ("/v1", "GET", "/v1/a", False),
        ("/V1", "GET", "/v1", False),
        ("*", "GET", "/two\nlines", True),
        ("POST /v1/*", "POST", "/v1/a", True),
        ("POST /v1/*", "GET", "/v1/a", False),
    ],
)
def test_only_stars_and_question_marks_are_wildcards(pattern, method, route, matches):
    assert route_matches((pattern,), method, route) is matches


def test_no_pattern_means_all_routes():
    assert route_matches((), "GET", "/a")
