"""Moves an assignment to its places, and settles them in the store before anything is read.

A place counts in one log only. Where the topic is another log by now, it is told and given up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import PartitionLost
from pointsman.domain.log_positions import WHOLE_TOPIC, Position
from pointsman.domain.records import Receipt, Submission
from pointsman.sources.kafka.hooks import KafkaHooks, ResetReason
from pointsman.sources.kafka.messages import Message
from pointsman.sources.kafka.offsets import OffsetTracker
from pointsman.sources.kafka.position_log_lines import tell_starts
from pointsman.sources.kafka.rebalance import Assignment
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.start_positions import (
    RecordMark,
    Start,
    StartAt,
    start_places,
    whole_topics,
)
from pointsman.sources.kafka.store_retry import StoreRetry
from pointsman.sources.kafka.topic_watch import TopicWatch

log = structlog.get_logger(__name__)

#: takes over the (topic, partition) pairs of a group
Claim = Callable[[str, Sequence[tuple[str, int]]], Awaitable[list[Position]]]
Ingest = Callable[[Sequence[Submission]], Awaitable[Sequence[Receipt]]]


class Positioning:
    """The places of one consumer; they hold for one generation of its assignment."""

    def __init__(
        self,
        settings: KafkaSourceSettings,
        consumer: AIOKafkaConsumer,
        claim: Claim,
        ingest: Ingest,
        watch: TopicWatch,
        offsets: OffsetTracker,
        store_retry: StoreRetry,
        assignment: Assignment,
        clock: Clock,
        hooks: KafkaHooks,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._claim = claim
        self._ingest = ingest
        self._watch = watch
        self._offsets = offsets
        self._store_retry = store_retry
        self._assignment = assignment
        self._clock = clock
        self._hooks = hooks
        #: of our claim of each partition
        self._tokens: dict[TopicPartition, int] = {}
        #: which log each of them counts in
        self._log_ids: dict[TopicPartition, str] = {}
        #: what each topic was when its partitions were positioned, "" where it was not there
        self._seen: dict[str, str] = {}
        #: the last record that was read of each, as it is stored
        self._last_records: dict[TopicPartition, str] = {}
        #: the record before a place, which is read once more to see that the log is the same
        self._marks: dict[TopicPartition, RecordMark] = {}

    async def move(self) -> bool:
        """Move to the stored places; whether that is done. Raises `KafkaError`, `PartitionLost`."""
        generation, assigned = self._assignment.generation, self._assignment.partitions
        topics = sorted({place.topic for place in assigned})
        places = [*sorted(assigned), *((topic, WHOLE_TOPIC) for topic in topics)]
        logs = await self._watch.look()

        async def claim() -> list[Position]:
            return await self._claim(self._settings.group_id, places)

        claimed = await self._store_retry.call(claim, generation)
        if claimed is None or generation != self._assignment.generation:
            return False
        starts = start_places(claimed, logs)
        self._tokens = {start.place: start.stored.token for start in starts}
        self._log_ids = {start.place: start.log_id for start in starts}
        self._last_records = {
            start.place: start.stored.last_record for start in starts if start.at is StartAt.STORED
        }
        self._seen = {topic: logs[topic].log_id for topic in topics}
        offsets = await self._offsets_of(starts)
        for topic in tell_starts(self._settings, starts, offsets):
            self._hooks.on_reset(topic, ResetReason.ANOTHER_LOG)
        settled = [
            position
            for start in starts
            if start.at is not StartAt.ABSENT
            and (position := self._position(start.place, offsets[start.place])) != start.stored
        ]
        if not await self._settle([*settled, *whole_topics(claimed, logs)], generation):
            return False
        self._marks = {
            start.place: mark
            for start in starts
            if start.at is StartAt.STORED
            and (mark := RecordMark.from_text(start.stored.last_record)) is not None
            and mark.offset < start.stored.offset
        }
        try:
            self._offsets.move(offsets)
            for place, mark in self._marks.items():
                self._consumer.seek(place, mark.offset)
        except IllegalStateError:  # the next deal has begun
            return False
        return generation == self._assignment.generation

    def is_outdated(self) -> bool:
        """Whether a topic is another log by now than when its partitions were positioned."""
        return any(
            self._watch.logs[topic].log_id not in ("", log_id)
            for topic, log_id in self._seen.items()
            if topic in self._watch.logs
        )

    def with_places(
        self, place: TopicPartition, records: Sequence[ConsumerRecord]
    ) -> Iterator[Message]:
        """Records of a partition, each with the place after it."""
        group, token = self._settings.group_id, self._tokens.get(place, 0)
        log_id, topic, partition = self._log_ids.get(place, ""), place.topic, place.partition
        mark = self._last_records.get(place, "")
        for record in records:
            mark = RecordMark.text_of(record)
            yield Message(
                record, Position(group, topic, partition, record.offset + 1, token, log_id, mark)
            )
        self._last_records[place] = mark

    def has_mark(self, place: TopicPartition) -> bool:
        """Whether nothing was read of it yet, so that its log may turn out to be another one."""
        return place in self._marks

    async def unread(
        self, place: TopicPartition, records: Sequence[ConsumerRecord]
    ) -> Sequence[ConsumerRecord]:
        """Those that are not stored; none where the log turns out to be another one."""
        mark = self._marks.pop(place, None)
        if mark is not None and records[0].offset == mark.offset:
            found = RecordMark.of(records[0])
            if found != mark:
                log.warning(
                    "kafka partition has another record where the last one was read: it is another "
                    "log, though its topic has the same id; it is read again",
                    source=self._settings.name,
                    topic=place.topic,
                    partition=place.partition,
                    offset=mark.offset,
                    expected=str(mark),
                    found=str(found),
                    reads_from=self._settings.auto_offset_reset,
                    next="see that it was meant: a topic or a cluster was restored or made again",
                )
                await self.reset(place, ResetReason.ANOTHER_LOG)
                return []
        first = self._offsets.next.get(place, 0)
        return [record for record in records if record.offset >= first]

    async def out_of_range(self, place: TopicPartition, offset: int) -> None:
        """The broker has nothing at `offset`."""
        mark = self._marks.pop(place, None)
        stored = self._offsets.next.get(place, offset)
        if mark is not None and mark.offset == offset != stored:
            # retention has removed what was read; what comes next may be there
            self._consumer.seek(place, stored)
            return
        # what is still there was never read, whatever is to be done where nothing is known
        first = (await self._consumer.beginning_offsets([place]))[place]
        goes_on_at = first if offset < first else None
        log.error(
            "the stored position is out of the partition's range; messages may be lost",
            source=self._settings.name,
            topic=place.topic,
            partition=place.partition,
            offset=offset,
            continues_at=self._settings.auto_offset_reset if goes_on_at is None else goes_on_at,
            next="retention removed messages before they were read, or the log was cut: compare "
            "the topic's retention with how long this source was down",
        )
        await self.reset(place, ResetReason.OUT_OF_RANGE, goes_on_at)

    async def reset(
        self, place: TopicPartition, reason: ResetReason, offset: int | None = None
    ) -> None:
        """Go to `offset`, or to where `auto_offset_reset` says, and store that place."""
        generation = self._assignment.generation
        if offset is None:
            offset = (await self._reset_offsets([place]))[place]
        self._last_records.pop(place, None)
        position = self._position(place, offset)
        if not await self._settle([position], generation):
            self._assignment.is_positioned = False
            return
        self._hooks.on_reset(place.topic, reason)
        self._offsets.next[place] = offset
        self._consumer.seek(place, offset)

    async def save_progress(self) -> None:
        """Store how far markers of transactions and aborted records have moved idle partitions."""
        generation = self._assignment.generation
        idle = self._offsets.idle_beyond_stored()
        positions = [self._position(place, offset) for place, offset in idle.items()]
        if await self._settle(positions, generation):
            self._offsets.stored |= idle

    def _position(self, place: TopicPartition, offset: int) -> Position:
        return Position(
            self._settings.group_id,
            place.topic,
            place.partition,
            offset,
            self._tokens.get(place, 0),
            self._log_ids.get(place, ""),
            self._last_records.get(place, ""),
        )

    async def _offsets_of(self, starts: Iterable[Start]) -> dict[TopicPartition, int]:
        offsets: dict[TopicPartition, int] = {}
        to_reset: list[TopicPartition] = []
        from_beginning: list[TopicPartition] = []
        for start in starts:
            committed = None
            if start.at is StartAt.COMMIT_OR_RESET:
                committed = await self._consumer.committed(start.place)
            if start.at in (StartAt.STORED, StartAt.ABSENT):
                offsets[start.place] = max(0, start.stored.offset)
            elif committed is not None:
                offsets[start.place] = committed
            elif start.at is StartAt.BEGINNING:
                from_beginning.append(start.place)
            else:
                to_reset.append(start.place)
        if from_beginning:
            offsets |= await self._consumer.beginning_offsets(from_beginning)
        if to_reset:
            offsets |= await self._reset_offsets(to_reset)
        return offsets

    async def _reset_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        earliest = self._settings.auto_offset_reset == "earliest"
        ask = self._consumer.beginning_offsets if earliest else self._consumer.end_offsets
        offsets: dict[TopicPartition, int] = await ask(places)
        return offsets

    async def _settle(self, positions: Sequence[Position], generation: int) -> bool:
        """Store places without a message; False when the partitions went away first."""
        if not positions:
            return True
        now = micros(self._clock.now())
        submissions = [
            Submission(self._settings.name, b"", now, (), position=at, all_or_nothing=False)
            for at in positions
        ]

        async def ingest() -> Sequence[Receipt]:
            return await self._ingest(submissions)

        receipts = await self._store_retry.call(ingest, generation)
        if receipts is None:
            return False
        for at, receipt in zip(positions, receipts, strict=True):
            # of a whole topic another member, who has claimed it since, stores the same
            if receipt.fenced and at.partition != WHOLE_TOPIC:
                raise PartitionLost
        return generation == self._assignment.generation
