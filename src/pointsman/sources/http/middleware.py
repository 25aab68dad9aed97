"""Surrounds every request: counts it, gives its answer headers, turns errors into answers, drains.

From the outside in: counting, recording, version and consistency, CORS, errors, cutting. Each sees
the answers of the next one, those to refused requests included. It is one middleware, because each
more is paid for by every request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pointsman.domain.clock import Clock
from pointsman.domain.log_steps import UNKNOWN_ROUTE
from pointsman.sources.http.body import HELD, BytesInFlight, HeldBytes
from pointsman.sources.http.client_address import address_of_customer, sender_address
from pointsman.sources.http.cors import (
    BROWSER_CHALLENGE,
    answer_headers,
    preflight_headers,
    shows_credential,
    would_prompt,
)
from pointsman.sources.http.errors import (
    REASON,
    RETRY_AFTER,
    answer,
    answer_of_router,
    error_response,
)
from pointsman.sources.http.lrs.answers_under_way import UNTIL_WRITTEN, write_answer
from pointsman.sources.http.lrs.consistent_through import HEADER as CONSISTENT
from pointsman.sources.http.lrs.consistent_through import ConsistentThrough
from pointsman.sources.http.lrs.endpoint import (
    HEADER,
    VERSION,
    current_source,
    version_of_answer,
)
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.http.routes import READ

_XAPI = "/xapi/"
_STATEMENTS = (Resource.STATEMENTS.value, "/xapi//statements")
#: a method is any token, and a counter must not grow with what strangers send
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Surrounding:
    """The one middleware: what is done for every request, before its handler and after it.

    `on_request` is told source, method, route, status and seconds; `on_refusal` the first four of
    a request that was turned away, and the reason.
    """

    def __init__(
        self,
        on_request: Callable[[str, str, str, int, float], None],
        on_refusal: Callable[[str, str, str, int, str], None],
        clock: Clock,
        consistency: ConsistentThrough,
        origins: Sequence[str],
        requests: RequestsUnderWay,
    ) -> None:
        self._on_request = on_request
        self._on_refusal = on_refusal
        self._clock = clock
        self._consistency = consistency
        self._origins = origins
        self._requests = requests

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def surround(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                with self._requests.counted(request):
                    response = await self._recorded(request, handler)
                self._requests.finish(response)
                if UNTIL_WRITTEN in request:
                    await write_answer(request, response)
            finally:
                if (held := request.get(UNTIL_WRITTEN)) is not None:
                    await held.aclose()
            return response

        return surround

    async def _recorded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = self._clock.monotonic()
        current_source.set("")
        response = await self._across_origins(request, handler)
        headers = response.headers
        if request.path.startswith(_XAPI):
            is_unmarked = request.path.startswith(_STATEMENTS) and CONSISTENT not in headers
            if is_unmarked and (through := await self._consistency.lately()):
                headers[CONSISTENT] = through
            headers[HEADER] = request.get(VERSION) or _version(request, response)
        is_basic = headers.get("WWW-Authenticate", "").startswith("Basic")
        if is_basic and would_prompt(request.headers):
            headers["WWW-Authenticate"] = BROWSER_CHALLENGE
        # in place of what the library says: its version and Python's
        headers["Server"] = "pointsman"
        source, route = current_source.get(), _route_name(request)
        method = request.method if request.method in _METHODS else "other"
        self._on_request(source, method, route, response.status, self._clock.monotonic() - began)
        if REASON in request:
            self._on_refusal(source, method, route, response.status, request[REASON])
        return response

    async def _across_origins(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers OPTIONS on every known path, and marks all answers (CORS)."""
        origins, origin = self._origins, request.headers.get("Origin")
        if origin is None and request.method != "OPTIONS":  # no page of another origin asks
            response = await self._answered(request, handler)
            if origins:
                response.headers["Vary"] = "Origin"
            return response
        shows = shows_credential(request.path)
        missing = request.match_info.http_exception
        if request.method == "OPTIONS" and not isinstance(missing, web.HTTPNotFound):
            requested = request.headers.get("Access-Control-Request-Headers")
            headers = preflight_headers(origins, origin, requested, with_credentials=shows)
            if isinstance(missing, web.HTTPMethodNotAllowed):
                headers["Allow"] = ", ".join(sorted({*missing.allowed_methods, "OPTIONS"}))
            return web.Response(status=204, headers=headers)
        response = await self._answered(request, handler)
        response.headers.update(answer_headers(origins, origin, with_credentials=shows))
        return response

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What the handler answers; whatever it raises is an answer too."""
        try:
            return await self._requests.until_cut(handler(request))
        except web.HTTPException as error:
            request[REASON] = error.reason
            return answer_of_router(error)
        except Exception as error:  # noqa: BLE001 - the sender gets an answer whatever happens
            return answer(request, error)


def _version(request: web.Request, response: web.StreamResponse) -> str:
    """Of an answer to a request that was refused before its version was known."""
    bare = request.method in READ and not request.query_string
    probing = bare and response.status == HTTPStatus.BAD_REQUEST
    return version_of_answer(request.headers.get(HEADER), probing=probing)


def _route_name(request: web.Request) -> str:
    """The path when it is one of ours; a counter must not grow with the paths of strangers."""
    resource = request.match_info.route.resource
    if resource is None:
        return UNKNOWN_ROUTE
    return resource.canonical.rstrip("/").replace("//", "/") or "/"


def _customer(request: web.Request) -> str:
    return address_of_customer(sender_address(request))


class _UnderWay:
    """A request whose handler runs, in this task."""

    __slots__ = ("cancelling", "is_cut", "task")

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task = task
        #: how often others had cancelled it before
        self.cancelling = task.cancelling()
        self.is_cut = False


class _Counted:
    """A request from its head to its answer, and its part of the budget for bodies."""

    __slots__ = ("_changed", "_held", "_requests")

    def __init__(
        self,
        request: web.Request,
        requests: set[object],
        changed: asyncio.Event,
        budget: BytesInFlight | None,
    ) -> None:
        self._requests, self._changed = requests, changed
        self._held: HeldBytes | None = None
        if budget is not None:
            self._held = request[HELD] = HeldBytes(budget, partial(_customer, request))

    def __enter__(self) -> None:
        self._requests.add(self)

    def __exit__(self, *_: object) -> None:
        if self._held is not None:
            self._held.release()
        self._requests.discard(self)
        self._changed.set()


class RequestsUnderWay:
    """Every request from its head to its answer, one whose body is still coming included.

    So a stop can answer each of them before connections close. A load balancer goes on sending for
    some seconds after it was told not to, so during a drain new requests are answered too, with
    `Connection: close` (RFC 9112 section 9.6).
    """

    def __init__(self, budget: BytesInFlight | None = None) -> None:
        """`budget` is for the bodies of all of them."""
        self._budget = budget
        self._draining = False
        self._requests: set[object] = set()
        self._running: set[_UnderWay] = set()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    def counted(self, request: web.Request) -> _Counted:
        """The request is under way within this."""
        return _Counted(request, self._requests, self._changed, self._budget)

    def finish(self, response: web.StreamResponse) -> None:
        """During a drain each answer closes its connection."""
        if self._draining:
            response.force_close()

    async def until_cut(self, answering: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        """The answer; what `cut` ends is answered with 503."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is answered in a task")
        under_way = _UnderWay(task)
        self._running.add(under_way)
        try:
            return await answering
        except asyncio.CancelledError:
            # as asyncio.timeout does: whoever else has cancelled it is obeyed
            if not under_way.is_cut or task.uncancel() > under_way.cancelling:
                raise
            return error_response(
                503,
                "this daemon stops, and its time for requests under way is over; send it "
                "again: a statement with an id is stored once, however often it comes",
                headers={"Retry-After": RETRY_AFTER},
            )
        finally:
            self._running.discard(under_way)

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
        for under_way in self._running:
            if not under_way.is_cut:
                under_way.is_cut = True
                under_way.task.cancel()
        return len(self._running)

    async def _wait(self, done: Callable[[], bool]) -> None:
        while not done():
            self._changed.clear()
            await self._changed.wait()
