"""Settings of the listeners become what answers HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web

from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.open_files import allow_connections
from pointsman.setting_types import no_secret
from pointsman.sources.batch import BatchReader, StatementIntake
from pointsman.sources.confirmations import ConfirmationIntake
from pointsman.sources.http.app import HttpDeps, RoutedPages, make_app
from pointsman.sources.http.authorization import (
    BasicCredential,
    BearerCredential,
    HttpSource,
)
from pointsman.sources.http.body import BytesInFlight
from pointsman.sources.http.connection import ConnectionHooks, ConnectionTimes
from pointsman.sources.http.connection_limits import Closed, ConnectionLimits
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.http.health import ReadyState
from pointsman.sources.http.kept_state import KeptState
from pointsman.sources.http.launch_routes import LaunchRoutesDeps
from pointsman.sources.http.lrs.documents import MustTake
from pointsman.sources.http.middleware import RequestsUnderWay
from pointsman.sources.http.routes import Listener
from pointsman.sources.http.server import HttpServer
from pointsman.sources.kafka.producer import TopicProducer
from pointsman.sources.kafka_forwarder import KafkaForwarder
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.settings import CredentialSettings
from pointsman.statements import LaunchedLimits
from pointsman.store.base import Store
from pointsman.telemetry.metrics import Metrics
from pointsman.telemetry.operator_log import OperatorLog
from pointsman.wiring.adapters import postback_sources, webhook_sources
from pointsman.wiring.confirmations import confirmation_sources
from pointsman.wiring.sources import defining_sources
from pointsman.wiring.tracing import NO_TRACES, Traces

#: the route, in metrics and log, of what is no request
MALFORMED = "malformed"


def http_sources(settings: Settings) -> tuple[HttpSource, ...]:
    return tuple(
        HttpSource(
            source.name,
            tuple(map(credential, source.credentials)),
            source.lenient,
            source.max_body_bytes,
        )
        for source in settings.sources.http
    )


def launched_limits(settings: Settings) -> LaunchedLimits | None:
    """What one request of a launched player may hold."""
    launches, http = settings.launches, settings.http
    if launches is None:
        return None
    return LaunchedLimits(
        max_statements=min(launches.limits.request_statements, http.max_statements),
        max_depth=http.max_depth,
        max_values=http.max_values,
    )


def credential(settings: CredentialSettings) -> BasicCredential | BearerCredential:
    if settings.bearer is not None:
        return BearerCredential(settings.bearer)
    return BasicCredential(settings.key or "", settings.secret or no_secret())


def public_path(settings: Settings) -> str:
    """What a proxy takes away in front of our paths; all that is handed out has it."""
    launches = settings.launches
    url = settings.http.public_url or (launches.public_url if launches is not None else "")
    return urlsplit(url).path.rstrip("/")


def http_intake(
    settings: Settings,
    intake: Pipeline,
    producer: TopicProducer | None,
    clock: Clock,
    traces: Traces = NO_TRACES,
) -> StatementIntake:
    """What has a statement when it is answered."""
    kafka = settings.http.kafka
    if producer is None or kafka is None:
        return intake
    write = traces.write(producer.write, kafka.topic, kafka.bootstrap_servers)
    return KafkaForwarder(write, clock, intake.keep_dead_letter)


@dataclass(frozen=True, slots=True)
class HttpListener:
    """A server, and what makes the application that it answers with."""

    server: HttpServer
    make_app: Callable[[HttpDeps], web.Application]


def failed_attempts(settings: Settings, clock: Clock, metrics: Metrics) -> FailedAttempts:
    return FailedAttempts(settings.http.failed_attempts_per_minute, clock, metrics.failed_attempt)


def http_deps(
    settings: Settings,
    *,
    intake: StatementIntake,
    store: Store,
    ready: Callable[[], Awaitable[ReadyState]],
    health_problem: Callable[[], str],
    metrics_page: Callable[[str], Awaitable[tuple[bytes, str]]],
    metrics: Metrics,
    operator_log: OperatorLog,
    clock: Clock,
    attempts: FailedAttempts,
    launches: LaunchRoutesDeps | None = None,
    must_take: MustTake = lambda _actor, _source: None,
    operator_page: RoutedPages | None = None,
    confirmation_intake: ConfirmationIntake | None = None,
    installation: str = "",
    kept: KeptState | None = None,
) -> HttpDeps:
    """What the endpoint needs of the rest of the daemon.

    `attempts` and `kept` outlive a change of settings: who is slowed down for guessing stays so.
    """
    return HttpDeps(
        intake=intake,
        store=store,
        sources=http_sources(settings),
        settings=settings.http,
        ready=ready,
        health_problem=health_problem,
        metrics_page=metrics_page,
        on_request=metrics.http,
        on_refused=metrics.refused,
        on_refusal=operator_log.refused,
        clock=clock,
        attempts=attempts,
        authority_home_page=settings.platform.origin,
        defining_sources=defining_sources(settings),
        public_path=public_path(settings),
        launches=launches,
        must_take=must_take,
        operator_page=operator_page,
        installation=installation,
        kept=kept or KeptState(),
        postbacks=postback_sources(settings.sources, store.statement_ids),
        webhooks=webhook_sources(settings.sources, store.statement_ids),
        confirmations=confirmation_sources(settings),
        confirmation_intake=confirmation_intake,
        reader=BatchReader(settings.http, store.statement_ids, launched_limits(settings)),
        body_timeout=settings.http.connections.body_seconds,
    )


def http_listeners(
    settings: Settings,
    deps: HttpDeps,
    metrics: Metrics,
    operator_log: OperatorLog,
    clock: Clock,
    traces: Traces = NO_TRACES,
) -> list[HttpListener]:
    """The endpoint with all its routes, first for the public; it does not listen yet.

    Without [http.operator] there is one for all.
    """
    http = settings.http
    connections = http.connections
    budget = BytesInFlight(http.max_bytes_in_flight)
    ports = 1 if http.operator is None else 2
    most = allow_connections(connections.most * ports) // ports

    def on_malformed(status: int, reason: str) -> None:
        metrics.http("", "other", MALFORMED, status, 0.0)
        operator_log.refused("", "other", MALFORMED, status, reason)

    def on_closed(why: Closed, address: str) -> None:
        metrics.connection_closed(why)
        operator_log.connection_closed(why, address)

    def listener(
        host: str, port: int, section: str, *routes: Listener, reuse_port: bool = False
    ) -> HttpListener:
        # each has its own, for each stops by itself
        requests = RequestsUnderWay(budget)

        def app(deps: HttpDeps) -> web.Application:
            return traces.app(make_app(replace(deps, requests=requests), routes))

        server = HttpServer(
            app(deps),
            requests,
            clock,
            ConnectionLimits(most, connections.most_of_address, http.proxies),
            ConnectionTimes(connections.head_seconds, connections.idle_seconds),
            ConnectionHooks(
                closed=on_closed,
                malformed=on_malformed,
                open=partial(metrics.connections, section),
            ),
            host=host,
            port=port,
            drain_seconds=http.drain_seconds,
            section=section,
            reuse_port=reuse_port,
        )
        return HttpListener(server, app)

    if http.operator is None:
        return [listener(http.host, http.port, "http", *Listener)]
    return [
        listener(http.host, http.port, "http", Listener.PUBLIC, reuse_port=http.reuse_port),
        listener(http.operator.host, http.operator.port, "http.operator", Listener.OPERATOR),
    ]
