"""Which cross-origin headers an answer carries."""

from __future__ import annotations

import pytest

from pointsman.sources.http.cors import (
    answer_headers,
    preflight_headers,
    shows_credential,
    would_prompt,
)

PLAYER = "https://player.example"
ALLOW = "Access-Control-Allow-Origin"


def test_a_listed_origin_is_echoed_with_credentials() -> None:
    headers = answer_headers((PLAYER, "https://other.example"), PLAYER)
    assert headers[ALLOW] == PLAYER
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Vary"] == "Origin"
    assert "X-Experience-API-Version" in headers["Access-Control-Expose-Headers"]


def test_an_unlisted_origin_gets_nothing_but_the_note_for_caches() -> None:
    assert answer_headers((PLAYER,), "https://evil.example") == {"Vary": "Origin"}
    assert answer_headers((PLAYER,), None) == {"Vary": "Origin"}
    assert answer_headers((PLAYER,), "null") == {"Vary": "Origin"}
    assert preflight_headers((PLAYER,), "https://evil.example", "x-a") == {"Vary": "Origin"}


@pytest.mark.parametrize("origin", [PLAYER, "null"])
def test_a_star_names_every_origin_where_requests_have_their_own_credential(origin: str) -> None:
    for headers in (answer_headers(("*",), origin), preflight_headers(("*",), origin, None)):
        assert headers[ALLOW] == origin
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert headers["Vary"] == "Origin"
    assert answer_headers(("*",), None) == {"Vary": "Origin"}


def test_a_star_names_nobody_where_a_browser_might_add_a_credential() -> None:
    for headers in (
        answer_headers(("*",), PLAYER, with_credentials=False),
        preflight_headers(("*",), PLAYER, None, with_credentials=False),
    ):
        assert headers[ALLOW] == "*"
        assert "Access-Control-Allow-Credentials" not in headers
    listed = answer_headers(("*", PLAYER), PLAYER, with_credentials=False)
    assert listed[ALLOW] == PLAYER


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/xapi/statements", True),
        ("/xapi/activities/state/", True),
        ("/scorm/token/commit", True),
        ("/cmi5/fetch/token", True),
        ("/launches", False),
        ("/launches/1/waive", False),
        ("/scorm-cloud/postback", False),
        ("/webhooks/lms", False),
        ("/metrics", False),
        ("/", False),
    ],
)
def test_credentials_are_in_the_requests_of_players(path: str, shown: bool) -> None:
    assert shows_credential(path) is shown


@pytest.mark.parametrize(
    ("headers", "prompts"),
    [
        ({}, False),
        ({"Accept": "text/html, image/gif"}, False),  # of Java's own client
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, False),
        ({"Origin": PLAYER}, True),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, True),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, True),
        ({"Upgrade-Insecure-Requests": "1"}, True),
    ],
)
def test_browsers_that_would_keep_a_password_are_known(
    headers: dict[str, str], prompts: bool
) -> None:
    assert would_prompt(headers) is prompts


def test_without_origins_configured_there_are_no_headers() -> None:
    assert answer_headers((), PLAYER) == {}
    assert preflight_headers((), PLAYER, "authorization") == {}


def test_a_preflight_names_its_headers_one_by_one() -> None:
    headers = preflight_headers(("*",), PLAYER, None)
    names = headers["Access-Control-Allow-Headers"].split(", ")
    assert names == [
        "authorization",
        "content-type",
        "x-experience-api-version",
        "x-experience-api-hash",
        "if-match",
        "if-none-match",
    ]
    assert headers["Access-Control-Max-Age"] == "600"
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT, DELETE, OPTIONS"


def test_a_preflight_allows_what_is_asked_for_when_it_is_a_header_name() -> None:
    asked = "X-Trace, Authorization, two words, , x\r\nSet-Cookie: a"
    headers = preflight_headers((PLAYER,), PLAYER, asked)
    names = headers["Access-Control-Allow-Headers"].split(", ")
    assert names[-1] == "x-trace"
    assert len(names) == 7


def test_a_preflight_is_not_made_to_repeat_names_without_end() -> None:
    asked = ",".join(f"x-{n}" for n in range(5000))
    headers = preflight_headers(("*",), PLAYER, asked)
    assert len(headers["Access-Control-Allow-Headers"].split(", ")) == 56
