"""Runs one connection to the broker, from joining the group to leaving it or to an error."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from aiokafka.errors import IllegalStateError, NoOffsetForPartitionError, OffsetOutOfRangeError

from pointsman.domain.clock import Clock
from pointsman.domain.errors import PartitionLost
from pointsman.sources.kafka.batch_storing import BatchStoring, ReadBatch
from pointsman.sources.kafka.client import current_password, new_consumer
from pointsman.sources.kafka.commit_under_way import CommitUnderWay
from pointsman.sources.kafka.hooks import KafkaHooks
from pointsman.sources.kafka.messages import Message, MessageReader, next_offsets
from pointsman.sources.kafka.offsets import OffsetTracker
from pointsman.sources.kafka.positioning import Claim, Positioning
from pointsman.sources.kafka.problems import SourceProblems
from pointsman.sources.kafka.rebalance import Assignment
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.store_retry import StopSignal, StoreRetry
from pointsman.sources.kafka.topic_watch import TopicWatch

log = structlog.get_logger(__name__)

#: milliseconds that a poll waits for records; a stop and a hand-over wait as long at most
_POLL = 250
#: seconds that leaving the group may take
_LEAVING = 10.0


class ConsumerSession:
    """`has_read` is whether reading worked for a second at least."""

    def __init__(
        self,
        settings: KafkaSourceSettings,
        intake: MessageReader,
        claim: Claim,
        clock: Clock,
        hooks: KafkaHooks,
        stop: StopSignal,
        watch: TopicWatch,
        problems: SourceProblems,
        read_ahead: int,
    ) -> None:
        self.has_read = False
        self._read_ahead = read_ahead
        self._settings = settings
        self._stop = stop
        self._hooks = hooks
        self._watch = watch
        self._problems = problems
        self._password = current_password(settings.security)
        self._consumer = new_consumer(settings)
        self._offsets = OffsetTracker(self._consumer, clock, hooks)
        self._assignment = Assignment(self._offsets.commit)
        self._store_retry = StoreRetry(settings.name, self._consumer, self._assignment, hooks, stop)
        self._storing = BatchStoring(settings, intake, clock, self._store_retry, stop)
        self._commit = CommitUnderWay()
        self._positioning = Positioning(
            settings,
            self._consumer,
            claim,
            intake.ingest,
            watch,
            self._offsets,
            self._store_retry,
            self._assignment,
            clock,
            hooks,
        )

    async def run(self) -> None:
        """Read until a stop, or until other topics can be read or there is another password.

        Raises what the broker or the client is troubled by.
        """
        # The client waits for a topic that is missing, and reads nothing meanwhile.
        topics = self._watch.readable
        self._consumer.subscribe(topics=list(topics), listener=self._assignment)
        await self._stop.unless_stopped(self._consumer.start())
        try:
            while not self._stop.stopped and self._watch.readable == topics and self._is_current():
                await self._step()
            await self._commit.end()
        finally:
            await self._commit.close()

    async def _step(self) -> None:
        if not self._assignment.is_positioned or self._positioning.is_outdated():
            await self._commit.end()
            await self._take_places()
            return
        generation, messages = await self._poll()
        if messages:
            await self._read_and_commit(generation, messages)
        if not self._offsets.is_due():
            return
        await self._commit.end()
        if generation == self._assignment.generation and self._assignment.is_positioned:
            await self._offsets.commit_and_report()
            self.has_read = True
            self._problems.solved("connection")
            await self._positioning.save_progress()

    def _is_current(self) -> bool:
        """Whether new connections would be made with the password of now."""
        return current_password(self._settings.security) == self._password

    async def close(self) -> None:
        """Commit, and leave the group."""
        self._hooks.on_assigned(frozenset())
        self._store_retry.resume()
        await self._offsets.commit()
        # A task of its own: without a broker the client lets its own CancelledError out.
        leaving = asyncio.ensure_future(self._consumer.stop())
        await asyncio.wait({leaving}, timeout=_LEAVING)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)

    async def _take_places(self) -> None:
        """Move every partition to our position, which wins over the group's."""
        self._assignment.is_positioned = False
        if not self._assignment.assigned.is_set():
            # A poll also raises what keeps the client from joining; it has nothing to return.
            await self._consumer.getmany(timeout_ms=0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._assignment.assigned.wait(), _POLL / 1000)
            return
        assigned = self._assignment.partitions
        try:
            if not await self._positioning.move():
                return
        except IllegalStateError:  # the next deal has begun
            return
        self._assignment.is_positioned = True
        # while each connection fails later than here, this is no news
        tell = log.debug if self._problems.has("connection") else log.info
        tell(
            "kafka partitions assigned",
            source=self._settings.name,
            partitions=sorted(f"{place.topic}/{place.partition}" for place in assigned),
        )

    async def _poll(self) -> tuple[int, list[Message]]:
        generation = self._assignment.generation
        try:
            polled = await self._consumer.getmany(
                timeout_ms=_POLL, max_records=self._settings.max_records
            )
            if any(self._positioning.has_mark(place) for place in polled):
                await self._commit.end()
            unread = [
                (place, await self._positioning.unread(place, records))
                for place, records in polled.items()
            ]
        except OffsetOutOfRangeError as error:
            # where to go on is stored after what was read before
            await self._commit.end()
            with contextlib.suppress(IllegalStateError):  # it is somebody else's by now
                for place, offset in error.args[0].items():
                    await self._positioning.out_of_range(place, offset)
            return generation, []
        except IllegalStateError:  # the next deal has begun
            self._assignment.is_positioned = False
            return generation, []
        except NoOffsetForPartitionError:
            # the client had no place of its own before we gave it ours
            self._assignment.is_positioned = False
            return generation, []
        return generation, [
            message
            for place, records in unread
            for message in self._positioning.with_places(place, records)
        ]

    async def _read_and_commit(self, generation: int, messages: Sequence[Message]) -> None:
        """Read these, while those before are committed if they may, and then begin their commit.

        Raises what the commit before raised.
        """
        size = sum(len(message.record.value or b"") for message in messages)
        if self._commit.size + size > self._read_ahead:
            await self._commit.end()
        batch = await self._storing.read(messages, generation)
        if batch is None:
            self._assignment.read_again(generation)
        await self._commit.end()
        if batch is not None and generation == self._assignment.generation:
            self._commit.begin(self._store(batch, generation), size)

    async def _store(self, batch: ReadBatch, generation: int) -> None:
        receipts = await self._storing.store(batch, generation)
        if receipts is None:
            self._assignment.read_again(generation)
            return
        if any(receipt.fenced for receipt in receipts):
            # The group has dealt without us. Nothing of that partition was stored.
            raise PartitionLost
        self._offsets.store(next_offsets(message.after for message in batch.messages))
