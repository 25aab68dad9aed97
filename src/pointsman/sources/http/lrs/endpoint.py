"""The one road of every request of xAPI: who sends, in which version, with what; then its resource.

The order matters. Nobody is told what is wrong with a request before it is known who asks, but
that a resource has no such method, which a preflight tells everybody too. Nothing of a body is read
before that, but for a form that says who asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar

from aiohttp import web

from pointsman.sources.http.authorization import AuthorizedSender, RequestAuthorizer
from pointsman.sources.http.body import BodyLimits, read_body
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.consistent_through import HEADER as CONSISTENT
from pointsman.sources.http.lrs.consistent_through import ConsistentThrough
from pointsman.sources.http.lrs.launch_scope import limit_to_launch
from pointsman.sources.http.lrs.parameters import check
from pointsman.sources.http.lrs.request import (
    LrsRequest,
    RawRequest,
    alternate,
    is_alternate,
    plain,
)
from pointsman.sources.http.lrs.resources import ALTERNATE_SYNTAX, TABLE, MethodRules, Resource
from pointsman.sources.http.lrs.version import HEADER, negotiate

#: the source of the request under way, once that is known; a connection's requests share a task,
#: so whoever reads it clears it first
current_source: ContextVar[str] = ContextVar("current_source", default="")
#: where the version of a request is kept for its answer
VERSION = web.RequestKey("xapi_version", str)

ResourceHandler = Callable[[LrsRequest], Awaitable[web.Response]]


class LrsEndpoint:
    """Lets requests in; `answers` has what each method of each resource does.

    `lenient` are the names of sources that may do what xAPI would have refused.
    """

    def __init__(
        self,
        door: RequestAuthorizer,
        limits: BodyLimits,
        answers: Mapping[tuple[Resource, str], ResourceHandler],
        consistency: ConsistentThrough,
        lenient: frozenset[str],
    ) -> None:
        self._door = door
        self._limits = limits
        self._answers = answers
        self._consistency = consistency
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
            _taken(resource, written.method)
            admitted = await self._admit(written.headers)
        else:
            _taken(resource, request.method)
            admitted = await self._admit(request.headers)
            written = plain(request, body)
        return await self._answer(resource, request, written, admitted)

    async def _admit(self, headers: Mapping[str, str]) -> AuthorizedSender:
        admitted = await self._door.admit(headers.get("Authorization"))
        current_source.set(admitted.source)
        return admitted

    async def _answer(
        self,
        resource: Resource,
        request: web.Request,
        written: RawRequest,
        admitted: AuthorizedSender,
    ) -> web.Response:
        method, takes = _taken(resource, written.method)
        request[VERSION] = version = negotiate(written.headers.get(HEADER))
        if written.alternate and version not in ALTERNATE_SYNTAX:
            raise RequestRefused(400, f"xAPI {version} has no ?method=; send the request itself")
        searches = resource is Resource.STATEMENTS and method == "GET"
        # before the search, for what is stored meanwhile need not be in it
        through = await self._consistency.now() if searches else ""
        # players that are launched pass on what their launch address has
        lenient = admitted.launch is not None or admitted.source in self._lenient
        call = LrsRequest(
            resource,
            method,
            admitted.source,
            version,
            check(written.given, takes, lenient=lenient),
            written.headers,
            written.body,
            lenient,
            written.alternate,
            admitted.launch,
        )
        response = await self._answers[resource, method](limit_to_launch(call))
        if searches:
            response.headers[CONSISTENT] = through
        return response


def _taken(resource: Resource, method: str) -> tuple[str, MethodRules]:
    """A method of a resource, HEAD as the GET that it is. Raises `web.HTTPMethodNotAllowed`."""
    method = "GET" if method == "HEAD" else method
    takes = TABLE[resource].get(method)
    if takes is None:
        raise web.HTTPMethodNotAllowed(method, [*TABLE[resource], "HEAD", "OPTIONS"])
    return method, takes
