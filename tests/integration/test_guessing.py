"""Passwords are guessed at over a socket: the guesser waits, and good credentials go on."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.launch_client import ANA, COURSE, OPERATOR, Launching, launching
from tests.support.running_daemon import ADL

GOOD = "Basic " + base64.b64encode(b"user:secret").decode()
OTHER_ADDRESS = {"X-Forwarded-For": "198.51.100.9"}
#: of the attacker, as the proxy in front names it
ATTACKER = {"X-Forwarded-For": "203.0.113.66"}
STATEMENT = {
    "actor": {"mbox": f"mailto:{ANA}"},
    "verb": {"id": f"{ADL}experienced"},
    "object": {"id": COURSE},
}


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Launching]:
    monkeypatch.setenv("POINTSMAN_HTTP__TRUSTED_PROXIES", "127.0.0.1")
    async with launching(tmp_path) as running:
        yield running


async def post(world: Launching, authorization: str, address: dict[str, str]) -> tuple[int, str]:
    headers = {
        "Authorization": authorization,
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
        **address,
    }
    body = json.dumps({**STATEMENT, "id": str(uuid.uuid4())})
    async with world.run.session.post(
        f"{world.url}/xapi/statements", data=body, headers=headers
    ) as answer:
        return answer.status, answer.headers.get("Retry-After", "")


def guess(number: int) -> str:
    return "Basic " + base64.b64encode(f"user:guess-{number}".encode()).decode()


async def test_a_guesser_is_slowed_and_nobody_else_is(world: Launching) -> None:
    launch = await world.launch()
    answers = [
        answer
        for start in range(0, 300, 30)
        for answer in await asyncio.gather(
            *(post(world, guess(start + number), ATTACKER) for number in range(30))
        )
    ]
    looked_at = [status for status, _ in answers if status == 401]
    assert 30 <= len(looked_at) <= 60
    waits = {wait for status, wait in answers if status == 429}
    assert waits
    assert all(int(wait) >= 1 for wait in waits)
    # from the address that guessed, even the right one is not looked at: it would tell
    assert (await post(world, GOOD, ATTACKER))[0] == 429
    assert (await post(world, GOOD, OTHER_ADDRESS))[0] == 200
    # a launched player behind the same address was given its credential by us
    assert (await post(world, launch["authorization"], ATTACKER))[0] == 200
    async with world.run.session.get(f"{world.url}/metrics") as page:
        text = await page.text()
    assert f'pointsman_failed_attempts_total{{result="refused"}} {len(looked_at)}.0' in text
    assert 'pointsman_failed_attempts_total{result="slowed"}' in text


async def test_a_sender_that_was_known_before_goes_on_behind_the_guessers_address(
    world: Launching,
) -> None:
    assert (await post(world, GOOD, ATTACKER))[0] == 200
    for number in range(60):
        await post(world, guess(number), ATTACKER)
    assert (await post(world, guess(99), ATTACKER))[0] == 429
    assert (await post(world, GOOD, ATTACKER))[0] == 200


async def test_operators_credentials_can_t_be_guessed_either(world: Launching) -> None:
    for number in range(60):
        await post(world, guess(number), ATTACKER)
    async with world.run.session.post(
        f"{world.url}/launches", json={}, headers={"Authorization": OPERATOR, **ATTACKER}
    ) as answer:
        assert answer.status == 429
    async with world.run.session.post(
        f"{world.url}/launches", json={}, headers={"Authorization": OPERATOR, **OTHER_ADDRESS}
    ) as answer:
        assert answer.status == 400
