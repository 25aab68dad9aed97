"""Listens, and stops listening so that no sender meets a closed door before it was told to go.

`begin_drain` and then `close`: the listener stays for the delay, in which load balancers learn from
/readyz that they should send elsewhere, and until what is under way then is answered. Then it
closes, and what came meanwhile is answered as well. Connections that are idle are cut last.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable

import structlog
from aiohttp import web

from pointsman.domain.clock import Clock
from pointsman.domain.errors import ConfigError
from pointsman.domain.port_errors import cannot_listen
from pointsman.sources.http.connection import ConnectionHooks, ConnectionTimes, SenderConnection
from pointsman.sources.http.connection_limits import ConnectionLimits
from pointsman.sources.http.direct_posts import RequestHandler, answer_of
from pointsman.sources.http.errors import answer_of_router
from pointsman.sources.http.middleware import RequestsUnderWay

log = structlog.get_logger(__name__)

#: seconds for answers that are being written when the time is up
_LAST_WORDS = 1.0
#: seconds in which connections that were just made may still ask, where others share the port and
#: senders expect no end of it
_LAST_REQUESTS = 0.25
#: connections that the system holds until they are taken; less than a flood of a moment fills
_BACKLOG = 1_024


class HttpServer:
    """One listening socket and its connections.

    After `begin_drain` the stop takes at most `drain_delay` and `drain_seconds` together.
    """

    def __init__(
        self,
        app: web.Application,
        requests: RequestsUnderWay,
        clock: Clock,
        limits: ConnectionLimits,
        times: ConnectionTimes,
        hooks: ConnectionHooks,
        *,
        host: str,
        port: int,
        drain_seconds: float,
        section: str = "http",
        reuse_port: bool = False,
    ) -> None:
        """`section` of the settings is the one that has `host` and `port`.

        With `reuse_port` other processes may listen there too, and the system spreads connections.
        """
        self._section = section
        self._limits, self._times, self._hooks = limits, times, hooks
        self._listener: asyncio.Server | None = None
        #: what answers a request from now on, on open connections too
        self._answer: RequestHandler = _not_open
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_WORDS)
        self._requests = requests
        self._clock = clock
        self._host, self._port, self._reuse_port = host, port, reuse_port
        self._drain_seconds = drain_seconds
        #: on the monotonic clock: the listener stays until then, and requests have until then
        self._listen_until = self._answer_until = 0.0

    async def open(self) -> None:
        """Listen. Raises `ConfigError` when the port can't be had."""
        await self._runner.setup()
        if (server := self._runner.server) is not None:
            self._answer = answer_of(self._runner.app, _by_router(server.request_handler))
            server.request_handler = self._answered
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._connection,
                self._host,
                self._port,
                backlog=_BACKLOG,
                reuse_address=True,
                reuse_port=self._reuse_port,
            )
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(
                cannot_listen(
                    error,
                    self._host,
                    self._port,
                    host_setting=f"{self._section}.host",
                    port_setting=f"{self._section}.port",
                    reuse_port=self._reuse_port,
                )
            ) from None

    async def reconfigure(self, app: web.Application) -> None:
        """Requests from now on are answered by this one; what is under way ends as it began."""
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        if (server := runner.server) is not None:
            self._answer = answer_of(app, _by_router(server.request_handler))

    def begin_drain(self, delay: float) -> None:
        """Answers close their connections from now on; `close` waits `delay` seconds from now."""
        self._requests.drain()
        self._listen_until = self._clock.monotonic() + delay
        self._answer_until = self._listen_until + self._drain_seconds

    async def close(self) -> None:
        """Answer what is under way, within the time that there is; then cut all connections."""
        self._requests.drain()
        await self._clock.sleep(self._listen_until - self._clock.monotonic())
        await self._in_time(self._requests.wait_for_those_of_now())
        if self._listener is not None:
            self._listener.close()
        if self._reuse_port:
            await self._in_time(self._clock.sleep(_LAST_REQUESTS))
        await self._in_time(self._requests.wait_for_all())
        if cut := self._requests.cut():
            log.warning(
                "requests were ended at the deadline, answered with 503",
                n=cut,
                next="their senders may repeat them; if often, raise http.drain_seconds",
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS):
                    await self._requests.wait_for_all()
        if (server := self._runner.server) is not None:
            server.pre_shutdown()
            # those of them whose answers are on their way have what is left of the time
            left = max(_LAST_WORDS, self._answer_until - self._clock.monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await server.shutdown(left)
        await self._runner.cleanup()

    def _connection(self) -> SenderConnection:
        server = self._runner.server
        if server is None:
            raise ConnectionAbortedError("the listener is closed")
        loop = asyncio.get_running_loop()
        return SenderConnection(server, loop, self._limits, self._times, self._hooks)

    def _answered(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """A connection keeps this for as long as it lasts, whatever `reconfigure` changes."""
        return self._answer(request)

    async def _in_time(self, answered: Awaitable[None]) -> None:
        left = max(0.0, self._answer_until - self._clock.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await answered


def _by_router(handler: RequestHandler) -> RequestHandler:
    """With answers of our own where the library answers by itself: it repeats what was sent."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            response = answer_of_router(error)
            response.headers["Server"] = "pointsman"
            return response

    return answer


async def _not_open(_request: web.BaseRequest) -> web.StreamResponse:
    raise ConnectionAbortedError("the listener is closed")
