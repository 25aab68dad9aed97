"""Token services, platforms and networks as people met them, and a running daemon between them."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from demo.processes import PATIENCE, free_port
from pointsman.app import Daemon
from pointsman.config import load
from pointsman.domain.clock import SystemClock
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.server import serve
from pointsman.outgoing.settings import OutgoingSettings
from pointsman.platforms.helium import HeliumCalls, HttpTransport
from pointsman.platforms.settings import PlatformSettings
from pointsman.platforms.tokens.vault import new_key
from pointsman.sources.backfill import LrsClient, LrsSettings
from tests.support.forward_proxy import forward_proxy
from tests.support.raw_server import raw_server
from tests.support.running_daemon import API_KEY, Running, running
from tests.support.store_queries import list_parked

ANA, BEN = "ana@example.com", "ben@example.com"
HOST = "learn.example.invalid"
TOPIC = "https://content.example.com/topic_demo_1"
RULES = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""


async def delivered(world: Running, learner: str) -> None:
    await world.say("completed", TOPIC, learner)
    await world.until(lambda: bool(world.ran))


@asynccontextmanager
async def with_service(folder: Path, pieces: list[bytes], more: str = "") -> AsyncIterator[Running]:
    """A daemon whose token service sends these pieces of a chunked body, TOKEN being Ana's."""
    token = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in [*pieces, b""]:
            body = piece.replace(b"TOKEN", token)
            writer.write(b"%x\r\n%s\r\n" % (len(body), body))
            await writer.drain()
            await asyncio.sleep(0.01)

    async with raw_server(answer) as port:
        tokens = f'service = {{ url = "http://127.0.0.1:{port}/{{learner}}" }}\n{more}'
        async with running(folder, RULES, tokens=tokens) as world:
            token = world.emulator.issue_token(ANA).encode()
            yield world


async def test_an_answer_in_two_pieces_is_a_token(tmp_path: Path) -> None:
    pieces = [b'{"authToken": "TOKEN', b'", "expiresIn": 3600}']
    async with with_service(tmp_path, pieces) as world:
        await delivered(world, ANA)


@pytest.mark.parametrize("life", [b"9223372036854775807", b"2147483647", b"1e300", b"null"])
async def test_a_token_that_is_good_for_ever_is_used_and_kept(tmp_path: Path, life: bytes) -> None:
    more = f'encryption_key = "{new_key()}"\n'
    pieces = [b'{"authToken": "TOKEN", "expiresIn": ' + life + b"}"]
    async with with_service(tmp_path, pieces, more) as world:
        await delivered(world, ANA)
        database = world.database
    async with running(
        tmp_path,
        RULES,
        tokens=f'service = {{ url = "http://127.0.0.1:1/{{learner}}" }}\n{more}',
        emulator=world.emulator,
    ) as again:  # what was kept is enough: no service is there
        await again.say("completed", TOPIC.replace("_1", "_2"), ANA)
        await again.until(lambda: len(again.ran) == 2)
        assert list_parked(database) == []


async def test_a_token_that_no_header_can_hold_is_named_and_the_other_learners_go_on(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, RULES, tokens='file = "mine.json"') as world:
        token = world.emulator.issue_token(BEN)
        (tmp_path / "mine.json").write_text(f'{{"{ANA}": "TO\\nKEN", "{BEN}": " {token}\\n"}}')
        await world.say("completed", TOPIC, ANA)
        await delivered(world, BEN)
        await world.until(lambda: bool(list_parked(world.database)))
        [parked] = list_parked(world.database)
        assert "'ana@example.com': its entry has an authToken that has a line break" in (
            parked.parked or ""
        )


