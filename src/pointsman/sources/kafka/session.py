"""Runs one connection to the broker, from joining the group to leaving it or to an error."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, NoOffsetForPartitionError, OffsetOutOfRangeError

from pointsman.domain.clock import Clock
from pointsman.domain.errors import PartitionLost
from pointsman.domain.records import UNREAD, Position, Receipt, Submission
from pointsman.sources.kafka.client import KafkaHooks, new_consumer
from pointsman.sources.kafka.messages import MessageReader, next_offsets, read_record
from pointsman.sources.kafka.offsets import OffsetTracker
from pointsman.sources.kafka.rebalance import Assignment
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.store_retry import StopSignal, StoreRetry

log = structlog.get_logger(__name__)

#: milliseconds that a poll waits for records; a stop and a hand-over wait as long at most
_POLL = 250
#: records read between two turns of the event loop
_CHUNK = 50
#: seconds that leaving the group may take
_LEAVING = 10.0


#: takes over the (topic, partition) pairs of a group
Claim = Callable[[str, Sequence[tuple[str, int]]], Awaitable[list[Position]]]


class ConsumerSession:
    """`joined` is whether the group was ever joined."""

    def __init__(
        self,
        settings: KafkaSourceSettings,
        intake: MessageReader,
        claim: Claim,
        clock: Clock,
        hooks: KafkaHooks,
        stop: StopSignal,
    ) -> None:
        self.joined = False
        self._settings = settings
        self._intake = intake
        self._claim = claim
        #: of our claim of each partition
        self._tokens: dict[TopicPartition, int] = {}
        self._clock = clock
        self._stop = stop
        self._consumer = new_consumer(settings)
        self._offsets = OffsetTracker(self._consumer, clock, hooks)
        self._assignment = Assignment(self._offsets.commit)
        self._store_retry = StoreRetry(settings.name, self._consumer, self._assignment, hooks, stop)

    async def run(self) -> None:
        """Read until a stop. Raises what the broker or the client is troubled by."""
        self._consumer.subscribe(topics=list(self._settings.topics), listener=self._assignment)
        await self._stop.unless_stopped(self._consumer.start())
        while not self._stop.stopped:
            self.joined = True
            if not self._assignment.is_positioned:
                await self._seek_to_stored()
                continue
            generation, records = await self._poll()
            await self._store(generation, records)
            await self._offsets.commit_and_report()

    async def close(self) -> None:
        """Commit, and leave the group."""
        self._store_retry.resume()
        await self._offsets.commit()
        # A task of its own: without a broker the client lets its own CancelledError out.
        leaving = asyncio.ensure_future(self._consumer.stop())
        await asyncio.wait({leaving}, timeout=_LEAVING)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)

    async def _seek_to_stored(self) -> None:
        """Move every partition to our position, which wins over the group's."""
        generation = self._assignment.generation
        if not self._assignment.assigned.is_set():
            # A poll also raises what keeps the client from joining; it has nothing to return.
            await self._consumer.getmany(timeout_ms=0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._assignment.assigned.wait(), _POLL / 1000)
            return
        assigned = self._assignment.partitions

        async def claim() -> list[Position]:
            return await self._claim(self._settings.group_id, sorted(assigned))

        claimed = await self._store_retry.call(claim, generation)
        if claimed is None or generation != self._assignment.generation:
            return
        places = {
            TopicPartition(position.topic, position.partition): position for position in claimed
        }
        self._tokens = {place: position.token for place, position in places.items()}
        stored = {
            place: position.offset
            for place, position in places.items()
            if position.offset != UNREAD
        }
        try:
            self._offsets.move(stored, assigned)
        except IllegalStateError:  # the next deal has begun
            return
        self._assignment.is_positioned = True
        log.info(
            "kafka partitions assigned",
            source=self._settings.name,
            partitions=sorted(f"{place.topic}/{place.partition}" for place in assigned),
        )

    async def _poll(self) -> tuple[int, list[ConsumerRecord]]:
        generation = self._assignment.generation
        try:
            polled = await self._consumer.getmany(
                timeout_ms=_POLL, max_records=self._settings.max_records
            )
        except OffsetOutOfRangeError as error:
            for place, offset in error.args[0].items():
                self._complain(place, offset)
                await self._reset(place)
            return generation, []
        except NoOffsetForPartitionError as error:
            await self._reset(error.args[0])
            return generation, []
        for place, records in polled.items():
            self._offsets.next.setdefault(place, records[0].offset)
        return generation, [record for records in polled.values() for record in records]

    def _complain(self, place: TopicPartition, offset: int) -> None:
        log.error(
            "the stored position is out of the partition's range; messages may be lost",
            source=self._settings.name,
            topic=place.topic,
            partition=place.partition,
            offset=offset,
            continues_at=self._settings.auto_offset_reset,
        )

    async def _reset(self, place: TopicPartition) -> None:
        self._offsets.next.pop(place, None)
        with contextlib.suppress(IllegalStateError):  # it is somebody else's by now
            if self._settings.auto_offset_reset == "earliest":
                await self._consumer.seek_to_beginning(place)
            else:
                await self._consumer.seek_to_end(place)

    async def _store(self, generation: int, records: Sequence[ConsumerRecord]) -> None:
        name, group = self._settings.name, self._settings.group_id
        submissions: list[Submission] = []

        async def prepare() -> bool:
            await self._intake.prepare(
                record.value for record in records if record.value is not None
            )
            return True

        if not records or await self._store_retry.call(prepare, generation) is None:
            return
        for count, record in enumerate(records, start=1):
            token = self._tokens.get(TopicPartition(record.topic, record.partition), 0)
            position = Position(group, record.topic, record.partition, record.offset + 1, token)
            submissions.append(read_record(self._intake, name, position, record, self._clock))
            if count % _CHUNK == 0:
                await asyncio.sleep(0)

        async def ingest() -> Sequence[Receipt]:
            return await self._intake.ingest(submissions)

        receipts = await self._store_retry.call(ingest, generation)
        if receipts is None:
            return
        if any(receipt.fenced for receipt in receipts):
            # The group has dealt without us. Nothing of that partition was stored.
            raise PartitionLost
        self._offsets.next |= next_offsets(submissions)
