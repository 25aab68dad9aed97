"""The one road of every request of xAPI: who sends, in which version, with what; then its resource.

The order matters. Nobody is told what is wrong with a request before it is known who asks, and
nothing of a body is read before that, but for a form that says who asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

from aiohttp import web

from pointsman.clock import MICROSECONDS
from pointsman.sources.http.body import BodyLimits, read_body
from pointsman.sources.http.call import Call, Written, alternate, is_alternate, plain
from pointsman.sources.http.confined import confined
from pointsman.sources.http.door import Admitted, Door
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.parameters import check
from pointsman.sources.http.requirements import ALTERNATE_SYNTAX, TABLE, Resource
from pointsman.sources.http.version import HEADER, negotiate

#: the source of the request under way, once that is known; a connection's requests share a task,
#: so whoever reads it clears it first
current_source: ContextVar[str] = ContextVar("current_source", default="")
CONSISTENT = "X-Experience-API-Consistent-Through"
#: where the version of a request is kept for its answer
VERSION = web.RequestKey("xapi_version", str)

Answer = Callable[[Call], Awaitable[web.Response]]


class Endpoint:
    """Lets requests in; `answers` has what each method of each resource does.

    `lenient` are the names of sources that may do what xAPI would have refused.
    """

    def __init__(
        self,
        door: Door,
        limits: BodyLimits,
        answers: Mapping[tuple[Resource, str], Answer],
        consistent_through: Callable[[], Awaitable[int]],
        lenient: frozenset[str],
    ) -> None:
        self._door = door
        self._limits = limits
        self._answers = answers
        self._consistent_through = consistent_through
        self._lenient = lenient

    def handler(self, resource: Resource) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            return await self._handle(resource, request)

        return handle

    async def _handle(self, resource: Resource, request: web.Request) -> web.Response:
        async def body() -> bytes:
            return await read_body(request, self._limits)

        if is_alternate(request):
            if "Authorization" in request.headers:
                await self._admit(request.headers)
            written = await alternate(request, body)
        else:
            written = plain(request, body)
        return await self._answer(resource, request, written)

    async def _admit(self, headers: Mapping[str, str]) -> Admitted:
        admitted = await self._door.admit(headers.get("Authorization"))
        current_source.set(admitted.source)
        return admitted

    async def _answer(
        self, resource: Resource, request: web.Request, written: Written
    ) -> web.Response:
        admitted = await self._admit(written.headers)
        request[VERSION] = version = negotiate(written.headers.get(HEADER))
        if written.alternate and version not in ALTERNATE_SYNTAX:
            raise RequestRefused(400, f"xAPI {version} has no ?method=; send the request itself")
        method = "GET" if written.method == "HEAD" else written.method
        takes = TABLE[resource].get(method)
        if takes is None:
            raise web.HTTPMethodNotAllowed(method, [*TABLE[resource], "HEAD", "OPTIONS"])
        headers = await self._consistency(resource, method)
        try:
            # players that are launched pass on what their launch address has
            lenient = admitted.launch is not None or admitted.source in self._lenient
            call = Call(
                resource,
                method,
                admitted.source,
                version,
                check(written.given, takes, lenient=lenient),
                written.headers,
                written.body,
                lenient,
                admitted.launch,
            )
            response = await self._answers[resource, method](confined(call))
        except RequestRefused as refused:
            refused.headers.update(headers)
            raise
        response.headers.update(headers)
        return response

    async def _consistency(self, resource: Resource, method: str) -> dict[str, str]:
        """Every answer to a query says how far it can see (1.0.3 Part 3 section 2.1.3)."""
        if resource is not Resource.STATEMENTS or method != "GET":
            return {}
        through = await self._consistent_through()
        moment = datetime.fromtimestamp(through / MICROSECONDS, UTC)
        return {CONSISTENT: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
