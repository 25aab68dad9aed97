"""SIGTERM: the daemon says that it is draining, finishes what is under way, and loses nothing."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import subprocess
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from demo.processes import PATIENCE, free_port, start, stop
from tests.support.store_queries import read_books

HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"user:secret").decode(),
    "X-Experience-API-Version": "1.0.3",
    "Content-Type": "application/json",
}
CONFIG = """
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
drain_seconds = {drain}

[platform]
url = "http://127.0.0.1:{platform}"
api_key = "key"

[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]

[learners.tokens]
inline = {{ "ana@example.com" = "token" }}

[[rules]]
activity = "https://content.example.com/{{topic}}"
topic_id = "{{topic}}"
"""


class SlowPlatform:
    """A platform that takes its time: the one thing that the emulator can't do yet."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.port = free_port()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.set()
        await self.answer.wait()
        aliases = [name for name in body["query"].split() if name.startswith("m") and ":" in name]
        return web.json_response({"data": {name.rstrip(":"): True for name in aliases}})


@pytest.fixture
async def platform() -> AsyncIterator[SlowPlatform]:
    slow = SlowPlatform()
    app = web.Application()
    app.router.add_post("/helium", slow.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", slow.port).start()
    yield slow
    await runner.cleanup()


async def _post(session: aiohttp.ClientSession, url: str, topic: str) -> int:
    statement = {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": "mailto:ana@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": f"https://content.example.com/{topic}"},
    }
    async with session.post(
        f"{url}/xapi/statements", headers=HEADERS, data=json.dumps(statement)
    ) as answer:
        return answer.status


class Run:
    """One daemon on its own configuration, started as often as it takes."""

    def __init__(self, folder: Path, platform_port: int, drain: int) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._config = folder / "pointsman.toml"
        self._config.write_text(CONFIG.format(port=port, platform=platform_port, drain=drain))
        self._log = folder / "log"

    async def start(self) -> subprocess.Popen[bytes]:
        arguments = ["run", "--config", str(self._config)]
        return await asyncio.to_thread(start, arguments, self._log, f"{self.url}/readyz")


async def test_a_stop_waits_for_the_answer_under_way_and_takes_statements_meanwhile(
    platform: SlowPlatform, tmp_path: Path
) -> None:
    run = Run(tmp_path, platform.port, drain=20)
    url = run.url
    process = await run.start()
    try:
        async with aiohttp.ClientSession() as session:
            assert await _post(session, url, "one") == 200
            await platform.asked.wait()
            process.send_signal(signal.SIGTERM)
            while True:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 503:
                        assert "draining" in await answer.text()
                        break
            async with session.get(f"{url}/healthz") as answer:
                assert answer.status == 200
            assert await _post(session, url, "two") == 200
            platform.answer.set()
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
    finally:
        stop(process)
    books = read_books(tmp_path / "pointsman.db")
    assert books.balanced
    assert (books.accepted, books.delivered, books.dirty) == (2, 1, 1)


async def test_a_stop_keeps_its_deadline_when_the_platform_does_not_answer(
    platform: SlowPlatform, tmp_path: Path
) -> None:
    run = Run(tmp_path, platform.port, drain=1)
    url = run.url
    process = await run.start()
    try:
        async with aiohttp.ClientSession() as session:
            assert await _post(session, url, "one") == 200
            await platform.asked.wait()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
        platform.answer.set()
        # what was abandoned is still dirty, and goes out again
        process = await run.start()
        async with aiohttp.ClientSession() as session:
            async with asyncio.timeout(PATIENCE):
                text = ""
                while 'pointsman_desired{kind="topic_progress",state="dirty"} 0.0' not in text:
                    await asyncio.sleep(0.1)
                    async with session.get(f"{url}/metrics") as answer:
                        text = await answer.text()
    finally:
        stop(process)
    books = read_books(tmp_path / "pointsman.db")
    assert (books.accepted, books.delivered, books.dirty) == (1, 1, 0)
