"""Surrounds every request: counts it, gives its answer headers, turns errors into answers, drains.

From the outside in: counting, recording, version, consistency, CORS, errors, cutting. Each sees the
answers of the next one, those to refused requests included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pointsman.domain.clock import Clock
from pointsman.domain.log_steps import UNKNOWN_ROUTE
from pointsman.sources.http.body import HELD, BytesInFlight, HeldBytes
from pointsman.sources.http.cors import (
    BROWSER_CHALLENGE,
    answer_headers,
    preflight_headers,
    shows_credential,
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
#: a method is any token, and a counter must not grow with what strangers send
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def middlewares(
    on_request: Callable[[str, str, str, int, float], None],
    on_refusal: Callable[[str, str, str, int, str], None],
    clock: Clock,
    consistency: ConsistentThrough,
    origins: Sequence[str],
    requests: RequestsUnderWay,
) -> list[Middleware]:
    """All of them.

    `on_request` is told source, method, route, status and seconds; `on_refusal` the first four of
    a request that was turned away, and the reason.
    """
    return [
        requests.counting,
        _recording(on_request, on_refusal, clock),
        _version_header,
        _consistency_header(consistency),
        _cors(origins),
        _errors,
        requests.cutting,
    ]


def _recording(
    on_request: Callable[[str, str, str, int, float], None],
    on_refusal: Callable[[str, str, str, int, str], None],
    clock: Clock,
) -> Middleware:
    @web.middleware
    async def recording(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = clock.monotonic()
        current_source.set("")
        response = await handler(request)
        # in place of what the library says: its version and Python's
        response.headers["Server"] = "pointsman"
        source, route = current_source.get(), _route_name(request)
        method = request.method if request.method in _METHODS else "other"
        on_request(source, method, route, response.status, clock.monotonic() - began)
        if REASON in request:
            on_refusal(source, method, route, response.status, request[REASON])
        return response

    return recording


def _route_name(request: web.Request) -> str:
    """The path when it is one of ours; a counter must not grow with the paths of strangers."""
    resource = request.match_info.route.resource
    if resource is None:
        return UNKNOWN_ROUTE
    return resource.canonical.rstrip("/") or "/"


@web.middleware
async def _version_header(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer of xAPI carries its version, those of refused requests included."""
    response = await handler(request)
    if request.path.startswith(_XAPI):
        named = request.headers.get(HEADER)
        bare = request.method in READ and not request.query_string
        probing = bare and response.status == HTTPStatus.BAD_REQUEST
        version = request.get(VERSION) or version_of_answer(named, probing=probing)
        response.headers[HEADER] = version
    return response


def _consistency_header(consistency: ConsistentThrough) -> Middleware:
    """Marks the answers of the statements resource that no query has marked."""

    @web.middleware
    async def marking(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if request.path.startswith(Resource.STATEMENTS) and CONSISTENT not in response.headers:
            through = await consistency.lately()
            if through:
                response.headers[CONSISTENT] = through
        return response

    return marking


def _cors(origins: Sequence[str]) -> Middleware:
    """Answers OPTIONS on every known path, and marks all answers."""

    @web.middleware
    async def cors(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is None and request.method != "OPTIONS":  # no page of another origin asks
            response = await handler(request)
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
        response = await handler(request)
        if origin is not None and response.headers.get("WWW-Authenticate", "").startswith("Basic"):
            # a browser would ask the learner for a name and password, for a Basic one
            response.headers["WWW-Authenticate"] = BROWSER_CHALLENGE
        response.headers.update(answer_headers(origins, origin, with_credentials=shows))
        return response

    return cors


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into an answer."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        request[REASON] = error.reason
        return answer_of_router(error)
    except Exception as error:  # noqa: BLE001 - the sender gets an answer whatever happens
        return answer(request, error)


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
        self._limits: set[asyncio.Timeout] = set()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    @property
    def counting(self) -> Middleware:
        """The outermost middleware: it counts, and during a drain each answer closes."""

        @web.middleware
        async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                response = await self._handled(request, handler)
                if self._draining:
                    response.force_close()
                if UNTIL_WRITTEN in request:
                    await write_answer(request, response)
            finally:
                if (held := request.get(UNTIL_WRITTEN)) is not None:
                    await held.aclose()
            return response

        return counting

    async def _handled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        mark = object()
        self._requests.add(mark)
        if self._budget is not None:
            request[HELD] = HeldBytes(self._budget)
        try:
            return await handler(request)
        finally:
            if self._budget is not None:
                request[HELD].release()
            self._requests.discard(mark)
            self._changed.set()

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
