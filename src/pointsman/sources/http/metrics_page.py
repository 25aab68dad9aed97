"""Answers /metrics, with a page that is a second old at most: each new one asks the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from pointsman.domain.clock import Clock

#: seconds for which a page is shown again
FRESH = 1.0
_OPEN_METRICS = "application/openmetrics-text"


class MetricsPage:
    """`render` gives body and content type of a new page for what a request accepts."""

    def __init__(self, render: Callable[[str], Awaitable[tuple[bytes, str]]], clock: Clock) -> None:
        self._render = render
        self._clock = clock
        #: by what is accepted: when it was made on the monotonic clock, body, content type
        self._pages: dict[str, tuple[float, bytes, str]] = {}
        self._rendering = asyncio.Lock()

    async def get(self, request: web.Request) -> web.Response:
        """OpenMetrics where the request accepts it, else Prometheus' text format."""
        # one of two, for the pages that are held must not grow with what strangers send
        wants_open = _OPEN_METRICS in request.headers.get("Accept", "")
        accept = f"{_OPEN_METRICS}; version=1.0.0" if wants_open else ""
        async with self._rendering:
            made_at, body, content_type = self._pages.get(accept, (float("-inf"), b"", ""))
            if self._clock.monotonic() - made_at >= FRESH:
                body, content_type = await self._render(accept)
                self._pages[accept] = (self._clock.monotonic(), body, content_type)
        return web.Response(body=body, headers={"Content-Type": content_type})
