"""Tokens from a service and by logging in, in a running daemon, and what is left on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from demo.processes import free_port
from pointsman.domain.park_codes import CURED_BY_TOKEN
from pointsman.platforms.tokens.vault import new_key
from tests.support.running_daemon import running
from tests.support.store_queries import list_parked

ANA = "ana@example.com"
RULES = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
TOPIC = "https://content.example.com/topic_demo_1"


class Service:
    """The customer's service; `answers` are given in turn, the last one for ever."""

    def __init__(self) -> None:
        self.port = free_port()
        self.answers: list[tuple[int, object]] = []
        self.asked: list[tuple[str, str | None]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.match_info["who"], request.headers.get("Authorization")))
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.json_response(body, status=status)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    app = web.Application()
    app.router.add_get("/token/{who}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


def on_disk(folder: Path) -> bytes:
    """The database, and its log."""
    return b"".join(path.read_bytes() for path in folder.glob("pointsman.db*"))


def token_rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM tokens").fetchone()[0])


def config(service: Service, key: str) -> str:
    return (
        f'service = {{ url = "http://127.0.0.1:{service.port}/token/{{learner}}", bearer = "b" }}\n'
        f'encryption_key = "{key}"\n'
    )


async def test_a_fetched_token_is_used_kept_encrypted_and_found_again(
    service: Service, tmp_path: Path
) -> None:
    key = new_key()
    async with running(tmp_path, RULES, tokens=config(service, key)) as world:
        token = world.emulator.issue_token(ANA)
        service.answers = [(200, {"authToken": token, "expiresIn": 600})]
        with structlog.testing.capture_logs() as logs:
            await world.say("completed", TOPIC, ANA)
            await world.until(lambda: bool(world.ran))
            await world.until(lambda: token_rows(world.database) == 1)  # a second later
        assert service.asked == [(ANA, "Bearer b")]
        assert token not in str(logs)
    disk = on_disk(tmp_path)
    assert ANA.encode() in disk
    assert token.encode() not in disk
    async with running(
        tmp_path, RULES, tokens=config(service, key), emulator=world.emulator
    ) as again:
        await again.say("completed", TOPIC.replace("_1", "_2"), ANA)
        await again.until(lambda: len(again.ran) == 2)
    assert len(service.asked) == 1


async def test_a_service_in_trouble_parks_nobody(service: Service, tmp_path: Path) -> None:
    async with running(tmp_path, RULES, tokens=config(service, new_key())) as world:
        token = world.emulator.issue_token(ANA)
        service.answers = [(503, {}), (200, {"authToken": token})]
        await world.say("completed", TOPIC, ANA)
        await world.until(lambda: bool(world.ran))
        assert list_parked(tmp_path / "pointsman.db") == []


async def test_a_learner_the_service_does_not_know_is_parked_with_its_name(
    service: Service, tmp_path: Path
) -> None:
    async with running(tmp_path, RULES, tokens=config(service, new_key())) as world:
        service.answers = [(404, {})]
        await world.say("completed", TOPIC, ANA)
        database = tmp_path / "pointsman.db"
        await world.until(lambda: bool(list_parked(database, CURED_BY_TOKEN)))
        (parked,) = list_parked(database)
        assert f"the token service has none for {ANA!r}" in parked.parked


async def test_learners_are_logged_in_on_a_sandbox_and_the_wrong_password_is_said(
    tmp_path: Path,
) -> None:
    (tmp_path / "passwords.json").write_text(
        '{"ana@example.com": "demo", "ben@example.com": "a-wrong-one"}'
    )
    login = 'login = { passwords_file = "passwords.json" }\n'
    async with running(tmp_path, RULES, tokens=login) as world:
        await world.say("completed", TOPIC, ANA)
        await world.say("completed", TOPIC, "ben@example.com")
        await world.until(lambda: bool(world.ran))
        database = tmp_path / "pointsman.db"
        await world.until(lambda: bool(list_parked(database, CURED_BY_TOKEN)))
        (parked,) = list_parked(database)
        assert "the e-mail address or the password is wrong" in parked.parked
        assert "a-wrong-one" not in parked.parked
