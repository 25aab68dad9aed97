"""The about resource (xAPI Part 3 section 2.8): open to everybody, needs no version header."""

from __future__ import annotations

from aiohttp import web

from pointsman.sources.http.errors import json_response
from pointsman.sources.http.version import SUPPORTED


async def about(_request: web.Request) -> web.Response:
    return json_response({"version": list(SUPPORTED)})
