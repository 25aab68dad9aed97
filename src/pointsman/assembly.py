"""How settings become parts. `app` puts the parts together and runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pointsman.clock import Clock
from pointsman.config import Settings
from pointsman.config.learners import Tokens
from pointsman.config.platform import Limits as PlatformLimits
from pointsman.config.rules import Rule as RuleSettings
from pointsman.config.server import Http
from pointsman.mapping import (
    Account,
    ConfiguredIdentity,
    Course,
    CourseCompleted,
    Mapping,
    Rule,
    Template,
)
from pointsman.platforms.base import Platform, TokenProvider
from pointsman.platforms.helium import HeliumPlatform, HttpTransport
from pointsman.platforms.token_service import ServiceTokens
from pointsman.platforms.tokens import FileTokens, InlineTokens
from pointsman.scheduler.backoff import Backoff
from pointsman.scheduler.budget import Budget
from pointsman.scheduler.courier import Courier
from pointsman.scheduler.dispatcher import DeliveryRecord, DeliverySettings, Dispatcher
from pointsman.scheduler.window import QuotaLimits
from pointsman.statements import Limits
from pointsman.store.base import Store


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
        verbs=None if settings.verbs is None else frozenset(settings.verbs),
        topic_id=None if settings.topic_id is None else Template(settings.topic_id),
        course=course,
        course_started=settings.course_started,
        course_completed=CourseCompleted(settings.course_completed),
        score_is_progress=settings.score_is_progress,
        falls=settings.falls,
    )


def tokens(
    settings: Tokens, clock: Clock, on_new: Callable[[Sequence[str]], None]
) -> TokenProvider:
    if settings.inline is not None:
        return InlineTokens(
            {who: token.get_secret_value() for who, token in settings.inline.items()}
        )
    if settings.file is not None:
        return FileTokens(settings.file, clock, on_new)
    service = settings.service
    assert service is not None, "the configuration demands one of the three"  # noqa: S101
    bearer = service.bearer.get_secret_value() if service.bearer else None
    return ServiceTokens(service.url, bearer, service.timeout_seconds, clock)


def platform(settings: Settings, clock: Clock) -> HeliumPlatform:
    transport = HttpTransport(
        settings.platform.url,
        settings.platform.api_key.get_secret_value(),
        timeout_seconds=settings.platform.timeout_seconds,
        connections=settings.delivery.concurrency + 1,
    )
    return HeliumPlatform(transport, clock)


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
