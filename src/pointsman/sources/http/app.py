"""The HTTP side as one aiohttp application: its routes, and what surrounds every one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pointsman.domain.clock import Clock
from pointsman.sources.batch import StatementIntake
from pointsman.sources.http.auth import Authenticator, HttpSource
from pointsman.sources.http.authorization import RequestAuthorizer
from pointsman.sources.http.body import BodyLimits
from pointsman.sources.http.cors import cors_middleware
from pointsman.sources.http.errors import errors
from pointsman.sources.http.health import Health
from pointsman.sources.http.launch_routes import LaunchRoutesDeps, add_launched
from pointsman.sources.http.lrs.about import about
from pointsman.sources.http.lrs.activities_agents import ActivitiesAgents
from pointsman.sources.http.lrs.consistent_through import ConsistentThrough, consistency_middleware
from pointsman.sources.http.lrs.documents import DocumentResource, DocumentStore
from pointsman.sources.http.lrs.endpoint import (
    VERSION,
    LrsEndpoint,
    ResourceHandler,
    current_source,
)
from pointsman.sources.http.lrs.get_statements import GetStatements
from pointsman.sources.http.lrs.post_statements import PostStatements
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.http.lrs.statement_search import StatementStore
from pointsman.sources.http.lrs.version import HEADER, answered
from pointsman.sources.http.routing import READS, route, route_get
from pointsman.sources.http.scorm_cloud import POSTBACK, Postbacks, PostbackSource
from pointsman.sources.http.webhooks import Webhooks, WebhookSource

_XAPI = "/xapi/"
#: a method is any token, and a counter must not grow with what strangers send
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class EndpointStore(DocumentStore, StatementStore, Protocol):
    """The store, as the endpoint sees it."""


@dataclass(frozen=True, slots=True)
class HttpDeps:
    """What the endpoint needs of the rest of the daemon.

    - ready: whether statements can be taken, and if not why
    - metrics_page: for what a request accepts, a body and its content type
    - on_request: source ("" when not known), method, route, status, seconds
    - on_refused: source, statements turned away
    - cors_origins: origins as browsers send them, or "*"
    - body_timeout: seconds for a whole body
    """

    intake: StatementIntake
    store: EndpointStore
    sources: Sequence[HttpSource]
    max_body_bytes: int
    cors_origins: tuple[str, ...]
    ready: Callable[[], Awaitable[tuple[bool, str]]]
    metrics_page: Callable[[str], Awaitable[tuple[bytes, str]]]
    on_request: Callable[[str, str, str, int, float], None]
    on_refused: Callable[[str, int], None]
    clock: Clock
    authority_home_page: str
    body_timeout: float = 30
    launches: LaunchRoutesDeps | None = None
    postbacks: Sequence[PostbackSource] = ()
    webhooks: Sequence[WebhookSource] = ()


def make_app(deps: HttpDeps) -> web.Application:
    """The application; it holds no state, and stops when its runner does."""
    consistency = ConsistentThrough(deps.store.consistent_through, deps.clock)
    app = web.Application(
        client_max_size=deps.max_body_bytes,
        # From the outside in: each sees the answers of the next, errors' included.
        middlewares=[
            _recording(deps.on_request, deps.clock),
            _naming_version,
            consistency_middleware(consistency),
            cors_middleware(deps.cors_origins),
            errors,
        ],
    )
    health = Health(deps.ready, deps.metrics_page)
    door = _door(deps)
    endpoint = LrsEndpoint(
        door,
        BodyLimits(deps.max_body_bytes, deps.body_timeout),
        _answers(deps),
        consistency,
        frozenset(source.name for source in deps.sources if source.lenient),
    )
    # Both spellings, for a redirect would lose a player's POST.
    for slash in ("", "/"):
        for resource in Resource:
            handler = endpoint.handler(resource)
            for method in ("POST", "PUT", "DELETE"):
                route(app, method, resource + slash, handler)
            route_get(app, resource + slash, handler)
        route_get(app, "/xapi/about" + slash, about(deps.max_body_bytes))
    _add_foreign(app, deps)
    if deps.launches is not None:
        add_launched(app, deps.launches, deps, door)
    route_get(app, "/healthz", health.healthz)
    route_get(app, "/readyz", health.readyz)
    route_get(app, "/metrics", health.metrics)
    return app


def _door(deps: HttpDeps) -> RequestAuthorizer:
    authenticator = Authenticator(deps.sources)
    if deps.launches is None:
        return RequestAuthorizer(authenticator)
    return RequestAuthorizer(authenticator, deps.launches.passes, deps.launches.launches)


def _add_foreign(app: web.Application, deps: HttpDeps) -> None:
    """Routes of what is no xAPI; there are none where nobody is to send it."""
    limits = BodyLimits(deps.max_body_bytes, deps.body_timeout)
    for slash in ("", "/"):
        if deps.postbacks:
            postbacks = Postbacks(deps.postbacks, limits, deps.intake)
            route(app, "POST", POSTBACK + slash, postbacks.post)
        if deps.webhooks:
            webhooks = Webhooks(deps.webhooks, limits, deps.intake, deps.clock, deps.on_refused)
            route(app, "POST", "/webhooks/{source}" + slash, webhooks.post)


def _answers(deps: HttpDeps) -> dict[tuple[Resource, str], ResourceHandler]:
    """What each method of each resource does."""
    statements = PostStatements(deps.intake, deps.on_refused)
    queries = GetStatements(deps.store, deps.authority_home_page)
    documents = DocumentResource(deps.store, deps.clock)
    objects = ActivitiesAgents(deps.store, deps.authority_home_page)
    answers: dict[tuple[Resource, str], ResourceHandler] = {
        (Resource.STATEMENTS, "POST"): statements.post,
        (Resource.STATEMENTS, "PUT"): statements.put,
        (Resource.STATEMENTS, "GET"): queries.get,
        (Resource.ACTIVITIES, "GET"): objects.activity,
        (Resource.AGENTS, "GET"): objects.person,
    }
    for resource in (Resource.STATE, Resource.ACTIVITY_PROFILE, Resource.AGENT_PROFILE):
        answers |= {
            (resource, "GET"): documents.get,
            (resource, "PUT"): documents.put,
            (resource, "POST"): documents.post,
            (resource, "DELETE"): documents.delete,
        }
    return answers


@web.middleware
async def _naming_version(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer of xAPI carries its version, those of refused requests included."""
    response = await handler(request)
    if request.path.startswith(_XAPI):
        named = request.headers.get(HEADER)
        bare = request.method in READS and not request.query_string
        probing = bare and response.status == HTTPStatus.BAD_REQUEST
        response.headers[HEADER] = request.get(VERSION) or answered(named, probing=probing)
    return response


def _recording(on_request: Callable[[str, str, str, int, float], None], clock: Clock) -> Middleware:
    @web.middleware
    async def recording(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = clock.monotonic()
        current_source.set("")
        response = await handler(request)
        on_request(
            current_source.get(),
            request.method if request.method in _METHODS else "other",
            _route_name(request),
            response.status,
            clock.monotonic() - began,
        )
        return response

    return recording


def _route_name(request: web.Request) -> str:
    """The path when it is one of ours; a counter must not grow with the paths of strangers."""
    resource = request.match_info.route.resource
    if resource is None:
        return "unknown"
    return resource.canonical.rstrip("/")
