"""Knows the requests under way, so that a stop can answer each of them before connections close.

A load balancer goes on sending for some seconds after it was told not to, so during a drain new
requests are answered too, with `Connection: close` (RFC 9112 section 9.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pointsman.sources.http.errors import RETRY_AFTER, error_response


class RequestsUnderWay:
    """Every request from its head to its answer, one whose body is still coming included."""

    def __init__(self) -> None:
        self._draining = False
        self._requests: set[object] = set()
        self._limits: set[asyncio.Timeout] = set()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    @property
    def counting(self) -> Middleware:
        """The outermost middleware: it counts, and during a drain each answer closes."""

        @web.middleware
        async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
            mark = object()
            self._requests.add(mark)
            try:
                response = await handler(request)
            finally:
                self._requests.discard(mark)
                self._changed.set()
            if self._draining:
                response.force_close()
            return response

        return counting

    @property
    def cutting(self) -> Middleware:
        """The innermost middleware: what `cut` ends is answered with 503."""

        @web.middleware
        async def cutting(request: web.Request, handler: Handler) -> web.StreamResponse:
            limit = asyncio.timeout(None)
            try:
                async with limit:
                    self._limits.add(limit)
                    try:
                        return await handler(request)
                    finally:
                        self._limits.discard(limit)
            except TimeoutError:
                if not limit.expired():
                    raise
                return error_response(
                    503,
                    "this daemon stops, and its time for requests under way is over; send it "
                    "again: a statement with an id is stored once, however often it comes",
                    headers={"Retry-After": RETRY_AFTER},
                )

        return cutting

    def drain(self) -> None:
        """From now on each answer closes its connection."""
        self._draining = True

    async def wait_for_those_of_now(self) -> None:
        """Wait until all that is under way now is answered, whatever comes meanwhile."""
        now = set(self._requests)
        await self._wait(lambda: not now & self._requests)

    async def wait_for_all(self) -> None:
        """Wait until nothing is under way."""
        await self._wait(lambda: not self._requests)

    def cut(self) -> int:
        """End what is under way; it is answered with 503. How many requests that were."""
        now = asyncio.get_running_loop().time()
        for limit in self._limits:
            limit.reschedule(now)
        return len(self._limits)

    async def _wait(self, done: Callable[[], bool]) -> None:
        while not done():
            self._changed.clear()
            await self._changed.wait()
