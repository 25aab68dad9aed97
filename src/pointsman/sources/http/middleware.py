"""Surrounds every request: counts it, gives its answer headers, and turns errors into answers.

From the outside in: counting, recording, version, consistency, CORS, errors, cutting. Each sees the
answers of the next one, those to refused requests included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pointsman.domain.clock import Clock
from pointsman.sources.http.body import READS
from pointsman.sources.http.cors import answer_headers, preflight_headers
from pointsman.sources.http.drain import RequestsUnderWay
from pointsman.sources.http.errors import REASON, answer, answer_of_router
from pointsman.sources.http.lrs.consistent_through import HEADER as CONSISTENT
from pointsman.sources.http.lrs.consistent_through import ConsistentThrough
from pointsman.sources.http.lrs.endpoint import (
    HEADER,
    VERSION,
    current_source,
    version_of_answer,
)
from pointsman.sources.http.lrs.resources import Resource

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
        return "unknown"
    return resource.canonical.rstrip("/") or "/"


@web.middleware
async def _version_header(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer of xAPI carries its version, those of refused requests included."""
    response = await handler(request)
    if request.path.startswith(_XAPI):
        named = request.headers.get(HEADER)
        bare = request.method in READS and not request.query_string
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
        missing = request.match_info.http_exception
        if request.method == "OPTIONS" and not isinstance(missing, web.HTTPNotFound):
            requested = request.headers.get("Access-Control-Request-Headers")
            headers = preflight_headers(origins, origin, requested)
            if isinstance(missing, web.HTTPMethodNotAllowed):
                headers["Allow"] = ", ".join(sorted({*missing.allowed_methods, "OPTIONS"}))
            return web.Response(status=204, headers=headers)
        response = await handler(request)
        response.headers.update(answer_headers(origins, origin))
        return response

    return cors


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into an answer."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return answer_of_router(error)
    except Exception as error:  # noqa: BLE001 - the sender gets an answer whatever happens
        return answer(request, error)
