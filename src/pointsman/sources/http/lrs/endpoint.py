"""The endpoint of xAPI: who sends, in which version, with what parameters; then the resource.

The order matters. Nobody is told what is wrong with a request before it is known who asks, but
that a resource has no such method, which a preflight tells everybody too. Nothing of a body is read
before that, but for a form that says who asks.

Every request and answer names its version in a header (1.0.3 Part 3 section 3.3
and 2.0 section 4.1.6.2).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import partial

from aiohttp import hdrs, web

from pointsman.domain.errors import VersionRefused
from pointsman.domain.frozen import record
from pointsman.domain.launch import Launch, PlayerKind
from pointsman.sources.http.authorization import AuthorizedSender, RequestAuthorizer
from pointsman.sources.http.body import BodyLimits, RequestBody, read_body
from pointsman.sources.http.client_address import sender_address
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.alternate_syntax import (
    RawRequest,
    credential_of,
    read_alternate,
)
from pointsman.sources.http.lrs.answers_under_way import AnswersUnderWay
from pointsman.sources.http.lrs.consistent_through import HEADER as CONSISTENT
from pointsman.sources.http.lrs.consistent_through import ConsistentThrough
from pointsman.sources.http.lrs.launch_scope import limit_to_launch
from pointsman.sources.http.lrs.parameters import Parameters, check, pairs, raw_query, unique
from pointsman.sources.http.lrs.resources import (
    ALTERNATE_SYNTAX,
    ONE,
    TABLE,
    TWO,
    MethodRules,
    Resource,
)

HEADER = "X-Experience-API-Version"
#: every version that the about resource lists
SUPPORTED = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")
# "1.0" alone is to be taken as 1.0.0; patch versions never change what a request means
_PATTERN_ONE = re.compile(r"1\.0(\.[0-9]{1,9})?")
_PATTERN_TWO = re.compile(r"2\.0\.[0-9]{1,9}")
#: the source of the request under way, once that is known; a connection's requests share a task,
#: so it is cleared before it is read
current_source: ContextVar[str] = ContextVar("current_source", default="")
#: what is put together from statements
_SEARCHED = frozenset({Resource.STATEMENTS, Resource.ACTIVITIES, Resource.AGENTS})
#: in place of a source's name, while nobody knows who sends
UNKNOWN = ""
#: where the version of a request is kept for its answer
VERSION = web.RequestKey("xapi_version", str)


@record
class LrsRequest:
    """A request that was let in: who sends, in which version, with which parameters."""

    resource: Resource
    method: str
    source: str
    version: str
    parameters: Parameters
    headers: Mapping[str, str]
    body: Callable[[], Awaitable[bytes]]
    #: whether the source may do what xAPI would have refused
    lenient: bool = False
    alternate: bool = False
    #: the one whose credential was shown; without, the source speaks for everybody
    launch: Launch | None = None

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")


def is_alternate(request: web.Request) -> bool:
    return "?" in request.raw_path and "method" in request.query


def read_plain(request: web.Request, body: Callable[[], Awaitable[bytes]]) -> RawRequest:
    query = raw_query(request) if "?" in request.raw_path else ""
    texts = unique(pairs(query)) if query else {}
    return RawRequest(request.method, texts, request.headers, body)


ResourceHandler = Callable[[LrsRequest], Awaitable[web.Response]]
Limit = Callable[[LrsRequest], Awaitable[LrsRequest]]


class LrsEndpoint:
    """Lets requests in; `handlers` has what each method of each resource does.

    `limits` are those of each source, and of who is not known yet under `UNKNOWN`. `lenient` are
    the names of sources that may do what xAPI would have refused.
    """

    def __init__(
        self,
        authorizer: RequestAuthorizer,
        limits: Mapping[str, BodyLimits],
        handlers: Mapping[tuple[Resource, str], ResourceHandler],
        consistency: ConsistentThrough,
        lenient: frozenset[str],
        answers: AnswersUnderWay,
        limit: Limit | None = None,
    ) -> None:
        """`limit` looks at what cmi5 players ask, once it is known what that is."""
        self._authorizer = authorizer
        self._limits = limits
        self._handlers = handlers
        self._consistency = consistency
        self._lenient = lenient
        self._answers = answers
        self._limit = limit

    def handler(self, resource: Resource) -> Callable[[web.Request], Awaitable[web.Response]]:
        return partial(self._handle, resource)

    async def _handle(self, resource: Resource, request: web.Request) -> web.Response:
        if is_alternate(request):
            raw, sender = await self._alternate(resource, request)
            method, takes = _check_method(resource, raw.method)
        else:
            method, takes = _check_method(resource, request.method)
            sender = self._known(request) or await self._authorize(request.headers, request)
            raw = read_plain(request, partial(read_body, request, self._limits[sender.source]))
        # players that are launched pass on what their launch address has
        lenient = sender.launch is not None or sender.source in self._lenient
        request[VERSION] = version = negotiate(raw.headers.get(HEADER), lenient=lenient)
        if raw.alternate:
            _check_form(raw, version, lenient=lenient)
        searches = method == "GET" and resource is Resource.STATEMENTS
        # before the search, for what is stored meanwhile need not be in it
        through = await self._consistency.now() if searches else ""
        parameters = check(raw.parameters, takes, lenient=lenient)
        launch = sender.launch
        if launch is not None:
            parameters = limit_to_launch(launch, resource, method, parameters)
        call = LrsRequest(
            resource,
            method,
            sender.source,
            version,
            parameters,
            raw.headers,
            raw.body,
            lenient,
            raw.alternate,
            launch,
        )
        if launch is not None and launch.kind is PlayerKind.CMI5 and self._limit is not None:
            call = await self._limit(call)
        if method != "GET":
            return await self._handlers[resource, method](call)
        response = await self._read(resource, request, call, sender)
        if searches:
            response.headers[CONSISTENT] = through
        return response

    async def _alternate(
        self, resource: Resource, request: web.Request
    ) -> tuple[RawRequest, AuthorizedSender]:
        """What the form of a request with ?method= says, and who sends it."""
        shown = "Authorization" in request.headers
        known = await self._authorize(request.headers, request) if shown else None
        raw = await read_alternate(request, lambda: self._read_form(request, known))
        _check_method(resource, raw.method)
        return raw, await self._authorize(raw.headers, request)

    async def _read_form(self, request: web.Request, sender: AuthorizedSender | None) -> bytes:
        """The form of the alternate syntax; how far it may go depends on whose it is."""
        unknown = self._limits[UNKNOWN]
        body = RequestBody(request, unknown.seconds)
        if sender is None:
            start = await body.start(unknown.bytes)
            if body.is_whole:
                return start
            sender = await self._authorize(credential_of(start), request)
        return await body.rest(self._limits[sender.source].bytes)

    def _known(self, request: web.Request) -> AuthorizedSender | None:
        """Who sends, where the same credential was good a request ago."""
        shown = request.headers.get(hdrs.AUTHORIZATION)
        source = self._authorizer.remembered(shown, sender_address(request))
        if source is None:
            return None
        current_source.set(source)
        return AuthorizedSender(source)

    async def _authorize(
        self, headers: Mapping[str, str], request: web.Request
    ) -> AuthorizedSender:
        sender = await self._authorizer.authorize(
            headers.get(hdrs.AUTHORIZATION), sender_address(request)
        )
        current_source.set(sender.source)
        return sender

    async def _read(
        self, resource: Resource, request: web.Request, call: LrsRequest, sender: AuthorizedSender
    ) -> web.Response:
        await self._answers.wait_for_turn(request, sender)
        searching = self._answers.searching if resource in _SEARCHED else contextlib.nullcontext()
        async with searching:
            response = await self._handlers[resource, "GET"](call)
        self._answers.add(request, response)
        return response


def _check_method(resource: Resource, method: str) -> tuple[str, MethodRules]:
    """A method of a resource, HEAD as the GET that it is. Raises `web.HTTPMethodNotAllowed`."""
    method = "GET" if method == "HEAD" else method
    takes = TABLE[resource].get(method)
    if takes is None:
        raise web.HTTPMethodNotAllowed(method, [*TABLE[resource], "HEAD", "OPTIONS"])
    return method, takes


def _check_form(raw: RawRequest, version: str, *, lenient: bool) -> None:
    """Raises `RequestRefused`."""
    if version not in ALTERNATE_SYNTAX:
        raise RequestRefused(400, f"xAPI {version} has no ?method=; send the request itself")
    if raw.fault and not lenient:
        raise RequestRefused(
            400, f"{raw.fault}; for players that can't do so, mark the source lenient = true"
        )


def negotiate(header: str | None, *, lenient: bool = False) -> str:
    """The version to answer in: "1.0.3" or "2.0.0"; `lenient` takes any other for 1.0.3.

    Raises `VersionRefused`.
    """
    if header == ONE:  # as nearly all say
        return ONE
    if header is not None and _PATTERN_TWO.fullmatch(header):
        return TWO
    if lenient or (header is not None and _PATTERN_ONE.fullmatch(header)):
        return ONE
    if header is None:
        raise VersionRefused(f"the header {HEADER} is missing; send 1.0.3 or 2.0.0")
    raise VersionRefused(f"{HEADER} must be 1.0, 1.0.x or 2.0.x")


def version_of_answer(header: str | None, *, probing: bool = False) -> str:
    """The version that any answer carries, to a refused request too.

    A request that names none gets the newest; but the refusal of a bare GET, with which somebody is
    `probing`, has the one that clients of both know. ADL's conformance tests of 1.0.3 ask for 1.0.x
    there, and those of 2.0 for 2.0.0 elsewhere.
    """
    if header is None and probing:
        return ONE
    try:
        return negotiate(header)
    except VersionRefused:
        return TWO
