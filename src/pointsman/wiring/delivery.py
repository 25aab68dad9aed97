"""[platform], [delivery] and [audit] become the platform's clients and the loops that use them."""

from __future__ import annotations

from collections.abc import Callable

from pointsman.config import Settings
from pointsman.delivery.audit import Auditor, AuditRecord
from pointsman.delivery.budget.local import Budget, LocalBudget
from pointsman.delivery.budget.quota_window import QuotaLimits
from pointsman.delivery.budget.shared import SharedBudget
from pointsman.delivery.dispatcher import DeliveryRecord, Dispatcher
from pointsman.delivery.sender import Sender
from pointsman.domain.clock import Clock
from pointsman.platforms.base import Platform, ReadBackClient, TokenProvider
from pointsman.platforms.helium import HeliumCalls, HeliumPlatform, HttpTransport
from pointsman.platforms.helium.readback import HeliumReader
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore


def budget(settings: Settings, store: Store, clock: Clock) -> Budget:
    """The purse of one daemon, or one that replicas share."""
    limits = QuotaLimits.of(settings.platform.limits)
    if isinstance(store, PostgresStore):
        return SharedBudget(limits, clock, store)
    if not isinstance(store, SqliteStore):
        raise TypeError(store)
    return LocalBudget(limits, clock, store)


def platform(settings: Settings, clock: Clock) -> HeliumPlatform:
    return HeliumPlatform(_transport(settings, settings.delivery.concurrency + 1), clock)


def calls(settings: Settings, clock: Clock) -> HeliumCalls:
    return HeliumCalls(_transport(settings, 1), clock)


def _transport(settings: Settings, connections: int) -> HttpTransport:
    return HttpTransport(settings.platform, connections=connections)


def dispatcher(
    settings: Settings,
    store: Store,
    platform: Platform,
    tokens: TokenProvider,
    budget: Budget,
    clock: Clock,
    on_delivery: Callable[[DeliveryRecord], None],
) -> Dispatcher:
    sender = Sender(
        platform,
        tokens,
        budget,
        clock,
        settings.delivery,
        points_per_request=settings.platform.limits.points_per_request,
    )
    return Dispatcher(
        store,
        sender,
        budget,
        clock,
        settings.delivery,
        on_delivery,
        request_timeout=settings.platform.timeout_seconds,
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
    limits = settings.platform.limits
    return Auditor(
        store,
        reader,
        tokens,
        budget,
        dispatcher.breaker,
        clock,
        settings.audit,
        on_record,
        dispatcher.wake,
        points_per_request=limits.points_per_request,
        requests_per_window=QuotaLimits.of(limits).requests,
    )
