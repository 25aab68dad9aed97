"""Turns [delivery], [audit] and [platform.limits] into the loops that drive the platform."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pointsman.config import Settings
from pointsman.delivery.audit import Auditor, AuditRecord, Confirming
from pointsman.delivery.budget.base import Budget, QuotaLimits
from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.domain.clock import Clock
from pointsman.platforms.base import Platform, ReadBackClient, TokenProvider
from pointsman.store.base import Store
from pointsman.store.confirmation_records import TakenEvent
from pointsman.wiring.tracing import NO_TRACES, Traces


def quota(settings: Settings, platform: Platform) -> QuotaLimits:
    """Our part of what the platform allows the instance, in the window that it counts in."""
    return QuotaLimits.of(settings.platform.limits, window=platform.quota_window)


def dispatcher(
    settings: Settings,
    store: Store,
    platform: Platform,
    tokens: TokenProvider,
    budget: Budget,
    clock: Clock,
    on_delivery: Callable[[DeliveryRecord], None],
    traces: Traces = NO_TRACES,
) -> Dispatcher:
    sender = traces.sender(
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
    on_taken: Callable[[str, Sequence[TakenEvent]], None],
    on_read: Callable[[int, int], None],
) -> Auditor:
    entries = settings.confirmations
    feeds = [entry.name for entry in entries if entry.feed is not None] if entries else None
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
        points_per_request=settings.platform.limits.points_per_request,
        requests_per_window=limits.requests,
        confirming=Confirming(feeds, on_taken, on_read),
    )
