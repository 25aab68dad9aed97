"""SIGTERM: the daemon says that it is draining, finishes what is under way, and loses nothing."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from demo.children import Child
from demo.processes import PATIENCE, free_port, start, stop
from pointsman.process import Stop
from tests.support.store_queries import read_books

HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"user:secret").decode(),
    "X-Experience-API-Version": "1.0.3",
    "Content-Type": "application/json",
}
CONFIG = """
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = {delay}
drain_seconds = {drain}

{store}
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


def _statement(topic: str) -> dict[str, object]:
    return {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": "mailto:ana@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": f"https://content.example.com/{topic}"},
    }


async def _post(session: aiohttp.ClientSession, url: str, topic: str) -> int:
    async with session.post(
        f"{url}/xapi/statements", headers=HEADERS, data=json.dumps(_statement(topic))
    ) as answer:
        return answer.status


class Run:
    """One daemon on its own configuration, started as often as it takes."""

    def __init__(
        self, folder: Path, platform_port: int, drain: int, *, delay: float = 0, store: str = ""
    ) -> None:
        self.port = port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._config = folder / "pointsman.toml"
        self._config.write_text(
            CONFIG.format(port=port, platform=platform_port, drain=drain, delay=delay, store=store)
        )
        self.log = folder / "log"

    async def start(self) -> subprocess.Popen[bytes]:
        arguments = ["run", "--config", str(self._config)]
        return await asyncio.to_thread(start, arguments, self.log, f"{self.url}/readyz")

    def begin(self) -> Child:
        """The process, which may never be ready."""
        with self.log.open("ab") as output:
            return Child(
                [sys.executable, "-m", "pointsman", "run", "--config", str(self._config)],
                output=output,
            )

    async def says(self, words: str) -> None:
        """Wait until the log has it."""
        async with asyncio.timeout(PATIENCE):
            while words not in self.log.read_text():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)


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


async def test_a_post_whose_body_is_still_coming_at_sigterm_is_stored_and_answered(
    platform: SlowPlatform, tmp_path: Path
) -> None:
    """Case 31."""
    run = Run(tmp_path, platform.port, drain=20)
    process = await run.start()
    body = json.dumps(_statement("one")).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
    try:
        writer.write(
            f"POST /xapi/statements HTTP/1.1\r\nHost: x\r\n{head}"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        writer.write(body[:30])
        await writer.drain()
        async with aiohttp.ClientSession() as session:  # answered after the head was read
            assert (await session.get(f"{run.url}/healthz")).status == 200
        process.send_signal(signal.SIGTERM)
        await run.says("draining")
        writer.write(body[30:])
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert b"connection: close" in answer.lower()
        platform.answer.set()
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
    finally:
        writer.close()
        stop(process)
    assert read_books(tmp_path / "pointsman.db").accepted == 1


async def test_the_port_stays_open_for_the_delay_though_there_is_nothing_to_drain(
    platform: SlowPlatform, tmp_path: Path
) -> None:
    """Case 32: a pod is sent requests for some seconds after its SIGTERM."""
    delay = 1.0
    run = Run(tmp_path, platform.port, drain=20, delay=delay)
    process = await run.start()
    idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", run.port)
    try:
        idle_writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await idle_reader.readuntil(b"}")
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        refused_at = None
        while refused_at is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", run.port)
                writer.close()
                idle_was_open = not idle_reader.at_eof()
            except OSError:
                refused_at = time.monotonic()
            await asyncio.sleep(0.01)
        assert refused_at - began >= delay
        assert idle_was_open
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
    finally:
        idle_writer.close()
        stop(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_start_that_waits_for_its_database(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Case 39: there is nothing to drain, so exit code 0, and not after the wait's minute."""
    store = f'[store]\nurl = "postgresql://pointsman@127.0.0.1:{free_port()}/pointsman"'
    run = Run(tmp_path, free_port(), drain=20, delay=60, store=store)
    process = run.begin()
    try:
        await run.says("the store is not there yet")
        process.send_signal(number)
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
    finally:
        stop(process)
    text = run.log.read_text()
    assert f'"signal": "{number.name}", "event": "stopped during the start"' in text
    assert '"tries_left": 20' not in text, "it went on waiting"
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("second", "code"),
    [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 128 + signal.SIGINT)],
)
async def test_a_second_signal_ends_it_at_once(
    platform: SlowPlatform, tmp_path: Path, second: signal.Signals, code: int
) -> None:
    run = Run(tmp_path, platform.port, drain=600, delay=600)
    process = await run.start()
    try:
        async with aiohttp.ClientSession() as session:
            assert await _post(session, run.url, "one") == 200
            await platform.asked.wait()
        process.send_signal(signal.SIGTERM)
        await run.says("draining")
        process.send_signal(second)
        assert await asyncio.to_thread(process.wait, PATIENCE) == code
    finally:
        stop(process)
    assert "nothing acknowledged is lost" in run.log.read_text()
    assert read_books(tmp_path / "pointsman.db").accepted == 1


async def test_ctrl_c_does_not_wait_for_a_load_balancer(
    platform: SlowPlatform, tmp_path: Path
) -> None:
    run = Run(tmp_path, platform.port, drain=20, delay=600)
    process = await run.start()
    try:
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
    finally:
        stop(process)


async def test_sighup_is_answered_with_a_line_and_changes_nothing(
    platform: SlowPlatform, tmp_path: Path
) -> None:
    run = Run(tmp_path, platform.port, drain=20)
    process = await run.start()
    try:
        process.send_signal(signal.SIGHUP)
        await run.says("configuration read again; nothing differs")
        async with aiohttp.ClientSession() as session:
            assert await _post(session, run.url, "one") == 200
        platform.answer.set()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
    finally:
        stop(process)


async def test_a_stop_that_hangs_ends_by_itself_before_kubernetes_kills_it(tmp_path: Path) -> None:
    """Whatever the block waits for: a database that is away when the store closes, for example."""
    ends: list[int] = []
    stopping = Stop(ends.append)
    with stopping.at_the_latest_in(0):
        async with asyncio.timeout(PATIENCE):
            while not ends:  # noqa: ASYNC110 - a thread does it
                await asyncio.sleep(0.01)
    assert ends == [0]
