"""Logging learners in with their passwords."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.platforms.base import LoginAnswer, PlatformAnswer, RateReading, RequestOutcome
from pointsman.platforms.tokens.breaker import TokenSourceDown
from pointsman.platforms.tokens.login import PasswordLogin
from tests.support.manual_clock import ManualClock

ANA = "ana@example.com"
PASSWORD = "a-secret-password"
ANSWERED = PlatformAnswer(RequestOutcome.ANSWERED)


class Platform:
    def __init__(self) -> None:
        self.answer = LoginAnswer(ANSWERED, "token", "u1")
        self.asked: list[tuple[str, str]] = []

    async def log_in(self, email: str, password: str) -> LoginAnswer:
        self.asked.append((email, password))
        return self.answer


@pytest.fixture
def platform() -> Platform:
    return Platform()


def write(path: Path, content: object, *, at: int = 1) -> None:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(path, (at, at))


@pytest.fixture
def login(tmp_path: Path, platform: Platform) -> PasswordLogin:
    write(tmp_path / "passwords.json", {ANA: PASSWORD})
    return PasswordLogin(tmp_path / "passwords.json", platform.log_in, ManualClock())


async def test_a_learner_is_logged_in(login: PasswordLogin, platform: Platform) -> None:
    fetched = await login.fetch(ANA)
    assert (fetched.token, fetched.user_id, fetched.expires_at) == ("token", "u1", None)
    assert platform.asked == [(ANA, PASSWORD)]


async def test_a_refused_password_is_not_tried_again_until_it_is_another_one(
    login: PasswordLogin, platform: Platform, tmp_path: Path
) -> None:
    platform.answer = LoginAnswer(replace(ANSWERED, message="the password is wrong"))
    with pytest.raises(NoToken, match="the password is wrong"):
        await login.fetch(ANA)
    with pytest.raises(NoToken, match="correct it there"):
        await login.fetch(ANA)
    assert len(platform.asked) == 1
    write(tmp_path / "passwords.json", {ANA: "another"}, at=2)
    platform.answer = LoginAnswer(ANSWERED, "token")
    assert (await login.fetch(ANA)).token == "token"


@pytest.mark.parametrize("outcome", [RequestOutcome.UNREACHABLE, RequestOutcome.THROTTLED])
async def test_a_platform_in_trouble_is_asked_again(
    login: PasswordLogin, platform: Platform, outcome: RequestOutcome
) -> None:
    platform.answer = LoginAnswer(PlatformAnswer(outcome, message="HTTP 503"))
    for _ in range(2):
        with pytest.raises(TokenDelayed, match="HTTP 503"):
            await login.fetch(ANA)
    assert len(platform.asked) == 2


async def test_a_learner_without_a_password_is_named(login: PasswordLogin) -> None:
    with pytest.raises(NoToken, match="no password for 'eve@"):
        await login.fetch("eve@example.com")


@pytest.mark.parametrize(
    "outcome", [RequestOutcome.UNREACHABLE, RequestOutcome.THROTTLED, RequestOutcome.KEY_REFUSED]
)
async def test_a_platform_in_trouble_is_so_for_every_learner(
    login: PasswordLogin, platform: Platform, outcome: RequestOutcome
) -> None:
    rate = RateReading(retry_after=30)
    platform.answer = LoginAnswer(PlatformAnswer(outcome, message="HTTP 503", rate=rate))
    with pytest.raises(TokenSourceDown) as caught:
        await login.fetch(ANA)
    assert caught.value.retry_after == 30


async def test_a_token_that_no_header_can_hold_is_refused_where_it_comes_in(
    login: PasswordLogin, platform: Platform
) -> None:
    platform.answer = LoginAnswer(ANSWERED, "TO\nKEN")
    with pytest.raises(TokenDelayed, match="in gave an authToken that has a line break"):
        await login.fetch(ANA)


async def test_addresses_are_compared_in_lower_case(tmp_path: Path, platform: Platform) -> None:
    write(tmp_path / "passwords.json", {"mailto:ANA@Example.COM": PASSWORD})
    login = PasswordLogin(tmp_path / "passwords.json", platform.log_in, ManualClock())
    assert (await login.fetch(ANA)).token == "token"


@pytest.mark.parametrize("content", ["{", "[]", {"a": 5}, {"a": ""}])
async def test_a_file_that_breaks_keeps_the_passwords_of_before(
    login: PasswordLogin, tmp_path: Path, content: object
) -> None:
    await login.fetch(ANA)
    write(tmp_path / "passwords.json", content, at=2)
    assert (await login.fetch(ANA)).token == "token"
    (tmp_path / "passwords.json").unlink()
    assert (await login.fetch(ANA)).token == "token"


@pytest.mark.parametrize("content", ["{", "[]", {"a": 5}, {"a": ""}])
async def test_a_file_that_is_broken_is_no_learners_fault_and_shows_no_password(
    login: PasswordLogin, tmp_path: Path, content: object
) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    write(tmp_path / "passwords.json", text + PASSWORD if text == "{" else content, at=2)
    with pytest.raises(TokenDelayed) as caught:
        await login.fetch(ANA)
    assert PASSWORD not in str(caught.value)
    (tmp_path / "passwords.json").unlink()
    with pytest.raises(TokenDelayed, match="can't be used: No such file"):
        await login.fetch(ANA)
