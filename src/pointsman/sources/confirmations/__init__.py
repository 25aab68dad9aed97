"""What the platform says by itself of learners' courses: signed webhooks, and a feed to read on."""

from pointsman.sources.confirmations.event_reader import EventPaths, EventReader
from pointsman.sources.confirmations.feed import FeedPace, FeedReader
from pointsman.sources.confirmations.feed_client import FeedClient, FeedQuery
from pointsman.sources.confirmations.intake import (
    ConfirmationHooks,
    ConfirmationIntake,
    RefusedEvent,
)
from pointsman.sources.confirmations.replay import EventReaders, replay_event

__all__ = [
    "ConfirmationHooks",
    "ConfirmationIntake",
    "EventPaths",
    "EventReader",
    "EventReaders",
    "FeedClient",
    "FeedPace",
    "FeedQuery",
    "FeedReader",
    "RefusedEvent",
    "replay_event",
]
