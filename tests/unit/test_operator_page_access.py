"""Sessions of the operator's page: who has one, until when, and which forms are theirs."""

from __future__ import annotations

import jwt
import pytest
from pydantic import SecretStr

from pointsman.operator_page.access import (
    LIFETIME,
    Access,
    OperatorKey,
    Role,
    User,
    fetch_site,
    is_own_form,
)
from pointsman.sources.http.failed_attempts import FailedAttempts
from tests.support.manual_clock import ManualClock

HERE = "192.0.2.1"
BEN = OperatorKey("ben", Role.OPERATOR, SecretStr("the-key-of-ben"))
DESK = OperatorKey("desk", Role.VIEWER, SecretStr("the-key-of-the-desk"))
SECRET = bytes(range(32))


def access(*keys: OperatorKey, clock: ManualClock | None = None, secret: bytes = SECRET) -> Access:
    clock = clock or ManualClock()
    return Access(keys or (BEN, DESK), secret, clock, FailedAttempts(30, clock))


@pytest.mark.parametrize("key", [BEN, DESK])
def test_a_key_opens_a_session_with_its_name_and_role(key: OperatorKey) -> None:
    token = access().sign_in(key.key.get_secret_value(), HERE).token
    # another replica has the same secret
    user = access().user(token)
    assert user is not None
    assert (user.name, user.role) == (key.name, key.role)
    assert user.may_change is (key is BEN)
    assert key.key.get_secret_value() not in str(
        jwt.decode(token, options={"verify_signature": False})
    )


def test_a_session_ends_with_its_time_its_key_and_its_store() -> None:
    clock = ManualClock()
    ours = access(clock=clock)
    token = ours.sign_in("the-key-of-ben", HERE).token
    changed = OperatorKey("ben", Role.OPERATOR, SecretStr("another-key-of-ben"))
    assert access(DESK, clock=clock).user(token) is None
    ours.reconfigure([DESK])
    assert ours.user(token) is None
    ours.reconfigure([BEN])
    assert ours.user(token) is not None
    assert access(changed, clock=clock).user(token) is None
    assert access(clock=clock, secret=bytes(32)).user(token) is None
    clock.advance(LIFETIME - 1)
    assert ours.user(token) is not None
    clock.advance(1)
    assert ours.user(token) is None


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c", jwt.encode({"sub": "ben"}, "x" * 32)])
def test_nothing_else_is_a_session(token: str | None) -> None:
    assert access().user(token) is None


def test_a_session_without_a_signature_is_none() -> None:
    token = access().sign_in("the-key-of-ben", HERE).token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert access().user(jwt.encode(claims, "", algorithm="none")) is None


def test_a_key_that_is_not_known_opens_nothing_and_who_guesses_waits() -> None:
    ours = access()
    guesses = [ours.sign_in(f"guess {number}", HERE) for number in range(40)]
    assert not any(guess.token for guess in guesses)
    assert guesses[0].wait == 0
    assert guesses[-1].wait > 0
    assert ours.sign_in("the-key-of-ben", "198.51.100.7").token


def test_a_form_is_of_one_session_and_of_our_own_page() -> None:
    ours = access()
    users = [ours.user(ours.sign_in("the-key-of-ben", HERE).token) for _ in range(2)]
    first, second = (user for user in users if user is not None)
    assert isinstance(first, User)
    assert is_own_form(first, first.csrf, "same-origin")
    assert is_own_form(first, first.csrf, "")
    assert not is_own_form(first, second.csrf, "same-origin")
    assert not is_own_form(first, first.csrf, "cross-site")
    assert not is_own_form(first, "", "same-origin")


@pytest.mark.parametrize(
    ("headers", "site"),
    [
        ({}, ""),
        ({"Origin": "http://OPS:8081"}, "same-origin"),
        ({"Origin": "http://ops:8080"}, "cross-site"),
        ({"Origin": "https://evil.example"}, "cross-site"),
        ({"Origin": "null"}, "cross-site"),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://ops:8081"}, "cross-site"),
        # a proxy may have changed Host, and no page can write this header
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy.example"}, "same-origin"),
    ],
)
def test_where_a_form_comes_from_is_the_browsers_word(headers: dict[str, str], site: str) -> None:
    assert fetch_site(headers, "ops:8081") == site
