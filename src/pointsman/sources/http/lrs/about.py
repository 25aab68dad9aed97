"""The about resource (xAPI Part 3 section 2.8): open to everybody, needs no version header.

Whoever says to speak 1.0.x is told of those versions only: PyPI's tincan fails on a 2.0.0 there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from pointsman.sources.http.errors import json_response
from pointsman.sources.http.lrs.version import HEADER, SUPPORTED

#: what one request may hold
LIMITS = "tag:pointsman,2026:limits"


def about(max_body_bytes: int) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        old = request.headers.get(HEADER, "").startswith("1.")
        versions = [one for one in SUPPORTED if one.startswith("1.") or not old]
        limits = {"max_body_bytes": max_body_bytes}
        return json_response({"version": versions, "extensions": {LIMITS: limits}})

    return handle
