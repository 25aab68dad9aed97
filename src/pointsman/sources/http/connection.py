"""One connection of a sender: how long it may take, and what is answered to what is no HTTP.

aiohttp does the protocol; this adds what it has not: a time and a size for the head of a request,
a time for answers that nobody reads, and an answer to malformed requests that repeats nothing of
them, for a credential may be in what is malformed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import http_exceptions, web
from aiohttp.abc import AbstractAccessLogger

from pointsman.sources.http.connection_answers import end_connection, log_fault, malformed
from pointsman.sources.http.connection_limits import Closed, ConnectionLimits, OnClosed
from pointsman.sources.http.errors import error_response

#: bytes of a request line and headers together; those that end in the piece that comes are free
_MOST_HEAD_BYTES = 32_768
#: bytes of a body that wait for their reader, twice as many at most
_READ_BUFFER = 65_536
#: seconds in which what is left of a refused body is read, so that the answer can be read
_LINGERING = 5.0


@dataclass(frozen=True, slots=True)
class ConnectionTimes:
    """Seconds for the head of a request, and for a connection without a request."""

    head: float
    idle: float


@dataclass(frozen=True, slots=True)
class ConnectionHooks:
    """What is told of connections.

    - closed: one was closed before its sender did so
    - malformed: status and reason of the answer to what is no HTTP request
    - open: how many are open now
    """

    closed: OnClosed = lambda *_: None
    malformed: Callable[[int, str], None] = lambda *_: None
    open: Callable[[int], None] = lambda _: None


class SenderConnection(web.RequestHandler):
    """aiohttp makes one for each connection."""

    __slots__ = (
        "_address",
        "_answered",
        "_head_bytes",
        "_head_timer",
        "_hooks",
        "_limits",
        "_refused",
        "_times",
        "_unread_bytes",
        "_unread_timer",
    )

    def __init__(
        self,
        server: web.Server,
        loop: asyncio.AbstractEventLoop,
        limits: ConnectionLimits,
        times: ConnectionTimes,
        hooks: ConnectionHooks,
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=times.idle,
            lingering_time=_LINGERING,
            read_bufsize=_READ_BUFFER,
            access_log_class=_NoAccessLog,
        )
        self._limits = limits
        self._times = times
        self._hooks = hooks
        self._address = ""
        self._refused = False
        #: of the requests that aiohttp counts
        self._answered = 0
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        #: of an answer that is not read as fast as it is written, when that was looked at
        self._unread_bytes = 0
        self._unread_timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """No request of it is under way: none came, or the head of the next one is not whole."""
        return self._request_count == self._answered

    def make_room(self) -> None:
        self._hooks.closed(Closed.IDLE, self._address)
        self.force_close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if isinstance(peer, tuple) else ""
        no_room = self._limits.enter(self, self._address)
        if no_room is not None:
            self._refused = True
            self._hooks.closed(no_room, self._address)
            end_connection(transport, 503, "this daemon has as many connections as it takes")
            return
        self._hooks.open(len(self._limits))
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._cancel_timers()
        if self._refused:
            return
        self._limits.leave(self)
        self._hooks.open(len(self._limits))
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        before = self._request_count
        super().data_received(data)
        if self._request_count > before:
            self._head_bytes = 0
            self._cancel_head_timer()
        elif data and self._waiter is not None and self.transport is not None:
            # it waits for a request; what comes without that is the rest of a body
            self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                self._give_up(Closed.LARGE_HEAD, 431, "the head of the request is too large")
            elif self._head_timer is None:
                self._await_head()

    def pause_writing(self) -> None:
        """An answer is not read as fast as it is written."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cancel_unread_timer()

    def log_access(self, *_: object) -> None:
        """An answer is at its end: aiohttp calls this then."""
        self._answered += 1
        self._limits.answered(self)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats what was sent
    ) -> web.StreamResponse:
        """The answer to what is no HTTP request, or to a fault outside of our own error answers."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun, and the connection is of no more use")
        if isinstance(exc, http_exceptions.HttpProcessingError):
            status, reason = malformed(exc)
            self._hooks.malformed(status, reason)
        else:
            reason = f"an error of this service; its log has it as {log_fault(exc)}"
        response = error_response(status, reason, headers={"Server": "pointsman"})
        response.force_close()
        return response

    def log_exception(self, *_args: Any, exc_info: Any = None, **_more: Any) -> None:
        """What aiohttp would log with the request in it.

        A sender that went away is no fault of ours, nor is one whose body can't be decompressed.
        """
        if self.transport is not None and not isinstance(exc_info, web.RequestPayloadError):
            log_fault(exc_info if isinstance(exc_info, BaseException) else None)

    def _await_head(self) -> None:
        self._head_timer = self._loop.call_later(self._times.head, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.is_idle:
            self._give_up(Closed.SLOW_HEAD, 408, "the head of the request did not come in time")

    def _give_up(self, why: Closed, status: int, reason: str) -> None:
        self._hooks.closed(why, self._address)
        # who has said nothing is told nothing
        if self.transport is not None and self._head_bytes:
            end_connection(self.transport, status, reason)
        self.force_close()

    def _await_reader(self) -> None:
        if self.transport is not None:
            self._unread_bytes = self.transport.get_write_buffer_size()
            self._unread_timer = self._loop.call_later(self._times.idle, self._look_at_unread)

    def _look_at_unread(self) -> None:
        """Who read nothing meanwhile is not waited for."""
        self._unread_timer = None
        if self.transport is None:
            return
        if self.transport.get_write_buffer_size() < self._unread_bytes:
            self._await_reader()
        else:
            self._hooks.closed(Closed.UNREAD_ANSWER, self._address)
            self.transport.abort()

    def _cancel_timers(self) -> None:
        self._cancel_head_timer()
        self._cancel_unread_timer()

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _cancel_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None


class _NoAccessLog(AbstractAccessLogger):
    """Requests are counted, and those that are refused are told: no line for each."""

    @property
    def enabled(self) -> bool:
        return False

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Nothing."""
