"""Puts the HTTP side together as one aiohttp application: its routes, and their handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.domain.clock import Clock
from pointsman.sources.batch import BatchReader, StatementIntake
from pointsman.sources.confirmations import ConfirmationIntake
from pointsman.sources.http.authorization import (
    LAUNCHED,
    Authenticator,
    HttpSource,
    RequestAuthorizer,
)
from pointsman.sources.http.body import UNKNOWN_BYTES, BodyLimits
from pointsman.sources.http.client_address import TRUSTED_PROXIES, TrustedProxies
from pointsman.sources.http.confirmations import Confirmations, ConfirmationSource
from pointsman.sources.http.direct_posts import DIRECT_POSTS, DirectPosts
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.http.health import Health, ReadyState
from pointsman.sources.http.home import home
from pointsman.sources.http.kept_state import KeptState
from pointsman.sources.http.launch_routes import LaunchRoutesDeps, launch_handlers
from pointsman.sources.http.lrs.activities_agents import ActivitiesAgents, about
from pointsman.sources.http.lrs.answers_under_way import AnswersUnderWay
from pointsman.sources.http.lrs.cmi5_scope import Cmi5Scope
from pointsman.sources.http.lrs.consistent_through import ConsistentThrough
from pointsman.sources.http.lrs.documents import DocumentResources, MustTake, merge_turns
from pointsman.sources.http.lrs.endpoint import UNKNOWN, Limit, LrsEndpoint, ResourceHandler
from pointsman.sources.http.lrs.get_statements import GetStatements
from pointsman.sources.http.lrs.post_statements import LargeBodyTurns, PostStatements
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.http.metrics_page import MetricsPage
from pointsman.sources.http.middleware import RequestsUnderWay, Surrounding
from pointsman.sources.http.other_sites import without_other_sites
from pointsman.sources.http.own_hosts import under_own_names
from pointsman.sources.http.routes import (
    ABOUT,
    CONFIRMATION,
    HEALTHZ,
    HOME,
    METRICS,
    OPERATOR_HOME,
    POSTBACK,
    READYZ,
    WEBHOOK,
    XAPI,
    Caller,
    Listener,
    Route,
    add_routes,
)
from pointsman.sources.http.scorm_cloud import Postbacks, PostbackSource
from pointsman.sources.http.settings import HttpSettings
from pointsman.sources.http.webhooks import Webhooks, WebhookSource
from pointsman.store.base import DocumentStore, StatementStore


class EndpointStore(DocumentStore, StatementStore, Protocol):
    """The store, as the endpoint sees it."""


class RoutedPages(Protocol):
    """Pages that somebody else makes."""

    def set_up(self, app: web.Application) -> None:
        """Before the application answers anything."""
        ...

    def handlers(self) -> dict[Route, Handler]: ...


@dataclass(frozen=True, slots=True)
class HttpDeps:
    """What the endpoint needs of the rest of the daemon.

    - ready: whether statements can be taken, and if not why
    - health_problem: why a restart of the process may help; "" while nothing says so
    - metrics_page: for what a request accepts, a body and its content type
    - on_request: source ("" when not known), method, route, status, seconds
    - on_refused: source, statements turned away
    - on_refusal: source, method, route, status and reason of a request that was turned away
    - attempts: credentials that were tried and are not known
    - body_timeout: seconds for a whole body
    - reader: with the limits of a body of statements
    - must_take: raises `Forbidden` for an actor whose input is refused, and the source
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
    attempts: FailedAttempts
    authority_home_page: str
    #: the sources that say what an activity is
    defining_sources: Sequence[str] = ()
    #: what stands in front of our paths for those outside, as in "/lrs"
    public_path: str = ""
    #: what outlives the application
    kept: KeptState = field(default_factory=KeptState)
    #: the name of this installation, by which it is known from outside
    installation: str = ""
    on_refusal: Callable[[str, str, str, int, str], None] = lambda *_: None
    body_timeout: float = 30
    launches: LaunchRoutesDeps | None = None
    must_take: MustTake = lambda _actor, _source: None
    postbacks: Sequence[PostbackSource] = ()
    webhooks: Sequence[WebhookSource] = ()
    confirmations: Sequence[ConfirmationSource] = ()
    confirmation_intake: ConfirmationIntake | None = None
    reader: BatchReader = field(default_factory=BatchReader)
    health_problem: Callable[[], str] = str
    requests: RequestsUnderWay = field(default_factory=RequestsUnderWay)
    #: the operator's page; none where no key opens it
    operator_page: RoutedPages | None = None


