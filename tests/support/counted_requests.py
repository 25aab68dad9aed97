"""Counts the requests of an application of a test, and cuts them as the daemon does."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pointsman.sources.http.middleware import RequestsUnderWay


def counting(requests: RequestsUnderWay) -> Middleware:
    """A middleware for handlers that are not the daemon's."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        with requests.counted(request):
            response = await requests.until_cut(handler(request))
        requests.finish(response)
        return response

    return count
