"""Answers probes: for the operator's side, so without credentials."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from pointsman.sources.http.errors import error_response, json_response


@dataclass(frozen=True, slots=True)
class ReadyState:
    """Whether statements can be taken now: `reason` says why not, and is "" when they can.

    `details` are problems by the name of the part that has each; not all are a reason.
    """

    reason: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class Health:
    """`ready` tells whether statements can be taken, and why not.

    `problem` says why a restart of the process may help, "" while nothing says so.
    """

    def __init__(
        self, ready: Callable[[], Awaitable[ReadyState]], problem: Callable[[], str]
    ) -> None:
        self._ready = ready
        self._problem = problem

    async def healthz(self, _request: web.Request) -> web.Response:
        """The process runs its loop, and no part of it keeps ending: a restart corrects no more."""
        if problem := self._problem():
            return error_response(503, problem)
        return json_response({"status": "ok"})

    async def readyz(self, _request: web.Request) -> web.Response:
        """What a post would meet: 503 with the reason where it would not be stored."""
        state = await self._ready()
        details = dict(state.details)
        if not state.reason:
            return json_response({"status": "ready", "details": details})
        error = {"status": 503, "reason": state.reason, "problems": [], "details": details}
        return json_response({"error": error}, status=503)
