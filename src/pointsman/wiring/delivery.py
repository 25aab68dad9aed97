"""[delivery], [audit] and [platform.limits] become the loops that drive the platform."""

from __future__ import annotations

from collections.abc import Callable

from pointsman.config import Settings
from pointsman.delivery.audit import Auditor, AuditRecord, AuditSettings
from pointsman.delivery.backoff import Backoff
from pointsman.delivery.budget.base import Budget, QuotaLimits
from pointsman.delivery.dispatcher import DeliveryRecord, DeliverySettings, Dispatcher
from pointsman.delivery.sender import Sender
from pointsman.domain.clock import Clock
from pointsman.platforms.base import Platform, ReadBackClient, TokenProvider
from pointsman.store.base import Store


def quota(settings: Settings, platform: Platform) -> QuotaLimits:
    """Our part of what the platform allows the instance, in the window that it counts in."""
    limits = settings.platform.limits
    return QuotaLimits.of(
        limits.points_per_minute,
        limits.requests_per_minute,
        limits.share,
        limits.window_guard_seconds,
        window=platform.quota_window,
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
    sender = Sender(
        platform,
        tokens,
        budget,
        clock,
        points_per_request=settings.platform.limits.points_per_request,
        max_failures=delivery.max_failures,
    )
    return Dispatcher(
        store,
        sender,
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


def auditor(
    settings: Settings,
    store: Store,
    reader: ReadBackClient,
    tokens: TokenProvider,
    budget: Budget,
    limits: QuotaLimits,
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
            requests_per_window=limits.requests,
        ),
        on_record,
        dispatcher.wake,
    )
