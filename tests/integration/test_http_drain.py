"""A stop on real sockets: who is answered, who is let in, and when connections close.

The delay is over when the test says so, so nothing here waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from demo.processes import free_port
from pointsman.domain.errors import ConfigError
from pointsman.sources.http.connection import ConnectionHooks, ConnectionTimes
from pointsman.sources.http.connection_limits import ConnectionLimits
from pointsman.sources.http.middleware import RequestsUnderWay
from pointsman.sources.http.server import HttpServer
from tests.support.counted_requests import counting

#: none of these is of importance here
CONNECTIONS = ConnectionLimits(100, 100, ()), ConnectionTimes(60, 60), ConnectionHooks()
#: a body in two pieces
FIRST, SECOND = b'{"verb": ', b'"completed"}'


class HeldClock:
    """A `Clock` that sleeps until the test lets it go on."""

    def __init__(self) -> None:
        self.sleeping = asyncio.Event()
        self.go_on = asyncio.Event()
        self.slept = 0.0

    def now(self) -> float:
        return 1_000.0

    def monotonic(self) -> float:
        return 50.0 + self.slept

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        self.sleeping.set()
        await self.go_on.wait()
        self.slept += seconds


@dataclass
class World:
    """A server whose handler reads the whole body, and answers when `answer` is set."""

    server: HttpServer
    port: int
    clock: HeldClock
    requests: RequestsUnderWay
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    bodies: list[bytes] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)

    async def connect(self) -> Connection:
        connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        self.connections.append(connection)
        return connection

    async def under_way(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.requests) != count:  # noqa: ASYNC110 - its other end is a socket
                await asyncio.sleep(0)


@dataclass
class Connection:
    """A sender's, byte by byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, path: str, *pieces: bytes, length: int | None = None) -> None:
        size = sum(map(len, pieces)) if length is None else length
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        await self.more(head.encode() + b"".join(pieces))

    async def more(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bool]:
        """(status, whether the answer says that the connection closes)."""
        async with asyncio.timeout(60):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].split()[0])
            await self.reader.readexactly(length)
        return int(head.split()[1]), "connection: close" in head

    async def closed(self) -> bool:
        async with asyncio.timeout(60):
            return await self.reader.read(1) == b""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    requests, clock, port = RequestsUnderWay(), HeldClock(), free_port()

    async def at_once(request: web.Request) -> web.Response:
        made.bodies.append(await request.read())
        return web.Response(text="stored")

    async def when_told(request: web.Request) -> web.Response:
        made.bodies.append(await request.read())
        await made.answer.wait()
        return web.Response(text="stored")

    app = web.Application(middlewares=[counting(requests)])
    app.router.add_post("/at-once", at_once)
    app.router.add_post("/when-told", when_told)
    server = HttpServer(
        app, requests, clock, *CONNECTIONS, host="127.0.0.1", port=port, drain_seconds=60
    )
    made = World(server, port, clock, requests)
    await server.open()
    yield made
    clock.go_on.set()
    made.answer.set()
    for connection in made.connections:
        connection.writer.close()
    await server.close()


async def stopping(world: World, delay: float = 5) -> asyncio.Task[None]:
    """A stop that is in its delay."""
    world.server.begin_drain(delay)
    task = asyncio.create_task(world.server.close())
    if delay:
        await world.clock.sleeping.wait()
    return task


async def test_a_body_that_is_still_coming_is_read_to_its_end_and_answered(world: World) -> None:
    slow = await world.connect()
    await slow.send("/at-once", FIRST, length=len(FIRST + SECOND))
    await world.under_way(1)

    stop = await stopping(world, delay=0)
    await slow.more(SECOND)

    assert await slow.answer() == (200, True)
    assert world.bodies == [FIRST + SECOND]
    await stop


async def test_new_requests_are_served_during_the_delay_and_told_to_go(world: World) -> None:
    stop = await stopping(world)

    for _ in range(3):
        sender = await world.connect()
        await sender.send("/at-once", FIRST)
        assert await sender.answer() == (200, True)
        assert await sender.closed()
    world.clock.go_on.set()
    await stop


async def test_an_idle_connection_is_kept_through_the_delay_and_may_be_used(world: World) -> None:
    idle, used = await world.connect(), await world.connect()
    for sender in (idle, used):
        await sender.send("/at-once", FIRST)
        assert await sender.answer() == (200, False)

    stop = await stopping(world)
    await used.send("/at-once", SECOND)
    assert await used.answer() == (200, True)
    assert not idle.reader.at_eof()
    world.clock.go_on.set()
    await stop

    assert await idle.closed()


async def test_the_listener_stays_until_what_was_under_way_is_answered(world: World) -> None:
    slow = await world.connect()
    await slow.send("/when-told", FIRST)
    await world.under_way(1)
    stop = await stopping(world)
    world.clock.go_on.set()

    late = await world.connect()
    await late.send("/at-once", SECOND)
    assert await late.answer() == (200, True)
    world.answer.set()

    assert await slow.answer() == (200, True)
    await stop
    with pytest.raises(ConnectionRefusedError):
        await world.connect()


async def test_a_stream_of_new_requests_does_not_keep_it_from_stopping(world: World) -> None:
    """Only what was under way at the end of the delay is waited for with the port open."""
    stop = await stopping(world)
    first = await world.connect()
    await first.send("/when-told", FIRST)
    await world.under_way(1)
    world.clock.go_on.set()
    await asyncio.sleep(0)
    second = await world.connect()
    await second.send("/when-told", SECOND)
    await world.under_way(2)

    world.answer.set()

    assert await first.answer() == (200, True)
    assert await second.answer() == (200, True)
    await stop


async def test_what_is_not_done_at_the_deadline_is_answered_with_503(world: World) -> None:
    stuck, silent = await world.connect(), await world.connect()
    await stuck.send("/when-told", FIRST)
    await silent.send("/at-once", FIRST, length=1_000)
    await world.under_way(2)
    world.server.begin_drain(0)
    world.clock.slept = 1_000.0  # the time is up

    await world.server.close()

    assert await stuck.answer() == (503, True)
    assert await silent.answer() == (503, True)


async def test_a_stop_that_was_not_announced_cuts_at_once(world: World) -> None:
    """A start that failed after the port was open has nothing to wait for."""
    stuck = await world.connect()
    await stuck.send("/when-told", FIRST)
    await world.under_way(1)

    await world.server.close()

    assert not world.clock.sleeping.is_set()
    assert await stuck.answer() == (503, True)


async def test_a_port_that_is_taken_is_named(world: World) -> None:
    other = HttpServer(
        web.Application(),
        RequestsUnderWay(),
        world.clock,
        *CONNECTIONS,
        host="127.0.0.1",
        port=world.port,
        drain_seconds=1,
    )

    with pytest.raises(ConfigError, match=rf"port {world.port} \(http.port\) is in use"):
        await other.open()
