"""What a token service's answer means: docs/tokens.md has the same table."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.outgoing.client import HttpReply
from pointsman.outgoing.retry_after import retry_after
from pointsman.platforms.tokens.answers import DEFAULT_LIFE, read_answer
from pointsman.platforms.tokens.breaker import TokenSourceDown
from pointsman.platforms.tokens.fetched import LONGEST_LIFE

NOW = 1_700_000_000.0
DEE = "dee@example.com"


def read(body: str | bytes, status: int = 200, **headers: str) -> tuple[str, str | None, float]:
    raw = body.encode() if isinstance(body, str) else body
    fetched = read_answer(HttpReply(status, CIMultiDict(headers), raw), DEE, NOW)
    assert fetched.expires_at is not None
    return fetched.token, fetched.user_id, fetched.expires_at - NOW


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        ("3600", 3600),
        ("3600.5", 3600.5),
        ('"3600"', 3600),
        ('" 3600 "', 3600),
        ("null", DEFAULT_LIFE),
        ('""', DEFAULT_LIFE),
        ("0.5", 0.5),
        ("2147483647", LONGEST_LIFE),
        ("9223372036854775807", LONGEST_LIFE),
        ("18446744073709551616", LONGEST_LIFE),
        ("1e30", LONGEST_LIFE),
        ("1e308", LONGEST_LIFE),
        ('"Infinity"', LONGEST_LIFE),
        ('"1e400"', LONGEST_LIFE),
    ],
)
def test_expires_in_is_seconds_and_cut_to_what_can_be_kept(life: str, seconds: float) -> None:
    assert read(f'{{"authToken": "T", "expiresIn": {life}}}')[2] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("user", "is_read"),
    [("null", None), ('""', None), ('"user_dee"', "user_dee"), ("42", "42")],
)
def test_a_user_id_may_be_left_out_or_be_a_number(user: str, is_read: str | None) -> None:
    assert read(f'{{"authToken": "T", "userId": {user}}}')[1] == is_read


def test_a_mark_and_properties_of_others_make_no_difference() -> None:
    assert read(b'\xef\xbb\xbf{"authToken": "T", "scope": ["x"]}') == ("T", None, DEFAULT_LIFE)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "is empty"),
        ("{", "is not JSON at line 1, column 2"),
        ("null", "is null"),
        ("[]", "is a list"),
        ('"TOKEN"', "is a string"),
        ("{}", "has no authToken"),
        ('{"authToken": null}', "has null as authToken"),
        ('{"authToken": 5}', "has a number as authToken"),
        ('{"authToken": ["T"]}', "has a list as authToken"),
        ('{"authToken": ""}', "has an authToken that is empty"),
        (r'{"authToken": "TO\nKEN"}', "has an authToken that has a line break at character 3"),
        (r'{"authToken": "TO\u0000"}', "has an authToken that has NUL at character 3"),
        ('{"authToken": "TO "}', "has an authToken that begins or ends with a space"),
        ('{"authToken": "T", "expiresIn": "soon"}', "has an expiresIn that is a string and no"),
        ('{"authToken": "T", "expiresIn": true}', "has true or false as expiresIn"),
        ('{"authToken": "T", "expiresIn": {}}', "has an object as expiresIn"),
        ('{"authToken": "T", "expiresIn": "NaN"}', "has a string as expiresIn"),
        ('{"authToken": "T", "expiresIn": 0}', "has an expiresIn that is not above 0: the token"),
        ('{"authToken": "T", "expiresIn": -1}', "has an expiresIn that is not above 0: the token"),
        ('{"authToken": "T", "userId": []}', "has a list as userId"),
    ],
)
def test_what_cant_be_used_is_said_and_is_no_trouble_of_the_others(body: str, words: str) -> None:
    with pytest.raises(TokenDelayed) as caught:
        read(body)
    assert not isinstance(caught.value, TokenSourceDown)
    said = str(caught.value)
    assert f"the token service's answer for {DEE!r} {words}" in said
    assert "TO" not in said.replace("authToken", "").replace(DEE, "")


def test_a_body_that_is_too_large_is_said() -> None:
    reply = HttpReply(200, {}, b"{" * 100, is_whole=False)
    with pytest.raises(TokenDelayed, match="is longer than 100 bytes"):
        read_answer(reply, DEE, NOW)


def test_404_alone_says_that_there_is_none() -> None:
    with pytest.raises(NoToken, match="has none for 'dee@"):
        read("", 404)


@pytest.mark.parametrize("status", [201, 204, 400, 409, 410, 422])
def test_some_statuses_are_about_the_learner_who_was_asked_for(status: int) -> None:
    with pytest.raises(TokenDelayed, match=f"HTTP {status} .*; a token comes with 200") as caught:
        read("{}", status)
    assert not isinstance(caught.value, TokenSourceDown)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (302, "redirects are not followed, see learners.tokens.service.url"),
        (401, "see learners.tokens.service.bearer"),
        (403, "see learners.tokens.service.bearer"),
        (405, "HTTP 405"),
        (429, "HTTP 429"),
        (500, "HTTP 500"),
        (503, "HTTP 503"),
    ],
)
def test_the_others_are_a_trouble_of_the_service(status: int, words: str) -> None:
    with pytest.raises(TokenSourceDown, match=words) as caught:
        read("", status, **{"Retry-After": "7"})
    assert caught.value.retry_after == 7
    assert caught.value.at_once
    with pytest.raises(TokenSourceDown, match=words) as caught:
        read("", status)
    assert caught.value.at_once == (status in {429, 503})


@pytest.mark.parametrize("status", [200, 201, 202, 400, 409, 410, 422])
def test_when_to_come_back_is_read_with_any_status(status: int) -> None:
    with pytest.raises(TokenDelayed) as caught:
        read("{}", status, **{"Retry-After": "7"})
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"retry-after": " 30 "}, 30),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "30.0"}, 30),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "1e3"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "2023-11-14T22:13:50Z"}, 30),
        ({"Retry-After": "999999999999999999999"}, 3600),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:10 GMT"}, None),
        ({"Retry-After": "Mon, 14 Nov 9999 22:13:10 GMT"}, 3600),
        ({"Retry-After": "Mon, 99 Nov 9999 22:13:10 GMT"}, None),
        (
            {
                "Retry-After": "Tue, 14 Nov 2023 23:00:10 GMT",
                "Date": "Tue, 14 Nov 2023 23:00:00 GMT",
            },
            10,
        ),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(CIMultiDict(headers), NOW) == seconds
