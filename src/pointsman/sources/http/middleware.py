"""Surrounds every request: counts it, gives its answer headers, turns errors into answers, drains.

From the outside in: counting, recording, version and consistency, CORS, errors, cutting. Each sees
the answers of the next one, those to refused requests included. It is one middleware, because each
more is paid for by every request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from http import HTTPStatus

from aiohttp import hdrs, web
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
                response = await self.answer(request, handler, request.path, _route_name(request))
                if UNTIL_WRITTEN in request:
                    await write_answer(request, response)
            finally:
                if (held := request.get(UNTIL_WRITTEN)) is not None:
                    await held.aclose()
            return response

        return surround

    async def answer(
        self, request: web.Request, handler: Handler, path: str, route: str
    ) -> web.StreamResponse:
        """What the handler answers, with all that is done around it; `route` is for the metrics.

        It is one long function, because each call more is paid for by every request.
        """
        began = self._clock.monotonic()
        current_source.set("")
        method, origin = request.method, request.headers.get(hdrs.ORIGIN)
        under_way = self._requests.begin(request)
        response: web.StreamResponse
        try:
            preflight = self._preflight(request, origin) if method == hdrs.METH_OPTIONS else None
            if preflight is not None:
                response, headers = preflight, preflight.headers
            else:
                try:
                    response = await handler(request)
                except asyncio.CancelledError:
                    if not under_way.was_cut():
                        raise
                    response = _cut_answer()
                except Exception as error:  # noqa: BLE001 - the sender gets an answer in any case
                    response = answer(request, error)
                headers = response.headers
                self._name_origin(headers, origin, path)
            under_way.is_running = False
            if path.startswith(_XAPI):
                is_unmarked = path.startswith(_STATEMENTS) and CONSISTENT not in headers
                if is_unmarked and (
                    through := self._consistency.remembered() or await self._consistency.lately()
                ):
                    headers[CONSISTENT] = through
                headers[HEADER] = request.get(VERSION) or _version(request, response)
            # in place of what the library says: its version and Python's
            headers[hdrs.SERVER] = "pointsman"
            source, status = current_source.get(), response.status
            counted = method if method in _METHODS else "other"
            self._on_request(source, counted, route, status, self._clock.monotonic() - began)
            if status >= HTTPStatus.BAD_REQUEST:
                _without_prompt(request, headers)
                if REASON in request:
                    self._on_refusal(source, counted, route, status, request[REASON])
        finally:
            self._requests.end(under_way)
        self._requests.finish(response)
        return response

    def _name_origin(
        self, headers: MutableMapping[str, str], origin: str | None, path: str
    ) -> None:
        if origin is not None:
            shows = shows_credential(path)
            headers.update(answer_headers(self._origins, origin, with_credentials=shows))
        elif self._origins:
            headers[hdrs.VARY] = "Origin"

    def _preflight(self, request: web.Request, origin: str | None) -> web.Response | None:
        """The answer to OPTIONS, on every known path (CORS)."""
        missing = request.match_info.http_exception
        if isinstance(missing, web.HTTPNotFound):
            return None
        requested = request.headers.get("Access-Control-Request-Headers")
        shows = shows_credential(request.path)
        headers = preflight_headers(self._origins, origin, requested, with_credentials=shows)
        if isinstance(missing, web.HTTPMethodNotAllowed):
            headers["Allow"] = ", ".join(sorted({*missing.allowed_methods, "OPTIONS"}))
        return web.Response(status=204, headers=headers)


def _without_prompt(request: web.Request, headers: MutableMapping[str, str]) -> None:
    """No challenge at which a browser would ask its user for a password."""
    is_basic = headers.get("WWW-Authenticate", "").startswith("Basic")
    if is_basic and would_prompt(request.headers):
        headers["WWW-Authenticate"] = BROWSER_CHALLENGE


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


class UnderWay:
    """A request from its head to its answer, and its part of the budget for bodies."""

    __slots__ = ("cancelling", "held", "is_cut", "is_running", "task")

    def __init__(self, task: asyncio.Task[object], held: HeldBytes | None) -> None:
        self.task = task
        self.held = held
        #: how often others had cancelled it before
        self.cancelling = task.cancelling()
        #: its handler runs, in this task
        self.is_running = True
        self.is_cut = False

    def was_cut(self) -> bool:
        """Whether only `cut` has cancelled it; as for asyncio.timeout, others are obeyed."""
        return self.is_cut and self.task.uncancel() <= self.cancelling


def _cut_answer() -> web.Response:
    return error_response(
        503,
        "this daemon stops, and its time for requests under way is over; send it "
        "again: a statement with an id is stored once, however often it comes",
        headers={"Retry-After": RETRY_AFTER},
    )


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
        self._requests: set[UnderWay] = set()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    def begin(self, request: web.Request) -> UnderWay:
        """The request is under way from now on; `end` it."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is answered in a task")
        held: HeldBytes | None = None
        if self._budget is not None:
            held = request[HELD] = HeldBytes(self._budget, partial(_customer, request))
        under_way = UnderWay(task, held)
        self._requests.add(under_way)
        return under_way

    def end(self, under_way: UnderWay) -> None:
        if under_way.held is not None:
            under_way.held.release()
        self._requests.discard(under_way)
        self._changed.set()

    def finish(self, response: web.StreamResponse) -> None:
        """During a drain each answer closes its connection."""
        if self._draining:
            response.force_close()

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
        running = [under_way for under_way in self._requests if under_way.is_running]
        for under_way in running:
            if not under_way.is_cut:
                under_way.is_cut = True
                under_way.task.cancel()
        return len(running)

    async def _wait(self, done: Callable[[], bool]) -> None:
        while not done():
            self._changed.clear()
            await self._changed.wait()
