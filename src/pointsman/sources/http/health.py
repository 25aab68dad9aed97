"""Answers probes and the metrics page: for the operator's side, so without credentials."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from pointsman.sources.http.errors import error_response, json_response


class Health:
    """`ready` tells whether statements can be taken, and why not.

    `source_problems` tells which sources can't read, by name; it is shown with a 200.
    `problem` says why a restart of the process may help, "" while nothing says so.
    `metrics_page` gives body and type of the page for what a request accepts.
    """

    def __init__(
        self,
        ready: Callable[[], Awaitable[tuple[bool, str]]],
        metrics_page: Callable[[str], Awaitable[tuple[bytes, str]]],
        problem: Callable[[], str],
        source_problems: Callable[[], dict[str, str]] = dict,
    ) -> None:
        self._source_problems = source_problems
        self._ready = ready
        self._problem = problem
        self._metrics_page = metrics_page

    async def healthz(self, _request: web.Request) -> web.Response:
        """The process runs its loop, and no part of it keeps ending: a restart mends no more."""
        if problem := self._problem():
            return error_response(503, problem)
        return json_response({"status": "ok"})

    async def readyz(self, _request: web.Request) -> web.Response:
        ready, reason = await self._ready()
        if not ready:
            return error_response(503, reason)
        problems = self._source_problems()
        shown = {"source_problems": problems} if problems else {}
        return json_response({"status": "ready", **shown})

    async def metrics(self, request: web.Request) -> web.Response:
        body, content_type = await self._metrics_page(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})