def make_app(
    deps: HttpDeps, listeners: Collection[Listener] = frozenset(Listener)
) -> web.Application:
    """The application that answers the routes of these listeners.

    It holds no state, and stops when its runner does.
    """
    consistency = ConsistentThrough(deps.store.consistent_through, deps.clock)
    is_public = Listener.PUBLIC in listeners
    origins = deps.settings.cors_origins
    if not is_public:
        # "*" is for players: not every page may read what only operators' network can
        origins = tuple(origin for origin in origins if origin != "*")
    surrounding = Surrounding(
        deps.on_request,
        deps.on_refusal,
        deps.clock,
        consistency,
        origins,
        deps.requests,
    )
    app = web.Application(
        client_max_size=deps.settings.max_body_bytes, middlewares=[surrounding.middleware]
    )
    app[TRUSTED_PROXIES] = TrustedProxies(deps.settings.proxies, deps.settings.forwarded_header)
    handlers = {
        route: without_other_sites(handler, deps.settings.cors_origins)
        if route.caller is Caller.OPERATOR
        else handler
        for route, handler in route_handlers(deps, consistency).items()
    }
    if deps.operator_page is not None and Listener.OPERATOR in listeners:
        # which looks at where a request comes from by itself
        deps.operator_page.set_up(app)
        handlers |= deps.operator_page.handlers()
    paths = {route.path for route in handlers if route.listener in listeners}
    if is_public:
        handlers[HOME] = home(paths, deps.public_path, deps.installation)
    else:
        # it is reached without the proxy that takes a path away
        handlers[OPERATOR_HOME] = home(paths, installation=deps.installation)
        names = deps.settings.operator_hosts
        handlers = {route: under_own_names(handler, names) for route, handler in handlers.items()}
    add_routes(app, handlers, listeners)
    if is_public:
        app[DIRECT_POSTS] = DirectPosts(app, surrounding, handlers[XAPI[Resource.STATEMENTS]])
    return app


def route_handlers(deps: HttpDeps, consistency: ConsistentThrough) -> dict[Route, Handler]:
    """What answers each route; there is nothing for what is not configured."""
    authorizer = _authorizer(deps)
    limits = BodyLimits(deps.settings.max_body_bytes, deps.body_timeout)
    most_bytes = deps.settings.max_bytes_in_flight
    endpoint = LrsEndpoint(
        authorizer,
        _limits_of_senders(deps, limits),
        _resource_handlers(deps),
        consistency,
        frozenset(source.name for source in deps.sources if source.lenient),
        deps.kept.of("answers", most_bytes, lambda: AnswersUnderWay(most_bytes)),
        _cmi5_limit(deps),
    )
    handlers: dict[Route, Handler] = {
        route: endpoint.handler(resource) for resource, route in XAPI.items()
    }
    health = Health(deps.ready, deps.health_problem)
    handlers |= {
        ABOUT: about(deps.settings.max_body_bytes),
        HEALTHZ: health.healthz,
        READYZ: health.readyz,
        METRICS: MetricsPage(deps.metrics_page, deps.clock).get,
    }
    if deps.postbacks:
        handlers[POSTBACK] = Postbacks(
            deps.postbacks, limits, deps.reader, deps.intake, deps.attempts
        ).post
    if deps.webhooks:
        handlers[WEBHOOK] = Webhooks(
            deps.webhooks, limits, deps.reader, deps.intake, deps.clock, deps.on_refused
        ).post
    if deps.confirmations and deps.confirmation_intake is not None:
        handlers[CONFIRMATION] = Confirmations(
            deps.confirmations, limits, deps.confirmation_intake, deps.clock, deps.attempts
        ).post
    if deps.launches is not None:
        handlers |= launch_handlers(deps.launches, deps, authorizer)
    return handlers


def _authorizer(deps: HttpDeps) -> RequestAuthorizer:
    authenticator = Authenticator(deps.sources, deps.attempts)
    if deps.launches is None:
        return RequestAuthorizer(authenticator)
    launches = deps.launches
    return RequestAuthorizer(
        authenticator, launches.credentials, launches.launches, launches.limits.count_request
    )


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


def _limits_of_senders(deps: HttpDeps, limits: BodyLimits) -> dict[str, BodyLimits]:
    """How much each sender of xAPI may send at once, by its source."""
    of_senders = {source.name: limits.at_most(source.max_body_bytes) for source in deps.sources}
    if deps.launches is not None:
        of_senders[LAUNCHED] = limits.at_most(deps.launches.settings.limits.request_bytes)
    return of_senders | {UNKNOWN: limits.at_most(UNKNOWN_BYTES)}


def _resource_handlers(deps: HttpDeps) -> dict[tuple[Resource, str], ResourceHandler]:
    """What each method of each resource does."""
    limits = None if deps.launches is None else deps.launches.limits
    turns = deps.kept.of("large bodies", None, LargeBodyTurns)
    statements = PostStatements(deps.reader, deps.intake, deps.on_refused, limits, turns)
    queries = GetStatements(deps.store, deps.authority_home_page, deps.public_path)
    merges = deps.kept.of("merges", None, merge_turns)
    documents = DocumentResources(deps.store, deps.clock, limits, deps.must_take, merges)
    objects = ActivitiesAgents(
        deps.store, deps.store, deps.authority_home_page, deps.defining_sources
    )
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
