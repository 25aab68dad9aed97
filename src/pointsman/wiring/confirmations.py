"""Turns [[confirmations]] into what takes the platform's webhooks and reads its feed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pointsman.config import Settings
from pointsman.config.confirmations import (
    ConfirmationSettings,
    FeedPathSettings,
    FeedSettings,
    WebhookPathSettings,
)
from pointsman.domain.clock import Clock
from pointsman.domain.platform_events import FactSource, OnPlatformChange
from pointsman.outgoing.client import HttpClient
from pointsman.sources.confirmations import (
    ConfirmationHooks,
    ConfirmationIntake,
    EventPaths,
    EventReader,
    EventReaders,
    FeedClient,
    FeedPace,
    FeedQuery,
    FeedReader,
)
from pointsman.sources.confirmations.feed import feed_origin
from pointsman.sources.confirmations.feed_client import MAX_ANSWER_BYTES
from pointsman.sources.confirmations.intake import KeepDeadLetter
from pointsman.sources.http.confirmations import ORIGIN, ConfirmationSource
from pointsman.sources.http.webhook_signatures import SignatureScheme, WebhookVerifier
from pointsman.statements.adapters import Path
from pointsman.store.base import Store


def confirmation_sources(settings: Settings) -> tuple[ConfirmationSource, ...]:
    """Those with a secret have a webhook."""
    return tuple(
        ConfirmationSource(
            entry.name,
            entry.max_body_bytes,
            entry.tolerance_seconds,
            # what is signed has its time in the body, where it is looked at
            WebhookVerifier(
                (SignatureScheme(header=entry.header),), _keys(entry), entry.tolerance_seconds
            ),
            webhook_reader(entry),
        )
        for entry in settings.confirmations
        if entry.secrets
    )


def confirmation_intake(
    settings: Settings,
    store: Store,
    clock: Clock,
    keep_dead_letter: KeepDeadLetter,
    hooks: ConfirmationHooks,
) -> ConfirmationIntake:
    return ConfirmationIntake(store, clock, keep_dead_letter, shown_only(settings), hooks)


def shown_only(settings: Settings) -> frozenset[str]:
    """The rules whose state takes over nothing from the platform."""
    return frozenset(
        rule.name for rule in settings.rules if rule.on_platform_change is OnPlatformChange.SHOW
    )


def event_readers(settings: Settings) -> EventReaders:
    """What reads dead letters of the platform's events again."""
    readers = {}
    for entry in settings.confirmations:
        readers[entry.name, ORIGIN] = webhook_reader(entry)
        if entry.feed is not None:
            readers[entry.name, feed_origin(entry.name)] = feed_event_reader(entry, entry.feed)
    return readers


def feed_readers(
    settings: Settings, intake: ConfirmationIntake, store: Store, clock: Clock
) -> Iterator[FeedReader]:
    """Nothing runs yet."""
    for entry in settings.confirmations:
        if entry.feed is None:
            continue
        client = HttpClient(
            settings.platform,
            "platform.",
            timeout_seconds=settings.platform.timeout_seconds,
            connections=1,
            max_bytes=MAX_ANSWER_BYTES,
        )
        yield FeedReader(
            entry.name,
            FeedClient(feed_query(settings, entry.feed), client, clock),
            feed_event_reader(entry, entry.feed),
            intake,
            store,
            clock,
            feed_pace(entry.feed),
        )


def feed_query(settings: Settings, feed: FeedSettings) -> FeedQuery:
    return FeedQuery(
        url=f"{settings.platform.origin}{feed.path}",
        api_key=settings.platform.api_key,
        page_size=feed.page_size,
        dates=feed.dates,
        events=_paths(feed.events),
        page_info=_paths(feed.page_info),
    )


def feed_pace(feed: FeedSettings) -> FeedPace:
    return FeedPace(
        feed.requests_per_minute, feed.poll_seconds, feed.overlap_seconds, feed.first_hours * 3_600
    )


def webhook_reader(entry: ConfirmationSettings) -> EventReader:
    return EventReader(_event_paths(entry.paths), entry.meanings, FactSource.WEBHOOK)


def feed_event_reader(entry: ConfirmationSettings, feed: FeedSettings) -> EventReader:
    return EventReader(_event_paths(feed.paths), entry.meanings, FactSource.FEED)


def _event_paths(paths: WebhookPathSettings | FeedPathSettings) -> EventPaths:
    return EventPaths(**{name: _paths(getattr(paths, name)) for name in type(paths).model_fields})


def _paths(texts: Iterable[str]) -> Sequence[Path]:
    return tuple(map(Path.parse, texts))


def _keys(entry: ConfirmationSettings) -> Callable[[], tuple[bytes, ...]]:
    secrets = entry.secrets
    return lambda: tuple(secret.get_secret_value().encode() for secret in secrets)
