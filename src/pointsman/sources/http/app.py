"""Puts the HTTP side together as one aiohttp application: its routes, and their handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from pointsman.domain.clock import Clock
from pointsman.sources.batch import BatchReader, StatementIntake
from pointsman.sources.http.authorization import Authenticator, HttpSource, RequestAuthorizer
from pointsman.sources.http.body import BodyLimits, route, route_get
from pointsman.sources.http.health import Health, ReadyState
from pointsman.sources.http.home import home
from pointsman.sources.http.launch_routes import LaunchRoutesDeps, add_launch_routes
from pointsman.sources.http.lrs.activities_agents import ActivitiesAgents, about
from pointsman.sources.http.lrs.cmi5_scope import Cmi5Scope
from pointsman.sources.http.lrs.consistent_through import ConsistentThrough
from pointsman.sources.http.lrs.documents import DocumentResources
from pointsman.sources.http.lrs.endpoint import Limit, LrsEndpoint, ResourceHandler
from pointsman.sources.http.lrs.get_statements import GetStatements
from pointsman.sources.http.lrs.post_statements import PostStatements
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.http.middleware import RequestsUnderWay, middlewares
from pointsman.sources.http.scorm_cloud import POSTBACK, Postbacks, PostbackSource
from pointsman.sources.http.settings import HttpSettings
from pointsman.sources.http.webhooks import Webhooks, WebhookSource
from pointsman.store.base import DocumentStore, StatementStore


class EndpointStore(DocumentStore, StatementStore, Protocol):
    """The store, as the endpoint sees it."""


@dataclass(frozen=True, slots=True)
class HttpDeps:
    """What the endpoint needs of the rest of the daemon.

    - ready: whether statements can be taken, and if not why
    - health_problem: why a restart of the process may help; "" while nothing says so
    - metrics_page: for what a request accepts, a body and its content type
    - on_request: source ("" when not known), method, route, status, seconds
    - on_refused: source, statements turned away
    - on_refusal: source, method, route, status and reason of a request that was turned away
    - body_timeout: seconds for a whole body
    - reader: with the limits of a body of statements
    """

    intake: StatementIntake
    store: EndpointStore
    sources: Sequence[HttpSource]
    settings: HttpSettings
    ready: Callable[[], Awaitable[ReadyState]]
    metrics_page: Callable[[str], Awaitable[tuple[bytes, str]]]
    on_request: Callable[[str, str, str, int, float], None]
    on_refused: Callable[[str, int], None]
    clock: Clock
    authority_home_page: str
    #: what stands in front of our paths for those outside, as in "/lrs"
    public_path: str = ""
    on_refusal: Callable[[str, str, str, int, str], None] = lambda *_: None
    body_timeout: float = 30
    launches: LaunchRoutesDeps | None = None
    postbacks: Sequence[PostbackSource] = ()
    webhooks: Sequence[WebhookSource] = ()
    reader: BatchReader = field(default_factory=BatchReader)
    health_problem: Callable[[], str] = str
    requests: RequestsUnderWay = field(default_factory=RequestsUnderWay)


def make_app(deps: HttpDeps) -> web.Application:
    """The application; it holds no state, and stops when its runner does."""
    consistency = ConsistentThrough(deps.store.consistent_through, deps.clock)
    app = web.Application(
        client_max_size=deps.settings.max_body_bytes,
        middlewares=middlewares(
            deps.on_request,
            deps.on_refusal,
            deps.clock,
            consistency,
            deps.settings.cors_origins,
            deps.requests,
        ),
    )
    health = Health(deps.ready, deps.metrics_page, deps.health_problem)
    authorizer = _authorizer(deps)
    endpoint = LrsEndpoint(
        authorizer,
        BodyLimits(deps.settings.max_body_bytes, deps.body_timeout),
        _handlers(deps),
        consistency,
        frozenset(source.name for source in deps.sources if source.lenient),
        _cmi5_limit(deps),
    )
    # Both spellings, for a redirect would lose a player's POST.
    for slash in ("", "/"):
        for resource in Resource:
            handler = endpoint.handler(resource)
            for method in ("POST", "PUT", "DELETE"):
                route(app, method, resource + slash, handler)
            route_get(app, resource + slash, handler)
        route_get(app, "/xapi/about" + slash, about(deps.settings.max_body_bytes))
    _add_adapters(app, deps)
    if deps.launches is not None:
        add_launch_routes(app, deps.launches, deps, authorizer)
    route_get(app, "/", home(deps.public_path))
    route_get(app, "/healthz", health.healthz)
    route_get(app, "/readyz", health.readyz)
    route_get(app, "/metrics", health.metrics)
    return app


def _authorizer(deps: HttpDeps) -> RequestAuthorizer:
    authenticator = Authenticator(deps.sources)
    if deps.launches is None:
        return RequestAuthorizer(authenticator)
    return RequestAuthorizer(authenticator, deps.launches.credentials, deps.launches.launches)


def _cmi5_limit(deps: HttpDeps) -> Limit | None:
    if deps.launches is None:
        return None
    settings = deps.launches.settings
    scope = Cmi5Scope(
        deps.launches.lms.sessions,
        deps.clock,
        settings.grace_seconds,
        notes_preferences=settings.cmi5_conflicts == "reject",
    )
    return scope.limit


def _add_adapters(app: web.Application, deps: HttpDeps) -> None:
    """Routes of the systems that send no xAPI; there are none where none is configured."""
    limits = BodyLimits(deps.settings.max_body_bytes, deps.body_timeout)
    for slash in ("", "/"):
        if deps.postbacks:
            postbacks = Postbacks(deps.postbacks, limits, deps.reader, deps.intake)
            route(app, "POST", POSTBACK + slash, postbacks.post)
        if deps.webhooks:
            webhooks = Webhooks(
                deps.webhooks, limits, deps.reader, deps.intake, deps.clock, deps.on_refused
            )
            route(app, "POST", "/webhooks/{source}" + slash, webhooks.post)


def _handlers(deps: HttpDeps) -> dict[tuple[Resource, str], ResourceHandler]:
    """What each method of each resource does."""
    statements = PostStatements(deps.reader, deps.intake, deps.on_refused)
    queries = GetStatements(deps.store, deps.authority_home_page, deps.public_path)
    documents = DocumentResources(deps.store, deps.clock)
    objects = ActivitiesAgents(deps.store, deps.authority_home_page)
    handlers: dict[tuple[Resource, str], ResourceHandler] = {
        (Resource.STATEMENTS, "POST"): statements.post,
        (Resource.STATEMENTS, "PUT"): statements.put,
        (Resource.STATEMENTS, "GET"): queries.get,
        (Resource.ACTIVITIES, "GET"): objects.activity,
        (Resource.AGENTS, "GET"): objects.person,
    }
    for resource in (Resource.STATE, Resource.ACTIVITY_PROFILE, Resource.AGENT_PROFILE):
        handlers |= {
            (resource, "GET"): documents.get,
            (resource, "PUT"): documents.put,
            (resource, "POST"): documents.post,
            (resource, "DELETE"): documents.delete,
        }
    return handlers