@pytest.fixture
async def nosy(tmp_path: Path) -> AsyncIterator[tuple[Daemon, list[tuple[str, str | None]], int]]:
    """A platform and a token service that set a cookie with each answer, and note those sent."""
    seen: list[tuple[str, str | None]] = []

    async def token(request: web.Request) -> web.Response:
        who = request.match_info["who"]
        seen.append((who, request.headers.get("Cookie")))
        return web.json_response(
            {"authToken": f"T-{who}"}, headers={"Set-Cookie": f"sso={who}; Path=/"}
        )

    async def helium(request: web.Request) -> web.Response:
        query = (await request.json())["query"]
        who = request.headers.get("authToken", "")
        seen.append((who, request.headers.get("Cookie")))
        data = dict.fromkeys(re.findall(r"(\w+)\s*:\s*Update\w+", query), True)
        return web.json_response({"data": data}, headers={"Set-Cookie": f"session={who}; Path=/"})

    app = web.Application()
    app.router.add_get("/token/{who}", token)
    app.router.add_post("/helium", helium)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port, own = free_port(), free_port()
    # aiohttp keeps no cookies of addresses, so the host has a name
    await web.TCPSite(runner, "127.0.0.1", port).start()
    (tmp_path / "pointsman.toml").write_text(
        f"""
[http]
host = "127.0.0.1"
port = {own}
drain_seconds = 1
[platform]
url = "http://localhost:{port}"
api_key = "{API_KEY}"
[delivery]
progress_interval_seconds = 0
[audit]
enabled = false
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
service = {{ url = "http://localhost:{port}/token/{{learner}}" }}
"""
        + RULES
    )
    async with Daemon(load(tmp_path / "pointsman.toml")) as daemon:
        yield daemon, seen, own
    await runner.cleanup()


async def test_no_learners_cookie_goes_with_anothers_request(
    nosy: tuple[Daemon, list[tuple[str, str | None]], int],
) -> None:
    _, seen, port = nosy
    headers = {
        "X-Experience-API-Version": "1.0.3",
        "Authorization": "Basic " + base64.b64encode(b"user:secret").decode(),
    }

    def sent() -> int:
        return len([who for who, _ in seen if who.startswith("T-")])

    async with aiohttp.ClientSession() as session:
        for number, who in enumerate((ANA, BEN, ANA), start=1):
            statement = {
                "actor": {"mbox": f"mailto:{who}"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
                "object": {"id": f"https://content.example.com/t{number}"},
            }
            url = f"http://127.0.0.1:{port}/xapi/statements"
            async with session.post(url, json=statement, headers=headers) as answer:
                assert answer.status == 200
            async with asyncio.timeout(PATIENCE):
                while sent() < number:  # noqa: ASYNC110 - what is awaited is on a platform
                    await asyncio.sleep(0.01)
    assert {who for who, _ in seen} == {ANA, BEN, f"T-{ANA}", f"T-{BEN}"}
    assert {cookie for _, cookie in seen} == {None}


async def test_the_platform_and_an_lrs_are_reached_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def statements(_request: web.Request) -> web.Response:
        return web.json_response({"statements": [], "more": ""})

    app = web.Application()
    app.router.add_get("/xapi/statements", statements)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    emulator = Emulator(builtin_catalogue(), api_key=API_KEY, clock=SystemClock())
    async with serve(emulator, host="127.0.0.1", port=0) as url:
        hosts = {HOST: int(url.rpartition(":")[2]), "lrs.example.invalid": port}
        async with forward_proxy(hosts) as proxy:
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.setenv("http_proxy", proxy.url)
            settings = PlatformSettings(url=f"http://{HOST}", api_key=API_KEY)
            calls = HeliumCalls(HttpTransport(settings, connections=1), SystemClock())
            assert (await calls.probe()).data is not None
            await calls.close()
            lrs = LrsSettings("http://lrs.example.invalid/xapi", outgoing=OutgoingSettings())
            async with LrsClient(lrs, SystemClock()) as client:
                assert [page async for page in client.pages(0)] == []
            assert len(proxy.asked) == 2
    await runner.cleanup()


async def test_a_platform_that_cant_be_reached_is_said_with_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    settings = PlatformSettings(url=f"https://{HOST}", api_key=API_KEY)
    calls = HeliumCalls(HttpTransport(settings, connections=1), SystemClock())
    reply = await calls.probe()
    assert "HTTPS_PROXY or platform.proxy would name one" in reply.message
    assert API_KEY not in reply.message
    await calls.close()
