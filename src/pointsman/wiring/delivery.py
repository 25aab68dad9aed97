"""[platform], [delivery] and [audit] become the platform's clients and the loops that use them."""

from __future__ import annotations

from collections.abc import Callable

from pointsman.config import Settings
from pointsman.config.platform import Limits as PlatformLimits
from pointsman.delivery.audit import Auditor, AuditRecord, AuditSettings
from pointsman.delivery.backoff import Backoff
from pointsman.delivery.budget.local import Budget, LocalBudget
from pointsman.delivery.budget.quota_window import QuotaLimits
from pointsman.delivery.budget.shared import SharedBudget
from pointsman.delivery.dispatcher import DeliveryRecord, DeliverySettings, Dispatcher
from pointsman.delivery.sender import Sender
from pointsman.domain.clock import Clock
from pointsman.platforms.base import Platform, ReadBackClient, TokenProvider
from pointsman.platforms.helium import HeliumCalls, HeliumPlatform, HttpTransport
from pointsman.platforms.helium.readback import HeliumReader
from pointsman.store.base import Store


def quota(limit: PlatformLimits) -> QuotaLimits:
    return QuotaLimits.of(
        limit.points_per_minute,
        limit.requests_per_minute,
        limit.share,
        limit.window_guard_seconds,
    )


def budget(settings: Settings, store: Store, clock: Clock) -> Budget:
    """The purse of one daemon, or one that replicas share."""
    limits = quota(settings.platform.limits)
    if (pace := store.pace_ledger) is not None:
        return SharedBudget(limits, clock, pace)
    window = store.window_ledger
    assert window is not None, "a store has one of the two ledgers"  # noqa: S101
    return LocalBudget(limits, clock, window)


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
    courier = Sender(
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
    reader: ReadBackClient,
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
