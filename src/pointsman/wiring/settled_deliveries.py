"""Turns [delivery_events] into what tells a topic of each settled delivery."""

from __future__ import annotations

from pointsman.config import Settings
from pointsman.delivery.delivery_events import DeliveryEvents
from pointsman.domain.clock import Clock
from pointsman.sources.kafka.producer import TopicProducer
from pointsman.store.base import Store


def delivery_events(settings: Settings, store: Store, clock: Clock) -> DeliveryEvents | None:
    """None where no topic is told."""
    events = settings.delivery_events
    if events is None:
        return None
    meanwhile = "what is to be published is kept, and published by itself"
    producer = TopicProducer(events, clock, "delivery_events", meanwhile)
    return DeliveryEvents(store, producer, clock, events.source)
