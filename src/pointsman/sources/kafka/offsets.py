"""Tracks how far each partition is stored, and tells the broker and the metrics."""

from __future__ import annotations

import asyncio
import contextlib

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pointsman.domain.clock import Clock
from pointsman.sources.kafka.client import KafkaHooks

#: seconds between two commits to the broker
_EVERY = 1.0
#: seconds that a commit may take: it is best effort, and must not hold up a hand-over or a stop
_PATIENCE = 2.0


class OffsetTracker:
    """`next` is the first offset that is not stored, of each partition that was read from."""

    def __init__(self, consumer: AIOKafkaConsumer, clock: Clock, hooks: KafkaHooks) -> None:
        self.next: dict[TopicPartition, int] = {}
        self._consumer = consumer
        self._clock = clock
        self._hooks = hooks
        self._reported_at = clock.monotonic()
        self._committed: dict[TopicPartition, int] = {}

    async def commit_and_report(self) -> None:
        """Commit and report the lag, if a second has passed since the last time."""
        if self._clock.monotonic() - self._reported_at < _EVERY:
            return
        self._reported_at = self._clock.monotonic()
        await self.commit()
        assigned = self._consumer.assignment()
        self._hooks.on_assigned(frozenset((one.topic, one.partition) for one in assigned))
        for place in assigned:
            if (end := self._consumer.highwater(place)) is not None:
                lag = max(0, end - self.next.get(place, end))
                self._hooks.on_lag(place.topic, place.partition, lag)

    async def commit(self) -> None:
        """Tell the broker, which may fail: the positions that count are in the store."""
        assigned = self._consumer.assignment()
        changed = {
            place: offset
            for place, offset in self.next.items()
            if place in assigned and self._committed.get(place) != offset
        }
        if not changed:
            return
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._consumer.commit(changed), _PATIENCE)
            self._committed |= changed

    def move(self, stored: dict[TopicPartition, int], assigned: frozenset[TopicPartition]) -> None:
        """Start a new assignment at the `stored` positions.

        A partition without one keeps its place in `next`: it may have been polled before, and
        its records dropped. Raises `IllegalStateError` when a partition is no longer ours.
        """
        offsets = self.next | stored
        self.next = {place: offset for place, offset in offsets.items() if place in assigned}
        self._committed.clear()
        for place, offset in self.next.items():
            self._consumer.seek(place, offset)
