"""How settings become parts. `app` puts the parts together and runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web

from pointsman.clock import Clock
from pointsman.config import Settings
from pointsman.config.learners import Tokens
from pointsman.config.platform import Limits as PlatformLimits
from pointsman.config.rules import Rule as RuleSettings
from pointsman.config.server import Http
from pointsman.config.sources import Credential
from pointsman.config.sources import KafkaSource as KafkaSourceSettings
from pointsman.errors import ConfigError
from pointsman.mapping import (
    Account,
    ConfiguredIdentity,
    Course,
    CourseCompleted,
    Mapping,
    Rule,
    Template,
)
from pointsman.model import Position
from pointsman.platforms.base import Answer, Platform, Reader, TokenProvider
from pointsman.platforms.fetched_tokens import FetchedTokens, Fetcher, Vault
from pointsman.platforms.helium import HeliumCalls, HeliumPlatform, HttpTransport, Reply
from pointsman.platforms.helium.login import LOGIN_POINTS, LoggedIn, Logins
from pointsman.platforms.helium.readback import HeliumReader
from pointsman.platforms.token_login import LogIn, LoginAnswer, PasswordLogin
from pointsman.platforms.token_service import TokenService
from pointsman.platforms.token_vault import SealedVault, Sealer
from pointsman.platforms.tokens import Credentials, FileTokens, InlineTokens
from pointsman.scheduler.audit import Auditor, AuditRecord, AuditSettings
from pointsman.scheduler.backoff import Backoff
from pointsman.scheduler.budget import Budget
from pointsman.scheduler.courier import Courier
from pointsman.scheduler.dispatcher import DeliveryRecord, DeliverySettings, Dispatcher
from pointsman.scheduler.window import QuotaLimits
from pointsman.sources.http import (
    BasicCredential,
    BearerCredential,
    HttpDeps,
    HttpSource,
    make_app,
)
from pointsman.sources.intake import Intake
from pointsman.sources.kafka import KafkaHooks, KafkaSettings, KafkaSource
from pointsman.statements import Limits, render
from pointsman.store.base import Store, StoredStatement
from pointsman.telemetry.metrics import Metrics

#: sends one request of so many points, or gives up
Pay = Callable[[int, Callable[[], Awaitable[Reply[LoggedIn]]]], Awaitable[Reply[LoggedIn] | None]]

#: of the time that a stop may take, the part for requests that are being answered
_ANSWERING_PART = 0.2


def limits(http: Http) -> Limits:
    return Limits(max_statements=http.max_statements, max_depth=http.max_depth)


def quota(limit: PlatformLimits) -> QuotaLimits:
    return QuotaLimits.of(
        limit.points_per_minute,
        limit.requests_per_minute,
        limit.share,
        limit.window_guard_seconds,
    )


def mapping(settings: Settings) -> Mapping:
    identity = ConfiguredIdentity(
        [Account(one.home_page, Template(one.learner)) for one in settings.learners.accounts]
    )
    return Mapping([rule(one) for one in settings.rules], identity)


def rule(settings: RuleSettings) -> Rule:
    course = None
    if settings.course is not None:
        by, text = settings.course
        course = Course(by, Template(text))
    return Rule(
        name=settings.name,
        activity=Template(settings.activity),
        verbs=_words(settings.verbs),
        activity_types=_words(settings.activity_types),
        topic_id=_template(settings.topic_id),
        course=course,
        audit_course_id=_template(settings.audit_course_id),
        learning_path_slug=_template(settings.learning_path_slug),
        learning_path_id=_template(settings.learning_path_id),
        meeting_id=_template(settings.meeting_id),
        course_started=settings.course_started,
        course_completed=CourseCompleted(settings.course_completed),
        score_is_progress=settings.score_is_progress,
        falls=settings.falls,
    )


def _words(words: Sequence[str] | None) -> frozenset[str] | None:
    return None if words is None else frozenset(words)


def _template(text: str | None) -> Template | None:
    return None if text is None else Template(text)


def tokens(
    settings: Tokens,
    clock: Clock,
    on_new: Callable[[Sequence[str]], None],
    log_in: LogIn,
    vault: Vault | None = None,
) -> TokenProvider:
    """Where tokens come from; `log_in` and `vault` are for those that are fetched."""
    if settings.inline is not None:
        return InlineTokens(
            {
                who: Credentials(
                    one.auth_token.get_secret_value() if one.auth_token else None, one.user_id
                )
                for who, one in settings.inline.items()
            }
        )
    if settings.file is not None:
        return FileTokens(settings.file, clock, on_new)
    return FetchedTokens(_fetcher(settings, clock, log_in), clock, on_new, vault)


def _fetcher(settings: Tokens, clock: Clock, log_in: LogIn) -> Fetcher:
    if settings.login is not None:
        return PasswordLogin(settings.login.passwords_file, log_in)
    service = settings.service
    assert service is not None, "the configuration demands one of the four"  # noqa: S101
    bearer = service.bearer.get_secret_value() if service.bearer else None
    return TokenService(service.url, bearer, service.timeout_seconds, clock)


def vault(settings: Tokens, store: Store, clock: Clock) -> Vault | None:
    """Where fetched tokens are kept; None without a key to encrypt them with."""
    keys = settings.encryption_keys
    if not keys:
        return None
    return SealedVault(Sealer(keys), clock, store.sealed_tokens, store.save_sealed_tokens)


def log_in(calls: HeliumCalls, pay: Pay | None = None) -> LogIn:
    """Logging in at the platform; paid from a budget where there is one."""
    logins = Logins(calls)

    async def ask(email: str, password: str) -> LoginAnswer:
        async def send() -> Reply[LoggedIn]:
            return await logins.log_in(email, password)

        reply = await send() if pay is None else await pay(LOGIN_POINTS, send)
        if reply is None:
            return LoginAnswer(words="the budget does not allow it yet", passing=True)
        if reply.data is not None:
            return LoginAnswer(reply.data.token, reply.data.user_id)
        passing = reply.delivery.answer in {Answer.UNREACHABLE, Answer.THROTTLED}
        return LoginAnswer(words=reply.words, passing=passing)

    return ask


async def close_tokens(tokens: TokenProvider) -> None:
    """Close the connections of a provider that has some."""
    if isinstance(tokens, FetchedTokens):
        await tokens.close()


def platform(settings: Settings, clock: Clock) -> HeliumPlatform:
    return HeliumPlatform(_transport(settings, settings.delivery.concurrency + 1), clock)


def calls(settings: Settings, clock: Clock) -> HeliumCalls:
    return HeliumCalls(_transport(settings, 1), clock)


def _transport(settings: Settings, connections: int) -> HttpTransport:
    return HttpTransport(
        settings.platform.url,
        settings.platform.api_key.get_secret_value(),
        timeout_seconds=settings.platform.timeout_seconds,
        connections=connections,
    )


def dispatcher(
    settings: Settings,
    store: Store,
    platform: Platform,
    tokens: TokenProvider,
    budget: Budget,
    clock: Clock,
    on_delivery: Callable[[DeliveryRecord], None],
) -> Dispatcher:
    delivery = settings.delivery
    courier = Courier(
        platform,
        tokens,
        budget,
        clock,
        points_per_request=settings.platform.limits.points_per_request,
        max_failures=delivery.max_failures,
    )
    return Dispatcher(
        store,
        courier,
        budget,
        clock,
        DeliverySettings(
            concurrency=delivery.concurrency,
            progress_interval=delivery.progress_interval_seconds,
            lease=delivery.lease_seconds,
            request_timeout=settings.platform.timeout_seconds,
            backoff=Backoff(delivery.retry_base_seconds, delivery.retry_max_seconds),
        ),
        on_delivery,
    )


def reader(settings: Settings, clock: Clock) -> HeliumReader:
    return HeliumReader(_transport(settings, 1), clock)


def auditor(
    settings: Settings,
    store: Store,
    reader: Reader,
    tokens: TokenProvider,
    budget: Budget,
    clock: Clock,
    dispatcher: Dispatcher,
    on_record: Callable[[AuditRecord], None],
) -> Auditor:
    audit = settings.audit
    return Auditor(
        store,
        reader,
        tokens,
        budget,
        dispatcher.breaker,
        clock,
        AuditSettings(
            requests_per_minute=audit.requests_per_minute,
            settle=audit.settle_seconds,
            again_after=audit.again_after_hours * 3_600,
            points_per_request=settings.platform.limits.points_per_request,
            requests_per_window=quota(settings.platform.limits).requests,
        ),
        on_record,
        dispatcher.wake,
    )


def http_sources(settings: Settings) -> tuple[HttpSource, ...]:
    return tuple(
        HttpSource(source.name, tuple(_credential(one) for one in source.credentials))
        for source in settings.sources.http
    )


def _credential(settings: Credential) -> BasicCredential | BearerCredential:
    if settings.bearer is not None:
        return BearerCredential(settings.bearer.get_secret_value())
    secret = settings.secret.get_secret_value() if settings.secret is not None else ""
    return BasicCredential(settings.key or "", secret)


async def serve_http(
    stack: AsyncExitStack,
    settings: Settings,
    *,
    intake: Intake,
    find_statement: Callable[[str], Awaitable[StoredStatement | None]],
    ready: Callable[[], Awaitable[tuple[bool, str]]],
    metrics_page: Callable[[], Awaitable[tuple[bytes, str]]],
    metrics: Metrics,
    clock: Clock,
) -> None:
    """Listen until the stack unwinds; requests under way are then answered first."""
    instance = urlsplit(settings.platform.url)
    app = make_app(
        HttpDeps(
            intake=intake,
            find_statement=find_statement,
            render=render,
            sources=http_sources(settings),
            max_body_bytes=settings.http.max_body_bytes,
            cors_origins=settings.http.cors_origins,
            ready=ready,
            metrics_page=metrics_page,
            on_request=metrics.http,
            on_refused=metrics.refused,
            clock=clock,
            authority_home_page=f"{instance.scheme}://{instance.netloc}",
        )
    )
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=settings.http.drain_seconds * _ANSWERING_PART
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.http.host, settings.http.port)
    try:
        await site.start()
    except OSError as error:
        raise ConfigError(
            f"http.port: can't listen on {settings.http.host}:{settings.http.port}: "
            f"{error.strerror or error}"
        ) from None


def kafka_sources(
    settings: Settings,
    intake: Intake,
    positions: Callable[[str], Awaitable[list[Position]]],
    clock: Clock,
    metrics: Metrics,
) -> Iterator[KafkaSource]:
    for source in settings.sources.kafka:
        hooks = KafkaHooks(
            on_lag=partial(metrics.kafka_lag, source.name),
            on_paused=partial(metrics.kafka_paused, source.name),
        )
        yield KafkaSource(kafka_settings(source), intake, positions, clock, hooks)


def kafka_settings(source: KafkaSourceSettings) -> KafkaSettings:
    security = source.security
    return KafkaSettings(
        name=source.name,
        bootstrap_servers=source.bootstrap_servers,
        topics=source.topics,
        group_id=source.group_id,
        security_protocol=security.protocol,
        sasl_mechanism=security.sasl_mechanism,
        sasl_username=security.username,
        sasl_password=security.password.get_secret_value() if security.password else None,
        ca_file=security.ca_file,
        cert_file=security.cert_file,
        key_file=security.key_file,
        max_records=source.max_records,
        auto_offset_reset=source.auto_offset_reset,
    )
