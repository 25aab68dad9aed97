"""Connections as an attacker opens them: silent, slow, many, with heads of any size, unread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from demo.processes import PATIENCE, free_port
from pointsman.domain.clock import SystemClock
from pointsman.sources.http.connection import ConnectionHooks, ConnectionTimes
from pointsman.sources.http.connection_limits import Closed, ConnectionLimits
from pointsman.sources.http.middleware import RequestsUnderWay
from pointsman.sources.http.server import HttpServer
from tests.support.counted_requests import counting

#: seconds that nothing here waits for
LONG = 3_600.0
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Sockets:
    """A server of one page, and what became of its connections."""

    port: int
    closed: list[Closed] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)
    open_now: int = 0
    #: the page is answered when this is set
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    connections: list[Socket] = field(default_factory=list)

    async def connect(self, data: bytes = b"") -> Socket:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        socket = Socket(reader, writer)
        self.connections.append(socket)
        if data:
            await socket.send(data)
        return socket

    async def until(self, sign: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not sign():  # noqa: ASYNC110 - its other end is a socket
                await asyncio.sleep(0)


@dataclass
class Socket:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        """Of one answer, read to its end."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].split()[0])
            await self.reader.readexactly(length)
        return int(head.split()[1])

    async def rest(self) -> bytes:
        """All until the other side closes."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def serving(
    *, head: float = LONG, idle: float = LONG, most: int = 50, most_of_address: int = 50
) -> AsyncIterator[Sockets]:
    sockets = Sockets(free_port())
    requests = RequestsUnderWay()

    async def page(_request: web.Request) -> web.Response:
        sockets.under_way += 1
        await sockets.answer.wait()
        sockets.under_way -= 1
        return web.Response(text="here")

    async def large(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 50_000_000)

    app = web.Application(middlewares=[counting(requests)])
    app.router.add_get("/", page)
    app.router.add_get("/large", large)

    def set_open(count: int) -> None:
        sockets.open_now = count

    server = HttpServer(
        app,
        requests,
        SystemClock(),
        ConnectionLimits(most, most_of_address, ()),
        ConnectionTimes(head, idle),
        ConnectionHooks(
            closed=lambda why, _address: sockets.closed.append(why),
            malformed=lambda status, reason: sockets.malformed.append((status, reason)),
            open=set_open,
        ),
        host="127.0.0.1",
        port=sockets.port,
        drain_seconds=0,
    )
    await server.open()
    sockets.answer.set()
    try:
        yield sockets
    finally:
        sockets.answer.set()
        for socket in sockets.connections:
            socket.writer.close()
        await server.close()


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"\r\n", b"408"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"408"),
    ],
    ids=["silent", "an empty line", "half a head"],
)
async def test_who_connects_and_does_not_finish_a_head_is_cut_off(
    sent: bytes, answer: bytes
) -> None:
    async with serving(head=0.05) as sockets:
        rest = await (await sockets.connect(sent)).rest()

        assert answer in rest.partition(b"\r\n")[0]
        await sockets.until(lambda: sockets.open_now == 0)
    assert sockets.closed == [Closed.SLOW_HEAD]


async def test_a_head_that_comes_in_drops_is_cut_off_after_a_good_request_too() -> None:
    async with serving(head=0.2) as sockets:
        socket = await sockets.connect(REQUEST)
        assert await socket.status() == 200
        rest = asyncio.create_task(socket.rest())
        await socket.send(b"GET / HTTP/1.1\r\nX: ")
        while not rest.done():
            socket.writer.write(b"x")
            await asyncio.sleep(0.01)

    assert sockets.closed == [Closed.SLOW_HEAD]


async def test_a_request_that_takes_longer_than_its_head_may_is_answered() -> None:
    async with serving(head=0.05, idle=0.05) as sockets:
        sockets.answer.clear()
        socket = await sockets.connect(REQUEST)
        silent = await sockets.connect()
        await silent.rest()
        sockets.answer.set()

        assert await socket.status() == 200


async def test_a_connection_without_a_request_is_closed_after_its_idle_time() -> None:
    async with serving(idle=0.05) as sockets:
        socket = await sockets.connect(REQUEST)

        assert await socket.status() == 200
        assert await socket.rest() == b""


async def test_a_head_without_end_is_refused_before_it_fills_the_memory() -> None:
    async with serving() as sockets:
        socket = await sockets.connect(b"GET / HTTP/1.1\r\n")
        rest = asyncio.create_task(socket.rest())
        for number in range(60):
            if rest.done():
                break
            socket.writer.write(b"X-%d: %s\r\n" % (number, b"x" * 1_000))
            await asyncio.sleep(0.001)

        assert b" 431 " in await rest
    assert sockets.closed == [Closed.LARGE_HEAD]


async def test_the_answer_to_a_large_body_that_nobody_takes_can_be_read() -> None:
    size = 20_000_000
    async with serving() as sockets:
        head = f"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        socket = await sockets.connect(head.encode())
        for _ in range(size // 100_000):
            await socket.send(b"GET / HTTP/1.1\r\n" + b"x" * 99_984)

        assert await socket.status() == 404
        await socket.send(REQUEST)
        assert await socket.status() == 200


async def test_many_idle_connections_keep_nobody_out() -> None:
    async with serving(most=20, most_of_address=20) as sockets:
        for _ in range(100):
            await sockets.connect()
        await sockets.until(lambda: len(sockets.closed) == 80)

        assert await (await sockets.connect(REQUEST)).status() == 200
        assert sockets.open_now <= 20
    assert set(sockets.closed) == {Closed.IDLE}


async def test_more_requests_at_once_than_an_address_may_have_are_refused_in_words() -> None:
    async with serving(most=20, most_of_address=5) as sockets:
        sockets.answer.clear()
        busy = [await sockets.connect(REQUEST) for _ in range(5)]
        await sockets.until(lambda: sockets.under_way == 5)
        refused = await (await sockets.connect(REQUEST)).rest()
        sockets.answer.set()

        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: " in refused
        assert [await socket.status() for socket in busy] == [200] * 5
    assert sockets.closed == [Closed.FULL_FOR_ADDRESS]


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with serving(idle=0.2) as sockets:
        await sockets.connect(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")

        await sockets.until(lambda: sockets.closed == [Closed.UNREAD_ANSWER])
        await sockets.until(lambda: sockets.open_now == 0)


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /scorm/SECRET/commit HTTP/9.9\r\nAuthorization: Basic SECRET\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: Basic SECRET\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization Basic SECRET\r\n\r\n",
        b"GET /" + b"SECRET" * 5_000 + b" HTTP/1.1\r\n\r\n",
        b"SECRET\r\n\r\n",
        b"GET http://[SECRET/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: SECRET\r\n\r\n",
        b"\x16\x03\x01\x02\x00SECRET",
    ],
    ids=["version", "nul", "no colon", "long", "no method", "address", "length", "tls"],
)
async def test_a_malformed_request_is_answered_without_a_word_of_it(
    request_head: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as sockets:
        answer = await (await sockets.connect(request_head)).rest()

    assert answer.partition(b" ")[2][:3] in {b"400", b"431"}
    assert b"\r\nServer: pointsman\r\n" in answer
    assert len(sockets.malformed) == 1
    printed = capfd.readouterr()
    for text in (answer.decode(), caplog.text, printed.out, printed.err, sockets.malformed[0][1]):
        assert "SECRET" not in text
        assert "aiohttp" not in text.lower()


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd"])
async def test_a_body_that_can_not_be_decompressed_is_no_fault_of_ours(encoding: bytes) -> None:
    """Anybody could fill the log with errors that ask to be reported."""
    head = b"POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 102\r\n"
    head += b"Content-Encoding: " + encoding + b"\r\n\r\n"
    with capture_logs() as lines:
        async with serving() as sockets:
            answer = await (await sockets.connect(head + b"\x1f\x8b" + b"0" * 100)).rest()
    assert answer.partition(b" ")[2][:1] == b"4"
    assert [line for line in lines if line["log_level"] == "error"] == []
