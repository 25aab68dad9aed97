"""Tracks how far each partition is stored, and tells the broker and the metrics."""

from __future__ import annotations

import asyncio
import contextlib

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from pointsman.domain.clock import Clock
from pointsman.sources.kafka.hooks import KafkaHooks

#: seconds between two commits to the broker
_EVERY = 1.0
#: seconds that a commit may take: it is best effort, and must not hold up a hand-over or a stop
_PATIENCE = 2.0


class OffsetTracker:
    """`next` is the first offset of each partition that may hold something to store.

    `stored` is the place in the store: behind `next` where only markers of transactions and
    aborted records lie between.
    """

    def __init__(self, consumer: AIOKafkaConsumer, clock: Clock, hooks: KafkaHooks) -> None:
        self.next: dict[TopicPartition, int] = {}
        self.stored: dict[TopicPartition, int] = {}
        self._consumer = consumer
        self._clock = clock
        self._hooks = hooks
        self._reported_at = clock.monotonic()
        self._committed: dict[TopicPartition, int] = {}
        self._at_last_report: dict[TopicPartition, int] = {}
        self._before: dict[TopicPartition, int] = {}

    def move(self, offsets: dict[TopicPartition, int]) -> None:
        """Start a new assignment. Raises `IllegalStateError` when a partition is not ours."""
        self.next = dict(offsets)
        self.stored = dict(offsets)
        self._committed.clear()
        self._at_last_report.clear()
        for place, offset in offsets.items():
            self._consumer.seek(place, offset)

    def store(self, offsets: dict[TopicPartition, int]) -> None:
        """So far the store has everything."""
        self.next |= offsets
        self.stored |= offsets

    def is_due(self) -> bool:
        """Whether a second has passed since the last commit and report."""
        return self._clock.monotonic() - self._reported_at >= _EVERY

    async def commit_and_report(self) -> None:
        """Commit, and report the lag. To be asked when all that was polled is stored."""
        self._reported_at = self._clock.monotonic()
        self._before, self._at_last_report = self._at_last_report, {}
        assigned = self._consumer.assignment()
        self._hooks.on_assigned(frozenset((one.topic, one.partition) for one in assigned))
        for place in assigned & self.next.keys():
            # the client is past what nobody may read: aborted records, and markers
            try:
                end = self._end(place)
                self.next[place] = max(self.next[place], await self._consumer.position(place))
            except (IllegalStateError, AssertionError):  # not ours any more, says the client
                continue
            self._at_last_report[place] = self.next[place]
            if end is not None:
                self._hooks.on_lag(place.topic, place.partition, max(0, end - self.next[place]))
        await self.commit()

    def _end(self, place: TopicPartition) -> int | None:
        """The first offset that can't be read yet; None before the first answer of the broker.

        As Kafka's own clients have it: what belongs to a transaction under way is nothing to read.
        """
        stable: int | None = self._consumer.last_stable_offset(place)
        if stable is not None and stable >= self.next[place]:
            return stable
        end: int | None = self._consumer.highwater(place)
        return end

    def idle_beyond_stored(self) -> dict[TopicPartition, int]:
        """Places that the store does not have, of partitions where nothing moves any more."""
        return {
            place: offset
            for place, offset in self._at_last_report.items()
            if self._before.get(place) == offset > self.stored.get(place, offset)
        }

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
