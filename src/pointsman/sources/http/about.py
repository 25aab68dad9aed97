"""The about resource (xAPI Part 3 section 2.8): open to everybody, needs no version header."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from pointsman.sources.http.errors import json_response
from pointsman.sources.http.version import SUPPORTED

#: what one request may hold
LIMITS = "tag:pointsman,2026:limits"


def about(max_body_bytes: int) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(_request: web.Request) -> web.Response:
        limits = {"max_body_bytes": max_body_bytes}
        return json_response({"version": list(SUPPORTED), "extensions": {LIMITS: limits}})

    return handle
